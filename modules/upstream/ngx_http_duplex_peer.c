
/*
 * A request and its peer, where peers come and go.
 *
 * Stands right above stock's balancer and below all else.  It does two things
 * that stock leaves out: a request that was prepared before a change of
 * membership, and finds nothing because of that, is prepared again; and the
 * name and address of a peer are copied, for the request may outlast it.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "ngx_duplex_held.h"
#include "ngx_duplex_stock.h"
#include "ngx_http_duplex_driver.h"
#include "ngx_http_duplex_peer.h"
#include "ngx_http_duplex_upstream_conf.h"


#define NGX_HTTP_DUPLEX_PEER_TURNS  8


typedef struct {
    ngx_http_request_t              *request;
    ngx_http_upstream_srv_conf_t    *upstream;
    ngx_uint_t                       generation;

    /* the balancer's */
    void                            *data;
    ngx_event_get_peer_pt            get;
    ngx_event_free_peer_pt           free;
    ngx_event_notify_peer_pt         notify;
#if (NGX_HTTP_SSL)
    ngx_event_set_peer_session_pt    set_session;
    ngx_event_save_peer_session_pt   save_session;
#endif
} ngx_http_duplex_peer_data_t;


static ngx_int_t ngx_http_duplex_peer_prepare(
    ngx_http_duplex_peer_data_t *peer);
static ngx_int_t ngx_http_duplex_peer_prepare_again(
    ngx_http_duplex_peer_data_t *peer);
static ngx_uint_t ngx_http_duplex_peer_is_stale(
    ngx_http_duplex_peer_data_t *peer);
static ngx_int_t ngx_http_duplex_peer_get(ngx_peer_connection_t *pc,
    void *data);
static void ngx_http_duplex_peer_free(ngx_peer_connection_t *pc, void *data,
    ngx_uint_t state);
static void ngx_http_duplex_peer_notify(ngx_peer_connection_t *pc, void *data,
    ngx_uint_t type);
#if (NGX_HTTP_SSL)
static ngx_int_t ngx_http_duplex_peer_set_session(ngx_peer_connection_t *pc,
    void *data);
static void ngx_http_duplex_peer_save_session(ngx_peer_connection_t *pc,
    void *data);
#endif


ngx_int_t
ngx_http_duplex_peer_init(ngx_http_request_t *r,
    ngx_http_upstream_srv_conf_t *us)
{
    ngx_peer_connection_t        *pc;
    ngx_http_duplex_peer_data_t  *peer;

    peer = ngx_palloc(r->pool, sizeof(ngx_http_duplex_peer_data_t));
    if (peer == NULL) {
        return NGX_ERROR;
    }

    peer->request = r;
    peer->upstream = us;

    if (ngx_http_duplex_peer_prepare(peer) != NGX_OK) {
        return NGX_ERROR;
    }

    pc = &r->upstream->peer;

    /* a third party's balancer has peers of its own */

    if (pc->free != ngx_http_upstream_free_round_robin_peer) {
        return NGX_OK;
    }

    pc->data = peer;
    pc->get = ngx_http_duplex_peer_get;
    pc->free = ngx_http_duplex_peer_free;

    if (pc->notify) {
        pc->notify = ngx_http_duplex_peer_notify;
    }

#if (NGX_HTTP_SSL)
    pc->set_session = ngx_http_duplex_peer_set_session;
    pc->save_session = ngx_http_duplex_peer_save_session;
#endif

    return NGX_OK;
}


static ngx_int_t
ngx_http_duplex_peer_prepare(ngx_http_duplex_peer_data_t *peer)
{
    ngx_peer_connection_t                *pc;
    ngx_http_duplex_upstream_srv_conf_t  *uscf;

    uscf = ngx_http_conf_upstream_srv_conf(peer->upstream,
                                           ngx_http_duplex_upstream_module);

    peer->generation = *uscf->group->generation;

    if (ngx_duplex_balancer_refresh(uscf->group) != NGX_OK
        || uscf->init_peer(peer->request, peer->upstream) != NGX_OK)
    {
        return NGX_ERROR;
    }

    pc = &peer->request->upstream->peer;

    peer->data = pc->data;
    peer->get = pc->get;
    peer->free = pc->free;
    peer->notify = pc->notify;
#if (NGX_HTTP_SSL)
    peer->set_session = pc->set_session;
    peer->save_session = pc->save_session;
#endif

    return NGX_OK;
}


/* whoever is wrapped around us stays, and tries are not given back */

static ngx_int_t
ngx_http_duplex_peer_prepare_again(ngx_http_duplex_peer_data_t *peer)
{
    ngx_int_t               rc;
    ngx_peer_connection_t  *pc, own;

    pc = &peer->request->upstream->peer;

    own = *pc;
    pc->data = NULL;

    rc = ngx_http_duplex_peer_prepare(peer);

    pc->data = own.data;
    pc->get = own.get;
    pc->free = own.free;
    pc->notify = own.notify;
#if (NGX_HTTP_SSL)
    pc->set_session = own.set_session;
    pc->save_session = own.save_session;
#endif
    pc->tries = ngx_max(own.tries, 1);

    return rc;
}


static ngx_int_t
ngx_http_duplex_peer_get(ngx_peer_connection_t *pc, void *data)
{
    ngx_http_duplex_peer_data_t *peer = data;

    ngx_int_t                          rc;
    ngx_uint_t                         i;
    ngx_http_upstream_rr_peer_data_t  *rrp;

    for (i = 0; i < NGX_HTTP_DUPLEX_PEER_TURNS; i++) {

        rc = peer->get(pc, peer->data);

        if (rc == NGX_OK) {
            rrp = peer->data;
            ngx_duplex_held_take(rrp->current);

            return ngx_http_duplex_peer_copy(peer->request);
        }

        if (rc != NGX_BUSY || !ngx_http_duplex_peer_is_stale(peer)) {
            return rc;
        }

        ngx_log_debug0(NGX_LOG_DEBUG_HTTP, pc->log, 0,
                       "duplex: members have changed, selecting again");

        if (ngx_http_duplex_peer_prepare_again(peer) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_BUSY;
}


static ngx_uint_t
ngx_http_duplex_peer_is_stale(ngx_http_duplex_peer_data_t *peer)
{
    ngx_http_duplex_upstream_srv_conf_t  *uscf;

    uscf = ngx_http_conf_upstream_srv_conf(peer->upstream,
                                           ngx_http_duplex_upstream_module);

    return peer->generation != *uscf->group->generation;
}


/* stock logs and sends these long after it has let the peer go */

ngx_int_t
ngx_http_duplex_peer_copy(ngx_http_request_t *r)
{
    u_char                 *p;
    ngx_str_t              *name;
    struct sockaddr        *sockaddr;
    ngx_peer_connection_t  *pc;

    pc = &r->upstream->peer;

    sockaddr = ngx_palloc(r->pool, ngx_align(pc->socklen, NGX_ALIGNMENT)
                                   + sizeof(ngx_str_t) + pc->name->len);
    if (sockaddr == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(sockaddr, pc->sockaddr, pc->socklen);

    p = (u_char *) sockaddr + ngx_align(pc->socklen, NGX_ALIGNMENT);
    name = (ngx_str_t *) p;

    name->data = p + sizeof(ngx_str_t);
    name->len = pc->name->len;
    ngx_memcpy(name->data, pc->name->data, name->len);

    pc->sockaddr = sockaddr;
    pc->name = name;

    return NGX_OK;
}


void *
ngx_http_duplex_peer_balancer(ngx_duplex_group_t *group, void *data,
    ngx_uint_t fresh)
{
    ngx_http_duplex_peer_data_t *peer = data;

    if (group->generation == NULL) {
        return data;
    }

    if (fresh && ngx_http_duplex_peer_is_stale(peer)) {
        (void) ngx_http_duplex_peer_prepare_again(peer);
    }

    return peer->data;
}


ngx_uint_t
ngx_http_duplex_peer_is_stock(ngx_http_request_t *r)
{
    ngx_peer_connection_t  *pc;

    pc = &r->upstream->peer;

    return pc->free == ngx_http_upstream_free_round_robin_peer
           || pc->free == ngx_http_duplex_peer_free;
}


static void
ngx_http_duplex_peer_free(ngx_peer_connection_t *pc, void *data,
    ngx_uint_t state)
{
    ngx_http_duplex_peer_data_t *peer = data;

    ngx_http_upstream_rr_peer_data_t  *rrp;

    rrp = peer->data;

    if (rrp->current) {
        ngx_duplex_held_leave(rrp->current);
    }

    peer->free(pc, peer->data, state);
}


static void
ngx_http_duplex_peer_notify(ngx_peer_connection_t *pc, void *data,
    ngx_uint_t type)
{
    ngx_http_duplex_peer_data_t *peer = data;

    peer->notify(pc, peer->data, type);
}


#if (NGX_HTTP_SSL)

static ngx_int_t
ngx_http_duplex_peer_set_session(ngx_peer_connection_t *pc, void *data)
{
    ngx_http_duplex_peer_data_t *peer = data;

    return peer->set_session(pc, peer->data);
}


static void
ngx_http_duplex_peer_save_session(ngx_peer_connection_t *pc, void *data)
{
    ngx_http_duplex_peer_data_t *peer = data;

    peer->save_session(pc, peer->data);
}

#endif
