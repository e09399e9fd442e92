
/*
 * "queue": a request that finds no server waits, and begins its upstream part
 * anew when one is free.
 *
 * Stock cannot wait inside peer selection: every answer of get but error,
 * busy and declined is taken for a connection.  But a request whose upstream
 * part "was already finalized" is left alone, as stock leaves one alone that
 * waits for a name to be resolved.  So get takes the cleanup handler, by
 * which stock knows that, away, and answers "error"; in the same turn of the
 * event loop the handler is put back, and a client that leaves is noticed as
 * in any upstream request.  Going on is ngx_http_upstream_init(), the way the
 * request came; what is cached by then is answered from the cache.
 *
 * The data of a request are those of a cleanup of its pool, where they are
 * found again after internal redirects, and when the request is logged.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "../core/ngx_duplex_wake.h"
#include "ngx_http_duplex_queue.h"


/* a server that fails under a request again and again: no endless circle */
#define NGX_HTTP_DUPLEX_QUEUE_RETRIES  3


typedef struct {
    ngx_queue_t                      link;
    ngx_http_request_t              *request;
    ngx_duplex_queue_t              *queue;
    uint64_t                         ticket;    /* 0: has no place yet */
    ngx_uint_t                       retries;

    ngx_event_t                      timer;     /* its time is up */
    ngx_event_t                      parked;    /* posted */
    ngx_msec_t                       since;
    ngx_msec_t                       spent;     /* before this wait */

    unsigned                         waiting:1; /* it is in the queue */
    unsigned                         called:1;  /* its turn has come */
    unsigned                         late:1;
    unsigned                         taken:1;   /* a server, since init */

    /* what stock has to find again */
    ngx_http_cleanup_pt             *slot;
    ngx_http_cleanup_pt              cleanup;
    ngx_http_event_handler_pt        read_event_handler;
    ngx_http_event_handler_pt        write_event_handler;
    ngx_array_t                     *states;

    /* the wrapped one's */
    void                            *data;
    ngx_event_get_peer_pt            get;
    ngx_event_free_peer_pt           free;
    ngx_event_notify_peer_pt         notify;
    ngx_event_set_peer_session_pt    set_session;
    ngx_event_save_peer_session_pt   save_session;
} ngx_http_duplex_queue_wait_t;


static ngx_http_duplex_queue_wait_t *ngx_http_duplex_queue_find(
    ngx_http_request_t *r);
static ngx_int_t ngx_http_duplex_queue_get(ngx_peer_connection_t *pc,
    void *data);
static ngx_int_t ngx_http_duplex_queue_park(
    ngx_http_duplex_queue_wait_t *wait);
static void ngx_http_duplex_queue_insert(ngx_http_duplex_queue_wait_t *wait);
static void ngx_http_duplex_queue_unlink(ngx_http_duplex_queue_wait_t *wait);
static void ngx_http_duplex_queue_leave(ngx_http_duplex_queue_wait_t *wait);
static void ngx_http_duplex_queue_give_up(ngx_http_duplex_queue_wait_t *wait);
static void ngx_http_duplex_queue_parked(ngx_event_t *ev);
static void ngx_http_duplex_queue_expired(ngx_event_t *ev);
static void ngx_http_duplex_queue_resume(ngx_http_duplex_queue_wait_t *wait);
static void ngx_http_duplex_queue_free(ngx_peer_connection_t *pc, void *data,
    ngx_uint_t state);
static void ngx_http_duplex_queue_notify(ngx_peer_connection_t *pc,
    void *data, ngx_uint_t type);
static ngx_int_t ngx_http_duplex_queue_set_session(ngx_peer_connection_t *pc,
    void *data);
static void ngx_http_duplex_queue_save_session(ngx_peer_connection_t *pc,
    void *data);
static void ngx_http_duplex_queue_cleanup(void *data);


/*
 * The one that was called and has no server yet.  It keeps its turn, so that
 * a new request in another worker does not take the server before it.
 */
static ngx_http_duplex_queue_wait_t  *ngx_http_duplex_queue_called;


ngx_int_t
ngx_http_duplex_queue_init_peer(ngx_http_request_t *r,
    ngx_duplex_queue_t *queue)
{
    ngx_pool_cleanup_t            *pool;
    ngx_http_cleanup_t            *cln;
    ngx_peer_connection_t         *pc;
    ngx_http_duplex_queue_wait_t  *wait;

    pc = &r->upstream->peer;

    wait = ngx_http_duplex_queue_find(r);

    if (wait == NULL) {
        cln = ngx_http_cleanup_add(r, 0);
        pool = ngx_pool_cleanup_add(r->pool,
                                    sizeof(ngx_http_duplex_queue_wait_t));

        if (cln == NULL || pool == NULL) {
            return NGX_ERROR;
        }

        wait = pool->data;
        ngx_memzero(wait, sizeof(ngx_http_duplex_queue_wait_t));

        wait->request = r;

        pool->handler = ngx_http_duplex_queue_cleanup;

        cln->handler = ngx_http_duplex_queue_cleanup;
        cln->data = wait;
    }

    if (wait->queue != queue || !wait->called) {

        /* another one than it has waited in, or a redirect */

        wait->queue = queue;
        wait->ticket = 0;
        wait->retries = 0;
        wait->spent = 0;
        wait->late = 0;
        wait->called = 0;
    }

    if (wait->states) {
        r->upstream_states = wait->states;
        wait->states = NULL;
    }

    wait->taken = 0;

    wait->data = pc->data;
    wait->get = pc->get;
    wait->free = pc->free;
    wait->notify = pc->notify;
    wait->set_session = pc->set_session;
    wait->save_session = pc->save_session;

    pc->data = wait;
    pc->get = ngx_http_duplex_queue_get;
    pc->free = ngx_http_duplex_queue_free;

    if (wait->notify) {
        pc->notify = ngx_http_duplex_queue_notify;
    }

    if (wait->set_session) {
        pc->set_session = ngx_http_duplex_queue_set_session;
        pc->save_session = ngx_http_duplex_queue_save_session;
    }

    return NGX_OK;
}


static ngx_http_duplex_queue_wait_t *
ngx_http_duplex_queue_find(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t            *cln;
    ngx_http_duplex_queue_wait_t  *wait;

    for (cln = r->pool->cleanup; cln; cln = cln->next) {

        if (cln->handler != ngx_http_duplex_queue_cleanup) {
            continue;
        }

        wait = cln->data;

        if (wait->request == r) {
            return wait;
        }
    }

    return NULL;
}


static ngx_int_t
ngx_http_duplex_queue_get(ngx_peer_connection_t *pc, void *data)
{
    ngx_http_duplex_queue_wait_t  *wait = data;

    ngx_int_t  rc;

    /* for an error's text, and in "$upstream_addr" */

    if (pc->name == NULL) {
        pc->name = &wait->queue->name;
    }

    if (wait->late) {
        rc = wait->get(pc, wait->data);

        ngx_http_duplex_queue_give_up(wait);

        return rc;
    }

    /* who came before has the first claim */

    if (!wait->called && !wait->taken && ngx_duplex_queue_size(wait->queue)) {
        return ngx_http_duplex_queue_park(wait);
    }

    rc = wait->get(pc, wait->data);

    if (rc == NGX_BUSY) {
        return ngx_http_duplex_queue_park(wait);
    }

    ngx_http_duplex_queue_give_up(wait);

    wait->taken = 1;
    wait->called = 0;

    return rc;
}


/* NGX_ERROR: stock leaves the request alone now; NGX_BUSY: it may not wait */

static ngx_int_t
ngx_http_duplex_queue_park(ngx_http_duplex_queue_wait_t *wait)
{
    ngx_http_request_t   *r;
    ngx_http_upstream_t  *u;

    r = wait->request;
    u = r->upstream;

    if (wait->taken) {

        /* what was sent of an unbuffered body cannot be sent again */

        if (r->request_body_no_buffering
            || wait->retries++ == NGX_HTTP_DUPLEX_QUEUE_RETRIES)
        {
            return NGX_BUSY;
        }
    }

    if (ngx_http_duplex_queue_called == wait) {
        ngx_http_duplex_queue_called = NULL;    /* it has never left */

    } else if (ngx_duplex_queue_enter(wait->queue, &wait->ticket) != NGX_OK) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "queue of upstream \"%V\" is full: %ui requests",
                      &wait->queue->name, wait->queue->max);
        return NGX_BUSY;
    }

    ngx_http_duplex_queue_insert(wait);

    /* the attempt that has just begun is none */

    r->upstream_states->nelts--;
    u->state = r->upstream_states->nelts
               ? (ngx_http_upstream_state_t *) r->upstream_states->elts
                 + r->upstream_states->nelts - 1
               : NULL;

    wait->slot = u->cleanup;
    wait->cleanup = *u->cleanup;
    wait->read_event_handler = r->read_event_handler;
    wait->write_event_handler = r->write_event_handler;

    *u->cleanup = NULL;
    u->cleanup = NULL;

    r->read_event_handler = ngx_http_block_reading;
    r->write_event_handler = ngx_http_request_empty_handler;

    /* stock drops the count that the upstream part of the request has */

    r->main->count++;

    wait->parked.handler = ngx_http_duplex_queue_parked;
    wait->parked.data = wait;
    wait->parked.log = r->connection->log;

    ngx_post_event(&wait->parked, &ngx_posted_events);

    r->connection->log->action = "waiting in the queue of upstream";

    return NGX_ERROR;
}


static void
ngx_http_duplex_queue_insert(ngx_http_duplex_queue_wait_t *wait)
{
    ngx_msec_t                     left;
    ngx_queue_t                   *q, *waiting;
    ngx_http_duplex_queue_wait_t  *other;

    waiting = &wait->queue->waiting;

    for (q = ngx_queue_last(waiting);
         q != ngx_queue_sentinel(waiting);
         q = ngx_queue_prev(q))
    {
        other = ngx_queue_data(q, ngx_http_duplex_queue_wait_t, link);

        if (other->ticket < wait->ticket) {
            break;
        }
    }

    ngx_queue_insert_after(q, &wait->link);

    wait->waiting = 1;
    wait->called = 0;
    wait->since = ngx_current_msec;

    left = (wait->spent < wait->queue->timeout)
           ? wait->queue->timeout - wait->spent : 0;

    wait->timer.handler = ngx_http_duplex_queue_expired;
    wait->timer.data = wait->request->connection;
    wait->timer.log = wait->request->connection->log;

    ngx_add_timer(&wait->timer, left);
}


static void
ngx_http_duplex_queue_unlink(ngx_http_duplex_queue_wait_t *wait)
{
    if (wait->timer.timer_set) {
        ngx_del_timer(&wait->timer);
    }

    ngx_queue_remove(&wait->link);

    wait->waiting = 0;
    wait->spent += ngx_current_msec - wait->since;
}


static void
ngx_http_duplex_queue_leave(ngx_http_duplex_queue_wait_t *wait)
{
    ngx_queue_t                   *waiting;
    ngx_http_duplex_queue_wait_t  *first;

    first = NULL;
    waiting = &wait->queue->waiting;

    if (!ngx_queue_empty(waiting)) {
        first = ngx_queue_data(ngx_queue_head(waiting),
                               ngx_http_duplex_queue_wait_t, link);
    }

    ngx_duplex_queue_leave(wait->queue, first ? first->ticket : 0);
}


static void
ngx_http_duplex_queue_give_up(ngx_http_duplex_queue_wait_t *wait)
{
    if (ngx_http_duplex_queue_called == wait) {
        ngx_http_duplex_queue_called = NULL;
        ngx_http_duplex_queue_leave(wait);
    }
}


/* stock has left it alone: from now on it waits as for a resolver */

static void
ngx_http_duplex_queue_parked(ngx_event_t *ev)
{
    ngx_connection_t              *c;
    ngx_http_request_t            *r;
    ngx_http_duplex_queue_wait_t  *wait;

    wait = ev->data;
    r = wait->request;
    c = r->connection;

    *wait->slot = wait->cleanup;
    r->upstream->cleanup = wait->slot;

    r->read_event_handler = wait->read_event_handler;
    r->write_event_handler = wait->write_event_handler;

    ngx_http_set_log_request(c->log, r);

    /* its client may have left in the meantime */

    r->read_event_handler(r);

    ngx_http_run_posted_requests(c);
}


static void
ngx_http_duplex_queue_expired(ngx_event_t *ev)
{
    ngx_http_duplex_queue_wait_t  *wait;

    wait = (ngx_http_duplex_queue_wait_t *)
               ((u_char *) ev - offsetof(ngx_http_duplex_queue_wait_t, timer));

    ngx_log_error(NGX_LOG_ERR, ev->log, 0,
                  "queue of upstream \"%V\" had no server for %Mms",
                  &wait->queue->name, wait->queue->timeout);

    wait->late = 1;

    ngx_http_duplex_queue_resume(wait);
}


/* lets those go on whose turn it is, or, with "any", whoever is here */

void
ngx_http_duplex_queue_serve(ngx_duplex_queue_t *queue, ngx_uint_t any)
{
    uint64_t                       ticket;
    ngx_uint_t                     served;
    ngx_queue_t                   *q;
    ngx_http_duplex_queue_wait_t  *wait;

    served = 0;
    ticket = 0;

    while (!ngx_queue_empty(&queue->waiting)) {

        q = ngx_queue_head(&queue->waiting);
        wait = ngx_queue_data(q, ngx_http_duplex_queue_wait_t, link);

        /* it was called, and another one was quicker */

        if (wait->ticket == ticket) {
            break;
        }

        if ((!any && !ngx_duplex_queue_turn(queue)) || !queue->is_free(queue)) {
            break;
        }

        ticket = wait->ticket;
        served = 1;
        any = 0;
        queue->stalled = 0;

        ngx_http_duplex_queue_resume(wait);
    }

    /* there may be more for the next in turn */

    if (served && ngx_duplex_queue_size(queue) && queue->is_free(queue)) {
        ngx_duplex_wake(ngx_duplex_wake_queues);
    }
}


/* on return it is served, waits again, or is gone */

static void
ngx_http_duplex_queue_resume(ngx_http_duplex_queue_wait_t *wait)
{
    ngx_connection_t     *c;
    ngx_http_request_t   *r;
    ngx_http_upstream_t  *u;

    r = wait->request;
    u = r->upstream;
    c = r->connection;

    ngx_http_duplex_queue_unlink(wait);
    ngx_http_duplex_queue_called = wait;

    if (wait->parked.posted) {
        ngx_delete_posted_event(&wait->parked);

    } else {
        *u->cleanup = NULL;
        u->cleanup = NULL;
    }

    r->read_event_handler = ngx_http_block_reading;
    r->write_event_handler = ngx_http_request_empty_handler;

    /* else the attempts so far would be those of another upstream */

    wait->states = r->upstream_states->nelts ? r->upstream_states : NULL;
    r->upstream_states = NULL;

    u->peer.data = NULL;

    wait->called = 1;

    ngx_http_set_log_request(c->log, r);

    ngx_http_upstream_init(r);

    ngx_http_duplex_queue_give_up(wait);    /* if it has become of no need */
    ngx_http_run_posted_requests(c);
}


static void
ngx_http_duplex_queue_free(ngx_peer_connection_t *pc, void *data,
    ngx_uint_t state)
{
    ngx_http_duplex_queue_wait_t  *wait = data;

    wait->free(pc, wait->data, state);

    ngx_duplex_queue_freed(wait->queue);
}


static void
ngx_http_duplex_queue_notify(ngx_peer_connection_t *pc, void *data,
    ngx_uint_t type)
{
    ngx_http_duplex_queue_wait_t  *wait = data;

    wait->notify(pc, wait->data, type);
}


static ngx_int_t
ngx_http_duplex_queue_set_session(ngx_peer_connection_t *pc, void *data)
{
    ngx_http_duplex_queue_wait_t *wait = data;

    return wait->set_session(pc, wait->data);
}


static void
ngx_http_duplex_queue_save_session(ngx_peer_connection_t *pc, void *data)
{
    ngx_http_duplex_queue_wait_t  *wait = data;

    wait->save_session(pc, wait->data);
}


static void
ngx_http_duplex_queue_cleanup(void *data)
{
    ngx_http_duplex_queue_wait_t  *wait = data;

    ngx_http_duplex_queue_give_up(wait);

    if (wait->waiting) {
        ngx_http_duplex_queue_unlink(wait);
        ngx_http_duplex_queue_leave(wait);

        /* it may have been its turn */
        ngx_duplex_queue_freed(wait->queue);
    }

    if (wait->parked.posted) {
        ngx_delete_posted_event(&wait->parked);
    }
}


ngx_int_t
ngx_http_duplex_queue_waited(ngx_http_request_t *r, ngx_msec_t *ms)
{
    ngx_http_duplex_queue_wait_t  *wait;

    wait = ngx_http_duplex_queue_find(r);

    if (wait == NULL) {
        return NGX_DECLINED;
    }

    *ms = wait->spent;

    if (wait->waiting) {
        *ms += ngx_current_msec - wait->since;
    }

    return NGX_OK;
}
