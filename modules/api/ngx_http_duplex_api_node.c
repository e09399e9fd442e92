
/*
 * Pages about this node and its nginx, from what core knows of both.
 */


#include <nginx.h>
#include "ngx_http_duplex_api_node.h"
#include "ngx_http_duplex_api_ready.h"
#include "../core/ngx_duplex_identity.h"
#include "../core/ngx_duplex_lease.h"
#include "../core/ngx_duplex_store.h"
#include "../core/ngx_duplex_version.h"


static ngx_uint_t ngx_http_duplex_api_nginx(ngx_duplex_call_t *call);
static ngx_uint_t ngx_http_duplex_api_node(ngx_duplex_call_t *call);
static void ngx_http_duplex_api_node_zone(ngx_duplex_json_t *json,
    ngx_duplex_zone_t *zone);
static ngx_uint_t ngx_http_duplex_api_nodes(ngx_duplex_call_t *call);
static uint64_t ngx_http_duplex_api_now(void);


static ngx_duplex_page_t  ngx_http_duplex_api_node_pages[] = {

    { ngx_string("nginx"), ngx_http_duplex_api_nginx,
      NULL, NULL, NULL, NULL, 0, NULL },

    { ngx_string("duplex/node"), ngx_http_duplex_api_node,
      NULL, ngx_http_duplex_api_ready_patch, NULL, NULL, 0, NULL },

    /* where no feature knows of other nodes */

    { ngx_string("duplex/nodes"), ngx_http_duplex_api_nodes,
      NULL, NULL, NULL, NULL, 0, NULL },

      ngx_duplex_null_page
};


/* ms since the epoch; workers inherit it from the master */
static uint64_t  ngx_http_duplex_api_loaded;


ngx_int_t
ngx_http_duplex_api_node_register(ngx_conf_t *cf)
{
    return ngx_duplex_register_pages(cf, ngx_http_duplex_api_node_pages);
}


void
ngx_http_duplex_api_node_loaded(void)
{
    ngx_http_duplex_api_loaded = ngx_http_duplex_api_now();
}


static ngx_uint_t
ngx_http_duplex_api_nginx(ngx_duplex_call_t *call)
{
    u_char               buf[NGX_SOCKADDR_STRLEN];
    ngx_str_t            address;
    ngx_duplex_json_t   *json;
    ngx_http_request_t  *r;

    r = ngx_http_duplex_api_of(call)->request;

    address.data = buf;
    address.len = sizeof(buf);

    if (ngx_connection_local_sockaddr(r->connection, &address, 0) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    json = call->json;

    ngx_duplex_json_object(json, NULL);

    ngx_duplex_json_text(json, "version", NGINX_VERSION);
    ngx_duplex_json_text(json, "build", "nginx-duplex " NGX_DUPLEX_VERSION);
    ngx_duplex_json_string(json, "address", &address);
    ngx_duplex_json_integer(json, "generation",
                            ngx_duplex_identity()->generation);
    ngx_duplex_json_time(json, "load_timestamp", ngx_http_duplex_api_loaded);
    ngx_duplex_json_time(json, "timestamp", ngx_http_duplex_api_now());
    ngx_duplex_json_integer(json, "pid", ngx_pid);
    ngx_duplex_json_integer(json, "ppid", ngx_parent);

    ngx_duplex_json_object_end(json);

    return NGX_HTTP_OK;
}


static ngx_uint_t
ngx_http_duplex_api_node(ngx_duplex_call_t *call)
{
    ngx_pid_t               holder;
    ngx_duplex_json_t      *json;
    ngx_duplex_zone_t      *zone;
    ngx_duplex_identity_t  *identity;

    json = call->json;

    identity = ngx_duplex_identity();
    holder = ngx_duplex_lease_holder();

    ngx_duplex_json_object(json, NULL);

    ngx_duplex_json_string(json, "name", &identity->name);
    ngx_duplex_json_hex(json, "id", identity->id);
    ngx_duplex_json_hex(json, "incarnation", identity->incarnation);
    ngx_duplex_json_text(json, "version", NGX_DUPLEX_VERSION);
    ngx_duplex_json_text(json, "nginx", NGINX_VERSION);
    ngx_duplex_json_integer(json, "generation", identity->generation);
    ngx_duplex_json_integer(json, "pid", ngx_pid);

    if (holder) {
        ngx_duplex_json_integer(json, "lease_holder", holder);
    }

    ngx_duplex_json_boolean(json, "write",
                            ngx_http_duplex_api_of(call)->write);

    ngx_duplex_json_object(json, "zones");

    for (zone = ngx_duplex_store_zones(); zone; zone = zone->next) {
        ngx_http_duplex_api_node_zone(json, zone);
    }

    ngx_duplex_json_object_end(json);

    ngx_duplex_json_object_end(json);

    return NGX_HTTP_OK;
}


static void
ngx_http_duplex_api_node_zone(ngx_duplex_json_t *json, ngx_duplex_zone_t *zone)
{
    ngx_duplex_table_stat_t  stat;

    zone->source->stat(zone->table, &stat);

    ngx_duplex_json_object_named(json, &zone->name);

    ngx_duplex_json_integer(json, "size", zone->size);
    ngx_duplex_json_integer(json, "capacity", stat.capacity);
    ngx_duplex_json_integer(json, "free", stat.free);
    ngx_duplex_json_integer(json, "records", stat.records);
    ngx_duplex_json_integer(json, "tombstones", stat.tombstones);
    ngx_duplex_json_integer(json, "position", stat.head);
    ngx_duplex_json_integer(json, "evicted", stat.evicted);
    ngx_duplex_json_integer(json, "refused", stat.refused);
    ngx_duplex_json_integer(json, "recovered", stat.recovered);

    ngx_duplex_json_object_end(json);
}


static ngx_uint_t
ngx_http_duplex_api_nodes(ngx_duplex_call_t *call)
{
    ngx_duplex_json_array(call->json, NULL);
    ngx_duplex_json_array_end(call->json);

    return NGX_HTTP_OK;
}


static uint64_t
ngx_http_duplex_api_now(void)
{
    ngx_time_t  *tp;

    tp = ngx_timeofday();

    return (uint64_t) tp->sec * 1000 + tp->msec;
}
