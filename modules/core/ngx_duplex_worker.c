
/*
 * One process's part: the tick, the lease, and keeping up with changes that
 * other processes made.
 *
 * A worker has one timer here (NGX_DUPLEX_LEASE_TICK) and one eventfd; the
 * holder of the lease watches a second one.  A worker that is told to leave
 * gives up everything at once, but goes on projecting changes into its own
 * generation's peers, since it still serves requests.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_duplex_conf.h"
#include "ngx_duplex_snapshot.h"
#include "ngx_duplex_wake.h"


static void ngx_duplex_worker_tick(ngx_event_t *ev);
static void ngx_duplex_worker_woken(ngx_event_t *ev);
static void ngx_duplex_worker_ship(ngx_event_t *ev);
static void ngx_duplex_worker_take(void);
static void ngx_duplex_worker_drop(void);
static void ngx_duplex_worker_stop(void);
static void ngx_duplex_worker_catch_up(void);
static void ngx_duplex_worker_project_all(void);
static void ngx_duplex_worker_report(void);


/* debug logging wants a connection behind a timer */
static ngx_connection_t  ngx_duplex_worker_conn;
static ngx_event_t       ngx_duplex_worker_timer;

static uint64_t          ngx_duplex_worker_position;
static ngx_uint_t        ngx_duplex_worker_started;
static ngx_uint_t        ngx_duplex_worker_holds;


#define ngx_duplex_worker_call(i, what)                                       \
    do {                                                                      \
        ngx_duplex_feature_t  *f_;                                            \
        f_ = ((ngx_duplex_feature_t **)                                       \
              ngx_duplex_present->features.elts)[i];                          \
        if (f_->what) {                                                       \
            f_->what();                                                       \
        }                                                                     \
    } while (0)


void
ngx_duplex_worker_seen(uint64_t position)
{
    ngx_duplex_worker_position = position;
}


ngx_int_t
ngx_duplex_worker_start(ngx_cycle_t *cycle)
{
    ngx_uint_t              i;
    ngx_duplex_feature_t  **features;

    features = ngx_duplex_present->features.elts;

    for (i = 0; i < ngx_duplex_present->features.nelts; i++) {
        if (features[i]->start && features[i]->start(cycle) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    ngx_duplex_worker_started = 1;

    if (ngx_duplex_present->shared == NULL) {
        return NGX_OK;
    }

    if (ngx_duplex_wake_watch(ngx_duplex_wake_workers, ngx_duplex_worker_woken,
                              cycle->log)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_duplex_worker_conn.fd = (ngx_socket_t) -1;

    ngx_duplex_worker_timer.handler = ngx_duplex_worker_tick;
    ngx_duplex_worker_timer.data = &ngx_duplex_worker_conn;
    ngx_duplex_worker_timer.log = cycle->log;
    ngx_duplex_worker_timer.cancelable = 1;

    ngx_add_timer(&ngx_duplex_worker_timer, 1);

    return NGX_OK;
}


void
ngx_duplex_worker_exit(void)
{
    if (ngx_duplex_worker_started) {
        ngx_duplex_worker_stop();
    }

    ngx_duplex_wake_unwatch(ngx_duplex_wake_workers);
    ngx_duplex_wake_unwatch(ngx_duplex_wake_queues);
}


static void
ngx_duplex_worker_tick(ngx_event_t *ev)
{
    ngx_int_t   rc;
    ngx_uint_t  i;

    if (!ngx_duplex_worker_started) {
        return;
    }

    /* without edges there is no eventfd by which nginx tells it at once */

    if (ngx_exiting) {
        ngx_duplex_worker_stop();
        return;
    }

    rc = ngx_duplex_lease_tick(&ngx_duplex_present->shared->lease,
                               ngx_duplex_present->identity.generation,
                               ngx_duplex_clock_monotonic());

    if (rc == NGX_OK && !ngx_duplex_worker_holds) {
        ngx_duplex_worker_take();

    } else if (rc != NGX_OK && ngx_duplex_worker_holds) {
        ngx_duplex_worker_drop();
    }

    ngx_duplex_worker_catch_up();
    ngx_duplex_events_deliver();

    if (ngx_duplex_worker_holds) {

        for (i = 0; i < ngx_duplex_present->features.nelts; i++) {
            ngx_duplex_worker_call(i, beat);
        }

        ngx_duplex_journal_beat();
        ngx_duplex_snapshot_beat();
        ngx_duplex_worker_report();
    }

    ngx_add_timer(ev, NGX_DUPLEX_LEASE_TICK);
}


/* also called by nginx when the worker is told to leave */

static void
ngx_duplex_worker_woken(ngx_event_t *ev)
{
    if (ngx_exiting && ngx_duplex_worker_started) {
        ngx_duplex_worker_stop();
    }

    ngx_duplex_worker_catch_up();
    ngx_duplex_events_deliver();
}


static void
ngx_duplex_worker_ship(ngx_event_t *ev)
{
    ngx_uint_t  i;

    if (!ngx_duplex_worker_holds || !ngx_duplex_lease_held()) {
        return;
    }

    for (i = 0; i < ngx_duplex_present->features.nelts; i++) {
        ngx_duplex_worker_call(i, wake);
    }
}


static void
ngx_duplex_worker_take(void)
{
    ngx_uint_t  i;

    ngx_log_error(NGX_LOG_INFO, ngx_cycle->log, 0,
                  "this worker probes and synchronises for node \"%V\" now",
                  &ngx_duplex_present->identity.name);

    ngx_duplex_worker_holds = 1;

    /* without it the next tick ships what there is */

    (void) ngx_duplex_wake_watch(ngx_duplex_wake_holder,
                                 ngx_duplex_worker_ship, ngx_cycle->log);

    for (i = 0; i < ngx_duplex_present->features.nelts; i++) {
        ngx_duplex_worker_call(i, take);
    }
}


static void
ngx_duplex_worker_drop(void)
{
    ngx_uint_t  i;

    ngx_duplex_worker_holds = 0;

    ngx_duplex_snapshot_drop();

    ngx_duplex_wake_unwatch(ngx_duplex_wake_holder);

    for (i = ngx_duplex_present->features.nelts; i > 0; i--) {
        ngx_duplex_worker_call(i - 1, drop);
    }
}


static void
ngx_duplex_worker_stop(void)
{
    ngx_uint_t  i;

    ngx_duplex_worker_started = 0;

    if (ngx_duplex_worker_timer.timer_set) {
        ngx_del_timer(&ngx_duplex_worker_timer);
    }

    if (ngx_duplex_worker_holds) {
        ngx_duplex_worker_drop();

        ngx_duplex_lease_release(&ngx_duplex_present->shared->lease,
                                 ngx_duplex_present->identity.generation);
    }

    for (i = ngx_duplex_present->features.nelts; i > 0; i--) {
        ngx_duplex_worker_call(i - 1, stop);
    }
}


void
ngx_duplex_store_catch_up(void)
{
    if (ngx_duplex_store_table()) {
        ngx_duplex_worker_catch_up();
    }
}


static void
ngx_duplex_worker_catch_up(void)
{
    u_char               buf[NGX_DUPLEX_RECORD_MAX];
    uint64_t             now;
    ngx_int_t            rc;
    ngx_duplex_kind_t   *kind;
    ngx_duplex_table_t  *table;
    ngx_duplex_record_t  rec;

    table = ngx_duplex_store_table();

    if (ngx_duplex_table_head(table) == ngx_duplex_worker_position) {
        return;
    }

    now = ngx_duplex_clock_monotonic();

    for ( ;; ) {

        rc = ngx_duplex_table_next(table, &ngx_duplex_worker_position, &rec,
                                   buf, now);

        if (rc == NGX_DONE) {
            return;
        }

        if (rc == NGX_DECLINED) {
            ngx_duplex_worker_project_all();
            continue;
        }

        kind = ngx_duplex_find_kind(rec.kind);

        if (kind && kind->project) {
            kind->project(&rec);
        }
    }
}


static void
ngx_duplex_worker_project_all(void)
{
    u_char               buf[NGX_DUPLEX_RECORD_MAX];
    uint32_t             cursor;
    uint64_t             now;
    ngx_duplex_kind_t   *kind;
    ngx_duplex_table_t  *table;
    ngx_duplex_record_t  rec;

    table = ngx_duplex_store_table();

    ngx_duplex_worker_position = ngx_duplex_table_head(table);

    cursor = 0;
    now = ngx_duplex_clock_monotonic();

    while (ngx_duplex_table_scan(table, &cursor, &rec, buf, now) == NGX_OK) {

        kind = ngx_duplex_find_kind(rec.kind);

        if (kind && kind->project) {
            kind->project(&rec);
        }
    }
}


static void
ngx_duplex_worker_report(void)
{
    uint64_t            recovered, reported;
    ngx_duplex_zone_t  *zone;

    recovered = 0;

    for (zone = ngx_duplex_store_zones(); zone; zone = zone->next) {
        recovered += zone->source->recovered(zone->table);
    }

    reported = ngx_duplex_present->shared->recovered;

    if (recovered == reported) {
        return;
    }

    ngx_duplex_present->shared->recovered = recovered;

    /* a table that left with a reload takes its repairs along */

    if (recovered < reported) {
        return;
    }

    ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                  "the store was repaired after a process had died in it");
}
