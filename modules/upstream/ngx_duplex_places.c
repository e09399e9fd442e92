
/*
 * Places in stock's lists: who comes gets one, who goes leaves one.
 *
 * All is done under the lock of the list, with its sums kept exact: every
 * stock balancer divides by them.  A list is never empty, stock would read
 * its first peer without looking: a dummy that is down stands in it then.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_group.h"
#include "ngx_duplex_slow.h"
#include "ngx_duplex_stock.h"


static void *ngx_duplex_place_idle_locked(ngx_duplex_group_t *group,
    ngx_duplex_list_t *list, size_t len);
static ngx_uint_t ngx_duplex_place_is_idle(const ngx_duplex_layout_t *l,
    ngx_duplex_place_t *place, size_t len);
static void ngx_duplex_place_fill_locked(void *rr, void *peers,
    ngx_duplex_peer_t *peer, ngx_uint_t down);
static void ngx_duplex_place_link_locked(void *rr, void *peers,
    ngx_duplex_peer_t *peer);
static void ngx_duplex_place_unlink_locked(const ngx_duplex_layout_t *l,
    void *rr, void *peers);
static void ngx_duplex_place_changed_locked(ngx_duplex_group_t *group);
static ngx_uint_t ngx_duplex_place_max_fails(ngx_duplex_peer_t *peer);


ngx_int_t
ngx_duplex_place_add(ngx_duplex_peer_t *peer, ngx_uint_t down, uint64_t look)
{
    void                       *rr, *peers;
    ngx_duplex_list_t          *list;
    ngx_duplex_group_t         *group;
    ngx_duplex_driver_t        *driver;
    const ngx_duplex_layout_t  *l;

    group = peer->group;
    driver = group->driver;
    l = driver->layout;

    list = &group->lists[peer->backup];
    peers = list->peers;

    if (peers == NULL) {
        return NGX_ERROR;
    }

    if (ngx_duplex_stock_wlock_as_of(driver, peers, look) != NGX_OK) {
        return NGX_AGAIN;
    }

    if (ngx_duplex_stock_find_locked(peer, peers)) {
        ngx_duplex_stock_unlock(driver, peers);
        return NGX_DECLINED;
    }

    rr = ngx_duplex_place_idle_locked(group, list, peer->server.len);

    if (rr == NULL) {
        ngx_duplex_stock_unlock(driver, peers);
        return NGX_ERROR;
    }

    ngx_duplex_slow_prepare_locked(peer, peers);

    ngx_duplex_place_fill_locked(rr, peers, peer, down);
    ngx_duplex_place_link_locked(rr, peers, peer);

    ngx_duplex_stock(l, peers, total_weight, ngx_uint_t)
        += ngx_duplex_slow_full(peer);

    if (down == 0) {
        ngx_duplex_stock(l, peers, tries, ngx_uint_t)++;
    }

    if (ngx_duplex_stock_tag(l, list->dummy) == NGX_DUPLEX_TAG_DUMMY) {
        ngx_duplex_place_unlink_locked(l, list->dummy, peers);
        ngx_duplex_stock(l, peers, total_weight, ngx_uint_t)--;
    }

    ngx_duplex_place_changed_locked(group);

    ngx_duplex_stock_unlock(driver, peers);

    return NGX_OK;
}


ngx_int_t
ngx_duplex_place_remove(ngx_duplex_peer_t *peer, uint64_t look)
{
    void                       *rr, *peers;
    ngx_duplex_list_t          *list;
    ngx_duplex_driver_t        *driver;
    const ngx_duplex_layout_t  *l;

    driver = peer->group->driver;
    l = driver->layout;

    list = &peer->group->lists[peer->backup];
    peers = list->peers;

    if (peers == NULL) {
        return NGX_DECLINED;
    }

    if (ngx_duplex_stock_wlock_as_of(driver, peers, look) != NGX_OK) {
        return NGX_AGAIN;
    }

    rr = ngx_duplex_stock_find_locked(peer, peers);

    if (rr == NULL) {
        ngx_duplex_stock_unlock(driver, peers);
        return NGX_DECLINED;
    }

    if (ngx_duplex_stock(l, rr, down, ngx_uint_t) == 0) {
        ngx_duplex_stock(l, peers, tries, ngx_uint_t)--;
    }

    /* a request that goes by what it has computed earlier must pass it by */

    ngx_duplex_stock(l, rr, down, ngx_uint_t) = NGX_DUPLEX_DOWN_ADMIN;

    ngx_duplex_stock(l, peers, total_weight, ngx_uint_t)
        -= ngx_duplex_stock(l, rr, weight, ngx_int_t);

    if (ngx_duplex_stock_first(l, peers) == rr
        && ngx_duplex_stock_next(l, rr) == NULL)
    {
        ngx_duplex_stock_first(l, peers) = list->dummy;
        ngx_duplex_stock_next(l, list->dummy) = NULL;
        ngx_duplex_stock_tag(l, list->dummy) = NGX_DUPLEX_TAG_DUMMY;
        ngx_duplex_stock_tag(l, rr) = 0;

        ngx_duplex_stock(l, peers, total_weight, ngx_uint_t) = 1;

    } else {
        ngx_duplex_place_unlink_locked(l, rr, peers);
    }

    ngx_duplex_place_changed_locked(peer->group);

    ngx_duplex_stock_unlock(driver, peers);

    return NGX_OK;
}


ngx_int_t
ngx_duplex_place_set(ngx_duplex_peer_t *peer, uint64_t look)
{
    void                       *rr, *peers;
    ngx_int_t                  *weight;
    ngx_duplex_driver_t        *driver;
    const ngx_duplex_layout_t  *l;

    driver = peer->group->driver;
    l = driver->layout;

    peers = peer->group->lists[peer->backup].peers;

    if (peers == NULL) {
        return NGX_OK;
    }

    if (ngx_duplex_stock_wlock_as_of(driver, peers, look) != NGX_OK) {
        return NGX_AGAIN;
    }

    rr = ngx_duplex_stock_find_locked(peer, peers);

    if (rr) {
        ngx_duplex_stock(l, rr, max_conns, ngx_uint_t) = peer->set.max_conns;
        ngx_duplex_stock(l, rr, max_fails, ngx_uint_t)
            = ngx_duplex_place_max_fails(peer);
        ngx_duplex_stock(l, rr, fail_timeout, time_t)
            = peer->set.fail_timeout;

        ngx_duplex_slow_prepare_locked(peer, peers);

        weight = &ngx_duplex_stock(l, rr, weight, ngx_int_t);

        /* one that grows is on its way to what is in force now */

        if (*weight != ngx_duplex_slow_full(peer)
            && ngx_duplex_stock(l, rr, slow, ngx_msec_t) == 0)
        {
            ngx_duplex_stock(l, peers, total_weight, ngx_uint_t)
                += ngx_duplex_slow_full(peer) - *weight;

            *weight = ngx_duplex_slow_full(peer);
            ngx_duplex_stock(l, rr, effective_weight, ngx_int_t) = *weight;
            ngx_duplex_stock(l, rr, current_weight, ngx_int_t) = 0;

            ngx_duplex_place_changed_locked(peer->group);
        }
    }

    ngx_duplex_stock_unlock(driver, peers);

    return NGX_OK;
}


ngx_uint_t
ngx_duplex_place_free(ngx_duplex_group_t *group, ngx_uint_t backup, size_t len)
{
    ngx_uint_t          i, n;
    ngx_duplex_list_t  *list;

    list = &group->lists[backup];

    if (list->peers == NULL) {
        return 0;
    }

    n = 0;

    ngx_duplex_stock_rlock(group->driver, list->peers);

    for (i = 0; i < list->nplaces; i++) {
        if (ngx_duplex_place_is_idle(group->driver->layout, &list->places[i],
                                     len))
        {
            n++;
        }
    }

    ngx_duplex_stock_unlock(group->driver, list->peers);

    return n;
}


ngx_uint_t
ngx_duplex_group_zombies(ngx_duplex_group_t *group)
{
    void                       *rr;
    ngx_uint_t                  i, n, zombies;
    ngx_duplex_list_t          *list;
    const ngx_duplex_layout_t  *l;

    l = group->driver->layout;
    zombies = 0;

    for (n = 0; n < 2; n++) {
        list = &group->lists[n];

        if (list->peers == NULL) {
            continue;
        }

        ngx_duplex_stock_rlock(group->driver, list->peers);

        for (i = 0; i < list->nplaces; i++) {
            rr = list->places[i].peer;

            if (ngx_duplex_stock_tag(l, rr) == 0
                && ngx_duplex_stock(l, rr, conns, ngx_uint_t))
            {
                zombies++;
            }
        }

        ngx_duplex_stock_unlock(group->driver, list->peers);
    }

    return zombies;
}


static void *
ngx_duplex_place_idle_locked(ngx_duplex_group_t *group,
    ngx_duplex_list_t *list, size_t len)
{
    ngx_uint_t  i;

    for (i = 0; i < list->nplaces; i++) {
        if (ngx_duplex_place_is_idle(group->driver->layout, &list->places[i],
                                     len))
        {
            return list->places[i].peer;
        }
    }

    return NULL;
}


/* no server has it, and no request that came to the last one's uses it */

static ngx_uint_t
ngx_duplex_place_is_idle(const ngx_duplex_layout_t *l,
    ngx_duplex_place_t *place, size_t len)
{
    void  *rr;

    rr = place->peer;

    return ngx_duplex_stock_tag(l, rr) == 0
           && ngx_duplex_stock(l, rr, conns, ngx_uint_t) == 0
#if (NGX_DUPLEX_HAVE_PEER_REFS)
           && ngx_duplex_stock(l, rr, refs, ngx_uint_t) == 0
#endif
           && place->room >= len;
}


static void
ngx_duplex_place_fill_locked(void *rr, void *peers, ngx_duplex_peer_t *peer,
    ngx_uint_t down)
{
    void                       *session;
    ngx_str_t                  *text;
    const ngx_duplex_layout_t  *l;

    l = peer->group->driver->layout;

    ngx_memcpy(ngx_duplex_stock(l, rr, sockaddr, void *), peer->sockaddr,
               peer->socklen);
    ngx_duplex_stock(l, rr, socklen, socklen_t) = peer->socklen;

    text = &ngx_duplex_stock(l, rr, name, ngx_str_t);
    ngx_memcpy(text->data, peer->name.data, peer->name.len);
    text->len = peer->name.len;

    text = &ngx_duplex_stock(l, rr, server, ngx_str_t);
    ngx_memcpy(text->data, peer->server.data, peer->server.len);
    text->len = peer->server.len;

    if (l->sid) {
        text = &ngx_duplex_stock(l, rr, sid, ngx_str_t);
        ngx_memcpy(text->data, peer->sid.data, peer->sid.len);
        text->len = peer->sid.len;
    }

    ngx_duplex_stock(l, rr, weight, ngx_int_t) = ngx_duplex_slow_full(peer);
    ngx_duplex_stock(l, rr, effective_weight, ngx_int_t)
        = ngx_duplex_slow_full(peer);
    ngx_duplex_stock(l, rr, slow, ngx_msec_t) = 0;
    ngx_duplex_stock(l, rr, current_weight, ngx_int_t) = 0;
    ngx_duplex_stock(l, rr, max_conns, ngx_uint_t) = peer->set.max_conns;
    ngx_duplex_stock(l, rr, max_fails, ngx_uint_t)
        = ngx_duplex_place_max_fails(peer);
    ngx_duplex_stock(l, rr, fail_timeout, time_t) = peer->set.fail_timeout;
    ngx_duplex_stock(l, rr, fails, ngx_uint_t) = 0;
    ngx_duplex_stock(l, rr, accessed, time_t) = 0;
    ngx_duplex_stock(l, rr, checked, time_t) = 0;
    ngx_duplex_stock(l, rr, down, ngx_uint_t) = down;

    /* a TLS session of the server that was here before */

    session = ngx_duplex_stock(l, rr, ssl_session, void *);

    if (session) {
        ngx_slab_free(ngx_duplex_stock(l, peers, shpool, ngx_slab_pool_t *),
                      session);
        ngx_duplex_stock(l, rr, ssl_session, void *) = NULL;
        ngx_duplex_stock(l, rr, ssl_session_len, int) = 0;
    }

    ngx_duplex_stock_tag(l, rr) = (ngx_msec_t) peer->hash;
    ngx_duplex_stock(l, rr, id, uint64_t) = peer->id;

    peer->stock = rr;
}


/*
 * A list is in the order of ids, as the file's: what a hash maps to depends
 * on who is there, not on when who came.
 */

static void
ngx_duplex_place_link_locked(void *rr, void *peers, ngx_duplex_peer_t *peer)
{
    void                       **link;
    ngx_duplex_peer_t           *before;
    const ngx_duplex_layout_t   *l;

    l = peer->group->driver->layout;
    link = &ngx_duplex_stock_first(l, peers);

    for (before = ngx_duplex_peer_previous(peer);
         before;
         before = ngx_duplex_peer_previous(before))
    {
        if (before->backup == peer->backup
            && before->stock
            && ngx_duplex_stock_tag(l, before->stock)
               == (ngx_msec_t) before->hash)
        {
            link = &ngx_duplex_stock_next(l, before->stock);
            break;
        }
    }

    while (*link && ngx_duplex_stock(l, *link, id, uint64_t) < peer->id) {
        link = &ngx_duplex_stock_next(l, *link);
    }

    ngx_duplex_stock_next(l, rr) = *link;
    *link = rr;

#if (NGX_DUPLEX_HAVE_PEER_REFS)
    ngx_duplex_stock(l, peers, number, ngx_uint_t)++;
#endif
}


static void
ngx_duplex_place_unlink_locked(const ngx_duplex_layout_t *l, void *rr,
    void *peers)
{
    void  **link;

    for (link = &ngx_duplex_stock_first(l, peers);
         *link != rr;
         link = &ngx_duplex_stock_next(l, *link))
    {
        /* void */
    }

    *link = ngx_duplex_stock_next(l, rr);

    ngx_duplex_stock_next(l, rr) = NULL;
    ngx_duplex_stock_tag(l, rr) = 0;

#if (NGX_DUPLEX_HAVE_PEER_REFS)
    ngx_duplex_stock(l, peers, number, ngx_uint_t)--;
#endif
}


/*
 * Where stock itself changes its lists at run time, this is its own counter:
 * it makes its caches again, and a request that began before is refused the
 * list, for which see ngx_http_duplex_peer.c.
 */

static void
ngx_duplex_place_changed_locked(ngx_duplex_group_t *group)
{
    ngx_atomic_fetch_add((ngx_atomic_t *) group->generation, 1);
}


/* as in stock, the only server of a group is never out for its failures */

static ngx_uint_t
ngx_duplex_place_max_fails(ngx_duplex_peer_t *peer)
{
    return (peer->group->npeers == 1) ? 0 : peer->set.max_fails;
}
