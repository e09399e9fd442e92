
/*
 * See the header.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <sys/eventfd.h>
#include "ngx_duplex_wake.h"


static void ngx_duplex_wake_posted(ngx_event_t *ev);
static void ngx_duplex_wake_write(ngx_duplex_wake_e which);


static int                ngx_duplex_wake_fd[ngx_duplex_wake_n]
                              = { -1, -1, -1, -1 };
static ngx_connection_t  *ngx_duplex_wake_conn[ngx_duplex_wake_n];
static ngx_event_t        ngx_duplex_wake_event[ngx_duplex_wake_n];

static const uint64_t     ngx_duplex_wake_one = 1;


ngx_int_t
ngx_duplex_wake_create(ngx_log_t *log)
{
    ngx_uint_t  i;

    for (i = 0; i < ngx_duplex_wake_n; i++) {

        if (ngx_duplex_wake_fd[i] != -1) {
            continue;
        }

        ngx_duplex_wake_fd[i] = eventfd(0, EFD_NONBLOCK|EFD_CLOEXEC);

        if (ngx_duplex_wake_fd[i] == -1) {
            ngx_log_error(NGX_LOG_EMERG, log, ngx_errno, "eventfd() failed");
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


ngx_int_t
ngx_duplex_wake_watch(ngx_duplex_wake_e which, ngx_event_handler_pt handler,
    ngx_log_t *log)
{
    ngx_connection_t  *c;

    /*
     * With an event method that has no edges the descriptor, which is never
     * read, would be ready for ever: then the tick has to do.
     */

    if (!(ngx_event_flags & NGX_USE_CLEAR_EVENT)) {
        return NGX_OK;
    }

    c = ngx_get_connection(ngx_duplex_wake_fd[which], log);
    if (c == NULL) {
        return NGX_ERROR;
    }

    c->log = log;
    c->read->log = log;
    c->write->log = log;
    c->read->handler = handler;

    /* nginx calls the handlers of idle connections when a worker must go */
    c->idle = 1;

    if (ngx_add_event(c->read, NGX_READ_EVENT, NGX_CLEAR_EVENT) != NGX_OK) {
        c->fd = (ngx_socket_t) -1;
        ngx_free_connection(c);
        return NGX_ERROR;
    }

    ngx_duplex_wake_conn[which] = c;

    return NGX_OK;
}


void
ngx_duplex_wake_unwatch(ngx_duplex_wake_e which)
{
    ngx_connection_t  *c;

    c = ngx_duplex_wake_conn[which];

    if (c == NULL) {
        return;
    }

    (void) ngx_del_event(c->read, NGX_READ_EVENT, 0);

    if (c->read->posted) {
        ngx_delete_posted_event(c->read);
    }

    /* the descriptor belongs to all processes: it stays open */

    c->fd = (ngx_socket_t) -1;
    ngx_free_connection(c);

    ngx_duplex_wake_conn[which] = NULL;
}


void
ngx_duplex_wake(ngx_duplex_wake_e which)
{
    ngx_event_t  *ev;

    ev = &ngx_duplex_wake_event[which];

    if (ngx_posted_events.next == NULL
        || (ngx_process != NGX_PROCESS_WORKER
            && ngx_process != NGX_PROCESS_SINGLE))
    {
        /* the master has no event loop, nor has nginx at its start */
        ngx_duplex_wake_write(which);
        return;
    }

    ev->handler = ngx_duplex_wake_posted;
    ev->data = (void *) (uintptr_t) which;
    ev->log = ngx_cycle->log;

    if (!ev->posted) {
        ngx_post_event(ev, &ngx_posted_events);
    }
}


static void
ngx_duplex_wake_posted(ngx_event_t *ev)
{
    ngx_connection_t   *c;
    ngx_duplex_wake_e   which;

    which = (ngx_duplex_wake_e) (uintptr_t) ev->data;

    c = ngx_duplex_wake_conn[which];

    if (which == ngx_duplex_wake_holder && c) {
        /* this process is meant: no way round through the kernel */
        c->read->handler(c->read);
        return;
    }

    ngx_duplex_wake_write(which);
}


static void
ngx_duplex_wake_write(ngx_duplex_wake_e which)
{
    if (write(ngx_duplex_wake_fd[which], &ngx_duplex_wake_one,
              sizeof(ngx_duplex_wake_one))
        == -1)
    {
        ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, ngx_errno,
                      "write() to eventfd failed");
    }
}
