
/*
 * Snapshots; see the header.
 *
 * A slice is what a turn of the event loop can spare.  What was written is
 * given to the disk as it comes, so that little is left to wait for at the
 * end.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_duplex_clock.h"
#include "ngx_duplex_conf.h"
#include "ngx_duplex_journal_file.h"
#include "ngx_duplex_snapshot.h"
#include "ngx_duplex_snapshot_file.h"
#include "ngx_duplex_source.h"


#define NGX_DUPLEX_SNAPSHOT_SLICE  2048     /* records */


static void ngx_duplex_snapshot_next(void);
static void ngx_duplex_snapshot_slice(ngx_event_t *ev);
static void ngx_duplex_snapshot_save(ngx_duplex_zone_t *zone);
static ngx_atomic_t *ngx_duplex_snapshot_saved(ngx_duplex_zone_t *zone);
static uint64_t ngx_duplex_snapshot_stamp(ngx_duplex_zone_t *zone,
    uint64_t head);


static ngx_duplex_snapshot_t  ngx_duplex_snapshot;      /* under way */
static ngx_duplex_zone_t     *ngx_duplex_snapshot_zone; /* the next of them */
static uint64_t               ngx_duplex_snapshot_due;  /* ms, monotonic */
static uint64_t               ngx_duplex_snapshot_whole; /* the same */
static ngx_event_t            ngx_duplex_snapshot_event;
static ngx_connection_t       ngx_duplex_snapshot_conn;


void
ngx_duplex_snapshot_beat(void)
{
    uint64_t  now;

    if (ngx_duplex_present->journal == NULL) {
        return;
    }

    now = ngx_duplex_clock_monotonic();

    if (ngx_duplex_snapshot_due == 0) {
        ngx_duplex_snapshot_due = now + ngx_duplex_present->interval;
        return;
    }

    if (ngx_duplex_snapshot.zone) {

        /* written some beats ago: most of it is on disk by now */

        if (ngx_duplex_snapshot_whole && now - ngx_duplex_snapshot_whole > 500)
        {
            (void) ngx_duplex_snapshot_close(&ngx_duplex_snapshot,
                                         &ngx_duplex_present->journal->dir);
            ngx_duplex_snapshot_next();
        }

        return;
    }

    if (now >= ngx_duplex_snapshot_due) {
        ngx_duplex_snapshot_due = now + ngx_duplex_present->interval;
        ngx_duplex_snapshot_zone = ngx_duplex_present->zones->next;
        ngx_duplex_snapshot_next();
    }
}


/* the next zone that has changed since it was saved, if there is one */

static void
ngx_duplex_snapshot_next(void)
{
    ngx_event_t        *ev;
    ngx_duplex_zone_t  *zone;

    ngx_duplex_snapshot_whole = 0;

    for (zone = ngx_duplex_snapshot_zone; zone; zone = zone->next) {

        if (ngx_duplex_snapshot_is_saved(zone)) {
            continue;
        }

        ngx_duplex_snapshot_zone = zone->next;

        if (ngx_duplex_snapshot_open(&ngx_duplex_snapshot,
                                     &ngx_duplex_present->journal->dir, zone,
                                     ".new")
            != NGX_OK)
        {
            continue;
        }

        ev = &ngx_duplex_snapshot_event;

        ngx_duplex_snapshot_conn.fd = (ngx_socket_t) -1;

        ev->handler = ngx_duplex_snapshot_slice;
        ev->data = &ngx_duplex_snapshot_conn;
        ev->log = ngx_cycle->log;

        ngx_post_event(ev, &ngx_posted_next_events);

        return;
    }

    ngx_duplex_snapshot_zone = NULL;
}


static void
ngx_duplex_snapshot_slice(ngx_event_t *ev)
{
    off_t                   from;
    ngx_int_t               rc;
    ngx_duplex_snapshot_t  *s;

    s = &ngx_duplex_snapshot;

    if (s->zone == NULL) {
        return;
    }

    from = s->size;

    rc = ngx_duplex_snapshot_write(s, NGX_DUPLEX_SNAPSHOT_SLICE);

    if (rc == NGX_ERROR) {
        ngx_duplex_snapshot_next();
        return;
    }

    (void) sync_file_range(s->fd, from, s->size - from,
                           SYNC_FILE_RANGE_WRITE);

    if (rc == NGX_AGAIN) {
        ngx_post_event(ev, &ngx_posted_next_events);
        return;
    }

    ngx_duplex_snapshot_whole = ngx_duplex_clock_monotonic();
}


void
ngx_duplex_snapshot_drop(void)
{
    ngx_duplex_snapshot_abandon(&ngx_duplex_snapshot);

    if (ngx_duplex_snapshot_event.posted) {
        ngx_delete_posted_event(&ngx_duplex_snapshot_event);
    }

    ngx_duplex_snapshot_zone = NULL;
    ngx_duplex_snapshot_due = 0;
    ngx_duplex_snapshot_whole = 0;
}


/*
 * A reload leaves it to the new workers.  Of several that leave at once one
 * writes; what another has changed meanwhile is seen by the loop, and what
 * it changes later it writes itself.
 */

void
ngx_duplex_snapshot_exit(void)
{
    ngx_duplex_conf_t  *dcf;
    ngx_duplex_zone_t  *zone;

    dcf = ngx_duplex_present;

    if (dcf == NULL || dcf->shared == NULL || dcf->journal == NULL
        || (uint32_t) dcf->shared->generation != dcf->identity.generation)
    {
        return;
    }

    for (zone = dcf->zones->next; zone; zone = zone->next) {
        ngx_duplex_snapshot_save(zone);
    }
}


static void
ngx_duplex_snapshot_save(ngx_duplex_zone_t *zone)
{
    ngx_int_t               rc;
    ngx_uint_t              i;
    ngx_duplex_snapshot_t   s;

    for (i = 0; i < 2; i++) {

        if (ngx_duplex_snapshot_is_saved(zone)
            || ngx_duplex_snapshot_open(&s, &ngx_duplex_present->journal->dir,
                                        zone, ".last")
               != NGX_OK)
        {
            return;
        }

        do {
            rc = ngx_duplex_snapshot_write(&s, NGX_DUPLEX_SNAPSHOT_SLICE);
        } while (rc == NGX_AGAIN);

        if (rc != NGX_OK
            || ngx_duplex_snapshot_close(&s, &ngx_duplex_present->journal->dir)
               != NGX_OK)
        {
            return;
        }
    }
}


ngx_uint_t
ngx_duplex_snapshot_is_saved(ngx_duplex_zone_t *zone)
{
    return *ngx_duplex_snapshot_saved(zone)
           == ngx_duplex_snapshot_stamp(zone, zone->source->head(zone->table));
}


void
ngx_duplex_snapshot_set_saved(ngx_duplex_zone_t *zone, uint64_t head)
{
    *ngx_duplex_snapshot_saved(zone) = ngx_duplex_snapshot_stamp(zone, head);
}


/* in shared memory, by the place of the zone */

static ngx_atomic_t *
ngx_duplex_snapshot_saved(ngx_duplex_zone_t *zone)
{
    ngx_uint_t          i;
    ngx_duplex_zone_t  *z;

    for (z = ngx_duplex_present->zones, i = 0; z != zone; z = z->next) {
        i++;
    }

    return &ngx_duplex_present->shared->saved[i % NGX_DUPLEX_SAVED_ZONES];
}


/* 0 is never saved */

static uint64_t
ngx_duplex_snapshot_stamp(ngx_duplex_zone_t *zone, uint64_t head)
{
    return (ngx_duplex_hash(zone->name.data, zone->name.len)
            ^ zone->source->incarnation(zone->table) ^ head << 1) | 1;
}
