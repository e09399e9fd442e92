
/*
 * See the header.
 *
 * A node sends its changes in the order of their making, and another node
 * passes them on in that order; only when all records are sent there is no
 * order, and then nothing counts before the end.  So who has a change of a
 * node has had all its earlier ones, and what is missing of them was deleted.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_bytes.h"
#include "../core/ngx_duplex_clock.h"
#include "../core/ngx_duplex_identity.h"
#include "ngx_duplex_seen.h"


#define NGX_DUPLEX_SEEN  NGX_DUPLEX_TAG('s', 'e', 'e', 'n')

/* how often it is kept: a part of the lifetime, at least and at most, ms */
#define NGX_DUPLEX_SEEN_PART  24
#define NGX_DUPLEX_SEEN_LEAST 1000


static ngx_int_t ngx_duplex_seen_load_record(ngx_duplex_record_t *rec,
    void *data);
static void ngx_duplex_seen_advance(ngx_duplex_seen_all_t *all, uint64_t id,
    uint64_t time);
static ngx_duplex_seen_t *ngx_duplex_seen_find(ngx_duplex_seen_all_t *all,
    uint64_t id, ngx_uint_t make);
static void ngx_duplex_seen_keep(ngx_duplex_seen_t *seen);


ngx_duplex_kind_t  ngx_duplex_seen_kind = {
    NGX_DUPLEX_SEEN,
    ngx_string("seen"),
    NGX_DUPLEX_KIND_LOCAL|NGX_DUPLEX_KIND_DURABLE,
    NULL
};


static uint64_t  ngx_duplex_seen_kept;      /* ms, monotonic */

/* of the one record that is being looked for */
static u_char    ngx_duplex_seen_buf[NGX_DUPLEX_RECORD_MAX];


void
ngx_duplex_seen_load(ngx_duplex_seen_all_t *all)
{
    (void) ngx_duplex_store_walk(ngx_duplex_store_table(), NGX_DUPLEX_SEEN,
                                 NULL, ngx_duplex_seen_load_record, all);
}


static ngx_int_t
ngx_duplex_seen_load_record(ngx_duplex_record_t *rec, void *data)
{
    ngx_duplex_seen_all_t *all = data;

    uint64_t            id, time;
    ngx_duplex_seen_t  *seen;
    ngx_duplex_bytes_t  b;

    b.pos = rec->value.data;
    b.last = rec->value.data + rec->value.len;
    b.failed = 0;

    id = ngx_duplex_bytes_get(&b, 8);
    time = ngx_duplex_bytes_get(&b, 8);

    if (b.failed || id == 0) {
        return NGX_OK;
    }

    ngx_duplex_seen_advance(all, id, time);

    seen = ngx_duplex_seen_find(all, id, 0);

    if (seen) {
        seen->kept = (ngx_atomic_uint_t) time;
    }

    all->whole = 1;

    return NGX_OK;
}


void
ngx_duplex_seen_note(ngx_duplex_seen_link_t *link, ngx_duplex_record_t *rec)
{
    ngx_uint_t  i;

    for (i = 0; i < link->n; i++) {
        if (link->id[i] == rec->node) {
            link->time[i] = ngx_max(link->time[i], rec->time);
            return;
        }
    }

    if (i < NGX_DUPLEX_SEEN_MAX) {
        link->id[i] = rec->node;
        link->time[i] = rec->time;
        link->n++;
    }
}


void
ngx_duplex_seen_reached(ngx_duplex_seen_all_t *all,
    ngx_duplex_seen_link_t *link)
{
    ngx_uint_t  i;

    for (i = 0; i < link->n; i++) {
        ngx_duplex_seen_advance(all, link->id[i], link->time[i]);
    }

    link->n = 0;
    all->whole = 1;
}


ngx_uint_t
ngx_duplex_seen_is_gone(ngx_duplex_seen_all_t *all, ngx_duplex_table_t *table,
    ngx_duplex_record_t *rec)
{
    ngx_duplex_seen_t    *seen;
    ngx_duplex_record_t   present;

    if (all->lossy || rec->deleted || rec->expire
        || ngx_duplex_clock_ms(rec->time) + ngx_duplex_tombstone_ttl()
           > ngx_duplex_clock_wall())
    {
        return 0;
    }

    seen = ngx_duplex_seen_find(all, rec->node, 0);

    if (seen == NULL || seen->time < rec->time) {
        return 0;
    }

    present = *rec;

    return ngx_duplex_table_get(table, &present, ngx_duplex_seen_buf,
                                NGX_DUPLEX_RECORD_MAX,
                                ngx_duplex_clock_monotonic())
           == NGX_DECLINED;
}


void
ngx_duplex_seen_beat(ngx_duplex_seen_all_t *all)
{
    uint64_t            now;
    ngx_uint_t          i;
    ngx_duplex_seen_t  *seen;

    now = ngx_duplex_clock_monotonic();

    if (now - ngx_duplex_seen_kept
        < ngx_max(ngx_duplex_tombstone_ttl() / NGX_DUPLEX_SEEN_PART,
                  NGX_DUPLEX_SEEN_LEAST))
    {
        return;
    }

    ngx_duplex_seen_kept = now;

    /*
     * Of its own changes a node has all, unless it lost its memory and nobody
     * has told it yet what it had said before.
     */

    if (all->whole) {
        ngx_duplex_seen_advance(all, ngx_duplex_identity()->id,
                             ngx_duplex_clock_next(ngx_duplex_store_clock()));
    }

    for (i = 0; i < NGX_DUPLEX_SEEN_MAX; i++) {

        seen = &all->nodes[i];

        if (seen->id && seen->time != seen->kept) {
            ngx_duplex_seen_keep(seen);
        }
    }
}


static void
ngx_duplex_seen_keep(ngx_duplex_seen_t *seen)
{
    u_char               key[8], value[16];
    ngx_atomic_uint_t    time;
    ngx_duplex_record_t  rec;

    time = seen->time;

    (void) ngx_duplex_bytes_put(key, seen->id, 8);
    (void) ngx_duplex_bytes_put(ngx_duplex_bytes_put(value, seen->id, 8),
                                time, 8);

    ngx_memzero(&rec, sizeof(ngx_duplex_record_t));

    rec.kind = NGX_DUPLEX_SEEN;
    rec.key.data = key;
    rec.key.len = sizeof(key);
    rec.value.data = value;
    rec.value.len = sizeof(value);

    if (ngx_duplex_store_apply(ngx_duplex_store_table(), &rec) == NGX_OK) {
        seen->kept = time;
    }
}


static void
ngx_duplex_seen_advance(ngx_duplex_seen_all_t *all, uint64_t id,
    uint64_t time)
{
    ngx_atomic_uint_t   old;
    ngx_duplex_seen_t  *seen;

    seen = ngx_duplex_seen_find(all, id, 1);

    if (seen == NULL) {
        return;
    }

    do {
        old = seen->time;
    } while (old < time && !ngx_atomic_cmp_set(&seen->time, old, time));
}


/* NULL: is not there, or there is no room */

static ngx_duplex_seen_t *
ngx_duplex_seen_find(ngx_duplex_seen_all_t *all, uint64_t id, ngx_uint_t make)
{
    ngx_uint_t          i;
    ngx_duplex_seen_t  *seen;

    for (i = 0; i < NGX_DUPLEX_SEEN_MAX; i++) {

        seen = &all->nodes[i];

        if (seen->id == id) {
            return seen;
        }

        if (seen->id == 0
            && (!make || ngx_atomic_cmp_set(&seen->id, 0, id)
                || seen->id == id))
        {
            return make ? seen : NULL;
        }
    }

    return NULL;
}
