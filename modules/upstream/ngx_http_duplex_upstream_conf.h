
/*
 * What our part of an upstream{} holds, for the files that read and fill it.
 */


#ifndef _NGX_HTTP_DUPLEX_UPSTREAM_CONF_H_INCLUDED_
#define _NGX_HTTP_DUPLEX_UPSTREAM_CONF_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "ngx_http_duplex_upstream.h"
#include "ngx_duplex_name.h"
#include "ngx_duplex_queue.h"


/* what a "server" line says beyond stock, in the order of us->servers */
typedef struct {
    ngx_duplex_admin_e              state;
    ngx_msec_t                      slow_start;    /* ms */
    ngx_str_t                       route;
} ngx_http_duplex_upstream_server_t;

typedef struct {
    ngx_duplex_group_t             *group;
    ngx_array_t                    *servers;   /* the "server" lines */
    ngx_array_t                    *names;     /* those with "resolve" */
    ngx_duplex_resolver_conf_t      resolver;
    ngx_uint_t                      spare;
    ngx_str_t                       state;
    ngx_uint_t                      placeholder;   /* first of us->servers */

    ngx_http_duplex_wrap_pt         wrap;
    ngx_duplex_queue_t             *queue;
    ngx_http_upstream_init_pt       init_upstream;
    ngx_http_upstream_init_peer_pt  init_peer;

    ngx_array_t                    *keepalive;     /* cf->args, to be set */
    ngx_str_t                       file;
    ngx_uint_t                      line;
} ngx_http_duplex_upstream_srv_conf_t;


extern ngx_module_t  ngx_http_duplex_upstream_module;


/* the directive "server" */
char *ngx_http_duplex_upstream_server(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* the directives "state", "zone" and "resolver" */
char *ngx_http_duplex_upstream_state(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_duplex_upstream_zone(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_duplex_upstream_resolver(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
/* for init_main_conf: takes the placeholder out where there are servers */
void ngx_http_duplex_upstream_unhold(ngx_http_upstream_srv_conf_t *us,
    ngx_http_duplex_upstream_srv_conf_t *uscf);

/* what both parts of a line say */
void ngx_http_duplex_upstream_settings(ngx_duplex_settings_t *set,
    ngx_http_upstream_server_t *stock,
    ngx_http_duplex_upstream_server_t *server);

/* makes the neutral groups of all upstream{} */
ngx_int_t ngx_http_duplex_upstream_bind(ngx_conf_t *cf);


#endif /* _NGX_HTTP_DUPLEX_UPSTREAM_CONF_H_INCLUDED_ */
