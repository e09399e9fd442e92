
/*
 * See the header.  A family for each number of the two halves of a node, in
 * one table; what cannot be read at an offset is written by hand.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_clock.h"
#include "ngx_duplex_nodes.h"
#include "ngx_duplex_sync_metrics.h"
#include "ngx_duplex_sync_view.h"


typedef struct {
    const char  *name;
    const char  *type;
    const char  *help;
    ngx_int_t    dialled;       /* offset of what is sent; -1: nothing is */
    ngx_int_t    accepted;      /* of what is received */
} ngx_duplex_sync_family_t;


static void ngx_duplex_sync_metrics_family(ngx_duplex_metrics_t *m,
    ngx_duplex_sync_family_t *family);
static void ngx_duplex_sync_metrics_sample(ngx_duplex_metrics_t *m,
    ngx_duplex_sync_family_t *family, ngx_duplex_dialled_t *node,
    const char *direction, uint64_t value);
static void ngx_duplex_sync_metrics_state(ngx_duplex_metrics_t *m);
static void ngx_duplex_sync_metrics_begin(ngx_duplex_metrics_t *m,
    const char *name, ngx_duplex_dialled_t *node);
static ngx_duplex_dialled_t *ngx_duplex_sync_metrics_node(ngx_uint_t i);


#define ngx_duplex_sync_dialled(field)                                        \
    offsetof(ngx_duplex_dialled_t, field)
#define ngx_duplex_sync_accepted(field)                                       \
    offsetof(ngx_duplex_accepted_t, field)


static ngx_duplex_sync_family_t  ngx_duplex_sync_families[] = {

    { "nginx_duplex_node_differences", "gauge",
      "Differences of its configuration from ours.",
      ngx_duplex_sync_dialled(differences), -1 },

    { "nginx_duplex_node_full_syncs_total", "counter",
      "Tables that were sent whole.",
      ngx_duplex_sync_dialled(walks), -1 },

    { "nginx_duplex_node_resumes_total", "counter",
      "Tables of which only what was missed was sent.",
      ngx_duplex_sync_dialled(resumes), -1 },

    { "nginx_duplex_node_connects_total", "counter",
      "Links that were established.",
      ngx_duplex_sync_dialled(connects), -1 },

    { "nginx_duplex_node_sent_records_total", "counter",
      "Records sent.",
      ngx_duplex_sync_dialled(records), -1 },

    { "nginx_duplex_node_received_records_total", "counter",
      "Records received.",
      -1, ngx_duplex_sync_accepted(records) },

    { "nginx_duplex_node_changed_records_total", "counter",
      "Of them, new here.",
      -1, ngx_duplex_sync_accepted(changed) },

    { "nginx_duplex_node_conflicts_total", "counter",
      "Of them, older than what was here.",
      -1, ngx_duplex_sync_accepted(stale) },

    { "nginx_duplex_node_unknown_records_total", "counter",
      "Of them, of kinds that are not known here.",
      -1, ngx_duplex_sync_accepted(unknown) },

    { "nginx_duplex_node_refused_records_total", "counter",
      "Of them, not taken for want of memory.",
      -1, ngx_duplex_sync_accepted(refused) },

    { "nginx_duplex_node_rejected_frames_total", "counter",
      "Links that were ended for a frame of the node.",
      -1, ngx_duplex_sync_accepted(rejected) },

    /* of both links, either way */

    { "nginx_duplex_node_sent_bytes_total", "counter",
      "Bytes sent, by who had dialled.",
      ngx_duplex_sync_dialled(traffic.bytes_out),
      ngx_duplex_sync_accepted(traffic.bytes_out) },

    { "nginx_duplex_node_received_bytes_total", "counter",
      "Bytes received, by who had dialled.",
      ngx_duplex_sync_dialled(traffic.bytes_in),
      ngx_duplex_sync_accepted(traffic.bytes_in) },

    { "nginx_duplex_node_sent_messages_total", "counter",
      "Frames sent, by who had dialled.",
      ngx_duplex_sync_dialled(traffic.messages_out),
      ngx_duplex_sync_accepted(traffic.messages_out) },

    { "nginx_duplex_node_received_messages_total", "counter",
      "Frames received, by who had dialled.",
      ngx_duplex_sync_dialled(traffic.messages_in),
      ngx_duplex_sync_accepted(traffic.messages_in) },

    { NULL, NULL, NULL, 0, 0 }
};


void
ngx_duplex_sync_metrics(ngx_duplex_metrics_t *metrics)
{
    ngx_duplex_sync_family_t  *family;

    if (ngx_duplex_nodes() == NULL) {
        return;
    }

    ngx_duplex_sync_metrics_state(metrics);

    for (family = ngx_duplex_sync_families; family->name; family++) {
        ngx_duplex_sync_metrics_family(metrics, family);
    }
}


static void
ngx_duplex_sync_metrics_family(ngx_duplex_metrics_t *m,
    ngx_duplex_sync_family_t *family)
{
    ngx_uint_t              i;
    ngx_duplex_dialled_t   *node;
    ngx_duplex_accepted_t  *accepted;

    ngx_duplex_metrics_family(m, family->name, family->type, family->help);

    for (i = 0; i < NGX_DUPLEX_NODES_MAX; i++) {

        node = ngx_duplex_sync_metrics_node(i);

        if (node == NULL) {
            continue;
        }

        if (family->dialled >= 0) {
            ngx_duplex_sync_metrics_sample(m, family, node, "we",
                          *(uint64_t *) ((u_char *) node + family->dialled));
        }

        if (family->accepted >= 0) {
            accepted = node->id ? ngx_duplex_nodes_accepted(node->id) : NULL;

            ngx_duplex_sync_metrics_sample(m, family, node, "it",
                          accepted ? *(uint64_t *) ((u_char *) accepted
                                                    + family->accepted) : 0);
        }
    }
}


static void
ngx_duplex_sync_metrics_sample(ngx_duplex_metrics_t *m,
    ngx_duplex_sync_family_t *family, ngx_duplex_dialled_t *node,
    const char *dialled, uint64_t value)
{
    ngx_duplex_sync_metrics_begin(m, family->name, node);

    if (family->dialled >= 0 && family->accepted >= 0) {
        ngx_duplex_metrics_text(m, "dialled_by", dialled);
    }

    ngx_duplex_metrics_integer(m, value);
}


static void
ngx_duplex_sync_metrics_state(ngx_duplex_metrics_t *m)
{
    uint64_t               now;
    ngx_uint_t             i;
    ngx_duplex_dialled_t  *node;

    ngx_duplex_metrics_family(m, "nginx_duplex_node_up", "gauge",
                              "1 if the node is connected.");

    for (i = 0; i < NGX_DUPLEX_NODES_MAX; i++) {

        node = ngx_duplex_sync_metrics_node(i);

        if (node) {
            ngx_duplex_sync_metrics_begin(m, "nginx_duplex_node_up", node);
            ngx_duplex_metrics_integer(m,
                              node->state == ngx_duplex_dial_syncing
                              || node->state == ngx_duplex_dial_online);
        }
    }

    ngx_duplex_metrics_family(m, "nginx_duplex_node_pending_records", "gauge",
                              "Records the node has not acknowledged.");

    for (i = 0; i < NGX_DUPLEX_NODES_MAX; i++) {

        node = ngx_duplex_sync_metrics_node(i);

        if (node) {
            ngx_duplex_sync_metrics_begin(m,
                                          "nginx_duplex_node_pending_records",
                                          node);
            ngx_duplex_metrics_integer(m, ngx_duplex_sync_view_pending(node));
        }
    }

    now = ngx_duplex_clock_monotonic();

    ngx_duplex_metrics_family(m, "nginx_duplex_node_lag_seconds", "gauge",
                              "For how long the node lacks some of them.");

    for (i = 0; i < NGX_DUPLEX_NODES_MAX; i++) {

        node = ngx_duplex_sync_metrics_node(i);

        if (node) {
            ngx_duplex_sync_metrics_begin(m, "nginx_duplex_node_lag_seconds",
                                          node);
            ngx_duplex_metrics_seconds(m, node->behind && now > node->behind
                                          ? now - node->behind : 0);
        }
    }
}


static void
ngx_duplex_sync_metrics_begin(ngx_duplex_metrics_t *m, const char *name,
    ngx_duplex_dialled_t *node)
{
    ngx_duplex_metrics_begin(m, name);
    ngx_duplex_metrics_text(m, "node", node->id ? node->name : "");
    ngx_duplex_metrics_text(m, "address", node->address.text);
}


/* NULL: no other node stands in this place */

static ngx_duplex_dialled_t *
ngx_duplex_sync_metrics_node(ngx_uint_t i)
{
    ngx_duplex_dialled_t  *node;

    node = &ngx_duplex_nodes()->dialled[i];

    return (node->state == ngx_duplex_dial_unused
            || node->state == ngx_duplex_dial_self) ? NULL : node;
}
