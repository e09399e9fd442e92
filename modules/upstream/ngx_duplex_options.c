
/*
 * See the header.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_registry.h"
#include "ngx_duplex_options.h"


static ngx_int_t ngx_duplex_options_bind(ngx_conf_t *cf);


static ngx_duplex_feature_t  ngx_duplex_options_feature = {
    ngx_string("group options"),
    NGX_DUPLEX_LAYER_FEATURE,              /* the groups are there */
    ngx_duplex_options_bind,               /* bind */
    NULL,                                  /* commit */
    NULL,                                  /* start */
    NULL,                                  /* take */
    NULL,                                  /* beat */
    NULL,                                  /* wake */
    NULL,                                  /* drop */
    NULL                                   /* stop */
};


/* of the cycle being configured */
static ngx_duplex_options_t  *ngx_duplex_options_first;


ngx_int_t
ngx_duplex_options_register(ngx_conf_t *cf)
{
    ngx_duplex_options_first = NULL;

    return ngx_duplex_register_feature(cf, &ngx_duplex_options_feature);
}


ngx_duplex_options_t *
ngx_duplex_options(ngx_conf_t *cf, void *conf)
{
    ngx_duplex_options_t  *options;

    for (options = ngx_duplex_options_first; options; options = options->next)
    {
        if (options->conf == conf) {
            return options;
        }
    }

    options = ngx_pcalloc(cf->pool, sizeof(ngx_duplex_options_t));
    if (options == NULL) {
        return NULL;
    }

    options->conf = conf;

    options->next = ngx_duplex_options_first;
    ngx_duplex_options_first = options;

    return options;
}


static ngx_int_t
ngx_duplex_options_bind(ngx_conf_t *cf)
{
    ngx_duplex_group_t    *group;
    ngx_duplex_options_t  *options;

    for (options = ngx_duplex_options_first; options; options = options->next)
    {
        group = ngx_duplex_group_bound(cf, options->conf);

        if (group == NULL) {
            return NGX_ERROR;
        }

        group->options = options;

        if (group->shm.len == 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"duplex_panic\" in upstream \"%V\" needs "
                               "\"zone\"", &group->name);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}
