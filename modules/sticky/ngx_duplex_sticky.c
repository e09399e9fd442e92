
/*
 * See the header.
 *
 * The text in a signed cookie is "SID.MAC": the MAC is made once for a peer,
 * not for a request.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include "../core/ngx_duplex_page.h"
#include "ngx_duplex_session.h"
#include "ngx_duplex_session_page.h"
#include "ngx_duplex_session_void.h"
#include "ngx_duplex_sticky.h"
#include "ngx_duplex_sticky_counters.h"


#define NGX_DUPLEX_STICKY          "sticky"
#define NGX_DUPLEX_STICKY_COUNT    1000     /* ms that a count is good for */

/* a route has at most 32 bytes, an MD5 has 32 digits */
#define NGX_DUPLEX_STICKY_SID_MAX  32


static void ngx_duplex_sticky_fields(ngx_duplex_peer_t *peer,
    ngx_duplex_json_t *json);
static void ngx_duplex_sticky_added(ngx_duplex_peer_t *peer);
static void ngx_duplex_sticky_removed(ngx_duplex_peer_t *peer);
static ngx_uint_t ngx_duplex_sticky_show(ngx_duplex_call_t *call);
static void ngx_duplex_sticky_count_sessions(
    ngx_duplex_sticky_group_t *sticky);
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


static ngx_duplex_contributor_t  ngx_duplex_sticky_contributor = {
    NULL,                                  /* bits */
    NULL,                                  /* state */
    ngx_duplex_sticky_fields,              /* fields */
    ngx_duplex_sticky_added,               /* added */
    ngx_duplex_sticky_removed              /* removed */
};


static ngx_duplex_feature_t  ngx_duplex_sticky_feature = {
    ngx_string("sticky"),
    NGX_DUPLEX_LAYER_FEATURE,
    NULL,                                  /* bind */
    ngx_duplex_session_void_commit,        /* commit */
    NULL,                                  /* start */
    NULL,                                  /* take */
    NULL,                                  /* beat */
    NULL,                                  /* wake */
    NULL,                                  /* drop */
    NULL                                   /* stop */
};


static ngx_duplex_page_t  ngx_duplex_sticky_page = {
    ngx_string("duplex/sticky"),
    ngx_duplex_sticky_show, NULL, NULL, NULL, NULL, 1, NULL
};


/* of this worker */
static ngx_duplex_sticky_group_t  *ngx_duplex_sticky_first;

static const char  *ngx_duplex_sticky_words[] = {
    "new", "hit", "rebound", "miss", "forged"
};


ngx_int_t
ngx_duplex_sticky_register(ngx_conf_t *cf)
{
    if (ngx_duplex_find_service(cf, NGX_DUPLEX_STICKY)) {
        return NGX_OK;
    }

    if (ngx_duplex_register_service(cf, NGX_DUPLEX_STICKY,
                                    &ngx_duplex_sticky_contributor)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ngx_duplex_register_kind(cf, &ngx_duplex_session_kind) != NGX_OK
        || ngx_duplex_register_kind(cf, &ngx_duplex_session_void_kind)
           != NGX_OK
        || ngx_duplex_register_feature(cf, &ngx_duplex_sticky_feature)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_duplex_register_contributor(cf, &ngx_duplex_sticky_contributor);
}


ngx_int_t
ngx_duplex_sticky_bind(ngx_conf_t *cf, ngx_duplex_sticky_group_t *sticky,
    ngx_duplex_group_t *group)
{
    sticky->group = group;

    if (ngx_duplex_sticky_offer(cf, &ngx_duplex_sticky_page) != NGX_OK
        || (sticky->zone && ngx_duplex_session_pages(cf) != NGX_OK))
    {
        return NGX_ERROR;
    }

    return ngx_duplex_sticky_add_counters(cf, &sticky->counters_zone);
}


ngx_int_t
ngx_duplex_sticky_offer(ngx_conf_t *cf, ngx_duplex_page_t *page)
{
    const char  *path;

    path = (char *) page->path.data;

    if (ngx_duplex_find_service(cf, path)) {
        return NGX_OK;
    }

    if (ngx_duplex_register_service(cf, path, page) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_duplex_register_page(cf, page);
}


void
ngx_duplex_sticky_start(ngx_duplex_sticky_group_t *sticky)
{
    ngx_rbtree_init(&sticky->sids, &sticky->sentinel, ngx_rbtree_insert_value);

    sticky->counters = ngx_duplex_sticky_counters(sticky->counters_zone,
                                                  sticky->group);

    sticky->next = ngx_duplex_sticky_first;
    ngx_duplex_sticky_first = sticky;
}


ngx_duplex_sticky_group_t *
ngx_duplex_sticky_groups(void)
{
    return ngx_duplex_sticky_first;
}


ngx_duplex_sticky_group_t *
ngx_duplex_sticky_of(ngx_duplex_group_t *group)
{
    ngx_duplex_sticky_group_t  *sticky;

    for (sticky = ngx_duplex_sticky_first; sticky; sticky = sticky->next) {
        if (sticky->group == group) {
            return sticky;
        }
    }

    return NULL;
}


static void
ngx_duplex_sticky_added(ngx_duplex_peer_t *peer)
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


static void
ngx_duplex_sticky_removed(ngx_duplex_peer_t *peer)
{
    ngx_duplex_sid_t           *sid;
    ngx_duplex_sticky_group_t  *sticky;

    sticky = ngx_duplex_sticky_of(peer->group);

    sid = sticky ? ngx_duplex_sid_of(sticky, peer) : NULL;

    if (sid) {
        ngx_rbtree_delete(&sticky->sids, &sid->node);
        ngx_free(sid);
    }
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
                                   &sid->peer->sid);
}


ngx_duplex_sid_t *
ngx_duplex_sid_of(ngx_duplex_sticky_group_t *sticky, ngx_duplex_peer_t *peer)
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

        if (sid->peer == peer) {
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


void
ngx_duplex_sticky_count(ngx_duplex_sticky_group_t *sticky,
    ngx_duplex_sticky_status_e status)
{
    if (sticky->counters) {
        (void) ngx_atomic_fetch_add(&sticky->counters[status], 1);
    }
}


ngx_uint_t
ngx_duplex_sticky_sessions(ngx_duplex_sticky_group_t *sticky,
    ngx_duplex_peer_t *peer)
{
    ngx_duplex_sid_t  *sid;

    if (sticky->counted_at == 0
        || ngx_current_msec - sticky->counted_at >= NGX_DUPLEX_STICKY_COUNT)
    {
        ngx_duplex_sticky_count_sessions(sticky);
    }

    sid = ngx_duplex_sid_of(sticky, peer);

    return sid ? sid->sessions : 0;
}


/* without memory the last figures stay */

static void
ngx_duplex_sticky_count_sessions(ngx_duplex_sticky_group_t *sticky)
{
    uint64_t           *hashes;
    ngx_uint_t          i, n, *counts;
    ngx_duplex_sid_t   *sid;
    ngx_duplex_peer_t  *peer;

    n = sticky->group->npeers;

    hashes = ngx_alloc(n * sizeof(uint64_t) + n * sizeof(ngx_uint_t),
                       ngx_cycle->log);
    if (hashes == NULL) {
        return;
    }

    counts = (ngx_uint_t *) (hashes + n);

    for (i = 0, peer = ngx_duplex_peer_first(sticky->group);
         peer && i < n;
         i++, peer = ngx_duplex_peer_next(peer))
    {
        hashes[i] = peer->hash;
    }

    ngx_duplex_dense_count(sticky->zone->table, hashes, counts, i,
                           ngx_current_msec);

    while (i) {
        peer = ngx_duplex_peer_by_hash(sticky->group, hashes[--i]);
        sid = ngx_duplex_sid_of(sticky, peer);

        if (sid) {
            sid->sessions = counts[i];
        }
    }

    ngx_free(hashes);

    sticky->counted_at = ngx_current_msec;
}


static void
ngx_duplex_sticky_fields(ngx_duplex_peer_t *peer, ngx_duplex_json_t *json)
{
    ngx_duplex_sticky_group_t  *sticky;

    sticky = ngx_duplex_sticky_of(peer->group);

    if (sticky && sticky->zone) {
        ngx_duplex_json_integer(json, "sessions",
                                ngx_duplex_sticky_sessions(sticky, peer));
    }
}


static ngx_uint_t
ngx_duplex_sticky_show(ngx_duplex_call_t *call)
{
    ngx_uint_t                  i;
    ngx_duplex_json_t          *json;
    ngx_duplex_sticky_group_t  *sticky;

    json = call->json;

    ngx_duplex_json_object(json, NULL);

    for (sticky = ngx_duplex_sticky_first; sticky; sticky = sticky->next) {

        if (sticky->counters == NULL) {
            continue;
        }

        ngx_duplex_json_object_named(json, &sticky->group->zone);

        for (i = 0; i < ngx_duplex_sticky_last; i++) {
            ngx_duplex_json_integer(json, ngx_duplex_sticky_words[i],
                                    sticky->counters[i]);
        }

        ngx_duplex_json_object_end(json);
    }

    ngx_duplex_json_object_end(json);

    return NGX_DUPLEX_CALL_OK;
}


const char *
ngx_duplex_sticky_word(ngx_uint_t status)
{
    return ngx_duplex_sticky_words[status];
}
