
/*
 * See the header.
 *
 * What workers share is written under the lock of its queue, in single
 * stores: the death of a worker leaves at worst a slot of its own, which is
 * freed when somebody finds that the process is gone.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "../core/ngx_duplex_wake.h"
#include "ngx_duplex_queue_shared.h"


#define NGX_DUPLEX_QUEUE_LOOK   100     /* ms between looks, while waiting */
#define NGX_DUPLEX_QUEUE_STALL  2       /* looks, then anybody may take it */


static void ngx_duplex_queue_woken(ngx_event_t *ev);
static void ngx_duplex_queue_posted(ngx_event_t *ev);
static void ngx_duplex_queue_tick(ngx_event_t *ev);
static ngx_duplex_queue_slot_t *ngx_duplex_queue_slot_locked(
    ngx_duplex_queue_shared_t *shared, ngx_uint_t claim);
static ngx_uint_t ngx_duplex_queue_size_locked(
    ngx_duplex_queue_shared_t *shared);
static void ngx_duplex_queue_bury_locked(ngx_duplex_queue_shared_t *shared);
static ngx_uint_t ngx_duplex_queue_size_of(ngx_duplex_queue_t *queue,
    ngx_uint_t *own);


/* debug logging wants a connection behind a timer */
static ngx_connection_t  ngx_duplex_queue_conn;


ngx_int_t
ngx_duplex_queue_start(ngx_cycle_t *cycle)
{
    ngx_duplex_queue_t  *queue;

    queue = ngx_duplex_queue_first();

    if (queue == NULL) {
        return NGX_OK;
    }

    ngx_duplex_queue_conn.fd = (ngx_socket_t) -1;

    for ( /* void */ ; queue; queue = queue->next) {
        queue->look.handler = ngx_duplex_queue_posted;
        queue->look.data = queue;
        queue->look.log = cycle->log;

        queue->timer.handler = ngx_duplex_queue_tick;
        queue->timer.data = &ngx_duplex_queue_conn;
        queue->timer.log = cycle->log;
        queue->timer.cancelable = 1;

        /* this worker may stand in for one that was killed */

        (void) ngx_duplex_lock(&queue->shared->lock);
        ngx_duplex_queue_bury_locked(queue->shared);
        ngx_duplex_unlock(&queue->shared->lock);
    }

    return ngx_duplex_wake_watch(ngx_duplex_wake_queues,
                                 ngx_duplex_queue_woken, cycle->log);
}


static void
ngx_duplex_queue_woken(ngx_event_t *ev)
{
    ngx_duplex_queue_t  *queue;

    for (queue = ngx_duplex_queue_first(); queue; queue = queue->next) {
        if (!ngx_queue_empty(&queue->waiting)) {
            queue->serve(queue, 0);
        }
    }
}


static void
ngx_duplex_queue_posted(ngx_event_t *ev)
{
    ngx_duplex_queue_t  *queue;

    queue = ev->data;

    if (!ngx_queue_empty(&queue->waiting)) {
        queue->serve(queue, 0);
    }
}


/*
 * What nobody tells of: the end of a quarantine, a server that is up again, a
 * worker that was killed or hangs while it is its turn.
 */

static void
ngx_duplex_queue_tick(ngx_event_t *ev)
{
    ngx_duplex_queue_t  *queue;

    queue = (ngx_duplex_queue_t *)
                ((u_char *) ev - offsetof(ngx_duplex_queue_t, timer));

    if (ngx_queue_empty(&queue->waiting)) {
        return;
    }

    (void) ngx_duplex_lock(&queue->shared->lock);
    ngx_duplex_queue_bury_locked(queue->shared);
    ngx_duplex_unlock(&queue->shared->lock);

    if (queue->is_free(queue)) {
        queue->stalled++;

    } else {
        queue->stalled = 0;
    }

    /* before requests run: they may leave, and stop the timer */

    ngx_add_timer(ev, NGX_DUPLEX_QUEUE_LOOK);

    if (queue->stalled == NGX_DUPLEX_QUEUE_STALL) {
        ngx_log_error(NGX_LOG_INFO, ngx_cycle->log, 0,
                      "queue of upstream \"%V\": whose turn it is does not "
                      "take it", &queue->name);
    }

    queue->serve(queue, queue->stalled >= NGX_DUPLEX_QUEUE_STALL);
}


ngx_int_t
ngx_duplex_queue_enter(ngx_duplex_queue_t *queue, uint64_t *ticket)
{
    ngx_int_t                   rc;
    ngx_duplex_queue_slot_t    *slot;
    ngx_duplex_queue_shared_t  *shared;

    rc = NGX_DECLINED;
    shared = queue->shared;

    (void) ngx_duplex_lock(&shared->lock);

    /* who has a ticket has been counted before */

    if (*ticket || ngx_duplex_queue_size_locked(shared) < queue->max) {

        slot = ngx_duplex_queue_slot_locked(shared, 1);

        if (slot) {
            rc = NGX_OK;

            if (*ticket == 0) {
                *ticket = ++shared->tickets;
            }

            slot->waiting++;

            if (slot->oldest == 0 || slot->oldest > *ticket) {
                slot->oldest = *ticket;
            }
        }
    }

    if (rc != NGX_OK) {
        shared->overflows++;
    }

    ngx_duplex_unlock(&shared->lock);

    if (rc == NGX_OK && !queue->timer.timer_set) {
        queue->stalled = 0;
        ngx_add_timer(&queue->timer, NGX_DUPLEX_QUEUE_LOOK);
    }

    return rc;
}


void
ngx_duplex_queue_leave(ngx_duplex_queue_t *queue, uint64_t oldest)
{
    ngx_duplex_queue_slot_t    *slot;
    ngx_duplex_queue_shared_t  *shared;

    shared = queue->shared;

    (void) ngx_duplex_lock(&shared->lock);

    slot = ngx_duplex_queue_slot_locked(shared, 0);

    if (slot && slot->waiting) {
        slot->waiting--;
        slot->oldest = oldest;
    }

    ngx_duplex_unlock(&shared->lock);

    if (oldest == 0 && queue->timer.timer_set) {
        ngx_del_timer(&queue->timer);
    }
}


/* this process's slot; NULL: it has none, or there is no free one to claim */

static ngx_duplex_queue_slot_t *
ngx_duplex_queue_slot_locked(ngx_duplex_queue_shared_t *shared,
    ngx_uint_t claim)
{
    ngx_uint_t                i;
    ngx_duplex_queue_slot_t  *slot, *free;

    free = NULL;

    for (i = 0; i < shared->used; i++) {

        slot = &shared->slots[i];

        if (slot->pid == ngx_pid) {
            return slot;
        }

        if (slot->pid == 0 && free == NULL) {
            free = slot;
        }
    }

    if (!claim) {
        return NULL;
    }

    if (free == NULL) {

        if (shared->used == NGX_DUPLEX_QUEUE_SLOTS) {
            return NULL;
        }

        free = &shared->slots[shared->used++];
    }

    free->waiting = 0;
    free->oldest = 0;
    free->pid = ngx_pid;

    return free;
}


static ngx_uint_t
ngx_duplex_queue_size_locked(ngx_duplex_queue_shared_t *shared)
{
    ngx_uint_t  i, n;

    n = 0;

    for (i = 0; i < shared->used; i++) {
        n += shared->slots[i].waiting;
    }

    return n;
}


static void
ngx_duplex_queue_bury_locked(ngx_duplex_queue_shared_t *shared)
{
    ngx_uint_t                i;
    ngx_duplex_queue_slot_t  *slot;

    for (i = 0; i < shared->used; i++) {

        slot = &shared->slots[i];

        if (slot->pid == 0 || slot->pid == ngx_pid) {
            continue;
        }

        if (kill(slot->pid, 0) == -1 && ngx_errno == NGX_ESRCH) {
            slot->waiting = 0;
            slot->oldest = 0;
            slot->pid = 0;
        }
    }
}


ngx_uint_t
ngx_duplex_queue_size(ngx_duplex_queue_t *queue)
{
    ngx_uint_t  own;

    return ngx_duplex_queue_size_of(queue, &own);
}


/* without the lock: each number is a word, and what is missed is told of */

static ngx_uint_t
ngx_duplex_queue_size_of(ngx_duplex_queue_t *queue, ngx_uint_t *own)
{
    ngx_uint_t                  i, n;
    ngx_duplex_queue_shared_t  *shared;

    n = 0;
    *own = 0;
    shared = queue->shared;

    for (i = 0; i < shared->used; i++) {

        n += shared->slots[i].waiting;

        if (shared->slots[i].pid == ngx_pid) {
            *own = shared->slots[i].waiting;
        }
    }

    return n;
}


void
ngx_duplex_queue_freed(ngx_duplex_queue_t *queue)
{
    ngx_uint_t  all, own;

    all = ngx_duplex_queue_size_of(queue, &own);

    if (all == 0) {
        return;
    }

    if (all > own) {
        ngx_duplex_wake(ngx_duplex_wake_queues);
    }

    if (own && !queue->look.posted) {
        ngx_post_event(&queue->look, &ngx_posted_events);
    }
}


ngx_uint_t
ngx_duplex_queue_turn(ngx_duplex_queue_t *queue)
{
    uint64_t                    oldest, own;
    ngx_uint_t                  i;
    ngx_duplex_queue_slot_t    *slot;
    ngx_duplex_queue_shared_t  *shared;

    own = 0;
    oldest = 0;
    shared = queue->shared;

    (void) ngx_duplex_lock(&shared->lock);

    for (i = 0; i < shared->used; i++) {

        slot = &shared->slots[i];

        if (slot->oldest == 0) {
            continue;
        }

        if (slot->pid == ngx_pid) {
            own = slot->oldest;
        }

        if (oldest == 0 || slot->oldest < oldest) {
            oldest = slot->oldest;
        }
    }

    ngx_duplex_unlock(&shared->lock);

    return own == oldest;
}
