
/*
 * Shared memory zones with a table in each: birth, reload, change of size.
 *
 * A reload may still fail after zones are initialised, so that only looks at
 * memory which the running configuration uses; what must be copied is copied
 * in commit, while the old segment is still mapped.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <sys/random.h>
#include "ngx_duplex_conf.h"
#include "ngx_duplex_dense.h"


#define NGX_DUPLEX_ZONE_MIN_PAGES  8

#define ngx_duplex_shared_size                                                \
    ngx_align(sizeof(ngx_duplex_shared_t), NGX_CPU_CACHE_LINE)


static ngx_int_t ngx_duplex_zone_init(ngx_shm_zone_t *shm_zone, void *data);
static ngx_int_t ngx_duplex_zone_create(ngx_shm_zone_t *shm_zone);
static ngx_duplex_table_t *ngx_duplex_zone_table(ngx_duplex_zone_t *zone,
    ngx_slab_pool_t *shpool);
static ngx_duplex_zone_t *ngx_duplex_zone_in_cycle(ngx_cycle_t *cycle,
    ngx_duplex_zone_t *zone);
static ngx_duplex_shared_t *ngx_duplex_zone_shared(ngx_shm_zone_t *shm_zone);
static ngx_duplex_events_t *ngx_duplex_zone_events(
    ngx_duplex_shared_t *shared);
static ngx_uint_t ngx_duplex_zone_is_main(ngx_duplex_zone_t *zone);


ngx_duplex_zone_t *
ngx_duplex_zone_add(ngx_conf_t *cf, ngx_str_t *name, size_t size,
    ngx_duplex_kind_t *kind, ngx_uint_t flags, void *owner)
{
    ngx_duplex_conf_t  *dcf;
    ngx_duplex_zone_t  *zone;

    dcf = (ngx_duplex_conf_t *) ngx_get_conf(cf->cycle->conf_ctx,
                                             ngx_duplex_core_module);

    for (zone = dcf->zones; zone; zone = zone->next) {
        if (zone->name.len == name->len
            && ngx_strncmp(zone->name.data, name->data, name->len) == 0)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "zone \"%V\" is already used", name);
            return NULL;
        }
    }

    if (size < NGX_DUPLEX_ZONE_MIN_PAGES * ngx_pagesize) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "zone \"%V\" is too small", name);
        return NULL;
    }

    zone = ngx_pcalloc(cf->pool, sizeof(ngx_duplex_zone_t));
    if (zone == NULL) {
        return NULL;
    }

    zone->name = *name;
    zone->size = size;
    zone->flags = flags;
    zone->kind = kind ? kind->tag : 0;
    zone->owner = owner;
    zone->source = (flags & NGX_DUPLEX_TABLE_DENSE) ? &ngx_duplex_dense_source
                                                    : &ngx_duplex_table_source;

    zone->shm_zone = ngx_shared_memory_add(cf, name, size,
                                           &ngx_duplex_core_module);
    if (zone->shm_zone == NULL) {
        return NULL;
    }

    if (zone->shm_zone->data) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "zone \"%V\" is already used", name);
        return NULL;
    }

    zone->shm_zone->init = ngx_duplex_zone_init;
    zone->shm_zone->data = zone;

    *dcf->last_zone = zone;
    dcf->last_zone = &zone->next;

    dcf->needed = 1;

    return zone;
}


ngx_int_t
ngx_duplex_zone_add_main(ngx_conf_t *cf, ngx_duplex_conf_t *dcf)
{
    ngx_str_t           name = ngx_string("duplex:store");
    ngx_duplex_zone_t  *zone, *users, **last;

    users = dcf->zones;
    last = users ? dcf->last_zone : NULL;

    dcf->zones = NULL;
    dcf->last_zone = &dcf->zones;

    zone = ngx_duplex_zone_add(cf, &name, dcf->size, NULL, 0,
                               &ngx_duplex_core_module);
    if (zone == NULL) {
        return NGX_ERROR;
    }

    zone->next = users;

    if (last) {
        dcf->last_zone = last;
    }

    return NGX_OK;
}


/* "data" is the zone of the old cycle if its memory is used again */

static ngx_int_t
ngx_duplex_zone_init(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_slab_pool_t    *shpool;
    ngx_duplex_zone_t  *zone;

    zone = shm_zone->data;
    shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    if (data == NULL && !shm_zone->shm.exists) {
        return ngx_duplex_zone_create(shm_zone);
    }

    zone->table = ngx_duplex_zone_table(zone, shpool);

    if (zone->table == NULL) {
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                      "zone \"%V\" was made by another version of "
                      "nginx-duplex: restart instead of a reload", &zone->name);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_duplex_zone_create(ngx_shm_zone_t *shm_zone)
{
    u_char                   *addr;
    size_t                    size, reserved;
    uint64_t                  incarnation;
    ngx_slab_pool_t          *shpool;
    ngx_duplex_zone_t        *zone, *old;
    ngx_duplex_shared_t      *shared;
    ngx_duplex_table_stat_t   now, was;

    zone = shm_zone->data;
    shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    if (getrandom(&incarnation, sizeof(incarnation), 0)
        != sizeof(incarnation))
    {
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, ngx_errno,
                      "getrandom() failed");
        return NGX_ERROR;
    }

    /* all pages at once: nothing is allocated from the slab pool later */

    size = (size_t) shpool->pfree << ngx_pagesize_shift;

    addr = ngx_slab_alloc(shpool, size);
    if (addr == NULL) {
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                      "zone \"%V\" could not be laid out", &zone->name);
        return NGX_ERROR;
    }

    shpool->data = addr;

    if (ngx_duplex_zone_is_main(zone)) {
        shared = (ngx_duplex_shared_t *) addr;

        ngx_memzero(shared, ngx_duplex_shared_size
                            + ngx_duplex_events_size(zone->size));
        shared->incarnation = incarnation;

        reserved = ngx_duplex_events_size(zone->size);

        if (ngx_duplex_events_create(ngx_duplex_zone_events(shared), reserved,
                                     shm_zone->shm.log)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        reserved += ngx_duplex_shared_size;

        addr += reserved;
        size -= reserved;
    }

    zone->table = zone->source->create(addr, size, zone->flags, incarnation,
                                       shm_zone->shm.log);
    if (zone->table == NULL) {
        return NGX_ERROR;
    }

    /* ngx_cycle is still the old one */

    old = ngx_duplex_zone_in_cycle((ngx_cycle_t *) ngx_cycle, zone);

    if (old == NULL || (zone->flags & NGX_DUPLEX_TABLE_EVICTS)) {
        return NGX_OK;
    }

    zone->source->stat(zone->table, &now);
    old->source->stat(old->table, &was);

    if (was.capacity - was.free > now.capacity - now.capacity / 16) {
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                      "zone \"%V\" of %uz bytes is too small for what the "
                      "running one holds", &zone->name, zone->size);
        return NGX_ERROR;
    }

    return NGX_OK;
}


void
ngx_duplex_zones_carry_over(ngx_cycle_t *cycle, ngx_duplex_conf_t *dcf)
{
    ngx_duplex_zone_t    *zone, *old;
    ngx_duplex_shared_t  *shared;

    for (zone = dcf->zones; zone; zone = zone->next) {

        if (ngx_duplex_zone_is_main(zone)) {
            dcf->shared = ngx_duplex_zone_shared(zone->shm_zone);
            dcf->events = ngx_duplex_zone_events(dcf->shared);
        }

        old = ngx_duplex_zone_in_cycle(cycle->old_cycle, zone);

        if (old == NULL
            || old->table == zone->table
            || old->source != zone->source)
        {
            continue;
        }

        if (ngx_duplex_zone_is_main(zone)) {
            shared = ngx_duplex_zone_shared(old->shm_zone);

            dcf->shared->clock.last = shared->clock.last;
            dcf->shared->incarnation = shared->incarnation;
            dcf->shared->generation = shared->generation;

            ngx_duplex_events_follow(dcf->events,
                                     ngx_duplex_zone_events(shared));
        }

        if (zone->source->copy(zone->table, old->table) != NGX_OK) {
            ngx_log_error(NGX_LOG_ALERT, cycle->log, 0,
                          "zone \"%V\" grew during the reload: "
                          "not all of it could be carried over", &zone->name);
        }
    }
}


static ngx_duplex_table_t *
ngx_duplex_zone_table(ngx_duplex_zone_t *zone, ngx_slab_pool_t *shpool)
{
    u_char  *addr;

    addr = shpool->data;

    if (ngx_duplex_zone_is_main(zone)) {
        addr += ngx_duplex_shared_size + ngx_duplex_events_size(zone->size);
    }

    return zone->source->open(addr);
}


/* the zone of the same name in another cycle, NULL if it has none */

static ngx_duplex_zone_t *
ngx_duplex_zone_in_cycle(ngx_cycle_t *cycle, ngx_duplex_zone_t *zone)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_shm_zone_t   *shm_zone;

    if (cycle == NULL) {
        return NULL;
    }

    for (part = &cycle->shared_memory.part; part; part = part->next) {

        shm_zone = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (shm_zone[i].tag == &ngx_duplex_core_module
                && shm_zone[i].init == ngx_duplex_zone_init
                && shm_zone[i].shm.name.len == zone->name.len
                && ngx_strncmp(shm_zone[i].shm.name.data, zone->name.data,
                               zone->name.len)
                   == 0)
            {
                return shm_zone[i].data;
            }
        }
    }

    return NULL;
}


static ngx_duplex_shared_t *
ngx_duplex_zone_shared(ngx_shm_zone_t *shm_zone)
{
    return ((ngx_slab_pool_t *) shm_zone->shm.addr)->data;
}


static ngx_duplex_events_t *
ngx_duplex_zone_events(ngx_duplex_shared_t *shared)
{
    return (ngx_duplex_events_t *) ((u_char *) shared + ngx_duplex_shared_size);
}


static ngx_uint_t
ngx_duplex_zone_is_main(ngx_duplex_zone_t *zone)
{
    return zone->owner == &ngx_duplex_core_module;
}
