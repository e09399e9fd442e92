
/*
 * upstream{} of stream: what the files of ngx_stream_duplex_upstream_module.so
 * share.
 */


#ifndef _NGX_STREAM_DUPLEX_DRIVER_H_INCLUDED_
#define _NGX_STREAM_DUPLEX_DRIVER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>
#include "ngx_duplex_name.h"
#include "ngx_stream_duplex_upstream.h"


typedef struct {
    ngx_duplex_group_t               *group;
    ngx_uint_t                        spare;
    ngx_str_t                         state;
    ngx_array_t                       slow_start;  /* of the servers, ms */
    ngx_array_t                      *names;       /* those with "resolve" */
    ngx_duplex_resolver_conf_t        resolver;
    ngx_uint_t                        placeholder; /* first of us->servers */

    ngx_stream_duplex_wrap_pt         wrap;
    ngx_stream_upstream_init_pt       init_upstream;
    ngx_stream_upstream_init_peer_pt  init_peer;

    ngx_flag_t                        session_drop;    /* of a server{} */
    ngx_stream_upstream_init_peer_pt  drop_init_peer;  /* wrapped by it */
} ngx_stream_duplex_upstream_srv_conf_t;


extern ngx_module_t         ngx_stream_duplex_upstream_module;
extern ngx_duplex_driver_t  ngx_stream_duplex_driver;


/* the directives "server", "state", "zone" and "resolver" */
char *ngx_stream_duplex_upstream_server(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_stream_duplex_upstream_state(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_stream_duplex_upstream_zone(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_stream_duplex_upstream_resolver(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
/* for init_main_conf: takes the placeholder out where there are servers */
void ngx_stream_duplex_upstream_unhold(ngx_stream_upstream_srv_conf_t *us,
    ngx_stream_duplex_upstream_srv_conf_t *uscf);

/* makes the neutral groups of all upstream{} */
ngx_int_t ngx_stream_duplex_upstream_bind(ngx_conf_t *cf);

/*
 * An ngx_stream_upstream_init_peer_pt in place of the balancer's, which is
 * uscf->init_peer.  For groups with group->generation.
 */
ngx_int_t ngx_stream_duplex_peer_init(ngx_stream_session_t *s,
    ngx_stream_upstream_srv_conf_t *us);
/* after that: the balancer is a stock one */
ngx_uint_t ngx_stream_duplex_peer_is_stock(ngx_stream_session_t *s);
/* the balancer's data; "fresh": as of the present members */
ngx_stream_upstream_rr_peer_data_t *ngx_stream_duplex_peer_balancer(void *data,
    ngx_uint_t fresh);
/* the peer that was selected, into the session's own memory */
ngx_int_t ngx_stream_duplex_peer_copy(ngx_stream_session_t *s);

/* NGX_STREAM_DUPLEX_UPSTREAM */
extern ngx_stream_duplex_upstream_t  ngx_stream_duplex_upstream_service;


#endif /* _NGX_STREAM_DUPLEX_DRIVER_H_INCLUDED_ */
