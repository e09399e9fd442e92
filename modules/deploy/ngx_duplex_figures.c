
/*
 * See the header.
 *
 * A place of the zone belongs to a split and a group by name: which of them
 * the names say is looked up at each commit, and a place whose names are
 * gone is given to others.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_identity.h"
#include "ngx_duplex_figures.h"


#define NGX_DUPLEX_FIGURES_PLACES  (NGX_DUPLEX_SPLITS_MAX * 4)

/* grows with the layout: a zone of another size is not used again */
#define NGX_DUPLEX_FIGURES_LAYOUT  1


typedef struct {
    uint64_t              name;         /* of split and group; 0: free */
    ngx_uint_t            generation;   /* that used it last */
    uint64_t              key;          /* of the step that "base" is of */
    ngx_duplex_figures_t  now;
    ngx_duplex_figures_t  base;
} ngx_duplex_figures_place_t;

typedef struct {
    ngx_duplex_figures_place_t  places[NGX_DUPLEX_FIGURES_PLACES];
} ngx_duplex_figures_zone_t;


static ngx_int_t ngx_duplex_figures_init_zone(ngx_shm_zone_t *shm_zone,
    void *data);
static ngx_duplex_figures_place_t *ngx_duplex_figures_place(
    ngx_duplex_figures_zone_t *zone, uint64_t name);


static ngx_uint_t  ngx_duplex_figures_tag;

/* for its lock, which the master opens when a holder has died */
static ngx_slab_pool_t  *ngx_duplex_figures_pool;
static ngx_str_t   ngx_duplex_figures_name = ngx_string("duplex:deploy");

/* by split and part, of the present cycle */
static ngx_duplex_figures_place_t
    *ngx_duplex_figures_present[NGX_DUPLEX_SPLITS_MAX][NGX_DUPLEX_SPLIT_PARTS];


ngx_int_t
ngx_duplex_figures_add(ngx_conf_t *cf)
{
    size_t           size;
    ngx_shm_zone_t  *shm_zone;

    size = ngx_align(sizeof(ngx_duplex_figures_zone_t), ngx_pagesize)
           + (8 + NGX_DUPLEX_FIGURES_LAYOUT) * ngx_pagesize;

    shm_zone = ngx_shared_memory_add(cf, &ngx_duplex_figures_name, size,
                                     &ngx_duplex_figures_tag);
    if (shm_zone == NULL) {
        return NGX_ERROR;
    }

    shm_zone->init = ngx_duplex_figures_init_zone;

    return NGX_OK;
}


static ngx_int_t
ngx_duplex_figures_init_zone(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_slab_pool_t  *shpool;

    if (data) {
        shm_zone->data = data;
        return NGX_OK;
    }

    shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    if (shm_zone->shm.exists) {
        shm_zone->data = shpool->data;
        return NGX_OK;
    }

    shm_zone->data = ngx_slab_calloc(shpool,
                                     sizeof(ngx_duplex_figures_zone_t));
    shpool->data = shm_zone->data;

    return shm_zone->data ? NGX_OK : NGX_ERROR;
}


void
ngx_duplex_figures_commit(ngx_cycle_t *cycle)
{
    u_char                      buf[16];
    uint64_t                    name;
    ngx_uint_t                  i, j;
    ngx_list_part_t            *part;
    ngx_shm_zone_t             *shm_zone;
    ngx_duplex_split_t         *split;
    ngx_duplex_figures_zone_t  *zone;

    ngx_memzero(ngx_duplex_figures_present,
                sizeof(ngx_duplex_figures_present));
    zone = NULL;

    for (part = &cycle->shared_memory.part; part; part = part->next) {

        shm_zone = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (shm_zone[i].tag == &ngx_duplex_figures_tag) {
                zone = shm_zone[i].data;
                ngx_duplex_figures_pool =
                                    (ngx_slab_pool_t *) shm_zone[i].shm.addr;
            }
        }
    }

    for (i = 0; zone && (split = ngx_duplex_split(i)); i++) {
        for (j = 0; j < split->nparts; j++) {

            name = ngx_duplex_hash(split->name.data, split->name.len);
            ngx_memcpy(buf, &name, 8);
            ngx_memcpy(buf + 8, &split->parts[j].hash, 8);
            name = ngx_duplex_hash(buf, 16);

            ngx_duplex_figures_present[i][j] =
                                        ngx_duplex_figures_place(zone, name);
        }
    }
}


/* the place of this name; the one that nobody has used for longest */

static ngx_duplex_figures_place_t *
ngx_duplex_figures_place(ngx_duplex_figures_zone_t *zone, uint64_t name)
{
    ngx_uint_t                   i;
    ngx_duplex_figures_place_t  *place, *found;

    found = &zone->places[0];

    for (i = 0; i < NGX_DUPLEX_FIGURES_PLACES; i++) {

        place = &zone->places[i];

        if (place->name == name) {
            found = place;
            break;
        }

        if (place->generation < found->generation) {
            found = place;
        }
    }

    if (found->name != name) {
        ngx_memzero(found, sizeof(ngx_duplex_figures_place_t));
        found->name = name;
    }

    found->generation = ngx_duplex_identity()->generation;

    return found;
}


ngx_duplex_figures_t *
ngx_duplex_figures(ngx_duplex_split_t *split, ngx_uint_t part)
{
    ngx_duplex_figures_place_t  *place;

    place = ngx_duplex_figures_present[split->id][part];

    return place ? &place->now : NULL;
}


ngx_duplex_figures_t *
ngx_duplex_figures_base(ngx_duplex_split_t *split, ngx_uint_t part)
{
    ngx_duplex_figures_place_t  *place;

    place = ngx_duplex_figures_present[split->id][part];

    return place ? &place->base : NULL;
}


void
ngx_duplex_figures_count(ngx_duplex_split_t *split, ngx_uint_t part,
    ngx_uint_t status, ngx_msec_t time)
{
    ngx_duplex_figures_t  *figures;

    figures = ngx_duplex_figures(split, part);

    if (figures == NULL) {
        return;
    }

    (void) ngx_atomic_fetch_add(&figures->requests, 1);
    (void) ngx_atomic_fetch_add(
               &figures->times[ngx_duplex_figures_bucket(time)], 1);

    if (status >= 500) {
        (void) ngx_atomic_fetch_add(&figures->failed, 1);
    }
}


/* others go on counting: what they count meanwhile may be on either side */

void
ngx_duplex_figures_mark(ngx_duplex_split_t *split, ngx_uint_t part,
    uint64_t key)
{
    ngx_duplex_figures_place_t  *place;

    place = ngx_duplex_figures_present[split->id][part];

    if (place && place->key != key) {
        place->base = place->now;
        place->key = key;
    }
}


void
ngx_duplex_figures_lock(void)
{
    ngx_shmtx_lock(&ngx_duplex_figures_pool->mutex);
}


void
ngx_duplex_figures_unlock(void)
{
    ngx_shmtx_unlock(&ngx_duplex_figures_pool->mutex);
}


ngx_uint_t
ngx_duplex_figures_bucket(ngx_msec_t time)
{
    ngx_uint_t  power;

    if (time < 8) {
        return time;
    }

    for (power = 0; time >= 16; power++) {
        time >>= 1;
    }

    return ngx_min(8 + power * 8 + (time - 8),
                   NGX_DUPLEX_FIGURES_BUCKETS - 1);
}


ngx_uint_t
ngx_duplex_figures_quantile(uint64_t *times, ngx_uint_t permille)
{
    uint64_t    all, seen, wanted;
    ngx_uint_t  i, low, width;

    all = 0;

    for (i = 0; i < NGX_DUPLEX_FIGURES_BUCKETS; i++) {
        all += times[i];
    }

    if (all == 0) {
        return 0;
    }

    wanted = (all * permille + 999) / 1000;
    seen = 0;

    for (i = 0; i < NGX_DUPLEX_FIGURES_BUCKETS - 1; i++) {

        if (seen + times[i] >= wanted) {
            break;
        }

        seen += times[i];
    }

    low = i < 8 ? i : (8 + (i - 8) % 8) << ((i - 8) / 8);
    width = i < 8 ? 1 : (ngx_uint_t) 1 << ((i - 8) / 8);

    return times[i] ? low + width * (wanted - seen) / times[i] : low;
}
