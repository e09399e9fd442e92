
/*
 * One probe of a stream server, as a session of nginx itself.
 *
 * Its client is made up (ngx_stream_duplex_session.c).  Phases, access logs
 * and balancer never see it; nginx connects, binds, shakes hands and writes
 * the PROXY protocol's header as for any session of the server block.  Where
 * it begins to wait for the client, the exchange takes over the connection.
 *
 * The probe lives in the pool of that session and dies with it.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>
#include "ngx_duplex_exchange.h"
#include "ngx_duplex_probe_log.h"
#include "ngx_duplex_schedule.h"
#include "ngx_stream_duplex_health.h"
#include "ngx_stream_duplex_probe.h"


typedef struct {
    ngx_duplex_probe_t          *probe;         /* NULL: aborted, or told */
    ngx_stream_duplex_check_t   *check;

    /* copies: peers may go away while we wait */
    ngx_sockaddr_t               sockaddr;
    socklen_t                    socklen;
    ngx_str_t                    name;

    ngx_event_t                  deadline;
    ngx_event_t                  begin;         /* posted: the exchange */
    ngx_duplex_exchange_t        exchange;
    ngx_buf_t                    datagram;      /* what nginx sends for us */
    ngx_duplex_probe_log_t       log;

    ngx_duplex_probe_result_t    result;
    unsigned                     judged:1;      /* "result" is there */
    unsigned                     open:1;        /* all is shaken hands on */
    unsigned                     late:1;        /* nginx gave up waiting */
    unsigned                     tls:1;         /* its handshake had begun */

    u_char                       name_buf[NGX_SOCKADDR_STRLEN];
} ngx_stream_duplex_probe_t;


static void ngx_stream_duplex_probe_start(ngx_duplex_probe_t *probe);
static void ngx_stream_duplex_probe_abort(ngx_duplex_probe_t *probe);
static ngx_stream_session_t *ngx_stream_duplex_probe_create(
    ngx_duplex_probe_t *probe);
static void ngx_stream_duplex_probe_address(ngx_stream_duplex_probe_t *sp);

static void ngx_stream_duplex_probe_datagram(ngx_stream_session_t *s,
    ngx_stream_duplex_probe_t *sp);
static ngx_int_t ngx_stream_duplex_probe_get_peer(ngx_peer_connection_t *pc,
    void *data);
static void ngx_stream_duplex_probe_free_peer(ngx_peer_connection_t *pc,
    void *data, ngx_uint_t state);
static void ngx_stream_duplex_probe_notify(ngx_peer_connection_t *pc,
    void *data, ngx_uint_t type);
#if (NGX_STREAM_SSL)
static ngx_int_t ngx_stream_duplex_probe_set_session(
    ngx_peer_connection_t *pc, void *data);
static void ngx_stream_duplex_probe_save_session(ngx_peer_connection_t *pc,
    void *data);
#endif

static void ngx_stream_duplex_probe_begin_handler(ngx_event_t *ev);
static void ngx_stream_duplex_probe_handler(ngx_event_t *ev);
static void ngx_stream_duplex_probe_run(ngx_stream_session_t *s);
static void ngx_stream_duplex_probe_deadline_handler(ngx_event_t *ev);

static ngx_int_t ngx_stream_duplex_probe_end(ngx_stream_session_t *s);
static void ngx_stream_duplex_probe_judge(ngx_stream_duplex_probe_t *sp,
    ngx_uint_t status);
static void ngx_stream_duplex_probe_fail(ngx_stream_duplex_probe_t *sp,
    ngx_duplex_reason_e reason, const char *text);


ngx_duplex_prober_t  ngx_stream_duplex_prober = {
    ngx_stream_duplex_probe_start,
    ngx_stream_duplex_probe_abort,
    NULL                                   /* forget */
};


/* TCP: to be connected is enough */
static ngx_duplex_dialog_t  ngx_stream_duplex_probe_connect;

/* UDP: something must be said */
static ngx_str_t  ngx_stream_duplex_probe_text = ngx_string(
    "nginx health check");


static ngx_str_t  ngx_stream_duplex_probe_unknown = ngx_string("unknown");


ngx_int_t
ngx_stream_duplex_probe_bind(ngx_conf_t *cf, ngx_stream_duplex_check_t *check)
{
    ngx_duplex_dialog_t                  *dialog;
    ngx_stream_duplex_health_srv_conf_t  *hscf;

    if (check->dialog == NULL) {
        check->dialog = &ngx_stream_duplex_probe_connect;
    }

    if (check->udp && check->dialog->send.len == 0) {

        dialog = ngx_palloc(cf->pool, sizeof(ngx_duplex_dialog_t));
        if (dialog == NULL) {
            return NGX_ERROR;
        }

        *dialog = *check->dialog;
        dialog->send = ngx_stream_duplex_probe_text;

        check->dialog = dialog;
    }

    if (ngx_stream_duplex_session_bind(cf, &check->session, check->ctx,
                                       ngx_stream_duplex_probe_end)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (check->us->peer.init == ngx_stream_duplex_probe_init_peer) {
        return NGX_OK;
    }

    hscf = ngx_stream_conf_upstream_srv_conf(check->us,
                                             ngx_stream_duplex_health_module);

    hscf->init = check->us->peer.init;
    check->us->peer.init = ngx_stream_duplex_probe_init_peer;

    return NGX_OK;
}


static void
ngx_stream_duplex_probe_start(ngx_duplex_probe_t *probe)
{
    ngx_stream_session_t       *s;
    ngx_stream_duplex_check_t  *check;
    ngx_duplex_probe_result_t   result;

    check = probe->check->conf;

    s = ngx_stream_duplex_probe_create(probe);

    if (s == NULL) {
        ngx_memzero(&result, sizeof(ngx_duplex_probe_result_t));

        result.end = ngx_duplex_probe_fault;
        ngx_str_set(&result.text, "no memory or no worker_connections left");

        ngx_duplex_probe_done(probe, &result);
        return;
    }

    check->handler(s);
}


static void
ngx_stream_duplex_probe_abort(ngx_duplex_probe_t *probe)
{
    ngx_connection_t           *c;
    ngx_stream_duplex_probe_t  *sp;

    sp = probe->run;
    sp->probe = NULL;

    c = sp->deadline.data;

    ngx_stream_duplex_session_end(c->data);
}


static ngx_stream_session_t *
ngx_stream_duplex_probe_create(ngx_duplex_probe_t *probe)
{
    ngx_connection_t           *c;
    ngx_stream_session_t       *s;
    ngx_stream_duplex_check_t  *check;
    ngx_stream_duplex_probe_t  *sp;

    check = probe->check->conf;

    s = ngx_stream_duplex_session_open(&check->session);
    if (s == NULL) {
        return NULL;
    }

    c = s->connection;

    sp = ngx_pcalloc(c->pool, sizeof(ngx_stream_duplex_probe_t));
    if (sp == NULL) {
        ngx_stream_duplex_session_close(s);
        return NULL;
    }

    sp->probe = probe;
    sp->check = check;
    sp->result.end = ngx_duplex_probe_fault;

    ngx_stream_duplex_probe_address(sp);

    ngx_duplex_probe_log_init(&sp->log);

    c->log = &sp->log.log;
    c->read->log = c->log;
    c->write->log = c->log;

    sp->deadline.handler = ngx_stream_duplex_probe_deadline_handler;
    sp->deadline.data = c;
    sp->deadline.log = c->log;
    sp->deadline.cancelable = 1;

    sp->begin.handler = ngx_stream_duplex_probe_begin_handler;
    sp->begin.data = c;
    sp->begin.log = c->log;

    ngx_stream_set_ctx(s, sp, ngx_stream_duplex_health_module);

    probe->run = sp;

    ngx_add_timer(&sp->deadline, check->timeout);

    return s;
}


static void
ngx_stream_duplex_probe_address(ngx_stream_duplex_probe_t *sp)
{
    ngx_duplex_peer_t  *peer;

    peer = sp->probe->peer;

    ngx_memcpy(&sp->sockaddr, peer->sockaddr, peer->socklen);
    sp->socklen = peer->socklen;

    if (sp->check->port) {
        ngx_inet_set_port(&sp->sockaddr.sockaddr, sp->check->port);
    }

    sp->name.data = sp->name_buf;
    sp->name.len = ngx_sock_ntop(&sp->sockaddr.sockaddr, sp->socklen,
                                 sp->name_buf, NGX_SOCKADDR_STRLEN, 1);
}


ngx_int_t
ngx_stream_duplex_probe_init_peer(ngx_stream_session_t *s,
    ngx_stream_upstream_srv_conf_t *us)
{
    ngx_peer_connection_t                *peer;
    ngx_stream_duplex_probe_t            *sp;
    ngx_stream_duplex_health_srv_conf_t  *hscf;

    sp = ngx_stream_get_module_ctx(s, ngx_stream_duplex_health_module);

    if (sp == NULL) {
        hscf = ngx_stream_conf_upstream_srv_conf(us,
                                             ngx_stream_duplex_health_module);
        return hscf->init(s, us);
    }

    peer = &s->upstream->peer;

    peer->get = ngx_stream_duplex_probe_get_peer;
    peer->free = ngx_stream_duplex_probe_free_peer;
    peer->notify = ngx_stream_duplex_probe_notify;
    peer->data = sp;
    peer->tries = 1;
    peer->type = SOCK_STREAM;

    if (sp->check->udp) {
        ngx_stream_duplex_probe_datagram(s, sp);
    }

#if (NGX_STREAM_SSL)
    peer->set_session = ngx_stream_duplex_probe_set_session;
    peer->save_session = ngx_stream_duplex_probe_save_session;
#endif

#if (NGX_HAVE_TRANSPARENT_PROXY)

    /* a transparent bind wants the client's address: there is no client */

    if (peer->transparent) {
        peer->transparent = 0;
        peer->local = NULL;
    }

#endif

    return NGX_OK;
}


/*
 * What a client's first datagram would have held: nginx puts the header of
 * the PROXY protocol into the same one.
 */

static void
ngx_stream_duplex_probe_datagram(ngx_stream_session_t *s,
    ngx_stream_duplex_probe_t *sp)
{
    ngx_buf_t  *b;
    ngx_str_t  *send;

    send = &sp->check->dialog->send;
    b = &sp->datagram;

    b->start = send->data;
    b->pos = send->data;
    b->last = send->data + send->len;
    b->end = b->last;

    s->connection->buffer = b;
    s->upstream->peer.type = SOCK_DGRAM;

    sp->exchange.sent = send->len;
}


static ngx_int_t
ngx_stream_duplex_probe_get_peer(ngx_peer_connection_t *pc, void *data)
{
    ngx_stream_duplex_probe_t *sp = data;

    pc->cached = 0;
    pc->connection = NULL;

    pc->sockaddr = &sp->sockaddr.sockaddr;
    pc->socklen = sp->socklen;
    pc->name = &sp->name;

    return NGX_OK;
}


static void
ngx_stream_duplex_probe_free_peer(ngx_peer_connection_t *pc, void *data,
    ngx_uint_t state)
{
    ngx_stream_duplex_probe_t *sp = data;

    ngx_connection_t  *c;

    pc->tries = 0;

    c = pc->connection;

    if (c) {
        sp->late = c->write->timedout;
#if (NGX_STREAM_SSL)
        sp->tls = (c->ssl != NULL);
#endif
    }
}


/* nginx has connected; it goes on with the session when this returns */

static void
ngx_stream_duplex_probe_notify(ngx_peer_connection_t *pc, void *data,
    ngx_uint_t type)
{
    ngx_stream_duplex_probe_t *sp = data;

    if (type == NGX_STREAM_UPSTREAM_NOTIFY_CONNECT) {
        sp->open = 1;
        ngx_post_event(&sp->begin, &ngx_posted_events);
    }
}


#if (NGX_STREAM_SSL)

/* each probe shows that a full handshake works */

static ngx_int_t
ngx_stream_duplex_probe_set_session(ngx_peer_connection_t *pc, void *data)
{
    return NGX_OK;
}


static void
ngx_stream_duplex_probe_save_session(ngx_peer_connection_t *pc, void *data)
{
}

#endif


static void
ngx_stream_duplex_probe_begin_handler(ngx_event_t *ev)
{
    ngx_buf_t                  *in;
    ngx_connection_t           *c, *pc;
    ngx_stream_session_t       *s;
    ngx_stream_upstream_t      *u;
    ngx_stream_duplex_probe_t  *sp;

    c = ev->data;
    s = c->data;
    u = s->upstream;
    pc = u->peer.connection;

    sp = ngx_stream_get_module_ctx(s, ngx_stream_duplex_health_module);

    pc->read->handler = ngx_stream_duplex_probe_handler;
    pc->write->handler = ngx_stream_duplex_probe_handler;

    sp->exchange.dialog = sp->check->dialog;
    sp->exchange.connection = pc;

    /* proxy_buffer_size of it */

    in = &sp->exchange.in;

    in->start = u->upstream_buf.start;
    in->end = u->upstream_buf.end;
    in->pos = in->start;
    in->last = in->start;

    ngx_stream_duplex_probe_run(s);
}


static void
ngx_stream_duplex_probe_handler(ngx_event_t *ev)
{
    ngx_connection_t  *pc;

    pc = ev->data;

    ngx_stream_duplex_probe_run(pc->data);
}


static void
ngx_stream_duplex_probe_run(ngx_stream_session_t *s)
{
    ngx_stream_duplex_probe_t  *sp;

    sp = ngx_stream_get_module_ctx(s, ngx_stream_duplex_health_module);

    if (ngx_duplex_exchange_run(&sp->exchange) == NGX_AGAIN) {
        return;
    }

    sp->result = sp->exchange.result;
    sp->judged = 1;

    ngx_stream_duplex_session_end(s);
}


/* health_check_timeout, whatever the probe waits for */

static void
ngx_stream_duplex_probe_deadline_handler(ngx_event_t *ev)
{
    ngx_connection_t           *c;
    ngx_stream_session_t       *s;
    ngx_stream_duplex_probe_t  *sp;

    c = ev->data;
    s = c->data;

    sp = ngx_stream_get_module_ctx(s, ngx_stream_duplex_health_module);

    if (sp->exchange.connection) {
        ngx_duplex_exchange_timeout(&sp->exchange);
        sp->result = sp->exchange.result;

    } else {
        ngx_stream_duplex_probe_fail(sp, ngx_duplex_reason_timeout, "");
    }

    sp->judged = 1;

    ngx_stream_duplex_session_end(s);
}


/* the log phase: the end of the session, whoever has ended it */

static ngx_int_t
ngx_stream_duplex_probe_end(ngx_stream_session_t *s)
{
    ngx_duplex_probe_t         *probe;
    ngx_stream_duplex_probe_t  *sp;

    sp = ngx_stream_get_module_ctx(s, ngx_stream_duplex_health_module);

    if (sp->deadline.timer_set) {
        ngx_del_timer(&sp->deadline);
    }

    if (sp->begin.posted) {
        ngx_delete_posted_event(&sp->begin);
    }

    /* ngx_close_connection() would complain of the missing socket */

    sp->log.log.log_level = 0;

    probe = sp->probe;
    sp->probe = NULL;

    if (probe == NULL) {
        return NGX_OK;
    }

    if (!sp->judged) {
        ngx_stream_duplex_probe_judge(sp, s->status);
    }

    if (sp->result.text.len == 0
        && sp->result.end != ngx_duplex_probe_passed
        && sp->result.reason != ngx_duplex_reason_timeout)
    {
        sp->result.text = sp->log.text.len ? sp->log.text
                                           : ngx_stream_duplex_probe_unknown;
    }

    ngx_duplex_probe_done(probe, &sp->result);

    return NGX_OK;
}


/* nginx has ended it before the exchange began, or could have */

static void
ngx_stream_duplex_probe_judge(ngx_stream_duplex_probe_t *sp,
    ngx_uint_t status)
{
    if (status == NGX_STREAM_INTERNAL_SERVER_ERROR
        || ngx_duplex_probe_log_is_local(&sp->log))
    {
        return;
    }

    if (sp->late) {
        ngx_stream_duplex_probe_fail(sp, ngx_duplex_reason_timeout, "");

    } else if (sp->check->udp) {
        ngx_stream_duplex_probe_fail(sp, ngx_duplex_reason_connect, "failed");

    } else if (sp->open || status != NGX_STREAM_BAD_GATEWAY) {
        ngx_stream_duplex_probe_fail(sp, ngx_duplex_reason_closed, "");

    } else if (sp->tls) {
        ngx_stream_duplex_probe_fail(sp, ngx_duplex_reason_tls,
                                     "handshake failed");

    } else {
        ngx_stream_duplex_probe_fail(sp, ngx_duplex_reason_connect, "failed");
    }
}


/* "text" is for when nginx has said nothing */

static void
ngx_stream_duplex_probe_fail(ngx_stream_duplex_probe_t *sp,
    ngx_duplex_reason_e reason, const char *text)
{
    sp->result.end = ngx_duplex_probe_failed;
    sp->result.reason = reason;

    if (sp->log.text.len == 0) {
        sp->result.text.data = (u_char *) text;
        sp->result.text.len = ngx_strlen(text);
    }
}
