
/*
 * The directive "sticky" of upstream{}: "route" and "learn".
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "../core/ngx_duplex_compat.h"
#include "../core/ngx_duplex_param.h"
#include "ngx_http_duplex_sticky.h"


#define NGX_HTTP_DUPLEX_STICKY_TIMEOUT  600000


static ngx_int_t ngx_http_duplex_sticky_preconfiguration(ngx_conf_t *cf);
static void *ngx_http_duplex_sticky_create_srv_conf(ngx_conf_t *cf);
static char *ngx_http_duplex_sticky(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_duplex_sticky_set_route(ngx_conf_t *cf,
    ngx_http_duplex_sticky_conf_t *scf);
static char *ngx_http_duplex_sticky_set_learn(ngx_conf_t *cf,
    ngx_http_duplex_sticky_conf_t *scf);
static const char *ngx_http_duplex_sticky_variable(ngx_conf_t *cf,
    ngx_duplex_param_t *param, ngx_str_t *value, void *conf);
static ngx_int_t ngx_http_duplex_sticky_add_variable(ngx_conf_t *cf,
    ngx_array_t **variables, ngx_str_t *name);
static const char *ngx_http_duplex_sticky_zone(ngx_conf_t *cf,
    ngx_duplex_param_t *param, ngx_str_t *value, void *conf);
static ngx_int_t ngx_http_duplex_sticky_bind(ngx_conf_t *cf);
static ngx_int_t ngx_http_duplex_sticky_start(ngx_cycle_t *cycle);


NGX_DUPLEX_NEEDS_CORE;


static ngx_duplex_param_t  ngx_http_duplex_sticky_learn_params[] = {

    { ngx_string("create"), NGX_DUPLEX_PARAM_MANY,
      ngx_http_duplex_sticky_variable,
      offsetof(ngx_http_duplex_sticky_conf_t, create) },

    { ngx_string("lookup"), NGX_DUPLEX_PARAM_MANY,
      ngx_http_duplex_sticky_variable,
      offsetof(ngx_http_duplex_sticky_conf_t, lookup) },

    { ngx_string("zone"), 0,
      ngx_http_duplex_sticky_zone, 0 },

    { ngx_string("timeout"), 0,
      ngx_duplex_param_msec,
      offsetof(ngx_http_duplex_sticky_conf_t, timeout) },

    { ngx_string("header"), NGX_DUPLEX_PARAM_FLAG,
      ngx_duplex_param_flag,
      offsetof(ngx_http_duplex_sticky_conf_t, header) },

    { ngx_string("sync"), NGX_DUPLEX_PARAM_FLAG,
      ngx_duplex_param_flag,
      offsetof(ngx_http_duplex_sticky_conf_t, sync) },

    ngx_duplex_null_param
};


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
    if (ngx_duplex_register_kind(cf, &ngx_duplex_session_kind) != NGX_OK) {
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


static char *
ngx_http_duplex_sticky(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_duplex_sticky_conf_t  *scf = conf;

    ngx_str_t                     *value;
    ngx_http_upstream_srv_conf_t  *us;

    if (scf->upstream) {
        return "is duplicate";
    }

    scf->upstream = ngx_duplex_find_service(cf, NGX_HTTP_DUPLEX_UPSTREAM);

    if (scf->upstream == NULL) {
        return "needs ngx_http_duplex_upstream_module.so to be loaded";
    }

    us = ngx_http_conf_get_module_srv_conf(cf, ngx_http_upstream_module);

    if (scf->upstream->wrap(cf, us, ngx_http_duplex_sticky_init_peer)
        != NGX_OK)
    {
        return "cannot be used with what else selects servers here";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "route") == 0) {
        return ngx_http_duplex_sticky_set_route(cf, scf);
    }

    if (ngx_strcmp(value[1].data, "learn") == 0) {
        return ngx_http_duplex_sticky_set_learn(cf, scf);
    }

    if (ngx_strcmp(value[1].data, "cookie") == 0) {
        return "knows \"route\" and \"learn\" in this version, not \"cookie\"";
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid method \"%V\": must be \"route\" or \"learn\"",
                       &value[1]);

    return NGX_CONF_ERROR;
}


static char *
ngx_http_duplex_sticky_set_route(ngx_conf_t *cf,
    ngx_http_duplex_sticky_conf_t *scf)
{
    ngx_int_t    rc;
    ngx_str_t   *value;
    ngx_uint_t   i;

    value = cf->args->elts;

    for (i = 2; i < cf->args->nelts; i++) {

        rc = ngx_http_duplex_sticky_add_variable(cf, &scf->lookup, &value[i]);

        if (rc == NGX_DECLINED) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid route \"%V\": must be a variable",
                               &value[i]);
        }

        if (rc != NGX_OK) {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_duplex_sticky_set_learn(ngx_conf_t *cf,
    ngx_http_duplex_sticky_conf_t *scf)
{
    ngx_uint_t                     flags;
    ngx_http_upstream_srv_conf_t  *us;

    if (ngx_duplex_param_parse(cf, ngx_http_duplex_sticky_learn_params, 2, scf)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (scf->create == NULL) {
        return "\"create\" parameter is not specified";
    }

    if (scf->lookup == NULL) {
        return "\"lookup\" parameter is not specified";
    }

    if (scf->name.len == 0) {
        return "\"zone\" parameter is not specified";
    }

    if (scf->timeout == 0) {
        scf->timeout = NGX_HTTP_DUPLEX_STICKY_TIMEOUT;
    }

    ngx_duplex_session_hash_key(&scf->key, &scf->name);

    flags = NGX_DUPLEX_TABLE_EVICTS|NGX_DUPLEX_TABLE_DENSE;

    if (!scf->sync) {
        flags |= NGX_DUPLEX_TABLE_LOCAL;
    }

    us = ngx_http_conf_get_module_srv_conf(cf, ngx_http_upstream_module);

    scf->zone = ngx_duplex_zone_add(cf, &scf->name, scf->size,
                                    &ngx_duplex_session_kind, flags, us);
    if (scf->zone == NULL) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static const char *
ngx_http_duplex_sticky_variable(ngx_conf_t *cf, ngx_duplex_param_t *param,
    ngx_str_t *value, void *conf)
{
    ngx_int_t      rc;
    ngx_array_t  **variables;

    variables = (ngx_array_t **) ((u_char *) conf + param->offset);

    rc = ngx_http_duplex_sticky_add_variable(cf, variables, value);

    if (rc == NGX_DECLINED) {
        return "must be a variable";
    }

    return rc == NGX_OK ? NULL : NGX_CONF_ERROR;
}


/* NGX_OK, NGX_DECLINED: not a variable, NGX_ERROR: logged */

static ngx_int_t
ngx_http_duplex_sticky_add_variable(ngx_conf_t *cf, ngx_array_t **variables,
    ngx_str_t *name)
{
    ngx_int_t  *index;
    ngx_str_t   variable;

    if (name->len < 2 || name->data[0] != '$') {
        return NGX_DECLINED;
    }

    variable.data = name->data + 1;
    variable.len = name->len - 1;

    if (*variables == NULL) {
        *variables = ngx_array_create(cf->pool, 2, sizeof(ngx_int_t));
        if (*variables == NULL) {
            return NGX_ERROR;
        }
    }

    index = ngx_array_push(*variables);
    if (index == NULL) {
        return NGX_ERROR;
    }

    *index = ngx_http_get_variable_index(cf, &variable);

    return *index == NGX_ERROR ? NGX_ERROR : NGX_OK;
}


static const char *
ngx_http_duplex_sticky_zone(ngx_conf_t *cf, ngx_duplex_param_t *param,
    ngx_str_t *value, void *conf)
{
    ngx_http_duplex_sticky_conf_t  *scf = conf;

    u_char     *colon;
    ssize_t     size;
    ngx_str_t   text;

    colon = (u_char *) ngx_strchr(value->data, ':');

    if (colon == NULL || colon == value->data) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid zone \"%V\": must be NAME:SIZE", value);
        return NGX_CONF_ERROR;
    }

    text.data = colon + 1;
    text.len = value->data + value->len - text.data;

    size = ngx_parse_size(&text);

    if (size == NGX_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid zone size \"%V\"", value);
        return NGX_CONF_ERROR;
    }

    scf->name.data = value->data;
    scf->name.len = colon - value->data;
    scf->size = size;

    return NULL;
}


static ngx_int_t
ngx_http_duplex_sticky_bind(ngx_conf_t *cf)
{
    ngx_uint_t                       i;
    ngx_http_upstream_srv_conf_t   **us;
    ngx_http_upstream_main_conf_t   *umcf;
    ngx_http_duplex_sticky_conf_t   *scf;

    umcf = ngx_http_cycle_get_module_main_conf(cf->cycle,
                                               ngx_http_upstream_module);
    us = umcf->upstreams.elts;

    for (i = 0; i < umcf->upstreams.nelts; i++) {

        if (us[i]->srv_conf == NULL) {
            continue;
        }

        scf = ngx_http_conf_upstream_srv_conf(us[i],
                                              ngx_http_duplex_sticky_module);

        if (scf->upstream == NULL) {
            continue;
        }

        scf->group = ngx_duplex_group_bound(cf, us[i]);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_duplex_sticky_start(ngx_cycle_t *cycle)
{
    ngx_uint_t                       i;
    ngx_http_upstream_srv_conf_t   **us;
    ngx_http_upstream_main_conf_t   *umcf;
    ngx_http_duplex_sticky_conf_t   *scf;

    umcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_upstream_module);
    us = umcf->upstreams.elts;

    for (i = 0; i < umcf->upstreams.nelts; i++) {

        if (us[i]->srv_conf == NULL) {
            continue;
        }

        scf = ngx_http_conf_upstream_srv_conf(us[i],
                                              ngx_http_duplex_sticky_module);

        if (scf->header) {
            ngx_http_duplex_sticky_add_header_filter();
            break;
        }
    }

    return NGX_OK;
}
