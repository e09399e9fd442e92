
/*
 * Parameters of "sticky" that http and stream have in common.
 *
 * All answer NGX_CONF_OK, a reason, or NGX_CONF_ERROR after a message.
 */


#ifndef _NGX_DUPLEX_STICKY_CONF_H_INCLUDED_
#define _NGX_DUPLEX_STICKY_CONF_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_sticky.h"


typedef struct {
    ngx_str_t    name;
    size_t       size;
    ngx_uint_t   sync;
} ngx_duplex_sticky_zone_t;


/* "zone=", "timeout=": what stands behind it */
char *ngx_duplex_sticky_set_zone(ngx_conf_t *cf,
    ngx_duplex_sticky_zone_t *zone, ngx_str_t *text);
/* "sync=" with any value */
char *ngx_duplex_sticky_refuse_sync(ngx_conf_t *cf, ngx_str_t *value);
char *ngx_duplex_sticky_set_timeout(ngx_conf_t *cf,
    ngx_duplex_sticky_group_t *sticky, ngx_str_t *text);

/* the zone is complete: it is added, for "owner" */
char *ngx_duplex_sticky_add_zone(ngx_conf_t *cf,
    ngx_duplex_sticky_group_t *sticky, ngx_duplex_sticky_zone_t *zone,
    void *owner);


#endif /* _NGX_DUPLEX_STICKY_CONF_H_INCLUDED_ */
