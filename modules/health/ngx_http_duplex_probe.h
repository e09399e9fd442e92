
/*
 * One probe of an http server: a request of nginx itself through the
 * location's own proxy settings, to one peer, from start to result.
 */


#ifndef _NGX_HTTP_DUPLEX_PROBE_H_INCLUDED_
#define _NGX_HTTP_DUPLEX_PROBE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "ngx_duplex_health.h"


/* what the probes of one check have in common; cycle memory */
typedef struct {
    ngx_http_core_srv_conf_t       *cscf;       /* where the location is */
    ngx_http_core_loc_conf_t       *clcf;       /* the location's own */
    ngx_http_upstream_conf_t       *proxy;      /* the location's own */
    ngx_http_upstream_srv_conf_t   *us;

    ngx_str_t                       uri;        /* as sent */
    in_port_t                       port;       /* 0: the server's */

    /* made by ngx_http_duplex_probe_bind() */
    void                          **loc_conf;   /* clcf's, but for http core */
    ngx_http_upstream_conf_t       *upstream;   /* proxy's, for probes */
    ngx_str_t                       path;       /* "uri" up to "?" */
    ngx_str_t                       args;       /* and after it */
    ngx_str_t                       host;       /* $host */
    ngx_msec_t                      deadline;   /* for the whole probe */
} ngx_http_duplex_check_t;


extern ngx_duplex_prober_t  ngx_http_duplex_prober;


/* for bind, when all locations are merged */
ngx_int_t ngx_http_duplex_probe_bind(ngx_conf_t *cf,
    ngx_http_duplex_check_t *check);

/* peer.init of a checked group: the balancer's for all but probes */
ngx_int_t ngx_http_duplex_probe_init_peer(ngx_http_request_t *r,
    ngx_http_upstream_srv_conf_t *us);


#endif /* _NGX_HTTP_DUPLEX_PROBE_H_INCLUDED_ */
