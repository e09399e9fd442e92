
/*
 * One probe of an http server: a request of nginx itself through the
 * location's own settings, to one peer, from start to result.
 */


#ifndef _NGX_HTTP_DUPLEX_PROBE_H_INCLUDED_
#define _NGX_HTTP_DUPLEX_PROBE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "ngx_duplex_health.h"
#include "ngx_duplex_probe_log.h"
#include "ngx_http_duplex_client.h"
#include "ngx_http_duplex_match.h"
#include "ngx_http_duplex_pass.h"


#define NGX_HTTP_DUPLEX_PROBE_TEXT  256


/* what the probes of one check have in common; cycle memory */
typedef struct {
    ngx_http_core_srv_conf_t       *cscf;       /* where the location is */
    ngx_http_core_loc_conf_t       *clcf;       /* the location's own */
    ngx_http_duplex_pass_t         *pass;       /* the location's own */
    ngx_http_upstream_srv_conf_t   *us;

    ngx_str_t                       uri;        /* as sent */
    in_port_t                       port;       /* 0: the server's */
    ngx_http_duplex_match_t        *match;      /* NULL: status 200 to 399 */
    ngx_msec_t                      keepalive;  /* 0: a connection for each */

    ngx_uint_t                      grpc;       /* its health protocol */
    ngx_str_t                       grpc_service;
    ngx_int_t                       grpc_status;    /* accepted, too; or -1 */

    /* made by ngx_http_duplex_probe_bind() */
    void                          **loc_conf;   /* clcf's, but for http core */
    ngx_http_upstream_conf_t       *upstream;   /* the pass's, for probes */
    ngx_str_t                       path;       /* "uri" up to "?" */
    ngx_str_t                       args;       /* and after it */
    ngx_str_t                       host;       /* $host */
    ngx_msec_t                      deadline;   /* for the whole probe */
    size_t                          body;       /* bytes of it that we need */
    ngx_int_t                       variable;   /* index of the one that names
                                                   the group or the key */
    ngx_str_t                       value;      /* of it, for probes */
} ngx_http_duplex_check_t;


/* in the pool of its client's connection */
typedef struct {
    ngx_http_duplex_client_t        client;     /* must be first */

    ngx_duplex_probe_t             *probe;      /* NULL: aborted, or told */
    ngx_http_duplex_check_t        *check;
    ngx_http_request_t             *request;

    /* copies: peers may go away while we wait */
    ngx_sockaddr_t                  sockaddr;
    socklen_t                       socklen;
    ngx_str_t                       name;

    ngx_event_t                     deadline;
    void                          (*finalize)(ngx_http_request_t *r,
                                        ngx_int_t rc);

    ngx_duplex_probe_result_t       result;
    unsigned                        late:1;     /* the deadline came */

    ngx_duplex_probe_log_t          log;
    ngx_http_log_ctx_t              log_ctx;
    ngx_http_connection_t           http_connection;
    ngx_buf_t                       buffer;

    u_char                          name_buf[NGX_SOCKADDR_STRLEN];
    u_char                          text[NGX_HTTP_DUPLEX_PROBE_TEXT];
} ngx_http_duplex_probe_t;


extern ngx_duplex_prober_t  ngx_http_duplex_prober;


/* for bind, when all locations are merged */
ngx_int_t ngx_http_duplex_probe_bind(ngx_conf_t *cf,
    ngx_http_duplex_check_t *check);

/* peer.init of a checked group: the balancer's for all but probes */
ngx_int_t ngx_http_duplex_probe_init_peer(ngx_http_request_t *r,
    ngx_http_upstream_srv_conf_t *us);

/* where nginx has ended the upstream part with "rc": sets hp->result */
void ngx_http_duplex_probe_judge(ngx_http_duplex_probe_t *hp,
    ngx_http_upstream_t *u, ngx_int_t rc);


#endif /* _NGX_HTTP_DUPLEX_PROBE_H_INCLUDED_ */
