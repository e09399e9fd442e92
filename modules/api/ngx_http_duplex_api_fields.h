
/*
 * What a body may say about a server.
 */


#ifndef _NGX_HTTP_DUPLEX_API_FIELDS_H_INCLUDED_
#define _NGX_HTTP_DUPLEX_API_FIELDS_H_INCLUDED_


#include "ngx_http_duplex_api_server.h"


/*
 * Reads a whole object into "member": for a new server ("peer" is NULL), or
 * a change of "peer", whose present values are there already.  "*mask" gets
 * the fields that were given; "*moved" is set if the address is another one.
 * Texts are in the call's pool.  NGX_HTTP_OK, or the status of a refusal.
 */
ngx_uint_t ngx_http_duplex_api_fields_read(ngx_duplex_call_t *call,
    ngx_duplex_group_t *group, ngx_duplex_peer_t *peer, json_t *body,
    ngx_duplex_member_t *member, ngx_uint_t *mask, ngx_uint_t *moved);


#endif /* _NGX_HTTP_DUPLEX_API_FIELDS_H_INCLUDED_ */
