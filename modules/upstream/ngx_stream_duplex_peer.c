
/*
 * A session and its peer, where peers come and go: what ngx_http_duplex_peer.c
 * does for requests.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>
#include "ngx_duplex_held.h"
#include "ngx_duplex_stock.h"
#include "ngx_stream_duplex_driver.h"



#define NGX_STREAM_DUPLEX_PEER_TURNS  8


typedef struct {
    ngx_stream_session_t            *session;
    ngx_stream_upstream_srv_conf_t    *upstream;
    ngx_uint_t                       generation;

    /* the balancer's */
    void                            *data;
    ngx_event_get_peer_pt            get;
    ngx_event_free_peer_pt           free;
    ngx_event_notify_peer_pt         notify;
#if (NGX_STREAM_SSL)
    ngx_event_set_peer_session_pt    set_session;
    ngx_event_save_peer_session_pt   save_session;
#endif
} ngx_stream_duplex_peer_data_t;


static ngx_int_t ngx_stream_duplex_peer_prepare(
    ngx_stream_duplex_peer_data_t *peer);
static ngx_int_t ngx_stream_duplex_peer_prepare_again(
    ngx_stream_duplex_peer_data_t *peer);
static ngx_uint_t ngx_stream_duplex_peer_is_stale(
    ngx_stream_duplex_peer_data_t *peer);
static ngx_int_t ngx_stream_duplex_peer_get(ngx_peer_connection_t *pc,
    void *data);
static void ngx_stream_duplex_peer_free(ngx_peer_connection_t *pc, void *data,
    ngx_uint_t state);
static void ngx_stream_duplex_peer_notify(ngx_peer_connection_t *pc, void *data,
    ngx_uint_t type);
#if (NGX_STREAM_SSL)
static ngx_int_t ngx_stream_duplex_peer_set_session(ngx_peer_connection_t *pc,
    void *data);
static void ngx_stream_duplex_peer_save_session(ngx_peer_connection_t *pc,
    void *data);
#endif


ngx_int_t
ngx_stream_duplex_peer_init(ngx_stream_session_t *s,
    ngx_stream_upstream_srv_conf_t *us)
{
    ngx_peer_connection_t        *pc;
    ngx_stream_duplex_peer_data_t  *peer;

    peer = ngx_palloc(s->connection->pool,
                      sizeof(ngx_stream_duplex_peer_data_t));
    if (peer == NULL) {
        return NGX_ERROR;
    }

    peer->session = s;
    peer->upstream = us;

    if (ngx_stream_duplex_peer_prepare(peer) != NGX_OK) {
        return NGX_ERROR;
    }

    pc = &s->upstream->peer;

    /* a third party's balancer has peers of its own */

    if (pc->free != ngx_stream_upstream_free_round_robin_peer) {
        return NGX_OK;
    }

    pc->data = peer;
    pc->get = ngx_stream_duplex_peer_get;
    pc->free = ngx_stream_duplex_peer_free;

    if (pc->notify) {
        pc->notify = ngx_stream_duplex_peer_notify;
    }

#if (NGX_STREAM_SSL)
    pc->set_session = ngx_stream_duplex_peer_set_session;
    pc->save_session = ngx_stream_duplex_peer_save_session;
#endif

    return NGX_OK;
}


ngx_uint_t
ngx_stream_duplex_peer_is_stock(ngx_stream_session_t *s)
{
    return s->upstream->peer.free == ngx_stream_duplex_peer_free;
}


ngx_stream_upstream_rr_peer_data_t *
ngx_stream_duplex_peer_balancer(void *data, ngx_uint_t fresh)
{
    ngx_stream_duplex_peer_data_t *peer = data;

    if (fresh && ngx_stream_duplex_peer_is_stale(peer)) {
        (void) ngx_stream_duplex_peer_prepare_again(peer);
    }

    return peer->data;
}


static ngx_int_t
ngx_stream_duplex_peer_prepare(ngx_stream_duplex_peer_data_t *peer)
{
    ngx_peer_connection_t                *pc;
    ngx_stream_duplex_upstream_srv_conf_t  *uscf;

    uscf = ngx_stream_conf_upstream_srv_conf(peer->upstream,
                                           ngx_stream_duplex_upstream_module);

    peer->generation = *uscf->group->generation;

    if (ngx_duplex_balancer_refresh(uscf->group) != NGX_OK
        || uscf->init_peer(peer->session, peer->upstream) != NGX_OK)
    {
        return NGX_ERROR;
    }

    pc = &peer->session->upstream->peer;

    peer->data = pc->data;
    peer->get = pc->get;
    peer->free = pc->free;
    peer->notify = pc->notify;
#if (NGX_STREAM_SSL)
    peer->set_session = pc->set_session;
    peer->save_session = pc->save_session;
#endif

    return NGX_OK;
}


/* whoever is wrapped around us stays, and tries are not given back */

static ngx_int_t
ngx_stream_duplex_peer_prepare_again(ngx_stream_duplex_peer_data_t *peer)
{
    ngx_int_t               rc;
    ngx_peer_connection_t  *pc, own;

    pc = &peer->session->upstream->peer;

    own = *pc;
    pc->data = NULL;

    rc = ngx_stream_duplex_peer_prepare(peer);

    pc->data = own.data;
    pc->get = own.get;
    pc->free = own.free;
    pc->notify = own.notify;
#if (NGX_STREAM_SSL)
    pc->set_session = own.set_session;
    pc->save_session = own.save_session;
#endif
    pc->tries = ngx_max(own.tries, 1);

    return rc;
}


static ngx_int_t
ngx_stream_duplex_peer_get(ngx_peer_connection_t *pc, void *data)
{
    ngx_stream_duplex_peer_data_t *peer = data;

    ngx_int_t                            rc;
    ngx_uint_t                           i;
    ngx_stream_upstream_rr_peer_data_t  *rrp;

    for (i = 0; i < NGX_STREAM_DUPLEX_PEER_TURNS; i++) {

        rc = peer->get(pc, peer->data);

        if (rc == NGX_OK) {
            rrp = peer->data;
            ngx_duplex_held_take(rrp->current);

            return ngx_stream_duplex_peer_copy(peer->session);
        }

        if (rc != NGX_BUSY || !ngx_stream_duplex_peer_is_stale(peer)) {
            return rc;
        }

        ngx_log_debug0(NGX_LOG_DEBUG_STREAM, pc->log, 0,
                       "duplex: members have changed, selecting again");

        if (ngx_stream_duplex_peer_prepare_again(peer) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_BUSY;
}


static ngx_uint_t
ngx_stream_duplex_peer_is_stale(ngx_stream_duplex_peer_data_t *peer)
{
    ngx_stream_duplex_upstream_srv_conf_t  *uscf;

    uscf = ngx_stream_conf_upstream_srv_conf(peer->upstream,
                                           ngx_stream_duplex_upstream_module);

    return peer->generation != *uscf->group->generation;
}


/* stock logs and sends these long after it has let the peer go */

ngx_int_t
ngx_stream_duplex_peer_copy(ngx_stream_session_t *s)
{
    u_char                 *p;
    ngx_str_t              *name;
    struct sockaddr        *sockaddr;
    ngx_peer_connection_t  *pc;

    pc = &s->upstream->peer;

    sockaddr = ngx_palloc(s->connection->pool,
                          ngx_align(pc->socklen, NGX_ALIGNMENT)
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


static void
ngx_stream_duplex_peer_free(ngx_peer_connection_t *pc, void *data,
    ngx_uint_t state)
{
    ngx_stream_duplex_peer_data_t *peer = data;

    ngx_stream_upstream_rr_peer_data_t  *rrp;

    rrp = peer->data;

    if (rrp->current) {
        ngx_duplex_held_leave(rrp->current);
    }

    peer->free(pc, peer->data, state);
}


static void
ngx_stream_duplex_peer_notify(ngx_peer_connection_t *pc, void *data,
    ngx_uint_t type)
{
    ngx_stream_duplex_peer_data_t *peer = data;

    peer->notify(pc, peer->data, type);
}


#if (NGX_STREAM_SSL)

static ngx_int_t
ngx_stream_duplex_peer_set_session(ngx_peer_connection_t *pc, void *data)
{
    ngx_stream_duplex_peer_data_t *peer = data;

    return peer->set_session(pc, peer->data);
}


static void
ngx_stream_duplex_peer_save_session(ngx_peer_connection_t *pc, void *data)
{
    ngx_stream_duplex_peer_data_t *peer = data;

    peer->save_session(pc, peer->data);
}

#endif
