
/*
 * Counters of the caches of proxy, fastcgi, uwsgi and scgi.
 */


#ifndef _NGX_HTTP_DUPLEX_STATUS_CACHE_H_INCLUDED_
#define _NGX_HTTP_DUPLEX_STATUS_CACHE_H_INCLUDED_


#include "ngx_http_duplex_status.h"


extern ngx_duplex_page_t  ngx_http_duplex_status_cache_pages[];


/* for postconfiguration: all caches of this configuration as zones */
ngx_int_t ngx_http_duplex_status_cache_find(ngx_conf_t *cf,
    ngx_array_t *caches);

/* for start */
void ngx_http_duplex_status_cache_start(ngx_array_t *caches);

/* for the log phase */
void ngx_http_duplex_status_cache_count(ngx_http_request_t *r);


#endif /* _NGX_HTTP_DUPLEX_STATUS_CACHE_H_INCLUDED_ */
