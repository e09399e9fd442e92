
/*
 * The other nodes, in shared memory; see the header.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_clock.h"
#include "ngx_duplex_nodes.h"
#include "ngx_duplex_sync_conf.h"


/* grows with the layout: a zone of another size is not used again */
#define NGX_DUPLEX_NODES_LAYOUT  7


/* incarnations are random: two of them do not make up for a wrong third */
#define ngx_duplex_mark_check(theirs, ours, position)                         \
    ((theirs) ^ (ours) ^ (position))


static ngx_int_t ngx_duplex_nodes_init_zone(ngx_shm_zone_t *shm_zone,
    void *data);


static const char *const  ngx_duplex_dial_texts[] = {
    "unused",
    "down",
    "connecting",
    "handshake",
    "syncing",
    "online",
    "self",
    "refused"
};


static ngx_duplex_nodes_t  *ngx_duplex_nodes_present;

/* its address tells this zone from others of the same name */
static ngx_uint_t           ngx_duplex_nodes_tag;
static ngx_str_t            ngx_duplex_nodes_name = ngx_string("duplex:sync");


const char *
ngx_duplex_dial_text(ngx_uint_t state)
{
    return ngx_duplex_dial_texts[ngx_min(state, ngx_duplex_dial_refused)];
}


ngx_int_t
ngx_duplex_nodes_add(ngx_conf_t *cf)
{
    size_t           size;
    ngx_shm_zone_t  *shm_zone;

    size = ngx_align(sizeof(ngx_duplex_nodes_t), ngx_pagesize)
           + (8 + NGX_DUPLEX_NODES_LAYOUT) * ngx_pagesize;

    shm_zone = ngx_shared_memory_add(cf, &ngx_duplex_nodes_name, size,
                                     &ngx_duplex_nodes_tag);
    if (shm_zone == NULL) {
        return NGX_ERROR;
    }

    shm_zone->init = ngx_duplex_nodes_init_zone;

    return NGX_OK;
}


static ngx_int_t
ngx_duplex_nodes_init_zone(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_slab_pool_t     *shpool;
    ngx_duplex_nodes_t  *nodes;

    if (data) {
        shm_zone->data = data;
        return NGX_OK;
    }

    shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    if (shm_zone->shm.exists) {
        shm_zone->data = shpool->data;
        return NGX_OK;
    }

    nodes = ngx_slab_calloc(shpool, sizeof(ngx_duplex_nodes_t));
    if (nodes == NULL) {
        return NGX_ERROR;
    }

    nodes->born = ngx_duplex_clock_monotonic();

    shpool->data = nodes;
    shm_zone->data = nodes;

    return NGX_OK;
}


void
ngx_duplex_nodes_commit(ngx_cycle_t *cycle)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_shm_zone_t   *shm_zone;

    ngx_duplex_nodes_present = NULL;

    for (part = &cycle->shared_memory.part; part; part = part->next) {

        shm_zone = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (shm_zone[i].tag == &ngx_duplex_nodes_tag) {
                ngx_duplex_nodes_present = shm_zone[i].data;
                return;
            }
        }
    }
}


ngx_duplex_nodes_t *
ngx_duplex_nodes(void)
{
    return ngx_duplex_nodes_present;
}


ngx_duplex_dialled_t *
ngx_duplex_nodes_dial(ngx_addr_t *addr)
{
    ngx_str_t             *address;
    ngx_uint_t             i;
    ngx_duplex_dialled_t  *node, *unused;

    unused = NULL;
    address = &addr->name;

    for (i = 0; i < NGX_DUPLEX_NODES_MAX; i++) {

        node = &ngx_duplex_nodes_present->dialled[i];

        if (node->state == ngx_duplex_dial_unused) {

            if (unused == NULL) {
                unused = node;
            }

            continue;
        }

        if (ngx_strlen(node->address.text) == address->len
            && ngx_memcmp(node->address.text, address->data, address->len)
               == 0)
        {
            return node;
        }
    }

    if (unused == NULL) {
        return NULL;
    }

    ngx_memzero(unused, sizeof(ngx_duplex_dialled_t));

    ngx_cpystrn((u_char *) unused->address.text, address->data,
                ngx_min(address->len, NGX_DUPLEX_ADDRESS_MAX) + 1);

    ngx_memcpy(&unused->sockaddr, addr->sockaddr, addr->socklen);
    unused->socklen = addr->socklen;

    unused->state = ngx_duplex_dial_down;

    return unused;
}


ngx_uint_t
ngx_duplex_nodes_dials(struct sockaddr *sockaddr, socklen_t socklen)
{
    ngx_uint_t             i;
    ngx_duplex_dialled_t  *node;

    for (i = 0; i < NGX_DUPLEX_NODES_MAX; i++) {

        node = &ngx_duplex_nodes_present->dialled[i];

        if (node->state != ngx_duplex_dial_unused
            && ngx_cmp_sockaddr(sockaddr, socklen, &node->sockaddr.sockaddr,
                                node->socklen, 0)
               == NGX_OK)
        {
            return 1;
        }
    }

    return 0;
}


uint64_t
ngx_duplex_dialled_acked(ngx_duplex_dialled_t *node, ngx_duplex_zone_t *zone)
{
    uint64_t    hash;
    ngx_uint_t  i;

    hash = ngx_duplex_hash(zone->name.data, zone->name.len);

    for (i = 0; i < NGX_DUPLEX_TABLES_MAX; i++) {

        if (node->marks[i].table == hash) {
            return ngx_duplex_mark_get(&node->marks[i], 0,
                                     zone->source->incarnation(zone->table));
        }
    }

    return 0;
}


ngx_duplex_accepted_t *
ngx_duplex_nodes_accept(uint64_t id)
{
    uint64_t                now, away, oldest;
    ngx_uint_t              i;
    ngx_duplex_accepted_t  *node, *found;

    now = ngx_duplex_clock_monotonic();

    /* its worker has closed the link since, or has died with it */
    away = 2 * ngx_duplex_sync_conf()->timeout;

    for ( ;; ) {

        found = ngx_duplex_nodes_accepted(id);

        if (found) {
            return found;
        }

        /* a free one, or the one that has been away for longest */

        oldest = (uint64_t) -1;

        for (i = 0; i < NGX_DUPLEX_NODES_MAX; i++) {

            node = &ngx_duplex_nodes_present->accepted[i];

            if (node->id == 0) {
                found = node;
                break;
            }

            if (node->heard < oldest
                && !ngx_duplex_accepted_alive(node, now, away))
            {
                oldest = node->heard;
                found = node;
            }
        }

        if (found == NULL) {
            return NULL;
        }

        oldest = found->id;

        if (!ngx_atomic_cmp_set(&found->id, oldest, id)) {
            continue;
        }

        /* two links of one node at once: both take the first */

        node = ngx_duplex_nodes_accepted(id);

        if (node != found) {
            found->id = 0;
            return node;
        }

        found->synced = 0;
        found->away = 0;
        found->heard = 0;
        found->records = 0;
        found->changed = 0;
        found->skipped = 0;
        found->refused = 0;
        found->stale = 0;
        found->unknown = 0;
        found->rejected = 0;
        ngx_memzero(&found->traffic, sizeof(ngx_duplex_traffic_t));
        ngx_memzero(found->marks, sizeof(found->marks));

        return found;
    }
}


ngx_duplex_accepted_t *
ngx_duplex_nodes_accepted(uint64_t id)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_DUPLEX_NODES_MAX; i++) {
        if (ngx_duplex_nodes_present->accepted[i].id == id) {
            return &ngx_duplex_nodes_present->accepted[i];
        }
    }

    return NULL;
}


ngx_uint_t
ngx_duplex_accepted_alive(ngx_duplex_accepted_t *node, uint64_t now,
    uint64_t within)
{
    /* the worker that serves the link may have been killed with it */

    return node->open && node->heard + within >= now;
}


ngx_duplex_mark_t *
ngx_duplex_mark_find(ngx_duplex_mark_t *marks, uint64_t table)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_DUPLEX_TABLES_MAX; i++) {

        if (marks[i].table == table) {
            return &marks[i];
        }

        if (marks[i].table == 0) {
            marks[i].table = table;
            return &marks[i];
        }
    }

    return NULL;
}


uint64_t
ngx_duplex_mark_get(ngx_duplex_mark_t *mark, uint64_t theirs, uint64_t ours)
{
    uint64_t  position;

    position = *(volatile uint64_t *) &mark->position;

    if (mark->theirs != theirs || mark->ours != ours
        || mark->check != ngx_duplex_mark_check(theirs, ours, position))
    {
        return 0;
    }

    return position;
}


void
ngx_duplex_mark_set(ngx_duplex_mark_t *mark, uint64_t theirs, uint64_t ours,
    uint64_t position)
{
    mark->theirs = theirs;
    mark->ours = ours;
    mark->position = position;
    mark->check = ngx_duplex_mark_check(theirs, ours, position);
}
