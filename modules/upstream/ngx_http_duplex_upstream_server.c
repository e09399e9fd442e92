
/*
 * "server" in upstream{}: what it says beyond stock; and the directives that
 * stand for such lines, or for none.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "../core/ngx_duplex_compat.h"
#include "../core/ngx_duplex_delegate.h"
#include "ngx_duplex_slow.h"
#include "ngx_duplex_state.h"
#include "ngx_http_duplex_driver.h"
#include "ngx_http_duplex_upstream_conf.h"


static ngx_int_t ngx_http_duplex_upstream_route(ngx_conf_t *cf,
    ngx_http_duplex_upstream_server_t *server, ngx_str_t *param);
static char *ngx_http_duplex_upstream_named(ngx_conf_t *cf,
    ngx_http_duplex_upstream_srv_conf_t *uscf, ngx_array_t *args,
    ngx_duplex_name_words_t *words);
static ngx_int_t ngx_http_duplex_upstream_hold(ngx_conf_t *cf,
    ngx_http_upstream_srv_conf_t *us,
    ngx_http_duplex_upstream_srv_conf_t *uscf);


char *
ngx_http_duplex_upstream_server(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_duplex_upstream_srv_conf_t  *uscf = conf;

    ngx_int_t                           rc;
    ngx_str_t                          *value, *arg;
    ngx_uint_t                          i;
    ngx_array_t                        *args;
    ngx_duplex_name_words_t             words;
    ngx_http_upstream_srv_conf_t       *us;
    ngx_http_duplex_upstream_server_t  *server;

    us = ngx_http_conf_get_module_srv_conf(cf, ngx_http_upstream_module);

    if (uscf->state.len && cmd) {
        return "cannot be used together with \"state\"";
    }

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

    server->state = ngx_duplex_admin_up;

    args = ngx_array_create(cf->pool, cf->args->nelts, sizeof(ngx_str_t));
    if (args == NULL) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;
    ngx_memzero(&words, sizeof(ngx_duplex_name_words_t));

    for (i = 0; i < cf->args->nelts; i++) {

        /* the first two are the directive's name and the address */

        rc = (i > 1) ? ngx_duplex_name_param(cf, &value[i], &words)
                     : NGX_DECLINED;

        if (rc == NGX_ERROR) {
            return NGX_CONF_ERROR;
        }

        if (rc == NGX_OK) {
            continue;
        }

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

        if (i > 1 && ngx_strncmp(value[i].data, "slow_start=", 11) == 0) {

            if (ngx_duplex_slow_parse(cf, &value[i],
                                      us->flags & NGX_HTTP_UPSTREAM_BACKUP,
                                      &server->slow_start)
                != NGX_OK)
            {
                return NGX_CONF_ERROR;
            }

            continue;
        }

        arg = ngx_array_push(args);
        if (arg == NULL) {
            return NGX_CONF_ERROR;
        }

        *arg = value[i];

        if (i > 1 && ngx_strcmp(value[i].data, "down") == 0) {
            server->state = ngx_duplex_admin_down;
        }

        if (i > 1 && ngx_strcmp(value[i].data, "drain") == 0) {

            if (!(us->flags & NGX_HTTP_UPSTREAM_DOWN)) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "balancing method does not support "
                                   "parameter \"%V\"", &value[i]);
                return NGX_CONF_ERROR;
            }

            if (server->state == ngx_duplex_admin_up) {
                server->state = ngx_duplex_admin_drain;
            }

#if !(NGX_DUPLEX_HAVE_STOCK_ROUTE)
            ngx_str_set(arg, "down");
#endif
        }
    }

    if (words.resolve || words.service.data) {
        return ngx_http_duplex_upstream_named(cf, uscf, args, &words);
    }

    return ngx_duplex_delegate(cf, &ngx_http_duplex_upstream_module, args);
}


/*
 * Stock reads the parameters of a line whose name is asked for at run time,
 * with another address in the name's place, and then forgets the line.
 */

static char *
ngx_http_duplex_upstream_named(ngx_conf_t *cf,
    ngx_http_duplex_upstream_srv_conf_t *uscf, ngx_array_t *args,
    ngx_duplex_name_words_t *words)
{
    char                               *rv;
    ngx_int_t                           rc;
    ngx_str_t                          *arg;
    ngx_duplex_name_t                  *name;
    ngx_http_upstream_server_t         *stock;
    ngx_http_upstream_srv_conf_t       *us;
    ngx_http_duplex_upstream_server_t  *server;

    us = ngx_http_conf_get_module_srv_conf(cf, ngx_http_upstream_module);
    arg = args->elts;

    rc = ngx_duplex_name_add(cf, &uscf->names, &arg[1], 80, words, &name);

    if (rc == NGX_ERROR) {
        return NGX_CONF_ERROR;
    }

    if (rc == NGX_OK) {
        ngx_str_set(&arg[1], "127.0.0.1:1");
    }

    rv = ngx_duplex_delegate(cf, &ngx_http_duplex_upstream_module, args);

    if (rv != NGX_CONF_OK || rc != NGX_OK) {
        return rv;
    }

    stock = us->servers->elts;
    stock += --us->servers->nelts;

    server = uscf->servers->elts;
    server += --uscf->servers->nelts;

    ngx_http_duplex_upstream_settings(&name->set, stock, server);

    name->backup = stock->backup;

    return ngx_http_duplex_upstream_hold(cf, us, uscf) == NGX_OK
           ? NGX_CONF_OK : NGX_CONF_ERROR;
}


void
ngx_http_duplex_upstream_settings(ngx_duplex_settings_t *set,
    ngx_http_upstream_server_t *stock,
    ngx_http_duplex_upstream_server_t *server)
{
    ngx_memzero(set, sizeof(ngx_duplex_settings_t));

    set->state = server->state;
    set->weight = stock->weight;
    set->max_conns = stock->max_conns;
    set->max_fails = stock->max_fails;
    set->fail_timeout = stock->fail_timeout;
    set->slow_start = server->slow_start;
    set->route_len = server->route.len;

    if (server->route.len) {
        ngx_memcpy(set->route, server->route.data, server->route.len);
    }
}


/* where names are asked for in this group */

char *
ngx_http_duplex_upstream_resolver(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_duplex_upstream_srv_conf_t  *uscf = conf;

    return ngx_duplex_name_resolver(cf, &uscf->resolver);
}


/* its lines are read as if they stood here */

char *
ngx_http_duplex_upstream_state(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_duplex_upstream_srv_conf_t  *uscf = conf;

    if ((uscf->servers || uscf->names) && uscf->state.len == 0) {
        return "cannot be used together with \"server\"";
    }

    return ngx_duplex_state_set(cf, &uscf->state,
                                ngx_http_duplex_upstream_server, uscf);
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

    if (route.len > NGX_DUPLEX_ROUTE_MAX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "route is longer than %d: \"%V\"",
                           NGX_DUPLEX_ROUTE_MAX, param);
        return NGX_ERROR;
    }

    server->route = route;

    return NGX_OK;
}


/*
 * Stock refuses an upstream{} without servers, and its balancers need a first
 * peer: one that is down stands there while there is none.
 */

char *
ngx_http_duplex_upstream_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_duplex_upstream_srv_conf_t  *uscf = conf;

    char                          *rv;
    ngx_http_upstream_srv_conf_t  *us;

    us = ngx_http_conf_get_module_srv_conf(cf, ngx_http_upstream_module);

    rv = ngx_duplex_delegate(cf, &ngx_http_duplex_upstream_module, cf->args);

    if (rv != NGX_CONF_OK || us->servers->nelts) {
        return rv;
    }

    return ngx_http_duplex_upstream_hold(cf, us, uscf) == NGX_OK
           ? NGX_CONF_OK : NGX_CONF_ERROR;
}


/* the first, unless there is a primary */

static ngx_int_t
ngx_http_duplex_upstream_hold(ngx_conf_t *cf, ngx_http_upstream_srv_conf_t *us,
    ngx_http_duplex_upstream_srv_conf_t *uscf)
{
    ngx_uint_t                   i;
    ngx_addr_t                  *addr;
    ngx_http_upstream_server_t  *server;

    if (uscf->placeholder) {
        return NGX_OK;
    }

    server = us->servers->elts;

    for (i = 0; i < us->servers->nelts; i++) {
        if (!server[i].backup) {
            return NGX_OK;
        }
    }

    addr = ngx_duplex_placeholder(cf);
    if (addr == NULL) {
        return NGX_ERROR;
    }

    if (ngx_array_push(us->servers) == NULL) {
        return NGX_ERROR;
    }

    server = us->servers->elts;

    ngx_memmove(server + 1, server,
                (us->servers->nelts - 1) * sizeof(ngx_http_upstream_server_t));
    ngx_memzero(server, sizeof(ngx_http_upstream_server_t));

    server->name = addr->name;
    server->addrs = addr;
    server->naddrs = 1;
    server->weight = 1;
    server->down = 1;

    uscf->placeholder = 1;

    return NGX_OK;
}


void
ngx_http_duplex_upstream_unhold(ngx_http_upstream_srv_conf_t *us,
    ngx_http_duplex_upstream_srv_conf_t *uscf)
{
    ngx_uint_t                  i;
    ngx_http_upstream_server_t  *servers;

    servers = us->servers->elts;

    for (i = uscf->placeholder; i < us->servers->nelts; i++) {
        if (!servers[i].backup) {
            break;
        }
    }

    if (!uscf->placeholder || i == us->servers->nelts) {
        return;
    }

    us->servers->nelts--;

    ngx_memmove(servers, servers + 1,
                us->servers->nelts * sizeof(ngx_http_upstream_server_t));

    uscf->placeholder = 0;
}
