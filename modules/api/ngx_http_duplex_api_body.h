
/*
 * The body of a writing request, whole and in one piece, at most api->limit
 * bytes of it in memory and none in a file.
 */


#ifndef _NGX_HTTP_DUPLEX_API_BODY_H_INCLUDED_
#define _NGX_HTTP_DUPLEX_API_BODY_H_INCLUDED_


#include "ngx_http_duplex_api.h"


/*
 * Calls ngx_http_duplex_api_call_run() when api->body is complete and not
 * empty, else answers with an error.  "api" must be the request's context.
 * Returns what a content handler returns.
 */
ngx_int_t ngx_http_duplex_api_body_read(ngx_http_duplex_api_t *api);


#endif /* _NGX_HTTP_DUPLEX_API_BODY_H_INCLUDED_ */
