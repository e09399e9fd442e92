
/*
 * A peer of stream that somebody else has chosen is taken as the balancer
 * would have taken it: what ngx_http_duplex_driver.c does for requests.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>
#include "../core/ngx_duplex_compat.h"
#include "ngx_duplex_held.h"
#include "ngx_stream_duplex_driver.h"
#include "ngx_stream_duplex_upstream.h"


#define NGX_STREAM_DUPLEX_TRIED_BITS  (8 * sizeof(uintptr_t))


static ngx_int_t ngx_stream_duplex_wrap(ngx_conf_t *cf,
    ngx_stream_upstream_srv_conf_t *us, ngx_stream_duplex_wrap_pt wrap);
static ngx_int_t ngx_stream_duplex_take(ngx_stream_session_t *s, void *data,
    ngx_duplex_peer_t *peer);
static ngx_int_t ngx_stream_duplex_take_locked(
    ngx_stream_upstream_rr_peer_data_t *rrp, ngx_duplex_peer_t *peer);
static ngx_uint_t ngx_stream_duplex_unavail_locked(
    ngx_stream_upstream_rr_peers_t *peers, ngx_stream_upstream_rr_peer_t *rr);
static void ngx_stream_duplex_charge_locked(
    ngx_stream_upstream_rr_peers_t *peers, ngx_stream_upstream_rr_peer_t *rr);
static ngx_duplex_peer_t *ngx_stream_duplex_selected(
    ngx_duplex_group_t *group, void *data);


ngx_stream_duplex_upstream_t  ngx_stream_duplex_upstream_service = {
    ngx_stream_duplex_wrap,
    ngx_stream_duplex_peer_is_stock,
    ngx_stream_duplex_take,
    ngx_stream_duplex_selected
};


static ngx_int_t
ngx_stream_duplex_wrap(ngx_conf_t *cf, ngx_stream_upstream_srv_conf_t *us,
    ngx_stream_duplex_wrap_pt wrap)
{
    ngx_stream_duplex_upstream_srv_conf_t  *uscf;

    uscf = ngx_stream_conf_upstream_srv_conf(us,
                                            ngx_stream_duplex_upstream_module);

    if (uscf->wrap) {
        return NGX_DECLINED;
    }

    uscf->wrap = wrap;

    return NGX_OK;
}


static ngx_int_t
ngx_stream_duplex_take(ngx_stream_session_t *s, void *data,
    ngx_duplex_peer_t *peer)
{
    ngx_peer_connection_t               *pc;
    ngx_stream_upstream_rr_peer_t       *rr;
    ngx_stream_upstream_rr_peers_t      *peers, *primaries;
    ngx_stream_upstream_srv_conf_t      *us;
    ngx_stream_upstream_rr_peer_data_t  *rrp;

    us = peer->group->conf;
    primaries = us->peer.data;

    rrp = ngx_stream_duplex_peer_balancer(data, 1);
    peers = rrp->peers;

    if (peer->backup ? (peers != primaries->next) : (peers != primaries)) {
        return NGX_BUSY;
    }

    pc = &s->upstream->peer;

    ngx_stream_upstream_rr_peers_wlock(peers);

    if (ngx_stream_duplex_take_locked(rrp, peer) != NGX_OK) {
        ngx_stream_upstream_rr_peers_unlock(peers);
        return NGX_BUSY;
    }

    rr = rrp->current;

    pc->sockaddr = rr->sockaddr;
    pc->socklen = rr->socklen;
    pc->name = &rr->name;

    ngx_stream_upstream_rr_peers_unlock(peers);

    pc->connection = NULL;

    return ngx_stream_duplex_peer_copy(s);
}


static ngx_int_t
ngx_stream_duplex_take_locked(ngx_stream_upstream_rr_peer_data_t *rrp,
    ngx_duplex_peer_t *peer)
{
    time_t                           now;
    uintptr_t                        m;
    ngx_uint_t                       i, n;
    ngx_stream_upstream_rr_peer_t   *rr;
    ngx_stream_upstream_rr_peers_t  *peers;

    peers = rrp->peers;

#if (NGX_DUPLEX_HAVE_PEER_REFS)
    if (peers->config && rrp->config != *peers->config) {
        return NGX_BUSY;
    }
#endif

    for (rr = peers->peer, i = 0;
         rr && rr->start_time != (ngx_msec_t) peer->hash;
         rr = rr->next, i++)
    {
        /* void */
    }

    if (rr == NULL
        || rr->down
        || (rr->max_conns && rr->conns >= rr->max_conns))
    {
        return NGX_BUSY;
    }

    if (!peers->single) {
        n = i / NGX_STREAM_DUPLEX_TRIED_BITS;
        m = (uintptr_t) 1 << i % NGX_STREAM_DUPLEX_TRIED_BITS;

        if ((rrp->tried[n] & m)
            || ngx_stream_duplex_unavail_locked(peers, rr))
        {
            return NGX_BUSY;
        }

        rrp->tried[n] |= m;

        ngx_stream_duplex_charge_locked(peers, rr);

        now = ngx_time();

        if (now - rr->checked > rr->fail_timeout) {
            rr->checked = now;
        }
    }

    rrp->current = rr;
    rr->conns++;
    ngx_duplex_held_take(rr);

#if (NGX_DUPLEX_HAVE_PEER_REFS)
    ngx_stream_upstream_rr_peer_ref(peers, rr);
#endif

    return NGX_OK;
}


static ngx_uint_t
ngx_stream_duplex_unavail_locked(ngx_stream_upstream_rr_peers_t *peers,
    ngx_stream_upstream_rr_peer_t *rr)
{
    return !peers->single
           && ngx_duplex_peer_quarantined(rr->max_fails, rr->fails,
                                          rr->checked, rr->fail_timeout);
}


/* one round of round robin with a winner known beforehand */

static void
ngx_stream_duplex_charge_locked(ngx_stream_upstream_rr_peers_t *peers,
    ngx_stream_upstream_rr_peer_t *rr)
{
    ngx_int_t                       total;
    ngx_stream_upstream_rr_peer_t  *peer;

    if (rr->current_weight + rr->effective_weight < 0) {
        return;
    }

    total = 0;

    for (peer = peers->peer; peer; peer = peer->next) {

        if (peer->down
            || ngx_stream_duplex_unavail_locked(peers, peer)
            || (peer->max_conns && peer->conns >= peer->max_conns))
        {
            continue;
        }

        peer->current_weight += peer->effective_weight;
        total += peer->effective_weight;

        if (peer->effective_weight < peer->weight) {
            peer->effective_weight++;
        }
    }

    rr->current_weight -= total;
}


static ngx_duplex_peer_t *
ngx_stream_duplex_selected(ngx_duplex_group_t *group, void *data)
{
    uint64_t                             hash;
    ngx_stream_upstream_rr_peer_data_t  *rrp;

    rrp = ngx_stream_duplex_peer_balancer(data, 0);

    if (rrp->current == NULL) {
        return NULL;
    }

    /* the session holds the place, so nobody else got it */

    ngx_stream_upstream_rr_peers_rlock(rrp->peers);

    hash = rrp->current->start_time;

    ngx_stream_upstream_rr_peers_unlock(rrp->peers);

    return ngx_duplex_peer_by_hash(group, hash);
}
