
/*
 * Pages that show upstream groups and the state of their peers, and what
 * they share with the pages of single servers.
 */


#ifndef _NGX_HTTP_DUPLEX_API_UPSTREAMS_H_INCLUDED_
#define _NGX_HTTP_DUPLEX_API_UPSTREAMS_H_INCLUDED_


#include "ngx_http_duplex_api.h"
#include "../upstream/ngx_duplex_upstream.h"


/* PROTOCOL/upstreams: all its groups that have a zone, by name */
ngx_int_t ngx_http_duplex_api_upstreams(ngx_http_duplex_api_t *api);

/* PROTOCOL/upstreams/NAME: one group */
ngx_int_t ngx_http_duplex_api_upstream(ngx_http_duplex_api_t *api);

/*
 * The group that the path names.  NULL: an error has been answered, and
 * "*rc" is what the content handler returns.
 */
ngx_duplex_group_t *ngx_http_duplex_api_upstream_find(
    ngx_http_duplex_api_t *api, ngx_int_t *rc);


#endif /* _NGX_HTTP_DUPLEX_API_UPSTREAMS_H_INCLUDED_ */
