
/*
 * A call of the API: from the request's uri to a page, from its method to one
 * of the page's functions, and from what that wrote to the answer.
 */


#ifndef _NGX_HTTP_DUPLEX_API_CALL_H_INCLUDED_
#define _NGX_HTTP_DUPLEX_API_CALL_H_INCLUDED_


#include "ngx_http_duplex_api.h"


/*
 * Answers the request, at once or when its body has come and the change is on
 * disk; "write": methods that change something are allowed.  Returns what a
 * content handler returns.
 */
ngx_int_t ngx_http_duplex_api_call(ngx_http_duplex_api_t *api,
    ngx_uint_t write);

/* runs the page with the body that has come; for the reader of bodies */
ngx_int_t ngx_http_duplex_api_call_run(ngx_http_duplex_api_t *api);


#endif /* _NGX_HTTP_DUPLEX_API_CALL_H_INCLUDED_ */
