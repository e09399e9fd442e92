
/*
 * What a location passes requests on with: proxy_pass, grpc_pass and their
 * like, as the file says it.
 */


#ifndef _NGX_HTTP_DUPLEX_PASS_H_INCLUDED_
#define _NGX_HTTP_DUPLEX_PASS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


typedef enum {
    ngx_http_duplex_pass_none = 0,
    ngx_http_duplex_pass_proxy,
    ngx_http_duplex_pass_grpc,
    ngx_http_duplex_pass_fastcgi,
    ngx_http_duplex_pass_uwsgi,
    ngx_http_duplex_pass_scgi,
    ngx_http_duplex_pass_memcached
} ngx_http_duplex_pass_e;


/* of one location; nothing is inherited, as with the directives themselves */
typedef struct {
    ngx_http_duplex_pass_e      type;
    ngx_str_t                   target;     /* "http://$pool/x" */
    ngx_module_t               *module;     /* whose directive it is */
    ngx_http_upstream_conf_t   *upstream;   /* its settings there */
} ngx_http_duplex_pass_t;


/* the directives; an ngx_http_duplex_pass_t is at cmd->offset of "conf" */
char *ngx_http_duplex_pass(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* 1 if the target has variables */
ngx_uint_t ngx_http_duplex_pass_varies(ngx_http_duplex_pass_t *pass);

/*
 * The variable that stands where the name of the group would: NGX_OK with its
 * name; NGX_DECLINED: something else stands there.
 */
ngx_int_t ngx_http_duplex_pass_variable(ngx_http_duplex_pass_t *pass,
    ngx_str_t *name);


#endif /* _NGX_HTTP_DUPLEX_PASS_H_INCLUDED_ */
