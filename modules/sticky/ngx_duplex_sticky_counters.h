
/*
 * The counters of "sticky" in shared memory.
 */


#ifndef _NGX_DUPLEX_STICKY_COUNTERS_H_INCLUDED_
#define _NGX_DUPLEX_STICKY_COUNTERS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_identity.h"
#include "ngx_duplex_sticky.h"


/* for bind: "*zone" is the cycle's, the same for http and stream */
ngx_int_t ngx_duplex_sticky_add_counters(ngx_conf_t *cf,
    ngx_shm_zone_t **zone);

/* for start: ngx_duplex_sticky_last of them; NULL: too many groups */
ngx_atomic_t *ngx_duplex_sticky_counters(ngx_shm_zone_t *zone,
    ngx_duplex_group_t *group);


#endif /* _NGX_DUPLEX_STICKY_COUNTERS_H_INCLUDED_ */
