
/*
 * Verdicts and the prober's memory, as records of the store.
 *
 * Written by the schedule alone, in the holder of the lease; read by every
 * process.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "../core/ngx_duplex_clock.h"
#include "../core/ngx_duplex_identity.h"
#include "ngx_duplex_health.h"
#include "ngx_duplex_vote.h"


#define NGX_DUPLEX_HEALTH_VERDICT   NGX_DUPLEX_TAG('v', 'r', 'd', 't')
#define NGX_DUPLEX_HEALTH_PROBED    NGX_DUPLEX_TAG('p', 'r', 'o', 'b')

/* room for the strings of either record */
#define NGX_DUPLEX_HEALTH_RECORD                                              \
    (NGX_DUPLEX_ZONE_MAX + NGX_DUPLEX_KEY_MAX + NGX_DUPLEX_PROBED_RECORD_MAX)

/* of a check, in the keys of its records */
#define NGX_DUPLEX_HEALTH_ID        8

#define NGX_DUPLEX_HEALTH_MEMORY    (24 * 3600 * 1000ULL)       /* ms */

#define NGX_DUPLEX_HEALTH_NODES     16


/* the nodes that have a verdict on anything; of this turn of the event loop */
typedef struct {
    ngx_msec_t            time;
    ngx_uint_t            n;
    ngx_str_t             names[NGX_DUPLEX_HEALTH_NODES];
    u_char                data[NGX_DUPLEX_HEALTH_NODES]
                              [NGX_DUPLEX_NODE_NAME_MAX];
} ngx_duplex_health_nodes_t;


static void ngx_duplex_health_project(ngx_duplex_record_t *rec);
static ngx_duplex_peer_t *ngx_duplex_health_peer(ngx_duplex_record_t *rec,
    ngx_str_t *node);
static ngx_uint_t ngx_duplex_health_is_own(ngx_str_t *node);
static ngx_int_t ngx_duplex_health_prune_record(ngx_duplex_record_t *rec,
    void *data);
static void ngx_duplex_health_delete(uint32_t kind, ngx_str_t *zone,
    ngx_str_t *key);
static ngx_int_t ngx_duplex_health_node_record(ngx_duplex_record_t *rec,
    void *data);
static ngx_str_t ngx_duplex_health_probed_key(u_char *buf,
    ngx_duplex_peer_t *peer, ngx_duplex_check_t *check);


ngx_duplex_kind_t  ngx_duplex_health_verdict_kind = {
    NGX_DUPLEX_HEALTH_VERDICT,
    ngx_string("verdict"),
    0,
    ngx_duplex_health_project
};


ngx_duplex_kind_t  ngx_duplex_health_probed_kind = {
    NGX_DUPLEX_HEALTH_PROBED,
    ngx_string("probe"),
    NGX_DUPLEX_KIND_LOCAL,
    NULL
};


static ngx_duplex_health_nodes_t  ngx_duplex_health_nodes;


/* without a policy the others' verdicts are shown, not obeyed */

static void
ngx_duplex_health_project(ngx_duplex_record_t *rec)
{
    ngx_str_t           node;
    ngx_duplex_peer_t  *peer;

    peer = ngx_duplex_health_peer(rec, &node);

    if (peer && ngx_duplex_vote_counts(peer->group, &node)) {
        ngx_duplex_peer_project(peer);
        ngx_duplex_vote_changed(peer);
    }
}


/* NULL: no such peer in this configuration, or not such a key: node is empty */

static ngx_duplex_peer_t *
ngx_duplex_health_peer(ngx_duplex_record_t *rec, ngx_str_t *node)
{
    ngx_str_t            key;
    ngx_duplex_group_t  *group;

    if (ngx_duplex_verdict_key_split(&rec->key, &key, node) != NGX_OK) {
        ngx_str_null(node);
        return NULL;
    }

    group = ngx_duplex_group_by_zone(&rec->zone);

    return group ? ngx_duplex_peer_by_key(group, &key) : NULL;
}


static ngx_uint_t
ngx_duplex_health_is_own(ngx_str_t *node)
{
    ngx_str_t  *name;

    name = &ngx_duplex_identity()->name;

    return node->len == name->len
           && ngx_memcmp(node->data, name->data, name->len) == 0;
}


/* forgets what this node knows of servers that are no longer there */

void
ngx_duplex_health_prune(void)
{
    (void) ngx_duplex_store_walk(ngx_duplex_store_table(),
                                 NGX_DUPLEX_HEALTH_VERDICT, NULL,
                                 ngx_duplex_health_prune_record, NULL);

    (void) ngx_duplex_store_walk(ngx_duplex_store_table(),
                                 NGX_DUPLEX_HEALTH_PROBED, NULL,
                                 ngx_duplex_health_prune_record, NULL);
}


static ngx_int_t
ngx_duplex_health_prune_record(ngx_duplex_record_t *rec, void *data)
{
    ngx_str_t  node;

    if (ngx_duplex_health_peer(rec, &node) != NULL) {
        return NGX_OK;
    }

    if (rec->kind == NGX_DUPLEX_HEALTH_VERDICT
        && !ngx_duplex_health_is_own(&node))
    {
        return NGX_OK;
    }

    ngx_duplex_health_delete(rec->kind, &rec->zone, &rec->key);

    return NGX_OK;
}


void
ngx_duplex_health_bury(ngx_duplex_peer_t *peer)
{
    u_char               buf[NGX_DUPLEX_KEY_MAX];
    ngx_str_t            key;
    ngx_duplex_check_t  *check;

    for (check = ngx_duplex_check_first(peer->group);
         check;
         check = check->next)
    {
        key = ngx_duplex_health_probed_key(buf, peer, check);

        ngx_duplex_health_delete(NGX_DUPLEX_HEALTH_PROBED, &peer->group->zone,
                                 &key);
    }

    ngx_duplex_health_forget(peer);
}


static void
ngx_duplex_health_delete(uint32_t kind, ngx_str_t *zone, ngx_str_t *key)
{
    ngx_duplex_record_t  gone;

    ngx_memzero(&gone, sizeof(ngx_duplex_record_t));

    gone.kind = kind;
    gone.zone = *zone;
    gone.key = *key;
    gone.deleted = 1;

    (void) ngx_duplex_store_apply(ngx_duplex_store_table(), &gone);
}


/* one walk for all that is asked in one turn, say for all peers of a page */

ngx_int_t
ngx_duplex_health_node(ngx_uint_t i, ngx_str_t *node)
{
    ngx_duplex_health_nodes_t  *nodes;

    nodes = &ngx_duplex_health_nodes;

    if (nodes->time != ngx_current_msec) {
        nodes->time = ngx_current_msec;
        nodes->n = 0;

        (void) ngx_duplex_store_walk(ngx_duplex_store_table(),
                                     NGX_DUPLEX_HEALTH_VERDICT, NULL,
                                     ngx_duplex_health_node_record, nodes);
    }

    if (i >= nodes->n) {
        return NGX_DECLINED;
    }

    *node = nodes->names[i];

    return NGX_OK;
}


static ngx_int_t
ngx_duplex_health_node_record(ngx_duplex_record_t *rec, void *data)
{
    ngx_duplex_health_nodes_t *nodes = data;

    ngx_str_t   key, node, *name;
    ngx_uint_t  i;

    if (ngx_duplex_verdict_key_split(&rec->key, &key, &node) != NGX_OK
        || ngx_duplex_node_name_check(&node) != NGX_OK)
    {
        return NGX_OK;
    }

    for (i = 0; i < nodes->n; i++) {
        name = &nodes->names[i];

        if (name->len == node.len
            && ngx_memcmp(name->data, node.data, node.len) == 0)
        {
            return NGX_OK;
        }
    }

    if (nodes->n == NGX_DUPLEX_HEALTH_NODES) {
        return NGX_DONE;
    }

    name = &nodes->names[nodes->n];

    name->len = node.len;
    name->data = nodes->data[nodes->n];
    ngx_memcpy(name->data, node.data, node.len);

    nodes->n++;

    return NGX_OK;
}


ngx_duplex_verdict_e
ngx_duplex_health_own(ngx_duplex_peer_t *peer)
{
    uint64_t                     since;
    ngx_duplex_verdict_record_t  verdict;

    if (ngx_duplex_health_verdict(peer, &ngx_duplex_identity()->name, &verdict,
                                  &since)
        != NGX_OK)
    {
        return ngx_duplex_verdict_checking;
    }

    return verdict.state;
}


ngx_int_t
ngx_duplex_health_verdict(ngx_duplex_peer_t *peer, ngx_str_t *node,
    ngx_duplex_verdict_record_t *verdict, uint64_t *since)
{
    u_char               key[NGX_DUPLEX_KEY_MAX];
    u_char               buf[NGX_DUPLEX_HEALTH_RECORD];
    ngx_duplex_record_t  rec;

    rec.kind = NGX_DUPLEX_HEALTH_VERDICT;
    rec.zone = peer->group->zone;
    rec.key.data = key;
    rec.key.len = ngx_duplex_verdict_key(key, sizeof(key), &peer->key, node);

    if (ngx_duplex_store_get(ngx_duplex_store_table(), &rec, buf, sizeof(buf))
            != NGX_OK
        || ngx_duplex_verdict_decode(verdict, &rec.value) != NGX_OK
        || verdict->life != peer->life)
    {
        return NGX_DECLINED;
    }

    /*
     * Another node may bring back what a former life of this one had found:
     * that is history, not a verdict.
     */

    if (ngx_duplex_health_is_own(node)
        && verdict->incarnation != ngx_duplex_identity()->incarnation)
    {
        return NGX_DECLINED;
    }

    *since = ngx_duplex_clock_ms(rec.time);

    return NGX_OK;
}


void
ngx_duplex_health_probed(ngx_duplex_peer_t *peer, ngx_duplex_check_t *check,
    ngx_duplex_probed_t *probed)
{
    u_char               key[NGX_DUPLEX_KEY_MAX];
    u_char               buf[NGX_DUPLEX_HEALTH_RECORD];
    ngx_duplex_record_t  rec;

    rec.kind = NGX_DUPLEX_HEALTH_PROBED;
    rec.zone = peer->group->zone;
    rec.key = ngx_duplex_health_probed_key(key, peer, check);

    if (ngx_duplex_store_get(ngx_duplex_store_table(), &rec, buf, sizeof(buf))
            != NGX_OK
        || ngx_duplex_probed_decode(probed, &rec.value) != NGX_OK
        || probed->life != peer->life)
    {
        ngx_memzero(probed, sizeof(ngx_duplex_probed_t));
    }
}


void
ngx_duplex_health_save_probed(ngx_duplex_peer_t *peer,
    ngx_duplex_check_t *check, ngx_duplex_probed_t *probed)
{
    u_char               key[NGX_DUPLEX_KEY_MAX];
    u_char               value[NGX_DUPLEX_PROBED_RECORD_MAX];
    ngx_duplex_record_t  rec;

    ngx_memzero(&rec, sizeof(ngx_duplex_record_t));

    rec.kind = NGX_DUPLEX_HEALTH_PROBED;
    rec.zone = peer->group->zone;
    rec.key = ngx_duplex_health_probed_key(key, peer, check);
    probed->life = peer->life;

    rec.value.len = ngx_duplex_probed_encode(probed, value);
    rec.value.data = value;

    /* of a check that is gone for good nothing stays */

    rec.expire = ngx_duplex_clock_monotonic() + NGX_DUPLEX_HEALTH_MEMORY;

    (void) ngx_duplex_store_apply(ngx_duplex_store_table(), &rec);
}


/* the peer's key, a space, and the id of the check */

static ngx_str_t
ngx_duplex_health_probed_key(u_char *buf, ngx_duplex_peer_t *peer,
    ngx_duplex_check_t *check)
{
    u_char     id[NGX_DUPLEX_HEALTH_ID];
    ngx_str_t  key, suffix;

    suffix.data = id;
    suffix.len = ngx_sprintf(id, "%08xD", check->id) - id;

    key.data = buf;
    key.len = ngx_duplex_verdict_key(buf, NGX_DUPLEX_KEY_MAX, &peer->key,
                                     &suffix);

    return key;
}


ngx_int_t
ngx_duplex_health_save_verdict(ngx_duplex_peer_t *peer,
    ngx_duplex_verdict_record_t *verdict)
{
    u_char               key[NGX_DUPLEX_KEY_MAX];
    u_char               value[NGX_DUPLEX_VERDICT_RECORD_LEN];
    ngx_duplex_record_t  rec;

    verdict->incarnation = ngx_duplex_identity()->incarnation;
    verdict->digest = ngx_duplex_check_digest(peer->group);
    verdict->life = peer->life;

    ngx_duplex_verdict_encode(verdict, value);

    ngx_memzero(&rec, sizeof(ngx_duplex_record_t));

    rec.kind = NGX_DUPLEX_HEALTH_VERDICT;
    rec.zone = peer->group->zone;
    rec.key.data = key;
    rec.key.len = ngx_duplex_verdict_key(key, sizeof(key), &peer->key,
                                         &ngx_duplex_identity()->name);
    rec.value.len = NGX_DUPLEX_VERDICT_RECORD_LEN;
    rec.value.data = value;

    return ngx_duplex_store_apply(ngx_duplex_store_table(), &rec);
}


void
ngx_duplex_health_forget(ngx_duplex_peer_t *peer)
{
    u_char     buf[NGX_DUPLEX_KEY_MAX];
    ngx_str_t  key;

    key.data = buf;
    key.len = ngx_duplex_verdict_key(buf, sizeof(buf), &peer->key,
                                     &ngx_duplex_identity()->name);

    ngx_duplex_health_delete(NGX_DUPLEX_HEALTH_VERDICT, &peer->group->zone,
                             &key);
}
