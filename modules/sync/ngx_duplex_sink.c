
/*
 * One table on an accepted link; see the header.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_clock.h"
#include "../core/ngx_duplex_identity.h"
#include "../core/ngx_duplex_registry.h"
#include "ngx_duplex_feed.h"
#include "ngx_duplex_sink.h"


static ngx_int_t ngx_duplex_sink_merge_times(ngx_duplex_sink_t *sink,
    ngx_duplex_batch_t batch);
static void ngx_duplex_sink_apply(ngx_duplex_sink_t *sink,
    ngx_duplex_batch_t *batch);
static void ngx_duplex_sink_remember(ngx_duplex_sink_t *sink,
    ngx_duplex_record_t *rec);


void
ngx_duplex_sink_open(ngx_duplex_sink_t *sink, ngx_duplex_announce_t *announce)
{
    uint64_t            ours;
    ngx_duplex_zone_t  *zone;

    sink->ack = 1;

    zone = ngx_duplex_store_zone(&announce->name);

    if (zone == NULL || zone->kind != announce->kind
        || !ngx_duplex_feed_wants(zone))
    {
        return;
    }

    sink->zone = zone;
    sink->theirs = announce->incarnation;
    sink->mark = ngx_duplex_mark_find(sink->node->marks,
                                      ngx_duplex_hash(announce->name.data,
                                                      announce->name.len));
    if (sink->mark == NULL) {
        return;
    }

    ours = zone->source->incarnation(zone->table);
    sink->applied = ngx_duplex_mark_get(sink->mark, sink->theirs, ours);

    if (sink->applied > announce->head) {
        sink->applied = 0;
    }

    sink->saved = sink->applied;
}


ngx_int_t
ngx_duplex_sink_take(ngx_duplex_sink_t *sink, ngx_duplex_batch_t *batch,
    ngx_duplex_frame_t *frame)
{
    if (sink->zone == NULL) {
        frame->malformed = ngx_duplex_malformed_index;
        return NGX_ERROR;
    }

    if (batch->count) {

        if (sink->zone->kind && sink->zone->kind != batch->kind) {
            frame->malformed = ngx_duplex_malformed_kind;
            return NGX_ERROR;
        }

        if (ngx_duplex_sink_merge_times(sink, *batch) != NGX_OK) {
            return NGX_DECLINED;
        }

        ngx_duplex_sink_apply(sink, batch);
    }

    if (batch->position == 0) {
        sink->walked = 1;
        return NGX_OK;
    }

    sink->applied = batch->position;

    if (sink->zone->kind == 0) {
        ngx_duplex_seen_reached(&ngx_duplex_nodes()->seen, sink->seen);

        if (sink->walked) {
            sink->node->away = 0;
        }
    }

    if (!sink->unsaved) {
        sink->saved = sink->applied;
        sink->ack = 1;
    }

    if (sink->mark) {
        ngx_duplex_mark_set(sink->mark, sink->theirs,
                            sink->zone->source->incarnation(
                                                           sink->zone->table),
                            sink->applied);
    }

    return NGX_OK;
}


ngx_uint_t
ngx_duplex_sinks_save(ngx_duplex_sink_t *sinks, ngx_uint_t n)
{
    ngx_uint_t  i, unsaved;

    unsaved = 0;

    for (i = 0; i < n; i++) {
        sinks[i].saving = sinks[i].applied;
        unsaved |= sinks[i].unsaved;
    }

    return unsaved;
}


void
ngx_duplex_sinks_saved(ngx_duplex_sink_t *sinks, ngx_uint_t n)
{
    ngx_uint_t          i;
    ngx_duplex_sink_t  *sink;

    for (i = 0; i < n; i++) {

        sink = &sinks[i];

        if (!sink->unsaved) {
            continue;
        }

        sink->saved = ngx_max(sink->saved, sink->saving);
        sink->unsaved = (sink->saved != sink->applied);
        sink->ack = 1;
    }
}


/* all times of the batch, before any of its records is applied */

static ngx_int_t
ngx_duplex_sink_merge_times(ngx_duplex_sink_t *sink, ngx_duplex_batch_t batch)
{
    uint64_t             latest;
    ngx_duplex_record_t  rec;

    latest = 0;

    while (ngx_duplex_batch_next(&batch, &rec, sink->id, 0) == NGX_OK) {
        latest = ngx_max(latest, rec.time);
    }

    return ngx_duplex_clock_merge(ngx_duplex_store_clock(), latest);
}


static void
ngx_duplex_sink_apply(ngx_duplex_sink_t *sink, ngx_duplex_batch_t *batch)
{
    uint64_t                now;
    ngx_uint_t              durable;
    ngx_duplex_kind_t      *kind;
    ngx_duplex_record_t     rec;
    ngx_duplex_accepted_t  *node;

    node = sink->node;
    now = ngx_duplex_clock_monotonic();

    node->records += batch->count;
    node->progress = now;

    kind = ngx_duplex_find_kind(batch->kind);

    if (kind == NULL) {
        node->unknown += batch->count;
    }

    if (kind && (kind->flags & NGX_DUPLEX_KIND_LOCAL)) {
        node->skipped += batch->count;
        return;
    }

    durable = (kind && (kind->flags & NGX_DUPLEX_KIND_DURABLE));

    if (durable) {
        sink->unsaved = 1;
    }

    while (ngx_duplex_batch_next(batch, &rec, sink->id, now) == NGX_OK) {

        rec.via = sink->id;

        if (durable) {
            ngx_duplex_sink_remember(sink, &rec);
        }

        switch (ngx_duplex_store_apply(sink->zone->table, &rec)) {

        case NGX_OK:
            node->changed++;
            break;

        case NGX_DECLINED:
            node->stale++;
            break;

        case NGX_ERROR:
            node->refused++;

            if (durable) {
                ngx_duplex_nodes()->seen.lossy = 1;
            }

            break;
        }
    }
}


/*
 * A change of a node that was away for too long, which was here and is not
 * any more: it was deleted, and is again, with the time that follows its own,
 * so that whatever was said later stands.
 */

static void
ngx_duplex_sink_remember(ngx_duplex_sink_t *sink, ngx_duplex_record_t *rec)
{
    if (sink->zone->kind) {
        return;
    }

    ngx_duplex_seen_note(sink->seen, rec);

    if (sink->node->away
        && ngx_duplex_seen_is_gone(&ngx_duplex_nodes()->seen,
                                   sink->zone->table, rec))
    {
        rec->deleted = 1;
        rec->time++;
        rec->node = ngx_duplex_identity()->id;
        rec->via = 0;
    }
}
