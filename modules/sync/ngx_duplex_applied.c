
/*
 * Waiting until other nodes have a change; see the header.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "../core/ngx_duplex_clock.h"
#include "../core/ngx_duplex_store.h"
#include "../core/ngx_duplex_wake.h"
#include "ngx_duplex_applied.h"
#include "ngx_duplex_nodes.h"


static ngx_int_t ngx_duplex_applied_wait(ngx_duplex_acked_wait_t *wait,
    ngx_msec_t limit);
static void ngx_duplex_applied_cancel(ngx_duplex_acked_wait_t *wait);
static ngx_int_t ngx_duplex_applied_node(ngx_uint_t i, uint64_t position,
    ngx_str_t *name, ngx_uint_t *connected, ngx_uint_t *acked);
static ngx_uint_t ngx_duplex_applied_everywhere(uint64_t position);
static void ngx_duplex_applied_woken(ngx_event_t *ev);
static void ngx_duplex_applied_timeout(ngx_event_t *ev);
static void ngx_duplex_applied_done(ngx_duplex_acked_wait_t *wait);


ngx_duplex_acked_t  ngx_duplex_applied_service = {
    ngx_duplex_applied_wait,
    ngx_duplex_applied_cancel,
    ngx_duplex_applied_node
};


/* those who wait in this worker */
static ngx_queue_t       ngx_duplex_applied_waits;

/* for debug logging, which wants a connection in ev->data: an fd of none */
static ngx_connection_t  ngx_duplex_applied_conn;


ngx_int_t
ngx_duplex_applied_start(ngx_cycle_t *cycle)
{
    ngx_queue_init(&ngx_duplex_applied_waits);

    ngx_duplex_applied_conn.fd = (ngx_socket_t) -1;

    return ngx_duplex_wake_watch(ngx_duplex_wake_acked,
                                 ngx_duplex_applied_woken, cycle->log);
}


void
ngx_duplex_applied_stop(void)
{
    ngx_queue_t  *q;

    while (!ngx_queue_empty(&ngx_duplex_applied_waits)) {
        q = ngx_queue_head(&ngx_duplex_applied_waits);
        ngx_duplex_applied_done(ngx_queue_data(q, ngx_duplex_acked_wait_t,
                                               queue));
    }

    ngx_duplex_wake_unwatch(ngx_duplex_wake_acked);
}


static ngx_int_t
ngx_duplex_applied_wait(ngx_duplex_acked_wait_t *wait, ngx_msec_t limit)
{
    uint64_t             until;
    ngx_atomic_uint_t    old;
    ngx_duplex_nodes_t  *nodes;

    nodes = ngx_duplex_nodes();

    if (nodes == NULL || limit == 0 || ngx_exiting
        || ngx_duplex_applied_everywhere(wait->position))
    {
        return NGX_OK;
    }

    /* an acknowledgement that comes from here on wakes us */

    until = ngx_duplex_clock_monotonic() + limit;

    do {
        old = nodes->waiting;
    } while (old < until && !ngx_atomic_cmp_set(&nodes->waiting, old, until));

    if (ngx_duplex_applied_everywhere(wait->position)) {
        return NGX_OK;
    }

    ngx_queue_insert_tail(&ngx_duplex_applied_waits, &wait->queue);
    wait->queued = 1;

    ngx_memzero(&wait->timer, sizeof(ngx_event_t));
    wait->timer.handler = ngx_duplex_applied_timeout;
    wait->timer.data = &ngx_duplex_applied_conn;
    wait->timer.log = ngx_cycle->log;

    ngx_add_timer(&wait->timer, limit);

    return NGX_AGAIN;
}


static void
ngx_duplex_applied_cancel(ngx_duplex_acked_wait_t *wait)
{
    if (!wait->queued) {
        return;
    }

    wait->queued = 0;
    ngx_queue_remove(&wait->queue);

    if (wait->timer.timer_set) {
        ngx_del_timer(&wait->timer);
    }
}


static ngx_int_t
ngx_duplex_applied_node(ngx_uint_t i, uint64_t position, ngx_str_t *name,
    ngx_uint_t *connected, ngx_uint_t *acked)
{
    ngx_uint_t             k, n;
    ngx_duplex_nodes_t    *nodes;
    ngx_duplex_dialled_t  *node;

    nodes = ngx_duplex_nodes();

    if (nodes == NULL) {
        return NGX_DONE;
    }

    for (k = 0, n = 0; k < NGX_DUPLEX_NODES_MAX; k++) {

        node = &nodes->dialled[k];

        if (node->state == ngx_duplex_dial_unused
            || node->state == ngx_duplex_dial_self
            || n++ != i)
        {
            continue;
        }

        if (node->id) {
            name->data = (u_char *) node->name;

        } else {
            name->data = (u_char *) node->address.text;
        }

        name->len = ngx_strlen(name->data);

        *connected = (node->state == ngx_duplex_dial_syncing
                      || node->state == ngx_duplex_dial_online);
        *acked = ngx_duplex_dialled_acked(node, ngx_duplex_store_zones())
                 >= position;

        return NGX_OK;
    }

    return NGX_DONE;
}


static ngx_uint_t
ngx_duplex_applied_everywhere(uint64_t position)
{
    ngx_str_t   name;
    ngx_uint_t  i, connected, acked;

    for (i = 0;
         ngx_duplex_applied_node(i, position, &name, &connected, &acked)
         == NGX_OK;
         i++)
    {
        if (connected && !acked) {
            return 0;
        }
    }

    return 1;
}


static void
ngx_duplex_applied_woken(ngx_event_t *ev)
{
    ngx_queue_t              *q, *next;
    ngx_duplex_acked_wait_t  *wait;

    for (q = ngx_queue_head(&ngx_duplex_applied_waits);
         q != ngx_queue_sentinel(&ngx_duplex_applied_waits);
         q = next)
    {
        next = ngx_queue_next(q);
        wait = ngx_queue_data(q, ngx_duplex_acked_wait_t, queue);

        if (ngx_duplex_applied_everywhere(wait->position)) {

            /* its handler may cancel others: begins again */

            ngx_duplex_applied_done(wait);
            next = ngx_queue_head(&ngx_duplex_applied_waits);
        }
    }
}


static void
ngx_duplex_applied_timeout(ngx_event_t *ev)
{
    ngx_duplex_applied_done((ngx_duplex_acked_wait_t *)
                            ((u_char *) ev - offsetof(ngx_duplex_acked_wait_t,
                                                      timer)));
}


static void
ngx_duplex_applied_done(ngx_duplex_acked_wait_t *wait)
{
    ngx_duplex_applied_cancel(wait);

    wait->handler(wait);
}


void
ngx_duplex_applied_tell(void)
{
    ngx_duplex_nodes_t  *nodes;

    nodes = ngx_duplex_nodes();

    if (nodes->waiting >= ngx_duplex_clock_monotonic()) {
        ngx_duplex_wake(ngx_duplex_wake_acked);
    }
}
