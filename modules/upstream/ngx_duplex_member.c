
/*
 * Changes of membership, as their authors ask for them.
 *
 * Checked here, then written as records; what the records bring about is
 * ngx_duplex_membership.c, the same for those that came from another node.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_admin.h"
#include "ngx_duplex_group.h"
#include "ngx_duplex_id.h"
#include "ngx_duplex_line.h"
#include "ngx_duplex_member.h"
#include "ngx_duplex_name.h"
#include "ngx_duplex_stock.h"


static ngx_duplex_member_e ngx_duplex_member_identify(
    ngx_duplex_group_t *group, ngx_duplex_member_t *member,
    ngx_duplex_peer_t *replaced, ngx_duplex_exist_t *exist, ngx_str_t *key);
static ngx_duplex_peer_t *ngx_duplex_member_at(ngx_duplex_group_t *group,
    ngx_duplex_line_t *line);
static ngx_uint_t ngx_duplex_member_changes(ngx_duplex_peer_t *peer,
    ngx_duplex_settings_t *set, ngx_uint_t mask);
static void ngx_duplex_member_record(ngx_duplex_peer_t *peer,
    ngx_duplex_exist_t *exist);


void
ngx_duplex_settings_init(ngx_duplex_settings_t *set)
{
    ngx_memzero(set, sizeof(ngx_duplex_settings_t));

    set->state = ngx_duplex_admin_up;
    set->weight = 1;
    set->max_fails = 1;
    set->fail_timeout = 10;
}


ngx_duplex_member_e
ngx_duplex_member_add(ngx_duplex_group_t *group, ngx_duplex_member_t *member,
    ngx_duplex_audit_t *audit, ngx_duplex_peer_t **peer)
{
    u_char               buf[NGX_DUPLEX_KEY_MAX];
    ngx_str_t            key;
    ngx_duplex_exist_t   exist;
    ngx_duplex_member_e  rc;

    key.data = buf;

    rc = ngx_duplex_member_identify(group, member, NULL, &exist, &key);

    if (rc != ngx_duplex_member_done) {
        return rc;
    }

    if (!ngx_duplex_place_free(group, member->backup, member->server.len)) {
        return ngx_duplex_member_no_place;
    }

    if (!ngx_duplex_admin_room(1)
        || ngx_duplex_admin_put_exist(group, &key, &exist, audit)
           == NGX_ERROR)
    {
        return ngx_duplex_member_no_memory;
    }

    if (peer) {
        *peer = ngx_duplex_peer_by_key(group, &key);
    }

    return ngx_duplex_member_done;
}


ngx_duplex_member_e
ngx_duplex_member_modify(ngx_duplex_peer_t *peer, ngx_duplex_settings_t *set,
    ngx_uint_t mask, ngx_duplex_audit_t *audit)
{
    ngx_uint_t             bit;
    ngx_duplex_name_t     *name;
    ngx_duplex_settings_t  was;

    mask = ngx_duplex_member_changes(peer, set, mask);

    if (mask == 0) {
        return ngx_duplex_member_same;
    }

    name = ngx_duplex_name_of(peer);

    if (name && name->service.len && (mask & NGX_DUPLEX_SET_WEIGHT)) {
        return ngx_duplex_member_service;
    }

    if (!ngx_duplex_admin_room(ngx_duplex_admin_new(peer, mask))) {
        return ngx_duplex_member_no_memory;
    }

    was = *set;

    for (bit = 1; bit <= mask; bit <<= 1) {

        if ((mask & bit)
            && ngx_duplex_admin_put(peer, bit, &was, 0, audit) == NGX_ERROR)
        {
            return ngx_duplex_member_no_memory;
        }
    }

    return ngx_duplex_member_done;
}


ngx_duplex_member_e
ngx_duplex_member_remove(ngx_duplex_peer_t *peer, ngx_duplex_audit_t *audit)
{
    ngx_duplex_exist_t  exist;

    if (ngx_duplex_name_of(peer)) {
        return ngx_duplex_member_resolved;
    }

    ngx_duplex_member_record(peer, &exist);

    exist.exists = 0;

    if (ngx_duplex_admin_put_exist(peer->group, &peer->key, &exist, audit)
        == NGX_ERROR)
    {
        return ngx_duplex_member_no_memory;
    }

    return ngx_duplex_member_done;
}


ngx_duplex_member_e
ngx_duplex_member_replace(ngx_duplex_peer_t *peer, ngx_duplex_member_t *member,
    ngx_duplex_audit_t *audit, ngx_duplex_peer_t **next)
{
    u_char                buf[NGX_DUPLEX_KEY_MAX];
    ngx_str_t             key;
    ngx_uint_t            id;
    ngx_duplex_group_t   *group;
    ngx_duplex_exist_t    exist;
    ngx_duplex_member_e   rc;

    key.data = buf;
    group = peer->group;
    id = peer->id;

    if (ngx_duplex_name_of(peer)) {
        return ngx_duplex_member_resolved;
    }

    rc = ngx_duplex_member_identify(group, member, peer, &exist, &key);

    if (rc != ngx_duplex_member_done) {
        return rc;
    }

    if (!ngx_duplex_place_free(group, member->backup, member->server.len)) {
        return ngx_duplex_member_no_place;
    }

    if (!ngx_duplex_admin_room(2)
        || ngx_duplex_member_remove(peer, audit) != ngx_duplex_member_done)
    {
        return ngx_duplex_member_no_memory;
    }

    exist.id = id;

    if (ngx_duplex_admin_put_exist(group, &key, &exist, audit) == NGX_ERROR) {
        return ngx_duplex_member_no_memory;
    }

    if (next) {
        *next = ngx_duplex_peer_by_key(group, &key);
    }

    return ngx_duplex_member_done;
}


ngx_uint_t
ngx_duplex_member_next_id(ngx_duplex_group_t *group)
{
    return ngx_duplex_id_next(group);
}


ngx_duplex_member_e
ngx_duplex_member_fit(ngx_duplex_group_t *group, ngx_uint_t primaries,
    ngx_uint_t backups, ngx_uint_t records)
{
    if ((primaries
         && ngx_duplex_place_free(group, 0, NGX_SOCKADDR_STRLEN) < primaries)
        || (backups
            && ngx_duplex_place_free(group, 1, NGX_SOCKADDR_STRLEN) < backups))
    {
        return ngx_duplex_member_no_place;
    }

    return ngx_duplex_admin_room(records) ? ngx_duplex_member_done
                                          : ngx_duplex_member_no_memory;
}


/*
 * The new server's key, in room for NGX_DUPLEX_KEY_MAX bytes, and its
 * existence from now on.  Its address must be free, but for the one that is
 * replaced.
 */

static ngx_duplex_member_e
ngx_duplex_member_identify(ngx_duplex_group_t *group,
    ngx_duplex_member_t *member, ngx_duplex_peer_t *replaced,
    ngx_duplex_exist_t *exist, ngx_str_t *key)
{
    ngx_int_t            rc;
    ngx_pool_t          *temp;
    ngx_duplex_line_t    line, *named;
    ngx_duplex_peer_t   *other;
    ngx_duplex_exist_t   was;

    if (member->server.len > NGX_DUPLEX_SERVER_MAX
        || member->name.len > NGX_SOCKADDR_STRLEN)
    {
        return ngx_duplex_member_bad_address;
    }

    key->len = ngx_sprintf(key->data, "%V %V 0", &member->server,
                           &member->name)
               - key->data;

    temp = ngx_create_pool(1024, ngx_cycle->log);
    if (temp == NULL) {
        return ngx_duplex_member_no_memory;
    }

    rc = ngx_duplex_line_parse(group, key, temp, &line);

    other = (rc == NGX_OK) ? ngx_duplex_member_at(group, &line) : NULL;

    ngx_destroy_pool(temp);

    if (rc != NGX_OK) {
        return rc == NGX_ERROR ? ngx_duplex_member_no_memory
                               : ngx_duplex_member_bad_address;
    }

    if (other && other != replaced) {
        return ngx_duplex_member_exists;
    }

    ngx_memzero(exist, sizeof(ngx_duplex_exist_t));

    named = ngx_duplex_line_find(group, line.hash);

    exist->life = ngx_duplex_clock_next(ngx_duplex_store_clock());
    exist->digest = named ? named->digest : 0;
    exist->exists = 1;
    exist->backup = (member->backup != 0);
    exist->set = member->set;

    if (replaced) {
        return ngx_duplex_member_done;
    }

    /* who comes back gets the id it had */

    if (ngx_duplex_admin_exist(group, key, &was) == NGX_OK
        && ngx_duplex_peer_by_id(group, was.id) == NULL)
    {
        exist->id = was.id;

    } else {
        exist->id = ngx_duplex_id_take(group);
    }

    return ngx_duplex_member_done;
}


static ngx_duplex_peer_t *
ngx_duplex_member_at(ngx_duplex_group_t *group, ngx_duplex_line_t *line)
{
    ngx_duplex_peer_t  *peer;

    for (peer = ngx_duplex_peer_first(group);
         peer;
         peer = ngx_duplex_peer_next(peer))
    {
        if (ngx_cmp_sockaddr(peer->sockaddr, peer->socklen, line->sockaddr,
                             line->socklen, 1)
            == NGX_OK)
        {
            return peer;
        }
    }

    return NULL;
}


static ngx_uint_t
ngx_duplex_member_changes(ngx_duplex_peer_t *peer, ngx_duplex_settings_t *set,
    ngx_uint_t mask)
{
    ngx_uint_t              changes;
    ngx_duplex_settings_t  *now;

    now = &peer->set;
    changes = 0;

    if (set->state != now->state) {
        changes |= NGX_DUPLEX_SET_STATE;
    }

    if (set->weight != now->weight) {
        changes |= NGX_DUPLEX_SET_WEIGHT;
    }

    if (set->max_conns != now->max_conns) {
        changes |= NGX_DUPLEX_SET_MAX_CONNS;
    }

    if (set->max_fails != now->max_fails) {
        changes |= NGX_DUPLEX_SET_MAX_FAILS;
    }

    if (set->fail_timeout != now->fail_timeout) {
        changes |= NGX_DUPLEX_SET_FAIL_TIMEOUT;
    }

    if (set->slow_start != now->slow_start) {
        changes |= NGX_DUPLEX_SET_SLOW_START;
    }

    if (set->route_len != now->route_len
        || ngx_memcmp(set->route, now->route, set->route_len) != 0)
    {
        changes |= NGX_DUPLEX_SET_ROUTE;
    }

    return changes & mask;
}


/* what it is now, as a record that could be */

static void
ngx_duplex_member_record(ngx_duplex_peer_t *peer, ngx_duplex_exist_t *exist)
{
    ngx_memzero(exist, sizeof(ngx_duplex_exist_t));

    exist->life = peer->life;
    exist->digest = peer->digest;
    exist->exists = 1;
    exist->id = peer->id;
    exist->backup = peer->backup;
    exist->set = peer->file;
}
