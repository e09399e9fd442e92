
/*
 * Sessions in the API: tables, pages of them, one, rebound or ended.
 *
 * A session is named by its id, the hash that is its key, or by its value
 * ("?value="), which is hashed here and nowhere stored.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_clock.h"
#include "../core/ngx_duplex_event.h"
#include "../core/ngx_duplex_page.h"
#include "ngx_duplex_session.h"
#include "ngx_duplex_session_call.h"
#include "ngx_duplex_session_page.h"
#include "ngx_duplex_session_void.h"
#include "ngx_duplex_sticky.h"


#define NGX_DUPLEX_SESSION_LIMIT      100
#define NGX_DUPLEX_SESSION_LIMIT_MAX  10000

/* records looked at for one page: a page may have fewer than its limit */
#define NGX_DUPLEX_SESSION_LOOK_MAX   200000


static ngx_uint_t ngx_duplex_session_page_tables(ngx_duplex_call_t *call);
static ngx_uint_t ngx_duplex_session_page_list(ngx_duplex_call_t *call);
static ngx_uint_t ngx_duplex_session_page_get(ngx_duplex_call_t *call);
static ngx_uint_t ngx_duplex_session_page_patch(ngx_duplex_call_t *call);
static ngx_uint_t ngx_duplex_session_page_delete(ngx_duplex_call_t *call);
static ngx_uint_t ngx_duplex_session_page_delete_many(ngx_duplex_call_t *call);
static void ngx_duplex_session_show(ngx_duplex_json_t *json,
    ngx_duplex_sticky_group_t *sticky, ngx_duplex_record_t *rec);
static void ngx_duplex_session_show_server(ngx_duplex_json_t *json,
    ngx_duplex_sticky_group_t *sticky, uint64_t server);
static void ngx_duplex_session_page_told(ngx_duplex_call_t *call,
    ngx_duplex_sticky_group_t *sticky, const char *what, ngx_str_t *of);


static ngx_duplex_page_t  ngx_duplex_session_page_paths[] = {

    { ngx_string("duplex/sessions"),
      ngx_duplex_session_page_tables, NULL, NULL, NULL, NULL, 1, NULL },

    { ngx_string("duplex/sessions/*"),
      ngx_duplex_session_page_list, NULL, ngx_duplex_session_page_patch, NULL,
      ngx_duplex_session_page_delete_many, 0, NULL },

    { ngx_string("duplex/sessions/*/*"),
      ngx_duplex_session_page_get, NULL, ngx_duplex_session_page_patch, NULL,
      ngx_duplex_session_page_delete, 0, NULL },

      ngx_duplex_null_page
};


ngx_int_t
ngx_duplex_session_pages(ngx_conf_t *cf)
{
    ngx_duplex_page_t  *page;

    for (page = ngx_duplex_session_page_paths; page->path.len; page++) {
        if (ngx_duplex_sticky_offer(cf, page) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_duplex_session_page_tables(ngx_duplex_call_t *call)
{
    ngx_duplex_json_t          *json;
    ngx_duplex_peer_t          *peer;
    ngx_duplex_table_stat_t     stat;
    ngx_duplex_sticky_group_t  *sticky;

    json = call->json;

    ngx_duplex_json_object(json, NULL);

    for (sticky = ngx_duplex_sticky_groups(); sticky; sticky = sticky->next) {

        if (sticky->zone == NULL) {
            continue;
        }

        sticky->zone->source->stat(sticky->zone->table, &stat);

        ngx_duplex_json_object_named(json, &sticky->zone->name);
        ngx_duplex_json_string(json, "protocol",
                               &sticky->group->driver->protocol);
        ngx_duplex_json_string(json, "upstream", &sticky->group->name);
        ngx_duplex_json_boolean(json, "sync",
                                !(sticky->zone->flags
                                  & NGX_DUPLEX_TABLE_LOCAL));
        ngx_duplex_json_integer(json, "timeout", sticky->timeout);
        ngx_duplex_json_integer(json, "capacity", stat.capacity);
        ngx_duplex_json_integer(json, "sessions", stat.records);
        ngx_duplex_json_integer(json, "ended", stat.tombstones);
        ngx_duplex_json_integer(json, "evicted", stat.evicted);
        ngx_duplex_json_integer(json, "refused", stat.refused);

        ngx_duplex_json_array(json, "servers");

        for (peer = ngx_duplex_peer_first(sticky->group);
             peer;
             peer = ngx_duplex_peer_next(peer))
        {
            ngx_duplex_json_object(json, NULL);
            ngx_duplex_json_integer(json, "id", peer->id);
            ngx_duplex_json_string(json, "server", &peer->name);
            ngx_duplex_json_integer(json, "sessions",
                                    ngx_duplex_sticky_sessions(sticky, peer));
            ngx_duplex_json_object_end(json);
        }

        ngx_duplex_json_array_end(json);
        ngx_duplex_json_object_end(json);
    }

    ngx_duplex_json_object_end(json);

    return NGX_DUPLEX_CALL_OK;
}


static ngx_uint_t
ngx_duplex_session_page_list(ngx_duplex_call_t *call)
{
    u_char                      buf[NGX_DUPLEX_RECORD_MAX];
    uint32_t                    cursor;
    uint64_t                    now, server;
    ngx_int_t                   rc;
    ngx_str_t                   text;
    ngx_uint_t                  i, n, status, limit, start;
    ngx_duplex_peer_t          *peer;
    ngx_duplex_zone_t          *zone;
    ngx_duplex_record_t         rec;
    ngx_duplex_sticky_group_t  *sticky;

    status = ngx_duplex_session_call_table(call, &sticky);

    if (status) {
        return status;
    }

    rc = ngx_duplex_call_arg(call, "value", &text);

    if (rc != NGX_DECLINED) {
        return rc == NGX_OK ? ngx_duplex_session_page_get(call) : 500;
    }

    limit = NGX_DUPLEX_SESSION_LIMIT;
    start = 0;
    server = 0;

    status = ngx_duplex_session_call_number(call, "limit",
                                            NGX_DUPLEX_SESSION_LIMIT_MAX,
                                            &limit);
    if (status == 0) {
        status = ngx_duplex_session_call_number(call, "cursor",
                                                NGX_MAX_INT32_VALUE, &start);
    }

    if (status) {
        return status;
    }

    if (ngx_duplex_call_arg(call, "server", &text) == NGX_OK) {

        status = ngx_duplex_session_call_server(call, sticky, &text, &peer);

        if (status) {
            return status;
        }

        server = peer->hash;
    }

    zone = sticky->zone;
    cursor = start;
    now = ngx_duplex_clock_monotonic();
    rc = NGX_OK;

    ngx_duplex_json_object(call->json, NULL);
    ngx_duplex_json_array(call->json, "sessions");

    for (i = 0, n = 0; n < limit && i < NGX_DUPLEX_SESSION_LOOK_MAX; i++) {

        rc = zone->source->scan(zone->table, &cursor, &rec, buf, now);

        if (rc != NGX_OK) {
            break;
        }

        if (rec.deleted
            || (server && server != ngx_duplex_session_server(&rec)))
        {
            continue;
        }

        ngx_duplex_session_show(call->json, sticky, &rec);
        n++;
    }

    ngx_duplex_json_array_end(call->json);

    if (rc == NGX_OK) {
        ngx_duplex_json_integer(call->json, "cursor", cursor);
    }

    ngx_duplex_json_object_end(call->json);

    return NGX_DUPLEX_CALL_OK;
}


static ngx_uint_t
ngx_duplex_session_page_get(ngx_duplex_call_t *call)
{
    u_char                      buf[NGX_DUPLEX_DENSE_KEY_LEN
                                    + NGX_DUPLEX_DENSE_VALUE_LEN];
    ngx_uint_t                  status;
    ngx_duplex_record_t         rec;
    ngx_duplex_session_t        session;
    ngx_duplex_sticky_group_t  *sticky;

    status = ngx_duplex_session_call_table(call, &sticky);

    if (status == 0) {
        status = ngx_duplex_session_call_session(call, sticky, &session);
    }

    if (status) {
        return status;
    }

    ngx_memzero(&rec, sizeof(ngx_duplex_record_t));

    rec.kind = ngx_duplex_session_kind.tag;
    rec.key.data = session.key;
    rec.key.len = NGX_DUPLEX_SESSION_KEY_LEN;

    if (ngx_duplex_store_get(sticky->zone->table, &rec, buf, sizeof(buf))
        != NGX_OK)
    {
        return ngx_duplex_call_refuse(call, 404, "SessionNotFound",
                                      "session not found");
    }

    ngx_duplex_session_show(call->json, sticky, &rec);

    return NGX_DUPLEX_CALL_OK;
}


static ngx_uint_t
ngx_duplex_session_page_patch(ngx_duplex_call_t *call)
{
    json_t                     *value;
    ngx_str_t                   text;
    ngx_uint_t                  status;
    ngx_duplex_peer_t          *peer;
    ngx_duplex_session_t        session;
    ngx_duplex_sticky_group_t  *sticky;

    status = ngx_duplex_session_call_table(call, &sticky);

    if (status == 0) {
        status = ngx_duplex_session_call_session(call, sticky, &session);
    }

    if (status) {
        return status;
    }

    value = json_object_get(call->body, "server");

    if (!json_is_string(value) || json_object_size(call->body) != 1) {
        return ngx_duplex_call_refuse(call, 400, "SessionFormatError",
                                      "only \"server\", the server as it is "
                                      "written or its address, can be changed");
    }

    text.data = (u_char *) json_string_value(value);
    text.len = json_string_length(value);

    status = ngx_duplex_session_call_server(call, sticky, &text, &peer);

    if (status) {
        return status;
    }

    if (ngx_duplex_session_find(sticky->zone, &session) != NGX_OK) {
        return ngx_duplex_call_refuse(call, 404, "SessionNotFound",
                                      "session not found");
    }

    session.server = peer->hash;

    if (ngx_duplex_session_bind(sticky->zone, &session, sticky->timeout)
        == NGX_ERROR)
    {
        return ngx_duplex_call_refuse(call, 400, "SessionOutOfMemory",
                                      "zone \"%V\" has no memory left",
                                      &sticky->zone->name);
    }

    return ngx_duplex_session_page_get(call);
}


static ngx_uint_t
ngx_duplex_session_page_delete(ngx_duplex_call_t *call)
{
    ngx_uint_t                  status;
    ngx_duplex_session_t        session;
    ngx_duplex_sticky_group_t  *sticky;

    status = ngx_duplex_session_call_table(call, &sticky);

    if (status == 0) {
        status = ngx_duplex_session_call_session(call, sticky, &session);
    }

    if (status) {
        return status;
    }

    if (ngx_duplex_session_find(sticky->zone, &session) != NGX_OK) {
        return ngx_duplex_call_refuse(call, 404, "SessionNotFound",
                                      "session not found");
    }

    if (ngx_duplex_session_end(sticky->zone, &session) == NGX_ERROR) {
        return ngx_duplex_call_refuse(call, 400, "SessionOutOfMemory",
                                      "zone \"%V\" has no memory left",
                                      &sticky->zone->name);
    }

    return NGX_DUPLEX_CALL_NO_CONTENT;
}


/* of a value, of a server, or all */

static ngx_uint_t
ngx_duplex_session_page_delete_many(ngx_duplex_call_t *call)
{
    uint64_t                    server;
    ngx_str_t                   text;
    ngx_uint_t                  status;
    ngx_duplex_peer_t          *peer;
    ngx_duplex_sticky_group_t  *sticky;

    status = ngx_duplex_session_call_table(call, &sticky);

    if (status) {
        return status;
    }

    if (ngx_duplex_call_arg(call, "value", &text) != NGX_DECLINED) {
        return ngx_duplex_session_page_delete(call);
    }

    server = 0;

    if (ngx_duplex_call_arg(call, "server", &text) == NGX_OK) {

        status = ngx_duplex_session_call_server(call, sticky, &text, &peer);

        if (status) {
            return status;
        }

        server = peer->hash;
    }

    if (ngx_duplex_session_void(sticky->zone, server, sticky->timeout)
        != NGX_OK)
    {
        return ngx_duplex_call_refuse(call, 400, "SessionOutOfMemory",
                                      "the store has no memory left");
    }

    ngx_duplex_session_page_told(call, sticky,
                                 server ? "of server " : "of all servers",
                                 server ? &peer->name : NULL);

    call->durable = 1;

    return NGX_DUPLEX_CALL_NO_CONTENT;
}


static void
ngx_duplex_session_page_told(ngx_duplex_call_t *call,
    ngx_duplex_sticky_group_t *sticky, const char *what, ngx_str_t *of)
{
    ngx_str_t  nothing = ngx_null_string;

    of = of ? of : &nothing;

    ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                  "sessions %s%V in \"%V\" were ended by %V",
                  what, of, &sticky->zone->name, call->client);

    ngx_duplex_event("sessions", &sticky->zone->name, "%s%V ended by %V",
                     what, of, call->client);
}


static void
ngx_duplex_session_show(ngx_duplex_json_t *json,
    ngx_duplex_sticky_group_t *sticky, ngx_duplex_record_t *rec)
{
    u_char     hex[2 * NGX_DUPLEX_SESSION_KEY_LEN];
    uint64_t   now;
    ngx_str_t  id;

    now = ngx_duplex_clock_monotonic();

    id.data = hex;
    id.len = ngx_hex_dump(hex, rec->key.data, rec->key.len) - hex;

    ngx_duplex_json_object(json, NULL);
    ngx_duplex_json_string(json, "id", &id);

    ngx_duplex_session_show_server(json, sticky,
                                   ngx_duplex_session_server(rec));

    ngx_duplex_json_integer(json, "expires_in",
                            rec->expire > now ? rec->expire - now : 0);
    ngx_duplex_json_time(json, "changed", ngx_duplex_clock_ms(rec->time));
    ngx_duplex_json_hex(json, "node", rec->node);
    ngx_duplex_json_object_end(json);
}


/* "server_id" is missing if the server is not in this node's file */

static void
ngx_duplex_session_show_server(ngx_duplex_json_t *json,
    ngx_duplex_sticky_group_t *sticky, uint64_t server)
{
    ngx_duplex_peer_t  *peer;

    peer = ngx_duplex_peer_by_hash(sticky->group, server);

    if (peer == NULL) {
        ngx_duplex_json_hex(json, "unknown_server", server);
        return;
    }

    ngx_duplex_json_string(json, "server", &peer->name);
    ngx_duplex_json_integer(json, "server_id", peer->id);
}
