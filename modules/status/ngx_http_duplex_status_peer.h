
/*
 * Counters of the peers of http groups.
 */


#ifndef _NGX_HTTP_DUPLEX_STATUS_PEER_H_INCLUDED_
#define _NGX_HTTP_DUPLEX_STATUS_PEER_H_INCLUDED_


#include "ngx_http_duplex_status.h"


/* for bind */
ngx_int_t ngx_http_duplex_status_peer_bind(ngx_conf_t *cf);


#endif /* _NGX_HTTP_DUPLEX_STATUS_PEER_H_INCLUDED_ */
