
/*
 * Pages that show upstream groups and the state of their peers.
 *
 * They know peers through the neutral view only, and show what is known: a
 * member without a source (requests, times) is left out.
 */


#include "ngx_http_duplex_api_server.h"
#include "../upstream/ngx_duplex_name.h"
#include "../upstream/ngx_duplex_panic.h"
#include "../upstream/ngx_duplex_queue.h"
#include "ngx_http_duplex_api_upstreams.h"
#include "../status/ngx_duplex_peer_counters.h"


static ngx_uint_t ngx_http_duplex_api_upstreams(ngx_duplex_call_t *call);
static ngx_uint_t ngx_http_duplex_api_upstream(ngx_duplex_call_t *call);
static ngx_uint_t ngx_http_duplex_api_upstream_reset(ngx_duplex_call_t *call);
static void ngx_http_duplex_api_upstream_group(ngx_duplex_json_t *json,
    ngx_duplex_group_t *group);
static void ngx_http_duplex_api_upstream_peer(ngx_duplex_json_t *json,
    ngx_duplex_peer_t *peer);


static ngx_str_t  ngx_http_duplex_api_http = ngx_string("http");
static ngx_str_t  ngx_http_duplex_api_stream = ngx_string("stream");


static ngx_duplex_page_t  ngx_http_duplex_api_upstreams_pages[] = {

    { ngx_string("http/upstreams"),
      ngx_http_duplex_api_upstreams, NULL, NULL, NULL, NULL,
      1, &ngx_http_duplex_api_http },

    { ngx_string("http/upstreams/*"), ngx_http_duplex_api_upstream,
      NULL, NULL, NULL, ngx_http_duplex_api_upstream_reset,
      0, &ngx_http_duplex_api_http },

    { ngx_string("http/upstreams/*/servers"),
      ngx_http_duplex_api_servers,
      ngx_http_duplex_api_servers_post, NULL,
      ngx_http_duplex_api_servers_put, NULL,
      0, &ngx_http_duplex_api_http },

    { ngx_string("http/upstreams/*/servers/*"),
      ngx_http_duplex_api_server,
      NULL, ngx_http_duplex_api_server_patch, NULL,
      ngx_http_duplex_api_server_delete,
      0, &ngx_http_duplex_api_http },

    { ngx_string("stream/upstreams"),
      ngx_http_duplex_api_upstreams, NULL, NULL, NULL, NULL,
      1, &ngx_http_duplex_api_stream },

    { ngx_string("stream/upstreams/*"), ngx_http_duplex_api_upstream,
      NULL, NULL, NULL, ngx_http_duplex_api_upstream_reset,
      0, &ngx_http_duplex_api_stream },

    { ngx_string("stream/upstreams/*/servers"),
      ngx_http_duplex_api_servers,
      ngx_http_duplex_api_servers_post, NULL,
      ngx_http_duplex_api_servers_put, NULL,
      0, &ngx_http_duplex_api_stream },

    { ngx_string("stream/upstreams/*/servers/*"),
      ngx_http_duplex_api_server,
      NULL, ngx_http_duplex_api_server_patch, NULL,
      ngx_http_duplex_api_server_delete,
      0, &ngx_http_duplex_api_stream },

      ngx_duplex_null_page
};


ngx_int_t
ngx_http_duplex_api_upstreams_register(ngx_conf_t *cf)
{
    ngx_str_t          *protocol;
    ngx_duplex_page_t  *page;

    for (page = ngx_http_duplex_api_upstreams_pages; page->path.len; page++) {

        protocol = page->data;

        if (ngx_duplex_driver_bound(cf, protocol)
            && ngx_duplex_register_page(cf, page) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_http_duplex_api_upstreams(ngx_duplex_call_t *call)
{
    ngx_uint_t            i;
    ngx_duplex_group_t   *group;
    ngx_duplex_driver_t  *driver;

    ngx_duplex_store_catch_up();

    driver = ngx_duplex_driver_find(ngx_http_duplex_api_protocol(call));

    ngx_duplex_json_object(call->json, NULL);

    for (i = 0; (group = ngx_duplex_group(i)) != NULL; i++) {

        /* the peers of groups without a zone differ per worker */

        if (group->driver != driver || group->shm.len == 0) {
            continue;
        }

        ngx_duplex_json_object_named(call->json, &group->name);
        ngx_http_duplex_api_upstream_group(call->json, group);
        ngx_duplex_json_object_end(call->json);
    }

    ngx_duplex_json_object_end(call->json);

    return NGX_HTTP_OK;
}


static ngx_uint_t
ngx_http_duplex_api_upstream(ngx_duplex_call_t *call)
{
    ngx_uint_t           status;
    ngx_duplex_group_t  *group;

    group = ngx_http_duplex_api_upstream_find(call, &status);
    if (group == NULL) {
        return status;
    }

    ngx_duplex_json_object(call->json, NULL);
    ngx_http_duplex_api_upstream_group(call->json, group);
    ngx_duplex_json_object_end(call->json);

    return NGX_HTTP_OK;
}


/* the group stays, its counters begin anew */

static ngx_uint_t
ngx_http_duplex_api_upstream_reset(ngx_duplex_call_t *call)
{
    ngx_uint_t           status;
    ngx_duplex_group_t  *group;

    group = ngx_http_duplex_api_upstream_find(call, &status);
    if (group == NULL) {
        return status;
    }

    ngx_duplex_peer_counters_reset(group);

    return NGX_HTTP_NO_CONTENT;
}


ngx_duplex_group_t *
ngx_http_duplex_api_upstream_find(ngx_duplex_call_t *call, ngx_uint_t *status)
{
    ngx_str_t           *name;
    ngx_duplex_group_t  *group;

    name = &call->segment[0];

    /* what another worker has answered may not have been seen here yet */

    ngx_duplex_store_catch_up();

    group = ngx_duplex_group_find(ngx_http_duplex_api_protocol(call), name);

    if (group == NULL) {
        *status = ngx_duplex_call_refuse(call, NGX_HTTP_NOT_FOUND,
                                         "UpstreamNotFound",
                                         "upstream not found");
        return NULL;
    }

    if (group->shm.len == 0) {
        *status = ngx_duplex_call_refuse(call, NGX_HTTP_BAD_REQUEST,
                                         "UpstreamStatic",
                                         "upstream \"%V\" has no zone", name);
        return NULL;
    }

    return group;
}


static void
ngx_http_duplex_api_upstream_group(ngx_duplex_json_t *json,
    ngx_duplex_group_t *group)
{
    ngx_duplex_peer_t  *peer;

    ngx_duplex_json_array(json, "peers");

    for (peer = ngx_duplex_peer_first(group);
         peer;
         peer = ngx_duplex_peer_next(peer))
    {
        ngx_http_duplex_api_upstream_peer(json, peer);
    }

    ngx_duplex_json_array_end(json);

    ngx_duplex_json_integer(json, "zombies", ngx_duplex_group_zombies(group));
    ngx_duplex_json_string(json, "zone", &group->shm);

    ngx_duplex_queue_fields(group, json);
    ngx_duplex_panic_fields(group, json);
}


static void
ngx_http_duplex_api_upstream_peer(ngx_duplex_json_t *json,
    ngx_duplex_peer_t *peer)
{
    ngx_duplex_name_t         *name;
    ngx_duplex_peer_status_t   status;

    if (ngx_duplex_peer_read(peer, &status) != NGX_OK) {
        return;
    }

    ngx_duplex_json_object(json, NULL);

    ngx_duplex_json_integer(json, "id", peer->id);
    ngx_duplex_json_string(json, "server", &peer->name);

    name = ngx_duplex_name_of(peer);

    if (name && name->service.len) {
        ngx_duplex_json_string(json, "service", &name->service);
    }

    ngx_duplex_json_string(json, "name", name ? &name->written
                                              : &peer->server);
    ngx_duplex_json_boolean(json, "backup", peer->backup);
    ngx_duplex_json_integer(json, "weight", peer->set.weight);
    ngx_duplex_json_text(json, "state",
                         ngx_duplex_peer_state(peer, &status));
    ngx_duplex_json_integer(json, "active", status.conns);

    if (peer->set.max_conns) {
        ngx_duplex_json_integer(json, "max_conns", peer->set.max_conns);
    }

    ngx_duplex_peer_fields(peer, json);

    ngx_duplex_json_object_end(json);
}
