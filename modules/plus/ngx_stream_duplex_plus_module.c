
/*
 * "resolver" of stream{}: parameters of NGINX Plus that are not done
 * here are taken out and warned of, all else is stock's.
 *
 * This module stands before the stock ones in the list.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>
#include "../core/ngx_duplex_compat.h"
#include "../core/ngx_duplex_delegate.h"


static char *ngx_stream_duplex_plus_resolver(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


static ngx_command_t  ngx_stream_duplex_plus_commands[] = {

    { ngx_string("resolver"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF
          |NGX_CONF_1MORE,
      ngx_stream_duplex_plus_resolver,
      0,
      0,
      NULL },

      ngx_null_command
};


static ngx_stream_module_t  ngx_stream_duplex_plus_module_ctx = {
    NULL,                                  /* preconfiguration */
    NULL,                                  /* postconfiguration */

    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL                                   /* merge server configuration */
};


ngx_module_t  ngx_stream_duplex_plus_module = {
    NGX_MODULE_V1,
    &ngx_stream_duplex_plus_module_ctx,     /* module context */
    ngx_stream_duplex_plus_commands,        /* module directives */
    NGX_STREAM_MODULE,                       /* module type */
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
ngx_stream_duplex_plus_resolver(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_array_t  *args;

    args = ngx_duplex_delegate_without(cf, 1, "status_zone=",
                                       "its questions are not counted");
    if (args == NULL) {
        return NGX_CONF_ERROR;
    }

    return ngx_duplex_delegate(cf, &ngx_stream_duplex_plus_module, args);
}
