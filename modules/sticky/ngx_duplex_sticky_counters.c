
/*
 * The counters of "sticky", by group, in a zone of their own: what workers
 * add up, whatever the number of them, and over reloads.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_sticky_counters.h"


#define NGX_DUPLEX_STICKY_ZONE_PAGES  16
#define NGX_DUPLEX_STICKY_GROUPS      512


typedef struct {
    uint64_t       group;           /* hash of its zone's name; 0: free */
    ngx_atomic_t   counts[ngx_duplex_sticky_last];
} ngx_duplex_sticky_counters_t;


static ngx_int_t ngx_duplex_sticky_init_zone(ngx_shm_zone_t *shm_zone,
    void *data);


/* only its address counts */
static ngx_uint_t  ngx_duplex_sticky_tag;


ngx_int_t
ngx_duplex_sticky_add_counters(ngx_conf_t *cf, ngx_shm_zone_t **zone)
{
    ngx_str_t  name = ngx_string("duplex:sticky");

    *zone = ngx_shared_memory_add(cf, &name,
                                  NGX_DUPLEX_STICKY_ZONE_PAGES * ngx_pagesize,
                                  &ngx_duplex_sticky_tag);
    if (*zone == NULL) {
        return NGX_ERROR;
    }

    (*zone)->init = ngx_duplex_sticky_init_zone;
    (*zone)->data = &ngx_duplex_sticky_tag;

    return NGX_OK;
}


static ngx_int_t
ngx_duplex_sticky_init_zone(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_slab_pool_t  *shpool;

    shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    if (data || shm_zone->shm.exists) {
        return NGX_OK;
    }

    shpool->data = ngx_slab_calloc(shpool,
                                   NGX_DUPLEX_STICKY_GROUPS
                                   * sizeof(ngx_duplex_sticky_counters_t));

    return shpool->data ? NGX_OK : NGX_ERROR;
}


ngx_atomic_t *
ngx_duplex_sticky_counters(ngx_shm_zone_t *zone, ngx_duplex_group_t *group)
{
    uint64_t                       hash, present;
    ngx_uint_t                     i;
    ngx_slab_pool_t               *shpool;
    ngx_duplex_sticky_counters_t  *counters;

    shpool = (ngx_slab_pool_t *) zone->shm.addr;
    counters = shpool->data;

    hash = ngx_duplex_hash(group->zone.data, group->zone.len);

    for (i = 0; i < NGX_DUPLEX_STICKY_GROUPS; i++) {

        present = 0;

        if (__atomic_compare_exchange_n(&counters[i].group, &present, hash, 0,
                                        __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)
            || present == hash)
        {
            return counters[i].counts;
        }
    }

    /* too many groups: this one is not counted */

    return NULL;
}
