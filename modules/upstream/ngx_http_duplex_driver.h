
/*
 * The http driver: what the files of ngx_http_duplex_upstream_module.so
 * share.
 */


#ifndef _NGX_HTTP_DUPLEX_DRIVER_H_INCLUDED_
#define _NGX_HTTP_DUPLEX_DRIVER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "ngx_duplex_upstream.h"


extern ngx_duplex_driver_t  ngx_http_duplex_driver;


/* take and selected of ngx_http_duplex_upstream_t */
ngx_int_t ngx_http_duplex_driver_take(ngx_http_request_t *r, void *data,
    ngx_duplex_peer_t *peer);
ngx_duplex_peer_t *ngx_http_duplex_driver_selected(ngx_duplex_group_t *group,
    void *data);


#endif /* _NGX_HTTP_DUPLEX_DRIVER_H_INCLUDED_ */
