
/*
 * See the header.
 *
 * Peer selection is wrapped as the outermost, so that a session is known to be
 * bound once it has an address.  It ends as stock ends one whose worker must
 * leave (worker_shutdown_timeout): "close" of the client's connection, and an
 * event for its handler.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>
#include "ngx_duplex_bound.h"
#include "ngx_stream_duplex_drop.h"


typedef struct {
    ngx_duplex_bound_t               bound;     /* the first: see end() */
    ngx_stream_session_t            *session;
    unsigned                         known:1;   /* "bound" is in the list */

    /* the wrapped one's */
    void                            *data;
    ngx_event_get_peer_pt            get;
    ngx_event_free_peer_pt           free;
    ngx_event_notify_peer_pt         notify;
    ngx_event_set_peer_session_pt    set_session;
    ngx_event_save_peer_session_pt   save_session;
} ngx_stream_duplex_drop_t;


static ngx_int_t ngx_stream_duplex_drop_init_peer(ngx_stream_session_t *s,
    ngx_stream_upstream_srv_conf_t *us);
static ngx_int_t ngx_stream_duplex_drop_get(ngx_peer_connection_t *pc,
    void *data);
static void ngx_stream_duplex_drop_free(ngx_peer_connection_t *pc, void *data,
    ngx_uint_t state);
static void ngx_stream_duplex_drop_notify(ngx_peer_connection_t *pc,
    void *data, ngx_uint_t type);
static ngx_int_t ngx_stream_duplex_drop_set_session(ngx_peer_connection_t *pc,
    void *data);
static void ngx_stream_duplex_drop_save_session(ngx_peer_connection_t *pc,
    void *data);
static void ngx_stream_duplex_drop_end(ngx_duplex_bound_t *bound);
static void ngx_stream_duplex_drop_cleanup(void *data);


static ngx_duplex_contributor_t  ngx_stream_duplex_drop_contributor = {
    NULL,                                  /* bits */
    NULL,                                  /* state */
    NULL,                                  /* fields */
    NULL,                                  /* added */
    ngx_duplex_bound_end                   /* removed */
};


/* of the configuration that needs it */
static ngx_cycle_t  *ngx_stream_duplex_drop_cycle;


ngx_int_t
ngx_stream_duplex_drop_register(ngx_conf_t *cf)
{
    /* a cycle that failed may have had the same address */

    ngx_stream_duplex_drop_cycle = NULL;

    return ngx_duplex_register_contributor(cf,
                                          &ngx_stream_duplex_drop_contributor);
}


void
ngx_stream_duplex_drop_need(ngx_conf_t *cf)
{
    ngx_stream_duplex_drop_cycle = cf->cycle;
}


void
ngx_stream_duplex_drop_wrap(ngx_conf_t *cf, ngx_stream_upstream_srv_conf_t *us,
    ngx_duplex_group_t *group)
{
    ngx_stream_duplex_upstream_srv_conf_t  *uscf;

    if (ngx_stream_duplex_drop_cycle != cf->cycle || group->shm.len == 0) {
        return;
    }

    uscf = ngx_stream_conf_upstream_srv_conf(us,
                                            ngx_stream_duplex_upstream_module);

    uscf->drop_init_peer = us->peer.init;

    us->peer.init = ngx_stream_duplex_drop_init_peer;
}


static ngx_int_t
ngx_stream_duplex_drop_init_peer(ngx_stream_session_t *s,
    ngx_stream_upstream_srv_conf_t *us)
{
    ngx_pool_cleanup_t                     *cln;
    ngx_peer_connection_t                  *pc;
    ngx_stream_duplex_drop_t               *drop;
    ngx_stream_duplex_upstream_srv_conf_t  *uscf, *scf;

    uscf = ngx_stream_conf_upstream_srv_conf(us,
                                            ngx_stream_duplex_upstream_module);

    if (uscf->drop_init_peer(s, us) != NGX_OK) {
        return NGX_ERROR;
    }

    scf = ngx_stream_get_module_srv_conf(s, ngx_stream_duplex_upstream_module);

    if (!scf->session_drop) {
        return NGX_OK;
    }

    cln = ngx_pool_cleanup_add(s->connection->pool,
                               sizeof(ngx_stream_duplex_drop_t));
    if (cln == NULL) {
        return NGX_ERROR;
    }

    drop = cln->data;
    ngx_memzero(drop, sizeof(ngx_stream_duplex_drop_t));

    cln->handler = ngx_stream_duplex_drop_cleanup;

    drop->session = s;
    drop->bound.group = uscf->group;
    drop->bound.end = ngx_stream_duplex_drop_end;

    pc = &s->upstream->peer;

    drop->data = pc->data;
    drop->get = pc->get;
    drop->free = pc->free;
    drop->notify = pc->notify;
    drop->set_session = pc->set_session;
    drop->save_session = pc->save_session;

    pc->data = drop;
    pc->get = ngx_stream_duplex_drop_get;
    pc->free = ngx_stream_duplex_drop_free;

    if (drop->notify) {
        pc->notify = ngx_stream_duplex_drop_notify;
    }

    if (drop->set_session) {
        pc->set_session = ngx_stream_duplex_drop_set_session;
        pc->save_session = ngx_stream_duplex_drop_save_session;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_stream_duplex_drop_get(ngx_peer_connection_t *pc, void *data)
{
    ngx_stream_duplex_drop_t  *drop = data;

    ngx_int_t  rc;

    rc = drop->get(pc, drop->data);

    if (rc == NGX_OK && !drop->known) {
        ngx_memcpy(&drop->bound.sockaddr, pc->sockaddr, pc->socklen);
        drop->bound.socklen = pc->socklen;

        ngx_duplex_bound_add(&drop->bound);
        drop->known = 1;
    }

    return rc;
}


static void
ngx_stream_duplex_drop_free(ngx_peer_connection_t *pc, void *data,
    ngx_uint_t state)
{
    ngx_stream_duplex_drop_t  *drop = data;

    ngx_stream_duplex_drop_cleanup(drop);

    drop->free(pc, drop->data, state);
}


static void
ngx_stream_duplex_drop_notify(ngx_peer_connection_t *pc, void *data,
    ngx_uint_t type)
{
    ngx_stream_duplex_drop_t  *drop = data;

    drop->notify(pc, drop->data, type);
}


static ngx_int_t
ngx_stream_duplex_drop_set_session(ngx_peer_connection_t *pc, void *data)
{
    ngx_stream_duplex_drop_t  *drop = data;

    return drop->set_session(pc, drop->data);
}


static void
ngx_stream_duplex_drop_save_session(ngx_peer_connection_t *pc, void *data)
{
    ngx_stream_duplex_drop_t  *drop = data;

    drop->save_session(pc, drop->data);
}


static void
ngx_stream_duplex_drop_end(ngx_duplex_bound_t *bound)
{
    ngx_connection_t          *c;
    ngx_stream_duplex_drop_t  *drop;

    drop = (ngx_stream_duplex_drop_t *) bound;
    drop->known = 0;

    c = drop->session->connection;

    ngx_log_error(NGX_LOG_INFO, c->log, 0,
                  "session dropped: its server is down or was removed");

    c->close = 1;

    ngx_post_event(c->read, &ngx_posted_events);
}


static void
ngx_stream_duplex_drop_cleanup(void *data)
{
    ngx_stream_duplex_drop_t  *drop = data;

    if (drop->known) {
        drop->known = 0;
        ngx_duplex_bound_remove(&drop->bound);
    }
}
