
/*
 * What the body of a PATCH may say about a server.
 */


#ifndef _NGX_HTTP_DUPLEX_API_FIELDS_H_INCLUDED_
#define _NGX_HTTP_DUPLEX_API_FIELDS_H_INCLUDED_


#include <jansson.h>
#include "ngx_http_duplex_api_server.h"


/*
 * Checks the whole body.  NGX_DECLINED: nothing is wrong with it; else an
 * error has been answered, and this is what the content handler returns.
 */
ngx_int_t ngx_http_duplex_api_fields_check(ngx_http_duplex_api_t *api,
    ngx_http_duplex_api_server_t *server, json_t *body);

/* what a checked body wants: up, down or drain */
ngx_duplex_admin_e ngx_http_duplex_api_fields_admin(
    ngx_http_duplex_api_server_t *server, json_t *body);


#endif /* _NGX_HTTP_DUPLEX_API_FIELDS_H_INCLUDED_ */
