
/*
 * The peers of a group by the text that names them in cookies and routes.
 *
 * The text in a signed cookie is "SID.MAC": the MAC is made once for a peer,
 * not for a request.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include "ngx_duplex_sticky.h"


#define NGX_DUPLEX_SID_RENAME      1000     /* ms between two looks */

/* a route has at most 32 bytes, an MD5 has 32 digits */
#define NGX_DUPLEX_STICKY_SID_MAX  32


static ngx_uint_t ngx_duplex_sticky_rename(ngx_duplex_sticky_group_t *sticky);
static ngx_duplex_sid_t *ngx_duplex_sid_named(
    ngx_duplex_sticky_group_t *sticky, ngx_duplex_peer_t *peer);
static ngx_uint_t ngx_duplex_sticky_hash(ngx_str_t *sid);
static void ngx_duplex_sticky_mac(ngx_duplex_sticky_group_t *sticky,
    ngx_str_t *key, ngx_str_t *sid, u_char *mac);
static ngx_uint_t ngx_duplex_sticky_verify(ngx_duplex_sticky_group_t *sticky,
    ngx_duplex_sid_t *sid, ngx_str_t *name, u_char *mac);
static ngx_rbtree_node_t *ngx_duplex_sid_first(
    ngx_duplex_sticky_group_t *sticky, ngx_str_t *name);
static ngx_duplex_sid_t *ngx_duplex_sid_in_order(
    ngx_duplex_sticky_group_t *sticky, ngx_rbtree_node_t *node,
    ngx_str_t *name);


void
ngx_duplex_sids_added(ngx_duplex_peer_t *peer)
{
    size_t                      len, macs;
    u_char                     *p;
    ngx_uint_t                  i;
    ngx_duplex_sid_t           *sid;
    ngx_duplex_sticky_group_t  *sticky;

    sticky = ngx_duplex_sticky_of(peer->group);

    if (sticky == NULL) {
        return;
    }

    macs = sticky->nkeys * NGX_DUPLEX_STICKY_MAC_LEN;
    len = peer->sid.len + (macs ? 1 + NGX_DUPLEX_STICKY_MAC_LEN : 0);

    /* without memory the peer has no sessions, and works */

    sid = ngx_calloc(sizeof(ngx_duplex_sid_t) + len + macs, ngx_cycle->log);
    if (sid == NULL) {
        return;
    }

    sid->peer = peer;
    sid->value.data = (u_char *) sid + sizeof(ngx_duplex_sid_t);
    sid->value.len = len;
    sid->name.data = sid->value.data;
    sid->name.len = peer->sid.len;
    sid->macs = sid->value.data + len;

    for (i = 0; i < sticky->nkeys; i++) {
        ngx_duplex_sticky_mac(sticky, &sticky->keys[i], &peer->sid,
                              sid->macs + i * NGX_DUPLEX_STICKY_MAC_LEN);
    }

    p = ngx_cpymem(sid->value.data, peer->sid.data, peer->sid.len);

    if (macs) {
        *p++ = '.';
        ngx_memcpy(p, sid->macs, NGX_DUPLEX_STICKY_MAC_LEN);
    }

    sid->node.key = ngx_duplex_sticky_hash(&peer->sid);

    ngx_rbtree_insert(&sticky->sids, &sid->node);
}


/* whatever its name is by now */

void
ngx_duplex_sids_removed(ngx_duplex_peer_t *peer)
{
    ngx_duplex_sid_t           *sid;
    ngx_rbtree_node_t          *node;
    ngx_duplex_sticky_group_t  *sticky;

    sticky = ngx_duplex_sticky_of(peer->group);

    if (sticky == NULL || sticky->sids.root == &sticky->sentinel) {
        return;
    }

    for (node = ngx_rbtree_min(sticky->sids.root, &sticky->sentinel);
         node;
         node = ngx_rbtree_next(&sticky->sids, node))
    {
        sid = ngx_rbtree_data(node, ngx_duplex_sid_t, node);

        if (sid->peer == peer) {
            ngx_rbtree_delete(&sticky->sids, node);
            ngx_free(sid);
            return;
        }
    }
}


/*
 * The API may give a server another route: nobody tells, so a name that is
 * not found is a reason to look, once a second.  1: one was renamed.
 */

static ngx_uint_t
ngx_duplex_sticky_rename(ngx_duplex_sticky_group_t *sticky)
{
    ngx_duplex_sid_t   *sid;
    ngx_duplex_peer_t  *peer;
    ngx_uint_t          renamed;

    if (sticky->renamed_at
        && ngx_current_msec - sticky->renamed_at < NGX_DUPLEX_SID_RENAME)
    {
        return 0;
    }

    sticky->renamed_at = ngx_current_msec;
    renamed = 0;

    for (peer = ngx_duplex_peer_first(sticky->group);
         peer;
         peer = ngx_duplex_peer_next(peer))
    {
        sid = ngx_duplex_sid_named(sticky, peer);

        if (sid == NULL) {
            ngx_duplex_sids_removed(peer);
            ngx_duplex_sids_added(peer);
            renamed = 1;
        }
    }

    return renamed;
}


static ngx_uint_t
ngx_duplex_sticky_hash(ngx_str_t *sid)
{
    u_char    *p, *last;
    uint64_t   hash, word;

    /* 8 bytes at a time: names have up to 32, and come with every request */

    hash = sid->len;
    last = sid->data + sid->len;

    for (p = sid->data; last - p >= 8; p += 8) {
        ngx_memcpy(&word, p, 8);
        hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
        hash ^= hash >> 32;
    }

    while (p < last) {
        hash = (hash ^ *p++) * 0x9e3779b97f4a7c15ULL;
    }

    return (ngx_uint_t) (hash ^ hash >> 32);
}


ngx_duplex_sid_t *
ngx_duplex_sid_find(ngx_duplex_sticky_group_t *sticky, ngx_str_t *value,
    ngx_uint_t *forged)
{
    u_char            *mac;
    ngx_str_t          name;
    ngx_duplex_sid_t  *sid;

    name = *value;
    mac = NULL;
    *forged = 0;

    if (sticky->nkeys) {

        if (value->len < 1 + NGX_DUPLEX_STICKY_MAC_LEN) {
            *forged = 1;
            return NULL;
        }

        name.len = value->len - NGX_DUPLEX_STICKY_MAC_LEN - 1;
        mac = name.data + name.len + 1;

        if (mac[-1] != '.' || name.len > NGX_DUPLEX_STICKY_SID_MAX) {
            *forged = 1;
            return NULL;
        }
    }

    sid = ngx_duplex_sid_in_order(sticky,
                                  ngx_duplex_sid_first(sticky, &name), &name);

    if (sid == NULL && ngx_duplex_sticky_rename(sticky)) {
        sid = ngx_duplex_sid_in_order(sticky,
                                      ngx_duplex_sid_first(sticky, &name),
                                      &name);
    }

    if (mac) {
        *forged = !ngx_duplex_sticky_verify(sticky, sid, &name, mac);
    }

    return *forged ? NULL : sid;
}


ngx_duplex_sid_t *
ngx_duplex_sid_next(ngx_duplex_sticky_group_t *sticky, ngx_duplex_sid_t *sid)
{
    return ngx_duplex_sid_in_order(sticky,
                                   ngx_rbtree_next(&sticky->sids, &sid->node),
                                   &sid->name);
}


ngx_duplex_sid_t *
ngx_duplex_sid_of(ngx_duplex_sticky_group_t *sticky, ngx_duplex_peer_t *peer)
{
    ngx_duplex_sid_t  *sid;

    sid = ngx_duplex_sid_named(sticky, peer);

    if (sid == NULL && ngx_duplex_sticky_rename(sticky)) {
        sid = ngx_duplex_sid_named(sticky, peer);
    }

    return sid;
}


/* NULL: it has another name than when it was added */

static ngx_duplex_sid_t *
ngx_duplex_sid_named(ngx_duplex_sticky_group_t *sticky, ngx_duplex_peer_t *peer)
{
    ngx_uint_t          hash;
    ngx_duplex_sid_t   *sid;
    ngx_rbtree_node_t  *node;

    hash = ngx_duplex_sticky_hash(&peer->sid);

    for (node = ngx_duplex_sid_first(sticky, &peer->sid);
         node && node->key == hash;
         node = ngx_rbtree_next(&sticky->sids, node))
    {
        sid = ngx_rbtree_data(node, ngx_duplex_sid_t, node);

        if (sid->peer == peer
            && sid->name.len == peer->sid.len
            && ngx_memcmp(sid->name.data, peer->sid.data, sid->name.len) == 0)
        {
            return sid;
        }
    }

    return NULL;
}


/* the first node in order that may be of this name; NULL: there is none */

static ngx_rbtree_node_t *
ngx_duplex_sid_first(ngx_duplex_sticky_group_t *sticky, ngx_str_t *name)
{
    ngx_uint_t          hash;
    ngx_rbtree_node_t  *node, *first, *sentinel;

    hash = ngx_duplex_sticky_hash(name);
    sentinel = sticky->sids.sentinel;
    first = NULL;

    node = sticky->sids.root;

    while (node != sentinel) {

        if (node->key < hash) {
            node = node->right;
            continue;
        }

        if (node->key == hash) {
            first = node;
        }

        node = node->left;
    }

    return first;
}


/* the first of this name from "node" on */

static ngx_duplex_sid_t *
ngx_duplex_sid_in_order(ngx_duplex_sticky_group_t *sticky,
    ngx_rbtree_node_t *node, ngx_str_t *name)
{
    ngx_uint_t         hash;
    ngx_duplex_sid_t  *sid;

    for (hash = node ? node->key : 0;
         node && node->key == hash;
         node = ngx_rbtree_next(&sticky->sids, node))
    {
        sid = ngx_rbtree_data(node, ngx_duplex_sid_t, node);

        /* its present name: by that of before it is not found any more */

        if (sid->peer->sid.len == name->len
            && ngx_memcmp(sid->peer->sid.data, name->data, name->len) == 0)
        {
            return sid;
        }
    }

    return NULL;
}


/*
 * Takes as long for every wrong MAC of a name; "sid" is the name's, NULL if
 * no server has it.
 */

static ngx_uint_t
ngx_duplex_sticky_verify(ngx_duplex_sticky_group_t *sticky,
    ngx_duplex_sid_t *sid, ngx_str_t *name, u_char *mac)
{
    u_char      made[NGX_DUPLEX_STICKY_MAC_LEN], *good;
    ngx_uint_t  i, verified;

    verified = 0;

    for (i = 0; i < sticky->nkeys; i++) {

        if (sid) {
            good = sid->macs + i * NGX_DUPLEX_STICKY_MAC_LEN;

        } else {
            ngx_duplex_sticky_mac(sticky, &sticky->keys[i], name, made);
            good = made;
        }

        verified |= (CRYPTO_memcmp(mac, good, NGX_DUPLEX_STICKY_MAC_LEN) == 0);
    }

    return verified;
}


/* the first 128 bits of HMAC-SHA256 over the group's name, a zero, the sid */

static void
ngx_duplex_sticky_mac(ngx_duplex_sticky_group_t *sticky, ngx_str_t *key,
    ngx_str_t *sid, u_char *mac)
{
    u_char        *p, text[NGX_DUPLEX_ZONE_MAX + 1 + NGX_DUPLEX_STICKY_SID_MAX];
    u_char         base64[ngx_base64_encoded_length(16)];
    unsigned int   len;
    ngx_str_t      digest, encoded;
    u_char         md[EVP_MAX_MD_SIZE];

    p = ngx_cpymem(text, sticky->group->name.data,
                   ngx_min(sticky->group->name.len, NGX_DUPLEX_ZONE_MAX));
    *p++ = '\0';
    p = ngx_cpymem(p, sid->data, ngx_min(sid->len, NGX_DUPLEX_STICKY_SID_MAX));

    ngx_memzero(md, sizeof(md));

    (void) HMAC(EVP_sha256(), key->data, key->len, text, p - text, md, &len);

    digest.data = md;
    digest.len = 16;
    encoded.data = base64;

    ngx_encode_base64url(&encoded, &digest);

    ngx_memcpy(mac, base64, NGX_DUPLEX_STICKY_MAC_LEN);
}
