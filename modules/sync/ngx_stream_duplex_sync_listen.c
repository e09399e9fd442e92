
/*
 * Where the server of zone_sync listens, and whether whoever comes there has
 * to say who he is.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>
#include "../core/ngx_duplex_compat.h"
#include "ngx_duplex_admission.h"
#include "ngx_stream_duplex_sync_conf.h"


static ngx_int_t ngx_stream_duplex_sync_check_addr(ngx_conf_t *cf,
    ngx_listening_t *ls, struct sockaddr *sa, ngx_stream_addr_conf_t *addr,
    ngx_stream_core_srv_conf_t *cscf,
    ngx_stream_duplex_sync_srv_conf_t *conf);
static ngx_uint_t ngx_stream_duplex_sync_is_verified(
    ngx_stream_addr_conf_t *addr, ngx_stream_core_srv_conf_t *cscf);


#if (NGX_DUPLEX_HAVE_STREAM_SERVER_NAMES)
#define ngx_stream_duplex_sync_is_server(addr, cscf)                          \
    ((addr)->default_server == (cscf))
#else
#define ngx_stream_duplex_sync_is_server(addr, cscf)                          \
    ((addr)->ctx == (cscf)->ctx)
#endif


ngx_int_t
ngx_stream_duplex_sync_check_listen(ngx_conf_t *cf,
    ngx_stream_core_srv_conf_t *cscf,
    ngx_stream_duplex_sync_srv_conf_t *conf)
{
    ngx_uint_t              i, k;
    ngx_listening_t        *ls;
    struct sockaddr_in      sin;
    ngx_stream_port_t      *port;
    ngx_stream_in_addr_t   *addr;
#if (NGX_HAVE_INET6)
    struct sockaddr_in6     sin6;
    ngx_stream_in6_addr_t  *addr6;
#endif

    if (conf->secret.len) {
        return NGX_OK;
    }

    ls = cf->cycle->listening.elts;

    for (i = 0; i < cf->cycle->listening.nelts; i++) {

        if (ls[i].handler != ngx_stream_init_connection) {
            continue;
        }

        port = ls[i].servers;

        for (k = 0; k < port->naddrs; k++) {

#if (NGX_HAVE_INET6)
            if (ls[i].sockaddr->sa_family == AF_INET6) {
                addr6 = port->addrs;

                ngx_memzero(&sin6, sizeof(struct sockaddr_in6));
                sin6.sin6_family = AF_INET6;
                sin6.sin6_addr = addr6[k].addr6;

                if (ngx_stream_duplex_sync_check_addr(cf, &ls[i],
                                              (struct sockaddr *) &sin6,
                                              &addr6[k].conf, cscf, conf)
                    != NGX_OK)
                {
                    return NGX_ERROR;
                }

                continue;
            }
#endif

            addr = port->addrs;

            ngx_memzero(&sin, sizeof(struct sockaddr_in));
            sin.sin_family = ls[i].sockaddr->sa_family;
            sin.sin_addr.s_addr = addr[k].addr;

            if (ngx_stream_duplex_sync_check_addr(cf, &ls[i],
                                                  (struct sockaddr *) &sin,
                                                  &addr[k].conf, cscf, conf)
                != NGX_OK)
            {
                return NGX_ERROR;
            }
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_stream_duplex_sync_check_addr(ngx_conf_t *cf, ngx_listening_t *ls,
    struct sockaddr *sa, ngx_stream_addr_conf_t *addr,
    ngx_stream_core_srv_conf_t *cscf,
    ngx_stream_duplex_sync_srv_conf_t *conf)
{
    if (!ngx_stream_duplex_sync_is_server(addr, cscf)
        || ngx_duplex_admission_is_near(sa)
        || ngx_stream_duplex_sync_is_verified(addr, cscf))
    {
        return NGX_OK;
    }

    if (conf->require_auth) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"zone_sync\" listens on %V without "
                      "\"zone_sync_secret\" and without verified client "
                      "certificates, which \"zone_sync_require_auth\" forbids "
                      "in %s:%ui", &ls->addr_text, cscf->file_name,
                      cscf->line);
        return NGX_ERROR;
    }

    ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                  "\"zone_sync\" listens on %V without \"zone_sync_secret\" "
                  "and without verified client certificates: every program "
                  "at an address of \"zone_sync_server\" is trusted in %s:%ui",
                  &ls->addr_text, cscf->file_name, cscf->line);

    return NGX_OK;
}


static ngx_uint_t
ngx_stream_duplex_sync_is_verified(ngx_stream_addr_conf_t *addr,
    ngx_stream_core_srv_conf_t *cscf)
{
#if (NGX_STREAM_SSL)
#if (NGX_DUPLEX_HAVE_STREAM_SERVER_NAMES)
    ngx_stream_ssl_srv_conf_t  *sslcf;
#else
    ngx_stream_ssl_conf_t      *sslcf;
#endif

    sslcf = cscf->ctx->srv_conf[ngx_stream_ssl_module.ctx_index];

    /* "optional" lets in who has none */

    return addr->ssl && sslcf->verify == 1;
#else
    return 0;
#endif
}
