
/*
 * Pages of the servers of a group: their configuration, and its change at
 * run time.
 */


#ifndef _NGX_HTTP_DUPLEX_API_SERVER_H_INCLUDED_
#define _NGX_HTTP_DUPLEX_API_SERVER_H_INCLUDED_


#include "ngx_http_duplex_api.h"
#include "../upstream/ngx_duplex_member.h"


/* PROTOCOL/upstreams/NAME/servers: GET, POST, PUT */
ngx_uint_t ngx_http_duplex_api_servers(ngx_duplex_call_t *call);
ngx_uint_t ngx_http_duplex_api_servers_post(ngx_duplex_call_t *call);
ngx_uint_t ngx_http_duplex_api_servers_put(ngx_duplex_call_t *call);

/* PROTOCOL/upstreams/NAME/servers/ID: GET, PATCH, DELETE */
ngx_uint_t ngx_http_duplex_api_server(ngx_duplex_call_t *call);
ngx_uint_t ngx_http_duplex_api_server_patch(ngx_duplex_call_t *call);
ngx_uint_t ngx_http_duplex_api_server_delete(ngx_duplex_call_t *call);


/* what the pages share */

/* the object of a server as in a group's list */
void ngx_http_duplex_api_server_object(ngx_duplex_json_t *json,
    ngx_duplex_group_t *group, ngx_uint_t id, ngx_duplex_member_t *member);
/* all servers of a group, but one (or NULL) */
void ngx_http_duplex_api_server_list(ngx_duplex_json_t *json,
    ngx_duplex_group_t *group, ngx_duplex_peer_t *omit);

/*
 * Before a change: the group's etag must be that of "If-Match", if there is
 * one.  Fills in who wants it and why.  NGX_HTTP_OK, or a refusal's status.
 */
ngx_uint_t ngx_http_duplex_api_server_prepare(ngx_duplex_call_t *call,
    ngx_duplex_group_t *group, ngx_duplex_audit_t *audit);
/* "?dry_run=1": all is checked and nothing changed */
ngx_uint_t ngx_http_duplex_api_server_dry(ngx_duplex_call_t *call);
/* the etag of what there is now */
void ngx_http_duplex_api_server_etag(ngx_duplex_call_t *call,
    ngx_duplex_group_t *group);
/* why a change was not made; NGX_HTTP_OK for "done" and "same" */
ngx_uint_t ngx_http_duplex_api_server_refuse(ngx_duplex_call_t *call,
    ngx_duplex_group_t *group, ngx_duplex_member_t *member,
    ngx_duplex_member_e why);


#endif /* _NGX_HTTP_DUPLEX_API_SERVER_H_INCLUDED_ */
