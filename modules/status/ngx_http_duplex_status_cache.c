
/*
 * See the header.  A cache is known by its shared zone, which has its module
 * for a tag; a module that this nginx lacks is a weak symbol, NULL.
 */


#include "ngx_http_duplex_status_cache.h"


/* counters of a cache's cell: four for each status of nginx, from 1 */

#define NGX_HTTP_DUPLEX_STATUS_CACHE_FIRST  NGX_DUPLEX_GAUGES

enum {
    ngx_http_duplex_status_responses = 0,
    ngx_http_duplex_status_bytes,
    ngx_http_duplex_status_responses_written,
    ngx_http_duplex_status_bytes_written,
    ngx_http_duplex_status_of_cache
};

#define ngx_http_duplex_status_cache_counter(status, i)                       \
    (NGX_HTTP_DUPLEX_STATUS_CACHE_FIRST                                       \
     + ((status) - 1) * ngx_http_duplex_status_of_cache + (i))


extern ngx_module_t  ngx_http_proxy_module __attribute__((weak));
extern ngx_module_t  ngx_http_fastcgi_module __attribute__((weak));
extern ngx_module_t  ngx_http_uwsgi_module __attribute__((weak));
extern ngx_module_t  ngx_http_scgi_module __attribute__((weak));


static ngx_uint_t ngx_http_duplex_status_is_cache(ngx_shm_zone_t *shm_zone);
static ngx_duplex_cell_t *ngx_http_duplex_status_cache_cell(ngx_str_t *name);
static void ngx_http_duplex_status_cache_render(ngx_duplex_json_t *json,
    ngx_duplex_sum_t *sum, ngx_str_t *name);
static void ngx_http_duplex_status_cache_size(ngx_duplex_json_t *json,
    ngx_str_t *name);


static struct {
    ngx_uint_t   status;
    const char  *name;
    ngx_uint_t   written;
} ngx_http_duplex_status_cache_names[] = {
    { NGX_HTTP_CACHE_HIT, "hit", 0 },
    { NGX_HTTP_CACHE_STALE, "stale", 0 },
    { NGX_HTTP_CACHE_UPDATING, "updating", 0 },
    { NGX_HTTP_CACHE_REVALIDATED, "revalidated", 0 },
    { NGX_HTTP_CACHE_MISS, "miss", 1 },
    { NGX_HTTP_CACHE_EXPIRED, "expired", 1 },
    { NGX_HTTP_CACHE_BYPASS, "bypass", 1 },
    { 0, NULL, 0 }
};


static ngx_duplex_status_kind_t  ngx_http_duplex_status_cache_kind = {
    ngx_duplex_cell_http_cache,
    "CacheNotFound", "cache not found",
    NGX_HTTP_DUPLEX_STATUS_CACHE_FIRST,
    NGX_HTTP_CACHE_SCARCE * ngx_http_duplex_status_of_cache,
    ngx_http_duplex_status_cache_render,
    NULL
};


ngx_duplex_page_t  ngx_http_duplex_status_cache_pages[] = {

    { ngx_string("http/caches"),
      ngx_duplex_status_all, NULL, NULL, NULL, NULL,
      1, &ngx_http_duplex_status_cache_kind },

    { ngx_string("http/caches/*"),
      ngx_duplex_status_one, NULL, NULL, NULL, ngx_duplex_status_reset,
      0, &ngx_http_duplex_status_cache_kind },

      ngx_duplex_null_page
};


ngx_int_t
ngx_http_duplex_status_cache_find(ngx_conf_t *cf, ngx_array_t *caches)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_shm_zone_t   *shm_zone;

    for (part = &cf->cycle->shared_memory.part; part; part = part->next) {

        shm_zone = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (ngx_http_duplex_status_is_cache(&shm_zone[i])
                && ngx_duplex_status_zone(cf, caches, &shm_zone[i].shm.name)
                   == NULL)
            {
                return NGX_ERROR;
            }
        }
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_http_duplex_status_is_cache(ngx_shm_zone_t *shm_zone)
{
    void  *tag;

    tag = shm_zone->tag;

    return tag
           && shm_zone->init
           && (tag == &ngx_http_proxy_module
               || tag == &ngx_http_fastcgi_module
               || tag == &ngx_http_uwsgi_module
               || tag == &ngx_http_scgi_module);
}


void
ngx_http_duplex_status_cache_start(ngx_array_t *caches)
{
    ngx_duplex_status_start(&ngx_http_duplex_status_cache_kind, caches);
}


void
ngx_http_duplex_status_cache_count(ngx_http_request_t *r)
{
    ngx_uint_t            status;
    ngx_duplex_cell_t    *cell;
    ngx_http_upstream_t  *u;

    u = r->upstream;

    if (u == NULL || u->cache_status == 0 || r->cache == NULL
        || r->cache->file_cache == NULL)
    {
        return;
    }

    status = u->cache_status;
    cell = ngx_http_duplex_status_cache_cell(
                                  &r->cache->file_cache->shm_zone->shm.name);

    ngx_duplex_count(cell,
        ngx_http_duplex_status_cache_counter(status,
                                             ngx_http_duplex_status_responses),
        1);
    ngx_duplex_count(cell,
        ngx_http_duplex_status_cache_counter(status,
                                             ngx_http_duplex_status_bytes),
        r->connection->sent);

    if (!u->cacheable || u->pipe == NULL) {
        return;
    }

    ngx_duplex_count(cell,
        ngx_http_duplex_status_cache_counter(status,
                                    ngx_http_duplex_status_responses_written),
        1);
    ngx_duplex_count(cell,
        ngx_http_duplex_status_cache_counter(status,
                                    ngx_http_duplex_status_bytes_written),
        u->pipe->read_length);
}


static ngx_duplex_cell_t *
ngx_http_duplex_status_cache_cell(ngx_str_t *name)
{
    ngx_uint_t                  i;
    ngx_array_t                *zones;
    ngx_duplex_status_zone_t  **zone;

    zones = ngx_http_duplex_status_cache_kind.zones;
    zone = zones->elts;

    for (i = 0; i < zones->nelts; i++) {
        if (zone[i]->name.data == name->data) {
            return zone[i]->cell;
        }
    }

    return NULL;
}


static void
ngx_http_duplex_status_cache_render(ngx_duplex_json_t *json,
    ngx_duplex_sum_t *sum, ngx_str_t *name)
{
    ngx_uint_t   i, status;
    uint64_t    *count;

    ngx_http_duplex_status_cache_size(json, name);

    for (i = 0; ngx_http_duplex_status_cache_names[i].name; i++) {

        status = ngx_http_duplex_status_cache_names[i].status;
        count = &sum->count[ngx_http_duplex_status_cache_counter(status, 0)];

        ngx_duplex_json_object(json,
                               ngx_http_duplex_status_cache_names[i].name);

        ngx_duplex_json_integer(json, "responses",
                                count[ngx_http_duplex_status_responses]);
        ngx_duplex_json_integer(json, "bytes",
                                count[ngx_http_duplex_status_bytes]);

        if (ngx_http_duplex_status_cache_names[i].written) {
            ngx_duplex_json_integer(json, "responses_written",
                             count[ngx_http_duplex_status_responses_written]);
            ngx_duplex_json_integer(json, "bytes_written",
                                 count[ngx_http_duplex_status_bytes_written]);
        }

        ngx_duplex_json_object_end(json);
    }
}


static void
ngx_http_duplex_status_cache_size(ngx_duplex_json_t *json, ngx_str_t *name)
{
    ngx_uint_t              i;
    ngx_list_part_t        *part;
    ngx_shm_zone_t         *shm_zone;
    ngx_http_file_cache_t  *cache;

    for (part = (ngx_list_part_t *) &ngx_cycle->shared_memory.part;
         part;
         part = part->next)
    {
        shm_zone = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (shm_zone[i].shm.name.data != name->data) {
                continue;
            }

            cache = shm_zone[i].data;

            ngx_duplex_json_integer(json, "size",
                                    cache->sh->size * cache->bsize);

            if (cache->max_size != NGX_MAX_OFF_T_VALUE) {
                ngx_duplex_json_integer(json, "max_size",
                                        cache->max_size * cache->bsize);
            }

            ngx_duplex_json_boolean(json, "cold", cache->sh->cold);
        }
    }
}
