
/*
 * What a body may say about a server, new or present.
 *
 * A client that changes one thing sends all members of the object back, so
 * whatever is equal to the present value is accepted, also where a change
 * is not.  Reads only; a body is checked as a whole before any change.
 */


#include "../upstream/ngx_duplex_name.h"
#include "ngx_http_duplex_api_fields.h"


#define NGX_HTTP_DUPLEX_API_WEIGHT_MAX  65535
#define NGX_HTTP_DUPLEX_API_NUMBER_MAX  0x7fffffff


/* one body being read */
typedef struct {
    ngx_duplex_call_t    *call;
    ngx_duplex_group_t   *group;
    ngx_duplex_peer_t    *peer;         /* NULL: a new one */
    ngx_duplex_member_t  *member;
    ngx_uint_t            mask;
    ngx_uint_t            moved;
} ngx_http_duplex_api_fields_t;


typedef struct ngx_http_duplex_api_field_s  ngx_http_duplex_api_field_t;

/* NGX_HTTP_OK, or the status of a refusal */
typedef ngx_uint_t (*ngx_http_duplex_api_field_pt)(
    ngx_http_duplex_api_fields_t *fields, ngx_http_duplex_api_field_t *field,
    json_t *value);

struct ngx_http_duplex_api_field_s {
    const char                    *name;
    json_type                      type;    /* JSON_TRUE: a boolean */
    ngx_http_duplex_api_field_pt   read;
    ngx_uint_t                     bit;     /* NGX_DUPLEX_SET_* */
    const char                    *code;    /* of a bad value */
    ngx_uint_t                     sessions; /* only where there are some */
};


static ngx_uint_t ngx_http_duplex_api_field_check(
    ngx_http_duplex_api_fields_t *fields, const char *name, json_t *value);
static ngx_http_duplex_api_field_t *ngx_http_duplex_api_field_find(
    const char *name);
static void ngx_http_duplex_api_field_state(
    ngx_http_duplex_api_fields_t *fields, json_t *body);

static ngx_uint_t ngx_http_duplex_api_field_flag(
    ngx_http_duplex_api_fields_t *fields, ngx_http_duplex_api_field_t *field,
    json_t *value);
static ngx_uint_t ngx_http_duplex_api_field_id(
    ngx_http_duplex_api_fields_t *fields, ngx_http_duplex_api_field_t *field,
    json_t *value);
static ngx_uint_t ngx_http_duplex_api_field_server(
    ngx_http_duplex_api_fields_t *fields, ngx_http_duplex_api_field_t *field,
    json_t *value);
static ngx_uint_t ngx_http_duplex_api_field_host(
    ngx_http_duplex_api_fields_t *fields, ngx_http_duplex_api_field_t *field,
    json_t *value);
static ngx_uint_t ngx_http_duplex_api_field_service(
    ngx_http_duplex_api_fields_t *fields, ngx_http_duplex_api_field_t *field,
    json_t *value);
static ngx_uint_t ngx_http_duplex_api_field_number(
    ngx_http_duplex_api_fields_t *fields, ngx_http_duplex_api_field_t *field,
    json_t *value);
static ngx_uint_t ngx_http_duplex_api_field_time(
    ngx_http_duplex_api_fields_t *fields, ngx_http_duplex_api_field_t *field,
    json_t *value);
static ngx_uint_t ngx_http_duplex_api_field_route(
    ngx_http_duplex_api_fields_t *fields, ngx_http_duplex_api_field_t *field,
    json_t *value);
static ngx_uint_t ngx_http_duplex_api_field_backup(
    ngx_http_duplex_api_fields_t *fields, ngx_http_duplex_api_field_t *field,
    json_t *value);
static ngx_uint_t ngx_http_duplex_api_address(
    ngx_http_duplex_api_fields_t *fields, ngx_str_t *text);
static ngx_uint_t ngx_http_duplex_api_equal(json_t *value, ngx_str_t *text);


static ngx_http_duplex_api_field_t  ngx_http_duplex_api_fields[] = {

    { "down", JSON_TRUE, ngx_http_duplex_api_field_flag,
      NGX_DUPLEX_SET_STATE, NULL, 0 },

    { "drain", JSON_TRUE, ngx_http_duplex_api_field_flag,
      NGX_DUPLEX_SET_STATE, NULL, 1 },

    { "id", JSON_INTEGER, ngx_http_duplex_api_field_id, 0, NULL, 0 },

    { "server", JSON_STRING, ngx_http_duplex_api_field_server, 0,
      "UpstreamBadAddress", 0 },

    { "host", JSON_STRING, ngx_http_duplex_api_field_host, 0, NULL, 0 },

    { "service", JSON_STRING, ngx_http_duplex_api_field_service, 0,
      "UpstreamBadService", 0 },

    { "weight", JSON_INTEGER, ngx_http_duplex_api_field_number,
      NGX_DUPLEX_SET_WEIGHT, "UpstreamBadWeight", 0 },

    { "max_conns", JSON_INTEGER, ngx_http_duplex_api_field_number,
      NGX_DUPLEX_SET_MAX_CONNS, "UpstreamBadMaxConns", 0 },

    { "max_fails", JSON_INTEGER, ngx_http_duplex_api_field_number,
      NGX_DUPLEX_SET_MAX_FAILS, "UpstreamBadMaxFails", 0 },

    { "fail_timeout", JSON_STRING, ngx_http_duplex_api_field_time,
      NGX_DUPLEX_SET_FAIL_TIMEOUT, "UpstreamBadFailTimeout", 0 },

    { "slow_start", JSON_STRING, ngx_http_duplex_api_field_time,
      NGX_DUPLEX_SET_SLOW_START, "UpstreamBadSlowStart", 0 },

    { "route", JSON_STRING, ngx_http_duplex_api_field_route,
      NGX_DUPLEX_SET_ROUTE, "UpstreamBadRoute", 1 },

    { "backup", JSON_TRUE, ngx_http_duplex_api_field_backup, 0, NULL, 0 },

    { NULL, JSON_NULL, NULL, 0, NULL, 0 }
};


ngx_uint_t
ngx_http_duplex_api_fields_read(ngx_duplex_call_t *call,
    ngx_duplex_group_t *group, ngx_duplex_peer_t *peer, json_t *body,
    ngx_duplex_member_t *member, ngx_uint_t *mask, ngx_uint_t *moved)
{
    json_t                        *value;
    ngx_uint_t                     status;
    const char                    *name;
    ngx_http_duplex_api_fields_t   fields;

    if (!json_is_object(body)) {
        return ngx_duplex_call_refuse(call, NGX_HTTP_BAD_REQUEST,
                                      "UpstreamConfFormatError",
                                      "body is not an object");
    }

    ngx_memzero(&fields, sizeof(ngx_http_duplex_api_fields_t));

    fields.call = call;
    fields.group = group;
    fields.peer = peer;
    fields.member = member;

    ngx_memzero(member, sizeof(ngx_duplex_member_t));

    if (peer) {
        member->server = peer->server;
        member->name = peer->name;
        member->backup = peer->backup;
        member->set = peer->set;

    } else {
        ngx_duplex_settings_init(&member->set);
    }

    json_object_foreach(body, name, value) {

        status = ngx_http_duplex_api_field_check(&fields, name, value);

        if (status != NGX_HTTP_OK) {
            return status;
        }
    }

    if (member->server.len == 0) {
        return ngx_duplex_call_refuse(call, NGX_HTTP_BAD_REQUEST,
                                      "UpstreamConfFormatError",
                                      "missing \"server\" argument");
    }

    ngx_http_duplex_api_field_state(&fields, body);

    *mask = fields.mask;
    *moved = fields.moved;

    return NGX_HTTP_OK;
}


/* "down" and "drain" are one field: one of the two, or neither */

static void
ngx_http_duplex_api_field_state(ngx_http_duplex_api_fields_t *fields,
    json_t *body)
{
    json_t                 *down, *drain;
    ngx_duplex_settings_t  *set;

    down = json_object_get(body, "down");
    drain = json_object_get(body, "drain");
    set = &fields->member->set;

    if (json_is_true(down)) {
        set->state = ngx_duplex_admin_down;

    } else if (json_is_true(drain)) {
        set->state = ngx_duplex_admin_drain;

    } else if (down || (drain && set->state == ngx_duplex_admin_drain)) {

        /* out of draining: "drain": false, and "down": false in Plus */

        set->state = ngx_duplex_admin_up;
    }
}


static ngx_uint_t
ngx_http_duplex_api_field_check(ngx_http_duplex_api_fields_t *fields,
    const char *name, json_t *value)
{
    ngx_uint_t                    fits;
    ngx_duplex_call_t            *call;
    ngx_http_duplex_api_field_t  *field;

    call = fields->call;
    field = ngx_http_duplex_api_field_find(name);

    if (field == NULL
        || (field->sessions && !fields->group->driver->sessions))
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

    fits = (field->type == JSON_TRUE) ? json_is_boolean(value)
                                      : json_typeof(value) == field->type;

    if (!fits) {
        return ngx_duplex_call_refuse(call, NGX_HTTP_BAD_REQUEST,
                                      "UpstreamConfFormatError",
                                      "invalid \"%s\" value", name);
    }

    fields->mask |= field->bit;

    return field->read(fields, field, value);
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


/* read together when all members have been checked */

static ngx_uint_t
ngx_http_duplex_api_field_flag(ngx_http_duplex_api_fields_t *fields,
    ngx_http_duplex_api_field_t *field, json_t *value)
{
    return NGX_HTTP_OK;
}


static ngx_uint_t
ngx_http_duplex_api_field_id(ngx_http_duplex_api_fields_t *fields,
    ngx_http_duplex_api_field_t *field, json_t *value)
{
    if (fields->peer
        && json_integer_value(value) == (json_int_t) fields->peer->id)
    {
        return NGX_HTTP_OK;
    }

    return ngx_duplex_call_refuse(fields->call, NGX_HTTP_BAD_REQUEST,
                                  "UpstreamConfFormatError",
                                  "\"id\" cannot be changed");
}


/* the present one: as written, or as an address, or without its port 80 */

static ngx_uint_t
ngx_http_duplex_api_field_server(ngx_http_duplex_api_fields_t *fields,
    ngx_http_duplex_api_field_t *field, json_t *value)
{
    u_char             *p;
    ngx_str_t           text;
    ngx_uint_t          status;
    ngx_duplex_peer_t  *peer;

    peer = fields->peer;

    if (peer
        && (ngx_http_duplex_api_equal(value, &peer->name)
            || ngx_http_duplex_api_equal(value, &peer->server)))
    {
        return NGX_HTTP_OK;
    }

    text.len = json_string_length(value);

    p = ngx_pnalloc(fields->call->pool, text.len + 1);
    if (p == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    text.data = p;
    p = ngx_cpymem(p, json_string_value(value), text.len);
    *p = '\0';

    status = ngx_http_duplex_api_address(fields, &text);

    if (status != NGX_HTTP_OK || peer == NULL) {
        return status;
    }

    if (fields->member->name.len != peer->name.len
        || ngx_memcmp(fields->member->name.data, peer->name.data,
                      peer->name.len)
           != 0)
    {
        fields->moved = 1;
    }

    return NGX_HTTP_OK;
}


static ngx_uint_t
ngx_http_duplex_api_address(ngx_http_duplex_api_fields_t *fields,
    ngx_str_t *text)
{
    ngx_url_t             u;
    ngx_uint_t            stream;
    ngx_duplex_call_t    *call;
    ngx_duplex_member_t  *member;

    call = fields->call;
    member = fields->member;
    stream = !fields->group->driver->sessions;

    if (text->len == 0 || ngx_strlchr(text->data, text->data + text->len, ' '))
    {
        return ngx_duplex_call_refuse(call, NGX_HTTP_BAD_REQUEST,
                                      "UpstreamBadAddress",
                                      "invalid \"server\" argument");
    }

    ngx_memzero(&u, sizeof(ngx_url_t));

    u.url = *text;
    u.default_port = stream ? 0 : 80;
    u.no_resolve = 1;

    if (ngx_parse_url(call->pool, &u) != NGX_OK) {
        return ngx_duplex_call_refuse(call, NGX_HTTP_BAD_REQUEST,
                                      "UpstreamBadAddress",
                                      "\"%s\" while parsing",
                                      u.err ? u.err : "no memory");
    }

    if (u.uri.len || u.last_port || u.wildcard) {
        return ngx_duplex_call_refuse(call, NGX_HTTP_BAD_REQUEST,
                                      "UpstreamBadAddress",
                                      "invalid \"server\" argument");
    }

    if (u.family != AF_UNIX && u.no_port && stream) {
        return ngx_duplex_call_refuse(call, NGX_HTTP_BAD_REQUEST,
                                      "UpstreamBadAddress",
                                      "no port in server \"%V\"", text);
    }

    if (u.naddrs == 0) {
        return ngx_duplex_call_refuse(call, NGX_HTTP_BAD_REQUEST,
                                      "UpstreamConfNoResolver",
                                      "no resolver defined to resolve \"%V\"",
                                      &u.host);
    }

    /* with its port, whichever way it was written */

    member->server = u.addrs[0].name;
    member->name = u.addrs[0].name;

    return NGX_HTTP_OK;
}


/* a service is resolved, an address is not */

/* what a client was shown may come back; a whole list has no peer to ask */

static ngx_uint_t
ngx_http_duplex_api_field_host(ngx_http_duplex_api_fields_t *fields,
    ngx_http_duplex_api_field_t *field, json_t *value)
{
    ngx_duplex_name_t  *name;

    if (fields->peer == NULL && json_is_array(fields->call->body)) {
        return NGX_HTTP_OK;
    }

    name = fields->peer ? ngx_duplex_name_of(fields->peer) : NULL;

    if (name && ngx_http_duplex_api_equal(value, &name->host)) {
        return NGX_HTTP_OK;
    }

    return ngx_duplex_call_refuse(fields->call, NGX_HTTP_BAD_REQUEST,
                                  "UpstreamConfFormatError",
                                  "unknown parameter \"%s\"", field->name);
}


static ngx_uint_t
ngx_http_duplex_api_field_service(ngx_http_duplex_api_fields_t *fields,
    ngx_http_duplex_api_field_t *field, json_t *value)
{
    ngx_duplex_name_t  *name;

    name = fields->peer ? ngx_duplex_name_of(fields->peer) : NULL;

    if ((name && ngx_http_duplex_api_equal(value, &name->service))
        || (fields->peer == NULL && json_is_array(fields->call->body)))
    {
        return NGX_HTTP_OK;
    }

    if (json_string_length(value) == 0) {

        if (fields->peer) {
            return NGX_HTTP_OK;
        }

        return ngx_duplex_call_refuse(fields->call, NGX_HTTP_BAD_REQUEST,
                                      field->code, "\"service\" is empty");
    }

    return ngx_duplex_call_refuse(fields->call, NGX_HTTP_BAD_REQUEST,
                                  "UpstreamConfNoResolver",
                                  "no resolver defined to resolve");
}


static ngx_uint_t
ngx_http_duplex_api_field_number(ngx_http_duplex_api_fields_t *fields,
    ngx_http_duplex_api_field_t *field, json_t *value)
{
    json_int_t              n;
    ngx_duplex_settings_t  *set;

    n = json_integer_value(value);
    set = &fields->member->set;

    if (n < 0
        || n > NGX_HTTP_DUPLEX_API_NUMBER_MAX
        || (field->bit == NGX_DUPLEX_SET_WEIGHT
            && (n == 0 || n > NGX_HTTP_DUPLEX_API_WEIGHT_MAX)))
    {
        return ngx_duplex_call_refuse(fields->call, NGX_HTTP_BAD_REQUEST,
                                      field->code, "invalid \"%s\"",
                                      field->name);
    }

    switch (field->bit) {

    case NGX_DUPLEX_SET_WEIGHT:
        set->weight = n;
        break;

    case NGX_DUPLEX_SET_MAX_CONNS:
        set->max_conns = n;
        break;

    default: /* NGX_DUPLEX_SET_MAX_FAILS */
        set->max_fails = n;
    }

    return NGX_HTTP_OK;
}


static ngx_uint_t
ngx_http_duplex_api_field_time(ngx_http_duplex_api_fields_t *fields,
    ngx_http_duplex_api_field_t *field, json_t *value)
{
    ngx_int_t   n;
    ngx_str_t   text;
    ngx_uint_t  seconds;

    text.data = (u_char *) json_string_value(value);
    text.len = json_string_length(value);
    seconds = (field->bit == NGX_DUPLEX_SET_FAIL_TIMEOUT);

    n = ngx_parse_time(&text, seconds);

    if (n == NGX_ERROR || n > NGX_HTTP_DUPLEX_API_NUMBER_MAX) {
        return ngx_duplex_call_refuse(fields->call, NGX_HTTP_BAD_REQUEST,
                                      field->code, "invalid \"%s\"",
                                      field->name);
    }

    if (seconds) {
        fields->member->set.fail_timeout = n;

    } else {
        fields->member->set.slow_start = n;
    }

    return NGX_HTTP_OK;
}


static ngx_uint_t
ngx_http_duplex_api_field_route(ngx_http_duplex_api_fields_t *fields,
    ngx_http_duplex_api_field_t *field, json_t *value)
{
    size_t                  i, len;
    ngx_duplex_settings_t  *set;

    len = json_string_length(value);
    set = &fields->member->set;

    if (len > NGX_DUPLEX_ROUTE_MAX) {
        return ngx_duplex_call_refuse(fields->call, NGX_HTTP_BAD_REQUEST,
                                      field->code, "route is too long");
    }

    for (i = 0; i < len; i++) {
        if ((u_char) json_string_value(value)[i] < ' ') {
            return ngx_duplex_call_refuse(fields->call, NGX_HTTP_BAD_REQUEST,
                                          field->code, "invalid \"route\"");
        }
    }

    ngx_memzero(set->route, NGX_DUPLEX_ROUTE_MAX);
    ngx_memcpy(set->route, json_string_value(value), len);
    set->route_len = len;

    return NGX_HTTP_OK;
}


static ngx_uint_t
ngx_http_duplex_api_field_backup(ngx_http_duplex_api_fields_t *fields,
    ngx_http_duplex_api_field_t *field, json_t *value)
{
    ngx_uint_t  backup;

    backup = json_is_true(value);

    if (fields->peer) {

        if (backup == fields->peer->backup) {
            return NGX_HTTP_OK;
        }

        return ngx_duplex_call_refuse(fields->call, NGX_HTTP_BAD_REQUEST,
                                      "UpstreamConfFormatError",
                                      "\"backup\" cannot be changed");
    }

    if (backup && !fields->group->backups) {
        return ngx_duplex_call_refuse(fields->call, NGX_HTTP_BAD_REQUEST,
                                      "UpstreamNoBackup",
                                      "upstream \"%V\" has no backup",
                                      &fields->group->name);
    }

    fields->member->backup = backup;

    return NGX_HTTP_OK;
}


static ngx_uint_t
ngx_http_duplex_api_equal(json_t *value, ngx_str_t *text)
{
    return json_string_length(value) == text->len
           && ngx_memcmp(json_string_value(value), text->data, text->len)
              == 0;
}
