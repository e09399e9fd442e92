
/*
 * "sticky" of http: requests of one client go to one server.
 *
 * The directive is in ngx_http_duplex_sticky_conf.c, what it does to a
 * request in ngx_http_duplex_sticky_peer.c.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "../core/ngx_duplex_compat.h"
#include "ngx_http_duplex_sticky.h"


static ngx_int_t ngx_http_duplex_sticky_preconfiguration(ngx_conf_t *cf);
static void *ngx_http_duplex_sticky_create_srv_conf(ngx_conf_t *cf);
static ngx_int_t ngx_http_duplex_sticky_bind(ngx_conf_t *cf);
static void ngx_http_duplex_sticky_say_whose(ngx_conf_t *cf);
static ngx_int_t ngx_http_duplex_sticky_start(ngx_cycle_t *cycle);
static ngx_http_duplex_sticky_conf_t *ngx_http_duplex_sticky_conf(
    ngx_http_upstream_srv_conf_t *us);


NGX_DUPLEX_NEEDS_CORE;


static ngx_command_t  ngx_http_duplex_sticky_commands[] = {

    { ngx_string("sticky"),
      NGX_HTTP_UPS_CONF|NGX_CONF_2MORE,
      ngx_http_duplex_sticky,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_duplex_sticky_module_ctx = {
    ngx_http_duplex_sticky_preconfiguration, /* preconfiguration */
    NULL,                                  /* postconfiguration */

    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */

    ngx_http_duplex_sticky_create_srv_conf, /* create server configuration */
    NULL,                                  /* merge server configuration */

    NULL,                                  /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_http_duplex_sticky_module = {
    NGX_MODULE_V1,
    &ngx_http_duplex_sticky_module_ctx,    /* module context */
    ngx_http_duplex_sticky_commands,       /* module directives */
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


static ngx_duplex_feature_t  ngx_http_duplex_sticky_feature = {
    ngx_string("http sticky"),
    NGX_DUPLEX_LAYER_FEATURE,
    ngx_http_duplex_sticky_bind,           /* bind */
    NULL,                                  /* commit */
    ngx_http_duplex_sticky_start,          /* start */
    NULL,                                  /* take */
    NULL,                                  /* beat */
    NULL,                                  /* wake */
    NULL,                                  /* drop */
    NULL                                   /* stop */
};


static ngx_int_t
ngx_http_duplex_sticky_preconfiguration(ngx_conf_t *cf)
{
    if (ngx_duplex_sticky_register(cf) != NGX_OK
        || ngx_http_duplex_sticky_add_variables(cf) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_duplex_register_feature(cf, &ngx_http_duplex_sticky_feature);
}


static void *
ngx_http_duplex_sticky_create_srv_conf(ngx_conf_t *cf)
{
    /* all of it is set by ngx_pcalloc() */

    return ngx_pcalloc(cf->pool, sizeof(ngx_http_duplex_sticky_conf_t));
}


static ngx_int_t
ngx_http_duplex_sticky_bind(ngx_conf_t *cf)
{
    ngx_uint_t                       i, used;
    ngx_http_upstream_srv_conf_t   **us;
    ngx_http_upstream_main_conf_t   *umcf;
    ngx_http_duplex_sticky_conf_t   *scf;

    used = 0;

    umcf = ngx_http_cycle_get_module_main_conf(cf->cycle,
                                               ngx_http_upstream_module);
    us = umcf->upstreams.elts;

    for (i = 0; i < umcf->upstreams.nelts; i++) {

        scf = ngx_http_duplex_sticky_conf(us[i]);

        if (scf == NULL) {
            continue;
        }

        used = 1;

        scf->named = ngx_http_duplex_sticky_names_servers(cf);

        ngx_http_duplex_sticky_bind_sources(cf, scf->lookup);

        if (ngx_duplex_sticky_bind(cf, &scf->sticky,
                                   ngx_duplex_group_bound(cf, us[i]))
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    if (used) {
        ngx_http_duplex_sticky_say_whose(cf);
    }

    return NGX_OK;
}


/* a user who upgrades nginx should know that nothing has changed */

static void
ngx_http_duplex_sticky_say_whose(ngx_conf_t *cf)
{
    ngx_uint_t  i;

    for (i = 0; cf->cycle->modules[i]; i++) {

        if (ngx_strcmp(cf->cycle->modules[i]->name,
                       "ngx_http_upstream_sticky_module")
            == 0)
        {
            ngx_log_error(NGX_LOG_NOTICE, cf->log, 0,
                          "\"sticky\" is that of nginx-duplex, not nginx's "
                          "own");
            return;
        }
    }
}


static ngx_int_t
ngx_http_duplex_sticky_start(ngx_cycle_t *cycle)
{
    ngx_uint_t                       i, header;
    ngx_http_upstream_srv_conf_t   **us;
    ngx_http_upstream_main_conf_t   *umcf;
    ngx_http_duplex_sticky_conf_t   *scf;

    umcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_upstream_module);
    us = umcf->upstreams.elts;

    header = 0;

    for (i = 0; i < umcf->upstreams.nelts; i++) {

        scf = ngx_http_duplex_sticky_conf(us[i]);

        if (scf) {
            ngx_duplex_sticky_start(&scf->sticky);
            header |= scf->header;
        }
    }

    if (header) {
        ngx_http_duplex_sticky_add_header_filter();
    }

    return NGX_OK;
}


/* NULL: "sticky" is not used there */

static ngx_http_duplex_sticky_conf_t *
ngx_http_duplex_sticky_conf(ngx_http_upstream_srv_conf_t *us)
{
    ngx_http_duplex_sticky_conf_t  *scf;

    /* made by proxy_pass and the like */

    if (us->srv_conf == NULL) {
        return NULL;
    }

    scf = ngx_http_conf_upstream_srv_conf(us, ngx_http_duplex_sticky_module);

    return scf->upstream ? scf : NULL;
}
