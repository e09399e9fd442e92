
/*
 * The directive health_check of http locations.
 *
 * A location's check is written down while the file is parsed, and bound to
 * the upstream group of its proxy_pass when all of the file is known.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "../core/ngx_duplex_compat.h"
#include "../core/ngx_duplex_param.h"
#include "../core/ngx_duplex_registry.h"
#include "../upstream/ngx_http_duplex_upstream.h"
#include "ngx_duplex_health.h"
#include "ngx_http_duplex_client.h"
#include "ngx_http_duplex_health.h"
#include "ngx_http_duplex_probe.h"


/* one health_check as it was written */
typedef struct {
    ngx_duplex_check_policy_t   policy;
    ngx_http_duplex_check_t     check;
    ngx_str_t                   text;       /* what is checked */

    ngx_str_t                   file;
    ngx_uint_t                  line;
} ngx_http_duplex_health_t;


typedef struct {
    ngx_array_t                 checks;     /* ngx_http_duplex_health_t * */
} ngx_http_duplex_health_main_conf_t;


static char *ngx_http_duplex_health_check(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static const char *ngx_http_duplex_health_uri(ngx_conf_t *cf,
    ngx_duplex_param_t *param, ngx_str_t *value, void *conf);
static const char *ngx_http_duplex_health_not_yet(ngx_conf_t *cf,
    ngx_duplex_param_t *param, ngx_str_t *value, void *conf);

static ngx_int_t ngx_http_duplex_health_add(ngx_conf_t *cf);
static void *ngx_http_duplex_health_create_main_conf(ngx_conf_t *cf);
static void *ngx_http_duplex_health_create_srv_conf(ngx_conf_t *cf);

static ngx_int_t ngx_http_duplex_health_bind(ngx_conf_t *cf);
static ngx_int_t ngx_http_duplex_health_bind_votes(ngx_conf_t *cf);
static ngx_int_t ngx_http_duplex_health_bind_check(ngx_conf_t *cf,
    ngx_http_duplex_health_t *health);
static ngx_duplex_group_t *ngx_http_duplex_health_group(ngx_conf_t *cf,
    ngx_http_duplex_health_t *health);
static ngx_int_t ngx_http_duplex_health_start(ngx_cycle_t *cycle);


static ngx_duplex_param_t  ngx_http_duplex_health_params[] = {

    { ngx_string("interval"), 0, ngx_duplex_param_msec,
      offsetof(ngx_http_duplex_health_t, policy.interval) },

    { ngx_string("jitter"), 0, ngx_duplex_param_msec,
      offsetof(ngx_http_duplex_health_t, policy.jitter) },

    { ngx_string("fails"), 0, ngx_duplex_param_number,
      offsetof(ngx_http_duplex_health_t, policy.fails) },

    { ngx_string("passes"), 0, ngx_duplex_param_number,
      offsetof(ngx_http_duplex_health_t, policy.passes) },

    { ngx_string("uri"), 0, ngx_http_duplex_health_uri,
      offsetof(ngx_http_duplex_health_t, check.uri) },

    { ngx_string("port"), 0, ngx_duplex_param_port,
      offsetof(ngx_http_duplex_health_t, check.port) },

    { ngx_string("mandatory"), NGX_DUPLEX_PARAM_FLAG, ngx_duplex_param_flag,
      offsetof(ngx_http_duplex_health_t, policy.mandatory) },

    { ngx_string("persistent"), NGX_DUPLEX_PARAM_FLAG, ngx_duplex_param_flag,
      offsetof(ngx_http_duplex_health_t, policy.persistent) },

    { ngx_string("match"), 0, ngx_http_duplex_health_not_yet, 0 },

    { ngx_string("type"), 0, ngx_http_duplex_health_not_yet, 0 },

    { ngx_string("grpc_service"), 0, ngx_http_duplex_health_not_yet, 0 },

    { ngx_string("grpc_status"), 0, ngx_http_duplex_health_not_yet, 0 },

    { ngx_string("keepalive_time"), 0, ngx_http_duplex_health_not_yet, 0 },

    ngx_duplex_null_param
};


static ngx_command_t  ngx_http_duplex_health_commands[] = {

    { ngx_string("health_check"),
      NGX_HTTP_LOC_CONF|NGX_CONF_ANY,
      ngx_http_duplex_health_check,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("duplex_health_policy"),
      NGX_HTTP_UPS_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_enum_slot,
      NGX_HTTP_SRV_CONF_OFFSET,
      offsetof(ngx_http_duplex_health_srv_conf_t, vote.policy),
      &ngx_duplex_policy_words },

    { ngx_string("duplex_health_plan"),
      NGX_HTTP_UPS_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_enum_slot,
      NGX_HTTP_SRV_CONF_OFFSET,
      offsetof(ngx_http_duplex_health_srv_conf_t, vote.plan),
      &ngx_duplex_plan_words },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_duplex_health_module_ctx = {
    ngx_http_duplex_health_add,            /* preconfiguration */
    NULL,                                  /* postconfiguration */

    ngx_http_duplex_health_create_main_conf, /* create main configuration */
    NULL,                                  /* init main configuration */

    ngx_http_duplex_health_create_srv_conf, /* create server configuration */
    NULL,                                  /* merge server configuration */

    NULL,                                  /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_http_duplex_health_module = {
    NGX_MODULE_V1,
    &ngx_http_duplex_health_module_ctx,    /* module context */
    ngx_http_duplex_health_commands,       /* module directives */
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


static ngx_duplex_feature_t  ngx_http_duplex_health_feature = {
    ngx_string("http health"),
    NGX_DUPLEX_LAYER_FEATURE,
    ngx_http_duplex_health_bind,           /* bind */
    NULL,                                  /* commit */
    ngx_http_duplex_health_start,          /* start */
    NULL,                                  /* take */
    NULL,                                  /* beat */
    NULL,                                  /* wake */
    NULL,                                  /* drop */
    NULL                                   /* stop */
};


extern ngx_module_t  ngx_http_proxy_module;


NGX_DUPLEX_NEEDS_CORE;


static char *
ngx_http_duplex_health_check(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    void                                **loc_conf;
    ngx_http_duplex_health_t             *health, **slot;
    ngx_http_duplex_health_main_conf_t   *hmcf;

    health = ngx_pcalloc(cf->pool, sizeof(ngx_http_duplex_health_t));
    if (health == NULL) {
        return NGX_CONF_ERROR;
    }

    health->policy.interval = 5000;
    health->policy.fails = 1;
    health->policy.passes = 1;

    ngx_str_set(&health->check.uri, "/");

    if (ngx_duplex_param_parse(cf, ngx_http_duplex_health_params, 1, health)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (health->policy.persistent && !health->policy.mandatory) {
        return "has \"persistent\" without \"mandatory\"";
    }

    if (ngx_duplex_check_text(cf, "uri=/", &health->text) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    health->file = cf->conf_file->file.name;
    health->line = cf->conf_file->line;

    /*
     * The first member of proxy's configuration of a location is its
     * ngx_http_upstream_conf_t, in all versions so far; it is all we use.
     */

    loc_conf = ((ngx_http_conf_ctx_t *) cf->ctx)->loc_conf;

    health->check.proxy = loc_conf[ngx_http_proxy_module.ctx_index];
    health->check.clcf = loc_conf[ngx_http_core_module.ctx_index];
    health->check.cscf = ngx_http_conf_get_module_srv_conf(cf,
                                                       ngx_http_core_module);

    hmcf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_duplex_health_module);

    slot = ngx_array_push(&hmcf->checks);
    if (slot == NULL) {
        return NGX_CONF_ERROR;
    }

    *slot = health;

    ngx_duplex_need_store(cf);

    return NGX_CONF_OK;
}


static const char *
ngx_http_duplex_health_uri(ngx_conf_t *cf, ngx_duplex_param_t *param,
    ngx_str_t *value, void *conf)
{
    size_t  i;

    if (value->len == 0 || value->data[0] != '/') {
        return "must begin with \"/\"";
    }

    /* it goes out as it is */

    for (i = 0; i < value->len; i++) {
        if (value->data[i] <= ' ' || value->data[i] == 0x7f) {
            return "must not contain spaces or control characters";
        }
    }

    return ngx_duplex_param_string(cf, param, value, conf);
}


static const char *
ngx_http_duplex_health_not_yet(ngx_conf_t *cf, ngx_duplex_param_t *param,
    ngx_str_t *value, void *conf)
{
    return "this parameter is not supported by this version of nginx-duplex";
}


static ngx_int_t
ngx_http_duplex_health_add(ngx_conf_t *cf)
{
    if (ngx_duplex_health_register(cf) != NGX_OK
        || ngx_duplex_register_feature(cf, &ngx_http_duplex_health_feature)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void *
ngx_http_duplex_health_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_duplex_health_main_conf_t  *hmcf;

    hmcf = ngx_palloc(cf->pool, sizeof(ngx_http_duplex_health_main_conf_t));
    if (hmcf == NULL) {
        return NULL;
    }

    if (ngx_array_init(&hmcf->checks, cf->pool, 4,
                       sizeof(ngx_http_duplex_health_t *))
        != NGX_OK)
    {
        return NULL;
    }

    return hmcf;
}


static void *
ngx_http_duplex_health_create_srv_conf(ngx_conf_t *cf)
{
    ngx_http_duplex_health_srv_conf_t  *hscf;

    hscf = ngx_pcalloc(cf->pool, sizeof(ngx_http_duplex_health_srv_conf_t));
    if (hscf == NULL) {
        return NULL;
    }

    hscf->vote.policy = NGX_CONF_UNSET_UINT;
    hscf->vote.plan = NGX_CONF_UNSET_UINT;

    return hscf;
}


static ngx_int_t
ngx_http_duplex_health_bind(ngx_conf_t *cf)
{
    ngx_uint_t                            i;
    ngx_http_conf_ctx_t                  *ctx;
    ngx_http_duplex_health_t            **healths;
    ngx_http_duplex_health_main_conf_t   *hmcf;

    ctx = (ngx_http_conf_ctx_t *) ngx_get_conf(cf->cycle->conf_ctx,
                                               ngx_http_module);

    hmcf = ctx->main_conf[ngx_http_duplex_health_module.ctx_index];
    healths = hmcf->checks.elts;

    for (i = 0; i < hmcf->checks.nelts; i++) {
        if (ngx_http_duplex_health_bind_check(cf, healths[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return ngx_http_duplex_health_bind_votes(cf);
}


static ngx_int_t
ngx_http_duplex_health_bind_votes(ngx_conf_t *cf)
{
    ngx_uint_t                           i;
    ngx_duplex_group_t                  *group;
    ngx_http_upstream_srv_conf_t       **us;
    ngx_http_upstream_main_conf_t       *umcf;
    ngx_http_duplex_health_srv_conf_t   *hscf;

    umcf = ngx_http_cycle_get_module_main_conf(cf->cycle,
                                               ngx_http_upstream_module);
    us = umcf->upstreams.elts;

    for (i = 0; i < umcf->upstreams.nelts; i++) {

        group = us[i]->srv_conf ? ngx_duplex_group_bound(cf, us[i]) : NULL;

        if (group == NULL) {
            continue;
        }

        hscf = ngx_http_conf_upstream_srv_conf(us[i],
                                               ngx_http_duplex_health_module);

        if (ngx_duplex_vote_add(cf, group, &hscf->vote, us[i]->file_name,
                                us[i]->line)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_duplex_health_bind_check(ngx_conf_t *cf,
    ngx_http_duplex_health_t *health)
{
    ngx_duplex_group_t  *group;

    group = ngx_http_duplex_health_group(cf, health);

    if (group == NULL
        || ngx_duplex_check_add(cf, group, &health->policy,
                                &ngx_http_duplex_prober, &health->check,
                                &health->text)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_duplex_probe_bind(cf, &health->check);
}


/* the group that proxy_pass names; NULL: refused */

static ngx_duplex_group_t *
ngx_http_duplex_health_group(ngx_conf_t *cf, ngx_http_duplex_health_t *health)
{
    ngx_duplex_group_t            *group;
    ngx_http_upstream_srv_conf_t  *us;

    us = health->check.proxy->upstream;

    if (us == NULL || us->srv_conf == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"health_check\" requires \"proxy_pass\" with the "
                           "name of an upstream in the same location, "
                           "in %V:%ui", &health->file, health->line);
        return NULL;
    }

    if (ngx_duplex_find_service(cf, NGX_HTTP_DUPLEX_UPSTREAM) == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"health_check\" requires "
                           "ngx_http_duplex_upstream_module.so to be loaded, "
                           "in %V:%ui", &health->file, health->line);
        return NULL;
    }

    if (us->shm_zone == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"health_check\" requires \"zone\" in upstream "
                           "\"%V\", in %V:%ui",
                           &us->host, &health->file, health->line);
        return NULL;
    }

    group = ngx_duplex_group_bound(cf, us);

    if (group == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"health_check\" requires servers in upstream "
                           "\"%V\", in %V:%ui",
                           &us->host, &health->file, health->line);
        return NULL;
    }

    health->check.us = us;

    return group;
}


static ngx_int_t
ngx_http_duplex_health_start(ngx_cycle_t *cycle)
{
    ngx_http_duplex_health_main_conf_t  *hmcf;

    hmcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_duplex_health_module);

    if (hmcf->checks.nelts) {
        ngx_http_duplex_client_install();
    }

    return NGX_OK;
}
