
/*
 * Answers of the API: a JSON value, or an error object.
 *
 * All functions return what a content handler returns.
 */


#ifndef _NGX_HTTP_DUPLEX_API_ANSWER_H_INCLUDED_
#define _NGX_HTTP_DUPLEX_API_ANSWER_H_INCLUDED_


#include "ngx_http_duplex_api.h"


#define NGX_HTTP_DUPLEX_API_TEXT_MAX  512   /* bytes of an error's text */


/*
 * A writer for the answer, restricted to the members asked for; "level" as
 * in ngx_duplex_json_restrict().  NULL: no memory.
 */
ngx_duplex_json_t *ngx_http_duplex_api_json(ngx_http_duplex_api_t *api,
    ngx_uint_t level);

/* finishes "json" and sends it; NULL is answered with 500 */
ngx_int_t ngx_http_duplex_api_send(ngx_http_request_t *r, ngx_uint_t status,
    ngx_duplex_json_t *json);

/* "code" is the stable word that clients compare; text as ngx_sprintf() */
ngx_int_t ngx_http_duplex_api_error(ngx_http_request_t *r, ngx_uint_t status,
    const char *code, const char *fmt, ...);


#endif /* _NGX_HTTP_DUPLEX_API_ANSWER_H_INCLUDED_ */
