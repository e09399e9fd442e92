
/*
 * The REST API: "api", "duplex_ready", "duplex_live", and which requests they
 * accept.
 *
 * Version 9 of NGINX Plus's API, as far as this node has something to show.
 * It reads pages, views, groups and contributors, and knows no feature by
 * name.
 */


#include "ngx_duplex_absent.h"
#include "ngx_duplex_slabs.h"
#include "ngx_http_duplex_api_call.h"
#include "ngx_http_duplex_api_event.h"
#include "ngx_http_duplex_api_events.h"
#include "ngx_http_duplex_api_guard.h"
#include "ngx_http_duplex_api_metrics.h"
#include "ngx_http_duplex_api_node.h"
#include "ngx_http_duplex_api_ready.h"
#include "ngx_http_duplex_api_upstreams.h"
#include "ngx_http_duplex_dashboard.h"
#include "../core/ngx_duplex_journal.h"
#include "../core/ngx_duplex_compat.h"
#include "../core/ngx_duplex_identity.h"
#include "../core/ngx_duplex_param.h"
#include "../core/ngx_duplex_registry.h"
#include "../status/ngx_duplex_counters.h"


typedef struct {
    ngx_duplex_readiness_t  *readiness;     /* NULL: nobody has a word on it */
    ngx_duplex_acked_t      *acked;         /* NULL: no other nodes */
} ngx_http_duplex_api_main_conf_t;


typedef struct {
    ngx_http_handler_pt      handler;       /* of the location; NULL: not us */
    ngx_uint_t               write;         /* "write=on" */
    size_t                   limit;         /* bytes of a body */
    ngx_str_t                path;          /* where the page finds the API */
} ngx_http_duplex_api_loc_conf_t;


static ngx_int_t ngx_http_duplex_api_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_duplex_api_ready_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_duplex_api_dashboard_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_duplex_api_live_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_duplex_api_discard(ngx_http_request_t *r);

static ngx_int_t ngx_http_duplex_api_preconfiguration(ngx_conf_t *cf);
static ngx_int_t ngx_http_duplex_api_bind(ngx_conf_t *cf);
static void ngx_http_duplex_api_commit(ngx_cycle_t *cycle);
static ngx_int_t ngx_http_duplex_api_start(ngx_cycle_t *cycle);
static void *ngx_http_duplex_api_create_main_conf(ngx_conf_t *cf);
static void *ngx_http_duplex_api_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_duplex_api_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);
static char *ngx_http_duplex_api_set(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static const char *ngx_http_duplex_api_set_write(ngx_conf_t *cf,
    ngx_duplex_param_t *param, ngx_str_t *value, void *conf);
static char *ngx_http_duplex_api_set_metrics(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
static char *ngx_http_duplex_api_set_dashboard(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
static const char *ngx_http_duplex_api_set_path(ngx_conf_t *cf,
    ngx_duplex_param_t *param, ngx_str_t *value, void *conf);
static char *ngx_http_duplex_api_set_ready(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_duplex_api_set_live(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_duplex_api_set_handler(ngx_conf_t *cf,
    ngx_http_duplex_api_loc_conf_t *alcf, ngx_http_handler_pt handler);


static ngx_command_t  ngx_http_duplex_api_commands[] = {

    { ngx_string("api"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS|NGX_CONF_TAKE1,
      ngx_http_duplex_api_set,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("duplex_ready"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_duplex_api_set_ready,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("duplex_metrics"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_duplex_api_set_metrics,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("duplex_dashboard"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS|NGX_CONF_TAKE1,
      ngx_http_duplex_api_set_dashboard,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("duplex_live"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_duplex_api_set_live,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_duplex_param_t  ngx_http_duplex_api_params[] = {

    { ngx_string("write"), 0, ngx_http_duplex_api_set_write,
      offsetof(ngx_http_duplex_api_loc_conf_t, write) },

      ngx_duplex_null_param
};


static ngx_duplex_param_t  ngx_http_duplex_dashboard_params[] = {

    { ngx_string("api"), 0, ngx_http_duplex_api_set_path,
      offsetof(ngx_http_duplex_api_loc_conf_t, path) },

      ngx_duplex_null_param
};


static ngx_http_module_t  ngx_http_duplex_api_module_ctx = {
    ngx_http_duplex_api_preconfiguration,  /* preconfiguration */
    NULL,                                  /* postconfiguration */

    ngx_http_duplex_api_create_main_conf,  /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_duplex_api_create_loc_conf,   /* create location configuration */
    ngx_http_duplex_api_merge_loc_conf     /* merge location configuration */
};


ngx_module_t  ngx_http_duplex_api_module = {
    NGX_MODULE_V1,
    &ngx_http_duplex_api_module_ctx,       /* module context */
    ngx_http_duplex_api_commands,          /* module directives */
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


NGX_DUPLEX_NEEDS_CORE;


static ngx_duplex_feature_t  ngx_http_duplex_api_feature = {
    ngx_string("http api"),
    NGX_DUPLEX_LAYER_API,
    ngx_http_duplex_api_bind,              /* bind */
    ngx_http_duplex_api_commit,            /* commit */
    ngx_http_duplex_api_start,             /* start */
    NULL,                                  /* take */
    NULL,                                  /* beat */
    NULL,                                  /* wake */
    NULL,                                  /* drop */
    ngx_http_duplex_api_events_stop        /* stop */
};


static ngx_int_t
ngx_http_duplex_api_handler(ngx_http_request_t *r)
{
    ngx_http_duplex_api_t            *api;
    ngx_http_duplex_api_loc_conf_t   *alcf;
    ngx_http_duplex_api_main_conf_t  *amcf;

    api = ngx_pcalloc(r->pool, sizeof(ngx_http_duplex_api_t));
    if (api == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_set_ctx(r, api, ngx_http_duplex_api_module);

    alcf = ngx_http_get_module_loc_conf(r, ngx_http_duplex_api_module);
    amcf = ngx_http_get_module_main_conf(r, ngx_http_duplex_api_module);

    api->request = r;
    api->acked = amcf->acked;
    api->limit = alcf->limit;
    api->call.pool = r->pool;

    /* a subrequest, say of "mirror", has its parent's body, or none at all */

    return ngx_http_duplex_api_call(api, alcf->write && r == r->main);
}


static ngx_int_t
ngx_http_duplex_api_ready_handler(ngx_http_request_t *r)
{
    ngx_int_t                rc;
    ngx_duplex_readiness_t  *readiness;

    rc = ngx_http_duplex_api_discard(r);

    if (rc != NGX_OK) {
        return rc;
    }

    readiness = ngx_http_duplex_api_readiness(r);

    return ngx_http_duplex_api_ready_send(r, readiness == NULL
                                             || readiness->ready());
}


static ngx_int_t
ngx_http_duplex_api_dashboard_handler(ngx_http_request_t *r)
{
    ngx_int_t                        rc;
    ngx_http_duplex_api_loc_conf_t  *alcf;

    rc = ngx_http_duplex_api_discard(r);

    if (rc != NGX_OK) {
        return rc;
    }

    alcf = ngx_http_get_module_loc_conf(r, ngx_http_duplex_api_module);

    return ngx_http_duplex_dashboard_send(r, &alcf->path);
}


static ngx_int_t
ngx_http_duplex_api_live_handler(ngx_http_request_t *r)
{
    ngx_int_t                rc;
    ngx_duplex_readiness_t  *readiness;

    rc = ngx_http_duplex_api_discard(r);

    if (rc != NGX_OK) {
        return rc;
    }

    readiness = ngx_http_duplex_api_readiness(r);

    return ngx_http_duplex_api_ready_send(r, readiness == NULL
                                             || readiness->live());
}


static ngx_int_t
ngx_http_duplex_api_discard(ngx_http_request_t *r)
{
    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return NGX_HTTP_NOT_ALLOWED;
    }

    return ngx_http_discard_request_body(r);
}


ngx_duplex_readiness_t *
ngx_http_duplex_api_readiness(ngx_http_request_t *r)
{
    ngx_http_duplex_api_main_conf_t  *amcf;

    amcf = ngx_http_get_module_main_conf(r, ngx_http_duplex_api_module);

    return amcf->readiness;
}


static ngx_int_t
ngx_http_duplex_api_preconfiguration(ngx_conf_t *cf)
{
    return ngx_duplex_register_feature(cf, &ngx_http_duplex_api_feature);
}


static ngx_int_t
ngx_http_duplex_api_bind(ngx_conf_t *cf)
{
    ngx_http_duplex_api_main_conf_t  *amcf;

    amcf = ngx_http_cycle_get_module_main_conf(cf->cycle,
                                               ngx_http_duplex_api_module);

    amcf->readiness = ngx_duplex_find_service(cf, NGX_DUPLEX_READINESS);
    amcf->acked = ngx_duplex_find_service(cf, NGX_DUPLEX_ACKED);

    /* what a feature has registered for the same path goes first */

    if (ngx_http_duplex_api_node_register(cf) != NGX_OK
        || ngx_http_duplex_api_metrics_register(cf) != NGX_OK
        || ngx_duplex_slabs_register(cf) != NGX_OK
        || ngx_duplex_absent_register(cf) != NGX_OK
        || ngx_http_duplex_api_event_register(cf) != NGX_OK
        || ngx_http_duplex_api_events_register(cf) != NGX_OK
        || ngx_http_duplex_api_ready_register(cf) != NGX_OK
        || ngx_http_duplex_api_upstreams_register(cf) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
ngx_http_duplex_api_commit(ngx_cycle_t *cycle)
{
    ngx_duplex_identity_t  *identity;

    ngx_http_duplex_api_node_loaded();

    identity = ngx_duplex_identity();

    ngx_duplex_event("configuration", &identity->name,
                     "generation %ui was loaded",
                     (ngx_uint_t) identity->generation);
}


static ngx_int_t
ngx_http_duplex_api_start(ngx_cycle_t *cycle)
{
    ngx_http_duplex_api_events_start();

    return NGX_OK;
}


static void *
ngx_http_duplex_api_create_main_conf(ngx_conf_t *cf)
{
    return ngx_pcalloc(cf->pool, sizeof(ngx_http_duplex_api_main_conf_t));
}


static void *
ngx_http_duplex_api_create_loc_conf(ngx_conf_t *cf)
{
    /*
     * set by ngx_pcalloc():
     *
     *     alcf->handler = NULL;
     *     alcf->write = 0;
     *     alcf->limit = 0;
     */

    return ngx_pcalloc(cf->pool, sizeof(ngx_http_duplex_api_loc_conf_t));
}


static char *
ngx_http_duplex_api_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_duplex_api_loc_conf_t *prev = parent;
    ngx_http_duplex_api_loc_conf_t *conf = child;

    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    /* "if" and "limit_except" belong to the location they stand in */

    if (clcf->noname && conf->handler == NULL && clcf->handler == NULL) {
        conf->handler = prev->handler;
        conf->write = prev->write;
        clcf->handler = conf->handler;
    }

    if (conf->handler && clcf->handler != conf->handler) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"api\" or \"duplex_ready\" shares location "
                           "\"%V\" with another directive that answers "
                           "requests", &clcf->name);
        return NGX_CONF_ERROR;
    }

    if (conf->handler != ngx_http_duplex_api_handler) {
        return NGX_CONF_OK;
    }

    if (conf->write) {
        ngx_http_duplex_api_guard_check(cf);
    }

    /*
     * The limit is ours to check: nginx would answer with a page of HTML.
     * Locations inside have inherited nginx's by now.
     */

    conf->limit = clcf->client_body_buffer_size;

    if (clcf->client_max_body_size
        && clcf->client_max_body_size < (off_t) conf->limit)
    {
        conf->limit = (size_t) clcf->client_max_body_size;
    }

    clcf->client_max_body_size = 0;

    return NGX_CONF_OK;
}


static char *
ngx_http_duplex_api_set(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_duplex_api_loc_conf_t *alcf = conf;

    if (ngx_duplex_param_parse(cf, ngx_http_duplex_api_params, 1, alcf)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    return ngx_http_duplex_api_set_handler(cf, alcf,
                                           ngx_http_duplex_api_handler);
}


static const char *
ngx_http_duplex_api_set_write(ngx_conf_t *cf, ngx_duplex_param_t *param,
    ngx_str_t *value, void *conf)
{
    ngx_http_duplex_api_loc_conf_t *alcf = conf;

    if (ngx_strcmp(value->data, "on") == 0) {
        alcf->write = 1;
        ngx_duplex_journal_want(cf);
        return NULL;
    }

    if (ngx_strcmp(value->data, "off") == 0) {
        alcf->write = 0;
        return NULL;
    }

    return "must be \"on\" or \"off\"";
}


static char *
ngx_http_duplex_api_set_ready(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    return ngx_http_duplex_api_set_handler(cf, conf,
                                           ngx_http_duplex_api_ready_handler);
}


static char *
ngx_http_duplex_api_set_metrics(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    return ngx_http_duplex_api_set_handler(cf, conf,
                                         ngx_http_duplex_api_metrics_handler);
}


static char *
ngx_http_duplex_api_set_dashboard(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_duplex_api_loc_conf_t *alcf = conf;

    ngx_str_set(&alcf->path, "/api/");

    if (ngx_duplex_param_parse(cf, ngx_http_duplex_dashboard_params, 1, alcf)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    return ngx_http_duplex_api_set_handler(cf, alcf,
                                       ngx_http_duplex_api_dashboard_handler);
}


/* it is written into the page as it is */

static const char *
ngx_http_duplex_api_set_path(ngx_conf_t *cf, ngx_duplex_param_t *param,
    ngx_str_t *value, void *conf)
{
    size_t  i;

    ngx_http_duplex_api_loc_conf_t *alcf = conf;

    if (value->len < 2
        || value->data[0] != '/'
        || value->data[1] == '/'
        || value->data[value->len - 1] != '/')
    {
        return "must be a path that begins and ends with \"/\"";
    }

    for (i = 0; i < value->len; i++) {
        if (value->data[i] <= ' '
            || value->data[i] > '~'
            || ngx_strchr("\"'<>&\\{}?#", value->data[i]))
        {
            return "must be a path of plain characters";
        }
    }

    alcf->path = *value;

    return NULL;
}


static char *
ngx_http_duplex_api_set_live(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    return ngx_http_duplex_api_set_handler(cf, conf,
                                           ngx_http_duplex_api_live_handler);
}


static char *
ngx_http_duplex_api_set_handler(ngx_conf_t *cf,
    ngx_http_duplex_api_loc_conf_t *alcf, ngx_http_handler_pt handler)
{
    ngx_http_core_loc_conf_t  *clcf;

    if (alcf->handler == handler) {
        return "is duplicate";
    }

    if (alcf->handler) {
        return "cannot share a location with \"api\" or \"duplex_ready\"";
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    /* the probes of "proxy_pass" and "health_check" would come to us */

    if (clcf->handler) {
        return "cannot share a location with another directive that answers "
               "requests";
    }

    /* paths of the API begin where the location's name ends */

#if (NGX_PCRE)
    if (clcf->regex && handler == ngx_http_duplex_api_handler) {
        return "needs a location that is a prefix, not a regular expression";
    }
#endif

    if (clcf->named && handler == ngx_http_duplex_api_handler) {
        return "needs a location that is a prefix, not a named one";
    }

    ngx_duplex_need_store(cf);

    if ((handler == ngx_http_duplex_api_handler
         || handler == ngx_http_duplex_api_metrics_handler)
        && ngx_duplex_counters_want(cf) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    alcf->handler = handler;
    clcf->handler = handler;

    return NGX_CONF_OK;
}
