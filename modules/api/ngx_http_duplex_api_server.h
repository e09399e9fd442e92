
/*
 * Pages of the servers of a group: their configuration, and the change of
 * it at run time.
 */


#ifndef _NGX_HTTP_DUPLEX_API_SERVER_H_INCLUDED_
#define _NGX_HTTP_DUPLEX_API_SERVER_H_INCLUDED_


#include "ngx_http_duplex_api.h"
#include "../upstream/ngx_duplex_upstream.h"


/* a copy of what one server is at this moment */
typedef struct {
    ngx_duplex_peer_t         *peer;
    ngx_duplex_peer_status_t   status;
    ngx_duplex_admin_e         admin;   /* in force; "none" does not occur */
} ngx_http_duplex_api_server_t;


/* PROTOCOL/upstreams/NAME/servers */
ngx_uint_t ngx_http_duplex_api_servers(ngx_duplex_call_t *call);

/* PROTOCOL/upstreams/NAME/servers/ID */
ngx_uint_t ngx_http_duplex_api_server(ngx_duplex_call_t *call);
ngx_uint_t ngx_http_duplex_api_server_patch(ngx_duplex_call_t *call);


#endif /* _NGX_HTTP_DUPLEX_API_SERVER_H_INCLUDED_ */
