
/*
 * The http driver: reads and writes ngx_http_upstream_rr_peers_t, the peers
 * that all stock balancers share.
 *
 * Primaries and backups are two lists with a lock each, never held together.
 * A peer is found by walking its list under the lock, and no pointer to it
 * outlives the lock.  Sections do what stock's own do for a request, and no
 * more: no allocation, no logging, no callback.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "../core/ngx_duplex_compat.h"
#include "ngx_http_duplex_driver.h"


#define NGX_HTTP_DUPLEX_TRIED_BITS  (8 * sizeof(uintptr_t))


static ngx_int_t ngx_http_duplex_driver_lock(ngx_duplex_peer_t *peer,
    ngx_uint_t write, ngx_duplex_stock_peer_t *stock);
static void ngx_http_duplex_driver_unlock(ngx_duplex_stock_peer_t *stock);
static ngx_http_upstream_rr_peers_t *ngx_http_duplex_driver_list(
    ngx_duplex_peer_t *peer);
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


ngx_duplex_driver_t  ngx_http_duplex_driver = {
    ngx_string("http"),
    "upstream",
    1,                                     /* sessions */
    ngx_http_duplex_driver_lock,
    ngx_http_duplex_driver_unlock
};


static ngx_int_t
ngx_http_duplex_driver_lock(ngx_duplex_peer_t *peer, ngx_uint_t write,
    ngx_duplex_stock_peer_t *stock)
{
    ngx_uint_t                     place;
    ngx_http_upstream_rr_peer_t   *rr;
    ngx_http_upstream_rr_peers_t  *peers;

    peers = ngx_http_duplex_driver_list(peer);
    if (peers == NULL) {
        return NGX_DECLINED;
    }

    if (write) {
        ngx_http_upstream_rr_peers_wlock(peers);

    } else {
        ngx_http_upstream_rr_peers_rlock(peers);
    }

    rr = ngx_http_duplex_driver_find_locked(peers, peer, &place);

    if (rr == NULL) {
        ngx_http_upstream_rr_peers_unlock(peers);
        return NGX_DECLINED;
    }

    if (!write) {
        ngx_http_upstream_rr_peer_lock(peers, rr);
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
ngx_http_duplex_driver_unlock(ngx_duplex_stock_peer_t *stock)
{
    ngx_http_upstream_rr_peer_t   *rr;
    ngx_http_upstream_rr_peers_t  *peers;

    peers = stock->peers;
    rr = stock->peer;

    if (!stock->write) {
        ngx_http_upstream_rr_peer_unlock(peers, rr);
    }

    ngx_http_upstream_rr_peers_unlock(peers);
}


/*
 * NULL if the group has no zone: its peers are the worker's own then, and a
 * third party's balancer may keep something else in their place.
 */

static ngx_http_upstream_rr_peers_t *
ngx_http_duplex_driver_list(ngx_duplex_peer_t *peer)
{
    ngx_http_upstream_rr_peers_t  *peers;
    ngx_http_upstream_srv_conf_t  *us;

    us = peer->group->conf;

    if (us->shm_zone == NULL) {
        return NULL;
    }

    peers = us->peer.data;

    return peer->backup ? peers->next : peers;
}


static ngx_http_upstream_rr_peer_t *
ngx_http_duplex_driver_find_locked(ngx_http_upstream_rr_peers_t *peers,
    ngx_duplex_peer_t *peer, ngx_uint_t *place)
{
    ngx_uint_t                    i, rank;
    ngx_http_upstream_rr_peer_t  *rr;

    rank = ngx_duplex_peer_rank(peer);

    for (rr = peers->peer, i = 0; rr; rr = rr->next, i++) {

        if (ngx_duplex_peer_is(peer, &rr->server, &rr->name) && rank-- == 0) {
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
    ngx_http_upstream_rr_peer_data_t  *rrp = data;

    ngx_uint_t                     down, limit;
    ngx_peer_connection_t         *pc;
    ngx_http_upstream_rr_peer_t   *rr;
    ngx_http_upstream_rr_peers_t  *peers, *primaries;
    ngx_http_upstream_srv_conf_t  *us;

    us = peer->group->conf;
    primaries = us->peer.data;
    peers = rrp->peers;

    if (peer->backup ? (peers != primaries->next) : (peers != primaries)) {
        return NGX_BUSY;
    }

    pc = &r->upstream->peer;

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

    return NGX_OK;
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

    *down = peers->shpool ? rr->down : peer->configured;

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
    ngx_http_upstream_rr_peer_data_t  *rrp = data;

    ngx_str_t                      server, name;
    ngx_uint_t                     rank, backup;
    ngx_http_upstream_rr_peer_t   *rr;
    ngx_http_upstream_rr_peers_t  *peers;
    ngx_http_upstream_srv_conf_t  *us;

    us = group->conf;
    peers = rrp->peers;
    backup = (peers != us->peer.data);

    /* the request holds the peer, so its texts stay */

    server = rrp->current->server;
    name = rrp->current->name;
    rank = 0;

    ngx_http_upstream_rr_peers_rlock(peers);

    for (rr = peers->peer; rr && rr != rrp->current; rr = rr->next) {
        if (rr->name.len == name.len
            && rr->server.len == server.len
            && ngx_memcmp(rr->name.data, name.data, name.len) == 0
            && ngx_memcmp(rr->server.data, server.data, server.len) == 0)
        {
            rank++;
        }
    }

    ngx_http_upstream_rr_peers_unlock(peers);

    return ngx_duplex_peer_of_rank(group, backup, &server, &name, rank);
}
