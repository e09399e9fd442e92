
/*
 * A stock peer, read and written the same way whatever its protocol.
 *
 * Owns nothing.  The driver finds the peer and holds its lock; sections do
 * what stock's own do for a request, and no more.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_group.h"


static void ngx_duplex_stock_forgive_locked(ngx_duplex_stock_peer_t *stock);


ngx_int_t
ngx_duplex_peer_mark(ngx_duplex_peer_t *peer, ngx_uint_t bits, ngx_uint_t *was)
{
    ngx_duplex_driver_t      *driver;
    ngx_duplex_stock_peer_t   stock;

    driver = peer->group->driver;

    if (driver->lock(peer, 1, &stock) != NGX_OK) {
        return NGX_DECLINED;
    }

    *was = *stock.down;
    *stock.down = bits;

    /* "tries" is the number of peers that are not down */

    if (*was == 0 && bits) {
        (*stock.tries)--;

    } else if (*was && bits == 0) {
        (*stock.tries)++;
        ngx_duplex_stock_forgive_locked(&stock);
    }

    driver->unlock(&stock);

    return NGX_OK;
}


/* what passive checks held against the peer would keep it out */

static void
ngx_duplex_stock_forgive_locked(ngx_duplex_stock_peer_t *stock)
{
    *stock->fails = 0;
    *stock->accessed = 0;
    *stock->checked = 0;
    *stock->effective_weight = stock->weight;
    *stock->current_weight = 0;
}


ngx_int_t
ngx_duplex_peer_read(ngx_duplex_peer_t *peer, ngx_duplex_peer_status_t *status)
{
    ngx_duplex_driver_t      *driver;
    ngx_duplex_stock_peer_t   stock;

    driver = peer->group->driver;

    if (driver->lock(peer, 0, &stock) != NGX_OK) {
        return NGX_DECLINED;
    }

    status->weight = stock.weight;
    status->max_conns = stock.max_conns;
    status->max_fails = stock.max_fails;
    status->fail_timeout = stock.fail_timeout;
    status->conns = stock.conns;
    status->down = *stock.down;
    status->unavail = !stock.single
                      && ngx_duplex_peer_quarantined(stock.max_fails,
                                                     *stock.fails,
                                                     *stock.checked,
                                                     stock.fail_timeout);

    driver->unlock(&stock);

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
