
/*
 * The queues of a configuration: from directives to shared memory, and how
 * the API shows them.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_registry.h"
#include "ngx_duplex_queue_shared.h"


typedef struct {
    ngx_cycle_t                *cycle;
    ngx_duplex_queue_t         *queues;
    ngx_uint_t                  nqueues;
    ngx_shm_zone_t             *shm_zone;
} ngx_duplex_queue_list_t;


static ngx_duplex_queue_list_t *ngx_duplex_queue_list(ngx_conf_t *cf);
static void ngx_duplex_queue_list_cleanup(void *data);
static ngx_int_t ngx_duplex_queue_bind(ngx_conf_t *cf);
static ngx_int_t ngx_duplex_queue_zone_init(ngx_shm_zone_t *shm_zone,
    void *data);
static void ngx_duplex_queue_commit(ngx_cycle_t *cycle);


static ngx_duplex_feature_t  ngx_duplex_queue_feature = {
    ngx_string("queue"),
    NGX_DUPLEX_LAYER_UPSTREAM,
    ngx_duplex_queue_bind,                 /* bind */
    ngx_duplex_queue_commit,               /* commit */
    ngx_duplex_queue_start,                /* start */
    NULL,                                  /* take */
    NULL,                                  /* beat */
    NULL,                                  /* wake */
    NULL,                                  /* drop */
    NULL                                   /* stop */
};


/* of the cycle being configured, and of the one in force */

static ngx_duplex_queue_list_t  *ngx_duplex_queue_list_bound;
static ngx_duplex_queue_list_t  *ngx_duplex_queue_list_present;


ngx_int_t
ngx_duplex_queue_register(ngx_conf_t *cf)
{
    if (ngx_duplex_queue_list(cf) == NULL) {
        return NGX_ERROR;
    }

    return ngx_duplex_register_feature(cf, &ngx_duplex_queue_feature);
}


static ngx_duplex_queue_list_t *
ngx_duplex_queue_list(ngx_conf_t *cf)
{
    ngx_pool_cleanup_t       *cln;
    ngx_duplex_queue_list_t  *list;

    list = ngx_duplex_queue_list_bound;

    if (list && list->cycle == cf->cycle) {
        return list;
    }

    cln = ngx_pool_cleanup_add(cf->cycle->pool,
                               sizeof(ngx_duplex_queue_list_t));
    if (cln == NULL) {
        return NULL;
    }

    list = cln->data;
    ngx_memzero(list, sizeof(ngx_duplex_queue_list_t));

    list->cycle = cf->cycle;
    cln->handler = ngx_duplex_queue_list_cleanup;

    ngx_duplex_queue_list_bound = list;

    return list;
}


/* a later cycle may get the address of a freed one */

static void
ngx_duplex_queue_list_cleanup(void *data)
{
    if (ngx_duplex_queue_list_bound == data) {
        ngx_duplex_queue_list_bound = NULL;
    }

    if (ngx_duplex_queue_list_present == data) {
        ngx_duplex_queue_list_present = NULL;
    }
}


ngx_duplex_queue_t *
ngx_duplex_queue_add(ngx_conf_t *cf, ngx_str_t *name, void *conf)
{
    ngx_duplex_queue_t       *queue;
    ngx_duplex_queue_list_t  *list;

    list = ngx_duplex_queue_list(cf);
    if (list == NULL) {
        return NULL;
    }

    queue = ngx_pcalloc(cf->pool, sizeof(ngx_duplex_queue_t));
    if (queue == NULL) {
        return NULL;
    }

    queue->name = *name;
    queue->conf = conf;
    ngx_queue_init(&queue->waiting);

    queue->next = list->queues;
    list->queues = queue;
    list->nqueues++;

    ngx_duplex_need_store(cf);

    return queue;
}


static ngx_int_t
ngx_duplex_queue_bind(ngx_conf_t *cf)
{
    size_t                    size;
    ngx_str_t                 name = ngx_string("duplex:queue");
    ngx_duplex_queue_t       *queue;
    ngx_duplex_queue_list_t  *list;

    list = ngx_duplex_queue_list(cf);

    if (list == NULL) {
        return NGX_ERROR;
    }

    if (list->nqueues == 0) {
        return NGX_OK;
    }

    /* peers of a group without a zone are each worker's own, so is its queue */

    for (queue = list->queues; queue; queue = queue->next) {

        queue->shared = ngx_pcalloc(cf->pool,
                                    sizeof(ngx_duplex_queue_shared_t));

        if (queue->shared == NULL
            || ngx_duplex_lock_create(&queue->shared->lock, cf->log) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    /* a page and the pool's own for the rounding of each */

    size = 8 * ngx_pagesize + list->nqueues
           * (ngx_align(sizeof(ngx_duplex_queue_shared_t), ngx_pagesize)
              + ngx_pagesize);

    list->shm_zone = ngx_shared_memory_add(cf, &name, size,
                                           &ngx_duplex_queue_feature);
    if (list->shm_zone == NULL) {
        return NGX_ERROR;
    }

    list->shm_zone->init = ngx_duplex_queue_zone_init;
    list->shm_zone->data = list;
    list->shm_zone->noreuse = 1;

    return NGX_OK;
}


static ngx_int_t
ngx_duplex_queue_zone_init(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_slab_pool_t            *shpool;
    ngx_duplex_queue_t         *queue;
    ngx_duplex_queue_list_t    *list;
    ngx_duplex_queue_shared_t  *shared;

    list = shm_zone->data;
    shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    for (queue = list->queues; queue; queue = queue->next) {

        if (!queue->zone) {
            continue;
        }

        shared = ngx_slab_calloc(shpool, sizeof(ngx_duplex_queue_shared_t));

        if (shared == NULL
            || ngx_duplex_lock_create(&shared->lock, shm_zone->shm.log)
               != NGX_OK)
        {
            return NGX_ERROR;
        }

        queue->shared = shared;
    }

    return NGX_OK;
}


/* the memory of the queue of the same name is still there */

static void
ngx_duplex_queue_commit(ngx_cycle_t *cycle)
{
    ngx_duplex_queue_t  *queue, *old;

    old = ngx_duplex_queue_list_present
          ? ngx_duplex_queue_list_present->queues : NULL;

    for ( /* void */ ; old; old = old->next) {

        queue = ngx_duplex_queue_list_bound->queues;

        for ( /* void */ ; queue; queue = queue->next) {

            if (queue->name.len == old->name.len
                && ngx_memcmp(queue->name.data, old->name.data,
                              old->name.len)
                   == 0)
            {
                queue->shared->overflows = old->shared->overflows;
            }
        }
    }

    ngx_duplex_queue_list_present = ngx_duplex_queue_list_bound;
}


ngx_duplex_queue_t *
ngx_duplex_queue_first(void)
{
    return ngx_duplex_queue_list_present ? ngx_duplex_queue_list_present->queues
                                         : NULL;
}


void
ngx_duplex_queue_fields(ngx_duplex_group_t *group, ngx_duplex_json_t *json)
{
    ngx_duplex_queue_t  *queue;

    for (queue = ngx_duplex_queue_first(); queue; queue = queue->next) {

        if (queue->conf != group->conf) {
            continue;
        }

        ngx_duplex_json_object(json, "queue");
        ngx_duplex_json_integer(json, "size", ngx_duplex_queue_size(queue));
        ngx_duplex_json_integer(json, "max_size", queue->max);
        ngx_duplex_json_integer(json, "overflows", queue->shared->overflows);
        ngx_duplex_json_object_end(json);
    }
}
