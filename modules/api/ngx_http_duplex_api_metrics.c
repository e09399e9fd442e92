
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

    out = ngx_duplex_metrics_finish(metrics, &length);

    if (out == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_str_set(&r->headers_out.content_type,
                "text/plain; version=0.0.4; charset=utf-8");

    return ngx_http_duplex_api_send_chain(r, NGX_HTTP_OK, out, length);
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
