
/*
 * Synchronisation in the API; see the header.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_clock.h"
#include "../core/ngx_duplex_store.h"
#include "ngx_duplex_feed.h"
#include "ngx_duplex_nodes.h"
#include "ngx_duplex_sync_conf.h"
#include "ngx_duplex_sync_view.h"


static void ngx_duplex_sync_view_zones(ngx_duplex_json_t *json);
static void ngx_duplex_sync_view_status(ngx_duplex_json_t *json);
static void ngx_duplex_sync_view_add(ngx_duplex_traffic_t *sum,
    ngx_duplex_traffic_t *traffic);
static uint64_t ngx_duplex_sync_view_pending_zone(ngx_duplex_dialled_t *node,
    ngx_duplex_zone_t *zone);
static void ngx_duplex_sync_view_dialled(ngx_duplex_json_t *json,
    ngx_duplex_dialled_t *node);
static void ngx_duplex_sync_view_accepted(ngx_duplex_json_t *json,
    ngx_duplex_accepted_t *node, uint64_t now);
static void ngx_duplex_sync_view_traffic(ngx_duplex_json_t *json,
    ngx_duplex_traffic_t *traffic);
static ngx_duplex_dialled_t *ngx_duplex_sync_view_listed(uint64_t id);


#define ngx_duplex_sync_view_is_other(node)                                   \
    ((node)->state != ngx_duplex_dial_unused                                  \
     && (node)->state != ngx_duplex_dial_self)

/* another worker may have heard a node after we had read the clock */
#define ngx_duplex_sync_view_since(heard, now)                                \
    ((now) > (heard) ? (now) - (heard) : 0)

#define ngx_duplex_sync_view_is_up(node)                                      \
    ((node)->state == ngx_duplex_dial_syncing                                 \
     || (node)->state == ngx_duplex_dial_online)


void
ngx_duplex_sync_view_render(ngx_duplex_json_t *json)
{
    ngx_duplex_json_object(json, NULL);

    ngx_duplex_json_object(json, "zones");

    if (ngx_duplex_nodes()) {
        ngx_duplex_sync_view_zones(json);
    }

    ngx_duplex_json_object_end(json);

    ngx_duplex_sync_view_status(json);

    ngx_duplex_json_object_end(json);
}


static void
ngx_duplex_sync_view_zones(ngx_duplex_json_t *json)
{
    uint64_t                  pending;
    ngx_uint_t                i;
    ngx_duplex_zone_t        *zone;
    ngx_duplex_dialled_t     *node;
    ngx_duplex_table_stat_t   stat;

    for (zone = ngx_duplex_store_zones(); zone; zone = zone->next) {

        if (!ngx_duplex_feed_wants(zone)) {
            continue;
        }

        pending = 0;

        for (i = 0; i < NGX_DUPLEX_NODES_MAX; i++) {

            node = &ngx_duplex_nodes()->dialled[i];

            if (ngx_duplex_sync_view_is_up(node)) {
                pending += ngx_duplex_sync_view_pending_zone(node, zone);
            }
        }

        zone->source->stat(zone->table, &stat);

        ngx_duplex_json_object_named(json, &zone->name);
        ngx_duplex_json_integer(json, "records_pending", pending);
        ngx_duplex_json_integer(json, "records_total", stat.records);
        ngx_duplex_json_object_end(json);
    }
}


static void
ngx_duplex_sync_view_status(ngx_duplex_json_t *json)
{
    ngx_uint_t             i, online;
    ngx_duplex_nodes_t    *nodes;
    ngx_duplex_traffic_t   sum;

    ngx_memzero(&sum, sizeof(ngx_duplex_traffic_t));

    online = 0;
    nodes = ngx_duplex_nodes();

    for (i = 0; nodes && i < NGX_DUPLEX_NODES_MAX; i++) {

        ngx_duplex_sync_view_add(&sum, &nodes->accepted[i].traffic);
        ngx_duplex_sync_view_add(&sum, &nodes->dialled[i].traffic);

        if (ngx_duplex_sync_view_is_up(&nodes->dialled[i])) {
            online++;
        }
    }

    ngx_duplex_json_object(json, "status");
    ngx_duplex_json_integer(json, "bytes_in", sum.bytes_in);
    ngx_duplex_json_integer(json, "msgs_in", sum.messages_in);
    ngx_duplex_json_integer(json, "msgs_out", sum.messages_out);
    ngx_duplex_json_integer(json, "bytes_out", sum.bytes_out);
    ngx_duplex_json_integer(json, "nodes_online", online);
    ngx_duplex_json_object_end(json);
}


static void
ngx_duplex_sync_view_add(ngx_duplex_traffic_t *sum,
    ngx_duplex_traffic_t *traffic)
{
    sum->bytes_in += traffic->bytes_in;
    sum->bytes_out += traffic->bytes_out;
    sum->messages_in += traffic->messages_in;
    sum->messages_out += traffic->messages_out;
}


/* changes the node has not acknowledged; all records if it has none yet */

static uint64_t
ngx_duplex_sync_view_pending_zone(ngx_duplex_dialled_t *node,
    ngx_duplex_zone_t *zone)
{
    uint64_t                  acked, head;
    ngx_duplex_table_stat_t   stat;

    acked = ngx_duplex_dialled_acked(node, zone);

    if (acked == 0) {
        zone->source->stat(zone->table, &stat);
        return stat.records;
    }

    head = zone->source->head(zone->table);

    return head > acked ? head - acked : 0;
}


uint64_t
ngx_duplex_sync_view_pending(ngx_duplex_dialled_t *node)
{
    uint64_t            pending;
    ngx_duplex_zone_t  *zone;

    pending = 0;

    for (zone = ngx_duplex_store_zones(); zone; zone = zone->next) {
        if (ngx_duplex_feed_wants(zone)) {
            pending += ngx_duplex_sync_view_pending_zone(node, zone);
        }
    }

    return pending;
}


void
ngx_duplex_sync_view_render_nodes(ngx_duplex_json_t *json)
{
    uint64_t                now, heard;
    ngx_uint_t              i;
    ngx_duplex_nodes_t     *nodes;
    ngx_duplex_dialled_t   *dialled;
    ngx_duplex_accepted_t  *accepted;

    nodes = ngx_duplex_nodes();
    now = ngx_duplex_clock_monotonic();

    ngx_duplex_json_array(json, NULL);

    for (i = 0; nodes && i < NGX_DUPLEX_NODES_MAX; i++) {

        dialled = &nodes->dialled[i];

        if (!ngx_duplex_sync_view_is_other(dialled)) {
            continue;
        }

        accepted = dialled->id ? ngx_duplex_nodes_accepted(dialled->id) : NULL;

        ngx_duplex_json_object(json, NULL);

        ngx_duplex_sync_view_dialled(json, dialled);

        if (dialled->id) {
            heard = accepted ? accepted->heard : 0;
            heard = ngx_max(heard, dialled->heard);
            ngx_duplex_json_integer(json, "last_seen_ms",
                                    ngx_duplex_sync_view_since(heard, now));
        }

        if (accepted) {
            ngx_duplex_sync_view_accepted(json, accepted, now);
        }

        ngx_duplex_json_object_end(json);
    }

    /* who dials us though we do not dial it */

    for (i = 0; nodes && i < NGX_DUPLEX_NODES_MAX; i++) {

        accepted = &nodes->accepted[i];

        if (accepted->id == 0 || ngx_duplex_sync_view_listed(accepted->id)) {
            continue;
        }

        ngx_duplex_json_object(json, NULL);
        ngx_duplex_json_text(json, "name", accepted->name);
        ngx_duplex_json_text(json, "address", accepted->address.text);
        ngx_duplex_json_text(json, "state", "not listed");
        ngx_duplex_json_hex(json, "incarnation", accepted->incarnation);
        ngx_duplex_json_integer(json, "last_seen_ms",
                                ngx_duplex_sync_view_since(accepted->heard,
                                                           now));
        ngx_duplex_sync_view_accepted(json, accepted, now);
        ngx_duplex_json_object_end(json);
    }

    ngx_duplex_json_array_end(json);
}


static void
ngx_duplex_sync_view_dialled(ngx_duplex_json_t *json,
    ngx_duplex_dialled_t *node)
{
    if (node->id) {
        ngx_duplex_json_text(json, "name", node->name);
        ngx_duplex_json_hex(json, "incarnation", node->incarnation);
    }

    ngx_duplex_json_text(json, "address", node->address.text);
    ngx_duplex_json_text(json, "state", ngx_duplex_dial_text(node->state));

    if (node->error[0]) {
        ngx_duplex_json_text(json, "error", node->error);
    }

    ngx_duplex_json_integer(json, "pending",
                            ngx_duplex_sync_view_pending(node));
    ngx_duplex_json_integer(json, "lag_ms",
                            node->behind
                            ? ngx_duplex_sync_view_since(node->behind,
                                            ngx_duplex_clock_monotonic()) : 0);
    ngx_duplex_json_integer(json, "differences", node->differences);
    ngx_duplex_json_integer(json, "reconnects",
                            node->connects ? node->connects - 1 : 0);

    ngx_duplex_json_object(json, "out");
    ngx_duplex_json_integer(json, "records", node->records);
    ngx_duplex_json_integer(json, "full", node->walks);
    ngx_duplex_json_integer(json, "resumed", node->resumes);
    ngx_duplex_sync_view_traffic(json, &node->traffic);
    ngx_duplex_json_object_end(json);
}


static void
ngx_duplex_sync_view_accepted(ngx_duplex_json_t *json,
    ngx_duplex_accepted_t *node, uint64_t now)
{
    ngx_duplex_json_object(json, "in");

    ngx_duplex_json_text(json, "state",
                         ngx_duplex_accepted_alive(node, now,
                                             ngx_duplex_sync_conf()->timeout)
                         ? (node->synced ? "online" : "syncing") : "down");

    ngx_duplex_json_integer(json, "records", node->records);
    ngx_duplex_json_integer(json, "changed", node->changed);
    ngx_duplex_json_integer(json, "skipped", node->skipped);
    ngx_duplex_json_integer(json, "refused", node->refused);
    ngx_duplex_json_integer(json, "conflicts", node->stale);
    ngx_duplex_json_integer(json, "unknown", node->unknown);
    ngx_duplex_json_integer(json, "rejected", node->rejected);
    ngx_duplex_sync_view_traffic(json, &node->traffic);

    ngx_duplex_json_object_end(json);
}


static void
ngx_duplex_sync_view_traffic(ngx_duplex_json_t *json,
    ngx_duplex_traffic_t *traffic)
{
    ngx_duplex_json_integer(json, "bytes_in", traffic->bytes_in);
    ngx_duplex_json_integer(json, "bytes_out", traffic->bytes_out);
    ngx_duplex_json_integer(json, "messages_in", traffic->messages_in);
    ngx_duplex_json_integer(json, "messages_out", traffic->messages_out);
}


static ngx_duplex_dialled_t *
ngx_duplex_sync_view_listed(uint64_t id)
{
    ngx_uint_t             i;
    ngx_duplex_dialled_t  *node;

    for (i = 0; i < NGX_DUPLEX_NODES_MAX; i++) {

        node = &ngx_duplex_nodes()->dialled[i];

        if (ngx_duplex_sync_view_is_other(node) && node->id == id) {
            return node;
        }
    }

    return NULL;
}
