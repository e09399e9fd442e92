
/*
 * "sticky" in a session of stream: the server its client went to the last
 * time.  It is remembered when the connection to the server stands, and
 * again when the session ends, so that its time begins then.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>
#include "ngx_stream_duplex_sticky.h"


typedef struct {
    ngx_stream_session_t             *stream;
    ngx_stream_duplex_sticky_conf_t  *conf;
    ngx_duplex_session_t              session;

    unsigned                          stored:1;     /* there is such one */
    unsigned                          found:1;      /* its server is here */
    unsigned                          taken:1;      /* in this attempt */
    unsigned                          connected:1;
    unsigned                          counted:1;

    /* the balancer's */
    void                             *data;
    ngx_event_get_peer_pt             get;
    ngx_event_free_peer_pt            free;
    ngx_event_notify_peer_pt          notify;
#if (NGX_STREAM_SSL)
    ngx_event_set_peer_session_pt     set_session;
    ngx_event_save_peer_session_pt    save_session;
#endif
} ngx_stream_duplex_sticky_t;


static ngx_int_t ngx_stream_duplex_sticky_value(ngx_stream_session_t *s,
    ngx_array_t *lookup, ngx_str_t *value);
static ngx_int_t ngx_stream_duplex_sticky_get(ngx_peer_connection_t *pc,
    void *data);
static ngx_int_t ngx_stream_duplex_sticky_take(
    ngx_stream_duplex_sticky_t *sticky);
static void ngx_stream_duplex_sticky_free(ngx_peer_connection_t *pc,
    void *data, ngx_uint_t state);
static void ngx_stream_duplex_sticky_notify(ngx_peer_connection_t *pc,
    void *data, ngx_uint_t type);
static void ngx_stream_duplex_sticky_keep(ngx_stream_duplex_sticky_t *sticky);
#if (NGX_STREAM_SSL)
static ngx_int_t ngx_stream_duplex_sticky_set_session(
    ngx_peer_connection_t *pc, void *data);
static void ngx_stream_duplex_sticky_save_session(ngx_peer_connection_t *pc,
    void *data);
#endif


ngx_int_t
ngx_stream_duplex_sticky_init_peer(ngx_stream_session_t *s,
    ngx_stream_upstream_srv_conf_t *us)
{
    ngx_int_t                         rc;
    ngx_str_t                         value;
    ngx_peer_connection_t            *pc;
    ngx_stream_duplex_sticky_t       *sticky;
    ngx_stream_duplex_sticky_conf_t  *scf;

    scf = ngx_stream_conf_upstream_srv_conf(us,
                                            ngx_stream_duplex_sticky_module);

    if (!scf->upstream->stock(s)) {

        if (!scf->warned) {
            scf->warned = 1;
            ngx_log_error(NGX_LOG_WARN, s->connection->log, 0,
                          "balancer does not support sticky in upstream "
                          "\"%V\"", &us->host);
        }

        return NGX_OK;
    }

    rc = ngx_stream_duplex_sticky_value(s, scf->lookup, &value);

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (rc == NGX_DECLINED) {
        ngx_duplex_sticky_count(&scf->sticky, ngx_duplex_sticky_new);
        return NGX_OK;
    }

    sticky = ngx_pcalloc(s->connection->pool,
                         sizeof(ngx_stream_duplex_sticky_t));
    if (sticky == NULL) {
        return NGX_ERROR;
    }

    sticky->stream = s;
    sticky->conf = scf;

    ngx_duplex_session_name(&sticky->session, &scf->sticky.hash_key, &value);

    sticky->stored = ngx_duplex_session_find(scf->sticky.zone,
                                             &sticky->session)
                     == NGX_OK;

    pc = &s->upstream->peer;

    sticky->data = pc->data;
    sticky->get = pc->get;
    sticky->free = pc->free;
    sticky->notify = pc->notify;

    pc->data = sticky;
    pc->get = ngx_stream_duplex_sticky_get;
    pc->free = ngx_stream_duplex_sticky_free;
    pc->notify = ngx_stream_duplex_sticky_notify;

#if (NGX_STREAM_SSL)
    sticky->set_session = pc->set_session;
    sticky->save_session = pc->save_session;

    pc->set_session = ngx_stream_duplex_sticky_set_session;
    pc->save_session = ngx_stream_duplex_sticky_save_session;
#endif

    return NGX_OK;
}


/* NGX_OK, NGX_DECLINED: all are empty; NGX_ERROR */

static ngx_int_t
ngx_stream_duplex_sticky_value(ngx_stream_session_t *s, ngx_array_t *lookup,
    ngx_str_t *value)
{
    ngx_int_t                    *index;
    ngx_uint_t                    i;
    ngx_stream_variable_value_t  *vv;

    index = lookup->elts;

    for (i = 0; i < lookup->nelts; i++) {

        vv = ngx_stream_get_flushed_variable(s, index[i]);

        if (vv == NULL) {
            return NGX_ERROR;
        }

        if (!vv->not_found && vv->len) {
            value->data = vv->data;
            value->len = vv->len;
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_stream_duplex_sticky_get(ngx_peer_connection_t *pc, void *data)
{
    ngx_stream_duplex_sticky_t *sticky = data;

    sticky->taken = 0;

    if (sticky->stored && ngx_stream_duplex_sticky_take(sticky) == NGX_OK) {
        sticky->taken = 1;
    }

    if (!sticky->counted) {
        sticky->counted = 1;
        ngx_duplex_sticky_count(&sticky->conf->sticky,
                                !sticky->stored ? ngx_duplex_sticky_new
                                : !sticky->found ? ngx_duplex_sticky_miss
                                : sticky->taken ? ngx_duplex_sticky_hit
                                : ngx_duplex_sticky_rebound);
    }

    if (sticky->taken) {
        return NGX_OK;
    }

    if (sticky->found && sticky->conf->strict) {
        ngx_log_error(NGX_LOG_ERR, pc->log, 0,
                      "the server of this session is not available");

        /* stock copies the name since 1.27.3, also of nobody */

        pc->name = &sticky->conf->sticky.group->name;

        return NGX_BUSY;
    }

    return sticky->get(pc, sticky->data);
}


static ngx_int_t
ngx_stream_duplex_sticky_take(ngx_stream_duplex_sticky_t *sticky)
{
    ngx_duplex_peer_t                *peer;
    ngx_stream_duplex_sticky_conf_t  *scf;

    scf = sticky->conf;

    peer = ngx_duplex_peer_by_hash(scf->sticky.group, sticky->session.server);

    if (peer == NULL) {
        sticky->found = 0;
        return NGX_DECLINED;
    }

    sticky->found = 1;

    return scf->upstream->take(sticky->stream, sticky->data, peer);
}


static void
ngx_stream_duplex_sticky_free(ngx_peer_connection_t *pc, void *data,
    ngx_uint_t state)
{
    ngx_stream_duplex_sticky_t *sticky = data;

    if (sticky->connected && !(state & NGX_PEER_FAILED)) {
        ngx_stream_duplex_sticky_keep(sticky);
    }

    sticky->connected = 0;
    sticky->free(pc, sticky->data, state);
}


static void
ngx_stream_duplex_sticky_notify(ngx_peer_connection_t *pc, void *data,
    ngx_uint_t type)
{
    ngx_stream_duplex_sticky_t *sticky = data;

    if (type == NGX_STREAM_UPSTREAM_NOTIFY_CONNECT) {
        sticky->connected = 1;
        ngx_stream_duplex_sticky_keep(sticky);
    }

    if (sticky->notify) {
        sticky->notify(pc, sticky->data, type);
    }
}


/*
 * As for http: a session of a server that is in another node's file stays,
 * what another node has just decided stands, and not every use is a change.
 */

static void
ngx_stream_duplex_sticky_keep(ngx_stream_duplex_sticky_t *sticky)
{
    ngx_msec_t                  timeout;
    ngx_duplex_peer_t          *peer;
    ngx_duplex_session_t       *session;
    ngx_duplex_sticky_group_t  *group;

    group = &sticky->conf->sticky;
    session = &sticky->session;
    timeout = group->timeout;

    if (sticky->stored && !sticky->found) {
        return;
    }

    peer = sticky->conf->upstream->selected(group->group, sticky->data);

    if (peer == NULL) {
        return;
    }

    /* it may have begun, or moved, or ended, while this one was under way */

    sticky->stored = ngx_duplex_session_find(group->zone, session) == NGX_OK;
    sticky->found = 1;

    if (sticky->stored
        && (session->server == peer->hash
            ? session->left >= timeout - timeout / 4
            : session->fresh))
    {
        return;
    }

    session->server = peer->hash;

    /* refused for want of memory: logged by the store, and no session */

    (void) ngx_duplex_session_bind(group->zone, session, timeout);
}


#if (NGX_STREAM_SSL)

static ngx_int_t
ngx_stream_duplex_sticky_set_session(ngx_peer_connection_t *pc, void *data)
{
    ngx_stream_duplex_sticky_t *sticky = data;

    return sticky->set_session(pc, sticky->data);
}


static void
ngx_stream_duplex_sticky_save_session(ngx_peer_connection_t *pc, void *data)
{
    ngx_stream_duplex_sticky_t *sticky = data;

    sticky->save_session(pc, sticky->data);
}

#endif
