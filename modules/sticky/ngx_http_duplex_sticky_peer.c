
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


typedef struct {
    ngx_http_request_t              *request;
    ngx_http_duplex_sticky_conf_t   *conf;

    ngx_str_t                        route;
    ngx_duplex_session_t             session;
    uint64_t                         taken;   /* by us, in this attempt */

    unsigned                         named:1;     /* session has its key */
    unsigned                         found:1;     /* session is in the store */
    unsigned                         bound:1;     /* its server is known */
    unsigned                         learned:1;   /* the answer was seen */

    /* the balancer's */
    void                            *data;
    ngx_event_get_peer_pt            get;
    ngx_event_free_peer_pt           free;
    ngx_event_notify_peer_pt         notify;
    ngx_event_set_peer_session_pt    set_session;
    ngx_event_save_peer_session_pt   save_session;
} ngx_http_duplex_sticky_t;


static void ngx_http_duplex_sticky_look_up(ngx_http_duplex_sticky_t *sticky,
    ngx_str_t *value);
static ngx_int_t ngx_http_duplex_sticky_value(ngx_http_request_t *r,
    ngx_array_t *variables, ngx_str_t *value);
static void ngx_http_duplex_sticky_wrap(ngx_http_duplex_sticky_t *sticky);
static ngx_int_t ngx_http_duplex_sticky_get(ngx_peer_connection_t *pc,
    void *data);
static ngx_int_t ngx_http_duplex_sticky_get_route(
    ngx_http_duplex_sticky_t *sticky);
static ngx_int_t ngx_http_duplex_sticky_get_session(
    ngx_http_duplex_sticky_t *sticky);
static void ngx_http_duplex_sticky_free(ngx_peer_connection_t *pc, void *data,
    ngx_uint_t state);
static void ngx_http_duplex_sticky_learn(ngx_http_duplex_sticky_t *sticky);
static void ngx_http_duplex_sticky_keep(ngx_http_duplex_sticky_t *sticky,
    ngx_duplex_session_t *session, ngx_duplex_peer_t *peer);
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
    ngx_str_t                       value;
    ngx_http_duplex_sticky_t       *sticky;
    ngx_http_duplex_sticky_conf_t  *scf;

    scf = ngx_http_conf_upstream_srv_conf(us, ngx_http_duplex_sticky_module);

    if (!ngx_http_duplex_upstream_is_stock(r->upstream)) {

        if (!scf->warned) {
            scf->warned = 1;
            ngx_log_error(NGX_LOG_WARN, r->connection->log, 0,
                          "balancer does not support sticky in upstream "
                          "\"%V\"", &us->host);
        }

        return NGX_OK;
    }

    rc = ngx_http_duplex_sticky_value(r, scf->lookup, &value);

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (rc == NGX_DECLINED && scf->zone == NULL) {
        return NGX_OK;
    }

    sticky = ngx_pcalloc(r->pool, sizeof(ngx_http_duplex_sticky_t));
    if (sticky == NULL) {
        return NGX_ERROR;
    }

    sticky->request = r;
    sticky->conf = scf;

    if (rc == NGX_OK) {
        ngx_http_duplex_sticky_look_up(sticky, &value);
    }

    if (scf->header) {
        ngx_http_set_ctx(r, sticky, ngx_http_duplex_sticky_module);
    }

    ngx_http_duplex_sticky_wrap(sticky);

    return NGX_OK;
}


static void
ngx_http_duplex_sticky_look_up(ngx_http_duplex_sticky_t *sticky,
    ngx_str_t *value)
{
    ngx_http_duplex_sticky_conf_t  *scf;

    scf = sticky->conf;

    if (scf->zone == NULL) {
        sticky->route = *value;
        return;
    }

    ngx_duplex_session_name(&sticky->session, &scf->key, value);
    sticky->named = 1;

    if (ngx_duplex_session_find(scf->zone, &sticky->session) != NGX_OK) {
        return;
    }

    sticky->found = 1;
    sticky->bound = (ngx_duplex_peer_by_hash(scf->group,
                                             sticky->session.server)
                     != NULL);
}


/* NGX_OK, NGX_DECLINED: all are empty; NGX_ERROR */

static ngx_int_t
ngx_http_duplex_sticky_value(ngx_http_request_t *r, ngx_array_t *variables,
    ngx_str_t *value)
{
    ngx_int_t                  *index;
    ngx_uint_t                  i;
    ngx_http_variable_value_t  *vv;

    index = variables->elts;

    for (i = 0; i < variables->nelts; i++) {

        /* what an earlier attempt answered must not count for this one */

        vv = ngx_http_get_flushed_variable(r, index[i]);

        if (vv == NULL) {
            return NGX_ERROR;
        }

        if (vv->not_found || vv->len == 0) {
            continue;
        }

        value->data = vv->data;
        value->len = vv->len;

        return NGX_OK;
    }

    return NGX_DECLINED;
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

    ngx_int_t  rc;

    sticky->taken = 0;

    rc = sticky->conf->zone ? ngx_http_duplex_sticky_get_session(sticky)
                            : ngx_http_duplex_sticky_get_route(sticky);

    if (rc == NGX_OK) {
        return NGX_OK;
    }

    return sticky->get(pc, sticky->data);
}


/* a route may name several peers: a name has many addresses */

static ngx_int_t
ngx_http_duplex_sticky_get_route(ngx_http_duplex_sticky_t *sticky)
{
    ngx_duplex_peer_t              *peer;
    ngx_http_duplex_sticky_conf_t  *scf;

    scf = sticky->conf;

    for (peer = ngx_duplex_peer_first(scf->group);
         peer;
         peer = ngx_duplex_peer_next(peer))
    {
        if (peer->sid.len != sticky->route.len
            || ngx_memcmp(peer->sid.data, sticky->route.data,
                          sticky->route.len)
               != 0)
        {
            continue;
        }

        if (scf->upstream->take(sticky->request, sticky->data, peer)
            == NGX_OK)
        {
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_duplex_sticky_get_session(ngx_http_duplex_sticky_t *sticky)
{
    ngx_duplex_peer_t              *peer;
    ngx_http_duplex_sticky_conf_t  *scf;

    scf = sticky->conf;

    if (!sticky->bound) {
        return NGX_DECLINED;
    }

    peer = ngx_duplex_peer_by_hash(scf->group, sticky->session.server);

    if (peer == NULL
        || scf->upstream->take(sticky->request, sticky->data, peer) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    sticky->taken = peer->hash;

    /* a use prolongs it, but not every use is worth a message to the others */

    if (sticky->session.left < scf->timeout - scf->timeout / 4) {
        ngx_http_duplex_sticky_keep(sticky, &sticky->session, peer);
    }

    return NGX_OK;
}


static void
ngx_http_duplex_sticky_free(ngx_peer_connection_t *pc, void *data,
    ngx_uint_t state)
{
    ngx_http_duplex_sticky_t  *sticky = data;

    if (sticky->conf->zone && !(state & (NGX_PEER_FAILED|NGX_PEER_NEXT))) {
        ngx_http_duplex_sticky_learn(sticky);
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
ngx_http_duplex_sticky_learn(ngx_http_duplex_sticky_t *sticky)
{
    ngx_int_t                       rc;
    ngx_str_t                       value;
    ngx_duplex_peer_t              *peer;
    ngx_http_request_t             *r;
    ngx_duplex_session_t            created;
    ngx_http_duplex_sticky_conf_t  *scf;

    r = sticky->request;
    scf = sticky->conf;

    if (sticky->learned || r->upstream->headers_in.status_n == 0) {
        return;
    }

    sticky->learned = 1;

    peer = sticky->taken
           ? ngx_duplex_peer_by_hash(scf->group, sticky->taken)
           : scf->upstream->selected(scf->group, sticky->data);

    if (peer == NULL) {
        return;
    }

    rc = ngx_http_duplex_sticky_value(r, scf->create, &value);

    if (rc == NGX_OK) {
        ngx_duplex_session_name(&created, &scf->key, &value);

        if (!sticky->named
            || ngx_memcmp(created.key, sticky->session.key,
                          NGX_DUPLEX_SESSION_KEY_LEN)
               != 0)
        {
            ngx_http_duplex_sticky_keep(sticky, &created, peer);
            return;
        }

        if (!sticky->found) {
            ngx_http_duplex_sticky_keep(sticky, &sticky->session, peer);
            return;
        }
    }

    /*
     * Nodes that disagree about two servers would take the session from each
     * other with every request: what the other has just decided stands.
     */

    if (sticky->found
        && sticky->bound
        && sticky->session.server != peer->hash
        && !sticky->session.fresh)
    {
        ngx_http_duplex_sticky_keep(sticky, &sticky->session, peer);
    }
}


static void
ngx_http_duplex_sticky_keep(ngx_http_duplex_sticky_t *sticky,
    ngx_duplex_session_t *session, ngx_duplex_peer_t *peer)
{
    ngx_http_duplex_sticky_conf_t  *scf;

    scf = sticky->conf;

    ngx_log_debug2(NGX_LOG_DEBUG_HTTP, sticky->request->connection->log, 0,
                   "sticky session in \"%V\" bound to %V",
                   &scf->zone->name, &peer->name);

    session->server = peer->hash;

    /* refused for want of memory: logged by the store, and no session */

    (void) ngx_duplex_session_bind(scf->zone, session, scf->timeout);
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

    if (sticky && r->upstream && r->upstream->peer.sockaddr) {
        ngx_http_duplex_sticky_learn(sticky);
    }

    return ngx_http_duplex_sticky_next_filter(r);
}
