
/*
 * The health protocol of gRPC, grpc.health.v1.Health/Check: the request of a
 * probe, and what its answer means.
 */


#ifndef _NGX_HTTP_DUPLEX_GRPC_H_INCLUDED_
#define _NGX_HTTP_DUPLEX_GRPC_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "ngx_duplex_health.h"


#define NGX_HTTP_DUPLEX_GRPC_URI   "/grpc.health.v1.Health/Check"
#define NGX_HTTP_DUPLEX_GRPC_BODY  256      /* of an answer; no more is read */


/* "12" or "UNIMPLEMENTED"; NGX_ERROR: neither */
ngx_int_t ngx_http_duplex_grpc_status(ngx_str_t *text);

/* makes "r" ask for "service", empty: the server as a whole */
ngx_int_t ngx_http_duplex_grpc_request(ngx_http_request_t *r,
    ngx_str_t *service);

/*
 * "none" if it serves, or answers with grpc-status "accepted" (-1: no other
 * than OK); else what came is written to "text", of "size" bytes.
 */
ngx_duplex_reason_e ngx_http_duplex_grpc_answer(ngx_http_request_t *r,
    ngx_str_t *body, ngx_int_t accepted, ngx_str_t *text, size_t size);


#endif /* _NGX_HTTP_DUPLEX_GRPC_H_INCLUDED_ */
