
/*
 * The peers of a group: what they are called, and how they are found.
 *
 * A peer is in two trees of its group, by id and by the hash of its identity.
 * What it does at run time is not kept here: that is in the stock peers and
 * in the store.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_md5.h>
#include "../core/ngx_duplex_identity.h"
#include "ngx_duplex_group.h"


#define NGX_DUPLEX_SID_LEN  32      /* MD5 in hexadecimal */

#define ngx_duplex_peer_of_id(n)                                              \
    ngx_rbtree_data(n, ngx_duplex_peer_t, by_id)
#define ngx_duplex_peer_of_hash(n)                                            \
    ngx_rbtree_data(n, ngx_duplex_peer_t, by_hash)


static ngx_int_t ngx_duplex_peer_add(ngx_conf_t *cf,
    ngx_duplex_group_t *group, ngx_duplex_server_t *server, ngx_addr_t *addr);
static ngx_int_t ngx_duplex_peer_identify(ngx_conf_t *cf,
    ngx_duplex_peer_t *peer);
static ngx_int_t ngx_duplex_peer_name_session(ngx_conf_t *cf,
    ngx_duplex_peer_t *peer);


ngx_int_t
ngx_duplex_server_add(ngx_conf_t *cf, ngx_duplex_group_t *group,
    ngx_duplex_server_t *server)
{
    ngx_uint_t  i;

    for (i = 0; i < server->naddrs; i++) {
        if (ngx_duplex_peer_add(cf, group, server, &server->addrs[i])
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_duplex_peer_add(ngx_conf_t *cf, ngx_duplex_group_t *group,
    ngx_duplex_server_t *server, ngx_addr_t *addr)
{
    ngx_duplex_peer_t  *peer;

    peer = ngx_pcalloc(cf->pool, sizeof(ngx_duplex_peer_t));
    if (peer == NULL) {
        return NGX_ERROR;
    }

    peer->group = group;
    peer->id = group->npeers;
    peer->server = server->name;
    peer->name = addr->name;
    peer->sockaddr = addr->sockaddr;
    peer->socklen = addr->socklen;
    peer->configured = server->configured;
    peer->route = server->route;
    peer->backup = (server->backup != 0);

    if (ngx_duplex_peer_identify(cf, peer) != NGX_OK
        || ngx_duplex_peer_name_session(cf, peer) != NGX_OK)
    {
        return NGX_ERROR;
    }

    peer->by_id.key = peer->id;
    ngx_rbtree_insert(&group->ids, &peer->by_id);

    peer->by_hash.key = peer->hash;
    ngx_rbtree_insert(&group->hashes, &peer->by_hash);

    group->npeers++;

    return NGX_OK;
}


/*
 * The key is "SERVER ADDRESS ORDINAL".  It is unique within the group: a
 * server as written has a space only if it is the path of a unix socket,
 * and then the address is the same text.
 */

static ngx_int_t
ngx_duplex_peer_identify(ngx_conf_t *cf, ngx_duplex_peer_t *peer)
{
    u_char              *p, *text;
    size_t               len;
    ngx_duplex_group_t  *group;

    group = peer->group;

    len = peer->server.len + 1 + peer->name.len + 1 + NGX_INT_T_LEN;

    /* the hash is that of "ZONE KEY", the key is its end */

    text = ngx_pnalloc(cf->pool, group->zone.len + 1 + len);
    if (text == NULL) {
        return NGX_ERROR;
    }

    peer->key.data = ngx_sprintf(text, "%V ", &group->zone);

    do {
        p = ngx_sprintf(peer->key.data, "%V %V %ui", &peer->server,
                        &peer->name, peer->ordinal);

        peer->key.len = p - peer->key.data;
        peer->hash = ngx_duplex_hash(text, p - text);

    } while (ngx_duplex_peer_by_hash(group, peer->hash) && ++peer->ordinal);

    return NGX_OK;
}


/* as stock has it: MD5 of address and port, or of "unix:" and a path */

static ngx_int_t
ngx_duplex_peer_name_session(ngx_conf_t *cf, ngx_duplex_peer_t *peer)
{
    u_char      digest[16];
    ngx_md5_t   md5;

    if (peer->route.len) {
        peer->sid = peer->route;
        return NGX_OK;
    }

    ngx_md5_init(&md5);
    ngx_md5_update(&md5, peer->name.data, peer->name.len);
    ngx_md5_final(digest, &md5);

    peer->sid.data = ngx_pnalloc(cf->pool, NGX_DUPLEX_SID_LEN);
    if (peer->sid.data == NULL) {
        return NGX_ERROR;
    }

    peer->sid.len = ngx_hex_dump(peer->sid.data, digest, sizeof(digest))
                    - peer->sid.data;

    return NGX_OK;
}


ngx_uint_t
ngx_duplex_peer_is(ngx_duplex_peer_t *peer, ngx_str_t *server, ngx_str_t *name)
{
    return peer->name.len == name->len
           && peer->server.len == server->len
           && ngx_memcmp(peer->name.data, name->data, name->len) == 0
           && ngx_memcmp(peer->server.data, server->data, server->len) == 0;
}


/* its ordinal counts primaries and backups, a stock list has only either */

ngx_uint_t
ngx_duplex_peer_rank(ngx_duplex_peer_t *peer)
{
    ngx_uint_t          rank;
    ngx_duplex_peer_t  *other;

    if (peer->ordinal == 0) {
        return 0;
    }

    rank = 0;

    for (other = ngx_duplex_peer_first(peer->group);
         other && other != peer;
         other = ngx_duplex_peer_next(other))
    {
        if (other->backup == peer->backup
            && ngx_duplex_peer_is(other, &peer->server, &peer->name))
        {
            rank++;
        }
    }

    return rank;
}


ngx_duplex_peer_t *
ngx_duplex_peer_of_rank(ngx_duplex_group_t *group, ngx_uint_t backup,
    ngx_str_t *server, ngx_str_t *name, ngx_uint_t rank)
{
    ngx_duplex_peer_t  *peer;

    for (peer = ngx_duplex_peer_first(group);
         peer;
         peer = ngx_duplex_peer_next(peer))
    {
        if (peer->backup != backup
            || !ngx_duplex_peer_is(peer, server, name))
        {
            continue;
        }

        if (rank == 0) {
            return peer;
        }

        rank--;
    }

    return NULL;
}


ngx_duplex_peer_t *
ngx_duplex_peer_first(ngx_duplex_group_t *group)
{
    if (group->ids.root == group->ids.sentinel) {
        return NULL;
    }

    return ngx_duplex_peer_of_id(ngx_rbtree_min(group->ids.root,
                                                group->ids.sentinel));
}


ngx_duplex_peer_t *
ngx_duplex_peer_next(ngx_duplex_peer_t *peer)
{
    ngx_rbtree_node_t  *node;

    node = ngx_rbtree_next(&peer->group->ids, &peer->by_id);

    return node ? ngx_duplex_peer_of_id(node) : NULL;
}


ngx_duplex_peer_t *
ngx_duplex_peer_by_id(ngx_duplex_group_t *group, ngx_uint_t id)
{
    ngx_rbtree_node_t  *node, *sentinel;

    node = group->ids.root;
    sentinel = group->ids.sentinel;

    while (node != sentinel) {

        if (node->key == id) {
            return ngx_duplex_peer_of_id(node);
        }

        node = (id < node->key) ? node->left : node->right;
    }

    return NULL;
}


ngx_duplex_peer_t *
ngx_duplex_peer_by_key(ngx_duplex_group_t *group, ngx_str_t *key)
{
    u_char             *p;
    ngx_duplex_peer_t  *peer;
    u_char              text[NGX_DUPLEX_ZONE_MAX + 1 + NGX_DUPLEX_KEY_MAX];

    if (key->len > NGX_DUPLEX_KEY_MAX) {
        return NULL;
    }

    p = ngx_slprintf(text, text + sizeof(text), "%V %V", &group->zone, key);

    peer = ngx_duplex_peer_by_hash(group, ngx_duplex_hash(text, p - text));

    if (peer == NULL
        || peer->key.len != key->len
        || ngx_memcmp(peer->key.data, key->data, key->len) != 0)
    {
        return NULL;
    }

    return peer;
}


ngx_duplex_peer_t *
ngx_duplex_peer_by_hash(ngx_duplex_group_t *group, uint64_t hash)
{
    ngx_rbtree_node_t  *node, *sentinel;

    node = group->hashes.root;
    sentinel = group->hashes.sentinel;

    while (node != sentinel) {

        if (node->key == hash) {
            return ngx_duplex_peer_of_hash(node);
        }

        node = (hash < node->key) ? node->left : node->right;
    }

    return NULL;
}
