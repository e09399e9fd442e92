
/*
 * See the header.
 *
 * nginx counts connections and requests of the whole node by itself (what
 * "stub_status" shows).  For those of a worker we stand before the handlers
 * of its listening sockets.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "../core/ngx_duplex_identity.h"
#include "../core/ngx_duplex_page.h"
#include "../core/ngx_duplex_registry.h"
#include "ngx_duplex_counters.h"
#include "ngx_duplex_workers.h"


/* counters of a worker's cell; the first two are gauges */

enum {
    NGX_DUPLEX_WORKER_CURRENT = 0,      /* requests */
    NGX_DUPLEX_WORKER_ACTIVE,           /* connections */
    NGX_DUPLEX_WORKER_ACCEPTED,
    NGX_DUPLEX_WORKER_REQUESTS,
    NGX_DUPLEX_WORKER_PID,              /* words: */
    NGX_DUPLEX_WORKER_GENERATION
};

/* words of the node's cell */

enum {
    NGX_DUPLEX_NODE_RESPAWNED = NGX_DUPLEX_GAUGES,
    NGX_DUPLEX_NODE_ACCEPTED,           /* when they were reset */
    NGX_DUPLEX_NODE_HANDLED,
    NGX_DUPLEX_NODE_REQUESTS
};


static ngx_int_t ngx_duplex_workers_bind(ngx_conf_t *cf);
static ngx_int_t ngx_duplex_workers_start(ngx_cycle_t *cycle);
static ngx_duplex_cell_t *ngx_duplex_workers_cell(ngx_uint_t worker);
static ngx_int_t ngx_duplex_workers_listen(ngx_cycle_t *cycle);
static void ngx_duplex_workers_accept(ngx_connection_t *c);
static void ngx_duplex_workers_closed(void *data);

static ngx_uint_t ngx_duplex_workers_processes(ngx_duplex_call_t *call);
static ngx_uint_t ngx_duplex_workers_processes_reset(ngx_duplex_call_t *call);
static ngx_uint_t ngx_duplex_workers_connections(ngx_duplex_call_t *call);
static ngx_uint_t ngx_duplex_workers_connections_reset(
    ngx_duplex_call_t *call);
static ngx_uint_t ngx_duplex_workers_requests(ngx_duplex_call_t *call);
static ngx_uint_t ngx_duplex_workers_requests_reset(ngx_duplex_call_t *call);
static ngx_uint_t ngx_duplex_workers_all(ngx_duplex_call_t *call);
static ngx_uint_t ngx_duplex_workers_all_reset(ngx_duplex_call_t *call);
static ngx_uint_t ngx_duplex_workers_one(ngx_duplex_call_t *call);
static ngx_uint_t ngx_duplex_workers_one_reset(ngx_duplex_call_t *call);
static ngx_duplex_cell_t *ngx_duplex_workers_find(ngx_duplex_call_t *call,
    ngx_uint_t *id);
static void ngx_duplex_workers_object(ngx_duplex_json_t *json, ngx_uint_t id,
    ngx_duplex_cell_t *cell);
static ngx_duplex_cell_t *ngx_duplex_workers_node(void);


static ngx_duplex_feature_t  ngx_duplex_workers_feature = {
    ngx_string("workers"),
    NGX_DUPLEX_LAYER_UPSTREAM,
    ngx_duplex_workers_bind,               /* bind */
    NULL,                                  /* commit */
    ngx_duplex_workers_start,              /* start */
    NULL,                                  /* take */
    NULL,                                  /* beat */
    NULL,                                  /* wake */
    NULL,                                  /* drop */
    NULL                                   /* stop */
};


static ngx_duplex_page_t  ngx_duplex_workers_pages[] = {

    { ngx_string("processes"), ngx_duplex_workers_processes, NULL, NULL, NULL,
      ngx_duplex_workers_processes_reset, 0, NULL },

#if (NGX_STAT_STUB)

    { ngx_string("connections"), ngx_duplex_workers_connections,
      NULL, NULL, NULL, ngx_duplex_workers_connections_reset, 0, NULL },

    { ngx_string("http/requests"), ngx_duplex_workers_requests,
      NULL, NULL, NULL, ngx_duplex_workers_requests_reset, 0, NULL },

#endif

    { ngx_string("workers"), ngx_duplex_workers_all, NULL, NULL, NULL,
      ngx_duplex_workers_all_reset, 0, NULL },

    { ngx_string("workers/*"), ngx_duplex_workers_one, NULL, NULL, NULL,
      ngx_duplex_workers_one_reset, 0, NULL },

      ngx_duplex_null_page
};


/* of this worker */
static ngx_duplex_cell_t          *ngx_duplex_worker_cell;
static ngx_connection_handler_pt  *ngx_duplex_workers_handlers;


ngx_int_t
ngx_duplex_workers_register(ngx_conf_t *cf)
{
    return ngx_duplex_register_feature(cf, &ngx_duplex_workers_feature);
}


static ngx_int_t
ngx_duplex_workers_bind(ngx_conf_t *cf)
{
    ngx_core_conf_t  *ccf;

    if (!ngx_duplex_counters_wanted(cf)) {
        return NGX_OK;
    }

    ccf = (ngx_core_conf_t *) ngx_get_conf(cf->cycle->conf_ctx,
                                           ngx_core_module);

    if (ngx_duplex_counters_reserve(cf, ngx_max(ccf->worker_processes, 1) + 1)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_duplex_register_pages(cf, ngx_duplex_workers_pages);
}


static ngx_int_t
ngx_duplex_workers_start(ngx_cycle_t *cycle)
{
    ngx_atomic_t       *pid, *generation;
    ngx_duplex_cell_t  *cell;

    ngx_duplex_counters_use_slot(ngx_worker);

    cell = ngx_duplex_workers_cell(ngx_worker);

    if (cell == NULL) {
        return NGX_OK;
    }

    pid = ngx_duplex_cell_word(cell, NGX_DUPLEX_WORKER_PID);
    generation = ngx_duplex_cell_word(cell, NGX_DUPLEX_WORKER_GENERATION);

    /* a second worker in the same place of the same configuration */

    if (*pid && *generation == ngx_duplex_identity()->generation) {

        (void) ngx_atomic_fetch_add(
                   ngx_duplex_cell_word(ngx_duplex_workers_node(),
                                        NGX_DUPLEX_NODE_RESPAWNED), 1);

        ngx_duplex_counters_forget();
        ngx_duplex_cell_reset(cell, 0, NGX_DUPLEX_GAUGES);
    }

    *generation = ngx_duplex_identity()->generation;
    *pid = ngx_pid;

    ngx_duplex_worker_cell = cell;

    return ngx_duplex_workers_listen(cycle);
}


static ngx_duplex_cell_t *
ngx_duplex_workers_cell(ngx_uint_t worker)
{
    u_char     text[NGX_INT_T_LEN];
    ngx_str_t  name;

    name.data = text;
    name.len = ngx_sprintf(text, "%ui", worker) - text;

    return ngx_duplex_cell(ngx_duplex_cell_worker, &name);
}


static ngx_int_t
ngx_duplex_workers_listen(ngx_cycle_t *cycle)
{
    ngx_uint_t        i;
    ngx_listening_t  *ls;

    ls = cycle->listening.elts;

    ngx_duplex_workers_handlers = ngx_palloc(cycle->pool,
                                             cycle->listening.nelts
                                          * sizeof(ngx_connection_handler_pt));
    if (ngx_duplex_workers_handlers == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < cycle->listening.nelts; i++) {
        ngx_duplex_workers_handlers[i] = ls[i].handler;
        ls[i].handler = ngx_duplex_workers_accept;
    }

    return NGX_OK;
}


static void
ngx_duplex_workers_accept(ngx_connection_t *c)
{
    ngx_listening_t     *ls;
    ngx_pool_cleanup_t  *cln;

    ls = ngx_cycle->listening.elts;

    ngx_duplex_count(ngx_duplex_worker_cell, NGX_DUPLEX_WORKER_ACCEPTED, 1);

    cln = ngx_pool_cleanup_add(c->pool, 0);

    if (cln) {
        cln->handler = ngx_duplex_workers_closed;
        ngx_duplex_count(ngx_duplex_worker_cell, NGX_DUPLEX_WORKER_ACTIVE, 1);
    }

    ngx_duplex_workers_handlers[c->listening - ls](c);
}


static void
ngx_duplex_workers_closed(void *data)
{
    ngx_duplex_count(ngx_duplex_worker_cell, NGX_DUPLEX_WORKER_ACTIVE, -1);
}


void
ngx_duplex_workers_request(ngx_int_t n)
{
    ngx_duplex_count(ngx_duplex_worker_cell, NGX_DUPLEX_WORKER_CURRENT, n);

    if (n > 0) {
        ngx_duplex_count(ngx_duplex_worker_cell, NGX_DUPLEX_WORKER_REQUESTS, n);
    }
}


static ngx_uint_t
ngx_duplex_workers_processes(ngx_duplex_call_t *call)
{
    ngx_duplex_sum_t  sum;

    ngx_duplex_cell_sum(ngx_duplex_workers_node(), &sum);

    ngx_duplex_json_object(call->json, NULL);
    ngx_duplex_json_integer(call->json, "respawned",
                            sum.count[NGX_DUPLEX_NODE_RESPAWNED]);
    ngx_duplex_json_object_end(call->json);

    return NGX_DUPLEX_CALL_OK;
}


static ngx_uint_t
ngx_duplex_workers_processes_reset(ngx_duplex_call_t *call)
{
    ngx_duplex_cell_reset(ngx_duplex_workers_node(), NGX_DUPLEX_NODE_RESPAWNED,
                          1);

    return NGX_DUPLEX_CALL_NO_CONTENT;
}


#if (NGX_STAT_STUB)

static ngx_uint_t
ngx_duplex_workers_connections(ngx_duplex_call_t *call)
{
    uint64_t           accepted, handled, active, idle;
    ngx_duplex_sum_t   sum;

    ngx_duplex_cell_sum(ngx_duplex_workers_node(), &sum);

    accepted = *ngx_stat_accepted - sum.count[NGX_DUPLEX_NODE_ACCEPTED];
    handled = *ngx_stat_handled - sum.count[NGX_DUPLEX_NODE_HANDLED];
    active = *ngx_stat_active;
    idle = *ngx_stat_waiting;

    ngx_duplex_json_object(call->json, NULL);
    ngx_duplex_json_integer(call->json, "accepted", accepted);
    ngx_duplex_json_integer(call->json, "dropped",
                            accepted > handled ? accepted - handled : 0);
    ngx_duplex_json_integer(call->json, "active",
                            active > idle ? active - idle : 0);
    ngx_duplex_json_integer(call->json, "idle", idle);
    ngx_duplex_json_object_end(call->json);

    return NGX_DUPLEX_CALL_OK;
}


static ngx_uint_t
ngx_duplex_workers_connections_reset(ngx_duplex_call_t *call)
{
    ngx_duplex_cell_t  *node;

    node = ngx_duplex_workers_node();

    if (node) {
        ngx_duplex_cell_reset(node, NGX_DUPLEX_NODE_ACCEPTED, 2);

        *ngx_duplex_cell_word(node, NGX_DUPLEX_NODE_ACCEPTED)
                                                         = *ngx_stat_accepted;
        *ngx_duplex_cell_word(node, NGX_DUPLEX_NODE_HANDLED)
                                                         = *ngx_stat_handled;
    }

    return NGX_DUPLEX_CALL_NO_CONTENT;
}


static ngx_uint_t
ngx_duplex_workers_requests(ngx_duplex_call_t *call)
{
    ngx_duplex_sum_t  sum;

    ngx_duplex_cell_sum(ngx_duplex_workers_node(), &sum);

    ngx_duplex_json_object(call->json, NULL);
    ngx_duplex_json_integer(call->json, "total",
                            *ngx_stat_requests
                            - sum.count[NGX_DUPLEX_NODE_REQUESTS]);
    ngx_duplex_json_integer(call->json, "current",
                            *ngx_stat_reading + *ngx_stat_writing);
    ngx_duplex_json_object_end(call->json);

    return NGX_DUPLEX_CALL_OK;
}


static ngx_uint_t
ngx_duplex_workers_requests_reset(ngx_duplex_call_t *call)
{
    ngx_duplex_cell_t  *node;

    node = ngx_duplex_workers_node();

    if (node) {
        ngx_duplex_cell_reset(node, NGX_DUPLEX_NODE_REQUESTS, 1);

        *ngx_duplex_cell_word(node, NGX_DUPLEX_NODE_REQUESTS)
                                                         = *ngx_stat_requests;
    }

    return NGX_DUPLEX_CALL_NO_CONTENT;
}

#endif


static ngx_uint_t
ngx_duplex_workers_all(ngx_duplex_call_t *call)
{
    ngx_uint_t        i;
    ngx_core_conf_t  *ccf;

    ccf = (ngx_core_conf_t *) ngx_get_conf(ngx_cycle->conf_ctx,
                                           ngx_core_module);

    ngx_duplex_json_array(call->json, NULL);

    for (i = 0; i < (ngx_uint_t) ngx_max(ccf->worker_processes, 1); i++) {
        ngx_duplex_workers_object(call->json, i, ngx_duplex_workers_cell(i));
    }

    ngx_duplex_json_array_end(call->json);

    return NGX_DUPLEX_CALL_OK;
}


static ngx_uint_t
ngx_duplex_workers_all_reset(ngx_duplex_call_t *call)
{
    ngx_uint_t        i;
    ngx_core_conf_t  *ccf;

    ccf = (ngx_core_conf_t *) ngx_get_conf(ngx_cycle->conf_ctx,
                                           ngx_core_module);

    for (i = 0; i < (ngx_uint_t) ngx_max(ccf->worker_processes, 1); i++) {
        ngx_duplex_cell_reset(ngx_duplex_workers_cell(i),
                              NGX_DUPLEX_WORKER_ACCEPTED, 2);
    }

    return NGX_DUPLEX_CALL_NO_CONTENT;
}


static ngx_uint_t
ngx_duplex_workers_one(ngx_duplex_call_t *call)
{
    ngx_uint_t          id;
    ngx_duplex_cell_t  *cell;

    cell = ngx_duplex_workers_find(call, &id);

    if (cell == NULL) {
        return ngx_duplex_call_refuse(call, 404, "WorkerNotFound",
                                      "worker not found");
    }

    ngx_duplex_workers_object(call->json, id, cell);

    return NGX_DUPLEX_CALL_OK;
}


static ngx_uint_t
ngx_duplex_workers_one_reset(ngx_duplex_call_t *call)
{
    ngx_uint_t          id;
    ngx_duplex_cell_t  *cell;

    cell = ngx_duplex_workers_find(call, &id);

    if (cell == NULL) {
        return ngx_duplex_call_refuse(call, 404, "WorkerNotFound",
                                      "worker not found");
    }

    ngx_duplex_cell_reset(cell, NGX_DUPLEX_WORKER_ACCEPTED, 2);

    return NGX_DUPLEX_CALL_NO_CONTENT;
}


static ngx_duplex_cell_t *
ngx_duplex_workers_find(ngx_duplex_call_t *call, ngx_uint_t *id)
{
    ngx_int_t         n;
    ngx_core_conf_t  *ccf;

    ccf = (ngx_core_conf_t *) ngx_get_conf(ngx_cycle->conf_ctx,
                                           ngx_core_module);

    n = ngx_atoi(call->segment[0].data, call->segment[0].len);

    if (n == NGX_ERROR || n >= ngx_max(ccf->worker_processes, 1)) {
        return NULL;
    }

    *id = n;

    return ngx_duplex_workers_cell(n);
}


/* a connection without a request is idle */

static void
ngx_duplex_workers_object(ngx_duplex_json_t *json, ngx_uint_t id,
    ngx_duplex_cell_t *cell)
{
    int64_t            active, current;
    ngx_duplex_sum_t   sum;

    ngx_duplex_cell_sum(cell, &sum);

    active = ngx_max((int64_t) sum.count[NGX_DUPLEX_WORKER_ACTIVE], 0);
    current = ngx_max((int64_t) sum.count[NGX_DUPLEX_WORKER_CURRENT], 0);

    ngx_duplex_json_object(json, NULL);

    ngx_duplex_json_integer(json, "id", id);
    ngx_duplex_json_integer(json, "pid", sum.count[NGX_DUPLEX_WORKER_PID]);

    ngx_duplex_json_object(json, "connections");
    ngx_duplex_json_integer(json, "accepted",
                            sum.count[NGX_DUPLEX_WORKER_ACCEPTED]);
    ngx_duplex_json_integer(json, "dropped", 0);
    ngx_duplex_json_integer(json, "active", ngx_min(active, current));
    ngx_duplex_json_integer(json, "idle",
                            active > current ? active - current : 0);
    ngx_duplex_json_object_end(json);

    ngx_duplex_json_object(json, "http");
    ngx_duplex_json_object(json, "requests");
    ngx_duplex_json_integer(json, "total",
                            sum.count[NGX_DUPLEX_WORKER_REQUESTS]);
    ngx_duplex_json_integer(json, "current", current);
    ngx_duplex_json_object_end(json);
    ngx_duplex_json_object_end(json);

    ngx_duplex_json_object_end(json);
}


static ngx_duplex_cell_t *
ngx_duplex_workers_node(void)
{
    ngx_str_t  name = ngx_null_string;

    return ngx_duplex_cell(ngx_duplex_cell_node, &name);
}
