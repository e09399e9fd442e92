
/*
 * An alarm: some process has heard something bad of a server, and whoever
 * makes the probes should look at once.
 */


#ifndef _NGX_DUPLEX_ALARM_H_INCLUDED_
#define _NGX_DUPLEX_ALARM_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_health.h"


extern ngx_duplex_kind_t  ngx_duplex_alarm_kind;


/* in any worker; "name" is the server's address as text */
void ngx_duplex_alarm(ngx_duplex_group_t *group, ngx_str_t *name);


#endif /* _NGX_DUPLEX_ALARM_H_INCLUDED_ */
