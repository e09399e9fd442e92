
/*
 * What the files of the http health object share.
 */


#ifndef _NGX_HTTP_DUPLEX_HEALTH_H_INCLUDED_
#define _NGX_HTTP_DUPLEX_HEALTH_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "ngx_duplex_vote.h"


/* of an upstream{} */
typedef struct {
    ngx_http_upstream_init_peer_pt  init;   /* if checked: for all but probes */
    ngx_duplex_vote_conf_t          vote;
} ngx_http_duplex_health_srv_conf_t;


extern ngx_module_t  ngx_http_duplex_health_module;


#endif /* _NGX_HTTP_DUPLEX_HEALTH_H_INCLUDED_ */
