
/*
 * The directive "sticky" of upstream{}.  What nginx 1.29.6 and later refuse
 * is refused here in the same words.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "../core/ngx_duplex_compat.h"
#include "ngx_duplex_sticky_conf.h"
#include "ngx_http_duplex_sticky.h"


static char *ngx_http_duplex_sticky_set_route(ngx_conf_t *cf,
    ngx_http_duplex_sticky_conf_t *scf);
static char *ngx_http_duplex_sticky_set_learn(ngx_conf_t *cf,
    ngx_http_duplex_sticky_conf_t *scf);
static char *ngx_http_duplex_sticky_set_source(ngx_conf_t *cf,
    ngx_array_t **sources, const char *parameter, ngx_str_t *text);
static char *ngx_http_duplex_sticky_add_zone(ngx_conf_t *cf,
    ngx_http_duplex_sticky_conf_t *scf, ngx_duplex_sticky_zone_t *zone);
static ngx_http_upstream_srv_conf_t *ngx_http_duplex_sticky_zone_user(
    ngx_conf_t *cf, ngx_str_t *name);


char *
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

    if (ngx_strcmp(value[1].data, "cookie") == 0) {
        return ngx_http_duplex_sticky_set_parse(cf, scf);
    }

    if (ngx_strcmp(value[1].data, "route") == 0) {
        return ngx_http_duplex_sticky_set_route(cf, scf);
    }

    if (ngx_strcmp(value[1].data, "learn") == 0) {
        return ngx_http_duplex_sticky_set_learn(cf, scf);
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "unknown parameter \"%V\"",
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

        if (scf->lookup && ngx_strcmp(value[i].data, "strict") == 0) {

            if (scf->strict) {
                return "parameter \"strict\" is duplicate";
            }

            scf->strict = 1;
            continue;
        }

        rc = ngx_http_duplex_sticky_add_source(cf, &scf->lookup, &value[i]);

        if (rc == NGX_DECLINED) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid variable name \"%V\"", &value[i]);
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
    char                           *rv;
    ngx_str_t                      *value, text;
    ngx_uint_t                      i;
    ngx_duplex_sticky_zone_t   zone;

    ngx_memzero(&zone, sizeof(ngx_duplex_sticky_zone_t));

    value = cf->args->elts;

    for (i = 2; i < cf->args->nelts; i++) {

        text.data = (u_char *) ngx_strchr(value[i].data, '=');
        text.data = text.data ? text.data + 1 : value[i].data + value[i].len;
        text.len = value[i].data + value[i].len - text.data;

        rv = NGX_CONF_OK;

        if (ngx_strncmp(value[i].data, "create=", 7) == 0) {
            rv = ngx_http_duplex_sticky_set_source(cf, &scf->create, "create",
                                                   &text);

        } else if (ngx_strncmp(value[i].data, "lookup=", 7) == 0) {
            rv = ngx_http_duplex_sticky_set_source(cf, &scf->lookup, "lookup",
                                                   &text);

        } else if (ngx_strncmp(value[i].data, "zone=", 5) == 0) {
            rv = ngx_duplex_sticky_set_zone(cf, &zone, &text);

        } else if (ngx_strncmp(value[i].data, "timeout=", 8) == 0) {
            rv = ngx_duplex_sticky_set_timeout(cf, &scf->sticky, &text);

        } else if (ngx_strcmp(value[i].data, "header") == 0) {
            scf->header = 1;

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

    if (scf->lookup == NULL) {
        return "\"lookup\" parameter is not specified";
    }

    if (scf->create == NULL) {
        return "\"create\" parameter is not specified";
    }

    if (zone.name.len == 0) {
        return "\"zone\" parameter is not specified";
    }

    return ngx_http_duplex_sticky_add_zone(cf, scf, &zone);
}


static char *
ngx_http_duplex_sticky_set_source(ngx_conf_t *cf, ngx_array_t **sources,
    const char *parameter, ngx_str_t *text)
{
    ngx_int_t  rc;

    rc = ngx_http_duplex_sticky_add_source(cf, sources, text);

    if (rc == NGX_DECLINED) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"sticky\" directive missing variable in the "
                           "\"%s\" parameter \"%V\"", parameter, text);
    }

    return rc == NGX_OK ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static char *
ngx_http_duplex_sticky_add_zone(ngx_conf_t *cf,
    ngx_http_duplex_sticky_conf_t *scf, ngx_duplex_sticky_zone_t *zone)
{
    ngx_http_upstream_srv_conf_t  *us, *user;

    user = ngx_http_duplex_sticky_zone_user(cf, &zone->name);

    if (user) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "sticky zone \"%V\" is already used in upstream "
                           "\"%V\"", &zone->name, &user->host);
        return NGX_CONF_ERROR;
    }

    us = ngx_http_conf_get_module_srv_conf(cf, ngx_http_upstream_module);

    return ngx_duplex_sticky_add_zone(cf, &scf->sticky, zone, us);
}


static ngx_http_upstream_srv_conf_t *
ngx_http_duplex_sticky_zone_user(ngx_conf_t *cf, ngx_str_t *name)
{
    ngx_uint_t                       i;
    ngx_duplex_zone_t               *zone;
    ngx_http_upstream_srv_conf_t   **us;
    ngx_http_upstream_main_conf_t   *umcf;
    ngx_http_duplex_sticky_conf_t   *scf;

    umcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_upstream_module);
    us = umcf->upstreams.elts;

    for (i = 0; i < umcf->upstreams.nelts; i++) {

        if (us[i]->srv_conf == NULL) {
            continue;
        }

        scf = ngx_http_conf_upstream_srv_conf(us[i],
                                              ngx_http_duplex_sticky_module);
        zone = scf->sticky.zone;

        if (zone
            && zone->name.len == name->len
            && ngx_strncmp(zone->name.data, name->data, name->len) == 0)
        {
            return us[i];
        }
    }

    return NULL;
}
