
/*
 * Pages about this node and its nginx.
 */


#ifndef _NGX_HTTP_DUPLEX_API_NODE_H_INCLUDED_
#define _NGX_HTTP_DUPLEX_API_NODE_H_INCLUDED_


#include "ngx_http_duplex_api.h"


/* for bind; NGX_ERROR: no memory */
ngx_int_t ngx_http_duplex_api_node_register(ngx_conf_t *cf);

/* for commit: remembers when the configuration was loaded */
void ngx_http_duplex_api_node_loaded(void);

#endif /* _NGX_HTTP_DUPLEX_API_NODE_H_INCLUDED_ */
