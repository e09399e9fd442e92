
/*
 * Lines with "resolve": what the file says; see the header.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_delegate.h"
#include "ngx_duplex_group.h"
#include "ngx_duplex_name.h"
#include "ngx_duplex_resolve.h"


#define NGX_DUPLEX_NAME_TIMEOUT  30000     /* ms, as "resolver_timeout" */


static ngx_int_t ngx_duplex_name_check(ngx_conf_t *cf, ngx_url_t *u,
    ngx_duplex_name_words_t *words, in_port_t port);


ngx_int_t
ngx_duplex_name_register(ngx_conf_t *cf)
{
    if (ngx_duplex_register_kind(cf, &ngx_duplex_name_kind) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_duplex_register_feature(cf, &ngx_duplex_resolve_feature);
}


ngx_int_t
ngx_duplex_name_param(ngx_conf_t *cf, ngx_str_t *param,
    ngx_duplex_name_words_t *words)
{
    if (ngx_strcmp(param->data, "resolve") == 0) {
        words->resolve = 1;
        return NGX_OK;
    }

    if (ngx_strncmp(param->data, "service=", 8) != 0) {
        return NGX_DECLINED;
    }

    words->service.data = param->data + 8;
    words->service.len = param->len - 8;

    if (words->service.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "service is empty in parameter \"%V\"", param);
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_int_t
ngx_duplex_name_add(ngx_conf_t *cf, ngx_array_t **names, ngx_str_t *written,
    in_port_t port, ngx_duplex_name_words_t *words, ngx_duplex_name_t **name)
{
    u_char             *p;
    ngx_url_t           u;
    ngx_int_t           rc;
    ngx_duplex_name_t  *new, **slot;

    ngx_memzero(&u, sizeof(ngx_url_t));

    u.url = *written;
    u.default_port = port;
    u.no_resolve = 1;

    if (ngx_parse_url(cf->pool, &u) != NGX_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%s in upstream \"%V\"",
                           u.err ? u.err : "no memory", written);
        return NGX_ERROR;
    }

    rc = ngx_duplex_name_check(cf, &u, words, port);

    if (rc != NGX_OK) {
        return rc;
    }

    if (*names == NULL) {
        *names = ngx_array_create(cf->pool, 2, sizeof(ngx_duplex_name_t *));
        if (*names == NULL) {
            return NGX_ERROR;
        }
    }

    new = ngx_pcalloc(cf->pool, sizeof(ngx_duplex_name_t));
    slot = ngx_array_push(*names);

    if (new == NULL || slot == NULL) {
        return NGX_ERROR;
    }

    *slot = new;
    *name = new;

    new->written = *written;
    new->server = *written;

    /* the resolver writes it in small letters where it stands */

    new->host.data = ngx_pnalloc(cf->pool, u.host.len);
    if (new->host.data == NULL) {
        return NGX_ERROR;
    }

    new->host.len = u.host.len;
    ngx_strlow(new->host.data, u.host.data, u.host.len);

    new->port = words->service.len ? 0 : u.port;
    new->service = words->service;

    if (new->service.len == 0) {
        return NGX_OK;
    }

    p = ngx_pnalloc(cf->pool, written->len + sizeof(" service=") - 1
                              + new->service.len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    new->server.data = p;
    new->server.len = ngx_sprintf(p, "%V service=%V", written, &new->service)
                      - p;

    return NGX_OK;
}


static ngx_int_t
ngx_duplex_name_check(ngx_conf_t *cf, ngx_url_t *u,
    ngx_duplex_name_words_t *words, in_port_t port)
{
    if (words->service.data && !words->resolve) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "service upstream \"%V\" requires \"resolve\" "
                           "parameter", &u->url);
        return NGX_ERROR;
    }

    if (words->service.data && !u->no_port) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "service upstream \"%V\" may not have port",
                           &u->url);
        return NGX_ERROR;
    }

    if (words->service.data && u->naddrs) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "service upstream \"%V\" requires domain name",
                           &u->url);
        return NGX_ERROR;
    }

    if (u->naddrs) {
        return NGX_DECLINED;
    }

    if (words->service.data == NULL && u->no_port && port == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "no port in upstream \"%V\"", &u->url);
        return NGX_ERROR;
    }

    return NGX_OK;
}


char *
ngx_duplex_name_resolver(ngx_conf_t *cf, ngx_duplex_resolver_conf_t *conf)
{
    ngx_str_t    *value;
    ngx_array_t  *args;

    if (conf->resolver) {
        return "is duplicate";
    }

    args = ngx_duplex_delegate_without(cf, 1, "status_zone=",
                                       "its questions are not counted");
    if (args == NULL) {
        return NGX_CONF_ERROR;
    }

    value = args->elts;

    conf->resolver = ngx_resolver_create(cf, &value[1], args->nelts - 1);

    return conf->resolver ? NGX_CONF_OK : NGX_CONF_ERROR;
}


char *
ngx_duplex_name_timeout(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t   *value;
    ngx_msec_t  *timeout;

    timeout = (ngx_msec_t *) ((u_char *) conf + cmd->offset);

    if (*timeout != NGX_CONF_UNSET_MSEC) {
        return "is duplicate";
    }

    value = cf->args->elts;

    *timeout = ngx_parse_time(&value[1], 0);

    if (*timeout == (ngx_msec_t) NGX_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\" in \"%V\" directive",
                           &value[1], &cmd->name);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


ngx_int_t
ngx_duplex_name_bind(ngx_conf_t *cf, ngx_duplex_group_t *group,
    ngx_array_t *names, ngx_duplex_resolver_conf_t *conf, u_char *file,
    ngx_uint_t line)
{
    ngx_uint_t           i, n;
    ngx_duplex_name_t  **name;

    if (names == NULL) {
        return NGX_OK;
    }

    if (group->shm.len == 0) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "resolving names at run time requires upstream \"%V\" "
                      "in %s:%ui to be in shared memory",
                      &group->name, file, line);
        return NGX_ERROR;
    }

    if (conf->resolver == NULL || conf->resolver->connections.nelts == 0) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "no resolver defined to resolve names at run time in "
                      "upstream \"%V\" in %s:%ui", &group->name, file, line);
        return NGX_ERROR;
    }

    name = names->elts;

    for (i = 0; i < names->nelts; i++) {

        if (name[i]->server.len > NGX_DUPLEX_SERVER_MAX) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "server \"%V\" in upstream \"%V\" is too long",
                          &name[i]->written, &group->name);
            return NGX_ERROR;
        }

        for (n = 0; n < i; n++) {

            if (name[n]->server.len == name[i]->server.len
                && ngx_memcmp(name[n]->server.data, name[i]->server.data,
                              name[i]->server.len)
                   == 0)
            {
                ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                              "duplicate server \"%V\" with \"resolve\" in "
                              "upstream \"%V\" in %s:%ui",
                              &name[i]->written, &group->name, file, line);
                return NGX_ERROR;
            }
        }

        name[i]->group = group;
        name[i]->digest = ngx_duplex_line_digest(name[i]->backup,
                                                 &name[i]->set);
    }

    group->names = names;
    group->resolver = conf->resolver;
    group->resolver_timeout = (conf->timeout == NGX_CONF_UNSET_MSEC)
                              ? NGX_DUPLEX_NAME_TIMEOUT : conf->timeout;

    return NGX_OK;
}


ngx_duplex_name_t *
ngx_duplex_name(ngx_duplex_group_t *group, ngx_uint_t i)
{
    ngx_duplex_name_t  **name;

    if (group->names == NULL || i >= group->names->nelts) {
        return NULL;
    }

    name = group->names->elts;

    return name[i];
}


ngx_duplex_name_t *
ngx_duplex_name_find(ngx_duplex_group_t *group, ngx_str_t *server)
{
    ngx_uint_t          i;
    ngx_duplex_name_t  *name;

    for (i = 0; (name = ngx_duplex_name(group, i)) != NULL; i++) {

        if (name->server.len == server->len
            && ngx_memcmp(name->server.data, server->data, server->len) == 0)
        {
            return name;
        }
    }

    return NULL;
}


ngx_duplex_name_t *
ngx_duplex_name_of(ngx_duplex_peer_t *peer)
{
    return peer->life ? NULL : ngx_duplex_name_find(peer->group,
                                                    &peer->server);
}
