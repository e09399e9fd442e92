
/*
 * upstream{} of stream: makes its groups known to the suite.
 *
 * It has no directives: the stock "server" lines say all that a group needs.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>
#include "../core/ngx_duplex_compat.h"
#include "ngx_stream_duplex_driver.h"


static ngx_int_t ngx_stream_duplex_upstream_preconfiguration(ngx_conf_t *cf);
static ngx_int_t ngx_stream_duplex_upstream_bind(ngx_conf_t *cf);
static ngx_int_t ngx_stream_duplex_upstream_bind_group(ngx_conf_t *cf,
    ngx_stream_upstream_srv_conf_t *us);


NGX_DUPLEX_NEEDS_CORE;


static ngx_stream_module_t  ngx_stream_duplex_upstream_module_ctx = {
    ngx_stream_duplex_upstream_preconfiguration, /* preconfiguration */
    NULL,                                  /* postconfiguration */

    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL                                   /* merge server configuration */
};


ngx_module_t  ngx_stream_duplex_upstream_module = {
    NGX_MODULE_V1,
    &ngx_stream_duplex_upstream_module_ctx, /* module context */
    NULL,                                  /* module directives */
    NGX_STREAM_MODULE,                     /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_duplex_feature_t  ngx_stream_duplex_upstream_feature = {
    ngx_string("stream upstream"),
    NGX_DUPLEX_LAYER_UPSTREAM,
    ngx_stream_duplex_upstream_bind,       /* bind */
    NULL,                                  /* commit */
    NULL,                                  /* start */
    NULL,                                  /* take */
    NULL,                                  /* beat */
    NULL,                                  /* wake */
    NULL,                                  /* drop */
    NULL                                   /* stop */
};


static ngx_int_t
ngx_stream_duplex_upstream_preconfiguration(ngx_conf_t *cf)
{
    if (ngx_duplex_register_driver(cf, &ngx_stream_duplex_driver) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_duplex_register_feature(cf, &ngx_stream_duplex_upstream_feature);
}


static ngx_int_t
ngx_stream_duplex_upstream_bind(ngx_conf_t *cf)
{
    ngx_uint_t                         i;
    ngx_stream_upstream_srv_conf_t   **us;
    ngx_stream_upstream_main_conf_t   *umcf;

    umcf = ngx_stream_cycle_get_module_main_conf(cf->cycle,
                                                 ngx_stream_upstream_module);
    us = umcf->upstreams.elts;

    for (i = 0; i < umcf->upstreams.nelts; i++) {

        /* made by proxy_pass */

        if (us[i]->srv_conf == NULL) {
            continue;
        }

        if (ngx_stream_duplex_upstream_bind_group(cf, us[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_stream_duplex_upstream_bind_group(ngx_conf_t *cf,
    ngx_stream_upstream_srv_conf_t *us)
{
    ngx_str_t                     *shm;
    ngx_uint_t                     i;
    ngx_duplex_group_t            *group;
    ngx_duplex_server_t            server;
    ngx_stream_upstream_server_t  *stock;

    shm = us->shm_zone ? &us->shm_zone->shm.name : NULL;

    group = ngx_duplex_group_add(cf, &ngx_stream_duplex_driver, &us->host, shm,
                                 us);
    if (group == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(&server, sizeof(ngx_duplex_server_t));

    stock = us->servers->elts;

    for (i = 0; i < us->servers->nelts; i++) {

        server.name = stock[i].name;
        server.addrs = stock[i].addrs;
        server.naddrs = stock[i].naddrs;
        server.configured = stock[i].down ? NGX_DUPLEX_DOWN_CONFIG : 0;
        server.backup = stock[i].backup;

        if (ngx_duplex_server_add(cf, group, &server) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}
