
/*
 * Readiness, as a page of the API and as an answer for load balancers.
 */


#ifndef _NGX_HTTP_DUPLEX_API_READY_H_INCLUDED_
#define _NGX_HTTP_DUPLEX_API_READY_H_INCLUDED_


#include "ngx_http_duplex_api.h"
#include "../core/ngx_duplex_readiness.h"


/* for bind; NGX_ERROR: no memory */
ngx_int_t ngx_http_duplex_api_ready_register(ngx_conf_t *cf);

/*
 * The same object for "duplex_ready" and "duplex_live", with 503 unless "ok".
 * Returns what a content handler returns.
 */
ngx_int_t ngx_http_duplex_api_ready_send(ngx_http_request_t *r,
    ngx_uint_t ok);

/* PATCH of duplex/node: {"leaving":true} takes the node out */
ngx_uint_t ngx_http_duplex_api_ready_patch(ngx_duplex_call_t *call);

/* NULL: no feature has a word on it; for requests only */
ngx_duplex_readiness_t *ngx_http_duplex_api_readiness(ngx_http_request_t *r);


#endif /* _NGX_HTTP_DUPLEX_API_READY_H_INCLUDED_ */
