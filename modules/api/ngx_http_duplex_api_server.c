
/*
 * The servers of a group: their configuration as an object, and the change
 * of what may be changed at run time.
 */


#include "ngx_http_duplex_api_answer.h"
#include "ngx_http_duplex_api_durable.h"
#include "ngx_http_duplex_api_server.h"
#include "ngx_http_duplex_api_fields.h"
#include "ngx_http_duplex_api_upstreams.h"


static ngx_duplex_peer_t *ngx_http_duplex_api_server_find(
    ngx_http_duplex_api_t *api, ngx_http_duplex_api_server_t *server,
    ngx_int_t *rc);
static ngx_int_t ngx_http_duplex_api_server_read(
    ngx_http_duplex_api_server_t *server, ngx_duplex_peer_t *peer);
static ngx_int_t ngx_http_duplex_api_server_answer(ngx_http_duplex_api_t *api,
    ngx_http_duplex_api_server_t *server);
static void ngx_http_duplex_api_server_object(ngx_duplex_json_t *json,
    ngx_http_duplex_api_server_t *server);
static ngx_int_t ngx_http_duplex_api_server_change(ngx_http_duplex_api_t *api,
    ngx_http_duplex_api_server_t *server, json_t *body);


ngx_int_t
ngx_http_duplex_api_servers(ngx_http_duplex_api_t *api)
{
    ngx_int_t                      rc;
    ngx_uint_t                     i;
    ngx_duplex_json_t             *json;
    ngx_duplex_peer_t             *peer;
    ngx_duplex_group_t            *group;
    ngx_http_duplex_api_server_t   server;

    group = ngx_http_duplex_api_upstream_find(api, &rc);
    if (group == NULL) {
        return rc;
    }

    json = ngx_http_duplex_api_json(api, 1);
    if (json == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_duplex_json_array(json, NULL);

    peer = group->peers.elts;

    for (i = 0; i < group->peers.nelts; i++) {
        if (ngx_http_duplex_api_server_read(&server, &peer[i]) == NGX_OK) {
            ngx_http_duplex_api_server_object(json, &server);
        }
    }

    ngx_duplex_json_array_end(json);

    return ngx_http_duplex_api_send(api->request, NGX_HTTP_OK, json);
}


ngx_int_t
ngx_http_duplex_api_server(ngx_http_duplex_api_t *api)
{
    ngx_int_t                     rc;
    ngx_http_duplex_api_server_t  server;

    if (ngx_http_duplex_api_server_find(api, &server, &rc) == NULL) {
        return rc;
    }

    return ngx_http_duplex_api_server_answer(api, &server);
}


ngx_int_t
ngx_http_duplex_api_server_patch(ngx_http_duplex_api_t *api)
{
    json_t                        *body;
    ngx_int_t                      rc;
    json_error_t                   error;
    ngx_http_duplex_api_server_t   server;

    if (ngx_http_duplex_api_server_find(api, &server, &rc) == NULL) {
        return rc;
    }

    body = json_loadb((char *) api->body.data, api->body.len,
                      JSON_REJECT_DUPLICATES, &error);

    if (body == NULL) {
        return ngx_http_duplex_api_error(api->request,
                                         NGX_HTTP_UNSUPPORTED_MEDIA_TYPE,
                                         "JsonError", "%s", error.text);
    }

    rc = ngx_http_duplex_api_server_change(api, &server, body);

    json_decref(body);

    return rc;
}


static ngx_duplex_peer_t *
ngx_http_duplex_api_server_find(ngx_http_duplex_api_t *api,
    ngx_http_duplex_api_server_t *server, ngx_int_t *rc)
{
    ngx_int_t            id;
    ngx_str_t           *text;
    ngx_duplex_peer_t   *peer;
    ngx_duplex_group_t  *group;

    group = ngx_http_duplex_api_upstream_find(api, rc);
    if (group == NULL) {
        return NULL;
    }

    text = &api->segment[4];        /* "PROTOCOL/upstreams/NAME/servers/ID" */

    id = ngx_atoi(text->data, text->len);

    if (id == NGX_ERROR) {
        *rc = ngx_http_duplex_api_error(api->request, NGX_HTTP_BAD_REQUEST,
                                        "UpstreamBadServerId",
                                        "server ID \"%V\" is not a number",
                                        text);
        return NULL;
    }

    peer = ngx_duplex_peer_by_id(group, id);

    if (peer == NULL
        || ngx_http_duplex_api_server_read(server, peer) != NGX_OK)
    {
        *rc = ngx_http_duplex_api_error(api->request, NGX_HTTP_NOT_FOUND,
                                        "UpstreamServerNotFound",
                                        "server with ID \"%V\" does not exist",
                                        text);
        return NULL;
    }

    return peer;
}


static ngx_int_t
ngx_http_duplex_api_server_read(ngx_http_duplex_api_server_t *server,
    ngx_duplex_peer_t *peer)
{
    server->peer = peer;
    server->admin = ngx_duplex_peer_admin(peer);

    if (server->admin == ngx_duplex_admin_none) {

        if (peer->configured & NGX_DUPLEX_DOWN_CONFIG) {
            server->admin = ngx_duplex_admin_down;

        } else if (peer->configured & NGX_DUPLEX_DOWN_DRAIN) {
            server->admin = ngx_duplex_admin_drain;

        } else {
            server->admin = ngx_duplex_admin_up;
        }
    }

    return ngx_duplex_peer_read(peer, &server->status);
}


static ngx_int_t
ngx_http_duplex_api_server_answer(ngx_http_duplex_api_t *api,
    ngx_http_duplex_api_server_t *server)
{
    ngx_duplex_json_t  *json;

    json = ngx_http_duplex_api_json(api, 1);
    if (json == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_duplex_api_server_object(json, server);

    return ngx_http_duplex_api_send(api->request, NGX_HTTP_OK, json);
}


static void
ngx_http_duplex_api_server_object(ngx_duplex_json_t *json,
    ngx_http_duplex_api_server_t *server)
{
    u_char              text[NGX_TIME_T_LEN + sizeof("s")];
    ngx_duplex_peer_t  *peer;

    peer = server->peer;

    ngx_sprintf(text, "%Ts%Z", server->status.fail_timeout);

    ngx_duplex_json_object(json, NULL);

    ngx_duplex_json_integer(json, "id", peer->id);
    ngx_duplex_json_string(json, "server", &peer->name);
    ngx_duplex_json_integer(json, "weight", server->status.weight);
    ngx_duplex_json_integer(json, "max_conns", server->status.max_conns);
    ngx_duplex_json_integer(json, "max_fails", server->status.max_fails);
    ngx_duplex_json_text(json, "fail_timeout", (char *) text);
    ngx_duplex_json_text(json, "slow_start", "0s");

    if (peer->group->driver->sessions) {
        ngx_duplex_json_string(json, "route", &peer->route);
    }

    ngx_duplex_json_boolean(json, "backup", peer->backup);
    ngx_duplex_json_boolean(json, "down",
                            server->admin == ngx_duplex_admin_down);

    if (server->admin == ngx_duplex_admin_drain) {
        ngx_duplex_json_boolean(json, "drain", 1);
    }

    ngx_duplex_json_object_end(json);
}


static ngx_int_t
ngx_http_duplex_api_server_change(ngx_http_duplex_api_t *api,
    ngx_http_duplex_api_server_t *server, json_t *body)
{
    ngx_int_t           rc;
    ngx_duplex_admin_e  admin;

    rc = ngx_http_duplex_api_fields_check(api, server, body);

    if (rc != NGX_DECLINED) {
        return rc;
    }

    admin = ngx_http_duplex_api_fields_admin(server, body);

    if (admin != server->admin
        && ngx_duplex_peer_admin_set(server->peer, admin) == NGX_ERROR)
    {
        return ngx_http_duplex_api_error(api->request, NGX_HTTP_BAD_REQUEST,
                                         "UpstreamOutOfMemory",
                                         "upstream \"%V\" memory exhausted: "
                                         "\"duplex_store_size\" is too small",
                                         &server->peer->group->name);
    }

    /* what is there then, and not what was asked for, is the answer */

    return ngx_http_duplex_api_durable(api, ngx_http_duplex_api_server);
}
