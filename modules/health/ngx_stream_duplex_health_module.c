
/*
 * The directives health_check, health_check_timeout and match of stream.
 *
 * A server's check is written down while the file is parsed, and bound to
 * the upstream group of its proxy_pass when all of the file is known.  What
 * proxy_pass names is private to its owner: so this module stands before it
 * in the list, writes the name down and passes the directive on.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>
#include "../core/ngx_duplex_compat.h"
#include "../core/ngx_duplex_param.h"
#include "../core/ngx_duplex_registry.h"
#include "ngx_duplex_health.h"
#include "ngx_stream_duplex_health.h"
#include "ngx_stream_duplex_match.h"
#include "ngx_stream_duplex_probe.h"


/* one health_check as it was written */
typedef struct {
    ngx_duplex_check_policy_t             policy;
    ngx_stream_duplex_check_t             check;
    ngx_str_t                             match;
    ngx_str_t                             text;     /* what is checked */

    ngx_stream_duplex_health_srv_conf_t  *hscf;
    u_char                               *file;
    ngx_uint_t                            line;
} ngx_stream_duplex_health_t;


typedef struct {
    ngx_array_t                 checks;   /* ngx_stream_duplex_health_t * */
    ngx_array_t                 matches;  /* ngx_stream_duplex_match_t * */
} ngx_stream_duplex_health_main_conf_t;


static char *ngx_stream_duplex_health_check(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
static char *ngx_stream_duplex_health_pass(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);

static char *ngx_stream_duplex_health_timeout(ngx_conf_t *cf, void *post,
    void *data);

static ngx_int_t ngx_stream_duplex_health_add(ngx_conf_t *cf);
static void *ngx_stream_duplex_health_create_main_conf(ngx_conf_t *cf);
static void *ngx_stream_duplex_health_create_srv_conf(ngx_conf_t *cf);
static char *ngx_stream_duplex_health_merge_srv_conf(ngx_conf_t *cf,
    void *parent, void *child);

static ngx_int_t ngx_stream_duplex_health_bind(ngx_conf_t *cf);
static ngx_int_t ngx_stream_duplex_health_bind_votes(ngx_conf_t *cf);
static ngx_int_t ngx_stream_duplex_health_bind_check(ngx_conf_t *cf,
    ngx_stream_duplex_health_main_conf_t *hmcf,
    ngx_stream_duplex_health_t *health);
static ngx_duplex_group_t *ngx_stream_duplex_health_group(ngx_conf_t *cf,
    ngx_stream_duplex_health_t *health);
static ngx_stream_upstream_srv_conf_t *ngx_stream_duplex_health_upstream(
    ngx_conf_t *cf, ngx_str_t *name);
static ngx_duplex_group_t *ngx_stream_duplex_health_refuse(ngx_conf_t *cf,
    ngx_stream_duplex_health_t *health, const char *what, ngx_str_t *name);


static ngx_duplex_param_t  ngx_stream_duplex_health_params[] = {

    { ngx_string("interval"), 0, ngx_duplex_param_msec,
      offsetof(ngx_stream_duplex_health_t, policy.interval) },

    { ngx_string("jitter"), 0, ngx_duplex_param_msec_or_0,
      offsetof(ngx_stream_duplex_health_t, policy.jitter) },

    { ngx_string("fails"), 0, ngx_duplex_param_number,
      offsetof(ngx_stream_duplex_health_t, policy.fails) },

    { ngx_string("passes"), 0, ngx_duplex_param_number,
      offsetof(ngx_stream_duplex_health_t, policy.passes) },

    { ngx_string("mandatory"), NGX_DUPLEX_PARAM_FLAG, ngx_duplex_param_flag,
      offsetof(ngx_stream_duplex_health_t, policy.mandatory) },

    { ngx_string("persistent"), NGX_DUPLEX_PARAM_FLAG, ngx_duplex_param_flag,
      offsetof(ngx_stream_duplex_health_t, policy.persistent) },

    { ngx_string("match"), 0, ngx_duplex_param_string,
      offsetof(ngx_stream_duplex_health_t, match) },

    { ngx_string("port"), 0, ngx_duplex_param_port,
      offsetof(ngx_stream_duplex_health_t, check.port) },

    { ngx_string("udp"), NGX_DUPLEX_PARAM_FLAG, ngx_duplex_param_flag,
      offsetof(ngx_stream_duplex_health_t, check.udp) },

    ngx_duplex_null_param
};


static ngx_conf_post_t  ngx_stream_duplex_health_timeout_post = {
    ngx_stream_duplex_health_timeout
};


static ngx_command_t  ngx_stream_duplex_health_commands[] = {

    { ngx_string("health_check"),
      NGX_STREAM_SRV_CONF|NGX_CONF_ANY,
      ngx_stream_duplex_health_check,
      NGX_STREAM_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("health_check_timeout"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_duplex_health_srv_conf_t, timeout),
      &ngx_stream_duplex_health_timeout_post },

    { ngx_string("match"),
      NGX_STREAM_MAIN_CONF|NGX_CONF_BLOCK|NGX_CONF_TAKE1,
      ngx_stream_duplex_match,
      NGX_STREAM_MAIN_CONF_OFFSET,
      offsetof(ngx_stream_duplex_health_main_conf_t, matches),
      NULL },

    { ngx_string("duplex_health_policy"),
      NGX_STREAM_UPS_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_enum_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_duplex_health_srv_conf_t, vote.policy),
      &ngx_duplex_policy_words },

    { ngx_string("duplex_health_plan"),
      NGX_STREAM_UPS_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_enum_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_duplex_health_srv_conf_t, vote.plan),
      &ngx_duplex_plan_words },

    { ngx_string("proxy_pass"),
      NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_stream_duplex_health_pass,
      NGX_STREAM_SRV_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_stream_module_t  ngx_stream_duplex_health_module_ctx = {
    ngx_stream_duplex_health_add,          /* preconfiguration */
    NULL,                                  /* postconfiguration */

    ngx_stream_duplex_health_create_main_conf, /* create main configuration */
    NULL,                                  /* init main configuration */

    ngx_stream_duplex_health_create_srv_conf, /* create server configuration */
    ngx_stream_duplex_health_merge_srv_conf /* merge server configuration */
};


ngx_module_t  ngx_stream_duplex_health_module = {
    NGX_MODULE_V1,
    &ngx_stream_duplex_health_module_ctx,  /* module context */
    ngx_stream_duplex_health_commands,     /* module directives */
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


static ngx_duplex_feature_t  ngx_stream_duplex_health_feature = {
    ngx_string("stream health"),
    NGX_DUPLEX_LAYER_FEATURE,
    ngx_stream_duplex_health_bind,         /* bind */
    NULL,                                  /* commit */
    NULL,                                  /* start */
    NULL,                                  /* take */
    NULL,                                  /* beat */
    NULL,                                  /* wake */
    NULL,                                  /* drop */
    NULL                                   /* stop */
};


extern ngx_module_t  ngx_stream_proxy_module;


NGX_DUPLEX_NEEDS_CORE;


static char *
ngx_stream_duplex_health_check(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_stream_duplex_health_srv_conf_t *hscf = conf;

    ngx_stream_core_srv_conf_t            *cscf;
    ngx_stream_duplex_health_t            *health, **slot;
    ngx_stream_duplex_health_main_conf_t  *hmcf;

    if (hscf->checked) {
        return "is duplicate";
    }

    hscf->checked = 1;

    health = ngx_pcalloc(cf->pool, sizeof(ngx_stream_duplex_health_t));
    if (health == NULL) {
        return NGX_CONF_ERROR;
    }

    health->policy.interval = 5000;
    health->policy.fails = 1;
    health->policy.passes = 1;

    if (ngx_duplex_param_parse(cf, ngx_stream_duplex_health_params, 1, health)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (health->policy.persistent && !health->policy.mandatory) {
        return "has \"persistent\" without \"mandatory\"";
    }

    if (ngx_duplex_check_text(cf, "connect", &health->text) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    health->hscf = hscf;
    health->file = cf->conf_file->file.name.data;
    health->line = cf->conf_file->line;

    cscf = ngx_stream_conf_get_module_srv_conf(cf, ngx_stream_core_module);

    health->check.ctx = cscf->ctx;

    hmcf = ngx_stream_conf_get_module_main_conf(cf,
                                             ngx_stream_duplex_health_module);

    slot = ngx_array_push(&hmcf->checks);
    if (slot == NULL) {
        return NGX_CONF_ERROR;
    }

    *slot = health;

    ngx_duplex_need_store(cf);

    return NGX_CONF_OK;
}


static char *
ngx_stream_duplex_health_pass(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_stream_duplex_health_srv_conf_t *hscf = conf;

    char                        *rv;
    ngx_str_t                   *value;
    ngx_command_t               *stock;
    ngx_stream_core_srv_conf_t  *cscf;

    for (stock = ngx_stream_proxy_module.commands;
         ngx_strcmp(stock->name.data, cmd->name.data) != 0;
         stock++)
    {
        /* void */
    }

    rv = stock->set(cf, stock,
                    ngx_stream_conf_get_module_srv_conf(cf,
                                                    ngx_stream_proxy_module));

    if (rv == NGX_CONF_OK) {
        value = cf->args->elts;
        cscf = ngx_stream_conf_get_module_srv_conf(cf, ngx_stream_core_module);

        hscf->pass = value[1];
        hscf->handler = cscf->handler;
    }

    return rv;
}


static char *
ngx_stream_duplex_health_timeout(ngx_conf_t *cf, void *post, void *data)
{
    ngx_msec_t *timeout = data;

    return *timeout ? NGX_CONF_OK : "must be a time above 0";
}


static ngx_int_t
ngx_stream_duplex_health_add(ngx_conf_t *cf)
{
    if (ngx_duplex_health_register(cf) != NGX_OK
        || ngx_duplex_register_feature(cf, &ngx_stream_duplex_health_feature)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void *
ngx_stream_duplex_health_create_main_conf(ngx_conf_t *cf)
{
    ngx_stream_duplex_health_main_conf_t  *hmcf;

    hmcf = ngx_palloc(cf->pool, sizeof(ngx_stream_duplex_health_main_conf_t));
    if (hmcf == NULL) {
        return NULL;
    }

    if (ngx_array_init(&hmcf->checks, cf->pool, 4,
                       sizeof(ngx_stream_duplex_health_t *))
            != NGX_OK
        || ngx_array_init(&hmcf->matches, cf->pool, 4,
                          sizeof(ngx_stream_duplex_match_t *))
            != NGX_OK)
    {
        return NULL;
    }

    return hmcf;
}


static void *
ngx_stream_duplex_health_create_srv_conf(ngx_conf_t *cf)
{
    ngx_stream_duplex_health_srv_conf_t  *hscf;

    hscf = ngx_pcalloc(cf->pool, sizeof(ngx_stream_duplex_health_srv_conf_t));
    if (hscf == NULL) {
        return NULL;
    }

    hscf->timeout = NGX_CONF_UNSET_MSEC;
    hscf->vote.policy = NGX_CONF_UNSET_UINT;
    hscf->vote.plan = NGX_CONF_UNSET_UINT;

    return hscf;
}


static char *
ngx_stream_duplex_health_merge_srv_conf(ngx_conf_t *cf, void *parent,
    void *child)
{
    ngx_stream_duplex_health_srv_conf_t *prev = parent;
    ngx_stream_duplex_health_srv_conf_t *conf = child;

    ngx_conf_merge_msec_value(conf->timeout, prev->timeout, 5000);

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_stream_duplex_health_bind(ngx_conf_t *cf)
{
    ngx_uint_t                             i;
    ngx_stream_duplex_health_t           **healths;
    ngx_stream_duplex_health_main_conf_t  *hmcf;

    hmcf = ngx_stream_cycle_get_module_main_conf(cf->cycle,
                                             ngx_stream_duplex_health_module);
    healths = hmcf->checks.elts;

    for (i = 0; i < hmcf->checks.nelts; i++) {
        if (ngx_stream_duplex_health_bind_check(cf, hmcf, healths[i])
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return ngx_stream_duplex_health_bind_votes(cf);
}


static ngx_int_t
ngx_stream_duplex_health_bind_votes(ngx_conf_t *cf)
{
    ngx_uint_t                             i;
    ngx_duplex_group_t                    *group;
    ngx_stream_upstream_srv_conf_t       **us;
    ngx_stream_upstream_main_conf_t       *umcf;
    ngx_stream_duplex_health_srv_conf_t   *hscf;

    umcf = ngx_stream_cycle_get_module_main_conf(cf->cycle,
                                                 ngx_stream_upstream_module);
    us = umcf->upstreams.elts;

    for (i = 0; i < umcf->upstreams.nelts; i++) {

        group = us[i]->srv_conf ? ngx_duplex_group_bound(cf, us[i]) : NULL;

        if (group == NULL) {
            continue;
        }

        hscf = ngx_stream_conf_upstream_srv_conf(us[i],
                                             ngx_stream_duplex_health_module);

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
ngx_stream_duplex_health_bind_check(ngx_conf_t *cf,
    ngx_stream_duplex_health_main_conf_t *hmcf,
    ngx_stream_duplex_health_t *health)
{
    ngx_duplex_group_t         *group;
    ngx_stream_duplex_match_t  *match;

    group = ngx_stream_duplex_health_group(cf, health);
    if (group == NULL) {
        return NGX_ERROR;
    }

    if (health->match.len) {
        match = ngx_stream_duplex_match_find(&hmcf->matches, &health->match);

        if (match == NULL) {
            (void) ngx_stream_duplex_health_refuse(cf, health,
                                    "refers to an unknown match",
                                    &health->match);
            return NGX_ERROR;
        }

        health->check.dialog = &match->dialog;
    }

    health->check.timeout = health->hscf->timeout;
    health->check.handler = health->hscf->handler;

    if (ngx_duplex_check_add(cf, group, &health->policy,
                             &ngx_stream_duplex_prober, &health->check,
                             &health->text)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_stream_duplex_probe_bind(cf, &health->check);
}


/* the group that proxy_pass names; NULL: refused */

static ngx_duplex_group_t *
ngx_stream_duplex_health_group(ngx_conf_t *cf,
    ngx_stream_duplex_health_t *health)
{
    ngx_str_t                       *pass;
    ngx_duplex_group_t              *group;
    ngx_stream_upstream_srv_conf_t  *us;

    pass = &health->hscf->pass;

    if (pass->len == 0) {
        return ngx_stream_duplex_health_refuse(cf, health,
                      "requires \"proxy_pass\" in the same server", NULL);
    }

    us = ngx_stream_duplex_health_upstream(cf, pass);

    if (us == NULL) {
        return ngx_stream_duplex_health_refuse(cf, health,
                      "requires \"proxy_pass\" with the name of an upstream, "
                      "not", pass);
    }

    if (us->shm_zone == NULL) {
        return ngx_stream_duplex_health_refuse(cf, health,
                      "requires \"zone\" in upstream", &us->host);
    }

    group = ngx_duplex_group_bound(cf, us);

    if (group == NULL) {
        return ngx_stream_duplex_health_refuse(cf, health,
                      "requires ngx_stream_duplex_upstream_module.so to be "
                      "loaded, for upstream", &us->host);
    }

    health->check.us = us;

    return group;
}


/* NULL: no upstream{} of this name, or a variable */

static ngx_stream_upstream_srv_conf_t *
ngx_stream_duplex_health_upstream(ngx_conf_t *cf, ngx_str_t *name)
{
    ngx_uint_t                         i;
    ngx_stream_upstream_srv_conf_t   **us;
    ngx_stream_upstream_main_conf_t   *umcf;

    umcf = ngx_stream_cycle_get_module_main_conf(cf->cycle,
                                                 ngx_stream_upstream_module);
    us = umcf->upstreams.elts;

    for (i = 0; i < umcf->upstreams.nelts; i++) {

        if (us[i]->srv_conf
            && us[i]->host.len == name->len
            && ngx_strncasecmp(us[i]->host.data, name->data, name->len) == 0)
        {
            return us[i];
        }
    }

    return NULL;
}


static ngx_duplex_group_t *
ngx_stream_duplex_health_refuse(ngx_conf_t *cf,
    ngx_stream_duplex_health_t *health, const char *what, ngx_str_t *name)
{
    if (name) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"health_check\" %s \"%V\", in %s:%ui",
                           what, name, health->file, health->line);

    } else {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"health_check\" %s, in %s:%ui",
                           what, health->file, health->line);
    }

    return NULL;
}
