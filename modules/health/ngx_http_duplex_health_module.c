
/*
 * The directives of http health checks.
 *
 * A location's check is written down while the file is parsed, and bound to
 * the upstream group of its proxy_pass, or its like, when all of the file is
 * known (ngx_http_duplex_health_bind.c).
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "../core/ngx_duplex_compat.h"
#include "../core/ngx_duplex_param.h"
#include "../core/ngx_duplex_registry.h"
#include "ngx_http_duplex_client.h"
#include "ngx_http_duplex_grpc.h"
#include "ngx_http_duplex_health.h"
#include "ngx_http_duplex_probe.h"


static char *ngx_http_duplex_health_check(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static const char *ngx_http_duplex_health_uri(ngx_conf_t *cf,
    ngx_duplex_param_t *param, ngx_str_t *value, void *conf);
static const char *ngx_http_duplex_health_type(ngx_conf_t *cf,
    ngx_duplex_param_t *param, ngx_str_t *value, void *conf);
static const char *ngx_http_duplex_health_service(ngx_conf_t *cf,
    ngx_duplex_param_t *param, ngx_str_t *value, void *conf);
static const char *ngx_http_duplex_health_status(ngx_conf_t *cf,
    ngx_duplex_param_t *param, ngx_str_t *value, void *conf);
static const char *ngx_http_duplex_health_upstream(ngx_conf_t *cf,
    ngx_duplex_param_t *param, ngx_str_t *value, void *conf);
static ngx_uint_t ngx_http_duplex_health_is_grpc(ngx_str_t *parameter);
static char *ngx_http_duplex_health_fits(ngx_conf_t *cf,
    ngx_http_duplex_health_t *health);

static ngx_int_t ngx_http_duplex_health_add(ngx_conf_t *cf);
static void *ngx_http_duplex_health_create_main_conf(ngx_conf_t *cf);
static void *ngx_http_duplex_health_create_srv_conf(ngx_conf_t *cf);
static void *ngx_http_duplex_health_create_loc_conf(ngx_conf_t *cf);

static ngx_int_t ngx_http_duplex_health_start(ngx_cycle_t *cycle);


static ngx_duplex_param_t  ngx_http_duplex_health_params[] = {

    { ngx_string("interval"), 0, ngx_duplex_param_msec,
      offsetof(ngx_http_duplex_health_t, policy.interval) },

    { ngx_string("jitter"), 0, ngx_duplex_param_msec_or_0,
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

    { ngx_string("match"), 0, ngx_duplex_param_string,
      offsetof(ngx_http_duplex_health_t, match) },

    { ngx_string("keepalive_time"), 0, ngx_duplex_param_msec_or_0,
      offsetof(ngx_http_duplex_health_t, check.keepalive) },

    { ngx_string("upstream"), NGX_DUPLEX_PARAM_MANY,
      ngx_http_duplex_health_upstream, 0 },

    { ngx_string("type"), 0, ngx_http_duplex_health_type,
      offsetof(ngx_http_duplex_health_t, check.grpc) },

    { ngx_string("grpc_service"), 0, ngx_http_duplex_health_service,
      offsetof(ngx_http_duplex_health_t, check.grpc_service) },

    { ngx_string("grpc_status"), 0, ngx_http_duplex_health_status,
      offsetof(ngx_http_duplex_health_t, check.grpc_status) },

    ngx_duplex_null_param
};


static ngx_command_t  ngx_http_duplex_health_commands[] = {

    { ngx_string("health_check"),
      NGX_HTTP_LOC_CONF|NGX_CONF_ANY,
      ngx_http_duplex_health_check,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("match"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_BLOCK|NGX_CONF_TAKE1,
      ngx_http_duplex_match,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_duplex_health_main_conf_t, matches),
      NULL },

    { ngx_string("proxy_pass"),
      NGX_HTTP_LOC_CONF|NGX_HTTP_LIF_CONF|NGX_HTTP_LMT_CONF|NGX_CONF_TAKE1,
      ngx_http_duplex_pass,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("grpc_pass"),
      NGX_HTTP_LOC_CONF|NGX_HTTP_LIF_CONF|NGX_CONF_TAKE1,
      ngx_http_duplex_pass,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("fastcgi_pass"),
      NGX_HTTP_LOC_CONF|NGX_HTTP_LIF_CONF|NGX_CONF_TAKE1,
      ngx_http_duplex_pass,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("uwsgi_pass"),
      NGX_HTTP_LOC_CONF|NGX_HTTP_LIF_CONF|NGX_CONF_TAKE1,
      ngx_http_duplex_pass,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("scgi_pass"),
      NGX_HTTP_LOC_CONF|NGX_HTTP_LIF_CONF|NGX_CONF_TAKE1,
      ngx_http_duplex_pass,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("memcached_pass"),
      NGX_HTTP_LOC_CONF|NGX_HTTP_LIF_CONF|NGX_CONF_TAKE1,
      ngx_http_duplex_pass,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("duplex_probe_on_error"),
      NGX_HTTP_UPS_CONF|NGX_CONF_TAKE12,
      ngx_http_duplex_watch_set,
      NGX_HTTP_SRV_CONF_OFFSET,
      offsetof(ngx_http_duplex_health_srv_conf_t, watch),
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

    ngx_http_duplex_health_create_loc_conf, /* create location configuration */
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


NGX_DUPLEX_NEEDS_CORE;


static char *
ngx_http_duplex_health_check(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_duplex_pass_t *pass = conf;

    char                                 *rv;
    ngx_http_duplex_health_t             *health, **slot;
    ngx_http_duplex_health_main_conf_t   *hmcf;

    health = ngx_pcalloc(cf->pool, sizeof(ngx_http_duplex_health_t));
    if (health == NULL) {
        return NGX_CONF_ERROR;
    }

    health->policy.interval = 5000;
    health->policy.fails = 1;
    health->policy.passes = 1;

    health->check.grpc_status = NGX_CONF_UNSET;

    if (ngx_array_init(&health->names, cf->pool, 1, sizeof(ngx_str_t))
            != NGX_OK
        || ngx_duplex_param_parse(cf, ngx_http_duplex_health_params, 1,
                                  health)
            != NGX_OK
        || ngx_duplex_check_text(cf, "uri=/", &health->text) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    rv = ngx_http_duplex_health_fits(cf, health);

    if (rv != NGX_CONF_OK) {
        return rv;
    }

    health->file = cf->conf_file->file.name;
    health->line = cf->conf_file->line;

    health->check.pass = pass;
    health->check.clcf = ngx_http_conf_get_module_loc_conf(cf,
                                                       ngx_http_core_module);
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


/* which parameters go together; sets the defaults of the rest */

static char *
ngx_http_duplex_health_fits(ngx_conf_t *cf, ngx_http_duplex_health_t *health)
{
    ngx_str_t                *value;
    ngx_uint_t                i;
    ngx_http_duplex_check_t  *check;

    check = &health->check;

    if (health->policy.persistent && !health->policy.mandatory) {
        return "has \"persistent\" without \"mandatory\"";
    }

    if (!check->grpc) {

        if (check->grpc_service.data) {
            return "has \"grpc_service\" without \"type=grpc\"";
        }

        if (check->grpc_status != NGX_CONF_UNSET) {
            return "has \"grpc_status\" without \"type=grpc\"";
        }

        if (check->uri.len == 0) {
            ngx_str_set(&check->uri, "/");
        }

        return NGX_CONF_OK;
    }

    if (check->uri.len) {
        return "has \"uri\" and \"type=grpc\"";
    }

    if (health->match.len) {
        return "has \"match\" and \"type=grpc\"";
    }

    ngx_str_set(&check->uri, NGX_HTTP_DUPLEX_GRPC_URI);

    value = cf->args->elts;

    for (i = 1; ngx_strcmp(value[i].data, "type=grpc") != 0; i++) {
        if (ngx_http_duplex_health_is_grpc(&value[i])) {
            return "has \"grpc_service\" or \"grpc_status\" before "
                   "\"type=grpc\"";
        }
    }

    for (i++; i < cf->args->nelts; i++) {
        if (!ngx_http_duplex_health_is_grpc(&value[i])) {
            return "has \"type=grpc\" before other parameters than "
                   "\"grpc_service\" and \"grpc_status\"";
        }
    }

    return NGX_CONF_OK;
}


static ngx_uint_t
ngx_http_duplex_health_is_grpc(ngx_str_t *parameter)
{
    return ngx_strncmp(parameter->data, "grpc_", 5) == 0;
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
ngx_http_duplex_health_type(ngx_conf_t *cf, ngx_duplex_param_t *param,
    ngx_str_t *value, void *conf)
{
    ngx_http_duplex_health_t *health = conf;

    if (ngx_strcmp(value->data, "grpc") != 0) {
        return "must be \"grpc\"";
    }

    health->check.grpc = 1;

    return NULL;
}


static const char *
ngx_http_duplex_health_service(ngx_conf_t *cf, ngx_duplex_param_t *param,
    ngx_str_t *value, void *conf)
{
    /* its length is one byte of the message */

    if (value->len > 127) {
        return "must not be longer than 127";
    }

    return ngx_duplex_param_string(cf, param, value, conf);
}


static const char *
ngx_http_duplex_health_status(ngx_conf_t *cf, ngx_duplex_param_t *param,
    ngx_str_t *value, void *conf)
{
    ngx_http_duplex_health_t *health = conf;

    health->check.grpc_status = ngx_http_duplex_grpc_status(value);

    if (health->check.grpc_status == NGX_ERROR) {
        return "must be a status of gRPC, a number or a name as "
               "\"UNIMPLEMENTED\"";
    }

    return NULL;
}


/* "app", "blue,green", "$pool"; bound later */

static const char *
ngx_http_duplex_health_upstream(ngx_conf_t *cf, ngx_duplex_param_t *param,
    ngx_str_t *value, void *conf)
{
    ngx_http_duplex_health_t *health = conf;

    u_char     *p, *last, *end;
    ngx_str_t  *name;

    p = value->data;
    last = p + value->len;

    for ( ;; ) {
        end = ngx_strlchr(p, last, ',');

        if (end == NULL) {
            end = last;
        }

        if (end == p) {
            return "must be names of upstreams";
        }

        name = ngx_array_push(&health->names);
        if (name == NULL) {
            return NGX_CONF_ERROR;
        }

        name->data = p;
        name->len = end - p;

        if (end == last) {
            return NULL;
        }

        p = end + 1;
    }
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
            != NGX_OK
        || ngx_array_init(&hmcf->matches, cf->pool, 4,
                          sizeof(ngx_http_duplex_match_t *))
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


static void *
ngx_http_duplex_health_create_loc_conf(ngx_conf_t *cf)
{
    return ngx_pcalloc(cf->pool, sizeof(ngx_http_duplex_pass_t));
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
