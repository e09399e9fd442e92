
/*
 * "duplex_dashboard": the page for people.
 */


#ifndef _NGX_HTTP_DUPLEX_DASHBOARD_H_INCLUDED_
#define _NGX_HTTP_DUPLEX_DASHBOARD_H_INCLUDED_


#include "ngx_http_duplex_api.h"


/* sends the page; "api" is where it finds the API.  A content handler's rc */
ngx_int_t ngx_http_duplex_dashboard_send(ngx_http_request_t *r,
    ngx_str_t *api);


#endif /* _NGX_HTTP_DUPLEX_DASHBOARD_H_INCLUDED_ */
