
/*
 * Pages that show upstream groups and the state of their peers, and what
 * they share with the pages of single servers.
 */


#ifndef _NGX_HTTP_DUPLEX_API_UPSTREAMS_H_INCLUDED_
#define _NGX_HTTP_DUPLEX_API_UPSTREAMS_H_INCLUDED_


#include "ngx_http_duplex_api.h"
#include "../upstream/ngx_duplex_upstream.h"


/* for bind: the pages of all loaded protocols; NGX_ERROR: no memory */
ngx_int_t ngx_http_duplex_api_upstreams_register(ngx_conf_t *cf);

/* "http" or "stream", of a page registered there */
#define ngx_http_duplex_api_protocol(call)  ((ngx_str_t *) (call)->page->data)

/* the group that the first "*" names; NULL: refused, with "*status" */
ngx_duplex_group_t *ngx_http_duplex_api_upstream_find(ngx_duplex_call_t *call,
    ngx_uint_t *status);


#endif /* _NGX_HTTP_DUPLEX_API_UPSTREAMS_H_INCLUDED_ */
