
/*
 * "server" in upstream{}: what it says beyond stock, and the groups that are
 * made of these lines.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "../core/ngx_duplex_compat.h"
#include "ngx_http_duplex_driver.h"
#include "ngx_http_duplex_upstream_conf.h"


/* what a "server" line says beyond stock, in the order of us->servers */
typedef struct {
    ngx_uint_t                      configured;    /* NGX_DUPLEX_DOWN_* */
    ngx_str_t                       route;
} ngx_http_duplex_upstream_server_t;


static ngx_int_t ngx_http_duplex_upstream_route(ngx_conf_t *cf,
    ngx_http_duplex_upstream_server_t *server, ngx_str_t *param);
static ngx_int_t ngx_http_duplex_upstream_bind_group(ngx_conf_t *cf,
    ngx_http_upstream_srv_conf_t *us);


char *
ngx_http_duplex_upstream_server(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_duplex_upstream_srv_conf_t  *uscf = conf;

    ngx_str_t                          *value, *arg;
    ngx_uint_t                          i;
    ngx_array_t                        *args;
    ngx_http_upstream_srv_conf_t       *us;
    ngx_http_duplex_upstream_server_t  *server;

    us = ngx_http_conf_get_module_srv_conf(cf, ngx_http_upstream_module);

    if (uscf->servers == NULL) {
        uscf->servers = ngx_array_create(cf->pool, 4,
                                   sizeof(ngx_http_duplex_upstream_server_t));
        if (uscf->servers == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    server = ngx_array_push(uscf->servers);
    if (server == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(server, sizeof(ngx_http_duplex_upstream_server_t));

    args = ngx_array_create(cf->pool, cf->args->nelts, sizeof(ngx_str_t));
    if (args == NULL) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;

    for (i = 0; i < cf->args->nelts; i++) {

        /* the first two are the directive's name and the address */

        if (i > 1 && ngx_strncmp(value[i].data, "route=", 6) == 0) {

            if (ngx_http_duplex_upstream_route(cf, server, &value[i])
                != NGX_OK)
            {
                return NGX_CONF_ERROR;
            }

#if !(NGX_DUPLEX_HAVE_STOCK_ROUTE)
            continue;
#endif
        }

        arg = ngx_array_push(args);
        if (arg == NULL) {
            return NGX_CONF_ERROR;
        }

        *arg = value[i];

        if (i > 1 && ngx_strcmp(value[i].data, "down") == 0) {
            server->configured |= NGX_DUPLEX_DOWN_CONFIG;
        }

        if (i > 1 && ngx_strcmp(value[i].data, "drain") == 0) {

            if (!(us->flags & NGX_HTTP_UPSTREAM_DOWN)) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "balancing method does not support "
                                   "parameter \"%V\"", &value[i]);
                return NGX_CONF_ERROR;
            }

            server->configured |= NGX_DUPLEX_DOWN_DRAIN;

#if !(NGX_DUPLEX_HAVE_STOCK_ROUTE)
            ngx_str_set(arg, "down");
#endif
        }
    }

    return ngx_http_duplex_upstream_delegate(cf, &cmd->name, args,
                                             us->srv_conf);
}


static ngx_int_t
ngx_http_duplex_upstream_route(ngx_conf_t *cf,
    ngx_http_duplex_upstream_server_t *server, ngx_str_t *param)
{
    ngx_str_t  route;

    route.data = param->data + 6;
    route.len = param->len - 6;

    if (server->route.len) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "duplicate parameter \"%V\"", param);
        return NGX_ERROR;
    }

    if (route.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "empty route in parameter \"%V\"", param);
        return NGX_ERROR;
    }

    if (route.len > NGX_HTTP_DUPLEX_ROUTE_MAX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "route is longer than %d: \"%V\"",
                           NGX_HTTP_DUPLEX_ROUTE_MAX, param);
        return NGX_ERROR;
    }

    server->route = route;

    return NGX_OK;
}


char *
ngx_http_duplex_upstream_delegate(ngx_conf_t *cf, ngx_str_t *name,
    ngx_array_t *args, void **srv_conf)
{
    char                 *rv;
    ngx_uint_t            i;
    ngx_array_t          *own_args;
    ngx_command_t        *cmd;
    ngx_module_t        **modules;
    ngx_http_conf_ctx_t  *own_ctx, ctx;

    modules = cf->cycle->modules;

    for (i = 0; modules[i]; i++) {

        if (modules[i]->type != NGX_HTTP_MODULE
            || modules[i] == &ngx_http_duplex_upstream_module)
        {
            continue;
        }

        for (cmd = modules[i]->commands; cmd && cmd->name.len; cmd++) {

            if (!(cmd->type & NGX_HTTP_UPS_CONF)
                || cmd->name.len != name->len
                || ngx_memcmp(cmd->name.data, name->data, name->len) != 0)
            {
                continue;
            }

            own_args = cf->args;
            own_ctx = cf->ctx;

            ctx = *own_ctx;
            ctx.srv_conf = srv_conf;

            cf->args = args;
            cf->ctx = &ctx;

            rv = cmd->set(cf, cmd, srv_conf[modules[i]->ctx_index]);

            cf->args = own_args;
            cf->ctx = own_ctx;

            return rv;
        }
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "unknown directive \"%V\"", name);

    return NGX_CONF_ERROR;
}


ngx_int_t
ngx_http_duplex_upstream_bind(ngx_conf_t *cf)
{
    ngx_uint_t                       i;
    ngx_http_upstream_srv_conf_t   **us;
    ngx_http_upstream_main_conf_t   *umcf;

    umcf = ngx_http_cycle_get_module_main_conf(cf->cycle,
                                               ngx_http_upstream_module);
    us = umcf->upstreams.elts;

    for (i = 0; i < umcf->upstreams.nelts; i++) {

        if (us[i]->srv_conf == NULL) {
            continue;
        }

        if (ngx_http_duplex_upstream_bind_group(cf, us[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/*
 * The peers are those of the "server" lines: a third party's balancer may
 * keep something of its own where stock keeps the list of peers.
 */

static ngx_int_t
ngx_http_duplex_upstream_bind_group(ngx_conf_t *cf,
    ngx_http_upstream_srv_conf_t *us)
{
    ngx_str_t                            *shm;
    ngx_uint_t                            i;
    ngx_duplex_group_t                   *group;
    ngx_duplex_server_t                   server;
    ngx_http_upstream_server_t           *stock;
    ngx_http_duplex_upstream_server_t    *own;
    ngx_http_duplex_upstream_srv_conf_t  *uscf;

    uscf = ngx_http_conf_upstream_srv_conf(us, ngx_http_duplex_upstream_module);

    shm = us->shm_zone ? &us->shm_zone->shm.name : NULL;

    group = ngx_duplex_group_add(cf, &ngx_http_duplex_driver, &us->host, shm,
                                 us);
    if (group == NULL) {
        return NGX_ERROR;
    }

    stock = us->servers->elts;
    own = uscf->servers->elts;

    for (i = 0; i < us->servers->nelts; i++) {

        server.name = stock[i].name;
        server.addrs = stock[i].addrs;
        server.naddrs = stock[i].naddrs;
        server.configured = own[i].configured;
        server.route = own[i].route;
        server.backup = stock[i].backup;

        if (ngx_duplex_server_add(cf, group, &server) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}
