
/*
 * Records of what administrators said; the header has their bytes.
 *
 * A record of a group or a server that is not in this node's file is kept
 * and does no harm.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_bytes.h"
#include "../core/ngx_duplex_clock.h"
#include "ngx_duplex_admin.h"
#include "ngx_duplex_line.h"
#include "ngx_duplex_membership.h"


typedef struct {
    ngx_uint_t           bit;
    ngx_str_t            name;
} ngx_duplex_admin_field_t;


static void ngx_duplex_admin_project(ngx_duplex_record_t *rec);
static ngx_duplex_admin_field_t *ngx_duplex_admin_field(ngx_uint_t bit);
static ngx_int_t ngx_duplex_admin_get_field(ngx_duplex_group_t *group,
    ngx_str_t *key, ngx_str_t *field, ngx_duplex_admin_value_t *value,
    u_char *buf, uint64_t *time);
static void ngx_duplex_admin_overwrite(ngx_duplex_settings_t *set,
    ngx_uint_t bit, ngx_duplex_admin_value_t *value);
static ngx_int_t ngx_duplex_admin_key(ngx_str_t *key, ngx_str_t *field,
    u_char *buf, ngx_str_t *record);


ngx_duplex_kind_t  ngx_duplex_admin_kind = {
    NGX_DUPLEX_TAG('a', 'd', 'm', 'n'),
    ngx_string("administrator"),
    NGX_DUPLEX_KIND_DURABLE,
    ngx_duplex_admin_project
};


static ngx_duplex_admin_field_t  ngx_duplex_admin_fields[] = {
    { NGX_DUPLEX_SET_STATE, ngx_string("state") },
    { NGX_DUPLEX_SET_WEIGHT, ngx_string("weight") },
    { NGX_DUPLEX_SET_MAX_CONNS, ngx_string("max_conns") },
    { NGX_DUPLEX_SET_MAX_FAILS, ngx_string("max_fails") },
    { NGX_DUPLEX_SET_FAIL_TIMEOUT, ngx_string("fail_timeout") },
    { NGX_DUPLEX_SET_SLOW_START, ngx_string("slow_start") },
    { NGX_DUPLEX_SET_ROUTE, ngx_string("route") },
    { NGX_DUPLEX_SET_ID, ngx_string("id") },
    { 0, ngx_null_string }
};


ngx_uint_t
ngx_duplex_admin_overlay(ngx_duplex_group_t *group, ngx_str_t *key,
    uint64_t life, uint64_t digest, ngx_duplex_settings_t *set, ngx_uint_t *id)
{
    u_char                     buf[NGX_DUPLEX_ADMIN_RECORD];
    uint64_t                   time;
    ngx_uint_t                 superseded;
    ngx_duplex_settings_t      next;
    ngx_duplex_admin_field_t  *field;
    ngx_duplex_admin_value_t   value;

    superseded = 0;

    for (field = ngx_duplex_admin_fields; field->bit; field++) {

        if (ngx_duplex_admin_get_field(group, key, &field->name, &value, buf,
                                       &time)
            != NGX_OK
            || value.life != life)
        {
            continue;
        }

        if (field->bit == NGX_DUPLEX_SET_ID) {
            *id = value.number;
            continue;
        }

        if (life == 0 && value.digest != digest) {
            superseded |= field->bit;
            continue;
        }

        next = *set;
        ngx_duplex_admin_overwrite(&next, field->bit, &value);

        if (ngx_duplex_admin_check(&next) == NGX_OK) {
            *set = next;
        }
    }

    return superseded;
}


static void
ngx_duplex_admin_overwrite(ngx_duplex_settings_t *set, ngx_uint_t bit,
    ngx_duplex_admin_value_t *value)
{
    switch (bit) {

    case NGX_DUPLEX_SET_STATE:
        set->state = (ngx_duplex_admin_e) value->number;
        break;

    case NGX_DUPLEX_SET_WEIGHT:
        set->weight = value->number;
        break;

    case NGX_DUPLEX_SET_MAX_CONNS:
        set->max_conns = value->number;
        break;

    case NGX_DUPLEX_SET_MAX_FAILS:
        set->max_fails = value->number;
        break;

    case NGX_DUPLEX_SET_FAIL_TIMEOUT:
        set->fail_timeout = value->number;
        break;

    case NGX_DUPLEX_SET_SLOW_START:
        set->slow_start = value->number;
        break;

    default: /* NGX_DUPLEX_SET_ROUTE */
        ngx_memzero(set->route, NGX_DUPLEX_ROUTE_MAX);
        set->route_len = ngx_min(value->route.len, NGX_DUPLEX_ROUTE_MAX);
        ngx_memcpy(set->route, value->route.data, set->route_len);
    }
}


/* records come from files and from other nodes */

ngx_int_t
ngx_duplex_admin_check(ngx_duplex_settings_t *set)
{
    size_t  i;

    for (i = 0; i < set->route_len; i++) {
        if (set->route[i] < ' ') {
            return NGX_DECLINED;
        }
    }

    if (set->weight == 0
        || set->weight > NGX_DUPLEX_WEIGHT_MAX
        || set->fail_timeout < 0)
    {
        return NGX_DECLINED;
    }

    switch (set->state) {

    case ngx_duplex_admin_up:
    case ngx_duplex_admin_down:
    case ngx_duplex_admin_drain:
        return NGX_OK;

    default:
        return NGX_DECLINED;
    }
}


ngx_duplex_admin_e
ngx_duplex_peer_admin(ngx_duplex_peer_t *peer)
{
    u_char                     buf[NGX_DUPLEX_ADMIN_RECORD];
    uint64_t                   time;
    ngx_duplex_admin_value_t   value;

    if (ngx_duplex_admin_get_field(peer->group, &peer->key,
                                   &ngx_duplex_admin_fields[0].name, &value,
                                   buf, &time)
        != NGX_OK
        || value.life != peer->life
        || (value.life == 0 && value.digest != peer->digest))
    {
        return ngx_duplex_admin_none;
    }

    switch (value.number) {

    case ngx_duplex_admin_up:
    case ngx_duplex_admin_down:
    case ngx_duplex_admin_drain:
        return (ngx_duplex_admin_e) value.number;

    default:
        return ngx_duplex_admin_none;
    }
}


ngx_int_t
ngx_duplex_admin_last(ngx_duplex_peer_t *peer, ngx_uint_t bit,
    ngx_duplex_audit_t *audit, uint64_t *when, u_char *buf, size_t size)
{
    u_char                    *p;
    u_char                     room[NGX_DUPLEX_ADMIN_RECORD];
    uint64_t                   time;
    ngx_duplex_admin_field_t  *field;
    ngx_duplex_admin_value_t   value;

    field = ngx_duplex_admin_field(bit);

    if (ngx_duplex_admin_get_field(peer->group, &peer->key, &field->name,
                                   &value, room, &time)
        != NGX_OK
        || value.life != peer->life
        || value.audit.who.len + value.audit.reason.len > size)
    {
        return NGX_DECLINED;
    }

    p = ngx_duplex_bytes_put_run(buf, value.audit.who.data,
                                 value.audit.who.len);

    audit->who.data = buf;
    audit->who.len = value.audit.who.len;

    (void) ngx_duplex_bytes_put_run(p, value.audit.reason.data,
                                    value.audit.reason.len);

    audit->reason.data = p;
    audit->reason.len = value.audit.reason.len;

    *when = ngx_duplex_clock_ms(time);

    return NGX_OK;
}


ngx_uint_t
ngx_duplex_admin_new(ngx_duplex_peer_t *peer, ngx_uint_t mask)
{
    u_char                     buf[NGX_DUPLEX_ADMIN_RECORD];
    ngx_uint_t                 n;
    ngx_duplex_record_t        rec;
    ngx_duplex_admin_field_t  *field;

    n = 0;

    for (field = ngx_duplex_admin_fields; field->bit; field++) {

        if ((mask & field->bit)
            && ngx_duplex_admin_get(peer->group, &peer->key, &field->name,
                                    &rec, buf, sizeof(buf))
               != NGX_OK)
        {
            n++;
        }
    }

    return n;
}


static ngx_duplex_admin_field_t *
ngx_duplex_admin_field(ngx_uint_t bit)
{
    ngx_duplex_admin_field_t  *field;

    for (field = ngx_duplex_admin_fields; field->bit != bit; field++) {
        /* void */
    }

    return field;
}


ngx_uint_t
ngx_duplex_admin_bit(ngx_str_t *name)
{
    ngx_duplex_admin_field_t  *field;

    for (field = ngx_duplex_admin_fields; field->bit; field++) {
        if (field->name.len == name->len
            && ngx_memcmp(field->name.data, name->data, name->len) == 0)
        {
            break;
        }
    }

    return field->bit;
}


static ngx_int_t
ngx_duplex_admin_get_field(ngx_duplex_group_t *group, ngx_str_t *key,
    ngx_str_t *field, ngx_duplex_admin_value_t *value, u_char *buf,
    uint64_t *time)
{
    ngx_duplex_record_t  rec;

    if (ngx_duplex_admin_get(group, key, field, &rec, buf,
                             NGX_DUPLEX_ADMIN_RECORD)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    *time = rec.time;

    return ngx_duplex_admin_decode(&rec.value, value);
}


ngx_int_t
ngx_duplex_admin_decode(ngx_str_t *text, ngx_duplex_admin_value_t *value)
{
    ngx_uint_t          version;
    ngx_duplex_bytes_t  b;

    b.pos = text->data;
    b.last = b.pos + text->len;
    b.failed = 0;

    version = ngx_duplex_bytes_get(&b, 1);

    value->life = ngx_duplex_bytes_get(&b, 8);
    value->digest = ngx_duplex_bytes_get(&b, 8);
    value->number = ngx_duplex_bytes_get(&b, 8);

    ngx_duplex_bytes_get_str(&b, &value->route);
    ngx_duplex_bytes_get_str(&b, &value->audit.who);
    ngx_duplex_bytes_get_str(&b, &value->audit.reason);

    if (b.failed
        || version != NGX_DUPLEX_ADMIN_VERSION
        || value->number > 0xffffffff)
    {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


ngx_int_t
ngx_duplex_admin_get(ngx_duplex_group_t *group, ngx_str_t *key,
    ngx_str_t *field, ngx_duplex_record_t *rec, u_char *buf, size_t size)
{
    u_char               text[NGX_DUPLEX_KEY_MAX];
    ngx_duplex_table_t  *table;

    table = ngx_duplex_store_table();
    if (table == NULL) {
        return NGX_DECLINED;
    }

    ngx_memzero(rec, sizeof(ngx_duplex_record_t));

    rec->kind = ngx_duplex_admin_kind.tag;
    rec->zone = group->zone;

    if (ngx_duplex_admin_key(key, field, text, &rec->key) != NGX_OK) {
        return NGX_DECLINED;
    }

    return ngx_duplex_store_get(table, rec, buf, size);
}


ngx_int_t
ngx_duplex_admin_put(ngx_duplex_peer_t *peer, ngx_uint_t bit,
    ngx_duplex_settings_t *set, ngx_uint_t id, ngx_duplex_audit_t *audit)
{
    u_char                    *p;
    u_char                     value[NGX_DUPLEX_ADMIN_VALUE];
    uint64_t                   number;
    ngx_str_t                  route;
    ngx_duplex_admin_field_t  *field;

    field = ngx_duplex_admin_field(bit);

    ngx_str_null(&route);

    switch (bit) {

    case NGX_DUPLEX_SET_STATE:
        number = set->state;
        break;

    case NGX_DUPLEX_SET_WEIGHT:
        number = set->weight;
        break;

    case NGX_DUPLEX_SET_MAX_CONNS:
        number = set->max_conns;
        break;

    case NGX_DUPLEX_SET_MAX_FAILS:
        number = set->max_fails;
        break;

    case NGX_DUPLEX_SET_FAIL_TIMEOUT:
        number = set->fail_timeout;
        break;

    case NGX_DUPLEX_SET_SLOW_START:
        number = set->slow_start;
        break;

    case NGX_DUPLEX_SET_ROUTE:
        number = 0;
        route.data = set->route;
        route.len = set->route_len;
        break;

    default: /* NGX_DUPLEX_SET_ID */
        number = id;
    }

    p = ngx_duplex_bytes_put(value, NGX_DUPLEX_ADMIN_VERSION, 1);
    p = ngx_duplex_bytes_put(p, peer->life, 8);
    p = ngx_duplex_bytes_put(p, peer->digest, 8);
    p = ngx_duplex_bytes_put(p, number, 8);
    p = ngx_duplex_bytes_put_str(p, &route);
    p = ngx_duplex_admin_put_audit(p, audit);

    return ngx_duplex_admin_apply(peer->group, &peer->key, &field->name,
                                  value, p, 0);
}


u_char *
ngx_duplex_admin_put_audit(u_char *p, ngx_duplex_audit_t *audit)
{
    ngx_str_t  text;

    text = audit->who;
    text.len = ngx_min(text.len, NGX_DUPLEX_REASON_MAX);
    p = ngx_duplex_bytes_put_str(p, &text);

    text = audit->reason;
    text.len = ngx_min(text.len, NGX_DUPLEX_REASON_MAX);

    return ngx_duplex_bytes_put_str(p, &text);
}


ngx_int_t
ngx_duplex_admin_apply(ngx_duplex_group_t *group, ngx_str_t *key,
    ngx_str_t *field, u_char *value, u_char *last, uint64_t left)
{
    u_char               text[NGX_DUPLEX_KEY_MAX];
    ngx_duplex_record_t  rec;

    ngx_memzero(&rec, sizeof(ngx_duplex_record_t));

    rec.kind = ngx_duplex_admin_kind.tag;
    rec.zone = group->zone;
    rec.value.data = value;
    rec.value.len = last - value;

    if (left) {
        rec.expire = ngx_duplex_clock_monotonic() + left;
    }

    if (ngx_duplex_admin_key(key, field, text, &rec.key) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_duplex_store_apply(ngx_duplex_store_table(), &rec);
}


ngx_int_t
ngx_duplex_admin_forget(ngx_duplex_group_t *group, ngx_str_t *key,
    ngx_str_t *field)
{
    u_char               text[NGX_DUPLEX_KEY_MAX];
    ngx_duplex_record_t  rec;

    ngx_memzero(&rec, sizeof(ngx_duplex_record_t));

    rec.kind = ngx_duplex_admin_kind.tag;
    rec.zone = group->zone;
    rec.deleted = 1;

    if (ngx_duplex_admin_key(key, field, text, &rec.key) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_duplex_store_apply(ngx_duplex_store_table(), &rec);
}


static ngx_int_t
ngx_duplex_admin_key(ngx_str_t *key, ngx_str_t *field, u_char *buf,
    ngx_str_t *record)
{
    if (key->len + 1 + field->len > NGX_DUPLEX_KEY_MAX) {
        return NGX_DECLINED;
    }

    record->data = buf;
    record->len = ngx_sprintf(buf, "%V %V", key, field) - buf;

    return NGX_OK;
}


ngx_int_t
ngx_duplex_admin_split(ngx_str_t *record, ngx_str_t *key, ngx_str_t *field)
{
    size_t  len;

    for (len = record->len; len && record->data[len - 1] != ' '; len--) {
        /* void */
    }

    if (len < 2) {
        return NGX_DECLINED;
    }

    key->data = record->data;
    key->len = len - 1;

    field->data = record->data + len;
    field->len = record->len - len;

    return NGX_OK;
}


static void
ngx_duplex_admin_project(ngx_duplex_record_t *rec)
{
    ngx_str_t            key, field;
    ngx_duplex_group_t  *group;

    group = ngx_duplex_group_by_zone(&rec->zone);

    if (group && ngx_duplex_admin_split(&rec->key, &key, &field) == NGX_OK) {
        ngx_duplex_membership_refresh(group, &key);
    }
}


ngx_uint_t
ngx_duplex_admin_room(ngx_uint_t records)
{
    ngx_duplex_table_t       *table;
    ngx_duplex_table_stat_t   stat;

    table = ngx_duplex_store_table();
    if (table == NULL) {
        return 0;
    }

    /* one is taken or refused as a whole */

    if (records <= 1) {
        return 1;
    }

    ngx_duplex_table_stat(table, &stat);

    /* a sixteenth is not for new records, and each may be several chunks */

    return stat.free > stat.capacity / 16 + 8 * records;
}
