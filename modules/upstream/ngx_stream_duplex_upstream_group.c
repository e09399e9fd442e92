
/*
 * Groups of stream: made of the stock "server" lines, of names, or empty.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>
#include "../core/ngx_duplex_compat.h"
#include "../core/ngx_duplex_delegate.h"
#include "ngx_duplex_slow.h"
#include "ngx_duplex_state.h"
#include "ngx_stream_duplex_driver.h"
#include "ngx_stream_duplex_drop.h"


static ngx_int_t ngx_stream_duplex_upstream_bind_group(ngx_conf_t *cf,
    ngx_stream_upstream_srv_conf_t *us);
static ngx_int_t ngx_stream_duplex_upstream_bind_names(ngx_conf_t *cf,
    ngx_stream_upstream_srv_conf_t *us,
    ngx_stream_duplex_upstream_srv_conf_t *uscf);
static char *ngx_stream_duplex_upstream_named(ngx_conf_t *cf,
    ngx_stream_duplex_upstream_srv_conf_t *uscf, ngx_array_t *args,
    ngx_duplex_name_words_t *words);
static void ngx_stream_duplex_upstream_settings(ngx_duplex_settings_t *set,
    ngx_stream_upstream_server_t *stock, ngx_msec_t slow_start);
static ngx_int_t ngx_stream_duplex_upstream_hold(ngx_conf_t *cf,
    ngx_stream_upstream_srv_conf_t *us,
    ngx_stream_duplex_upstream_srv_conf_t *uscf);
static void ngx_stream_duplex_upstream_caches(ngx_conf_t *cf,
    ngx_stream_upstream_srv_conf_t *us, ngx_duplex_group_t *group);


ngx_int_t
ngx_stream_duplex_upstream_bind(ngx_conf_t *cf)
{
    ngx_uint_t                       i;
    ngx_stream_upstream_srv_conf_t   **us;
    ngx_stream_upstream_main_conf_t   *umcf;

    umcf = ngx_stream_cycle_get_module_main_conf(cf->cycle,
                                               ngx_stream_upstream_module);
    us = umcf->upstreams.elts;

    for (i = 0; i < umcf->upstreams.nelts; i++) {

        if (us[i]->srv_conf == NULL) {
            continue;
        }

        if (ngx_stream_duplex_upstream_bind_group(cf, us[i]) != NGX_OK) {
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
ngx_stream_duplex_upstream_bind_group(ngx_conf_t *cf,
    ngx_stream_upstream_srv_conf_t *us)
{
    ngx_str_t                            *shm;
    ngx_uint_t                            i;
    ngx_msec_t                           *slow_start;
    ngx_duplex_group_t                   *group;
    ngx_duplex_server_t                   server;
    ngx_stream_upstream_server_t           *stock;
    ngx_stream_duplex_upstream_srv_conf_t  *uscf;

    uscf = ngx_stream_conf_upstream_srv_conf(us,
                                            ngx_stream_duplex_upstream_module);

    shm = us->shm_zone ? &us->shm_zone->shm.name : NULL;

    group = ngx_duplex_group_add(cf, &ngx_stream_duplex_driver, &us->host, shm,
                                 us);
    if (group == NULL) {
        return NGX_ERROR;
    }

    uscf->group = group;

    group->backups = (us->flags & NGX_STREAM_UPSTREAM_BACKUP) != 0;

    if (uscf->spare != NGX_CONF_UNSET_UINT) {
        group->spare = uscf->spare;
    }

    ngx_stream_duplex_upstream_caches(cf, us, group);

    stock = us->servers->elts;
    stock += uscf->placeholder;
    slow_start = uscf->slow_start.elts;

    for (i = 0; i < us->servers->nelts - uscf->placeholder; i++) {

        ngx_memzero(&server, sizeof(ngx_duplex_server_t));

        server.name = stock[i].name;
        server.addrs = stock[i].addrs;
        server.naddrs = stock[i].naddrs;
        server.backup = stock[i].backup;

        ngx_stream_duplex_upstream_settings(&server.set, &stock[i],
                                            slow_start[i]);

        if (ngx_duplex_server_add(cf, group, &server) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (ngx_stream_duplex_upstream_bind_names(cf, us, uscf) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_duplex_group_ready(cf, group);

    if (ngx_duplex_slow_bind(cf, group, group->backups) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_stream_duplex_drop_wrap(cf, us, group);

    return ngx_duplex_state_bind(cf, group, &uscf->state);
}


static ngx_int_t
ngx_stream_duplex_upstream_bind_names(ngx_conf_t *cf,
    ngx_stream_upstream_srv_conf_t *us,
    ngx_stream_duplex_upstream_srv_conf_t *uscf)
{
    ngx_stream_conf_ctx_t       *ctx;
    ngx_stream_core_srv_conf_t  *cscf;

    ctx = (ngx_stream_conf_ctx_t *)
              ngx_get_conf(cf->cycle->conf_ctx, ngx_stream_module);
    cscf = ctx->srv_conf[ngx_stream_core_module.ctx_index];

    if (uscf->resolver.resolver == NULL) {
        uscf->resolver.resolver = cscf->resolver;
    }

    if (uscf->resolver.timeout == NGX_CONF_UNSET_MSEC) {
        uscf->resolver.timeout = cscf->resolver_timeout;
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
ngx_stream_duplex_upstream_caches(ngx_conf_t *cf,
    ngx_stream_upstream_srv_conf_t *us, ngx_duplex_group_t *group)
{
#if !(NGX_DUPLEX_HAVE_PEER_REFS)

    typedef struct {
        ngx_stream_complex_value_t   key;
        void                      *points;
    } ngx_stream_duplex_hash_t;

    typedef struct {
        ngx_uint_t                 two;
        void                      *ranges;
    } ngx_stream_duplex_random_t;

    ngx_uint_t                 i;
    ngx_module_t             **modules;
    ngx_stream_duplex_hash_t    *hash;
    ngx_stream_duplex_random_t  *random;

    modules = cf->cycle->modules;

    for (i = 0; modules[i]; i++) {

        if (ngx_strcmp(modules[i]->name, "ngx_stream_upstream_hash_module")
            == 0)
        {
            hash = us->srv_conf[modules[i]->ctx_index];

            if (hash->points) {
                group->points = &hash->points;
            }
        }

        if (ngx_strcmp(modules[i]->name, "ngx_stream_upstream_random_module")
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


/* all but "slow_start" and names that are asked for is stock's */

char *
ngx_stream_duplex_upstream_server(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_stream_duplex_upstream_srv_conf_t  *uscf = conf;

    ngx_int_t                        rc;
    ngx_str_t                       *value, *arg;
    ngx_uint_t                       i;
    ngx_msec_t                      *slow_start;
    ngx_array_t                     *args;
    ngx_duplex_name_words_t          words;
    ngx_stream_upstream_srv_conf_t  *us;

    us = ngx_stream_conf_get_module_srv_conf(cf, ngx_stream_upstream_module);

    if (uscf->state.len && cmd) {
        return "cannot be used together with \"state\"";
    }

    if (uscf->slow_start.elts == NULL
        && ngx_array_init(&uscf->slow_start, cf->pool, 4, sizeof(ngx_msec_t))
           != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    slow_start = ngx_array_push(&uscf->slow_start);
    args = ngx_array_create(cf->pool, cf->args->nelts, sizeof(ngx_str_t));

    if (slow_start == NULL || args == NULL) {
        return NGX_CONF_ERROR;
    }

    *slow_start = 0;
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

        if (i > 1 && ngx_strncmp(value[i].data, "slow_start=", 11) == 0) {

            if (ngx_duplex_slow_parse(cf, &value[i],
                                      us->flags & NGX_STREAM_UPSTREAM_BACKUP,
                                      slow_start)
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
    }

    if (words.resolve || words.service.data) {
        return ngx_stream_duplex_upstream_named(cf, uscf, args, &words);
    }

    return ngx_duplex_delegate(cf, &ngx_stream_duplex_upstream_module, args);
}


/*
 * Stock reads the parameters of a line whose name is asked for at run time,
 * with another address in the name's place, and then forgets the line.
 */

static char *
ngx_stream_duplex_upstream_named(ngx_conf_t *cf,
    ngx_stream_duplex_upstream_srv_conf_t *uscf, ngx_array_t *args,
    ngx_duplex_name_words_t *words)
{
    char                            *rv;
    ngx_int_t                        rc;
    ngx_str_t                       *arg;
    ngx_msec_t                      *slow_start;
    ngx_duplex_name_t               *name;
    ngx_stream_upstream_server_t    *stock;
    ngx_stream_upstream_srv_conf_t  *us;

    us = ngx_stream_conf_get_module_srv_conf(cf, ngx_stream_upstream_module);
    arg = args->elts;

    rc = ngx_duplex_name_add(cf, &uscf->names, &arg[1], 0, words, &name);

    if (rc == NGX_ERROR) {
        return NGX_CONF_ERROR;
    }

    if (rc == NGX_OK) {
        ngx_str_set(&arg[1], "127.0.0.1:1");
    }

    rv = ngx_duplex_delegate(cf, &ngx_stream_duplex_upstream_module, args);

    if (rv != NGX_CONF_OK || rc != NGX_OK) {
        return rv;
    }

    stock = us->servers->elts;
    stock += --us->servers->nelts;

    slow_start = uscf->slow_start.elts;
    slow_start += --uscf->slow_start.nelts;

    ngx_stream_duplex_upstream_settings(&name->set, stock, *slow_start);

    name->backup = stock->backup;

    return ngx_stream_duplex_upstream_hold(cf, us, uscf) == NGX_OK
           ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static void
ngx_stream_duplex_upstream_settings(ngx_duplex_settings_t *set,
    ngx_stream_upstream_server_t *stock, ngx_msec_t slow_start)
{
    ngx_memzero(set, sizeof(ngx_duplex_settings_t));

    set->state = stock->down ? ngx_duplex_admin_down : ngx_duplex_admin_up;
    set->weight = stock->weight;
    set->max_conns = stock->max_conns;
    set->max_fails = stock->max_fails;
    set->fail_timeout = stock->fail_timeout;
    set->slow_start = slow_start;
}


/* where names are asked for in this group */

char *
ngx_stream_duplex_upstream_resolver(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_stream_duplex_upstream_srv_conf_t  *uscf = conf;

    return ngx_duplex_name_resolver(cf, &uscf->resolver);
}


/*
 * Stock refuses an upstream{} without servers, and its balancers need a first
 * peer: one that is down stands there while there is none.
 */

char *
ngx_stream_duplex_upstream_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_stream_duplex_upstream_srv_conf_t  *uscf = conf;

    char                            *rv;
    ngx_stream_upstream_srv_conf_t  *us;

    us = ngx_stream_conf_get_module_srv_conf(cf, ngx_stream_upstream_module);

    rv = ngx_duplex_delegate(cf, &ngx_stream_duplex_upstream_module, cf->args);

    if (rv != NGX_CONF_OK || us->servers->nelts) {
        return rv;
    }

    return ngx_stream_duplex_upstream_hold(cf, us, uscf) == NGX_OK
           ? NGX_CONF_OK : NGX_CONF_ERROR;
}


/* the first, unless there is a primary */

static ngx_int_t
ngx_stream_duplex_upstream_hold(ngx_conf_t *cf,
    ngx_stream_upstream_srv_conf_t *us,
    ngx_stream_duplex_upstream_srv_conf_t *uscf)
{
    ngx_uint_t                     i;
    ngx_addr_t                    *addr;
    ngx_stream_upstream_server_t  *server;

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
                (us->servers->nelts - 1)
                * sizeof(ngx_stream_upstream_server_t));
    ngx_memzero(server, sizeof(ngx_stream_upstream_server_t));

    server->name = addr->name;
    server->addrs = addr;
    server->naddrs = 1;
    server->weight = 1;
    server->down = 1;

    uscf->placeholder = 1;

    return NGX_OK;
}


void
ngx_stream_duplex_upstream_unhold(ngx_stream_upstream_srv_conf_t *us,
    ngx_stream_duplex_upstream_srv_conf_t *uscf)
{
    ngx_uint_t                    i;
    ngx_stream_upstream_server_t  *servers;

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
                us->servers->nelts * sizeof(ngx_stream_upstream_server_t));

    uscf->placeholder = 0;
}


/* its lines are read as if they stood here */

char *
ngx_stream_duplex_upstream_state(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_stream_duplex_upstream_srv_conf_t  *uscf = conf;

    ngx_stream_upstream_srv_conf_t  *us;

    us = ngx_stream_conf_get_module_srv_conf(cf, ngx_stream_upstream_module);

    if ((us->servers->nelts > uscf->placeholder || uscf->names)
        && uscf->state.len == 0)
    {
        return "cannot be used together with \"server\"";
    }

    return ngx_duplex_state_set(cf, &uscf->state,
                                ngx_stream_duplex_upstream_server, uscf);
}
