
/*
 * One probe of an http server, as a request of nginx itself.
 *
 * Its client is made up (ngx_http_duplex_client.c).  Phases, access log,
 * cache, store and balancer never see it; the location's handler, TLS
 * settings, headers and timeouts are those of any request.
 *
 * The probe lives in the pool of that connection and dies with it.  Its
 * result is found where nginx finalizes the upstream request
 * (ngx_http_duplex_probe_judge.c), and is given away where the request is
 * freed, which happens exactly once.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "ngx_http_duplex_grpc.h"
#include "ngx_http_duplex_health.h"
#include "ngx_http_duplex_kept.h"
#include "ngx_http_duplex_probe.h"
#include "ngx_duplex_schedule.h"


static void ngx_http_duplex_probe_start(ngx_duplex_probe_t *probe);
static ngx_int_t ngx_http_duplex_probe_run(ngx_http_duplex_probe_t *hp,
    ngx_http_request_t *r);
static void ngx_http_duplex_probe_abort(ngx_duplex_probe_t *probe);
static void ngx_http_duplex_probe_end(ngx_http_duplex_probe_t *hp);
static void ngx_http_duplex_probe_deadline_handler(ngx_event_t *ev);

static ngx_http_duplex_probe_t *ngx_http_duplex_probe_create(
    ngx_duplex_probe_t *probe);
static void ngx_http_duplex_probe_address(ngx_http_duplex_probe_t *hp);
static ngx_http_request_t *ngx_http_duplex_probe_request(
    ngx_http_duplex_probe_t *hp, ngx_connection_t *c);
static void ngx_http_duplex_probe_cleanup(void *data);

static ngx_int_t ngx_http_duplex_probe_get_peer(ngx_peer_connection_t *pc,
    void *data);
static void ngx_http_duplex_probe_free_peer(ngx_peer_connection_t *pc,
    void *data, ngx_uint_t state);

static void ngx_http_duplex_probe_finalize(ngx_http_request_t *r,
    ngx_int_t rc);


ngx_duplex_prober_t  ngx_http_duplex_prober = {
    ngx_http_duplex_probe_start,
    ngx_http_duplex_probe_abort,
    ngx_http_duplex_kept_forget
};


static ngx_str_t  ngx_http_duplex_probe_unknown = ngx_string("unknown");
static ngx_str_t  ngx_http_duplex_probe_hidden = ngx_string(
    "another directive of the location answers, not \"proxy_pass\"");
static ngx_str_t  ngx_http_duplex_probe_method = ngx_string("GET");
static ngx_str_t  ngx_http_duplex_probe_protocol = ngx_string("HTTP/1.1");


static void
ngx_http_duplex_probe_start(ngx_duplex_probe_t *probe)
{
    ngx_connection_t           *c;
    ngx_http_request_t         *r;
    ngx_http_duplex_probe_t    *hp;
    ngx_duplex_probe_result_t   result;

    hp = ngx_http_duplex_probe_create(probe);

    if (hp == NULL) {
        ngx_memzero(&result, sizeof(ngx_duplex_probe_result_t));

        result.end = ngx_duplex_probe_fault;
        ngx_str_set(&result.text, "no memory or no worker_connections left");

        ngx_duplex_probe_done(probe, &result);
        return;
    }

    probe->run = hp;

    ngx_add_timer(&hp->deadline, hp->check->deadline);

    r = hp->request;
    c = r->connection;

    ngx_http_finalize_request(r, ngx_http_duplex_probe_run(hp, r));
    ngx_http_run_posted_requests(c);
}


/*
 * The location's handler makes the request ready and wants to start it at
 * once; with "aio" it believes that somebody else is at work.  So its settings
 * become those for probes before the cache, or the variable that names a
 * group, can lead it elsewhere.
 */

static ngx_int_t
ngx_http_duplex_probe_run(ngx_http_duplex_probe_t *hp, ngx_http_request_t *r)
{
    ngx_int_t             rc;
    ngx_http_upstream_t  *u;

    r->aio = 1;

    rc = hp->check->clcf->handler(r);

    r->aio = 0;

    u = r->upstream;

    if (rc != NGX_DONE || u == NULL || u->create_request == NULL) {
        return rc;
    }

    u->conf = hp->check->upstream;
    u->resolved = NULL;

    ngx_http_upstream_init(r);

    return rc;
}


static void
ngx_http_duplex_probe_abort(ngx_duplex_probe_t *probe)
{
    ngx_http_duplex_probe_t  *hp;

    hp = probe->run;
    hp->probe = NULL;

    ngx_http_duplex_probe_end(hp);
}


/*
 * As nginx ends a request from outside: without the additional count the
 * request would be freed in the middle of its own cleanup.
 */

static void
ngx_http_duplex_probe_end(ngx_http_duplex_probe_t *hp)
{
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = hp->request;
    c = r->connection;

    r->main->count++;

    ngx_http_finalize_request(r, NGX_HTTP_CLIENT_CLOSED_REQUEST);
    ngx_http_run_posted_requests(c);
}


/* no timeout of nginx ends a server that sends one byte now and then */

static void
ngx_http_duplex_probe_deadline_handler(ngx_event_t *ev)
{
    ngx_connection_t         *c;
    ngx_http_duplex_probe_t  *hp;

    c = ev->data;
    hp = ngx_http_get_module_ctx((ngx_http_request_t *) c->data,
                                 ngx_http_duplex_health_module);

    hp->late = 1;

    ngx_http_duplex_probe_end(hp);
}


static ngx_http_duplex_probe_t *
ngx_http_duplex_probe_create(ngx_duplex_probe_t *probe)
{
    ngx_connection_t         *c;
    ngx_http_duplex_probe_t  *hp;

    c = ngx_http_duplex_client_open();
    if (c == NULL) {
        return NULL;
    }

    hp = ngx_pcalloc(c->pool, sizeof(ngx_http_duplex_probe_t));
    if (hp == NULL) {
        ngx_http_duplex_client_close(c);
        return NULL;
    }

    hp->probe = probe;
    hp->check = probe->check->conf;

    hp->result.end = ngx_duplex_probe_fault;

    hp->client.pool = c->pool;
    hp->client.wanted = hp->check->body;

    ngx_http_duplex_probe_address(hp);

    ngx_duplex_probe_log_init(&hp->log);

    hp->log.log.data = &hp->log_ctx;
    hp->log_ctx.connection = c;

    c->log = &hp->log.log;
    c->read->log = c->log;
    c->write->log = c->log;

    hp->http_connection.conf_ctx = hp->check->cscf->ctx;

    c->data = &hp->http_connection;
    c->buffer = &hp->buffer;

    hp->deadline.handler = ngx_http_duplex_probe_deadline_handler;
    hp->deadline.data = c;
    hp->deadline.log = c->log;
    hp->deadline.cancelable = 1;

    hp->request = ngx_http_duplex_probe_request(hp, c);

    if (hp->request == NULL) {
        ngx_http_duplex_client_close(c);
        return NULL;
    }

    return hp;
}


static void
ngx_http_duplex_probe_address(ngx_http_duplex_probe_t *hp)
{
    ngx_duplex_peer_t  *peer;

    peer = hp->probe->peer;

    ngx_memcpy(&hp->sockaddr, peer->sockaddr, peer->socklen);
    hp->socklen = peer->socklen;

    if (hp->check->port) {
        ngx_inet_set_port(&hp->sockaddr.sockaddr, hp->check->port);
    }

    hp->name.data = hp->name_buf;
    hp->name.len = ngx_sock_ntop(&hp->sockaddr.sockaddr, hp->socklen,
                                 hp->name_buf, NGX_SOCKADDR_STRLEN, 1);
}


static ngx_http_request_t *
ngx_http_duplex_probe_request(ngx_http_duplex_probe_t *hp,
    ngx_connection_t *c)
{
    ngx_http_cleanup_t         *cln;
    ngx_http_request_t         *r;
    ngx_http_duplex_check_t    *check;
    ngx_http_variable_value_t  *v;

    check = hp->check;

    r = ngx_http_create_request(c);
    if (r == NULL) {
        return NULL;
    }

    c->data = r;

    /* nginx has just set the log of the location's server */

    ngx_duplex_probe_log_init(&hp->log);

    r->loc_conf = check->loc_conf;

    r->http_state = NGX_HTTP_PROCESS_REQUEST_STATE;
    r->http_version = NGX_HTTP_VERSION_11;
    r->http_protocol = ngx_http_duplex_probe_protocol;

    r->method = NGX_HTTP_GET;
    r->method_name = ngx_http_duplex_probe_method;

    /* valid_location stays 0: the URI goes out as it was written */

    r->uri = check->path;
    r->args = check->args;
    r->unparsed_uri = check->uri;
    r->valid_unparsed_uri = 1;

    r->headers_in.server = check->host;

    if (check->variable != NGX_ERROR) {
        v = &r->variables[check->variable];

        v->data = check->value.data;
        v->len = check->value.len;
        v->valid = 1;
    }

    r->logged = 1;
    r->error_page = 1;

    ngx_http_set_ctx(r, hp, ngx_http_duplex_health_module);

    /* a request body that is there already: nothing is read */

    r->request_body = ngx_pcalloc(r->pool, sizeof(ngx_http_request_body_t));
    cln = ngx_http_cleanup_add(r, 0);

    if (r->request_body == NULL
        || cln == NULL
        || ngx_list_init(&r->headers_in.headers, r->pool, 4,
                         sizeof(ngx_table_elt_t))
           != NGX_OK)
    {
        ngx_http_free_request(r, 0);
        return NULL;
    }

    if (check->grpc
        && ngx_http_duplex_grpc_request(r, &check->grpc_service) != NGX_OK)
    {
        ngx_http_free_request(r, 0);
        return NULL;
    }

    cln->handler = ngx_http_duplex_probe_cleanup;
    cln->data = hp;

    return r;
}


/* the first one added is the last one called: the upstream part is over */

static void
ngx_http_duplex_probe_cleanup(void *data)
{
    ngx_http_duplex_probe_t *hp = data;

    ngx_duplex_probe_t  *probe;

    if (hp->deadline.timer_set) {
        ngx_del_timer(&hp->deadline);
    }

    /* ngx_close_connection() would complain of the missing socket */

    hp->log.log.log_level = 0;

    probe = hp->probe;
    hp->probe = NULL;

    if (probe == NULL) {
        return;
    }

    if (hp->result.end == ngx_duplex_probe_fault
        && hp->result.text.len == 0)
    {
        /* it ended before the judge, or nginx had nothing to say */

        if (hp->log.text.len) {
            hp->result.text = hp->log.text;

        } else if (hp->finalize) {
            hp->result.text = ngx_http_duplex_probe_unknown;

        } else {
            hp->result.text = ngx_http_duplex_probe_hidden;
        }
    }

    ngx_http_duplex_kept_learn(probe,
                               hp->result.end == ngx_duplex_probe_passed);

    ngx_duplex_probe_done(probe, &hp->result);
}


ngx_int_t
ngx_http_duplex_probe_init_peer(ngx_http_request_t *r,
    ngx_http_upstream_srv_conf_t *us)
{
    ngx_int_t                           rc;
    ngx_http_upstream_t                *u;
    ngx_http_duplex_probe_t            *hp;
    ngx_http_duplex_health_srv_conf_t  *hscf;

    hp = ngx_http_get_module_ctx(r, ngx_http_duplex_health_module);

    if (hp == NULL) {
        hscf = ngx_http_conf_upstream_srv_conf(us,
                                               ngx_http_duplex_health_module);

        rc = hscf->init(r, us);

        return rc == NGX_OK && hscf->watch.on
               ? ngx_http_duplex_watch(r, &hscf->watch) : rc;
    }

    u = r->upstream;

    u->peer.get = ngx_http_duplex_probe_get_peer;
    u->peer.free = ngx_http_duplex_probe_free_peer;
    u->peer.data = hp;
    u->peer.tries = 1;

#if (NGX_HAVE_TRANSPARENT_PROXY)

    /* a transparent bind wants the client's address: there is no client */

    if (u->peer.transparent) {
        u->peer.transparent = 0;
        u->peer.local = NULL;
    }

#endif

    hp->finalize = u->finalize_request;
    u->finalize_request = ngx_http_duplex_probe_finalize;

    return NGX_OK;
}


static ngx_int_t
ngx_http_duplex_probe_get_peer(ngx_peer_connection_t *pc, void *data)
{
    ngx_http_duplex_probe_t *hp = data;

    pc->cached = 0;
    pc->connection = NULL;

    pc->sockaddr = &hp->sockaddr.sockaddr;
    pc->socklen = hp->socklen;
    pc->name = &hp->name;

    /* a kept connection that had just ended is not the server's fault */

    hp->log.text.len = 0;

    if (hp->check->keepalive
        && hp->probe
        && ngx_http_duplex_kept_take(hp->probe, pc) == NGX_DONE)
    {
        return NGX_DONE;
    }

    return NGX_OK;
}


static void
ngx_http_duplex_probe_free_peer(ngx_peer_connection_t *pc, void *data,
    ngx_uint_t state)
{
    ngx_http_duplex_probe_t *hp = data;

    pc->tries = 0;

    if (hp->check->keepalive
        && hp->probe
        && !hp->late
        && !(state & NGX_PEER_FAILED))
    {
        ngx_http_duplex_kept_give(hp->probe, pc, hp->request->upstream,
                                  hp->check->keepalive);
    }
}


static void
ngx_http_duplex_probe_finalize(ngx_http_request_t *r, ngx_int_t rc)
{
    ngx_http_duplex_probe_t  *hp;

    hp = ngx_http_get_module_ctx(r, ngx_http_duplex_health_module);

    hp->finalize(r, rc);

    ngx_http_duplex_probe_judge(hp, r->upstream, rc);
}
