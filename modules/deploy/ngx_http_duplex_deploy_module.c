
/*
 * The directive duplex_split of http{}:
 *
 *     duplex_split $pool app {
 *         app_blue   100  as=blue;
 *         app_green    0  as=green;
 *
 *         key        $remote_addr;
 *         sticky     cookie pool path=/;
 *     }
 *
 * $pool is the name of a group.  The key decides, by the weights of the
 * moment; with "sticky" a client that has a cookie stays with its group for
 * as long as that is not closed.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "../core/ngx_duplex_compat.h"
#include "../upstream/ngx_duplex_choice.h"
#include "../upstream/ngx_duplex_upstream.h"
#include "ngx_duplex_deployment.h"
#include "ngx_duplex_split_page.h"
#include "ngx_http_duplex_deploy.h"


static ngx_int_t ngx_http_duplex_deploy_preconfiguration(ngx_conf_t *cf);
static ngx_int_t ngx_http_duplex_deploy_postconfiguration(ngx_conf_t *cf);
static void *ngx_http_duplex_deploy_create_main_conf(ngx_conf_t *cf);
static ngx_array_t *ngx_http_duplex_split_groups(ngx_conf_t *cf,
    ngx_str_t *variable);
static ngx_int_t ngx_http_duplex_deploy_bind(ngx_conf_t *cf);
static ngx_int_t ngx_http_duplex_deploy_bind_part(ngx_conf_t *cf,
    ngx_http_duplex_split_t *http, ngx_duplex_split_part_t *part);
static void ngx_http_duplex_deploy_commit(ngx_cycle_t *cycle);


NGX_DUPLEX_NEEDS_CORE;


static ngx_command_t  ngx_http_duplex_deploy_commands[] = {

    { ngx_string("duplex_split"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_BLOCK|NGX_CONF_TAKE2,
      ngx_http_duplex_split,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_duplex_deploy_module_ctx = {
    ngx_http_duplex_deploy_preconfiguration, /* preconfiguration */
    ngx_http_duplex_deploy_postconfiguration, /* postconfiguration */

    ngx_http_duplex_deploy_create_main_conf, /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    NULL,                                  /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_http_duplex_deploy_module = {
    NGX_MODULE_V1,
    &ngx_http_duplex_deploy_module_ctx,    /* module context */
    ngx_http_duplex_deploy_commands,       /* module directives */
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


static ngx_duplex_feature_t  ngx_http_duplex_deploy_feature = {
    ngx_string("http deploy"),
    NGX_DUPLEX_LAYER_FEATURE,
    ngx_http_duplex_deploy_bind,           /* bind */
    ngx_http_duplex_deploy_commit,         /* commit */
    NULL,                                  /* start */
    ngx_duplex_deployments_take,           /* take */
    ngx_duplex_deployments_beat,           /* beat */
    NULL,                                  /* wake */
    NULL,                                  /* drop */
    NULL                                   /* stop */
};


static ngx_duplex_choice_t  ngx_http_duplex_deploy_choice = {
    ngx_http_duplex_split_groups
};


static ngx_int_t
ngx_http_duplex_deploy_preconfiguration(ngx_conf_t *cf)
{
    if (ngx_duplex_register_kind(cf, &ngx_duplex_split_kind) != NGX_OK
        || ngx_duplex_register_kind(cf, &ngx_duplex_decision_kind) != NGX_OK
        || ngx_duplex_register_kind(cf, &ngx_duplex_progress_kind) != NGX_OK
        || ngx_duplex_register_kind(cf, &ngx_duplex_history_kind) != NGX_OK
        || ngx_duplex_register_service(cf, NGX_HTTP_DUPLEX_CHOICE,
                                       &ngx_http_duplex_deploy_choice)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_duplex_register_feature(cf, &ngx_http_duplex_deploy_feature);
}


/* requests are counted only where there is something to count */

static ngx_int_t
ngx_http_duplex_deploy_postconfiguration(ngx_conf_t *cf)
{
    ngx_http_handler_pt                 *handler;
    ngx_http_core_main_conf_t           *cmcf;
    ngx_http_duplex_deploy_main_conf_t  *dmcf;

    dmcf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_duplex_deploy_module);

    if (dmcf->splits.nelts == 0) {
        return NGX_OK;
    }

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    handler = ngx_array_push(&cmcf->phases[NGX_HTTP_LOG_PHASE].handlers);
    if (handler == NULL) {
        return NGX_ERROR;
    }

    *handler = ngx_http_duplex_split_log_handler;

    return NGX_OK;
}


static void *
ngx_http_duplex_deploy_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_duplex_deploy_main_conf_t  *dmcf;

    dmcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_duplex_deploy_main_conf_t));

    if (dmcf == NULL
        || ngx_array_init(&dmcf->splits, cf->pool, 4, sizeof(void *))
           != NGX_OK
        || ngx_array_init(&dmcf->https, cf->pool, 4, sizeof(void *))
           != NGX_OK)
    {
        return NULL;
    }

    return dmcf;
}


static ngx_array_t *
ngx_http_duplex_split_groups(ngx_conf_t *cf, ngx_str_t *variable)
{
    ngx_str_t                            *name;
    ngx_uint_t                            i, j;
    ngx_array_t                          *groups;
    ngx_duplex_split_t                  **splits;
    ngx_http_conf_ctx_t                  *ctx;
    ngx_http_duplex_deploy_main_conf_t   *dmcf;

    ctx = (ngx_http_conf_ctx_t *) ngx_get_conf(cf->cycle->conf_ctx,
                                               ngx_http_module);
    dmcf = ctx->main_conf[ngx_http_duplex_deploy_module.ctx_index];
    splits = dmcf->splits.elts;

    for (i = 0; i < dmcf->splits.nelts; i++) {

        if (splits[i]->variable.len != variable->len
            || ngx_strncasecmp(splits[i]->variable.data, variable->data,
                               variable->len)
               != 0)
        {
            continue;
        }

        groups = ngx_array_create(cf->pool, splits[i]->nparts,
                                  sizeof(ngx_str_t));

        for (j = 0; groups && j < splits[i]->nparts; j++) {
            name = ngx_array_push(groups);
            *name = splits[i]->parts[j].group;
        }

        return groups;
    }

    return NULL;
}


static ngx_int_t
ngx_http_duplex_deploy_bind(ngx_conf_t *cf)
{
    ngx_uint_t                            i, j;
    ngx_http_conf_ctx_t                  *ctx;
    ngx_http_duplex_split_t             **https;
    ngx_http_duplex_deploy_main_conf_t   *dmcf;

    ctx = (ngx_http_conf_ctx_t *) ngx_get_conf(cf->cycle->conf_ctx,
                                               ngx_http_module);
    if (ctx == NULL) {
        return NGX_OK;
    }

    dmcf = ctx->main_conf[ngx_http_duplex_deploy_module.ctx_index];
    https = dmcf->https.elts;

    for (i = 0; i < dmcf->https.nelts; i++) {
        for (j = 0; j < https[i]->split->nparts; j++) {

            if (ngx_http_duplex_deploy_bind_part(cf, https[i],
                                              &https[i]->split->parts[j])
                != NGX_OK)
            {
                return NGX_ERROR;
            }
        }
    }

    if (dmcf->https.nelts == 0) {
        return NGX_OK;
    }

    ngx_duplex_deployments_bind(cf);

    if (ngx_duplex_split_pages(cf) != NGX_OK
        || ngx_duplex_deployment_pages(cf) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_duplex_figures_add(cf);
}


static ngx_int_t
ngx_http_duplex_deploy_bind_part(ngx_conf_t *cf,
    ngx_http_duplex_split_t *http, ngx_duplex_split_part_t *part)
{
    ngx_uint_t                       i;
    ngx_http_conf_ctx_t             *ctx;
    ngx_http_upstream_srv_conf_t   **uscfp;
    ngx_http_upstream_main_conf_t   *umcf;

    ctx = (ngx_http_conf_ctx_t *) ngx_get_conf(cf->cycle->conf_ctx,
                                               ngx_http_module);
    umcf = ctx->main_conf[ngx_http_upstream_module.ctx_index];
    uscfp = umcf->upstreams.elts;

    for (i = 0; i < umcf->upstreams.nelts; i++) {

        if (uscfp[i]->flags
            && uscfp[i]->host.len == part->group.len
            && ngx_strncasecmp(uscfp[i]->host.data, part->group.data,
                               part->group.len)
               == 0)
        {
            return NGX_OK;
        }
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "no upstream \"%V\" of split \"%V\", in %V:%ui",
                       &part->group, &http->split->name, &http->file,
                       http->line);

    return NGX_ERROR;
}


static void
ngx_http_duplex_deploy_commit(ngx_cycle_t *cycle)
{
    ngx_http_duplex_deploy_main_conf_t  *dmcf;

    dmcf = ngx_get_conf(cycle->conf_ctx, ngx_http_module)
           ? ngx_http_cycle_get_module_main_conf(cycle,
                                              ngx_http_duplex_deploy_module)
           : NULL;

    ngx_http_duplex_splits_commit(dmcf ? &dmcf->https : NULL);
    ngx_duplex_splits_commit(dmcf ? &dmcf->splits : NULL);
    ngx_duplex_figures_commit(cycle);
    ngx_duplex_deployments_commit();
}
