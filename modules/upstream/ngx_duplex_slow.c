
/*
 * See the header.
 *
 * A server that stock has put aside for its failures is given a small weight
 * at once, so that the ramp begins low with the first request that succeeds:
 * there is no other sign of that than that its failures are forgotten.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "../core/ngx_duplex_clock.h"
#include "../core/ngx_duplex_registry.h"
#include "ngx_duplex_group.h"
#include "ngx_duplex_slow.h"
#include "ngx_duplex_stock.h"


#define NGX_DUPLEX_SLOW_TICK     50     /* ms */
#define NGX_DUPLEX_SLOW_PENDING  10     /* per cent, until it succeeds */

/* the word of a stock peer: one of these, or the time at which it began */
#define NGX_DUPLEX_SLOW_STEADY   0
#define NGX_DUPLEX_SLOW_WAITS    1


static void ngx_duplex_slow_beat(void);
static void ngx_duplex_slow_drop(void);
static void ngx_duplex_slow_stop(void);
static void ngx_duplex_slow_tick(ngx_event_t *ev);
static ngx_uint_t ngx_duplex_slow_moves(void);
static ngx_uint_t ngx_duplex_slow_is_due(ngx_duplex_peer_t *peer);
static void ngx_duplex_slow_walk(ngx_uint_t end);
static void ngx_duplex_slow_step(ngx_duplex_peer_t *peer, ngx_msec_t now);
static ngx_int_t ngx_duplex_slow_weight_locked(ngx_duplex_peer_t *peer,
    void *rr, ngx_msec_t now);
static void ngx_duplex_slow_set_locked(ngx_duplex_peer_t *peer, void *rr,
    void *peers, ngx_int_t weight);


static ngx_duplex_feature_t  ngx_duplex_slow_feature = {
    ngx_string("slow start"),
    NGX_DUPLEX_LAYER_UPSTREAM,
    NULL,                                  /* bind */
    NULL,                                  /* commit */
    NULL,                                  /* start */
    NULL,                                  /* take */
    ngx_duplex_slow_beat,                  /* beat */
    NULL,                                  /* wake */
    ngx_duplex_slow_drop,                  /* drop */
    ngx_duplex_slow_stop                   /* stop */
};


/* debug logging wants a connection behind a timer */
static ngx_connection_t  ngx_duplex_slow_conn;
static ngx_event_t       ngx_duplex_slow_timer;


ngx_int_t
ngx_duplex_slow_register(ngx_conf_t *cf)
{
    return ngx_duplex_register_feature(cf, &ngx_duplex_slow_feature);
}


ngx_int_t
ngx_duplex_slow_parse(ngx_conf_t *cf, ngx_str_t *param, ngx_uint_t allowed,
    ngx_msec_t *slow_start)
{
    ngx_int_t  ms;
    ngx_str_t  value;

    value.data = param->data + sizeof("slow_start=") - 1;
    value.len = param->len - (sizeof("slow_start=") - 1);

    ms = ngx_parse_time(&value, 0);

    if (ms == NGX_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\"", param);
        return NGX_ERROR;
    }

    if (!allowed) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "balancing method does not support parameter "
                           "\"%V\"", param);
        return NGX_ERROR;
    }

    *slow_start = ms;

    if (ms) {
        ngx_duplex_need_store(cf);
    }

    return NGX_OK;
}


ngx_int_t
ngx_duplex_slow_bind(ngx_conf_t *cf, ngx_duplex_group_t *group,
    ngx_uint_t allowed)
{
    ngx_duplex_peer_t  *peer;

    group->slow = (allowed != 0);

    for (peer = ngx_duplex_peer_first(group);
         peer;
         peer = ngx_duplex_peer_next(peer))
    {
        if (peer->set.slow_start) {
            break;
        }
    }

    if (peer == NULL) {
        return NGX_OK;
    }

    if (!allowed) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "balancing method of %s \"%V\" does not support "
                           "parameter \"slow_start=%Mms\"",
                           group->driver->title, &group->name,
                           peer->set.slow_start);
        return NGX_ERROR;
    }

    if (group->shm.len == 0) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "\"slow_start\" is without effect in %s \"%V\", "
                           "which has no zone", group->driver->title,
                           &group->name);
        return NGX_OK;
    }

    return NGX_OK;
}


void
ngx_duplex_slow_scale(ngx_duplex_group_t *group)
{
    group->scales[0] = 1;
    group->scales[1] = 1;
}


/* no server of the list had slow start until now: its weights are small */

void
ngx_duplex_slow_prepare_locked(ngx_duplex_peer_t *peer, void *peers)
{
    void                       *rr;
    ngx_uint_t                 *scale;
    const ngx_duplex_layout_t  *l;

    scale = &peer->group->scales[peer->backup];

    if (*scale > 1 || peer->set.slow_start == 0 || !peer->group->slow) {
        return;
    }

    *scale = NGX_DUPLEX_SLOW_SCALE;

    l = peer->group->driver->layout;

    ngx_duplex_stock(l, peers, total_weight, ngx_uint_t) = 0;

    for (rr = ngx_duplex_stock_first(l, peers);
         rr;
         rr = ngx_duplex_stock_next(l, rr))
    {
        if (ngx_duplex_stock_tag(l, rr) == NGX_DUPLEX_TAG_DUMMY) {
            ngx_duplex_stock(l, peers, total_weight, ngx_uint_t)++;
            continue;
        }

        ngx_duplex_stock(l, rr, weight, ngx_int_t) *= NGX_DUPLEX_SLOW_SCALE;
        ngx_duplex_stock(l, rr, effective_weight, ngx_int_t)
            *= NGX_DUPLEX_SLOW_SCALE;
        ngx_duplex_stock(l, rr, current_weight, ngx_int_t)
            *= NGX_DUPLEX_SLOW_SCALE;

        ngx_duplex_stock(l, peers, total_weight, ngx_uint_t)
            += ngx_duplex_stock(l, rr, weight, ngx_int_t);
    }
}


/*
 * The workers of the old lists go on meanwhile, and one may be killed with
 * their locks held: the master takes none, and reads single words.
 */

void
ngx_duplex_slow_commit(ngx_duplex_group_t *group, ngx_duplex_group_t *old)
{
    void                       *rr;
    ngx_uint_t                  i, n;
    ngx_msec_t                  tag, word;
    ngx_duplex_peer_t          *peer;
    const ngx_duplex_layout_t  *l;

    if (group->scales == NULL) {
        return;
    }

    for (peer = ngx_duplex_peer_first(group);
         peer;
         peer = ngx_duplex_peer_next(peer))
    {
        ngx_duplex_slow_step(peer, 0);
    }

    if (old == NULL) {
        return;
    }

    l = group->driver->layout;

    for (n = 0; n < 2; n++) {

        for (i = 0; i < old->lists[n].nplaces; i++) {
            rr = old->lists[n].places[i].peer;

            tag = ngx_duplex_stock_tag(l, rr);
            word = ngx_duplex_stock(l, rr, slow, ngx_msec_t);

            if (tag <= NGX_DUPLEX_TAG_DUMMY
                || word == NGX_DUPLEX_SLOW_STEADY)
            {
                continue;
            }

            peer = ngx_duplex_peer_by_hash(group, tag);

            if (peer == NULL || peer->stock == NULL) {
                continue;
            }

            ngx_duplex_stock(l, peer->stock, slow, ngx_msec_t) = word;
            ngx_duplex_slow_step(peer, ngx_duplex_clock_monotonic());
        }
    }
}


void
ngx_duplex_slow_begin_locked(ngx_duplex_peer_t *peer, void *rr, void *peers)
{
    const ngx_duplex_layout_t  *l;

    if (peer->group->scales == NULL
        || peer->group->scales[peer->backup] <= 1
        || peer->set.slow_start == 0
        || peer->group->npeers == 1)
    {
        return;
    }

    l = peer->group->driver->layout;

    ngx_duplex_stock(l, rr, slow, ngx_msec_t) = ngx_duplex_clock_monotonic();

    ngx_duplex_slow_set_locked(peer, rr, peers, 1);
}


/* with every look of the holder: the timer runs while somebody grows */

static void
ngx_duplex_slow_beat(void)
{
    if (ngx_duplex_slow_timer.timer_set || !ngx_duplex_slow_moves()) {
        return;
    }

    ngx_duplex_slow_conn.fd = (ngx_socket_t) -1;

    ngx_duplex_slow_timer.handler = ngx_duplex_slow_tick;
    ngx_duplex_slow_timer.data = &ngx_duplex_slow_conn;
    ngx_duplex_slow_timer.log = ngx_cycle->log;
    ngx_duplex_slow_timer.cancelable = 1;

    ngx_add_timer(&ngx_duplex_slow_timer, 1);
}


static void
ngx_duplex_slow_drop(void)
{
    if (ngx_duplex_slow_timer.timer_set) {
        ngx_del_timer(&ngx_duplex_slow_timer);
    }
}


/* nobody moves the weights of an old configuration any more */

static void
ngx_duplex_slow_stop(void)
{
    ngx_duplex_slow_walk(1);
}


static void
ngx_duplex_slow_tick(ngx_event_t *ev)
{
    ngx_duplex_slow_walk(0);

    if (ngx_duplex_slow_moves()) {
        ngx_add_timer(ev, NGX_DUPLEX_SLOW_TICK);
    }
}


static ngx_uint_t
ngx_duplex_slow_moves(void)
{
    ngx_uint_t           i;
    ngx_duplex_peer_t   *peer;
    ngx_duplex_group_t  *group;

    for (i = 0; (group = ngx_duplex_group(i)) != NULL; i++) {

        if (group->scales == NULL
            || group->scales[0] + group->scales[1] <= 2)
        {
            continue;
        }

        for (peer = ngx_duplex_peer_first(group);
             peer;
             peer = ngx_duplex_peer_next(peer))
        {
            if (ngx_duplex_slow_is_due(peer)) {
                return 1;
            }
        }
    }

    return 0;
}


/*
 * A look without the lock, which a tick then takes.  Where a peer's place is
 * not known yet a tick finds it.
 */

static ngx_uint_t
ngx_duplex_slow_is_due(ngx_duplex_peer_t *peer)
{
    void                       *rr;
    ngx_uint_t                  max_fails;
    const ngx_duplex_layout_t  *l;

    if (!peer->placed) {
        return 0;
    }

    rr = peer->stock;
    l = peer->group->driver->layout;

    if (rr == NULL || ngx_duplex_stock_tag(l, rr) != (ngx_msec_t) peer->hash) {
        return 1;
    }

    if (ngx_duplex_stock(l, rr, slow, ngx_msec_t) != NGX_DUPLEX_SLOW_STEADY) {
        return 1;
    }

    max_fails = ngx_duplex_stock(l, rr, max_fails, ngx_uint_t);

    return peer->set.slow_start
           && max_fails
           && ngx_duplex_stock(l, rr, fails, ngx_uint_t) >= max_fails;
}


static void
ngx_duplex_slow_walk(ngx_uint_t end)
{
    ngx_uint_t           i;
    ngx_msec_t           now;
    ngx_duplex_peer_t   *peer;
    ngx_duplex_group_t  *group;

    now = end ? 0 : ngx_duplex_clock_monotonic();

    for (i = 0; (group = ngx_duplex_group(i)) != NULL; i++) {

        if (group->scales == NULL) {
            continue;
        }

        for (peer = ngx_duplex_peer_first(group);
             peer;
             peer = ngx_duplex_peer_next(peer))
        {
            if (ngx_duplex_slow_is_due(peer)) {
                ngx_duplex_slow_step(peer, now);
            }
        }
    }
}


static void
ngx_duplex_slow_step(ngx_duplex_peer_t *peer, ngx_msec_t now)
{
    void                 *rr, *peers;
    ngx_int_t             weight;
    ngx_duplex_driver_t  *driver;

    driver = peer->group->driver;
    peers = peer->group->lists[peer->backup].peers;

    if (peers == NULL) {
        return;
    }

    ngx_duplex_stock_wlock(driver, peers);

    rr = ngx_duplex_stock_find_locked(peer, peers);

    if (rr) {
        ngx_duplex_slow_prepare_locked(peer, peers);

        weight = ngx_duplex_slow_weight_locked(peer, rr, now);
        ngx_duplex_slow_set_locked(peer, rr, peers, weight);
    }

    ngx_duplex_stock_unlock(driver, peers);
}


/* "now" is 0 for the end */

static ngx_int_t
ngx_duplex_slow_weight_locked(ngx_duplex_peer_t *peer, void *rr,
    ngx_msec_t now)
{
    ngx_int_t                   full;
    ngx_uint_t                  max_fails;
    ngx_msec_t                 *word, slow_start;
    const ngx_duplex_layout_t  *l;

    l = peer->group->driver->layout;
    word = &ngx_duplex_stock(l, rr, slow, ngx_msec_t);

    full = ngx_duplex_slow_full(peer);
    slow_start = peer->set.slow_start;

    if (now == 0 || slow_start == 0 || peer->group->npeers == 1) {
        *word = NGX_DUPLEX_SLOW_STEADY;
        return full;
    }

    max_fails = ngx_duplex_stock(l, rr, max_fails, ngx_uint_t);

    if (max_fails && ngx_duplex_stock(l, rr, fails, ngx_uint_t) >= max_fails) {
        *word = NGX_DUPLEX_SLOW_WAITS;

    } else if (*word == NGX_DUPLEX_SLOW_WAITS) {
        *word = now;
    }

    switch (*word) {

    case NGX_DUPLEX_SLOW_STEADY:
        return full;

    case NGX_DUPLEX_SLOW_WAITS:
        return ngx_max(full * NGX_DUPLEX_SLOW_PENDING / 100, 1);
    }

    if (now - *word >= slow_start) {
        *word = NGX_DUPLEX_SLOW_STEADY;
        return full;
    }

    return ngx_max((ngx_int_t) (full * (now - *word) / slow_start), 1);
}


static void
ngx_duplex_slow_set_locked(ngx_duplex_peer_t *peer, void *rr, void *peers,
    ngx_int_t weight)
{
    ngx_int_t                  *now, *effective;
    const ngx_duplex_layout_t  *l;

    l = peer->group->driver->layout;
    now = &ngx_duplex_stock(l, rr, weight, ngx_int_t);

    if (*now == weight) {
        return;
    }

    ngx_duplex_stock(l, peers, total_weight, ngx_uint_t) += weight - *now;

    /* growing it follows, as fast as stock lets it after a failure */

    effective = &ngx_duplex_stock(l, rr, effective_weight, ngx_int_t);

    *effective = (*effective == *now) ? weight : ngx_min(*effective, weight);
    *now = weight;
}
