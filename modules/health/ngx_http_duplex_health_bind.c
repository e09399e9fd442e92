
/*
 * From a health_check as it was written to the groups that it checks, when
 * all of the file is known; what cannot be is refused with its place.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "../core/ngx_duplex_registry.h"
#include "../upstream/ngx_duplex_choice.h"
#include "../upstream/ngx_http_duplex_upstream.h"
#include "ngx_http_duplex_health.h"


static ngx_int_t ngx_http_duplex_health_bind_votes(ngx_conf_t *cf);
static ngx_int_t ngx_http_duplex_health_bind_check(ngx_conf_t *cf,
    ngx_http_duplex_health_main_conf_t *hmcf,
    ngx_http_duplex_health_t *health);
static ngx_int_t ngx_http_duplex_health_bind_pass(ngx_conf_t *cf,
    ngx_http_duplex_health_t *health);
static ngx_int_t ngx_http_duplex_health_bind_name(ngx_conf_t *cf,
    ngx_http_duplex_health_t *health, ngx_str_t *name);
static ngx_array_t *ngx_http_duplex_health_choice(ngx_conf_t *cf,
    ngx_str_t *variable);
static ngx_http_upstream_srv_conf_t *ngx_http_duplex_health_find(
    ngx_http_duplex_health_t *health, ngx_str_t *name);
static ngx_int_t ngx_http_duplex_health_bind_group(ngx_conf_t *cf,
    ngx_http_duplex_health_t *health, ngx_http_upstream_srv_conf_t *us);
static ngx_duplex_group_t *ngx_http_duplex_health_group(ngx_conf_t *cf,
    ngx_http_duplex_health_t *health, ngx_http_upstream_srv_conf_t *us);
static ngx_int_t ngx_http_duplex_health_refuse(ngx_conf_t *cf,
    ngx_http_duplex_health_t *health, const char *text, ngx_str_t *name);


ngx_int_t
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

        if (ngx_http_duplex_health_bind_check(cf, hmcf, healths[i]) != NGX_OK)
        {
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

        if (hscf->watch.on && hscf->watch.group == NULL) {
            ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                          "\"duplex_probe_on_error\" does nothing without "
                          "\"health_check\" of upstream \"%V\" in %s:%ui",
                          &us[i]->host, us[i]->file_name, us[i]->line);
        }

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
    ngx_http_duplex_health_main_conf_t *hmcf, ngx_http_duplex_health_t *health)
{
    ngx_str_t                *names;
    ngx_uint_t                i;
    ngx_http_duplex_check_t  *check;

    check = &health->check;

    if (check->pass->type == ngx_http_duplex_pass_none) {
        return ngx_http_duplex_health_refuse(cf, health,
                         "requires \"proxy_pass\", or its like, in the same "
                         "location", NULL);
    }

    if (check->grpc && check->pass->type != ngx_http_duplex_pass_grpc) {
        return ngx_http_duplex_health_refuse(cf, health,
                         "with \"type=grpc\" requires \"grpc_pass\" in the "
                         "same location", NULL);
    }

    if (ngx_duplex_find_service(cf, NGX_HTTP_DUPLEX_UPSTREAM) == NULL) {
        return ngx_http_duplex_health_refuse(cf, health,
                         "requires ngx_http_duplex_upstream_module.so to be "
                         "loaded", NULL);
    }

    if (health->match.len) {
        check->match = ngx_http_duplex_match_find(&hmcf->matches,
                                                  &health->match);

        if (check->match == NULL) {
            return ngx_http_duplex_health_refuse(cf, health,
                         "refers to an unknown match", &health->match);
        }
    }

    if (health->names.nelts == 0) {
        return ngx_http_duplex_health_bind_pass(cf, health);
    }

    names = health->names.elts;

    for (i = 0; i < health->names.nelts; i++) {

        if (ngx_http_duplex_health_bind_name(cf, health, &names[i]) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* the group, or the groups, that the location passes requests to */

static ngx_int_t
ngx_http_duplex_health_bind_pass(ngx_conf_t *cf,
    ngx_http_duplex_health_t *health)
{
    ngx_str_t                      variable, *name;
    ngx_uint_t                     i;
    ngx_array_t                   *groups;
    ngx_http_duplex_pass_t        *pass;
    ngx_http_upstream_srv_conf_t  *us;

    pass = health->check.pass;

    if (ngx_http_duplex_pass_varies(pass)) {

        groups = NULL;

        if (ngx_http_duplex_pass_variable(pass, &variable) == NGX_OK) {
            groups = ngx_http_duplex_health_choice(cf, &variable);
        }

        if (groups == NULL) {
            return ngx_http_duplex_health_refuse(cf, health,
                         "requires \"upstream=\" with the names of the "
                         "upstreams, since there are variables in",
                         &pass->target);
        }

        name = groups->elts;

        for (i = 0; i < groups->nelts; i++) {

            if (ngx_http_duplex_health_bind_name(cf, health, &name[i])
                != NGX_OK)
            {
                return NGX_ERROR;
            }
        }

        return NGX_OK;
    }

    us = pass->upstream->upstream;

    if (us == NULL || us->srv_conf == NULL) {
        return ngx_http_duplex_health_refuse(cf, health,
                         "requires the name of an upstream in \"proxy_pass\", "
                         "or its like, not", &pass->target);
    }

    return ngx_http_duplex_health_bind_group(cf, health, us);
}


static ngx_int_t
ngx_http_duplex_health_bind_name(ngx_conf_t *cf,
    ngx_http_duplex_health_t *health, ngx_str_t *name)
{
    ngx_str_t                      variable, *names;
    ngx_uint_t                     i;
    ngx_array_t                   *groups;
    ngx_http_upstream_srv_conf_t  *us;

    if (name->data[0] != '$') {
        us = ngx_http_duplex_health_find(health, name);

        return us ? ngx_http_duplex_health_bind_group(cf, health, us)
                  : ngx_http_duplex_health_refuse(cf, health,
                         "refers to an unknown upstream", name);
    }

    variable.data = name->data + 1;
    variable.len = name->len - 1;

    groups = ngx_http_duplex_health_choice(cf, &variable);

    if (groups == NULL) {
        return ngx_http_duplex_health_refuse(cf, health,
                         "refers to a variable that is not known to name "
                         "upstreams", name);
    }

    names = groups->elts;

    for (i = 0; i < groups->nelts; i++) {

        if (ngx_http_duplex_health_bind_name(cf, health, &names[i]) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* names of all that the variable may stand for; NULL: nobody knows */

static ngx_array_t *
ngx_http_duplex_health_choice(ngx_conf_t *cf, ngx_str_t *variable)
{
    ngx_duplex_choice_t  *choice;

    choice = ngx_duplex_find_service(cf, NGX_HTTP_DUPLEX_CHOICE);

    return choice ? choice->groups(cf, variable) : NULL;
}


static ngx_http_upstream_srv_conf_t *
ngx_http_duplex_health_find(ngx_http_duplex_health_t *health, ngx_str_t *name)
{
    ngx_uint_t                       i;
    ngx_http_conf_ctx_t             *ctx;
    ngx_http_upstream_srv_conf_t   **us;
    ngx_http_upstream_main_conf_t   *umcf;

    ctx = health->check.cscf->ctx;
    umcf = ctx->main_conf[ngx_http_upstream_module.ctx_index];
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


static ngx_int_t
ngx_http_duplex_health_bind_group(ngx_conf_t *cf,
    ngx_http_duplex_health_t *health, ngx_http_upstream_srv_conf_t *us)
{
    ngx_duplex_group_t                 *group;
    ngx_http_duplex_check_t            *check;
    ngx_http_duplex_health_srv_conf_t  *hscf;

    group = ngx_http_duplex_health_group(cf, health, us);
    if (group == NULL) {
        return NGX_ERROR;
    }

    check = ngx_palloc(cf->pool, sizeof(ngx_http_duplex_check_t));
    if (check == NULL) {
        return NGX_ERROR;
    }

    *check = health->check;
    check->us = us;

    hscf = ngx_http_conf_upstream_srv_conf(us, ngx_http_duplex_health_module);
    hscf->watch.group = group;

    if (ngx_duplex_check_add(cf, group, &health->policy,
                             &ngx_http_duplex_prober, check, &health->text)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_duplex_probe_bind(cf, check);
}


/* NULL: refused */

static ngx_duplex_group_t *
ngx_http_duplex_health_group(ngx_conf_t *cf, ngx_http_duplex_health_t *health,
    ngx_http_upstream_srv_conf_t *us)
{
    ngx_duplex_group_t  *group;

    if (us->shm_zone == NULL) {
        (void) ngx_http_duplex_health_refuse(cf, health,
                         "requires \"zone\" in upstream", &us->host);
        return NULL;
    }

    group = ngx_duplex_group_bound(cf, us);

    if (group == NULL) {
        (void) ngx_http_duplex_health_refuse(cf, health,
                         "requires servers in upstream", &us->host);
    }

    return group;
}


static ngx_int_t
ngx_http_duplex_health_refuse(ngx_conf_t *cf, ngx_http_duplex_health_t *health,
    const char *text, ngx_str_t *name)
{
    if (name) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"health_check\" %s \"%V\", in %V:%ui",
                           text, name, &health->file, health->line);

    } else {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"health_check\" %s, in %V:%ui",
                           text, &health->file, health->line);
    }

    return NGX_ERROR;
}
