
/*
 * A stock peer, found, read and marked the same way whatever its protocol.
 *
 * Owns nothing.  Sections under stock's locks do what stock's own do for a
 * request, and no more: no allocation, no logging, no callback.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_store.h"
#include "../core/ngx_duplex_table.h"
#include "ngx_duplex_group.h"
#include "ngx_duplex_slow.h"
#include "ngx_duplex_stock.h"


static void *ngx_duplex_stock_rlock_peer(ngx_duplex_peer_t *peer);
static void ngx_duplex_stock_forgive_locked(const ngx_duplex_layout_t *l,
    void *rr);


void
ngx_duplex_stock_rlock(ngx_duplex_driver_t *driver, void *peers)
{
    ngx_rwlock_rlock(&ngx_duplex_stock(driver->layout, peers, rwlock,
                                       ngx_atomic_t));
}


void
ngx_duplex_stock_wlock(ngx_duplex_driver_t *driver, void *peers)
{
    ngx_rwlock_wlock(&ngx_duplex_stock(driver->layout, peers, rwlock,
                                       ngx_atomic_t));
}


void
ngx_duplex_stock_unlock(ngx_duplex_driver_t *driver, void *peers)
{
    ngx_rwlock_unlock(&ngx_duplex_stock(driver->layout, peers, rwlock,
                                        ngx_atomic_t));
}


uint64_t
ngx_duplex_stock_look(void)
{
    ngx_duplex_table_t  *table;

    table = ngx_duplex_store_table();

    return table ? ngx_duplex_table_head(table) : 0;
}


/* whoever changes the store after this waits for the lock, and writes last */

ngx_int_t
ngx_duplex_stock_wlock_as_of(ngx_duplex_driver_t *driver, void *peers,
    uint64_t look)
{
    ngx_duplex_stock_wlock(driver, peers);

    if (look && look != ngx_duplex_stock_look()) {
        ngx_duplex_stock_unlock(driver, peers);
        return NGX_AGAIN;
    }

    return NGX_OK;
}


/*
 * Where it was last time is where it is nearly always: a place keeps its
 * address, and its tag says whose it is now.
 */

void *
ngx_duplex_stock_find_locked(ngx_duplex_peer_t *peer, void *peers)
{
    void                       *rr;
    const ngx_duplex_layout_t  *l;

    l = peer->group->driver->layout;

    if (peer->stock
        && ngx_duplex_stock_tag(l, peer->stock) == (ngx_msec_t) peer->hash)
    {
        return peer->stock;
    }

    for (rr = ngx_duplex_stock_first(l, peers);
         rr;
         rr = ngx_duplex_stock_next(l, rr))
    {
        if (ngx_duplex_stock_tag(l, rr) == (ngx_msec_t) peer->hash) {
            peer->stock = rr;
            return rr;
        }
    }

    return NULL;
}


/* NULL: it has no place, nothing is held */

static void *
ngx_duplex_stock_rlock_peer(ngx_duplex_peer_t *peer)
{
    void                 *rr, *peers;
    ngx_duplex_driver_t  *driver;

    driver = peer->group->driver;
    peers = peer->group->lists[peer->backup].peers;

    if (peers == NULL) {
        return NULL;
    }

    ngx_duplex_stock_rlock(driver, peers);

    rr = ngx_duplex_stock_find_locked(peer, peers);

    if (rr == NULL) {
        ngx_duplex_stock_unlock(driver, peers);
    }

    return rr;
}


ngx_int_t
ngx_duplex_peer_mark(ngx_duplex_peer_t *peer, ngx_uint_t bits, uint64_t look,
    ngx_uint_t *was)
{
    void                       *rr, *peers;
    ngx_uint_t                 *down;
    ngx_duplex_driver_t        *driver;
    const ngx_duplex_layout_t  *l;

    driver = peer->group->driver;
    l = driver->layout;

    peers = peer->group->lists[peer->backup].peers;

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

    down = &ngx_duplex_stock(l, rr, down, ngx_uint_t);

    *was = *down;
    *down = bits;

    /* "tries" is the number of peers that are not down */

    if (*was == 0 && bits) {
        ngx_duplex_stock(l, peers, tries, ngx_uint_t)--;

    } else if (*was && bits == 0) {
        ngx_duplex_stock(l, peers, tries, ngx_uint_t)++;
        ngx_duplex_stock_forgive_locked(l, rr);

        if (*was & ~NGX_DUPLEX_DOWN_DRAIN) {
            ngx_duplex_slow_begin_locked(peer, rr, peers);
        }
    }

    ngx_duplex_stock_unlock(driver, peers);

    return NGX_OK;
}


/* what passive checks held against the peer would keep it out */

static void
ngx_duplex_stock_forgive_locked(const ngx_duplex_layout_t *l, void *rr)
{
    ngx_duplex_stock(l, rr, fails, ngx_uint_t) = 0;
    ngx_duplex_stock(l, rr, accessed, time_t) = 0;
    ngx_duplex_stock(l, rr, checked, time_t) = 0;
    ngx_duplex_stock(l, rr, effective_weight, ngx_int_t)
        = ngx_duplex_stock(l, rr, weight, ngx_int_t);
    ngx_duplex_stock(l, rr, current_weight, ngx_int_t) = 0;
}


ngx_int_t
ngx_duplex_peer_read(ngx_duplex_peer_t *peer, ngx_duplex_peer_status_t *status)
{
    void                       *rr, *peers;
    ngx_atomic_t               *lock;
    ngx_duplex_driver_t        *driver;
    const ngx_duplex_layout_t  *l;

    driver = peer->group->driver;
    l = driver->layout;

    rr = ngx_duplex_stock_rlock_peer(peer);
    if (rr == NULL) {
        return NGX_DECLINED;
    }

    peers = peer->group->lists[peer->backup].peers;
    lock = &ngx_duplex_stock(l, rr, lock, ngx_atomic_t);

    ngx_rwlock_wlock(lock);

    status->conns = ngx_duplex_stock(l, rr, conns, ngx_uint_t);
    status->down = ngx_duplex_stock(l, rr, down, ngx_uint_t);
    status->unavail = !driver->single(peers)
                      && ngx_duplex_peer_quarantined(
                             ngx_duplex_stock(l, rr, max_fails, ngx_uint_t),
                             ngx_duplex_stock(l, rr, fails, ngx_uint_t),
                             ngx_duplex_stock(l, rr, checked, time_t),
                             ngx_duplex_stock(l, rr, fail_timeout, time_t));

    ngx_rwlock_unlock(lock);

    ngx_duplex_stock_unlock(driver, peers);

    return NGX_OK;
}


ngx_uint_t
ngx_duplex_peer_quarantined(ngx_uint_t max_fails, ngx_uint_t fails,
    time_t checked, time_t fail_timeout)
{
    return max_fails
           && fails >= max_fails
           && ngx_time() - checked <= fail_timeout;
}
