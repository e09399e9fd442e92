
/*
 * "duplex_metrics": all that is registered, for Prometheus.
 */


#ifndef _NGX_HTTP_DUPLEX_API_METRICS_H_INCLUDED_
#define _NGX_HTTP_DUPLEX_API_METRICS_H_INCLUDED_


#include "ngx_http_duplex_api.h"


/* a content handler */
ngx_int_t ngx_http_duplex_api_metrics_handler(ngx_http_request_t *r);

/* for bind: those of the node; NGX_ERROR: no memory */
ngx_int_t ngx_http_duplex_api_metrics_register(ngx_conf_t *cf);


#endif /* _NGX_HTTP_DUPLEX_API_METRICS_H_INCLUDED_ */
