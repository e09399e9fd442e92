
/*
 * "sticky" of stream: what the files of ngx_stream_duplex_sticky_module.so
 * share.
 */


#ifndef _NGX_STREAM_DUPLEX_STICKY_H_INCLUDED_
#define _NGX_STREAM_DUPLEX_STICKY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>
#include "../upstream/ngx_stream_duplex_upstream.h"
#include "ngx_duplex_session.h"
#include "ngx_duplex_sticky.h"


/* of one upstream{} */
typedef struct {
    ngx_stream_duplex_upstream_t  *upstream;    /* NULL: no "sticky" here */
    ngx_duplex_sticky_group_t      sticky;
    ngx_array_t                   *lookup;      /* ngx_int_t, indices */
    ngx_uint_t                     strict;
    ngx_uint_t                     warned;      /* this worker said it */
} ngx_stream_duplex_sticky_conf_t;


extern ngx_module_t  ngx_stream_duplex_sticky_module;


/* the wrapper of peer selection, an ngx_stream_duplex_wrap_pt */
ngx_int_t ngx_stream_duplex_sticky_init_peer(ngx_stream_session_t *s,
    ngx_stream_upstream_srv_conf_t *us);


#endif /* _NGX_STREAM_DUPLEX_STICKY_H_INCLUDED_ */
