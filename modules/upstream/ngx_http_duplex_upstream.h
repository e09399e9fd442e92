
/*
 * What the http driver offers to the other http features: parameters of
 * `server`, and a place between the balancer and keepalive.
 *
 * Found with ngx_duplex_find_service(cf, NGX_HTTP_DUPLEX_UPSTREAM), from
 * directives and bind; never linked against.  The neutral group of an
 * upstream is ngx_duplex_group_bound(cf, us).
 */


#ifndef _NGX_HTTP_DUPLEX_UPSTREAM_H_INCLUDED_
#define _NGX_HTTP_DUPLEX_UPSTREAM_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "ngx_duplex_upstream.h"


#define NGX_HTTP_DUPLEX_UPSTREAM  "http upstream"


/*
 * A wrapper of peer selection for one group: called for each request after
 * the balancer's own peer.init, inside keepalive.  It may replace r->upstream
 * ->peer.get, .free and .data (then also .set_session and .save_session).
 * NGX_OK or NGX_ERROR (the request ends with 500).
 */
typedef ngx_int_t (*ngx_http_duplex_wrap_pt)(ngx_http_request_t *r,
    ngx_http_upstream_srv_conf_t *us);


typedef struct {
    /*
     * For a directive in upstream{}: at most one wrapper a group.
     * NGX_OK, NGX_DECLINED: there is one already.
     */
    ngx_int_t  (*wrap)(ngx_conf_t *cf, ngx_http_upstream_srv_conf_t *us,
                   ngx_http_duplex_wrap_pt wrap);

    /*
     * For a wrapper, before it replaces anything: the balancer is one of
     * stock's.  The other two functions are only for requests where it is.
     */
    ngx_uint_t (*stock)(ngx_http_request_t *r);

    /*
     * Takes "peer" for the request whose balancer data (not a wrapper's) is
     * "data", as the balancer's own get would: conns, tried, round robin's
     * credit.  NGX_OK: r->upstream->peer is filled in; NGX_BUSY: it is down
     * for more than draining, quarantined, full, tried before, or a backup
     * whose turn has not come; nothing is changed.
     */
    ngx_int_t  (*take)(ngx_http_request_t *r, void *data,
                   ngx_duplex_peer_t *peer);

    /*
     * The peer that "data" has selected, after get answered NGX_OK or
     * NGX_DONE; NULL: unknown.
     */
    ngx_duplex_peer_t *(*selected)(ngx_duplex_group_t *group, void *data);
} ngx_http_duplex_upstream_t;


#endif /* _NGX_HTTP_DUPLEX_UPSTREAM_H_INCLUDED_ */
