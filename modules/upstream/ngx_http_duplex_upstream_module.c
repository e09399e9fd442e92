
/*
 * upstream{} of http: what the suite adds to it.
 *
 * This module stands before the stock ones in the list, so it sees "server"
 * and "keepalive" first, and hands them on to the stock handlers.  Balancers
 * are wrapped when all of http{} is parsed, so no order of directives
 * matters.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "../core/ngx_duplex_compat.h"
#include "../core/ngx_duplex_delegate.h"
#include "ngx_http_duplex_upstream.h"
#include "ngx_http_duplex_driver.h"
#include "ngx_http_duplex_peer.h"
#include "ngx_http_duplex_queue.h"
#include "ngx_duplex_panic.h"
#include "ngx_http_duplex_upstream_conf.h"


static ngx_int_t ngx_http_duplex_upstream_preconfiguration(ngx_conf_t *cf);
static void *ngx_http_duplex_upstream_create_srv_conf(ngx_conf_t *cf);
static char *ngx_http_duplex_upstream_init_main_conf(ngx_conf_t *cf,
    void *conf);
static char *ngx_http_duplex_upstream_panic(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
#if !(NGX_DUPLEX_HAVE_ORDERED_KEEPALIVE)
static char *ngx_http_duplex_upstream_keepalive(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
static char *ngx_http_duplex_upstream_set_keepalive(ngx_conf_t *cf,
    ngx_http_duplex_upstream_srv_conf_t *uscf,
    ngx_http_upstream_srv_conf_t *us);
#endif
static ngx_int_t ngx_http_duplex_upstream_wrap(ngx_conf_t *cf,
    ngx_http_upstream_srv_conf_t *us, ngx_http_duplex_wrap_pt wrap);
static ngx_int_t ngx_http_duplex_upstream_init_upstream(ngx_conf_t *cf,
    ngx_http_upstream_srv_conf_t *us);
static ngx_int_t ngx_http_duplex_upstream_init_peer(ngx_http_request_t *r,
    ngx_http_upstream_srv_conf_t *us);


NGX_DUPLEX_NEEDS_CORE;


static ngx_command_t  ngx_http_duplex_upstream_commands[] = {

    { ngx_string("server"),
      NGX_HTTP_UPS_CONF|NGX_CONF_1MORE,
      ngx_http_duplex_upstream_server,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("duplex_panic"),
      NGX_HTTP_UPS_CONF|NGX_CONF_TAKE1,
      ngx_http_duplex_upstream_panic,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("queue"),
      NGX_HTTP_UPS_CONF|NGX_CONF_TAKE12,
      ngx_http_duplex_queue,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("zone"),
      NGX_HTTP_UPS_CONF|NGX_CONF_TAKE12,
      ngx_http_duplex_upstream_zone,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("state"),
      NGX_HTTP_UPS_CONF|NGX_CONF_TAKE1,
      ngx_http_duplex_upstream_state,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("resolver"),
      NGX_HTTP_UPS_CONF|NGX_CONF_1MORE,
      ngx_http_duplex_upstream_resolver,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("resolver_timeout"),
      NGX_HTTP_UPS_CONF|NGX_CONF_TAKE1,
      ngx_duplex_name_timeout,
      NGX_HTTP_SRV_CONF_OFFSET,
      offsetof(ngx_http_duplex_upstream_srv_conf_t, resolver.timeout),
      NULL },

    { ngx_string("duplex_spare"),
      NGX_HTTP_UPS_CONF|NGX_CONF_TAKE1,
      ngx_duplex_spare_set,
      NGX_HTTP_SRV_CONF_OFFSET,
      offsetof(ngx_http_duplex_upstream_srv_conf_t, spare),
      NULL },

#if !(NGX_DUPLEX_HAVE_ORDERED_KEEPALIVE)

    { ngx_string("keepalive"),
      NGX_HTTP_UPS_CONF|NGX_CONF_TAKE1,
      ngx_http_duplex_upstream_keepalive,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

#endif

      ngx_null_command
};


static ngx_http_module_t  ngx_http_duplex_upstream_module_ctx = {
    ngx_http_duplex_upstream_preconfiguration, /* preconfiguration */
    NULL,                                  /* postconfiguration */

    NULL,                                  /* create main configuration */
    ngx_http_duplex_upstream_init_main_conf, /* init main configuration */

    ngx_http_duplex_upstream_create_srv_conf, /* create server configuration */
    NULL,                                  /* merge server configuration */

    NULL,                                  /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_http_duplex_upstream_module = {
    NGX_MODULE_V1,
    &ngx_http_duplex_upstream_module_ctx,  /* module context */
    ngx_http_duplex_upstream_commands,     /* module directives */
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


static ngx_duplex_feature_t  ngx_http_duplex_upstream_feature = {
    ngx_string("http upstream"),
    NGX_DUPLEX_LAYER_UPSTREAM,
    ngx_http_duplex_upstream_bind,         /* bind */
    NULL,                                  /* commit */
    NULL,                                  /* start */
    NULL,                                  /* take */
    NULL,                                  /* beat */
    NULL,                                  /* wake */
    NULL,                                  /* drop */
    NULL                                   /* stop */
};


static ngx_http_duplex_upstream_t  ngx_http_duplex_upstream_service = {
    ngx_http_duplex_upstream_wrap,
    ngx_http_duplex_peer_is_stock,
    ngx_http_duplex_driver_take,
    ngx_http_duplex_driver_selected
};


static ngx_int_t
ngx_http_duplex_upstream_preconfiguration(ngx_conf_t *cf)
{
    if (ngx_duplex_register_driver(cf, &ngx_http_duplex_driver) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_duplex_register_feature(cf, &ngx_http_duplex_upstream_feature)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ngx_http_duplex_queue_register(cf) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_duplex_register_service(cf, NGX_HTTP_DUPLEX_UPSTREAM,
                                       &ngx_http_duplex_upstream_service);
}


static void *
ngx_http_duplex_upstream_create_srv_conf(ngx_conf_t *cf)
{
    ngx_http_duplex_upstream_srv_conf_t  *uscf;

    uscf = ngx_pcalloc(cf->pool, sizeof(ngx_http_duplex_upstream_srv_conf_t));
    if (uscf == NULL) {
        return NULL;
    }

    /* all else is set by ngx_pcalloc() */

    uscf->spare = NGX_CONF_UNSET_UINT;
    uscf->resolver.timeout = NGX_CONF_UNSET_MSEC;

    return uscf;
}


static char *
ngx_http_duplex_upstream_panic(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    return ngx_duplex_panic_set(cf,
               ngx_http_conf_get_module_srv_conf(cf, ngx_http_upstream_module));
}


/* called before that of the stock upstream module, which calls the inits */

static char *
ngx_http_duplex_upstream_init_main_conf(ngx_conf_t *cf, void *conf)
{
#if !(NGX_DUPLEX_HAVE_ORDERED_KEEPALIVE)
    char                                 *rv;
#endif
    ngx_uint_t                            i;
    ngx_http_upstream_srv_conf_t        **us;
    ngx_http_upstream_main_conf_t        *umcf;
    ngx_http_duplex_upstream_srv_conf_t  *uscf;

    umcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_upstream_module);
    us = umcf->upstreams.elts;

    for (i = 0; i < umcf->upstreams.nelts; i++) {

        /* made by proxy_pass and the like */

        if (us[i]->srv_conf == NULL) {
            continue;
        }

        uscf = ngx_http_conf_upstream_srv_conf(us[i],
                                              ngx_http_duplex_upstream_module);

        ngx_http_duplex_upstream_unhold(us[i], uscf);

        if (uscf->queue) {
            uscf->queue->zone = (us[i]->shm_zone != NULL);
        }

        if (uscf->wrap || uscf->queue || us[i]->shm_zone) {
            uscf->init_upstream = us[i]->peer.init_upstream
                                  ? us[i]->peer.init_upstream
                                  : ngx_http_upstream_init_round_robin;

            us[i]->peer.init_upstream = ngx_http_duplex_upstream_init_upstream;
        }

#if !(NGX_DUPLEX_HAVE_ORDERED_KEEPALIVE)

        /* after the wrapper, so that cached connections are the outermost */

        if (uscf->keepalive) {
            rv = ngx_http_duplex_upstream_set_keepalive(cf, uscf, us[i]);

            if (rv != NGX_CONF_OK) {
                return rv;
            }
        }

#endif
    }

    return NGX_CONF_OK;
}


#if !(NGX_DUPLEX_HAVE_ORDERED_KEEPALIVE)

static char *
ngx_http_duplex_upstream_keepalive(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_duplex_upstream_srv_conf_t  *uscf = conf;

    ngx_str_t    *arg;
    ngx_array_t  *args;

    if (uscf->keepalive) {
        return "is duplicate";
    }

    args = ngx_array_create(cf->pool, cf->args->nelts, sizeof(ngx_str_t));
    if (args == NULL) {
        return NGX_CONF_ERROR;
    }

    arg = ngx_array_push_n(args, cf->args->nelts);
    if (arg == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memcpy(arg, cf->args->elts, cf->args->nelts * sizeof(ngx_str_t));

    uscf->keepalive = args;
    uscf->file = cf->conf_file->file.name;
    uscf->line = cf->conf_file->line;

    return NGX_CONF_OK;
}


static char *
ngx_http_duplex_upstream_set_keepalive(ngx_conf_t *cf,
    ngx_http_duplex_upstream_srv_conf_t *uscf, ngx_http_upstream_srv_conf_t *us)
{
    char                 *rv;
    ngx_str_t            *value;
    ngx_uint_t            own_type;
    ngx_conf_file_t      *own_file, file;
    ngx_http_conf_ctx_t  *own_ctx, ctx;

    /* as in the block, and a message must name the line of the directive */

    own_type = cf->cmd_type;
    own_ctx = cf->ctx;
    own_file = cf->conf_file;

    ctx = *own_ctx;
    ctx.srv_conf = us->srv_conf;

    file = *own_file;
    file.file.name = uscf->file;
    file.line = uscf->line;

    cf->cmd_type = NGX_HTTP_UPS_CONF;
    cf->ctx = &ctx;
    cf->conf_file = &file;

    value = uscf->keepalive->elts;

    rv = ngx_duplex_delegate(cf, &ngx_http_duplex_upstream_module,
                             uscf->keepalive);

    if (rv != NGX_CONF_OK && rv != NGX_CONF_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V\" directive %s",
                           &value[0], rv);
        rv = NGX_CONF_ERROR;
    }

    cf->cmd_type = own_type;
    cf->ctx = own_ctx;
    cf->conf_file = own_file;

    return rv;
}

#endif


static ngx_int_t
ngx_http_duplex_upstream_wrap(ngx_conf_t *cf, ngx_http_upstream_srv_conf_t *us,
    ngx_http_duplex_wrap_pt wrap)
{
    ngx_http_duplex_upstream_srv_conf_t  *uscf;

    uscf = ngx_http_conf_upstream_srv_conf(us, ngx_http_duplex_upstream_module);

    if (uscf->wrap) {
        return NGX_DECLINED;
    }

    uscf->wrap = wrap;

    return NGX_OK;
}


static ngx_int_t
ngx_http_duplex_upstream_init_upstream(ngx_conf_t *cf,
    ngx_http_upstream_srv_conf_t *us)
{
    ngx_http_duplex_upstream_srv_conf_t  *uscf;

    uscf = ngx_http_conf_upstream_srv_conf(us, ngx_http_duplex_upstream_module);

    if (uscf->init_upstream(cf, us) != NGX_OK) {
        return NGX_ERROR;
    }

    uscf->init_peer = us->peer.init;
    us->peer.init = ngx_http_duplex_upstream_init_peer;

    return NGX_OK;
}


static ngx_int_t
ngx_http_duplex_upstream_init_peer(ngx_http_request_t *r,
    ngx_http_upstream_srv_conf_t *us)
{
    ngx_int_t                             rc;
    ngx_http_duplex_upstream_srv_conf_t  *uscf;

    uscf = ngx_http_conf_upstream_srv_conf(us, ngx_http_duplex_upstream_module);

    /* members may change only where there is a zone and a store */

    rc = uscf->group->generation ? ngx_http_duplex_peer_init(r, us)
                                 : uscf->init_peer(r, us);

    if (rc != NGX_OK) {
        return rc;
    }

    if (uscf->queue) {
        uscf->queue->stock = ngx_http_duplex_peer_is_stock(r);
    }

    if (uscf->wrap && uscf->wrap(r, us) != NGX_OK) {
        return NGX_ERROR;
    }

    return uscf->queue ? ngx_http_duplex_queue_init_peer(r, uscf->queue)
                       : NGX_OK;
}
