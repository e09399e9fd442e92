
/*
 * One probe of a stream server: a session of nginx itself through the server
 * block's own proxy settings, to one peer, from start to result.
 */


#ifndef _NGX_STREAM_DUPLEX_PROBE_H_INCLUDED_
#define _NGX_STREAM_DUPLEX_PROBE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>
#include "ngx_duplex_dialog.h"
#include "ngx_duplex_health.h"
#include "ngx_stream_duplex_session.h"


/* what the probes of one check have in common; cycle memory */
typedef struct {
    ngx_stream_content_handler_pt      handler;     /* of proxy_pass */
    ngx_stream_conf_ctx_t             *ctx;         /* of the server block */
    ngx_stream_upstream_srv_conf_t    *us;

    ngx_duplex_dialog_t               *dialog;      /* NULL: the default */
    in_port_t                          port;        /* 0: the server's */
    ngx_uint_t                         udp;
    ngx_msec_t                         timeout;     /* for all of it */

    ngx_stream_duplex_session_conf_t   session;
} ngx_stream_duplex_check_t;


extern ngx_duplex_prober_t  ngx_stream_duplex_prober;


/* for bind, when all server blocks are merged */
ngx_int_t ngx_stream_duplex_probe_bind(ngx_conf_t *cf,
    ngx_stream_duplex_check_t *check);

/* peer.init of a checked group: the balancer's for all but probes */
ngx_int_t ngx_stream_duplex_probe_init_peer(ngx_stream_session_t *s,
    ngx_stream_upstream_srv_conf_t *us);


#endif /* _NGX_STREAM_DUPLEX_PROBE_H_INCLUDED_ */
