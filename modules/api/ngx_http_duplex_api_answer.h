
/*
 * Answers of the API: a JSON value, or an error object.
 */


#ifndef _NGX_HTTP_DUPLEX_API_ANSWER_H_INCLUDED_
#define _NGX_HTTP_DUPLEX_API_ANSWER_H_INCLUDED_


#include "ngx_http_duplex_api.h"


/*
 * Sends what the call says: api->status with its error, its value, or
 * nothing.  Returns what a content handler returns.
 */
ngx_int_t ngx_http_duplex_api_answer(ngx_http_duplex_api_t *api);

/* refuses and answers; for what goes wrong around a page */
ngx_int_t ngx_http_duplex_api_error(ngx_http_duplex_api_t *api,
    ngx_uint_t status, const char *code, const char *fmt, ...);

/* a header of the answer, with a copy of "value"; NGX_ERROR: no memory */
ngx_int_t ngx_http_duplex_api_header(ngx_http_request_t *r, const char *name,
    ngx_str_t *value);

/*
 * Finishes "json" and sends it; NULL is answered with 500.  Returns what a
 * content handler returns.
 */
ngx_int_t ngx_http_duplex_api_send(ngx_http_request_t *r, ngx_uint_t status,
    ngx_duplex_json_t *json);

/* the same for what is written already; its type is in headers_out */
ngx_int_t ngx_http_duplex_api_send_chain(ngx_http_request_t *r,
    ngx_uint_t status, ngx_chain_t *out, off_t length);


#endif /* _NGX_HTTP_DUPLEX_API_ANSWER_H_INCLUDED_ */
