
/*
 * The pages of the API, and the way from a request's uri to its page.
 */


#ifndef _NGX_HTTP_DUPLEX_API_PAGE_H_INCLUDED_
#define _NGX_HTTP_DUPLEX_API_PAGE_H_INCLUDED_


#include "ngx_http_duplex_api.h"


/*
 * Fills in the page, the path and the fields of the request.
 * NGX_OK; NGX_DECLINED: there is no such path; NGX_ABORT: there is no such
 * version; NGX_ERROR: no memory.
 */
ngx_int_t ngx_http_duplex_api_page_find(ngx_http_duplex_api_t *api);


#endif /* _NGX_HTTP_DUPLEX_API_PAGE_H_INCLUDED_ */
