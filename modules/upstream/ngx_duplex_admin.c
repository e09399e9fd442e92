
/*
 * The administrator's word on a peer, as a record of the store.
 *
 * Kind "admn", the zone is the group's, the key the peer's identity, the
 * value one byte: 1 up, 2 down, 3 drain.  Bytes after it, and other values,
 * are of a later version: the word is then unknown here, and the file
 * counts.  A record of a group or a peer that is not in this node's file is
 * kept and does no harm.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_group.h"


#define NGX_DUPLEX_ADMIN_VALUE_MAX  64


static void ngx_duplex_admin_project(ngx_duplex_record_t *rec);
static void ngx_duplex_admin_record(ngx_duplex_peer_t *peer,
    ngx_duplex_record_t *rec);
static ngx_duplex_admin_e ngx_duplex_admin_decode(ngx_str_t *value);


ngx_duplex_kind_t  ngx_duplex_admin_kind = {
    NGX_DUPLEX_TAG('a', 'd', 'm', 'n'),
    ngx_string("administrator"),
    NGX_DUPLEX_KIND_DURABLE,
    ngx_duplex_admin_project
};


ngx_duplex_admin_e
ngx_duplex_peer_admin(ngx_duplex_peer_t *peer)
{
    ngx_duplex_table_t   *table;
    ngx_duplex_record_t   rec;
    u_char                buf[NGX_DUPLEX_ZONE_MAX + NGX_DUPLEX_KEY_MAX
                              + NGX_DUPLEX_ADMIN_VALUE_MAX];

    table = ngx_duplex_store_table();
    if (table == NULL) {
        return ngx_duplex_admin_none;
    }

    ngx_duplex_admin_record(peer, &rec);

    if (ngx_duplex_store_get(table, &rec, buf, sizeof(buf)) != NGX_OK) {
        return ngx_duplex_admin_none;
    }

    return ngx_duplex_admin_decode(&rec.value);
}


ngx_int_t
ngx_duplex_peer_admin_set(ngx_duplex_peer_t *peer, ngx_duplex_admin_e admin)
{
    u_char                value;
    ngx_duplex_table_t   *table;
    ngx_duplex_record_t   rec;

    table = ngx_duplex_store_table();
    if (table == NULL) {
        return NGX_ERROR;
    }

    if (ngx_duplex_peer_admin(peer) == admin) {
        return NGX_DECLINED;
    }

    ngx_duplex_admin_record(peer, &rec);

    if (admin == ngx_duplex_admin_none) {
        rec.deleted = 1;

    } else {
        value = (u_char) admin;
        rec.value.data = &value;
        rec.value.len = 1;
    }

    return ngx_duplex_store_apply(table, &rec);
}


static void
ngx_duplex_admin_record(ngx_duplex_peer_t *peer, ngx_duplex_record_t *rec)
{
    ngx_memzero(rec, sizeof(ngx_duplex_record_t));

    rec->kind = ngx_duplex_admin_kind.tag;
    rec->zone = peer->group->zone;
    rec->key = peer->key;
}


static ngx_duplex_admin_e
ngx_duplex_admin_decode(ngx_str_t *value)
{
    if (value->len == 0) {
        return ngx_duplex_admin_none;
    }

    switch (value->data[0]) {

    case ngx_duplex_admin_up:
    case ngx_duplex_admin_down:
    case ngx_duplex_admin_drain:
        return (ngx_duplex_admin_e) value->data[0];

    default:
        return ngx_duplex_admin_none;
    }
}


static void
ngx_duplex_admin_project(ngx_duplex_record_t *rec)
{
    ngx_duplex_peer_t   *peer;
    ngx_duplex_group_t  *group;

    group = ngx_duplex_group_by_zone(&rec->zone);
    if (group == NULL) {
        return;
    }

    peer = ngx_duplex_peer_by_key(group, &rec->key);
    if (peer == NULL) {
        return;
    }

    ngx_duplex_peer_project(peer);
}
