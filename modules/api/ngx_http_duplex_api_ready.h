
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
 * The same object for "duplex_ready": with 503 when this node is not ready.
 * "readiness" is NULL where no feature has a word on it.  Returns what a
 * content handler returns.
 */
ngx_int_t ngx_http_duplex_api_ready_send(ngx_http_request_t *r,
    ngx_duplex_readiness_t *readiness);


#endif /* _NGX_HTTP_DUPLEX_API_READY_H_INCLUDED_ */
