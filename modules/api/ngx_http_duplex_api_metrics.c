
/*
 * See the header; and the metrics of the node itself.
 */


#include <nginx.h>
#include "ngx_http_duplex_api_metrics.h"
#include "ngx_http_duplex_api_answer.h"
#include "../core/ngx_duplex_identity.h"
#include "../core/ngx_duplex_metrics.h"
#include "../core/ngx_duplex_readiness.h"
#include "../core/ngx_duplex_store.h"
#include "../core/ngx_duplex_version.h"


/* an answer that is written while it is sent */
typedef struct {
    ngx_duplex_metrics_t  *metrics;
    ngx_chain_t           *piece;           /* the latest: under way */
} ngx_http_duplex_api_metrics_t;


static ngx_int_t ngx_http_duplex_api_metrics_start(ngx_http_request_t *r,
    ngx_duplex_metrics_t *metrics);
static void ngx_http_duplex_api_metrics_write(ngx_http_request_t *r);
static ngx_int_t ngx_http_duplex_api_metrics_piece(ngx_http_request_t *r);
static void ngx_http_duplex_api_metrics_wait(ngx_http_request_t *r);

static void ngx_http_duplex_api_metrics_node(ngx_duplex_metrics_t *m);
static void ngx_http_duplex_api_metrics_connections(ngx_duplex_metrics_t *m);
static void ngx_http_duplex_api_metrics_zones(ngx_duplex_metrics_t *m);
static void ngx_http_duplex_api_metrics_zone(ngx_duplex_metrics_t *m,
    const char *name, const char *help, ngx_uint_t offset);


static ngx_duplex_readiness_t  *ngx_http_duplex_api_metrics_readiness;


ngx_int_t
ngx_http_duplex_api_metrics_register(ngx_conf_t *cf)
{
    ngx_http_duplex_api_metrics_readiness =
                           ngx_duplex_find_service(cf, NGX_DUPLEX_READINESS);

    return ngx_duplex_register_metrics(cf, ngx_http_duplex_api_metrics_node);
}


ngx_int_t
ngx_http_duplex_api_metrics_handler(ngx_http_request_t *r)
{
    off_t                  length;
    ngx_int_t              rc;
    ngx_chain_t           *out;
    ngx_duplex_metrics_t  *metrics;

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return NGX_HTTP_NOT_ALLOWED;
    }

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    metrics = ngx_duplex_metrics_create(r->pool);
    if (metrics == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_duplex_metrics_all(metrics);

    do {
        rc = ngx_duplex_metrics_more(metrics);

        /* a subrequest has no write event of its own */

    } while (rc == NGX_AGAIN && r != r->main);

    if (rc == NGX_ERROR) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_str_set(&r->headers_out.content_type,
                "text/plain; version=0.0.4; charset=utf-8");

    if (rc == NGX_AGAIN) {
        return ngx_http_duplex_api_metrics_start(r, metrics);
    }

    out = ngx_duplex_metrics_take(metrics, &length);

    return ngx_http_duplex_api_send_chain(r, NGX_HTTP_OK, out, length);
}


/* there are many: they are sent as they are written, a piece each turn */

static ngx_int_t
ngx_http_duplex_api_metrics_start(ngx_http_request_t *r,
    ngx_duplex_metrics_t *metrics)
{
    ngx_int_t                       rc;
    ngx_http_duplex_api_metrics_t  *ctx;

    ctx = ngx_pcalloc(r->pool, sizeof(ngx_http_duplex_api_metrics_t));
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->metrics = metrics;

    ngx_http_set_ctx(r, ctx, ngx_http_duplex_api_module);

    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_type_len = r->headers_out.content_type.len;

    ngx_http_clear_content_length(r);

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    r->read_event_handler = ngx_http_test_reading;
    r->write_event_handler = ngx_http_duplex_api_metrics_write;
    r->main->count++;

    ngx_post_event(r->connection->write, &ngx_posted_next_events);

    return NGX_DONE;
}


static void
ngx_http_duplex_api_metrics_write(ngx_http_request_t *r)
{
    ngx_int_t     rc;
    ngx_event_t  *wev;

    wev = r->connection->write;

    if (wev->timedout) {
        r->connection->timedout = 1;
        ngx_http_finalize_request(r, NGX_HTTP_REQUEST_TIME_OUT);
        return;
    }

    /* what was written before goes first: no more than a piece is kept */

    if (r->buffered || r->connection->buffered) {

        if (ngx_http_output_filter(r, NULL) == NGX_ERROR) {
            ngx_http_finalize_request(r, NGX_ERROR);
            return;
        }

        if (r->buffered || r->connection->buffered || wev->delayed) {
            ngx_http_duplex_api_metrics_wait(r);
            return;
        }
    }

    rc = ngx_http_duplex_api_metrics_piece(r);

    if (rc != NGX_AGAIN) {
        ngx_http_finalize_request(r, rc);
        return;
    }

    ngx_http_duplex_api_metrics_wait(r);
}


/* NGX_AGAIN: there is more to come; else what the request ends with */

static ngx_int_t
ngx_http_duplex_api_metrics_piece(ngx_http_request_t *r)
{
    off_t                           length;
    ngx_int_t                       rc;
    ngx_chain_t                    *cl;
    ngx_http_duplex_api_metrics_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_duplex_api_module);

    /* nothing is under way any more */

    for (cl = ctx->piece; cl; cl = cl->next) {
        ngx_pfree(r->pool, cl->buf->start);
    }

    ctx->piece = NULL;

    rc = ngx_duplex_metrics_more(ctx->metrics);

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    ctx->piece = ngx_duplex_metrics_take(ctx->metrics, &length);

    for (cl = ctx->piece; cl && cl->next; cl = cl->next) { /* void */ }

    if (cl) {
        cl->buf->flush = 1;
    }

    if (cl && ngx_http_output_filter(r, ctx->piece) == NGX_ERROR) {
        return NGX_ERROR;
    }

    return rc == NGX_OK ? ngx_http_send_special(r, NGX_HTTP_LAST) : NGX_AGAIN;
}


/* for the client, or only for others' turn */

static void
ngx_http_duplex_api_metrics_wait(ngx_http_request_t *r)
{
    ngx_event_t               *wev;
    ngx_http_core_loc_conf_t  *clcf;

    wev = r->connection->write;

    if (!r->buffered && !r->connection->buffered && !wev->delayed) {

        if (wev->timer_set) {
            ngx_del_timer(wev);
        }

        ngx_post_event(wev, &ngx_posted_next_events);
        return;
    }

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    if (!wev->delayed) {
        ngx_add_timer(wev, clcf->send_timeout);
    }

    if (ngx_handle_write_event(wev, clcf->send_lowat) != NGX_OK) {
        ngx_http_finalize_request(r, NGX_ERROR);
    }
}


static void
ngx_http_duplex_api_metrics_node(ngx_duplex_metrics_t *m)
{
    ngx_duplex_identity_t   *identity;
    ngx_duplex_readiness_t  *readiness;

    identity = ngx_duplex_identity();
    readiness = ngx_http_duplex_api_metrics_readiness;

    ngx_duplex_metrics_family(m, "nginx_duplex_info", "gauge",
                              "The node and its versions; always 1.");
    ngx_duplex_metrics_begin(m, "nginx_duplex_info");
    ngx_duplex_metrics_label(m, "node", &identity->name);
    ngx_duplex_metrics_text(m, "version", NGX_DUPLEX_VERSION);
    ngx_duplex_metrics_text(m, "nginx", NGINX_VERSION);
    ngx_duplex_metrics_integer(m, 1);

    ngx_duplex_metrics_family(m, "nginx_duplex_ready", "gauge",
                              "1 if the node may be given traffic.");
    ngx_duplex_metrics_begin(m, "nginx_duplex_ready");
    ngx_duplex_metrics_integer(m, readiness == NULL || readiness->ready());

    ngx_duplex_metrics_family(m, "nginx_duplex_generation", "gauge",
                              "Configurations loaded since the start.");
    ngx_duplex_metrics_begin(m, "nginx_duplex_generation");
    ngx_duplex_metrics_integer(m, identity->generation);

    ngx_http_duplex_api_metrics_connections(m);
    ngx_http_duplex_api_metrics_zones(m);
}


static void
ngx_http_duplex_api_metrics_connections(ngx_duplex_metrics_t *m)
{
#if (NGX_STAT_STUB)

    ngx_duplex_metrics_family(m, "nginx_duplex_connections", "gauge",
                              "Connections of clients, by what they do.");
    ngx_duplex_metrics_begin(m, "nginx_duplex_connections");
    ngx_duplex_metrics_text(m, "state", "active");
    ngx_duplex_metrics_integer(m, *ngx_stat_active - *ngx_stat_waiting);
    ngx_duplex_metrics_begin(m, "nginx_duplex_connections");
    ngx_duplex_metrics_text(m, "state", "idle");
    ngx_duplex_metrics_integer(m, *ngx_stat_waiting);

    ngx_duplex_metrics_family(m, "nginx_duplex_connections_accepted_total",
                              "counter", "Connections that clients opened.");
    ngx_duplex_metrics_begin(m, "nginx_duplex_connections_accepted_total");
    ngx_duplex_metrics_integer(m, *ngx_stat_accepted);

    ngx_duplex_metrics_family(m, "nginx_duplex_http_requests_total",
                              "counter", "Requests of clients.");
    ngx_duplex_metrics_begin(m, "nginx_duplex_http_requests_total");
    ngx_duplex_metrics_integer(m, *ngx_stat_requests);

#endif
}


static void
ngx_http_duplex_api_metrics_zones(ngx_duplex_metrics_t *m)
{
    ngx_http_duplex_api_metrics_zone(m, "nginx_duplex_zone_chunks",
                           "Pieces of memory that a zone of records has.",
                           offsetof(ngx_duplex_table_stat_t, capacity));
    ngx_http_duplex_api_metrics_zone(m, "nginx_duplex_zone_free_chunks",
                           "Those of them that are free.",
                           offsetof(ngx_duplex_table_stat_t, free));
    ngx_http_duplex_api_metrics_zone(m, "nginx_duplex_zone_records",
                           "Records in the zone.",
                           offsetof(ngx_duplex_table_stat_t, records));
    ngx_http_duplex_api_metrics_zone(m, "nginx_duplex_zone_evicted_total",
                           "Records that went for want of memory.",
                           offsetof(ngx_duplex_table_stat_t, evicted));
    ngx_http_duplex_api_metrics_zone(m, "nginx_duplex_zone_refused_total",
                           "Records that were not taken for want of memory.",
                           offsetof(ngx_duplex_table_stat_t, refused));
}


static void
ngx_http_duplex_api_metrics_zone(ngx_duplex_metrics_t *m, const char *name,
    const char *help, ngx_uint_t offset)
{
    size_t                    len;
    ngx_duplex_zone_t        *zone;
    ngx_duplex_table_stat_t   stat;

    len = ngx_strlen(name);

    ngx_duplex_metrics_family(m, name,
                              ngx_strcmp(name + len - 6, "_total") == 0
                              ? "counter" : "gauge", help);

    for (zone = ngx_duplex_store_zones(); zone; zone = zone->next) {

        zone->source->stat(zone->table, &stat);

        ngx_duplex_metrics_begin(m, name);
        ngx_duplex_metrics_label(m, "zone", &zone->name);
        ngx_duplex_metrics_integer(m, *(uint64_t *) ((u_char *) &stat
                                                     + offset));
    }
}
