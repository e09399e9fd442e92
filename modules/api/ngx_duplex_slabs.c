
/*
 * See the header.  Zones of ours are laid out at once: their pages are used
 * from the beginning.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_slabs.h"
#include "../core/ngx_duplex_page.h"


static ngx_uint_t ngx_duplex_slabs(ngx_duplex_call_t *call);
static ngx_uint_t ngx_duplex_slab(ngx_duplex_call_t *call);
static ngx_uint_t ngx_duplex_slab_reset(ngx_duplex_call_t *call);
static ngx_slab_pool_t *ngx_duplex_slab_find(ngx_duplex_call_t *call);
static ngx_shm_zone_t *ngx_duplex_slab_next(ngx_shm_zone_t *zone);
static void ngx_duplex_slab_render(ngx_duplex_json_t *json,
    ngx_slab_pool_t *pool);
static ngx_uint_t ngx_duplex_slab_slots(ngx_slab_pool_t *pool);


static ngx_duplex_page_t  ngx_duplex_slabs_pages[] = {

    { ngx_string("slabs"), ngx_duplex_slabs, NULL, NULL, NULL, NULL, 1, NULL },

    { ngx_string("slabs/*"), ngx_duplex_slab,
      NULL, NULL, NULL, ngx_duplex_slab_reset, 0, NULL },

      ngx_duplex_null_page
};


ngx_int_t
ngx_duplex_slabs_register(ngx_conf_t *cf)
{
    return ngx_duplex_register_pages(cf, ngx_duplex_slabs_pages);
}


static ngx_uint_t
ngx_duplex_slabs(ngx_duplex_call_t *call)
{
    ngx_shm_zone_t  *zone;

    ngx_duplex_json_object(call->json, NULL);

    for (zone = ngx_duplex_slab_next(NULL);
         zone;
         zone = ngx_duplex_slab_next(zone))
    {
        ngx_duplex_json_object_named(call->json, &zone->shm.name);
        ngx_duplex_slab_render(call->json,
                               (ngx_slab_pool_t *) zone->shm.addr);
        ngx_duplex_json_object_end(call->json);
    }

    ngx_duplex_json_object_end(call->json);

    return NGX_DUPLEX_CALL_OK;
}


static ngx_uint_t
ngx_duplex_slab(ngx_duplex_call_t *call)
{
    ngx_slab_pool_t  *pool;

    pool = ngx_duplex_slab_find(call);

    if (pool == NULL) {
        return ngx_duplex_call_refuse(call, 404, "SlabNotFound",
                                      "slab not found");
    }

    ngx_duplex_json_object(call->json, NULL);
    ngx_duplex_slab_render(call->json, pool);
    ngx_duplex_json_object_end(call->json);

    return NGX_DUPLEX_CALL_OK;
}


static ngx_uint_t
ngx_duplex_slab_reset(ngx_duplex_call_t *call)
{
    ngx_uint_t        i;
    ngx_slab_pool_t  *pool;

    pool = ngx_duplex_slab_find(call);

    if (pool == NULL) {
        return ngx_duplex_call_refuse(call, 404, "SlabNotFound",
                                      "slab not found");
    }

    ngx_shmtx_lock(&pool->mutex);

    for (i = 0; i < ngx_duplex_slab_slots(pool); i++) {
        pool->stats[i].reqs = 0;
        pool->stats[i].fails = 0;
    }

    ngx_shmtx_unlock(&pool->mutex);

    return NGX_DUPLEX_CALL_NO_CONTENT;
}


static ngx_slab_pool_t *
ngx_duplex_slab_find(ngx_duplex_call_t *call)
{
    ngx_str_t       *name;
    ngx_shm_zone_t  *zone;

    name = &call->segment[0];

    for (zone = ngx_duplex_slab_next(NULL);
         zone;
         zone = ngx_duplex_slab_next(zone))
    {
        if (zone->shm.name.len == name->len
            && ngx_memcmp(zone->shm.name.data, name->data, name->len) == 0)
        {
            return (ngx_slab_pool_t *) zone->shm.addr;
        }
    }

    return NULL;
}


/* the one after "zone" in the present cycle; NULL: the first, the end */

static ngx_shm_zone_t *
ngx_duplex_slab_next(ngx_shm_zone_t *zone)
{
    ngx_uint_t        i, found;
    ngx_shm_zone_t   *z;
    ngx_list_part_t  *part;

    found = (zone == NULL);

    for (part = (ngx_list_part_t *) &ngx_cycle->shared_memory.part;
         part;
         part = part->next)
    {
        z = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (found && z[i].shm.addr) {
                return &z[i];
            }

            if (&z[i] == zone) {
                found = 1;
            }
        }
    }

    return NULL;
}


static void
ngx_duplex_slab_render(ngx_duplex_json_t *json, ngx_slab_pool_t *pool)
{
    u_char            size[NGX_INT_T_LEN];
    ngx_uint_t        i, free;
    ngx_slab_stat_t  *stat;

    free = pool->pfree;

    ngx_duplex_json_object(json, "pages");
    ngx_duplex_json_integer(json, "used", (pool->last - pool->pages) - free);
    ngx_duplex_json_integer(json, "free", free);
    ngx_duplex_json_object_end(json);

    ngx_duplex_json_object(json, "slots");

    for (i = 0; i < ngx_duplex_slab_slots(pool); i++) {

        stat = &pool->stats[i];

        ngx_sprintf(size, "%ui%Z", (ngx_uint_t) 1 << (i + pool->min_shift));

        ngx_duplex_json_object(json, (char *) size);
        ngx_duplex_json_integer(json, "used", stat->used);
        ngx_duplex_json_integer(json, "free", stat->total - stat->used);
        ngx_duplex_json_integer(json, "reqs", stat->reqs);
        ngx_duplex_json_integer(json, "fails", stat->fails);
        ngx_duplex_json_object_end(json);
    }

    ngx_duplex_json_object_end(json);
}


static ngx_uint_t
ngx_duplex_slab_slots(ngx_slab_pool_t *pool)
{
    return ngx_pagesize_shift - pool->min_shift;
}
