
/*
 * See the header.  Everything here lives in the pool of its cycle.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_conf.h"
#include "ngx_duplex_facts.h"
#include "ngx_duplex_metrics.h"
#include "ngx_duplex_page.h"


static ngx_duplex_conf_t *ngx_duplex_conf(ngx_conf_t *cf);
static ngx_int_t ngx_duplex_push(ngx_array_t *array, void *item);


ngx_int_t
ngx_duplex_register_feature(ngx_conf_t *cf, ngx_duplex_feature_t *feature)
{
    ngx_uint_t              i;
    ngx_duplex_conf_t      *dcf;
    ngx_duplex_feature_t  **features;

    dcf = ngx_duplex_conf(cf);

    if (ngx_duplex_push(&dcf->features, feature) != NGX_OK) {
        return NGX_ERROR;
    }

    /* in the order of layers, within a layer in the order of loading */

    features = dcf->features.elts;

    for (i = dcf->features.nelts - 1;
         i > 0 && features[i - 1]->layer > feature->layer;
         i--)
    {
        features[i] = features[i - 1];
    }

    features[i] = feature;

    return NGX_OK;
}


ngx_int_t
ngx_duplex_register_kind(ngx_conf_t *cf, ngx_duplex_kind_t *kind)
{
    return ngx_duplex_push(&ngx_duplex_conf(cf)->kinds, kind);
}


ngx_int_t
ngx_duplex_register_view(ngx_conf_t *cf, ngx_duplex_view_t *view)
{
    return ngx_duplex_push(&ngx_duplex_conf(cf)->views, view);
}


ngx_int_t
ngx_duplex_register_page(ngx_conf_t *cf, ngx_duplex_page_t *page)
{
    return ngx_duplex_push(&ngx_duplex_conf(cf)->pages, page);
}


ngx_int_t
ngx_duplex_register_pages(ngx_conf_t *cf, ngx_duplex_page_t *pages)
{
    for ( /* void */ ; pages->path.len; pages++) {
        if (ngx_duplex_register_page(cf, pages) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


ngx_int_t
ngx_duplex_register_metrics(ngx_conf_t *cf, ngx_duplex_metrics_pt write)
{
    ngx_duplex_metrics_pt  *slot;

    slot = ngx_array_push(&ngx_duplex_conf(cf)->metrics);
    if (slot == NULL) {
        return NGX_ERROR;
    }

    *slot = write;

    return NGX_OK;
}


ngx_int_t
ngx_duplex_register_facts(ngx_conf_t *cf, ngx_duplex_facts_pt tell)
{
    ngx_duplex_facts_pt  *slot;

    slot = ngx_array_push(&ngx_duplex_conf(cf)->facts);
    if (slot == NULL) {
        return NGX_ERROR;
    }

    *slot = tell;

    return NGX_OK;
}


ngx_int_t
ngx_duplex_register_service(ngx_conf_t *cf, const char *name, void *service)
{
    ngx_duplex_service_t  *s;

    s = ngx_array_push(&ngx_duplex_conf(cf)->services);
    if (s == NULL) {
        return NGX_ERROR;
    }

    s->name = (char *) name;
    s->service = service;

    return NGX_OK;
}


void *
ngx_duplex_find_service(ngx_conf_t *cf, const char *name)
{
    ngx_uint_t             i;
    ngx_duplex_conf_t     *dcf;
    ngx_duplex_service_t  *s;

    dcf = ngx_duplex_conf(cf);
    s = dcf->services.elts;

    for (i = 0; i < dcf->services.nelts; i++) {
        if (ngx_strcmp(s[i].name, name) == 0) {
            return s[i].service;
        }
    }

    return NULL;
}


void
ngx_duplex_need_store(ngx_conf_t *cf)
{
    ngx_duplex_conf(cf)->needed = 1;
}


ngx_duplex_kind_t *
ngx_duplex_find_kind(uint32_t tag)
{
    ngx_uint_t           i;
    ngx_duplex_kind_t  **kinds;

    kinds = ngx_duplex_present->kinds.elts;

    for (i = 0; i < ngx_duplex_present->kinds.nelts; i++) {
        if (kinds[i]->tag == tag) {
            return kinds[i];
        }
    }

    return NULL;
}


ngx_duplex_view_t *
ngx_duplex_find_view(ngx_str_t *path)
{
    ngx_uint_t          i;
    ngx_duplex_view_t  *view;

    for (i = 0; (view = ngx_duplex_view(i)) != NULL; i++) {
        if (view->path.len == path->len
            && ngx_strncmp(view->path.data, path->data, path->len) == 0)
        {
            return view;
        }
    }

    return NULL;
}


ngx_duplex_view_t *
ngx_duplex_view(ngx_uint_t i)
{
    ngx_duplex_view_t  **views;

    if (i >= ngx_duplex_present->views.nelts) {
        return NULL;
    }

    views = ngx_duplex_present->views.elts;

    return views[i];
}


static ngx_duplex_conf_t *
ngx_duplex_conf(ngx_conf_t *cf)
{
    return (ngx_duplex_conf_t *) ngx_get_conf(cf->cycle->conf_ctx,
                                              ngx_duplex_core_module);
}


static ngx_int_t
ngx_duplex_push(ngx_array_t *array, void *item)
{
    void  **slot;

    slot = ngx_array_push(array);
    if (slot == NULL) {
        return NGX_ERROR;
    }

    *slot = item;

    return NGX_OK;
}
