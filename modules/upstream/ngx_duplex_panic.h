
/*
 * Panic: when too few servers of a group are healthy, all are used, for a few
 * could not carry the load, and checks that fail everywhere at once are more
 * likely wrong than right.
 *
 * Counted are servers that nobody has set down or is draining and that have
 * had a verdict; "duplex_panic" says how many of them, in per cent, must be
 * healthy.  What people decide, panic does not touch.
 */


#ifndef _NGX_DUPLEX_PANIC_H_INCLUDED_
#define _NGX_DUPLEX_PANIC_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_upstream.h"


/* the directive, of a protocol whose upstream{} is "conf" */
char *ngx_duplex_panic_set(ngx_conf_t *cf, void *conf);

/* the bits of "down" as they count in the group: without health in a panic */
ngx_uint_t ngx_duplex_panic_bits(ngx_duplex_peer_t *peer, ngx_uint_t bits);

/* looks whether there is a panic; 1: that has changed */
ngx_uint_t ngx_duplex_panic_update(ngx_duplex_group_t *group);

/* something has changed in the group: looks at the end of this turn */
void ngx_duplex_panic_post(ngx_duplex_group_t *group);

/* in each worker, when all features have started; what was left to do */
void ngx_duplex_panic_start(void);

/* the member "panic" of a group in the API, if it has a threshold */
void ngx_duplex_panic_fields(ngx_duplex_group_t *group,
    ngx_duplex_json_t *json);


#endif /* _NGX_DUPLEX_PANIC_H_INCLUDED_ */
