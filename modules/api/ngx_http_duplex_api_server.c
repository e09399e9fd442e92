
/*
 * The servers of a group: their configuration as an object, and the change
 * of what may be changed at run time.
 */


#include "ngx_http_duplex_api_server.h"
#include "ngx_http_duplex_api_fields.h"
#include "ngx_http_duplex_api_upstreams.h"


static ngx_duplex_peer_t *ngx_http_duplex_api_server_find(
    ngx_duplex_call_t *call, ngx_http_duplex_api_server_t *server,
    ngx_uint_t *status);
static ngx_int_t ngx_http_duplex_api_server_read(
    ngx_http_duplex_api_server_t *server, ngx_duplex_peer_t *peer);
static void ngx_http_duplex_api_server_object(ngx_duplex_json_t *json,
    ngx_http_duplex_api_server_t *server);


ngx_uint_t
ngx_http_duplex_api_servers(ngx_duplex_call_t *call)
{
    ngx_uint_t                     status;
    ngx_duplex_peer_t             *peer;
    ngx_duplex_group_t            *group;
    ngx_http_duplex_api_server_t   server;

    group = ngx_http_duplex_api_upstream_find(call, &status);
    if (group == NULL) {
        return status;
    }

    ngx_duplex_json_array(call->json, NULL);

    for (peer = ngx_duplex_peer_first(group);
         peer;
         peer = ngx_duplex_peer_next(peer))
    {
        if (ngx_http_duplex_api_server_read(&server, peer) == NGX_OK) {
            ngx_http_duplex_api_server_object(call->json, &server);
        }
    }

    ngx_duplex_json_array_end(call->json);

    return NGX_HTTP_OK;
}


ngx_uint_t
ngx_http_duplex_api_server(ngx_duplex_call_t *call)
{
    ngx_uint_t                    status;
    ngx_http_duplex_api_server_t  server;

    if (ngx_http_duplex_api_server_find(call, &server, &status) == NULL) {
        return status;
    }

    ngx_http_duplex_api_server_object(call->json, &server);

    return NGX_HTTP_OK;
}


ngx_uint_t
ngx_http_duplex_api_server_patch(ngx_duplex_call_t *call)
{
    ngx_uint_t                    status;
    ngx_duplex_admin_e            admin;
    ngx_http_duplex_api_server_t  server;

    if (ngx_http_duplex_api_server_find(call, &server, &status) == NULL) {
        return status;
    }

    status = ngx_http_duplex_api_fields_check(call, &server);

    if (status != NGX_HTTP_OK) {
        return status;
    }

    admin = ngx_http_duplex_api_fields_admin(&server, call->body);

    if (admin != server.admin
        && ngx_duplex_peer_admin_set(server.peer, admin) == NGX_ERROR)
    {
        return ngx_duplex_call_refuse(call, NGX_HTTP_BAD_REQUEST,
                                      "UpstreamOutOfMemory",
                                      "upstream \"%V\" memory exhausted: "
                                      "\"duplex_store_size\" is too small",
                                      &server.peer->group->name);
    }

    call->durable = 1;

    /* what is there now, and not what was asked for, is the answer */

    return ngx_http_duplex_api_server(call);
}


static ngx_duplex_peer_t *
ngx_http_duplex_api_server_find(ngx_duplex_call_t *call,
    ngx_http_duplex_api_server_t *server, ngx_uint_t *status)
{
    ngx_int_t            id;
    ngx_str_t           *text;
    ngx_duplex_peer_t   *peer;
    ngx_duplex_group_t  *group;

    group = ngx_http_duplex_api_upstream_find(call, status);
    if (group == NULL) {
        return NULL;
    }

    text = &call->segment[1];

    id = ngx_atoi(text->data, text->len);

    if (id == NGX_ERROR) {
        *status = ngx_duplex_call_refuse(call, NGX_HTTP_BAD_REQUEST,
                                         "UpstreamBadServerId",
                                         "server ID \"%V\" is not a number",
                                         text);
        return NULL;
    }

    peer = ngx_duplex_peer_by_id(group, id);

    if (peer == NULL
        || ngx_http_duplex_api_server_read(server, peer) != NGX_OK)
    {
        *status = ngx_duplex_call_refuse(call, NGX_HTTP_NOT_FOUND,
                                         "UpstreamServerNotFound",
                                         "server with ID \"%V\" does not "
                                         "exist", text);
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
