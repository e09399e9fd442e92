
/*
 * What the body of a PATCH may say about a server.
 *
 * A client that changes one thing sends all members of the object back, so
 * whatever is equal to the present value is accepted, also where a change
 * is not.  Reads only; the body is checked as a whole before any change.
 */


#include "ngx_http_duplex_api_fields.h"


typedef struct ngx_http_duplex_api_field_s  ngx_http_duplex_api_field_t;

/* a member that cannot be changed: is it what it is already? */
typedef ngx_uint_t (*ngx_http_duplex_api_same_pt)(
    ngx_http_duplex_api_server_t *server, json_t *value);

struct ngx_http_duplex_api_field_s {
    const char                   *name;
    json_type                     type;     /* JSON_TRUE: a boolean */
    ngx_http_duplex_api_same_pt   same;     /* NULL: it can be changed */
    const char                   *code;     /* of the error when not the same */
    ngx_uint_t                    sessions; /* only where there are sessions */
};


static ngx_uint_t ngx_http_duplex_api_field_check(ngx_duplex_call_t *call,
    ngx_http_duplex_api_server_t *server, const char *name, json_t *value);
static ngx_http_duplex_api_field_t *ngx_http_duplex_api_field_find(
    const char *name);
static ngx_uint_t ngx_http_duplex_api_field_fits(
    ngx_http_duplex_api_field_t *field, json_t *value);

static ngx_uint_t ngx_http_duplex_api_same_id(
    ngx_http_duplex_api_server_t *server, json_t *value);
static ngx_uint_t ngx_http_duplex_api_same_address(
    ngx_http_duplex_api_server_t *server, json_t *value);
static ngx_uint_t ngx_http_duplex_api_same_weight(
    ngx_http_duplex_api_server_t *server, json_t *value);
static ngx_uint_t ngx_http_duplex_api_same_max_conns(
    ngx_http_duplex_api_server_t *server, json_t *value);
static ngx_uint_t ngx_http_duplex_api_same_max_fails(
    ngx_http_duplex_api_server_t *server, json_t *value);
static ngx_uint_t ngx_http_duplex_api_same_fail_timeout(
    ngx_http_duplex_api_server_t *server, json_t *value);
static ngx_uint_t ngx_http_duplex_api_same_slow_start(
    ngx_http_duplex_api_server_t *server, json_t *value);
static ngx_uint_t ngx_http_duplex_api_same_route(
    ngx_http_duplex_api_server_t *server, json_t *value);
static ngx_uint_t ngx_http_duplex_api_same_backup(
    ngx_http_duplex_api_server_t *server, json_t *value);
static ngx_uint_t ngx_http_duplex_api_same_service(
    ngx_http_duplex_api_server_t *server, json_t *value);
static ngx_uint_t ngx_http_duplex_api_equal(json_t *value, ngx_str_t *text);
static ngx_int_t ngx_http_duplex_api_seconds(json_t *value);


static ngx_http_duplex_api_field_t  ngx_http_duplex_api_fields[] = {

    { "down", JSON_TRUE, NULL, NULL, 0 },

    { "drain", JSON_TRUE, NULL, NULL, 1 },

    { "id", JSON_INTEGER, ngx_http_duplex_api_same_id,
      "UpstreamConfFormatError", 0 },

    { "server", JSON_STRING, ngx_http_duplex_api_same_address,
      "UpstreamServerImmutable", 0 },

    { "service", JSON_STRING, ngx_http_duplex_api_same_service,
      "UpstreamBadService", 0 },

    { "weight", JSON_INTEGER, ngx_http_duplex_api_same_weight,
      "UpstreamBadWeight", 0 },

    { "max_conns", JSON_INTEGER, ngx_http_duplex_api_same_max_conns,
      "UpstreamBadMaxConns", 0 },

    { "max_fails", JSON_INTEGER, ngx_http_duplex_api_same_max_fails,
      "UpstreamBadMaxFails", 0 },

    { "fail_timeout", JSON_STRING, ngx_http_duplex_api_same_fail_timeout,
      "UpstreamBadFailTimeout", 0 },

    { "slow_start", JSON_STRING, ngx_http_duplex_api_same_slow_start,
      "UpstreamBadSlowStart", 0 },

    { "route", JSON_STRING, ngx_http_duplex_api_same_route,
      "UpstreamBadRoute", 1 },

    { "backup", JSON_TRUE, ngx_http_duplex_api_same_backup,
      "UpstreamConfFormatError", 0 },

    { NULL, JSON_NULL, NULL, NULL, 0 }
};


ngx_uint_t
ngx_http_duplex_api_fields_check(ngx_duplex_call_t *call,
    ngx_http_duplex_api_server_t *server)
{
    json_t      *value;
    ngx_uint_t   status;
    const char  *name;

    if (!json_is_object(call->body)) {
        return ngx_duplex_call_refuse(call, NGX_HTTP_BAD_REQUEST,
                                      "UpstreamConfFormatError",
                                      "body is not an object");
    }

    json_object_foreach(call->body, name, value) {

        status = ngx_http_duplex_api_field_check(call, server, name, value);

        if (status != NGX_HTTP_OK) {
            return status;
        }
    }

    return NGX_HTTP_OK;
}


/* "down" and "drain" are one field: one of the two, or neither */

ngx_duplex_admin_e
ngx_http_duplex_api_fields_admin(ngx_http_duplex_api_server_t *server,
    json_t *body)
{
    json_t  *down, *drain;

    down = json_object_get(body, "down");
    drain = json_object_get(body, "drain");

    if (json_is_true(down)) {
        return ngx_duplex_admin_down;
    }

    if (json_is_true(drain)) {
        return ngx_duplex_admin_drain;
    }

    /* the way out of draining is "drain": false, and "down": false in Plus */

    if (down || (drain && server->admin == ngx_duplex_admin_drain)) {
        return ngx_duplex_admin_up;
    }

    return server->admin;
}


static ngx_uint_t
ngx_http_duplex_api_field_check(ngx_duplex_call_t *call,
    ngx_http_duplex_api_server_t *server, const char *name, json_t *value)
{
    ngx_http_duplex_api_field_t  *field;

    field = ngx_http_duplex_api_field_find(name);

    if (field == NULL
        || (field->sessions && !server->peer->group->driver->sessions))
    {
        return ngx_duplex_call_refuse(call, NGX_HTTP_BAD_REQUEST,
                                      "UpstreamConfFormatError",
                                      "unknown parameter \"%s\"", name);
    }

    if (json_is_object(value) || json_is_array(value)) {
        return ngx_duplex_call_refuse(call, NGX_HTTP_BAD_REQUEST,
                                      "UpstreamConfFormatError",
                                      "nested object or list in \"%s\"",
                                      name);
    }

    if (!ngx_http_duplex_api_field_fits(field, value)) {
        return ngx_duplex_call_refuse(call, NGX_HTTP_BAD_REQUEST,
                                      "UpstreamConfFormatError",
                                      "invalid \"%s\" value", name);
    }

    if (field->same && !field->same(server, value)) {
        return ngx_duplex_call_refuse(call, NGX_HTTP_BAD_REQUEST, field->code,
                                      "\"%s\" cannot be changed at run "
                                      "time", name);
    }

    return NGX_HTTP_OK;
}


static ngx_http_duplex_api_field_t *
ngx_http_duplex_api_field_find(const char *name)
{
    ngx_http_duplex_api_field_t  *field;

    for (field = ngx_http_duplex_api_fields; field->name; field++) {
        if (ngx_strcmp(field->name, name) == 0) {
            return field;
        }
    }

    return NULL;
}


static ngx_uint_t
ngx_http_duplex_api_field_fits(ngx_http_duplex_api_field_t *field,
    json_t *value)
{
    if (field->type == JSON_TRUE) {
        return json_is_boolean(value);
    }

    return json_typeof(value) == field->type;
}


static ngx_uint_t
ngx_http_duplex_api_same_id(ngx_http_duplex_api_server_t *server,
    json_t *value)
{
    return json_integer_value(value) == (json_int_t) server->peer->id;
}


/* as written, as an address, or as an address that leaves port 80 away */

static ngx_uint_t
ngx_http_duplex_api_same_address(ngx_http_duplex_api_server_t *server,
    json_t *value)
{
    ngx_str_t           name;
    ngx_duplex_peer_t  *peer;

    peer = server->peer;

    if (ngx_http_duplex_api_equal(value, &peer->name)
        || ngx_http_duplex_api_equal(value, &peer->server))
    {
        return 1;
    }

    name = peer->name;

    if (name.len < 3
        || ngx_strncmp(name.data + name.len - 3, ":80", 3) != 0)
    {
        return 0;
    }

    name.len -= 3;

    return ngx_http_duplex_api_equal(value, &name);
}


static ngx_uint_t
ngx_http_duplex_api_same_weight(ngx_http_duplex_api_server_t *server,
    json_t *value)
{
    return json_integer_value(value) == (json_int_t) server->status.weight;
}


static ngx_uint_t
ngx_http_duplex_api_same_max_conns(ngx_http_duplex_api_server_t *server,
    json_t *value)
{
    return json_integer_value(value) == (json_int_t) server->status.max_conns;
}


static ngx_uint_t
ngx_http_duplex_api_same_max_fails(ngx_http_duplex_api_server_t *server,
    json_t *value)
{
    return json_integer_value(value) == (json_int_t) server->status.max_fails;
}


static ngx_uint_t
ngx_http_duplex_api_same_fail_timeout(ngx_http_duplex_api_server_t *server,
    json_t *value)
{
    return ngx_http_duplex_api_seconds(value)
           == (ngx_int_t) server->status.fail_timeout;
}


static ngx_uint_t
ngx_http_duplex_api_same_slow_start(ngx_http_duplex_api_server_t *server,
    json_t *value)
{
    return ngx_http_duplex_api_seconds(value) == 0;
}


static ngx_uint_t
ngx_http_duplex_api_same_route(ngx_http_duplex_api_server_t *server,
    json_t *value)
{
    return ngx_http_duplex_api_equal(value, &server->peer->route);
}


static ngx_uint_t
ngx_http_duplex_api_same_backup(ngx_http_duplex_api_server_t *server,
    json_t *value)
{
    return json_is_true(value) == (int) server->peer->backup;
}


/* no server has a service */

static ngx_uint_t
ngx_http_duplex_api_same_service(ngx_http_duplex_api_server_t *server,
    json_t *value)
{
    return json_string_length(value) == 0;
}


static ngx_uint_t
ngx_http_duplex_api_equal(json_t *value, ngx_str_t *text)
{
    if (json_string_length(value) != text->len) {
        return 0;
    }

    /* an empty text may have no data */

    return text->len == 0
           || ngx_strncmp(json_string_value(value), text->data, text->len)
              == 0;
}


/* NGX_ERROR if it is no time */

static ngx_int_t
ngx_http_duplex_api_seconds(json_t *value)
{
    ngx_str_t  text;

    text.data = (u_char *) json_string_value(value);
    text.len = json_string_length(value);

    return ngx_parse_time(&text, 1);
}
