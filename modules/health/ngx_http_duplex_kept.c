
/*
 * A connection that is kept from one probe to the next.
 *
 * It belongs to its probe of the schedule and lives in the worker that makes
 * the probes.  Whatever is heard of it ends it and leads to a probe at once;
 * but a server may also close connections that are idle for too long.  If
 * that probe passes, an end at that age, or later, means nothing any more.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "ngx_http_duplex_kept.h"


typedef struct {
    ngx_connection_t     *connection;   /* NULL: none at present */
    ngx_duplex_probe_t   *probe;

    ngx_msec_t            since;        /* idle */
    ngx_msec_t            ended;        /* at that age, not explained yet */
    ngx_msec_t            patience;     /* the server's; 0: not known */
} ngx_http_duplex_kept_t;


static void ngx_http_duplex_kept_read_handler(ngx_event_t *ev);
static void ngx_http_duplex_kept_write_handler(ngx_event_t *ev);
static void ngx_http_duplex_kept_close(ngx_connection_t *c);


ngx_int_t
ngx_http_duplex_kept_take(ngx_duplex_probe_t *probe, ngx_peer_connection_t *pc)
{
    ngx_connection_t        *c;
    ngx_http_duplex_kept_t  *kept;

    kept = probe->kept;

    if (kept == NULL || kept->connection == NULL) {
        return NGX_DECLINED;
    }

    c = kept->connection;
    kept->connection = NULL;

    c->idle = 0;
    c->sent = 0;
    c->data = NULL;
    c->log = pc->log;
    c->read->log = pc->log;
    c->write->log = pc->log;
    c->pool->log = pc->log;

    pc->connection = c;
    pc->cached = 1;

    return NGX_DONE;
}


/* the conditions are those of stock's "keepalive" */

void
ngx_http_duplex_kept_give(ngx_duplex_probe_t *probe, ngx_peer_connection_t *pc,
    ngx_http_upstream_t *u, ngx_msec_t time)
{
    ngx_connection_t        *c;
    ngx_http_duplex_kept_t  *kept;

    c = pc->connection;

    if (c == NULL
        || c->read->eof || c->read->error || c->read->timedout
        || c->write->error || c->write->timedout
        || !u->keepalive
        || !u->request_body_sent
        || ngx_current_msec - c->start_time > time
        || ngx_terminate || ngx_exiting)
    {
        return;
    }

    /* clients come first */

    if (ngx_cycle->free_connection_n < ngx_cycle->connection_n / 4) {
        return;
    }

    if (probe->kept == NULL) {
        probe->kept = ngx_calloc(sizeof(ngx_http_duplex_kept_t),
                                 ngx_cycle->log);
    }

    kept = probe->kept;

    if (kept == NULL || ngx_handle_read_event(c->read, 0) != NGX_OK) {
        return;
    }

    pc->connection = NULL;

    kept->connection = c;
    kept->probe = probe;
    kept->since = ngx_current_msec;

    c->read->delayed = 0;

    if (c->read->timer_set) {
        ngx_del_timer(c->read);
    }

    if (c->write->timer_set) {
        ngx_del_timer(c->write);
    }

    c->read->handler = ngx_http_duplex_kept_read_handler;
    c->write->handler = ngx_http_duplex_kept_write_handler;

    /* nobody waits for it when nginx quits */

    c->data = kept;
    c->idle = 1;

    c->log = ngx_cycle->log;
    c->read->log = ngx_cycle->log;
    c->write->log = ngx_cycle->log;
    c->pool->log = ngx_cycle->log;

    if (c->read->ready) {
        ngx_http_duplex_kept_read_handler(c->read);
    }
}


static void
ngx_http_duplex_kept_write_handler(ngx_event_t *ev)
{
    ngx_log_debug0(NGX_LOG_DEBUG_HTTP, ev->log, 0,
                   "duplex kept connection is writable");
}


static void
ngx_http_duplex_kept_read_handler(ngx_event_t *ev)
{
    char                     buf[1];
    ngx_int_t                n;
    ngx_msec_t               idle;
    ngx_connection_t        *c;
    ngx_duplex_probe_t      *probe;
    ngx_http_duplex_kept_t  *kept;

    c = ev->data;
    kept = c->data;

    if (!c->close) {
        n = recv(c->fd, buf, 1, MSG_PEEK);

        if (n == -1 && ngx_socket_errno == NGX_EAGAIN) {
            ev->ready = 0;

            if (ngx_handle_read_event(ev, 0) == NGX_OK) {
                return;
            }
        }
    }

    kept->connection = NULL;

    if (c->close) {
        ngx_http_duplex_kept_close(c);
        return;
    }

    ngx_http_duplex_kept_close(c);

    probe = kept->probe;
    idle = ngx_current_msec - kept->since;

    if (kept->patience && idle >= kept->patience) {
        return;
    }

    kept->ended = ngx_max(idle, 1);

    ngx_duplex_schedule_hurry(probe->peer);
}


void
ngx_http_duplex_kept_learn(ngx_duplex_probe_t *probe, ngx_uint_t passed)
{
    ngx_http_duplex_kept_t  *kept;

    kept = probe->kept;

    if (kept == NULL || kept->ended == 0) {
        return;
    }

    /* timers of two machines do not agree to the millisecond */

    if (passed) {
        kept->patience = ngx_max(kept->ended - kept->ended / 8, 1);
    }

    kept->ended = 0;
}


void
ngx_http_duplex_kept_forget(ngx_duplex_probe_t *probe)
{
    ngx_http_duplex_kept_t  *kept;

    kept = probe->kept;

    if (kept == NULL) {
        return;
    }

    if (kept->connection) {
        ngx_http_duplex_kept_close(kept->connection);
    }

    ngx_free(kept);
    probe->kept = NULL;
}


static void
ngx_http_duplex_kept_close(ngx_connection_t *c)
{
#if (NGX_HTTP_SSL)

    if (c->ssl) {
        c->ssl->no_wait_shutdown = 1;
        c->ssl->no_send_shutdown = 1;

        (void) ngx_ssl_shutdown(c);
    }

#endif

    ngx_destroy_pool(c->pool);
    ngx_close_connection(c);
}
