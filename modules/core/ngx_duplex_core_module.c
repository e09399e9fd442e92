
/*
 * The core module: directives of the main level, and the life cycle that
 * ngx_duplex_registry.h promises to the features.
 *
 * http{} and stream{} are parsed when init_conf runs, whatever their order
 * in the file; init_module runs when nothing can fail any more, in the
 * master, before a worker of the new configuration exists.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_compat.h"
#include "ngx_duplex_conf.h"
#include "ngx_duplex_snapshot.h"
#include "ngx_duplex_wake.h"


#define NGX_DUPLEX_STORE_SIZE  (4 * 1024 * 1024)


static void *ngx_duplex_core_create_conf(ngx_cycle_t *cycle);
static char *ngx_duplex_core_init_conf(ngx_cycle_t *cycle, void *conf);
static char *ngx_duplex_core_bind(ngx_conf_t *cf, ngx_duplex_conf_t *dcf);
static ngx_int_t ngx_duplex_core_init_module(ngx_cycle_t *cycle);
static ngx_int_t ngx_duplex_core_init_process(ngx_cycle_t *cycle);
static void ngx_duplex_core_exit_process(ngx_cycle_t *cycle);
static char *ngx_duplex_core_node(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_duplex_core_store_size(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_duplex_core_set_lifetime(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


/* the loader names this symbol when a feature is loaded without the core */
const char  ngx_duplex_core_module_must_be_loaded_first[] = "nginx-duplex";

ngx_duplex_conf_t  *ngx_duplex_present;


static ngx_command_t  ngx_duplex_core_commands[] = {

    { ngx_string("duplex_node"),
      NGX_MAIN_CONF|NGX_DIRECT_CONF|NGX_CONF_TAKE1,
      ngx_duplex_core_node,
      0,
      offsetof(ngx_duplex_conf_t, node),
      NULL },

    { ngx_string("duplex_cluster"),
      NGX_MAIN_CONF|NGX_DIRECT_CONF|NGX_CONF_TAKE1,
      ngx_duplex_core_node,
      0,
      offsetof(ngx_duplex_conf_t, cluster),
      NULL },

    { ngx_string("duplex_store_size"),
      NGX_MAIN_CONF|NGX_DIRECT_CONF|NGX_CONF_TAKE1,
      ngx_duplex_core_store_size,
      0,
      0,
      NULL },

    { ngx_string("duplex_store"),
      NGX_MAIN_CONF|NGX_DIRECT_CONF|NGX_CONF_TAKE12,
      ngx_duplex_journal_set,
      0,
      0,
      NULL },

    { ngx_string("duplex_tombstone_lifetime"),
      NGX_MAIN_CONF|NGX_DIRECT_CONF|NGX_CONF_TAKE1,
      ngx_duplex_core_set_lifetime,
      0,
      offsetof(ngx_duplex_conf_t, lifetime),
      NULL },

      ngx_null_command
};


static ngx_core_module_t  ngx_duplex_core_module_ctx = {
    ngx_string("duplex_core"),
    ngx_duplex_core_create_conf,
    ngx_duplex_core_init_conf
};


ngx_module_t  ngx_duplex_core_module = {
    NGX_MODULE_V1,
    &ngx_duplex_core_module_ctx,           /* module context */
    ngx_duplex_core_commands,              /* module directives */
    NGX_CORE_MODULE,                       /* module type */
    NULL,                                  /* init master */
    ngx_duplex_core_init_module,           /* init module */
    ngx_duplex_core_init_process,          /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_duplex_core_exit_process,          /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static void *
ngx_duplex_core_create_conf(ngx_cycle_t *cycle)
{
    ngx_pool_t         *pool;
    ngx_duplex_conf_t  *dcf;

    pool = cycle->pool;

    dcf = ngx_pcalloc(pool, sizeof(ngx_duplex_conf_t));
    if (dcf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     dcf->node = { 0, NULL };
     *     dcf->cluster = { 0, NULL };
     *     dcf->needed = 0;
     *     dcf->kept = 0;
     *     dcf->journal = NULL;
     *     dcf->zones = NULL;
     *     dcf->shared = NULL;
     */

    dcf->size = NGX_CONF_UNSET_SIZE;
    dcf->lifetime = NGX_CONF_UNSET_MSEC;
    dcf->last_zone = &dcf->zones;

    if (ngx_array_init(&dcf->features, pool, 8, sizeof(void *)) != NGX_OK
        || ngx_array_init(&dcf->kinds, pool, 8, sizeof(void *)) != NGX_OK
        || ngx_array_init(&dcf->views, pool, 8, sizeof(void *)) != NGX_OK
        || ngx_array_init(&dcf->metrics, pool, 8, sizeof(void *)) != NGX_OK
        || ngx_array_init(&dcf->facts, pool, 4, sizeof(void *)) != NGX_OK
        || ngx_array_init(&dcf->pages, pool, 32, sizeof(void *)) != NGX_OK
        || ngx_array_init(&dcf->services, pool, 8,
                          sizeof(ngx_duplex_service_t))
           != NGX_OK)
    {
        return NULL;
    }

    return dcf;
}


static char *
ngx_duplex_core_init_conf(ngx_cycle_t *cycle, void *conf)
{
    char               *rv;
    ngx_conf_t          cf;
    ngx_duplex_conf_t  *dcf = conf;

    ngx_conf_init_size_value(dcf->size, NGX_DUPLEX_STORE_SIZE);
    ngx_conf_init_msec_value(dcf->lifetime, NGX_DUPLEX_TOMBSTONE_TTL);

    if (dcf->node.len == 0) {
        dcf->node = cycle->hostname;
    }

    /* what binding needs of a parser */

    ngx_memzero(&cf, sizeof(ngx_conf_t));

    cf.cycle = cycle;
    cf.ctx = cycle->conf_ctx;
    cf.pool = cycle->pool;
    cf.log = cycle->log;
    cf.module_type = NGX_CORE_MODULE;

    cf.temp_pool = ngx_create_pool(NGX_CYCLE_POOL_SIZE, cycle->log);
    if (cf.temp_pool == NULL) {
        return NGX_CONF_ERROR;
    }

    rv = ngx_duplex_core_bind(&cf, dcf);

    ngx_destroy_pool(cf.temp_pool);

    return rv;
}


static char *
ngx_duplex_core_bind(ngx_conf_t *cf, ngx_duplex_conf_t *dcf)
{
    ngx_uint_t              i;
    ngx_duplex_feature_t  **features;

    features = dcf->features.elts;

    for (i = 0; i < dcf->features.nelts; i++) {
        if (features[i]->bind && features[i]->bind(cf) != NGX_OK) {
            return NGX_CONF_ERROR;
        }
    }

    if (!dcf->needed) {
        return NGX_CONF_OK;
    }

    if (ngx_duplex_node_name_check(&dcf->node) != NGX_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "the host name \"%V\" cannot name a node: "
                           "give it a name with \"duplex_node\"", &dcf->node);
        return NGX_CONF_ERROR;
    }

    if (ngx_duplex_zone_add_main(cf, dcf) != NGX_OK
        || ngx_duplex_journal_add_zone(cf, dcf) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (!ngx_test_config && ngx_duplex_wake_create(cf->log) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_duplex_core_init_module(ngx_cycle_t *cycle)
{
    ngx_uint_t               i, fresh;
    ngx_duplex_conf_t       *dcf;
    ngx_duplex_feature_t   **features;
    ngx_duplex_identity_t   *identity;

    if (ngx_test_config) {
        return NGX_OK;
    }

    dcf = (ngx_duplex_conf_t *) ngx_get_conf(cycle->conf_ctx,
                                             ngx_duplex_core_module);

    ngx_duplex_zones_carry_over(cycle, dcf);

    identity = &dcf->identity;

    identity->name = dcf->node;
    identity->cluster = dcf->cluster;
    identity->id = ngx_duplex_node_id(&dcf->node);

    if (dcf->shared) {
        identity->incarnation = dcf->shared->incarnation;
        identity->generation = ngx_atomic_fetch_add(&dcf->shared->generation, 1)
                               + 1;
    }

    fresh = (ngx_duplex_present == NULL || ngx_duplex_present->shared == NULL);

    ngx_duplex_present = dcf;

    if (dcf->shared) {
        ngx_duplex_journal_load(cycle, fresh);

        if (fresh) {
            ngx_duplex_snapshot_load(cycle);
        }
    }

    /* whatever changes from here on is projected by the workers again */

    if (dcf->shared) {
        ngx_duplex_worker_seen(ngx_duplex_table_head(dcf->zones->table));
    }

    features = dcf->features.elts;

    for (i = 0; i < dcf->features.nelts; i++) {
        if (features[i]->commit) {
            features[i]->commit(cycle);
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_duplex_core_init_process(ngx_cycle_t *cycle)
{
    if (ngx_process != NGX_PROCESS_WORKER && ngx_process != NGX_PROCESS_SINGLE)
    {
        return NGX_OK;
    }

    return ngx_duplex_worker_start(cycle);
}


static void
ngx_duplex_core_exit_process(ngx_cycle_t *cycle)
{
    ngx_duplex_worker_exit();

    if (ngx_process == NGX_PROCESS_WORKER || ngx_process == NGX_PROCESS_SINGLE)
    {
        ngx_duplex_snapshot_exit();
    }
}


ngx_duplex_identity_t *
ngx_duplex_identity(void)
{
    return &ngx_duplex_present->identity;
}


ngx_uint_t
ngx_duplex_superseded(void)
{
    ngx_duplex_conf_t  *dcf;

    dcf = ngx_duplex_present;

    return ngx_exiting
           || (dcf->shared
               && (uint32_t) dcf->shared->generation
                  != dcf->identity.generation);
}


static char *
ngx_duplex_core_node(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char  *p = conf;

    ngx_str_t  *value, *field;

    field = (ngx_str_t *) (p + cmd->offset);

    if (field->len) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_duplex_node_name_check(&value[1]) != NGX_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid %s name \"%V\": must be 1 to %d letters, "
                           "digits, \".\", \"-\" or \"_\"",
                           cmd->offset == offsetof(ngx_duplex_conf_t, node)
                           ? "node" : "cluster",
                           &value[1], NGX_DUPLEX_NODE_NAME_MAX);
        return NGX_CONF_ERROR;
    }

    *field = value[1];

    return NGX_CONF_OK;
}


static char *
ngx_duplex_core_store_size(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ssize_t             size;
    ngx_str_t          *value;
    ngx_duplex_conf_t  *dcf = conf;

    if (dcf->size != NGX_CONF_UNSET_SIZE) {
        return "is duplicate";
    }

    value = cf->args->elts;

    size = ngx_parse_size(&value[1]);

    if (size == NGX_ERROR || size < 64 * 1024) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid store size \"%V\": must be 64k or more",
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    dcf->size = size;

    return NGX_CONF_OK;
}


static char *
ngx_duplex_core_set_lifetime(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_duplex_conf_t *dcf = conf;

    ngx_int_t   msec;
    ngx_str_t  *value;

    if (dcf->lifetime != NGX_CONF_UNSET_MSEC) {
        return "is duplicate";
    }

    value = cf->args->elts;

    msec = ngx_parse_time(&value[1], 0);

    if (msec == NGX_ERROR || msec < NGX_DUPLEX_TOMBSTONE_TTL_MIN) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\" of \"%V\": must be a time of "
                           "%dms or more", &value[1], &cmd->name,
                           NGX_DUPLEX_TOMBSTONE_TTL_MIN);
        return NGX_CONF_ERROR;
    }

    dcf->lifetime = (ngx_msec_t) msec;

    return NGX_CONF_OK;
}
