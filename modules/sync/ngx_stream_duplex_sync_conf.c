
/*
 * The directives of synchronisation that have a value to check; every value
 * that is refused is quoted.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>
#include "ngx_duplex_nodes.h"
#include "ngx_duplex_witness.h"
#include "ngx_stream_duplex_sync_conf.h"


/* of a witness that has none: it will refuse, and has answered */
#define NGX_STREAM_DUPLEX_SYNC_WITNESS_PORT  9


static char *ngx_stream_duplex_sync_set_resolve(ngx_conf_t *cf,
    ngx_stream_duplex_sync_srv_conf_t *sscf, ngx_url_t *u);
static ngx_int_t ngx_stream_duplex_sync_add(ngx_conf_t *cf,
    ngx_stream_duplex_sync_srv_conf_t *sscf, ngx_addr_t *addr,
    ngx_str_t *host);


char *
ngx_stream_duplex_sync_server(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_stream_duplex_sync_srv_conf_t  *sscf = conf;

    ngx_url_t    u;
    ngx_str_t   *value;
    ngx_uint_t   i, resolve;

    value = cf->args->elts;

    resolve = 0;

    if (cf->args->nelts == 3) {

        if (ngx_strcmp(value[2].data, "resolve") != 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\"", &value[2]);
            return NGX_CONF_ERROR;
        }

        resolve = 1;
    }

    ngx_memzero(&u, sizeof(ngx_url_t));

    u.url = value[1];
    u.no_resolve = resolve;

    if (ngx_parse_url(cf->pool, &u) != NGX_OK) {

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "%s in node address \"%V\"",
                           u.err ? u.err : "error", &u.url);
        return NGX_CONF_ERROR;
    }

    if (u.no_port && u.family != AF_UNIX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "no port in node address \"%V\"", &u.url);
        return NGX_CONF_ERROR;
    }

    if (sscf->resolve || (resolve && sscf->listed)) {
        return "with \"resolve\" must be the only one";
    }

    if (resolve && u.naddrs == 0) {
        return ngx_stream_duplex_sync_set_resolve(cf, sscf, &u);
    }

    for (i = 0; i < u.naddrs; i++) {
        if (ngx_stream_duplex_sync_add(cf, sscf, &u.addrs[i], &u.host)
            != NGX_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_stream_duplex_sync_set_resolve(ngx_conf_t *cf,
    ngx_stream_duplex_sync_srv_conf_t *sscf, ngx_url_t *u)
{
    sscf->resolve = ngx_pcalloc(cf->pool, sizeof(ngx_duplex_resolve_t));
    if (sscf->resolve == NULL) {
        return NGX_CONF_ERROR;
    }

    sscf->resolve->host = u->host;
    sscf->resolve->port = u->port;

    return NGX_CONF_OK;
}


ngx_int_t
ngx_stream_duplex_sync_resolver(ngx_conf_t *cf,
    ngx_stream_core_srv_conf_t *cscf, ngx_duplex_resolve_t *resolve)
{
    if (cscf->resolver == NULL || cscf->resolver->connections.nelts == 0) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "no resolver defined to resolve names at run time "
                      "for \"zone_sync_server\" \"%V\" in %s:%ui",
                      &resolve->host, cscf->file_name, cscf->line);
        return NGX_ERROR;
    }

    resolve->resolver = cscf->resolver;
    resolve->timeout = cscf->resolver_timeout;

    return NGX_OK;
}


static ngx_int_t
ngx_stream_duplex_sync_add(ngx_conf_t *cf,
    ngx_stream_duplex_sync_srv_conf_t *sscf, ngx_addr_t *addr,
    ngx_str_t *host)
{
    ngx_uint_t            i;
    ngx_duplex_listed_t  *listed;

    if (sscf->listed == NULL) {
        sscf->listed = ngx_array_create(cf->pool, 4,
                                        sizeof(ngx_duplex_listed_t));
        if (sscf->listed == NULL) {
            return NGX_ERROR;
        }
    }

    listed = sscf->listed->elts;

    for (i = 0; i < sscf->listed->nelts; i++) {
        if (ngx_cmp_sockaddr(addr->sockaddr, addr->socklen,
                             listed[i].addr.sockaddr, listed[i].addr.socklen,
                             1)
            == NGX_OK)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "duplicate node address \"%V\"", &addr->name);
            return NGX_ERROR;
        }
    }

    if (sscf->listed->nelts == NGX_DUPLEX_NODES_MAX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "node address \"%V\" is one too many: "
                           "at most %d are allowed", &addr->name,
                           NGX_DUPLEX_NODES_MAX);
        return NGX_ERROR;
    }

    listed = ngx_array_push(sscf->listed);
    if (listed == NULL) {
        return NGX_ERROR;
    }

    listed->addr = *addr;
    listed->host = *host;

    return NGX_OK;
}


char *
ngx_stream_duplex_sync_witness(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_stream_duplex_sync_srv_conf_t  *sscf = conf;

    ngx_url_t    u;
    ngx_str_t   *value;
    ngx_uint_t   i;
    ngx_addr_t  *addr;

    if (sscf->witnesses != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    sscf->witnesses = ngx_array_create(cf->pool, 4, sizeof(ngx_addr_t));
    if (sscf->witnesses == NULL) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        ngx_memzero(&u, sizeof(ngx_url_t));

        u.url = value[i];
        u.default_port = NGX_STREAM_DUPLEX_SYNC_WITNESS_PORT;

        if (ngx_parse_url(cf->pool, &u) != NGX_OK) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "%s in witness address \"%V\"",
                               u.err ? u.err : "error", &u.url);
            return NGX_CONF_ERROR;
        }

        if (i > NGX_DUPLEX_WITNESSES_MAX) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "witness address \"%V\" is one too many: "
                               "at most %d are allowed", &u.url,
                               NGX_DUPLEX_WITNESSES_MAX);
            return NGX_CONF_ERROR;
        }

        addr = ngx_array_push(sscf->witnesses);
        if (addr == NULL) {
            return NGX_CONF_ERROR;
        }

        *addr = u.addrs[0];
    }

    return NGX_CONF_OK;
}


/* as ngx_conf_set_msec_slot(), but quotes the value it refuses */

char *
ngx_stream_duplex_sync_msec(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char  *p = conf;

    ngx_int_t    msec;
    ngx_str_t   *value;
    ngx_msec_t  *field;

    field = (ngx_msec_t *) (p + cmd->offset);

    if (*field != NGX_CONF_UNSET_MSEC) {
        return "is duplicate";
    }

    value = cf->args->elts;

    msec = ngx_parse_time(&value[1], 0);

    if (msec == NGX_ERROR || msec == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\" of \"%V\": must be a time of "
                           "1ms or more", &value[1], &cmd->name);
        return NGX_CONF_ERROR;
    }

    *field = (ngx_msec_t) msec;

    return NGX_CONF_OK;
}


char *
ngx_stream_duplex_sync_buffers(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_stream_duplex_sync_srv_conf_t  *sscf = conf;

    ssize_t     size;
    ngx_int_t   n;
    ngx_str_t  *value;

    if (sscf->buffers.num) {
        return "is duplicate";
    }

    value = cf->args->elts;

    n = ngx_atoi(value[1].data, value[1].len);
    size = ngx_parse_size(&value[2]);

    if (n == NGX_ERROR || n == 0 || n > 65536
        || size == NGX_ERROR || size == 0 || size > 1024 * 1024)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\" \"%V\" of \"%V\": must be "
                           "1 to 65536 buffers of 1 to 1m",
                           &value[1], &value[2], &cmd->name);
        return NGX_CONF_ERROR;
    }

    sscf->buffers.num = n;
    sscf->buffers.size = size;

    return NGX_CONF_OK;
}


char *
ngx_stream_duplex_sync_size(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_stream_duplex_sync_srv_conf_t  *sscf = conf;

    ssize_t     size;
    ngx_str_t  *value;

    if (sscf->recv_buffer_size != NGX_CONF_UNSET_SIZE) {
        return "is duplicate";
    }

    value = cf->args->elts;

    size = ngx_parse_size(&value[1]);

    if (size == NGX_ERROR || size == 0 || size > 64 * 1024 * 1024) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid size \"%V\" of \"%V\": must be 1 to 64m",
                           &value[1], &cmd->name);
        return NGX_CONF_ERROR;
    }

    sscf->recv_buffer_size = size;

    return NGX_CONF_OK;
}
