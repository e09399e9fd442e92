
/*
 * Pages about this node and its nginx.
 */


#ifndef _NGX_HTTP_DUPLEX_API_NODE_H_INCLUDED_
#define _NGX_HTTP_DUPLEX_API_NODE_H_INCLUDED_


#include "ngx_http_duplex_api.h"


/* for commit: remembers when the configuration was loaded */
void ngx_http_duplex_api_node_loaded(void);

/* "nginx" */
ngx_int_t ngx_http_duplex_api_nginx(ngx_http_duplex_api_t *api);

/* "duplex/node" */
ngx_int_t ngx_http_duplex_api_node(ngx_http_duplex_api_t *api);

/* "duplex/nodes" where no feature knows of other nodes */
ngx_int_t ngx_http_duplex_api_nodes(ngx_http_duplex_api_t *api);


#endif /* _NGX_HTTP_DUPLEX_API_NODE_H_INCLUDED_ */
