
/*
 * See the header.
 *
 * An override is a record of the store that is of a server's present life, or
 * was said of a line of the file.  One that was said against another line is
 * shown as superseded: it is kept and not applied.  To drop it is to delete
 * its record, here and on all nodes.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_clock.h"
#include "../core/ngx_duplex_event.h"
#include "../core/ngx_duplex_page.h"
#include "ngx_duplex_admin.h"
#include "ngx_duplex_line.h"
#include "ngx_duplex_override.h"


#define NGX_DUPLEX_OVERRIDE_SEGMENTS  4 /* protocol, group, server, field */


/* one override, its strings in the record */
typedef struct {
    ngx_duplex_group_t        *group;
    ngx_str_t                  key;     /* of the server */
    ngx_str_t                  field;   /* "exist" as "server" */
    ngx_uint_t                 bit;     /* NGX_DUPLEX_SET_*; 0: "server" */

    ngx_duplex_line_t         *line;    /* NULL: not in the file */
    ngx_duplex_peer_t         *peer;    /* NULL: is not there */
    ngx_duplex_line_t          name;    /* the key, taken apart */
    ngx_uint_t                 id;

    ngx_duplex_exist_t         exist;
    ngx_duplex_admin_value_t   value;
    ngx_duplex_audit_t         audit;
    uint64_t                   when;    /* ms */
    unsigned                   superseded:1;
} ngx_duplex_override_t;

typedef struct {
    ngx_duplex_call_t         *call;
    ngx_uint_t                 drop;
    ngx_uint_t                 found;
    ngx_uint_t                 failed;
} ngx_duplex_override_walk_t;


static ngx_uint_t ngx_duplex_override_get(ngx_duplex_call_t *call);
static ngx_uint_t ngx_duplex_override_delete(ngx_duplex_call_t *call);
static ngx_uint_t ngx_duplex_override_walk(ngx_duplex_override_walk_t *walk);
static ngx_int_t ngx_duplex_override_visit(ngx_duplex_record_t *rec,
    void *data);
static ngx_int_t ngx_duplex_override_read(ngx_duplex_record_t *rec,
    ngx_pool_t *pool, ngx_duplex_override_t *override);
static ngx_int_t ngx_duplex_override_read_exist(ngx_duplex_record_t *rec,
    ngx_duplex_override_t *override);
static ngx_int_t ngx_duplex_override_read_field(ngx_duplex_record_t *rec,
    ngx_duplex_override_t *override);
static ngx_uint_t ngx_duplex_override_wanted(ngx_duplex_call_t *call,
    ngx_duplex_override_t *override);
static void ngx_duplex_override_show(ngx_duplex_json_t *json,
    ngx_duplex_override_t *override);
static void ngx_duplex_override_show_value(ngx_duplex_json_t *json,
    const char *name, ngx_uint_t bit, uint64_t number, ngx_str_t *route);
static uint64_t ngx_duplex_override_number(ngx_duplex_settings_t *set,
    ngx_uint_t bit);
static ngx_int_t ngx_duplex_override_drop(ngx_duplex_call_t *call,
    ngx_duplex_override_t *override);


static ngx_duplex_page_t  ngx_duplex_override_pages[] = {

    { ngx_string("duplex/overrides"),
      ngx_duplex_override_get, NULL, NULL, NULL,
      ngx_duplex_override_delete, 0, NULL },

    { ngx_string("duplex/overrides/*"),
      ngx_duplex_override_get, NULL, NULL, NULL,
      ngx_duplex_override_delete, 0, NULL },

    { ngx_string("duplex/overrides/*/*"),
      ngx_duplex_override_get, NULL, NULL, NULL,
      ngx_duplex_override_delete, 0, NULL },

    { ngx_string("duplex/overrides/*/*/*"),
      ngx_duplex_override_get, NULL, NULL, NULL,
      ngx_duplex_override_delete, 0, NULL },

    { ngx_string("duplex/overrides/*/*/*/*"),
      ngx_duplex_override_get, NULL, NULL, NULL,
      ngx_duplex_override_delete, 0, NULL },

      ngx_duplex_null_page
};


ngx_int_t
ngx_duplex_override_register(ngx_conf_t *cf)
{
    return ngx_duplex_register_pages(cf, ngx_duplex_override_pages);
}


static ngx_uint_t
ngx_duplex_override_get(ngx_duplex_call_t *call)
{
    ngx_uint_t                  status;
    ngx_duplex_override_walk_t  walk;

    ngx_memzero(&walk, sizeof(ngx_duplex_override_walk_t));

    walk.call = call;

    ngx_duplex_json_array(call->json, NULL);

    status = ngx_duplex_override_walk(&walk);

    ngx_duplex_json_array_end(call->json);

    return status;
}


static ngx_uint_t
ngx_duplex_override_delete(ngx_duplex_call_t *call)
{
    ngx_uint_t                  status;
    ngx_duplex_override_walk_t  walk;

    ngx_memzero(&walk, sizeof(ngx_duplex_override_walk_t));

    walk.call = call;
    walk.drop = 1;

    status = ngx_duplex_override_walk(&walk);

    if (status != NGX_DUPLEX_CALL_OK) {
        return status;
    }

    if (walk.failed) {
        return ngx_duplex_call_refuse(call, 400, "UpstreamOutOfMemory",
                                      "the store has no memory");
    }

    if (walk.found == 0 && call->nsegments > 2) {
        return ngx_duplex_call_refuse(call, 404, "OverrideNotFound",
                                      "nothing is overridden there");
    }

    call->durable = 1;

    ngx_duplex_json_object(call->json, NULL);
    ngx_duplex_json_integer(call->json, "dropped", walk.found);
    ngx_duplex_json_object_end(call->json);

    return NGX_DUPLEX_CALL_OK;
}


static ngx_uint_t
ngx_duplex_override_walk(ngx_duplex_override_walk_t *walk)
{
    ngx_duplex_call_t   *call;
    ngx_duplex_table_t  *table;

    call = walk->call;

    if (call->nsegments > 0
        && ngx_duplex_driver_find(&call->segment[0]) == NULL)
    {
        return ngx_duplex_call_refuse(call, 404, "PathNotFound",
                                      "path not found");
    }

    if (call->nsegments > 1
        && ngx_duplex_group_find(&call->segment[0], &call->segment[1]) == NULL)
    {
        return ngx_duplex_call_refuse(call, 404, "UpstreamNotFound",
                                      "upstream not found");
    }

    table = ngx_duplex_store_table();

    if (table) {
        (void) ngx_duplex_store_walk(table, ngx_duplex_admin_kind.tag, NULL,
                                     ngx_duplex_override_visit, walk);
    }

    return NGX_DUPLEX_CALL_OK;
}


static ngx_int_t
ngx_duplex_override_visit(ngx_duplex_record_t *rec, void *data)
{
    ngx_duplex_override_walk_t *walk = data;

    ngx_duplex_override_t  override;

    if (ngx_duplex_override_read(rec, walk->call->pool, &override) != NGX_OK
        || !ngx_duplex_override_wanted(walk->call, &override))
    {
        return NGX_OK;
    }

    walk->found++;

    if (!walk->drop) {
        ngx_duplex_override_show(walk->call->json, &override);

    } else if (ngx_duplex_override_drop(walk->call, &override) == NGX_ERROR) {
        walk->failed = 1;
    }

    return NGX_OK;
}


/* NGX_DECLINED: it overrides nothing here */

static ngx_int_t
ngx_duplex_override_read(ngx_duplex_record_t *rec, ngx_pool_t *pool,
    ngx_duplex_override_t *override)
{
    ngx_duplex_group_t  *group;

    ngx_memzero(override, sizeof(ngx_duplex_override_t));

    group = ngx_duplex_group_by_zone(&rec->zone);

    if (group == NULL
        || group->shm.len == 0
        || ngx_duplex_admin_split(&rec->key, &override->key, &override->field)
           != NGX_OK
        || ngx_duplex_line_parse(group, &override->key, pool, &override->name)
           != NGX_OK)
    {
        return NGX_DECLINED;
    }

    override->group = group;
    override->line = ngx_duplex_line_find(group, override->name.hash);
    override->peer = ngx_duplex_peer_by_key(group, &override->key);
    override->when = ngx_duplex_clock_ms(rec->time);

    if (override->peer) {
        override->id = override->peer->id;

    } else if (override->line) {
        override->id = override->line->id;
    }

    if (override->field.len == 5
        && ngx_strncmp(override->field.data, "exist", 5) == 0)
    {
        return ngx_duplex_override_read_exist(rec, override);
    }

    return ngx_duplex_override_read_field(rec, override);
}


static ngx_int_t
ngx_duplex_override_read_exist(ngx_duplex_record_t *rec,
    ngx_duplex_override_t *override)
{
    ngx_duplex_exist_t  *exist;

    exist = &override->exist;

    if (ngx_duplex_admin_decode_exist(&rec->value, exist, &override->audit)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    ngx_str_set(&override->field, "server");

    /* a file of "state" is written from the store: nothing differs from it */

    if (override->group->state.len
        || (override->line == NULL && !exist->exists))
    {
        return NGX_DECLINED;
    }

    override->superseded = (override->line
                            && exist->digest != override->line->digest);

    return NGX_OK;
}


static ngx_int_t
ngx_duplex_override_read_field(ngx_duplex_record_t *rec,
    ngx_duplex_override_t *override)
{
    ngx_duplex_peer_t         *peer;
    ngx_duplex_admin_value_t  *value;

    peer = override->peer;
    value = &override->value;

    override->bit = ngx_duplex_admin_bit(&override->field);

    if (override->bit == 0
        || override->bit == NGX_DUPLEX_SET_ID
        || ngx_duplex_admin_decode(&rec->value, value) != NGX_OK
        || peer == NULL
        || value->life != peer->life)
    {
        return NGX_DECLINED;
    }

    override->audit = value->audit;
    override->superseded = (value->life == 0 && value->digest != peer->digest);

    return NGX_OK;
}


static ngx_uint_t
ngx_duplex_override_wanted(ngx_duplex_call_t *call,
    ngx_duplex_override_t *override)
{
    u_char      id[NGX_INT_T_LEN];
    ngx_str_t   text[NGX_DUPLEX_OVERRIDE_SEGMENTS], *segment;
    ngx_uint_t  i;

    text[0] = override->group->driver->protocol;
    text[1] = override->group->name;
    text[2] = override->name.name;
    text[3] = override->field;

    for (i = 0; i < call->nsegments; i++) {

        segment = &call->segment[i];

        if (segment->len == text[i].len
            && ngx_memcmp(segment->data, text[i].data, text[i].len) == 0)
        {
            continue;
        }

        if (i == 2
            && segment->len == (size_t) (ngx_sprintf(id, "%ui", override->id)
                                         - id)
            && ngx_memcmp(segment->data, id, segment->len) == 0)
        {
            continue;
        }

        return 0;
    }

    return 1;
}


static void
ngx_duplex_override_show(ngx_duplex_json_t *json,
    ngx_duplex_override_t *override)
{
    ngx_str_t               route;
    ngx_duplex_settings_t  *file;

    ngx_duplex_json_object(json, NULL);
    ngx_duplex_json_string(json, "protocol",
                           &override->group->driver->protocol);
    ngx_duplex_json_string(json, "upstream", &override->group->name);
    ngx_duplex_json_integer(json, "id", override->peer || override->line
                                        ? override->id : override->exist.id);
    ngx_duplex_json_string(json, "server", &override->name.name);
    ngx_duplex_json_string(json, "name", &override->name.server);
    ngx_duplex_json_string(json, "field", &override->field);

    if (override->bit) {
        file = &override->peer->file;
        route.data = file->route;
        route.len = file->route_len;

        ngx_duplex_override_show_value(json, "file", override->bit,
                       ngx_duplex_override_number(file, override->bit),
                       &route);
        ngx_duplex_override_show_value(json, "value", override->bit,
                                       override->value.number,
                                       &override->value.route);

    } else {
        ngx_duplex_json_text(json, "file",
                             override->line ? "present" : "absent");
        ngx_duplex_json_text(json, "value", override->exist.exists
                                            ? "present" : "absent");
    }

    ngx_duplex_json_string(json, "who", &override->audit.who);
    ngx_duplex_json_string(json, "reason", &override->audit.reason);
    ngx_duplex_json_time(json, "since", override->when);
    ngx_duplex_json_boolean(json, "superseded", override->superseded);
    ngx_duplex_json_object_end(json);
}


static void
ngx_duplex_override_show_value(ngx_duplex_json_t *json, const char *name,
    ngx_uint_t bit, uint64_t number, ngx_str_t *route)
{
    u_char      buf[NGX_INT64_LEN + 2];
    ngx_str_t   text;

    switch (bit) {

    case NGX_DUPLEX_SET_STATE:
        ngx_duplex_json_text(json, name,
                             number == ngx_duplex_admin_down ? "down"
                             : number == ngx_duplex_admin_drain ? "drain"
                             : "up");
        return;

    case NGX_DUPLEX_SET_ROUTE:
        ngx_duplex_json_string(json, name, route);
        return;

    case NGX_DUPLEX_SET_FAIL_TIMEOUT:
        text.len = ngx_sprintf(buf, "%uLs", number) - buf;
        break;

    case NGX_DUPLEX_SET_SLOW_START:
        text.len = (number % 1000)
                   ? ngx_sprintf(buf, "%uLms", number) - buf
                   : ngx_sprintf(buf, "%uLs", number / 1000) - buf;
        break;

    default:
        ngx_duplex_json_integer(json, name, number);
        return;
    }

    text.data = buf;
    ngx_duplex_json_string(json, name, &text);
}


static uint64_t
ngx_duplex_override_number(ngx_duplex_settings_t *set, ngx_uint_t bit)
{
    switch (bit) {

    case NGX_DUPLEX_SET_STATE:
        return set->state;

    case NGX_DUPLEX_SET_WEIGHT:
        return set->weight;

    case NGX_DUPLEX_SET_MAX_CONNS:
        return set->max_conns;

    case NGX_DUPLEX_SET_MAX_FAILS:
        return set->max_fails;

    case NGX_DUPLEX_SET_FAIL_TIMEOUT:
        return set->fail_timeout;

    default: /* NGX_DUPLEX_SET_SLOW_START */
        return set->slow_start;
    }
}


static ngx_int_t
ngx_duplex_override_drop(ngx_duplex_call_t *call,
    ngx_duplex_override_t *override)
{
    ngx_duplex_audit_t  audit;

    static ngx_str_t  exist = ngx_string("exist");

    ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                  "override of \"%V\" of server \"%V\" in %s \"%V\" was "
                  "dropped by %V", &override->field, &override->name.name,
                  override->group->driver->title, &override->group->name,
                  call->client);

    ngx_duplex_event("override", &override->group->zone,
                     "%V of %V dropped by %V", &override->field,
                     &override->name.name, call->client);

    /* who was added is removed, so that its id stays its own */

    if (override->bit == 0 && override->line == NULL && override->peer) {
        audit.who = *call->client;
        ngx_str_set(&audit.reason, "override dropped");

        return ngx_duplex_member_remove(override->peer, &audit)
               == ngx_duplex_member_no_memory ? NGX_ERROR : NGX_OK;
    }

    return ngx_duplex_admin_forget(override->group, &override->key,
                                   override->bit ? &override->field : &exist);
}
