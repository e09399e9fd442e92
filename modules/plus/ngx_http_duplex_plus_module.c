
/*
 * "resolver" and "limit_req_zone" of http{}: parameters of NGINX Plus that are
 * not done here are taken out and warned of, all else is stock's.
 *
 * This module stands before the stock ones in the list.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "../core/ngx_duplex_compat.h"
#include "../core/ngx_duplex_delegate.h"


static char *ngx_http_duplex_plus_resolver(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_duplex_plus_limit_req_zone(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);


static ngx_command_t  ngx_http_duplex_plus_commands[] = {

    { ngx_string("resolver"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF
          |NGX_CONF_1MORE,
      ngx_http_duplex_plus_resolver,
      0,
      0,
      NULL },

    { ngx_string("limit_req_zone"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_duplex_plus_limit_req_zone,
      0,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_duplex_plus_module_ctx = {
    NULL,                                  /* preconfiguration */
    NULL,                                  /* postconfiguration */

    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    NULL,                                  /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_http_duplex_plus_module = {
    NGX_MODULE_V1,
    &ngx_http_duplex_plus_module_ctx,     /* module context */
    ngx_http_duplex_plus_commands,        /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


NGX_DUPLEX_NEEDS_CORE;


static char *
ngx_http_duplex_plus_resolver(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_array_t  *args;

    args = ngx_duplex_delegate_without(cf, 1, "status_zone=",
                                       "its questions are not counted");
    if (args == NULL) {
        return NGX_CONF_ERROR;
    }

    return ngx_duplex_delegate(cf, &ngx_http_duplex_plus_module, args);
}


static char *
ngx_http_duplex_plus_limit_req_zone(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_array_t  *args;

    args = ngx_duplex_delegate_without(cf, 4, "sync",
                                       "each node limits for itself");
    if (args == NULL) {
        return NGX_CONF_ERROR;
    }

    return ngx_duplex_delegate(cf, &ngx_http_duplex_plus_module, args);
}
