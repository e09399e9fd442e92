
/*
 * Groups of http: made of the stock "server" lines, of names, or empty.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "../core/ngx_duplex_compat.h"
#include "ngx_duplex_slow.h"
#include "ngx_duplex_state.h"
#include "ngx_http_duplex_driver.h"
#include "ngx_http_duplex_upstream_conf.h"


static ngx_int_t ngx_http_duplex_upstream_bind_group(ngx_conf_t *cf,
    ngx_http_upstream_srv_conf_t *us);
static ngx_int_t ngx_http_duplex_upstream_bind_names(ngx_conf_t *cf,
    ngx_http_upstream_srv_conf_t *us,
    ngx_http_duplex_upstream_srv_conf_t *uscf);
static void ngx_http_duplex_upstream_caches(ngx_conf_t *cf,
    ngx_http_upstream_srv_conf_t *us, ngx_duplex_group_t *group);


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

    uscf->group = group;

    group->backups = (us->flags & NGX_HTTP_UPSTREAM_BACKUP) != 0;
    group->slow = group->backups;

    if (uscf->spare != NGX_CONF_UNSET_UINT) {
        group->spare = uscf->spare;
    }

    ngx_http_duplex_upstream_caches(cf, us, group);

    stock = us->servers->elts;
    stock += uscf->placeholder;
    own = uscf->servers ? uscf->servers->elts : NULL;

    for (i = 0; i < us->servers->nelts - uscf->placeholder; i++) {

        ngx_memzero(&server, sizeof(ngx_duplex_server_t));

        server.name = stock[i].name;
        server.addrs = stock[i].addrs;
        server.naddrs = stock[i].naddrs;
        server.backup = stock[i].backup;

        ngx_http_duplex_upstream_settings(&server.set, &stock[i], &own[i]);

        if (ngx_duplex_server_add(cf, group, &server) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (ngx_http_duplex_upstream_bind_names(cf, us, uscf) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_duplex_group_ready(cf, group);

    if (ngx_duplex_slow_bind(cf, group, group->backups) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_duplex_state_bind(cf, group, &uscf->state);
}


static ngx_int_t
ngx_http_duplex_upstream_bind_names(ngx_conf_t *cf,
    ngx_http_upstream_srv_conf_t *us,
    ngx_http_duplex_upstream_srv_conf_t *uscf)
{
    ngx_http_conf_ctx_t       *ctx;
    ngx_http_core_loc_conf_t  *clcf;

    ctx = (ngx_http_conf_ctx_t *)
              ngx_get_conf(cf->cycle->conf_ctx, ngx_http_module);
    clcf = ctx->loc_conf[ngx_http_core_module.ctx_index];

    if (uscf->resolver.resolver == NULL) {
        uscf->resolver.resolver = clcf->resolver;
    }

    if (uscf->resolver.timeout == NGX_CONF_UNSET_MSEC) {
        uscf->resolver.timeout = clcf->resolver_timeout;
    }

    return ngx_duplex_name_bind(cf, uscf->group, uscf->names, &uscf->resolver,
                                us->file_name, us->line);
}


/*
 * Where stock does not expect members to change, two balancers compute once
 * what we must compute again: their first members are known for all of these
 * versions.
 */

static void
ngx_http_duplex_upstream_caches(ngx_conf_t *cf,
    ngx_http_upstream_srv_conf_t *us, ngx_duplex_group_t *group)
{
#if !(NGX_DUPLEX_HAVE_PEER_REFS)

    typedef struct {
        ngx_http_complex_value_t   key;
        void                      *points;
    } ngx_http_duplex_hash_t;

    typedef struct {
        ngx_uint_t                 two;
        void                      *ranges;
    } ngx_http_duplex_random_t;

    ngx_uint_t                 i;
    ngx_module_t             **modules;
    ngx_http_duplex_hash_t    *hash;
    ngx_http_duplex_random_t  *random;

    modules = cf->cycle->modules;

    for (i = 0; modules[i]; i++) {

        if (ngx_strcmp(modules[i]->name, "ngx_http_upstream_hash_module")
            == 0)
        {
            hash = us->srv_conf[modules[i]->ctx_index];

            if (hash->points) {
                group->points = &hash->points;
            }
        }

        if (ngx_strcmp(modules[i]->name, "ngx_http_upstream_random_module")
            == 0)
        {
            random = us->srv_conf[modules[i]->ctx_index];
            group->ranges = &random->ranges;
        }
    }

    /* the others know backups, and have no use for ranges */

    if (group->backups || group->points) {
        group->ranges = NULL;
    }

#endif
}
