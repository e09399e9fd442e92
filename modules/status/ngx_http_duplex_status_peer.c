
/*
 * Counters of the peers of http groups: those with a zone, and only if
 * somebody shows them.
 */


#include "ngx_duplex_attempt.h"
#include "ngx_http_duplex_status_peer.h"


static ngx_int_t ngx_http_duplex_status_peer_init(ngx_http_request_t *r,
    ngx_http_upstream_srv_conf_t *us);
static void ngx_http_duplex_status_peer_count(ngx_duplex_cell_t *cell,
    void *data);


ngx_int_t
ngx_http_duplex_status_peer_bind(ngx_conf_t *cf)
{
    ngx_uint_t                           i;
    ngx_duplex_group_t                  *group;
    ngx_http_upstream_srv_conf_t       **us;
    ngx_http_upstream_main_conf_t       *umcf;
    ngx_http_duplex_status_srv_conf_t   *sscf;

    if (!ngx_duplex_counters_wanted(cf)) {
        return NGX_OK;
    }

    umcf = ngx_http_cycle_get_module_main_conf(cf->cycle,
                                               ngx_http_upstream_module);
    if (umcf == NULL) {
        return NGX_OK;
    }

    us = umcf->upstreams.elts;

    for (i = 0; i < umcf->upstreams.nelts; i++) {

        group = ngx_duplex_group_bound(cf, us[i]);

        if (group == NULL || group->shm.len == 0 || us[i]->srv_conf == NULL) {
            continue;
        }

        if (ngx_duplex_counters_reserve(cf, group->npeers) != NGX_OK) {
            return NGX_ERROR;
        }

        sscf = ngx_http_conf_upstream_srv_conf(us[i],
                                               ngx_http_duplex_status_module);

        sscf->group = group;
        sscf->init_peer = us[i]->peer.init;

        us[i]->peer.init = ngx_http_duplex_status_peer_init;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_duplex_status_peer_init(ngx_http_request_t *r,
    ngx_http_upstream_srv_conf_t *us)
{
    ngx_http_duplex_status_srv_conf_t  *sscf;

    sscf = ngx_http_conf_upstream_srv_conf(us, ngx_http_duplex_status_module);

    if (sscf->init_peer(r, us) != NGX_OK) {
        return NGX_ERROR;
    }

    /* a probe is not a client's, and has no socket of one */

    if (r->connection->fd == (ngx_socket_t) -1) {
        return NGX_OK;
    }

    return ngx_duplex_attempt_watch(&r->upstream->peer, r->pool, sscf->group,
                                    ngx_http_duplex_status_peer_count,
                                    r->upstream);
}


static void
ngx_http_duplex_status_peer_count(ngx_duplex_cell_t *cell, void *data)
{
    ngx_http_upstream_t *u = data;

    ngx_http_upstream_state_t  *state;

    state = u->state;

    if (state == NULL) {
        return;
    }

    if (u->headers_in.status_n) {
        ngx_duplex_responses_count(cell, NGX_DUPLEX_PEER_RESPONSES,
                                   u->headers_in.status_n);
    }

    if (state->bytes_sent) {
        ngx_duplex_count(cell, NGX_DUPLEX_PEER_SENT, state->bytes_sent);
    }

    if (state->bytes_received) {
        ngx_duplex_count(cell, NGX_DUPLEX_PEER_RECEIVED, state->bytes_received);
    }

    if (state->header_time == (ngx_msec_t) -1) {
        return;
    }

    ngx_duplex_peer_counters_time(cell, NGX_DUPLEX_PEER_FIRST_TIME,
                                  state->header_time);

    /* an attempt that another one follows is measured when that one begins */

    ngx_duplex_peer_counters_response_time(cell,
                                      state->response_time != (ngx_msec_t) -1
                                      ? state->response_time
                                      : ngx_current_msec - u->start_time);
}
