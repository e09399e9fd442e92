
/*
 * "proxy_session_drop" of stream: a session ends when its server is down or
 * gone, instead of living on until either side ends it.
 */


#ifndef _NGX_STREAM_DUPLEX_DROP_H_INCLUDED_
#define _NGX_STREAM_DUPLEX_DROP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>
#include "ngx_stream_duplex_driver.h"


/* for preconfiguration */
ngx_int_t ngx_stream_duplex_drop_register(ngx_conf_t *cf);

/* for merging: a server{} wants it */
void ngx_stream_duplex_drop_need(ngx_conf_t *cf);

/* for bind, when the group is there; does nothing if nobody needs it */
void ngx_stream_duplex_drop_wrap(ngx_conf_t *cf,
    ngx_stream_upstream_srv_conf_t *us, ngx_duplex_group_t *group);


#endif /* _NGX_STREAM_DUPLEX_DROP_H_INCLUDED_ */
