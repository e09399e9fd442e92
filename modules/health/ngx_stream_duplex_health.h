
/*
 * What the files of the stream health object share.
 */


#ifndef _NGX_STREAM_DUPLEX_HEALTH_H_INCLUDED_
#define _NGX_STREAM_DUPLEX_HEALTH_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>
#include "ngx_duplex_vote.h"


/* of an upstream{}, and of a server{} */
typedef struct {
    ngx_stream_upstream_init_peer_pt   init;    /* for all but probes */
    ngx_duplex_vote_conf_t             vote;

    ngx_msec_t                         timeout; /* health_check_timeout */
    ngx_str_t                          pass;    /* what proxy_pass names */
    ngx_stream_content_handler_pt      handler; /* and who serves it */
    ngx_uint_t                         checked; /* has a health_check */
} ngx_stream_duplex_health_srv_conf_t;


extern ngx_module_t  ngx_stream_duplex_health_module;


#endif /* _NGX_STREAM_DUPLEX_HEALTH_H_INCLUDED_ */
