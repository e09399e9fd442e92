
/*
 * The stream driver: finds and locks peers of ngx_stream_upstream_rr_peers_t,
 * which all stock balancers of stream share.
 *
 * Primaries and backups are two lists with a lock each, never held together.
 * A peer is found by walking its list under the lock, and no pointer to it
 * outlives the lock.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>
#include "ngx_stream_duplex_driver.h"


#if !(NGX_STREAM_UPSTREAM_ZONE)
#error nginx-duplex needs an nginx with upstream zones in stream
#endif


static ngx_int_t ngx_stream_duplex_driver_lock(ngx_duplex_peer_t *peer,
    ngx_uint_t write, ngx_duplex_stock_peer_t *stock);
static void ngx_stream_duplex_driver_unlock(ngx_duplex_stock_peer_t *stock);
static ngx_stream_upstream_rr_peers_t *ngx_stream_duplex_driver_list(
    ngx_duplex_peer_t *peer);
static ngx_stream_upstream_rr_peer_t *ngx_stream_duplex_driver_find_locked(
    ngx_stream_upstream_rr_peers_t *peers, ngx_duplex_peer_t *peer);


ngx_duplex_driver_t  ngx_stream_duplex_driver = {
    ngx_string("stream"),
    "stream upstream",
    0,                                     /* sessions */
    ngx_stream_duplex_driver_lock,
    ngx_stream_duplex_driver_unlock
};


static ngx_int_t
ngx_stream_duplex_driver_lock(ngx_duplex_peer_t *peer, ngx_uint_t write,
    ngx_duplex_stock_peer_t *stock)
{
    ngx_stream_upstream_rr_peer_t   *rr;
    ngx_stream_upstream_rr_peers_t  *peers;

    peers = ngx_stream_duplex_driver_list(peer);
    if (peers == NULL) {
        return NGX_DECLINED;
    }

    if (write) {
        ngx_stream_upstream_rr_peers_wlock(peers);

    } else {
        ngx_stream_upstream_rr_peers_rlock(peers);
    }

    rr = ngx_stream_duplex_driver_find_locked(peers, peer);

    if (rr == NULL) {
        ngx_stream_upstream_rr_peers_unlock(peers);
        return NGX_DECLINED;
    }

    if (!write) {
        ngx_stream_upstream_rr_peer_lock(peers, rr);
    }

    stock->peers = peers;
    stock->peer = rr;
    stock->write = write;

    stock->single = peers->single;
    stock->tries = &peers->tries;

    stock->down = &rr->down;
    stock->fails = &rr->fails;
    stock->accessed = &rr->accessed;
    stock->checked = &rr->checked;
    stock->effective_weight = &rr->effective_weight;
    stock->current_weight = &rr->current_weight;

    stock->weight = rr->weight;
    stock->max_conns = rr->max_conns;
    stock->max_fails = rr->max_fails;
    stock->fail_timeout = rr->fail_timeout;
    stock->conns = rr->conns;

    return NGX_OK;
}


static void
ngx_stream_duplex_driver_unlock(ngx_duplex_stock_peer_t *stock)
{
    ngx_stream_upstream_rr_peer_t   *rr;
    ngx_stream_upstream_rr_peers_t  *peers;

    peers = stock->peers;
    rr = stock->peer;

    if (!stock->write) {
        ngx_stream_upstream_rr_peer_unlock(peers, rr);
    }

    ngx_stream_upstream_rr_peers_unlock(peers);
}


/*
 * NULL if the group has no zone: its peers are the worker's own then, and a
 * third party's balancer may keep something else in their place.
 */

static ngx_stream_upstream_rr_peers_t *
ngx_stream_duplex_driver_list(ngx_duplex_peer_t *peer)
{
    ngx_stream_upstream_rr_peers_t  *peers;
    ngx_stream_upstream_srv_conf_t  *us;

    us = peer->group->conf;

    if (us->shm_zone == NULL) {
        return NULL;
    }

    peers = us->peer.data;

    return peer->backup ? peers->next : peers;
}


static ngx_stream_upstream_rr_peer_t *
ngx_stream_duplex_driver_find_locked(ngx_stream_upstream_rr_peers_t *peers,
    ngx_duplex_peer_t *peer)
{
    ngx_uint_t                      rank;
    ngx_stream_upstream_rr_peer_t  *rr;

    rank = ngx_duplex_peer_rank(peer);

    for (rr = peers->peer; rr; rr = rr->next) {

        if (ngx_duplex_peer_is(peer, &rr->server, &rr->name) && rank-- == 0) {
            return rr;
        }
    }

    return NULL;
}
