
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
#include "ngx_duplex_line.h"


#define ngx_duplex_peer_of_id(n)                                              \
    ngx_rbtree_data(n, ngx_duplex_peer_t, by_id)
#define ngx_duplex_peer_of_hash(n)                                            \
    ngx_rbtree_data(n, ngx_duplex_peer_t, by_hash)


ngx_duplex_peer_t *
ngx_duplex_peer_create(ngx_duplex_group_t *group, ngx_duplex_line_t *line,
    ngx_pool_t *pool)
{
    ngx_pool_t         *own;
    ngx_duplex_peer_t  *peer;

    own = NULL;

    if (pool == NULL) {
        own = ngx_create_pool(1024, ngx_cycle->log);
        if (own == NULL) {
            return NULL;
        }

        pool = own;
    }

    peer = ngx_pcalloc(pool, sizeof(ngx_duplex_peer_t));

    if (peer == NULL
        || (peer->key.data = ngx_pstrdup(pool, &line->key)) == NULL
        || (peer->sockaddr = ngx_pmemalign(pool, line->socklen,
                                           NGX_ALIGNMENT)) == NULL)
    {
        if (own) {
            ngx_destroy_pool(own);
        }

        return NULL;
    }

    peer->group = group;
    peer->pool = own;

    /* the key is "SERVER ADDRESS ORDINAL" */

    peer->key.len = line->key.len;
    peer->hash = line->hash;

    peer->server.data = peer->key.data;
    peer->server.len = line->server.len;
    peer->name.data = peer->key.data + line->server.len + 1;
    peer->name.len = line->name.len;
    peer->ordinal = line->ordinal;

    ngx_memcpy(peer->sockaddr, line->sockaddr, line->socklen);
    peer->socklen = line->socklen;
    peer->backup = (line->backup != 0);

    peer->file = line->set;

    ngx_duplex_peer_set(peer, &line->set);

    return peer;
}


void
ngx_duplex_peer_set(ngx_duplex_peer_t *peer, ngx_duplex_settings_t *set)
{
    u_char      digest[16];
    ngx_md5_t   md5;

    peer->set = *set;

    if (set->route_len) {
        peer->sid.data = peer->set.route;
        peer->sid.len = set->route_len;
        return;
    }

    /* as stock has it: MD5 of address and port, or of "unix:" and a path */

    ngx_md5_init(&md5);
    ngx_md5_update(&md5, peer->name.data, peer->name.len);
    ngx_md5_final(digest, &md5);

    peer->sid.data = peer->digits;
    peer->sid.len = ngx_hex_dump(peer->digits, digest, sizeof(digest))
                    - peer->digits;
}


void
ngx_duplex_peer_insert(ngx_duplex_peer_t *peer, ngx_uint_t id)
{
    ngx_duplex_group_t  *group;

    group = peer->group;

    peer->id = id;
    peer->by_id.key = id;
    ngx_rbtree_insert(&group->ids, &peer->by_id);

    peer->by_hash.key = peer->hash;
    ngx_rbtree_insert(&group->hashes, &peer->by_hash);

    group->npeers++;
}


void
ngx_duplex_peer_delete(ngx_duplex_peer_t *peer)
{
    ngx_duplex_group_t  *group;

    group = peer->group;

    ngx_rbtree_delete(&group->ids, &peer->by_id);
    ngx_rbtree_delete(&group->hashes, &peer->by_hash);

    group->npeers--;
}


ngx_duplex_peer_t *
ngx_duplex_peer_previous(ngx_duplex_peer_t *peer)
{
    ngx_rbtree_node_t  *node, *sentinel;

    node = &peer->by_id;
    sentinel = peer->group->ids.sentinel;

    if (node->left != sentinel) {

        for (node = node->left; node->right != sentinel; node = node->right) {
            /* void */
        }

        return ngx_duplex_peer_of_id(node);
    }

    while (node != peer->group->ids.root) {

        if (node == node->parent->right) {
            return ngx_duplex_peer_of_id(node->parent);
        }

        node = node->parent;
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
    ngx_duplex_peer_t  *peer;

    if (key->len > NGX_DUPLEX_KEY_MAX) {
        return NULL;
    }

    peer = ngx_duplex_peer_by_hash(group, ngx_duplex_line_hash(group, key));

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
