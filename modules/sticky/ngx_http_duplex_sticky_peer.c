
/*
 * "sticky" in a request: which server it should go to, and where it went.
 *
 * Stands between keepalive and the balancer, which it asks whenever it knows
 * no better.  Its data live in the request's pool.  Peers may come and go
 * while a request waits: it keeps their hashes.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "ngx_http_duplex_sticky.h"


static void ngx_http_duplex_sticky_wrap(ngx_http_duplex_sticky_t *sticky);
static ngx_int_t ngx_http_duplex_sticky_get(ngx_peer_connection_t *pc,
    void *data);
static ngx_int_t ngx_http_duplex_sticky_take(ngx_http_duplex_sticky_t *sticky);
static ngx_int_t ngx_http_duplex_sticky_take_sid(
    ngx_http_duplex_sticky_t *sticky);
static ngx_int_t ngx_http_duplex_sticky_take_session(
    ngx_http_duplex_sticky_t *sticky);
static ngx_int_t ngx_http_duplex_sticky_refuse(
    ngx_http_duplex_sticky_t *sticky);
static ngx_int_t ngx_http_duplex_sticky_served(
    ngx_http_duplex_sticky_t *sticky);
static void ngx_http_duplex_sticky_free(ngx_peer_connection_t *pc, void *data,
    ngx_uint_t state);
static void ngx_http_duplex_sticky_learn_answer(
    ngx_http_duplex_sticky_t *sticky);
static void ngx_http_duplex_sticky_keep(ngx_http_duplex_sticky_t *sticky,
    ngx_duplex_session_t *session, uint64_t server);
static void ngx_http_duplex_sticky_notify(ngx_peer_connection_t *pc,
    void *data, ngx_uint_t type);
static ngx_int_t ngx_http_duplex_sticky_set_session(ngx_peer_connection_t *pc,
    void *data);
static void ngx_http_duplex_sticky_save_session(ngx_peer_connection_t *pc,
    void *data);
static ngx_int_t ngx_http_duplex_sticky_header_filter(ngx_http_request_t *r);


static ngx_http_output_header_filter_pt  ngx_http_duplex_sticky_next_filter;


ngx_int_t
ngx_http_duplex_sticky_init_peer(ngx_http_request_t *r,
    ngx_http_upstream_srv_conf_t *us)
{
    ngx_int_t                       rc;
    ngx_http_duplex_sticky_t       *sticky;
    ngx_http_duplex_sticky_conf_t  *scf;

    scf = ngx_http_conf_upstream_srv_conf(us, ngx_http_duplex_sticky_module);

    if (!scf->upstream->stock(r)) {

        if (!scf->warned) {
            scf->warned = 1;
            ngx_log_error(NGX_LOG_WARN, r->connection->log, 0,
                          "balancer does not support sticky in upstream "
                          "\"%V\"", &us->host);
        }

        return NGX_OK;
    }

    sticky = ngx_pcalloc(r->pool, sizeof(ngx_http_duplex_sticky_t));
    if (sticky == NULL) {
        return NGX_ERROR;
    }

    rc = ngx_http_duplex_sticky_value(r, scf->lookup, &sticky->value);

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    sticky->request = r;
    sticky->conf = scf;
    sticky->asked = (rc == NGX_OK);

    if (sticky->asked && scf->sticky.zone) {
        ngx_duplex_session_name(&sticky->session, &scf->sticky.hash_key,
                                &sticky->value);

        sticky->stored = ngx_duplex_session_find(scf->sticky.zone,
                                                 &sticky->session)
                         == NGX_OK;
    }

    ngx_http_set_ctx(r, sticky, ngx_http_duplex_sticky_module);

    ngx_http_duplex_sticky_wrap(sticky);

    return NGX_OK;
}


static void
ngx_http_duplex_sticky_wrap(ngx_http_duplex_sticky_t *sticky)
{
    ngx_peer_connection_t  *pc;

    pc = &sticky->request->upstream->peer;

    sticky->data = pc->data;
    sticky->get = pc->get;
    sticky->free = pc->free;
    sticky->notify = pc->notify;
    sticky->set_session = pc->set_session;
    sticky->save_session = pc->save_session;

    pc->data = sticky;
    pc->get = ngx_http_duplex_sticky_get;
    pc->free = ngx_http_duplex_sticky_free;
    pc->set_session = ngx_http_duplex_sticky_set_session;
    pc->save_session = ngx_http_duplex_sticky_save_session;

    if (pc->notify) {
        pc->notify = ngx_http_duplex_sticky_notify;
    }
}


static ngx_int_t
ngx_http_duplex_sticky_get(ngx_peer_connection_t *pc, void *data)
{
    ngx_http_duplex_sticky_t  *sticky = data;

    ngx_int_t                       rc;
    ngx_http_duplex_sticky_conf_t  *scf;

    scf = sticky->conf;

    sticky->taken = 0;
    sticky->served = 0;
    sticky->sid = NULL;

    rc = sticky->asked ? ngx_http_duplex_sticky_take(sticky) : NGX_DECLINED;

    if (!sticky->counted) {
        sticky->counted = 1;
        ngx_duplex_sticky_count(&scf->sticky,
                                ngx_http_duplex_sticky_status(sticky));
    }

    if (rc != NGX_OK) {

        if (scf->strict && sticky->found) {
            return ngx_http_duplex_sticky_refuse(sticky);
        }

        rc = sticky->get(pc, sticky->data);

        if (rc != NGX_OK && rc != NGX_DONE) {
            return rc;
        }
    }

    if ((scf->set || scf->named)
        && ngx_http_duplex_sticky_served(sticky) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return rc;
}


/* NGX_OK, or NGX_DECLINED: the balancer shall choose */

static ngx_int_t
ngx_http_duplex_sticky_take(ngx_http_duplex_sticky_t *sticky)
{
    sticky->found = 0;

    if (sticky->conf->sticky.zone == NULL) {
        return ngx_http_duplex_sticky_take_sid(sticky);
    }

    return sticky->stored ? ngx_http_duplex_sticky_take_session(sticky)
                          : NGX_DECLINED;
}


/* a route may name several peers: a name has many addresses */

static ngx_int_t
ngx_http_duplex_sticky_take_sid(ngx_http_duplex_sticky_t *sticky)
{
    ngx_uint_t                      forged;
    ngx_duplex_sid_t               *sid;
    ngx_http_duplex_sticky_conf_t  *scf;

    scf = sticky->conf;

    sid = ngx_duplex_sid_find(&scf->sticky, &sticky->value, &forged);

    sticky->forged = forged;
    sticky->found = (sid != NULL);

    for ( /* void */ ; sid; sid = ngx_duplex_sid_next(&scf->sticky, sid)) {

        if (scf->upstream->take(sticky->request, sticky->data, sid->peer)
            == NGX_OK)
        {
            sticky->taken = 1;
            sticky->served = sid->peer->hash;
            sticky->sid = sid;

            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_duplex_sticky_take_session(ngx_http_duplex_sticky_t *sticky)
{
    ngx_msec_t                      timeout;
    ngx_duplex_peer_t              *peer;
    ngx_http_duplex_sticky_conf_t  *scf;

    scf = sticky->conf;

    peer = ngx_duplex_peer_by_hash(scf->sticky.group, sticky->session.server);

    if (peer == NULL) {
        return NGX_DECLINED;
    }

    sticky->found = 1;

    if (scf->upstream->take(sticky->request, sticky->data, peer) != NGX_OK) {
        return NGX_DECLINED;
    }

    sticky->taken = 1;
    sticky->served = peer->hash;

    /* a use prolongs it, but not every use is worth a message to the others */

    timeout = scf->sticky.timeout;

    if (sticky->session.left < timeout - timeout / 4) {
        ngx_http_duplex_sticky_keep(sticky, &sticky->session, peer->hash);
        sticky->session.left = timeout;
    }

    return NGX_OK;
}


/*
 * "strict": 503.  What nginx would answer itself is 502, so the request is
 * ended here: the upstream is told to clean up, as if the client had gone,
 * and finds itself ended when we return.  Each of the two lets go of the
 * request once.
 */

static ngx_int_t
ngx_http_duplex_sticky_refuse(ngx_http_duplex_sticky_t *sticky)
{
    ngx_http_request_t   *r;
    ngx_http_upstream_t  *u;

    r = sticky->request;
    u = r->upstream;

    ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                  "the server of this session is not available");

    u->state->status = NGX_HTTP_SERVICE_UNAVAILABLE;

    r->main->count += 2;

    (*u->cleanup)(r);

    ngx_http_finalize_request(r, NGX_HTTP_SERVICE_UNAVAILABLE);

    return NGX_ERROR;
}


/* notes who serves the request, and says so in the cookie */

static ngx_int_t
ngx_http_duplex_sticky_served(ngx_http_duplex_sticky_t *sticky)
{
    ngx_duplex_sid_t               *sid;
    ngx_duplex_peer_t              *peer;
    ngx_http_duplex_sticky_conf_t  *scf;

    scf = sticky->conf;

    if (sticky->sid) {
        return scf->set ? ngx_http_duplex_sticky_set(sticky,
                                                     &sticky->sid->value)
                        : NGX_OK;
    }

    peer = sticky->served
           ? ngx_duplex_peer_by_hash(scf->sticky.group, sticky->served)
           : scf->upstream->selected(scf->sticky.group, sticky->data);

    if (peer == NULL) {
        return NGX_OK;
    }

    sticky->served = peer->hash;

    if (scf->set == NULL) {
        return NGX_OK;
    }

    sid = ngx_duplex_sid_of(&scf->sticky, peer);

    return sid ? ngx_http_duplex_sticky_set(sticky, &sid->value) : NGX_OK;
}


ngx_duplex_sticky_status_e
ngx_http_duplex_sticky_status(ngx_http_duplex_sticky_t *sticky)
{
    if (!sticky->asked) {
        return ngx_duplex_sticky_new;
    }

    if (sticky->forged) {
        return ngx_duplex_sticky_forged;
    }

    if (!sticky->found) {
        return ngx_duplex_sticky_miss;
    }

    return sticky->taken ? ngx_duplex_sticky_hit : ngx_duplex_sticky_rebound;
}


static void
ngx_http_duplex_sticky_free(ngx_peer_connection_t *pc, void *data,
    ngx_uint_t state)
{
    ngx_http_duplex_sticky_t  *sticky = data;

    if (sticky->conf->sticky.zone
        && !(state & (NGX_PEER_FAILED|NGX_PEER_NEXT)))
    {
        ngx_http_duplex_sticky_learn_answer(sticky);
    }

    sticky->free(pc, sticky->data, state);
}


/*
 * The server has answered.  A session is made if the answer names a new one,
 * and the session of the request goes with the server that served it.  It
 * stays as it is if its server is unknown here: that server is in another
 * node's file, and the session is good there.
 */

static void
ngx_http_duplex_sticky_learn_answer(ngx_http_duplex_sticky_t *sticky)
{
    uint64_t                        server;
    ngx_str_t                       value;
    ngx_duplex_peer_t              *peer;
    ngx_duplex_session_t            created;
    ngx_http_duplex_sticky_conf_t  *scf;

    scf = sticky->conf;

    if (sticky->learned
        || sticky->request->upstream->headers_in.status_n == 0)
    {
        return;
    }

    sticky->learned = 1;

    server = sticky->served;

    if (server == 0) {
        peer = scf->upstream->selected(scf->sticky.group, sticky->data);

        if (peer == NULL) {
            return;
        }

        server = peer->hash;
    }

    if (ngx_http_duplex_sticky_value(sticky->request, scf->create, &value)
        == NGX_OK
        && (!sticky->stored
            || value.len != sticky->value.len
            || ngx_memcmp(value.data, sticky->value.data, value.len) != 0))
    {
        ngx_duplex_session_name(&created, &scf->sticky.hash_key, &value);
        ngx_http_duplex_sticky_keep(sticky, &created, server);
        return;
    }

    /*
     * Nodes that disagree about two servers would take the session from each
     * other with every request: what the other has just decided stands.
     */

    if (sticky->stored
        && sticky->found
        && sticky->session.server != server
        && !sticky->session.fresh)
    {
        ngx_http_duplex_sticky_keep(sticky, &sticky->session, server);
    }
}


static void
ngx_http_duplex_sticky_keep(ngx_http_duplex_sticky_t *sticky,
    ngx_duplex_session_t *session, uint64_t server)
{
    ngx_duplex_sticky_group_t  *group;

    group = &sticky->conf->sticky;

    ngx_log_debug2(NGX_LOG_DEBUG_HTTP, sticky->request->connection->log, 0,
                   "sticky session in \"%V\" bound to %xL",
                   &group->zone->name, server);

    session->server = server;

    /* refused for want of memory: logged by the store, and no session */

    (void) ngx_duplex_session_bind(group->zone, session, group->timeout);
}


static void
ngx_http_duplex_sticky_notify(ngx_peer_connection_t *pc, void *data,
    ngx_uint_t type)
{
    ngx_http_duplex_sticky_t  *sticky = data;

    sticky->notify(pc, sticky->data, type);
}


static ngx_int_t
ngx_http_duplex_sticky_set_session(ngx_peer_connection_t *pc, void *data)
{
    ngx_http_duplex_sticky_t  *sticky = data;

    return sticky->set_session(pc, sticky->data);
}


static void
ngx_http_duplex_sticky_save_session(ngx_peer_connection_t *pc, void *data)
{
    ngx_http_duplex_sticky_t  *sticky = data;

    sticky->save_session(pc, sticky->data);
}


/*
 * Not while parsing: where this module stands in the list, those that begin
 * the chain would forget it, and a reload that fails would leave the master,
 * and whom it forks, with the other configuration's chain.
 */

void
ngx_http_duplex_sticky_add_header_filter(void)
{
    ngx_http_duplex_sticky_next_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = ngx_http_duplex_sticky_header_filter;
}


static ngx_int_t
ngx_http_duplex_sticky_header_filter(ngx_http_request_t *r)
{
    ngx_http_duplex_sticky_t  *sticky;

    sticky = ngx_http_get_module_ctx(r, ngx_http_duplex_sticky_module);

    /* without a peer the header is of an error page or from a cache */

    if (sticky
        && sticky->conf->header
        && r->upstream
        && r->upstream->peer.sockaddr)
    {
        ngx_http_duplex_sticky_learn_answer(sticky);
    }

    return ngx_http_duplex_sticky_next_filter(r);
}
