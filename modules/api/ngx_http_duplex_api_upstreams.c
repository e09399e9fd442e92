
/*
 * Pages that show upstream groups and the state of their peers.
 *
 * They know peers through the neutral view only, and show what is known: a
 * member without a source (requests, times) is left out.
 */


#include "ngx_http_duplex_api_answer.h"
#include "ngx_http_duplex_api_upstreams.h"


static ngx_int_t ngx_http_duplex_api_upstream_names(
    ngx_http_duplex_api_t *api);
static void ngx_http_duplex_api_upstream_group(ngx_duplex_json_t *json,
    ngx_duplex_group_t *group);
static void ngx_http_duplex_api_upstream_peer(ngx_duplex_json_t *json,
    ngx_duplex_peer_t *peer);
static ngx_duplex_group_t *ngx_http_duplex_api_upstream_next(
    ngx_http_duplex_api_t *api, ngx_uint_t *i);


ngx_int_t
ngx_http_duplex_api_upstreams(ngx_http_duplex_api_t *api)
{
    ngx_uint_t           i;
    ngx_duplex_json_t   *json;
    ngx_duplex_group_t  *group;

    if (api->names) {
        return ngx_http_duplex_api_upstream_names(api);
    }

    json = ngx_http_duplex_api_json(api, 2);
    if (json == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    i = 0;

    ngx_duplex_json_object(json, NULL);

    while ((group = ngx_http_duplex_api_upstream_next(api, &i)) != NULL) {
        ngx_duplex_json_object_named(json, &group->name);
        ngx_http_duplex_api_upstream_group(json, group);
        ngx_duplex_json_object_end(json);
    }

    ngx_duplex_json_object_end(json);

    return ngx_http_duplex_api_send(api->request, NGX_HTTP_OK, json);
}


static ngx_int_t
ngx_http_duplex_api_upstream_names(ngx_http_duplex_api_t *api)
{
    ngx_uint_t           i;
    ngx_duplex_json_t   *json;
    ngx_duplex_group_t  *group;

    json = ngx_http_duplex_api_json(api, 1);
    if (json == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    i = 0;

    ngx_duplex_json_array(json, NULL);

    while ((group = ngx_http_duplex_api_upstream_next(api, &i)) != NULL) {
        ngx_duplex_json_string(json, NULL, &group->name);
    }

    ngx_duplex_json_array_end(json);

    return ngx_http_duplex_api_send(api->request, NGX_HTTP_OK, json);
}


ngx_int_t
ngx_http_duplex_api_upstream(ngx_http_duplex_api_t *api)
{
    ngx_int_t            rc;
    ngx_duplex_json_t   *json;
    ngx_duplex_group_t  *group;

    group = ngx_http_duplex_api_upstream_find(api, &rc);
    if (group == NULL) {
        return rc;
    }

    json = ngx_http_duplex_api_json(api, 1);
    if (json == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_duplex_json_object(json, NULL);
    ngx_http_duplex_api_upstream_group(json, group);
    ngx_duplex_json_object_end(json);

    return ngx_http_duplex_api_send(api->request, NGX_HTTP_OK, json);
}


ngx_duplex_group_t *
ngx_http_duplex_api_upstream_find(ngx_http_duplex_api_t *api, ngx_int_t *rc)
{
    ngx_str_t           *name;
    ngx_duplex_group_t  *group;

    name = &api->segment[2];        /* "PROTOCOL/upstreams/NAME" */

    group = ngx_duplex_group_find(&api->segment[0], name);

    if (group == NULL) {
        *rc = ngx_http_duplex_api_error(api->request, NGX_HTTP_NOT_FOUND,
                                        "UpstreamNotFound",
                                        "upstream not found");
        return NULL;
    }

    if (group->shm.len == 0) {
        *rc = ngx_http_duplex_api_error(api->request, NGX_HTTP_BAD_REQUEST,
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
    ngx_uint_t          i;
    ngx_duplex_peer_t  *peer;

    ngx_duplex_json_array(json, "peers");

    peer = group->peers.elts;

    for (i = 0; i < group->peers.nelts; i++) {
        ngx_http_duplex_api_upstream_peer(json, &peer[i]);
    }

    ngx_duplex_json_array_end(json);

    /* peers come and go with a configuration only: none is left behind */

    ngx_duplex_json_integer(json, "zombies", 0);
    ngx_duplex_json_string(json, "zone", &group->shm);
}


static void
ngx_http_duplex_api_upstream_peer(ngx_duplex_json_t *json,
    ngx_duplex_peer_t *peer)
{
    ngx_duplex_peer_status_t  status;

    if (ngx_duplex_peer_read(peer, &status) != NGX_OK) {
        return;
    }

    ngx_duplex_json_object(json, NULL);

    ngx_duplex_json_integer(json, "id", peer->id);
    ngx_duplex_json_string(json, "server", &peer->name);
    ngx_duplex_json_string(json, "name", &peer->server);
    ngx_duplex_json_boolean(json, "backup", peer->backup);
    ngx_duplex_json_integer(json, "weight", status.weight);
    ngx_duplex_json_text(json, "state",
                         ngx_duplex_peer_state(peer, &status));
    ngx_duplex_json_integer(json, "active", status.conns);

    if (status.max_conns) {
        ngx_duplex_json_integer(json, "max_conns", status.max_conns);
    }

    ngx_duplex_peer_fields(peer, json);

    ngx_duplex_json_object_end(json);
}


/* the next group with a zone; the others' peers differ per worker */

static ngx_duplex_group_t *
ngx_http_duplex_api_upstream_next(ngx_http_duplex_api_t *api, ngx_uint_t *i)
{
    ngx_duplex_group_t   *group;
    ngx_duplex_driver_t  *driver;

    driver = ngx_duplex_driver_find(&api->segment[0]);

    while ((group = ngx_duplex_group((*i)++)) != NULL) {
        if (group->shm.len && group->driver == driver) {
            return group;
        }
    }

    return NULL;
}
