
/*
 * The session of a probe: a client connection that has no socket, is never
 * in the event loop, and has nothing to say.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>
#include "ngx_stream_duplex_session.h"


static ngx_connection_t *ngx_stream_duplex_session_connection(void);
static void ngx_stream_duplex_session_discard(ngx_connection_t *c);
static void ngx_stream_duplex_session_cleanup(void *data);


static ngx_str_t  ngx_stream_duplex_session_client = ngx_string("unix:");


ngx_int_t
ngx_stream_duplex_session_bind(ngx_conf_t *cf,
    ngx_stream_duplex_session_conf_t *conf, ngx_stream_conf_ctx_t *ctx,
    ngx_stream_handler_pt end)
{
    ngx_array_t            *log;
    ngx_stream_handler_pt  *handler;

    conf->main_conf = ngx_palloc(cf->pool,
                                 ngx_stream_max_module * sizeof(void *));
    if (conf->main_conf == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(conf->main_conf, ctx->main_conf,
               ngx_stream_max_module * sizeof(void *));

    conf->cmcf = *(ngx_stream_core_main_conf_t *)
                     ctx->main_conf[ngx_stream_core_module.ctx_index];

    conf->main_conf[ngx_stream_core_module.ctx_index] = &conf->cmcf;
    conf->srv_conf = ctx->srv_conf;

    log = &conf->cmcf.phases[NGX_STREAM_LOG_PHASE].handlers;

    if (ngx_array_init(log, cf->pool, 1, sizeof(ngx_stream_handler_pt))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    handler = ngx_array_push(log);
    if (handler == NULL) {
        return NGX_ERROR;
    }

    *handler = end;

    return NGX_OK;
}


ngx_stream_session_t *
ngx_stream_duplex_session_open(ngx_stream_duplex_session_conf_t *conf)
{
    ngx_time_t            *tp;
    ngx_connection_t      *c;
    ngx_stream_session_t  *s;

    c = ngx_stream_duplex_session_connection();
    if (c == NULL) {
        return NULL;
    }

    s = ngx_pcalloc(c->pool, sizeof(ngx_stream_session_t));
    if (s == NULL) {
        goto failed;
    }

    s->signature = NGX_STREAM_MODULE;
    s->connection = c;
    s->main_conf = conf->main_conf;
    s->srv_conf = conf->srv_conf;
    s->health_check = 1;

    c->data = s;

    s->ctx = ngx_pcalloc(c->pool, ngx_stream_max_module * sizeof(void *));
    s->variables = ngx_pcalloc(c->pool, conf->cmcf.variables.nelts
                                        * sizeof(ngx_stream_variable_value_t));

    if (s->ctx == NULL || s->variables == NULL) {
        goto failed;
    }

    tp = ngx_timeofday();
    s->start_sec = tp->sec;
    s->start_msec = tp->msec;

    return s;

failed:

    ngx_stream_duplex_session_discard(c);

    return NULL;
}


static ngx_connection_t *
ngx_stream_duplex_session_connection(void)
{
    ngx_connection_t           *c;
    ngx_pool_cleanup_t         *cln;

    static struct sockaddr_un   client = { .sun_family = AF_UNIX };

    c = ngx_get_connection(0, ngx_cycle->log);
    if (c == NULL) {
        return NULL;
    }

    c->fd = (ngx_socket_t) -1;

    c->pool = ngx_create_pool(1024, ngx_cycle->log);
    if (c->pool == NULL) {
        ngx_free_connection(c);
        return NULL;
    }

    cln = ngx_pool_cleanup_add(c->pool, 0);
    if (cln == NULL) {
        ngx_destroy_pool(c->pool);
        ngx_free_connection(c);
        return NULL;
    }

    cln->handler = ngx_stream_duplex_session_cleanup;
    cln->data = c;

    /*
     * An address that is none: the header of the PROXY protocol says
     * "UNKNOWN" then, as its specification wants it of health checks.
     */

    c->sockaddr = (struct sockaddr *) &client;
    c->socklen = offsetof(struct sockaddr_un, sun_path);
    c->local_sockaddr = c->sockaddr;
    c->local_socklen = c->socklen;
    c->addr_text = ngx_stream_duplex_session_client;

    c->type = SOCK_STREAM;
    c->number = ngx_atomic_fetch_add(ngx_connection_counter, 1);
    c->start_time = ngx_current_msec;
    c->log_error = NGX_ERROR_INFO;

    c->log = ngx_cycle->log;
    c->read->log = c->log;
    c->write->log = c->log;

    /* as if in epoll already, so that nobody puts fd -1 there */

    c->read->active = 1;
    c->write->active = 1;
    c->write->ready = 1;

    /* the one thing that keeps nginx from arming proxy_timeout */

    c->read->delayed = 1;

#if (NGX_STAT_STUB)
    /* ngx_stream_close_connection() takes it back */
    (void) ngx_atomic_fetch_add(ngx_stat_active, 1);
#endif

    return c;
}


void
ngx_stream_duplex_session_close(ngx_stream_session_t *s)
{
    ngx_stream_duplex_session_discard(s->connection);
}


static void
ngx_stream_duplex_session_discard(ngx_connection_t *c)
{
#if (NGX_STAT_STUB)
    (void) ngx_atomic_fetch_add(ngx_stat_active, -1);
#endif

    ngx_destroy_pool(c->pool);
}


/* as nginx ends a session when its worker has been leaving for too long */

void
ngx_stream_duplex_session_end(ngx_stream_session_t *s)
{
    ngx_connection_t  *c;

    c = s->connection;

    c->close = 1;
    c->read->handler(c->read);
}


/* ngx_close_connection() does not touch a connection without a socket */

static void
ngx_stream_duplex_session_cleanup(void *data)
{
    ngx_connection_t *c = data;

    if (c->read->timer_set) {
        ngx_del_timer(c->read);
    }

    if (c->write->timer_set) {
        ngx_del_timer(c->write);
    }

    if (c->read->posted) {
        ngx_delete_posted_event(c->read);
    }

    if (c->write->posted) {
        ngx_delete_posted_event(c->write);
    }

    c->read->closed = 1;
    c->write->closed = 1;

    ngx_free_connection(c);
}
