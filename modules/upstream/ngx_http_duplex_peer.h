
/*
 * A request and its peer, where peers come and go.
 */


#ifndef _NGX_HTTP_DUPLEX_PEER_H_INCLUDED_
#define _NGX_HTTP_DUPLEX_PEER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "ngx_duplex_upstream.h"


/*
 * An ngx_http_upstream_init_peer_pt in place of the balancer's, which is
 * uscf->init_peer.  For groups with group->generation.
 */
ngx_int_t ngx_http_duplex_peer_init(ngx_http_request_t *r,
    ngx_http_upstream_srv_conf_t *us);

/* the request's balancer is one of stock's; before others wrap it */
ngx_uint_t ngx_http_duplex_peer_is_stock(ngx_http_request_t *r);

/*
 * The balancer's data, of what stands in r->upstream->peer.data after init;
 * with "fresh" they are made again if members have changed since.
 */
void *ngx_http_duplex_peer_balancer(ngx_duplex_group_t *group, void *data,
    ngx_uint_t fresh);

/* gives the request copies of its peer's name and address */
ngx_int_t ngx_http_duplex_peer_copy(ngx_http_request_t *r);


#endif /* _NGX_HTTP_DUPLEX_PEER_H_INCLUDED_ */
