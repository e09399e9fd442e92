
/*
 * See the header.
 *
 * The zone "duplex:status" is an array of cells and, apart from it, of their
 * hashes, 0 for a free one.  A cell is taken under a lock by setting its hash
 * last, so the death of a process leaves nothing half done; counting needs no
 * lock.  A reload with more cells or another number of workers makes a new
 * zone and copies the sums; what leaving workers count then is lost.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_identity.h"
#include "../core/ngx_duplex_lock.h"
#include "../core/ngx_duplex_registry.h"
#include "ngx_duplex_counters.h"
#include "ngx_duplex_peer_counters.h"
#include "ngx_duplex_workers.h"


#define NGX_DUPLEX_CELLS_SPARE  32
#define NGX_DUPLEX_SLOTS_MAX    8       /* workers beyond share them */


typedef struct {
    ngx_atomic_t              count[NGX_DUPLEX_COUNTERS];
} ngx_duplex_slot_t;


struct ngx_duplex_cell_s {
    uint32_t                  kind;
    uint32_t                  generation;   /* that asked for it last */
    u_char                    padding[56];
    ngx_duplex_slot_t         slot[];
};


typedef struct {
    ngx_duplex_lock_t         lock;
    uint64_t                  ncells;
    uint64_t                  nslots;
    uint64_t                  hash[];
} ngx_duplex_cells_t;


typedef struct {
    ngx_cycle_t              *cycle;
    ngx_uint_t                shown;
    ngx_uint_t                ncells;
    ngx_uint_t                nslots;
    ngx_shm_zone_t           *shm_zone;     /* NULL: nothing is counted */
    ngx_duplex_cells_t       *cells;
} ngx_duplex_counters_conf_t;


static ngx_duplex_counters_conf_t *ngx_duplex_counters_conf(ngx_conf_t *cf);
static void ngx_duplex_counters_cleanup(void *data);
static ngx_int_t ngx_duplex_counters_bind(ngx_conf_t *cf);
static size_t ngx_duplex_counters_size(ngx_duplex_counters_conf_t *conf);
static ngx_int_t ngx_duplex_counters_init(ngx_shm_zone_t *shm_zone,
    void *data);
static void ngx_duplex_counters_commit(ngx_cycle_t *cycle);
static void ngx_duplex_counters_copy(ngx_duplex_cells_t *old);
static ngx_duplex_cell_t *ngx_duplex_counters_at(ngx_duplex_cells_t *cells,
    ngx_uint_t i);
static ngx_duplex_cell_t *ngx_duplex_counters_take_locked(uint64_t hash,
    ngx_uint_t kind);


/* what is bound last knows what all others want */

static ngx_duplex_feature_t  ngx_duplex_counters_feature = {
    ngx_string("counters"),
    NGX_DUPLEX_LAYER_LAST,
    ngx_duplex_counters_bind,              /* bind */
    ngx_duplex_counters_commit,            /* commit */
    NULL,                                  /* start */
    NULL,                                  /* take */
    NULL,                                  /* beat */
    NULL,                                  /* wake */
    NULL,                                  /* drop */
    NULL                                   /* stop */
};


/* of the cycle being configured, and of the one in force */

static ngx_duplex_counters_conf_t  *ngx_duplex_counters_bound;
static ngx_duplex_counters_conf_t  *ngx_duplex_counters_present;

static ngx_uint_t                   ngx_duplex_counters_slot;


ngx_int_t
ngx_duplex_counters_want(ngx_conf_t *cf)
{
    ngx_duplex_counters_conf_t  *conf;

    conf = ngx_duplex_counters_conf(cf);
    if (conf == NULL) {
        return NGX_ERROR;
    }

    conf->shown = 1;

    return NGX_OK;
}


ngx_uint_t
ngx_duplex_counters_wanted(ngx_conf_t *cf)
{
    ngx_duplex_counters_conf_t  *conf;

    conf = ngx_duplex_counters_conf(cf);

    return conf && conf->shown;
}


ngx_int_t
ngx_duplex_counters_reserve(ngx_conf_t *cf, ngx_uint_t n)
{
    ngx_duplex_counters_conf_t  *conf;

    conf = ngx_duplex_counters_conf(cf);
    if (conf == NULL) {
        return NGX_ERROR;
    }

    conf->ncells += n;

    return NGX_OK;
}


static ngx_duplex_counters_conf_t *
ngx_duplex_counters_conf(ngx_conf_t *cf)
{
    ngx_pool_cleanup_t          *cln;
    ngx_duplex_counters_conf_t  *conf;

    conf = ngx_duplex_counters_bound;

    if (conf && conf->cycle == cf->cycle) {
        return conf;
    }

    cln = ngx_pool_cleanup_add(cf->cycle->pool,
                               sizeof(ngx_duplex_counters_conf_t));
    if (cln == NULL) {
        return NULL;
    }

    conf = cln->data;

    ngx_memzero(conf, sizeof(ngx_duplex_counters_conf_t));

    conf->cycle = cf->cycle;

    cln->handler = ngx_duplex_counters_cleanup;

    ngx_duplex_counters_bound = conf;

    if (ngx_duplex_register_feature(cf, &ngx_duplex_counters_feature) != NGX_OK
        || ngx_duplex_workers_register(cf) != NGX_OK
        || ngx_duplex_peer_counters_register(cf) != NGX_OK)
    {
        return NULL;
    }

    return conf;
}


/* the cycle that has failed, or the one before the present */

static void
ngx_duplex_counters_cleanup(void *data)
{
    if (ngx_duplex_counters_bound == data) {
        ngx_duplex_counters_bound = NULL;
    }

    if (ngx_duplex_counters_present == data) {
        ngx_duplex_counters_present = NULL;
    }
}


static ngx_int_t
ngx_duplex_counters_bind(ngx_conf_t *cf)
{
    ngx_str_t                    name = ngx_string("duplex:status");
    ngx_uint_t                   n;
    ngx_core_conf_t             *ccf;
    ngx_duplex_counters_conf_t  *conf;

    conf = ngx_duplex_counters_conf(cf);
    if (conf == NULL) {
        return NGX_ERROR;
    }

    if (conf->ncells == 0) {
        return NGX_OK;
    }

    /* in steps, so that most reloads go on with the same zone */

    for (n = NGX_DUPLEX_CELLS_SPARE * 2;
         n < conf->ncells + NGX_DUPLEX_CELLS_SPARE;
         n += n / 2)
    {
        /* void */
    }

    ccf = (ngx_core_conf_t *) ngx_get_conf(cf->cycle->conf_ctx,
                                           ngx_core_module);

    conf->ncells = n;
    conf->nslots = ngx_min(ngx_max(ccf->worker_processes, 1),
                           NGX_DUPLEX_SLOTS_MAX);

    conf->shm_zone = ngx_shared_memory_add(cf, &name,
                                           ngx_duplex_counters_size(conf),
                                           &ngx_duplex_counters_feature);
    if (conf->shm_zone == NULL) {
        return NGX_ERROR;
    }

    conf->shm_zone->init = ngx_duplex_counters_init;
    conf->shm_zone->data = conf;

    return NGX_OK;
}


#define ngx_duplex_counters_head(ncells)                                      \
    ngx_align(sizeof(ngx_duplex_cells_t) + (ncells) * sizeof(uint64_t), 64)

#define ngx_duplex_counters_cell_size(nslots)                                 \
    (sizeof(ngx_duplex_cell_t) + (nslots) * sizeof(ngx_duplex_slot_t))


static size_t
ngx_duplex_counters_size(ngx_duplex_counters_conf_t *conf)
{
    size_t  size;

    size = ngx_duplex_counters_head(conf->ncells)
           + conf->ncells * ngx_duplex_counters_cell_size(conf->nslots);

    /* and what the slab allocator takes for itself */

    return ngx_align(size + size / 64 + 8 * ngx_pagesize, ngx_pagesize);
}


static ngx_int_t
ngx_duplex_counters_init(ngx_shm_zone_t *shm_zone, void *data)
{
    size_t                       size;
    ngx_slab_pool_t             *shpool;
    ngx_duplex_cells_t          *cells;
    ngx_duplex_counters_conf_t  *conf;

    conf = shm_zone->data;
    shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    if (data || shm_zone->shm.exists) {
        conf->cells = shpool->data;
        return NGX_OK;
    }

    size = ngx_duplex_counters_head(conf->ncells)
           + conf->ncells * ngx_duplex_counters_cell_size(conf->nslots);

    cells = ngx_slab_calloc(shpool, size);
    if (cells == NULL) {
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                      "zone \"%V\" could not be laid out",
                      &shm_zone->shm.name);
        return NGX_ERROR;
    }

    cells->ncells = conf->ncells;
    cells->nslots = conf->nslots;

    if (ngx_duplex_lock_create(&cells->lock, shm_zone->shm.log) != NGX_OK) {
        return NGX_ERROR;
    }

    shpool->data = cells;
    conf->cells = cells;

    return NGX_OK;
}


static void
ngx_duplex_counters_commit(ngx_cycle_t *cycle)
{
    ngx_duplex_cells_t  *old;

    old = ngx_duplex_counters_present ? ngx_duplex_counters_present->cells
                                      : NULL;

    ngx_duplex_counters_present = ngx_duplex_counters_bound;

    if (old
        && ngx_duplex_counters_present->cells
        && ngx_duplex_counters_present->cells != old)
    {
        ngx_duplex_counters_copy(old);
    }
}


static void
ngx_duplex_counters_copy(ngx_duplex_cells_t *old)
{
    ngx_uint_t          i, k, s;
    ngx_duplex_cell_t  *cell, *from;

    for (i = 0; i < old->ncells; i++) {

        if (old->hash[i] == 0) {
            continue;
        }

        from = ngx_duplex_counters_at(old, i);
        cell = ngx_duplex_counters_take_locked(old->hash[i], from->kind);

        if (cell == NULL) {
            return;
        }

        cell->generation = from->generation;

        for (s = 0; s < old->nslots; s++) {
            for (k = NGX_DUPLEX_GAUGES; k < NGX_DUPLEX_COUNTERS; k++) {
                cell->slot[0].count[k] += from->slot[s].count[k];
            }
        }
    }
}


ngx_duplex_cell_t *
ngx_duplex_cell(ngx_duplex_cell_e kind, ngx_str_t *name)
{
    uint64_t             hash;
    ngx_duplex_cell_t   *cell;
    ngx_duplex_cells_t  *cells;

    cells = ngx_duplex_counters_present ? ngx_duplex_counters_present->cells
                                        : NULL;
    if (cells == NULL) {
        return NULL;
    }

    hash = ngx_duplex_hash(name->data, name->len) + kind;
    hash += (hash == 0);

    (void) ngx_duplex_lock(&cells->lock);

    cell = ngx_duplex_counters_take_locked(hash, kind);

    if (cell) {
        cell->generation = ngx_duplex_identity()->generation;
    }

    ngx_duplex_unlock(&cells->lock);

    return cell;
}


/* its own, a free one, or that of a thing which is in no configuration */

static ngx_duplex_cell_t *
ngx_duplex_counters_take_locked(uint64_t hash, ngx_uint_t kind)
{
    ngx_uint_t           i, place;
    ngx_duplex_cell_t   *cell;
    ngx_duplex_cells_t  *cells;

    cells = ngx_duplex_counters_present->cells;
    place = cells->ncells;

    for (i = 0; i < cells->ncells; i++) {

        if (cells->hash[i] == hash) {
            return ngx_duplex_counters_at(cells, i);
        }

        if (cells->hash[i] == 0 && place == cells->ncells) {
            place = i;
        }
    }

    for (i = 0; place == cells->ncells && i < cells->ncells; i++) {

        cell = ngx_duplex_counters_at(cells, i);

        if (cell->generation + 1 < ngx_duplex_identity()->generation) {
            place = i;
        }
    }

    if (place == cells->ncells) {
        return NULL;
    }

    cells->hash[place] = 0;

    cell = ngx_duplex_counters_at(cells, place);

    ngx_memzero(cell, ngx_duplex_counters_cell_size(cells->nslots));

    cell->kind = kind;

    ngx_memory_barrier();

    cells->hash[place] = hash;

    return cell;
}


static ngx_duplex_cell_t *
ngx_duplex_counters_at(ngx_duplex_cells_t *cells, ngx_uint_t i)
{
    return (ngx_duplex_cell_t *)
               ((u_char *) cells + ngx_duplex_counters_head(cells->ncells)
                + i * ngx_duplex_counters_cell_size(cells->nslots));
}


void
ngx_duplex_counters_use_slot(ngx_uint_t worker)
{
    ngx_duplex_counters_conf_t  *conf;

    conf = ngx_duplex_counters_present;

    ngx_duplex_counters_slot = (conf && conf->cells)
                               ? worker % conf->cells->nslots : 0;
}


ngx_atomic_t *
ngx_duplex_cell_counter(ngx_duplex_cell_t *cell, ngx_uint_t i)
{
    return &cell->slot[ngx_duplex_counters_slot].count[i];
}


ngx_atomic_t *
ngx_duplex_cell_word(ngx_duplex_cell_t *cell, ngx_uint_t i)
{
    return &cell->slot[0].count[i];
}


void
ngx_duplex_cell_sum(ngx_duplex_cell_t *cell, ngx_duplex_sum_t *sum)
{
    ngx_uint_t           i, s;
    ngx_duplex_cells_t  *cells;

    ngx_memzero(sum, sizeof(ngx_duplex_sum_t));

    if (cell == NULL) {
        return;
    }

    cells = ngx_duplex_counters_present->cells;

    for (s = 0; s < cells->nslots; s++) {
        for (i = 0; i < NGX_DUPLEX_COUNTERS; i++) {
            sum->count[i] += cell->slot[s].count[i];
        }
    }
}


void
ngx_duplex_cell_reset(ngx_duplex_cell_t *cell, ngx_uint_t first, ngx_uint_t n)
{
    ngx_uint_t           i, s;
    ngx_duplex_cells_t  *cells;

    if (cell == NULL) {
        return;
    }

    cells = ngx_duplex_counters_present->cells;

    for (s = 0; s < cells->nslots; s++) {
        for (i = first; i < first + n; i++) {
            cell->slot[s].count[i] = 0;
        }
    }
}


void
ngx_duplex_counters_forget(void)
{
    ngx_uint_t           i, k;
    ngx_duplex_cell_t   *cell;
    ngx_duplex_cells_t  *cells;

    cells = ngx_duplex_counters_present ? ngx_duplex_counters_present->cells
                                        : NULL;

    for (i = 0; cells && i < cells->ncells; i++) {

        cell = ngx_duplex_counters_at(cells, i);

        /* a worker's cell is its own, and it knows */

        for (k = 0;
             cell->kind != ngx_duplex_cell_worker && k < NGX_DUPLEX_GAUGES;
             k++)
        {
            *ngx_duplex_cell_counter(cell, k) = 0;
        }
    }
}
