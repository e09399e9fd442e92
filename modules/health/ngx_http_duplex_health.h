
/*
 * What the files of the http health object share.
 */


#ifndef _NGX_HTTP_DUPLEX_HEALTH_H_INCLUDED_
#define _NGX_HTTP_DUPLEX_HEALTH_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "ngx_duplex_health.h"
#include "ngx_duplex_vote.h"
#include "ngx_http_duplex_probe.h"
#include "ngx_http_duplex_watch.h"


/* one health_check as it was written */
typedef struct {
    ngx_duplex_check_policy_t       policy;
    ngx_http_duplex_check_t         check;
    ngx_str_t                       match;      /* name; empty: none */
    ngx_array_t                     names;      /* ngx_str_t: of upstreams */
    ngx_str_t                       text;       /* what is checked */

    ngx_str_t                       file;
    ngx_uint_t                      line;
} ngx_http_duplex_health_t;


typedef struct {
    ngx_array_t                     checks;     /* ngx_http_duplex_health_t * */
    ngx_array_t                     matches;    /* ngx_http_duplex_match_t * */
} ngx_http_duplex_health_main_conf_t;


/* of an upstream{} */
typedef struct {
    ngx_http_upstream_init_peer_pt  init;       /* if checked: for all but
                                                   probes */
    ngx_duplex_vote_conf_t          vote;
    ngx_http_duplex_watch_conf_t    watch;
} ngx_http_duplex_health_srv_conf_t;


extern ngx_module_t  ngx_http_duplex_health_module;


/* of the feature: each check of http{} to its groups */
ngx_int_t ngx_http_duplex_health_bind(ngx_conf_t *cf);


#endif /* _NGX_HTTP_DUPLEX_HEALTH_H_INCLUDED_ */
