
/*
 * "sticky" of stream: sessions of one client go to one server.  What it does
 * to a session is in ngx_stream_duplex_sticky_peer.c.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>
#include "../core/ngx_duplex_compat.h"
#include "ngx_duplex_sticky_conf.h"
#include "ngx_stream_duplex_sticky.h"


static ngx_int_t ngx_stream_duplex_sticky_preconfiguration(ngx_conf_t *cf);
static void *ngx_stream_duplex_sticky_create_srv_conf(ngx_conf_t *cf);
static ngx_int_t ngx_stream_duplex_sticky_bind(ngx_conf_t *cf);
static ngx_int_t ngx_stream_duplex_sticky_start(ngx_cycle_t *cycle);
static ngx_stream_duplex_sticky_conf_t *ngx_stream_duplex_sticky_conf(
    ngx_stream_upstream_srv_conf_t *us);
static char *ngx_stream_duplex_sticky(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_stream_duplex_sticky_parse(ngx_conf_t *cf,
    ngx_stream_duplex_sticky_conf_t *scf);
static ngx_int_t ngx_stream_duplex_sticky_add_lookup(ngx_conf_t *cf,
    ngx_stream_duplex_sticky_conf_t *scf, ngx_str_t *name);


NGX_DUPLEX_NEEDS_CORE;


static ngx_command_t  ngx_stream_duplex_sticky_commands[] = {

    { ngx_string("sticky"),
      NGX_STREAM_UPS_CONF|NGX_CONF_2MORE,
      ngx_stream_duplex_sticky,
      NGX_STREAM_SRV_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_stream_module_t  ngx_stream_duplex_sticky_module_ctx = {
    ngx_stream_duplex_sticky_preconfiguration, /* preconfiguration */
    NULL,                                  /* postconfiguration */

    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */

    ngx_stream_duplex_sticky_create_srv_conf, /* create server configuration */
    NULL                                   /* merge server configuration */
};


ngx_module_t  ngx_stream_duplex_sticky_module = {
    NGX_MODULE_V1,
    &ngx_stream_duplex_sticky_module_ctx,    /* module context */
    ngx_stream_duplex_sticky_commands,       /* module directives */
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


static ngx_duplex_feature_t  ngx_stream_duplex_sticky_feature = {
    ngx_string("stream sticky"),
    NGX_DUPLEX_LAYER_FEATURE,
    ngx_stream_duplex_sticky_bind,           /* bind */
    NULL,                                  /* commit */
    ngx_stream_duplex_sticky_start,          /* start */
    NULL,                                  /* take */
    NULL,                                  /* beat */
    NULL,                                  /* wake */
    NULL,                                  /* drop */
    NULL                                   /* stop */
};


static ngx_int_t
ngx_stream_duplex_sticky_preconfiguration(ngx_conf_t *cf)
{
    if (ngx_duplex_sticky_register(cf) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_duplex_register_feature(cf, &ngx_stream_duplex_sticky_feature);
}


static void *
ngx_stream_duplex_sticky_create_srv_conf(ngx_conf_t *cf)
{
    /* all of it is set by ngx_pcalloc() */

    return ngx_pcalloc(cf->pool, sizeof(ngx_stream_duplex_sticky_conf_t));
}


static char *
ngx_stream_duplex_sticky(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_stream_duplex_sticky_conf_t *scf = conf;

    ngx_str_t                       *value;
    ngx_stream_upstream_srv_conf_t  *us;

    if (scf->upstream) {
        return "is duplicate";
    }

    scf->upstream = ngx_duplex_find_service(cf, NGX_STREAM_DUPLEX_UPSTREAM);

    if (scf->upstream == NULL) {
        return "needs ngx_stream_duplex_upstream_module.so to be loaded";
    }

    us = ngx_stream_conf_get_module_srv_conf(cf, ngx_stream_upstream_module);

    if (scf->upstream->wrap(cf, us, ngx_stream_duplex_sticky_init_peer)
        != NGX_OK)
    {
        return "cannot be used with what else selects servers here";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "learn") != 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "unknown parameter \"%V\"",
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    return ngx_stream_duplex_sticky_parse(cf, scf);
}


static char *
ngx_stream_duplex_sticky_parse(ngx_conf_t *cf,
    ngx_stream_duplex_sticky_conf_t *scf)
{
    char                      *rv;
    ngx_int_t                  rc;
    ngx_str_t                 *value, text;
    ngx_uint_t                 i;
    ngx_duplex_sticky_zone_t   zone;

    ngx_memzero(&zone, sizeof(ngx_duplex_sticky_zone_t));

    value = cf->args->elts;

    for (i = 2; i < cf->args->nelts; i++) {

        text.data = (u_char *) ngx_strchr(value[i].data, '=');
        text.data = text.data ? text.data + 1 : value[i].data + value[i].len;
        text.len = value[i].data + value[i].len - text.data;

        rv = NGX_CONF_OK;

        if (ngx_strncmp(value[i].data, "lookup=", 7) == 0) {

            rc = ngx_stream_duplex_sticky_add_lookup(cf, scf, &text);

            if (rc == NGX_DECLINED) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "\"sticky\" directive missing variable in "
                                   "the \"lookup\" parameter \"%V\"", &text);
            }

            rv = (rc == NGX_OK) ? NGX_CONF_OK : NGX_CONF_ERROR;

        } else if (ngx_strncmp(value[i].data, "zone=", 5) == 0) {
            rv = ngx_duplex_sticky_set_zone(cf, &zone, &text);

        } else if (ngx_strncmp(value[i].data, "timeout=", 8) == 0) {
            rv = ngx_duplex_sticky_set_timeout(cf, &scf->sticky, &text);

        } else if (ngx_strcmp(value[i].data, "sync") == 0) {
            zone.sync = 1;

        } else if (ngx_strncmp(value[i].data, "sync=", 5) == 0) {
            rv = ngx_duplex_sticky_refuse_sync(cf, &value[i]);

        } else if (ngx_strcmp(value[i].data, "strict") == 0) {
            scf->strict = 1;

        } else {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "unknown parameter \"%V\"", &value[i]);
            return NGX_CONF_ERROR;
        }

        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    if (zone.name.len == 0) {
        return "\"zone\" parameter is not specified";
    }

    ngx_str_set(&text, "$remote_addr");

    if (scf->lookup == NULL
        && ngx_stream_duplex_sticky_add_lookup(cf, scf, &text) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    return ngx_duplex_sticky_add_zone(cf, &scf->sticky, &zone,
                  ngx_stream_conf_get_module_srv_conf(cf,
                                                ngx_stream_upstream_module));
}


/* NGX_OK, NGX_DECLINED: not a variable, NGX_ERROR: logged */

static ngx_int_t
ngx_stream_duplex_sticky_add_lookup(ngx_conf_t *cf,
    ngx_stream_duplex_sticky_conf_t *scf, ngx_str_t *name)
{
    ngx_int_t  *index;
    ngx_str_t   variable;

    if (name->len < 2 || name->data[0] != '$') {
        return NGX_DECLINED;
    }

    if (scf->lookup == NULL) {
        scf->lookup = ngx_array_create(cf->pool, 2, sizeof(ngx_int_t));
        if (scf->lookup == NULL) {
            return NGX_ERROR;
        }
    }

    index = ngx_array_push(scf->lookup);
    if (index == NULL) {
        return NGX_ERROR;
    }

    variable.data = name->data + 1;
    variable.len = name->len - 1;

    *index = ngx_stream_get_variable_index(cf, &variable);

    return *index == NGX_ERROR ? NGX_ERROR : NGX_OK;
}


static ngx_int_t
ngx_stream_duplex_sticky_bind(ngx_conf_t *cf)
{
    ngx_uint_t                       i;
    ngx_stream_upstream_srv_conf_t   **us;
    ngx_stream_upstream_main_conf_t   *umcf;
    ngx_stream_duplex_sticky_conf_t   *scf;

    umcf = ngx_stream_cycle_get_module_main_conf(cf->cycle,
                                               ngx_stream_upstream_module);
    us = umcf->upstreams.elts;

    for (i = 0; i < umcf->upstreams.nelts; i++) {

        scf = ngx_stream_duplex_sticky_conf(us[i]);

        if (scf == NULL) {
            continue;
        }

        /* its peers are ours to take only where they are in shared memory */

        if (us[i]->shm_zone == NULL) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "\"sticky\" needs \"zone\" in stream upstream "
                          "\"%V\" in %s:%ui", &us[i]->host,
                          us[i]->file_name, us[i]->line);
            return NGX_ERROR;
        }

        if (ngx_duplex_sticky_bind(cf, &scf->sticky,
                                   ngx_duplex_group_bound(cf, us[i]))
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_stream_duplex_sticky_start(ngx_cycle_t *cycle)
{
    ngx_uint_t                         i;
    ngx_stream_upstream_srv_conf_t   **us;
    ngx_stream_upstream_main_conf_t   *umcf;
    ngx_stream_duplex_sticky_conf_t   *scf;

    umcf = ngx_stream_cycle_get_module_main_conf(cycle,
                                               ngx_stream_upstream_module);
    us = umcf->upstreams.elts;

    for (i = 0; i < umcf->upstreams.nelts; i++) {

        scf = ngx_stream_duplex_sticky_conf(us[i]);

        if (scf) {
            ngx_duplex_sticky_start(&scf->sticky);
        }
    }

    return NGX_OK;
}


/* NULL: "sticky" is not used there */

static ngx_stream_duplex_sticky_conf_t *
ngx_stream_duplex_sticky_conf(ngx_stream_upstream_srv_conf_t *us)
{
    ngx_stream_duplex_sticky_conf_t  *scf;

    /* made by proxy_pass and the like */

    if (us->srv_conf == NULL) {
        return NULL;
    }

    scf = ngx_stream_conf_upstream_srv_conf(us,
                                            ngx_stream_duplex_sticky_module);

    return scf->upstream ? scf : NULL;
}
