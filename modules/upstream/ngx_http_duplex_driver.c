
/*
 * The http driver: ngx_http_upstream_rr_peers_t, the peers that all stock
 * balancers share.
 *
 * Primaries and backups are two lists with a lock each, never held together.
 * Sections do what stock's own do for a request, and no more: no allocation,
 * no logging, no callback.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "../core/ngx_duplex_compat.h"
#include "ngx_duplex_group.h"
#include "ngx_duplex_held.h"
#include "ngx_duplex_stock.h"
#include "ngx_http_duplex_driver.h"
#include "ngx_http_duplex_peer.h"


#define NGX_HTTP_DUPLEX_TRIED_BITS  (8 * sizeof(uintptr_t))

#if (NGX_DUPLEX_HAVE_STOCK_ROUTE)
#define NGX_HTTP_DUPLEX_SID  offsetof(ngx_http_upstream_rr_peer_t, sid)
#else
#define NGX_HTTP_DUPLEX_SID  0
#endif


static void *ngx_http_duplex_driver_peers(ngx_duplex_group_t *group);
static ngx_uint_t ngx_http_duplex_driver_single(void *peers);
static void ngx_http_duplex_driver_plural(void *peers);
static void ngx_http_duplex_driver_reserve(ngx_duplex_group_t *group,
    size_t size);
static ngx_http_upstream_rr_peer_t *ngx_http_duplex_driver_find_locked(
    ngx_http_upstream_rr_peers_t *peers, ngx_duplex_peer_t *peer,
    ngx_uint_t *place);
static ngx_uint_t ngx_http_duplex_driver_unavail_locked(
    ngx_http_upstream_rr_peers_t *peers, ngx_http_upstream_rr_peer_t *rr);
static ngx_uint_t ngx_http_duplex_driver_full_locked(
    ngx_http_upstream_rr_peer_t *rr);
static ngx_int_t ngx_http_duplex_driver_take_locked(
    ngx_http_upstream_rr_peer_data_t *rrp, ngx_duplex_peer_t *peer,
    ngx_uint_t *down);
static void ngx_http_duplex_driver_charge_locked(
    ngx_http_upstream_rr_peer_data_t *rrp, ngx_http_upstream_rr_peer_t *rr);
static void ngx_http_duplex_driver_tag(ngx_duplex_group_t *group,
    ngx_http_upstream_rr_peers_t *peers);


static const ngx_duplex_layout_t  ngx_http_duplex_driver_layout =
    NGX_DUPLEX_LAYOUT(ngx_http_upstream_rr_peers_t,
                      ngx_http_upstream_rr_peer_t, NGX_HTTP_DUPLEX_SID);


ngx_duplex_driver_t  ngx_http_duplex_driver = {
    ngx_string("http"),
    "upstream",
    1,                                     /* sessions */
    &ngx_http_duplex_driver_layout,
    ngx_http_duplex_driver_peers,
    ngx_http_duplex_driver_single,
    ngx_http_duplex_driver_plural,
    ngx_http_duplex_driver_reserve
};


static void *
ngx_http_duplex_driver_peers(ngx_duplex_group_t *group)
{
    ngx_http_upstream_srv_conf_t  *us;

    us = group->conf;

    return us->shm_zone ? us->peer.data : NULL;
}


static ngx_uint_t
ngx_http_duplex_driver_single(void *peers)
{
    ngx_http_upstream_rr_peers_t *rrs = peers;

    return rrs->single;
}


static void
ngx_http_duplex_driver_plural(void *peers)
{
    ngx_http_upstream_rr_peers_t *rrs = peers;

    rrs->single = 0;
}


static void
ngx_http_duplex_driver_reserve(ngx_duplex_group_t *group, size_t size)
{
    ngx_http_upstream_srv_conf_t  *us;

    us = group->conf;

    /* a zone without a size is refused later */

    if (us->shm_zone && us->shm_zone->shm.size) {
        us->shm_zone->shm.size += size;
    }
}


static ngx_http_upstream_rr_peer_t *
ngx_http_duplex_driver_find_locked(ngx_http_upstream_rr_peers_t *peers,
    ngx_duplex_peer_t *peer, ngx_uint_t *place)
{
    ngx_uint_t                    i;
    ngx_http_upstream_rr_peer_t  *rr;

    for (rr = peers->peer, i = 0; rr; rr = rr->next, i++) {

        if (rr->start_time == (ngx_msec_t) peer->hash) {
            *place = i;
            return rr;
        }
    }

    return NULL;
}


static ngx_uint_t
ngx_http_duplex_driver_unavail_locked(ngx_http_upstream_rr_peers_t *peers,
    ngx_http_upstream_rr_peer_t *rr)
{
    return !peers->single
           && ngx_duplex_peer_quarantined(rr->max_fails, rr->fails,
                                          rr->checked, rr->fail_timeout);
}


static ngx_uint_t
ngx_http_duplex_driver_full_locked(ngx_http_upstream_rr_peer_t *rr)
{
    return rr->max_conns && rr->conns >= rr->max_conns;
}


ngx_int_t
ngx_http_duplex_driver_take(ngx_http_request_t *r, void *data,
    ngx_duplex_peer_t *peer)
{
    ngx_uint_t                         down, limit;
    ngx_peer_connection_t             *pc;
    ngx_http_upstream_rr_peer_t       *rr;
    ngx_http_upstream_rr_peers_t      *peers, *primaries;
    ngx_http_upstream_srv_conf_t      *us;
    ngx_http_upstream_rr_peer_data_t  *rrp;

    us = peer->group->conf;
    primaries = us->peer.data;

    rrp = ngx_http_duplex_peer_balancer(peer->group, data, 1);
    peers = rrp->peers;

    if (peer->backup ? (peers != primaries->next) : (peers != primaries)) {
        return NGX_BUSY;
    }

    pc = &r->upstream->peer;

    ngx_http_duplex_driver_tag(peer->group, primaries);

    ngx_http_upstream_rr_peers_wlock(peers);

    if (ngx_http_duplex_driver_take_locked(rrp, peer, &down) != NGX_OK) {
        ngx_http_upstream_rr_peers_unlock(peers);
        return NGX_BUSY;
    }

    rr = rrp->current;

    pc->sockaddr = rr->sockaddr;
    pc->socklen = rr->socklen;
    pc->name = &rr->name;

    ngx_http_upstream_rr_peers_unlock(peers);

    pc->cached = 0;
    pc->connection = NULL;

    /* a draining peer was not counted, or the others would lose a try */

    limit = r->upstream->conf->next_upstream_tries;

    if (down && (limit == 0 || pc->tries < limit)) {
        pc->tries++;
    }

    return peers->shpool ? ngx_http_duplex_peer_copy(r) : NGX_OK;
}


static ngx_int_t
ngx_http_duplex_driver_take_locked(ngx_http_upstream_rr_peer_data_t *rrp,
    ngx_duplex_peer_t *peer, ngx_uint_t *down)
{
    time_t                         now;
    uintptr_t                      m;
    ngx_uint_t                     n, place;
    ngx_http_upstream_rr_peer_t   *rr;
    ngx_http_upstream_rr_peers_t  *peers;

    peers = rrp->peers;

#if (NGX_DUPLEX_HAVE_PEER_REFS)
    if (peers->config && rrp->config != *peers->config) {
        return NGX_BUSY;
    }
#endif

    rr = ngx_http_duplex_driver_find_locked(peers, peer, &place);
    if (rr == NULL) {
        return NGX_BUSY;
    }

    /* without a zone nobody projects, the file alone counts */

    *down = peers->shpool ? rr->down : ngx_duplex_state_bits(peer->set.state);

    if ((*down & ~NGX_DUPLEX_DOWN_DRAIN)
        || ngx_http_duplex_driver_full_locked(rr))
    {
        return NGX_BUSY;
    }

    if (!peers->single) {
        n = place / NGX_HTTP_DUPLEX_TRIED_BITS;
        m = (uintptr_t) 1 << place % NGX_HTTP_DUPLEX_TRIED_BITS;

        if ((rrp->tried[n] & m)
            || ngx_http_duplex_driver_unavail_locked(peers, rr))
        {
            return NGX_BUSY;
        }

        rrp->tried[n] |= m;

        ngx_http_duplex_driver_charge_locked(rrp, rr);

        now = ngx_time();

        if (now - rr->checked > rr->fail_timeout) {
            rr->checked = now;
        }
    }

    rrp->current = rr;
    rr->conns++;
    ngx_duplex_held_take(rr);

#if (NGX_DUPLEX_HAVE_PEER_REFS)
    ngx_http_upstream_rr_peer_ref(peers, rr);
#endif

    return NGX_OK;
}


/*
 * One round of smooth weighted round robin with a winner known beforehand,
 * so that a server with many sessions gets fewer new clients.  Its debt ends
 * at one full round: it must not be shunned for long when its sessions go.
 */

static void
ngx_http_duplex_driver_charge_locked(ngx_http_upstream_rr_peer_data_t *rrp,
    ngx_http_upstream_rr_peer_t *rr)
{
    ngx_int_t                      total;
    ngx_http_upstream_rr_peer_t   *peer;
    ngx_http_upstream_rr_peers_t  *peers;

    peers = rrp->peers;

    if (rr->down || rr->current_weight + rr->effective_weight < 0) {
        return;
    }

    total = 0;

    for (peer = peers->peer; peer; peer = peer->next) {

        if (peer->down
            || ngx_http_duplex_driver_unavail_locked(peers, peer)
            || ngx_http_duplex_driver_full_locked(peer))
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


ngx_duplex_peer_t *
ngx_http_duplex_driver_selected(ngx_duplex_group_t *group, void *data)
{
    uint64_t                           hash;
    ngx_http_upstream_rr_peers_t      *peers;
    ngx_http_upstream_srv_conf_t      *us;
    ngx_http_upstream_rr_peer_data_t  *rrp;

    us = group->conf;

    rrp = ngx_http_duplex_peer_balancer(group, data, 0);
    peers = rrp->peers;

    ngx_http_duplex_driver_tag(group, us->peer.data);

    /* the request holds the place, so nobody else got it */

    ngx_http_upstream_rr_peers_rlock(peers);

    hash = rrp->current->start_time;

    ngx_http_upstream_rr_peers_unlock(peers);

    return ngx_duplex_peer_by_hash(group, hash);
}


/* without a zone peers are the worker's own, and got no identity at commit */

static void
ngx_http_duplex_driver_tag(ngx_duplex_group_t *group,
    ngx_http_upstream_rr_peers_t *peers)
{
    if (peers->shpool == NULL && peers->peer->start_time == 0) {
        ngx_duplex_places_identify(group, peers);
    }
}
