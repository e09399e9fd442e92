
/*
 * The stream driver: ngx_stream_upstream_rr_peers_t, the peers that all stock
 * balancers of stream share.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>
#include "ngx_duplex_stock.h"
#include "ngx_stream_duplex_driver.h"


#if !(NGX_STREAM_UPSTREAM_ZONE)
#error nginx-duplex needs an nginx with upstream zones in stream
#endif


static void *ngx_stream_duplex_driver_peers(ngx_duplex_group_t *group);
static ngx_uint_t ngx_stream_duplex_driver_single(void *peers);
static void ngx_stream_duplex_driver_plural(void *peers);
static void ngx_stream_duplex_driver_reserve(ngx_duplex_group_t *group,
    size_t size);


static const ngx_duplex_layout_t  ngx_stream_duplex_driver_layout =
    NGX_DUPLEX_LAYOUT(ngx_stream_upstream_rr_peers_t,
                      ngx_stream_upstream_rr_peer_t, 0);


ngx_duplex_driver_t  ngx_stream_duplex_driver = {
    ngx_string("stream"),
    "stream upstream",
    0,                                     /* sessions */
    &ngx_stream_duplex_driver_layout,
    ngx_stream_duplex_driver_peers,
    ngx_stream_duplex_driver_single,
    ngx_stream_duplex_driver_plural,
    ngx_stream_duplex_driver_reserve
};


static void *
ngx_stream_duplex_driver_peers(ngx_duplex_group_t *group)
{
    ngx_stream_upstream_srv_conf_t  *us;

    us = group->conf;

    return us->shm_zone ? us->peer.data : NULL;
}


static ngx_uint_t
ngx_stream_duplex_driver_single(void *peers)
{
    ngx_stream_upstream_rr_peers_t *rrs = peers;

    return rrs->single;
}


static void
ngx_stream_duplex_driver_plural(void *peers)
{
    ngx_stream_upstream_rr_peers_t *rrs = peers;

    rrs->single = 0;
}


static void
ngx_stream_duplex_driver_reserve(ngx_duplex_group_t *group, size_t size)
{
    ngx_stream_upstream_srv_conf_t  *us;

    us = group->conf;

    /* a zone without a size is refused later */

    if (us->shm_zone && us->shm_zone->shm.size) {
        us->shm_zone->shm.size += size;
    }
}
