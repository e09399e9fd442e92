
/*
 * Connecting a sender; see the header.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_event_connect.h>
#include "../core/ngx_duplex_clock.h"
#include "ngx_duplex_dial.h"
#include "ngx_duplex_greet.h"
#include "ngx_duplex_sync_conf.h"


static void ngx_duplex_dial_handler(ngx_event_t *ev);
static void ngx_duplex_dial_connected(ngx_duplex_sender_t *s);
static void ngx_duplex_dial_shaken(ngx_connection_t *c);


void
ngx_duplex_dial_start(ngx_duplex_sender_t *s)
{
    ngx_int_t          rc;
    ngx_connection_t  *c;

    /* nginx logs some failures by itself; we say it once, in other words */

    s->log = *ngx_cycle->log;
    s->log.log_level = ngx_min(s->log.log_level, NGX_LOG_ALERT);

    ngx_memzero(&s->pc, sizeof(ngx_peer_connection_t));

    s->pc.sockaddr = s->listed.addr.sockaddr;
    s->pc.socklen = s->listed.addr.socklen;
    s->pc.name = &s->listed.addr.name;
    s->pc.get = ngx_event_get_peer;
    s->pc.log = &s->log;
    s->pc.log_error = NGX_ERROR_INFO;

    s->since = ngx_duplex_clock_monotonic();
    ngx_duplex_sender_become(s, ngx_duplex_dial_connecting);

    rc = ngx_event_connect_peer(&s->pc);

    if (rc == NGX_ERROR || rc == NGX_DECLINED) {
        ngx_duplex_sender_unreachable(s, ngx_socket_errno);
        return;
    }

    c = s->pc.connection;
    s->connection = c;

    c->pool = ngx_create_pool(1024, &s->log);
    if (c->pool == NULL) {
        ngx_duplex_sender_unreachable(s, NGX_ENOMEM);
        return;
    }

    c->data = s;
    c->log = &s->log;
    c->read->log = c->log;
    c->write->log = c->log;

    if (rc == NGX_OK) {
        ngx_duplex_dial_connected(s);
        return;
    }

    /* nginx calls the handlers of idle connections when a worker must go */
    c->idle = 1;

    c->read->handler = ngx_duplex_dial_handler;
    c->write->handler = ngx_duplex_dial_handler;

    c->write->cancelable = 1;
    ngx_add_timer(c->write, ngx_duplex_sync_conf()->connect_timeout);
}


void
ngx_duplex_dial_close(ngx_duplex_sender_t *s)
{
    ngx_pool_t        *pool;
    ngx_connection_t  *c;

    c = s->connection;

    if (c == NULL) {
        return;
    }

    pool = c->pool;
    s->connection = NULL;

    ngx_duplex_tls_close(c);

    if (pool) {
        ngx_destroy_pool(pool);
    }
}


void
ngx_duplex_dial_stop(ngx_duplex_sender_t *s)
{
    if (s->link) {
        ngx_duplex_link_leave(s->link);
        return;
    }

    ngx_duplex_dial_close(s);
}


static void
ngx_duplex_dial_handler(ngx_event_t *ev)
{
    int                   err;
    socklen_t             len;
    ngx_connection_t     *c;
    ngx_duplex_sender_t  *s;

    c = ev->data;
    s = c->data;

    if (c->close) {
        ngx_duplex_dial_stop(s);
        return;
    }

    err = 0;

    if (ev->timedout) {
        err = NGX_ETIMEDOUT;

    } else {
        len = sizeof(int);

        if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, (void *) &err, &len)
            == -1)
        {
            err = ngx_socket_errno;
        }
    }

    if (err) {
        ngx_duplex_sender_unreachable(s, err);
        return;
    }

    ngx_del_timer(c->write);

    ngx_duplex_dial_connected(s);
}


static void
ngx_duplex_dial_connected(ngx_duplex_sender_t *s)
{
    ngx_connection_t        *c;
    ngx_duplex_sync_conf_t  *conf;

    c = s->connection;
    conf = ngx_duplex_sync_conf();

    if (conf->tls.ssl == NULL) {
        ngx_duplex_greet_node(s);
        return;
    }

    /* what nginx logs of the handshake is the reason if that fails */

    (void) ngx_cpystrn(s->said, (u_char *) "handshake failed",
                       NGX_DUPLEX_TLS_SAID);

    s->log.log_level = NGX_LOG_INFO;
    s->log.writer = ngx_duplex_tls_note;
    s->log.wdata = s->said;
    s->log.next = NULL;

    /* dial_stop() closes it: nginx's handler does not know how */
    c->idle = 0;

    if (ngx_duplex_tls_start(c, &conf->tls, &s->listed.host,
                             ngx_duplex_dial_shaken)
        != NGX_AGAIN)
    {
        ngx_duplex_dial_shaken(c);
        return;
    }

    c->read->cancelable = 1;
    ngx_add_timer(c->read, conf->timeout);
}


static void
ngx_duplex_dial_shaken(ngx_connection_t *c)
{
    u_char                   text[NGX_DUPLEX_ERROR_MAX + 1];
    ngx_duplex_sender_t     *s;
    ngx_duplex_sync_conf_t  *conf;

    s = c->data;
    conf = ngx_duplex_sync_conf();

    if (ngx_duplex_tls_check(c, &conf->tls, &s->listed.host, text,
                             sizeof(text))
        != NGX_OK)
    {
        ngx_duplex_sender_mistrusted(s, (char *) text);
        return;
    }

    if (c->read->timer_set) {
        ngx_del_timer(c->read);
    }

    s->log = *ngx_cycle->log;
    s->log.log_level = ngx_min(s->log.log_level, NGX_LOG_ALERT);

    ngx_duplex_greet_node(s);
}
