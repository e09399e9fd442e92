
/*
 * What the http files of this folder share.
 */


#ifndef _NGX_HTTP_DUPLEX_DEPLOY_H_INCLUDED_
#define _NGX_HTTP_DUPLEX_DEPLOY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "../core/ngx_duplex_identity.h"
#include "ngx_duplex_figures.h"
#include "ngx_duplex_split.h"


/* a split as http sees it */
typedef struct {
    ngx_duplex_split_t        *split;
    ngx_int_t                  index;       /* of its variable */
    ngx_http_complex_value_t   key;

    ngx_str_t                  cookie;      /* its name; empty: no sticky */
    ngx_http_complex_value_t   has;         /* what the client sent of it */
    ngx_msec_t                 expires;     /* 0: with the browser */
    ngx_str_t                  domain;
    ngx_str_t                  path;
    ngx_uint_t                 secure;
    ngx_uint_t                 httponly;

    ngx_str_t                  file;        /* for messages of bind */
    ngx_uint_t                 line;
} ngx_http_duplex_split_t;


typedef struct {
    ngx_array_t   splits;           /* ngx_duplex_split_t * */
    ngx_array_t   https;            /* ngx_http_duplex_split_t, the same */
} ngx_http_duplex_deploy_main_conf_t;


/* the directive duplex_split */
char *ngx_http_duplex_split(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* of the present cycle: ngx_http_duplex_split_t *, NULL: none */
void ngx_http_duplex_splits_commit(ngx_array_t *https);

ngx_int_t ngx_http_duplex_split_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
ngx_int_t ngx_http_duplex_split_log_handler(ngx_http_request_t *r);


#endif /* _NGX_HTTP_DUPLEX_DEPLOY_H_INCLUDED_ */
