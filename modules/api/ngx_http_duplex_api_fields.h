
/*
 * What the body of a PATCH may say about a server.
 */


#ifndef _NGX_HTTP_DUPLEX_API_FIELDS_H_INCLUDED_
#define _NGX_HTTP_DUPLEX_API_FIELDS_H_INCLUDED_


#include "ngx_http_duplex_api_server.h"


/* checks the whole body: NGX_HTTP_OK, or the status of a refusal */
ngx_uint_t ngx_http_duplex_api_fields_check(ngx_duplex_call_t *call,
    ngx_http_duplex_api_server_t *server);

/* what a checked body wants: up, down or drain */
ngx_duplex_admin_e ngx_http_duplex_api_fields_admin(
    ngx_http_duplex_api_server_t *server, json_t *body);


#endif /* _NGX_HTTP_DUPLEX_API_FIELDS_H_INCLUDED_ */
