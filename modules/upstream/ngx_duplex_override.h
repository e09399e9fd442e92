
/*
 * What was said at run time and differs from the file: who, when, why; and
 * how to go back to the file.
 *
 * Pages of the API: duplex/overrides, and below it PROTOCOL, GROUP, SERVER
 * (its id or address) and FIELD, each of them less.
 */


#ifndef _NGX_DUPLEX_OVERRIDE_H_INCLUDED_
#define _NGX_DUPLEX_OVERRIDE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* for preconfiguration, once */
ngx_int_t ngx_duplex_override_register(ngx_conf_t *cf);


#endif /* _NGX_DUPLEX_OVERRIDE_H_INCLUDED_ */
