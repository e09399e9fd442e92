
/*
 * upstream{} of stream: what the suite adds to it.
 *
 * This module stands before the stock ones in the list, so it sees "server"
 * and "zone" first, and hands them on to the stock handlers.  Balancers are
 * wrapped when all of stream{} is parsed, so no order of directives matters.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>
#include "../core/ngx_duplex_compat.h"
#include "ngx_duplex_panic.h"
#include "ngx_stream_duplex_driver.h"
#include "ngx_stream_duplex_drop.h"


static ngx_int_t ngx_stream_duplex_upstream_preconfiguration(ngx_conf_t *cf);
static void *ngx_stream_duplex_upstream_create_srv_conf(ngx_conf_t *cf);
static char *ngx_stream_duplex_upstream_merge_srv_conf(ngx_conf_t *cf,
    void *parent, void *child);
static char *ngx_stream_duplex_upstream_panic(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
static char *ngx_stream_duplex_upstream_init_main_conf(ngx_conf_t *cf,
    void *conf);
static ngx_int_t ngx_stream_duplex_upstream_init_upstream(ngx_conf_t *cf,
    ngx_stream_upstream_srv_conf_t *us);
static ngx_int_t ngx_stream_duplex_upstream_init_peer(ngx_stream_session_t *s,
    ngx_stream_upstream_srv_conf_t *us);


NGX_DUPLEX_NEEDS_CORE;


static ngx_command_t  ngx_stream_duplex_upstream_commands[] = {

    { ngx_string("server"),
      NGX_STREAM_UPS_CONF|NGX_CONF_1MORE,
      ngx_stream_duplex_upstream_server,
      NGX_STREAM_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("zone"),
      NGX_STREAM_UPS_CONF|NGX_CONF_TAKE12,
      ngx_stream_duplex_upstream_zone,
      NGX_STREAM_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("state"),
      NGX_STREAM_UPS_CONF|NGX_CONF_TAKE1,
      ngx_stream_duplex_upstream_state,
      NGX_STREAM_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("resolver"),
      NGX_STREAM_UPS_CONF|NGX_CONF_1MORE,
      ngx_stream_duplex_upstream_resolver,
      NGX_STREAM_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("resolver_timeout"),
      NGX_STREAM_UPS_CONF|NGX_CONF_TAKE1,
      ngx_duplex_name_timeout,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_duplex_upstream_srv_conf_t, resolver.timeout),
      NULL },

    { ngx_string("duplex_spare"),
      NGX_STREAM_UPS_CONF|NGX_CONF_TAKE1,
      ngx_duplex_spare_set,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_duplex_upstream_srv_conf_t, spare),
      NULL },

    { ngx_string("duplex_panic"),
      NGX_STREAM_UPS_CONF|NGX_CONF_TAKE1,
      ngx_stream_duplex_upstream_panic,
      NGX_STREAM_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("proxy_session_drop"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_duplex_upstream_srv_conf_t, session_drop),
      NULL },

      ngx_null_command
};


static ngx_stream_module_t  ngx_stream_duplex_upstream_module_ctx = {
    ngx_stream_duplex_upstream_preconfiguration, /* preconfiguration */
    NULL,                                  /* postconfiguration */

    NULL,                                  /* create main configuration */
    ngx_stream_duplex_upstream_init_main_conf, /* init main configuration */

    ngx_stream_duplex_upstream_create_srv_conf, /* create server conf */
    ngx_stream_duplex_upstream_merge_srv_conf /* merge server configuration */
};


ngx_module_t  ngx_stream_duplex_upstream_module = {
    NGX_MODULE_V1,
    &ngx_stream_duplex_upstream_module_ctx, /* module context */
    ngx_stream_duplex_upstream_commands,   /* module directives */
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

    if (ngx_stream_duplex_drop_register(cf) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_duplex_register_feature(cf, &ngx_stream_duplex_upstream_feature)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_duplex_register_service(cf, NGX_STREAM_DUPLEX_UPSTREAM,
                                       &ngx_stream_duplex_upstream_service);
}


static void *
ngx_stream_duplex_upstream_create_srv_conf(ngx_conf_t *cf)
{
    ngx_stream_duplex_upstream_srv_conf_t  *uscf;

    uscf = ngx_pcalloc(cf->pool,
                       sizeof(ngx_stream_duplex_upstream_srv_conf_t));
    if (uscf == NULL) {
        return NULL;
    }

    /* all else is set by ngx_pcalloc() */

    uscf->spare = NGX_CONF_UNSET_UINT;
    uscf->resolver.timeout = NGX_CONF_UNSET_MSEC;
    uscf->session_drop = NGX_CONF_UNSET;

    return uscf;
}


static char *
ngx_stream_duplex_upstream_merge_srv_conf(ngx_conf_t *cf, void *parent,
    void *child)
{
    ngx_stream_duplex_upstream_srv_conf_t  *prev = parent;
    ngx_stream_duplex_upstream_srv_conf_t  *conf = child;

    ngx_conf_merge_value(conf->session_drop, prev->session_drop, 0);

    if (conf->session_drop) {
        ngx_stream_duplex_drop_need(cf);
    }

    return NGX_CONF_OK;
}


static char *
ngx_stream_duplex_upstream_panic(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    return ngx_duplex_panic_set(cf,
               ngx_stream_conf_get_module_srv_conf(cf,
                                                  ngx_stream_upstream_module));
}


/* called before that of the stock upstream module, which calls the inits */

static char *
ngx_stream_duplex_upstream_init_main_conf(ngx_conf_t *cf, void *conf)
{
    ngx_uint_t                               i;
    ngx_stream_upstream_srv_conf_t         **us;
    ngx_stream_upstream_main_conf_t         *umcf;
    ngx_stream_duplex_upstream_srv_conf_t   *uscf;

    umcf = ngx_stream_conf_get_module_main_conf(cf,
                                                ngx_stream_upstream_module);
    us = umcf->upstreams.elts;

    for (i = 0; i < umcf->upstreams.nelts; i++) {

        /* made by proxy_pass, or without a zone */

        if (us[i]->srv_conf == NULL || us[i]->shm_zone == NULL) {
            continue;
        }

        uscf = ngx_stream_conf_upstream_srv_conf(us[i],
                                            ngx_stream_duplex_upstream_module);

        ngx_stream_duplex_upstream_unhold(us[i], uscf);

        uscf->init_upstream = us[i]->peer.init_upstream
                              ? us[i]->peer.init_upstream
                              : ngx_stream_upstream_init_round_robin;

        us[i]->peer.init_upstream = ngx_stream_duplex_upstream_init_upstream;
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_stream_duplex_upstream_init_upstream(ngx_conf_t *cf,
    ngx_stream_upstream_srv_conf_t *us)
{
    ngx_stream_duplex_upstream_srv_conf_t  *uscf;

    uscf = ngx_stream_conf_upstream_srv_conf(us,
                                            ngx_stream_duplex_upstream_module);

    if (uscf->init_upstream(cf, us) != NGX_OK) {
        return NGX_ERROR;
    }

    uscf->init_peer = us->peer.init;
    us->peer.init = ngx_stream_duplex_upstream_init_peer;

    return NGX_OK;
}


static ngx_int_t
ngx_stream_duplex_upstream_init_peer(ngx_stream_session_t *s,
    ngx_stream_upstream_srv_conf_t *us)
{
    ngx_stream_duplex_upstream_srv_conf_t  *uscf;

    uscf = ngx_stream_conf_upstream_srv_conf(us,
                                            ngx_stream_duplex_upstream_module);

    /* members may change only where there is a store */

    if (uscf->group->generation == NULL) {
        return uscf->init_peer(s, us);
    }

    if (ngx_stream_duplex_peer_init(s, us) != NGX_OK) {
        return NGX_ERROR;
    }

    return uscf->wrap ? uscf->wrap(s, us) : NGX_OK;
}
