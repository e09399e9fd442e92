
/*
 * The directives zone_sync_ssl*: TLS to the nodes that are dialled, by
 * nginx's own functions and with its own messages.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>
#include "ngx_stream_duplex_sync_conf.h"


static ngx_int_t ngx_stream_duplex_sync_ssl_load(ngx_conf_t *cf,
    ngx_stream_duplex_sync_ssl_t *conf, ngx_ssl_t *ssl);


void
ngx_stream_duplex_sync_ssl_unset(ngx_stream_duplex_sync_ssl_t *conf)
{
    /*
     * set by ngx_pcalloc():
     *
     *     conf->protocols = 0;
     *     strings = { 0, NULL };
     */

    conf->enable = NGX_CONF_UNSET;
    conf->verify = NGX_CONF_UNSET;
    conf->verify_depth = NGX_CONF_UNSET_UINT;
    conf->server_name = NGX_CONF_UNSET;
    conf->passwords = NGX_CONF_UNSET_PTR;
    conf->commands = NGX_CONF_UNSET_PTR;
}


void
ngx_stream_duplex_sync_ssl_merge(ngx_stream_duplex_sync_ssl_t *prev,
    ngx_stream_duplex_sync_ssl_t *conf)
{
    ngx_conf_merge_value(conf->enable, prev->enable, 0);
    ngx_conf_merge_bitmask_value(conf->protocols, prev->protocols,
                                 (NGX_CONF_BITMASK_SET|NGX_SSL_TLSv1_2
                                  |NGX_SSL_TLSv1_3));
    ngx_conf_merge_str_value(conf->ciphers, prev->ciphers, "DEFAULT");
    ngx_conf_merge_str_value(conf->certificate, prev->certificate, "");
    ngx_conf_merge_str_value(conf->certificate_key, prev->certificate_key,
                             "");
    ngx_conf_merge_ptr_value(conf->passwords, prev->passwords, NULL);
    ngx_conf_merge_ptr_value(conf->commands, prev->commands, NULL);
    ngx_conf_merge_value(conf->verify, prev->verify, 0);
    ngx_conf_merge_uint_value(conf->verify_depth, prev->verify_depth, 1);
    ngx_conf_merge_str_value(conf->trusted_certificate,
                             prev->trusted_certificate, "");
    ngx_conf_merge_str_value(conf->crl, prev->crl, "");
    ngx_conf_merge_str_value(conf->name, prev->name, "");
    ngx_conf_merge_value(conf->server_name, prev->server_name, 0);
}


ngx_int_t
ngx_stream_duplex_sync_ssl_create(ngx_conf_t *cf,
    ngx_stream_duplex_sync_ssl_t *conf, ngx_duplex_tls_t *tls)
{
    ngx_ssl_t           *ssl;
    ngx_pool_cleanup_t  *cln;

    if (!conf->enable) {
        return NGX_OK;
    }

    ssl = ngx_pcalloc(cf->pool, sizeof(ngx_ssl_t));
    if (ssl == NULL) {
        return NGX_ERROR;
    }

    ssl->log = cf->log;

    if (ngx_ssl_create(ssl, conf->protocols, NULL) != NGX_OK) {
        return NGX_ERROR;
    }

    cln = ngx_pool_cleanup_add(cf->pool, 0);
    if (cln == NULL) {
        ngx_ssl_cleanup_ctx(ssl);
        return NGX_ERROR;
    }

    cln->handler = ngx_ssl_cleanup_ctx;
    cln->data = ssl;

    if (ngx_stream_duplex_sync_ssl_load(cf, conf, ssl) != NGX_OK) {
        return NGX_ERROR;
    }

    tls->ssl = ssl;
    tls->verify = conf->verify;
    tls->server_name = conf->server_name;
    tls->name = conf->name;

    return NGX_OK;
}


static ngx_int_t
ngx_stream_duplex_sync_ssl_load(ngx_conf_t *cf,
    ngx_stream_duplex_sync_ssl_t *conf, ngx_ssl_t *ssl)
{
    if (ngx_ssl_ciphers(cf, ssl, &conf->ciphers, 0) != NGX_OK) {
        return NGX_ERROR;
    }

    if (conf->certificate.len) {

        if (conf->certificate_key.len == 0) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "no \"zone_sync_ssl_certificate_key\" is defined "
                          "for certificate \"%V\"", &conf->certificate);
            return NGX_ERROR;
        }

        if (ngx_ssl_certificate(cf, ssl, &conf->certificate,
                                &conf->certificate_key, conf->passwords)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    if (conf->verify) {

        if (conf->trusted_certificate.len == 0) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "no zone_sync_ssl_trusted_certificate for "
                          "zone_sync_ssl_verify");
            return NGX_ERROR;
        }

        if (ngx_ssl_trusted_certificate(cf, ssl, &conf->trusted_certificate,
                                        conf->verify_depth)
            != NGX_OK
            || ngx_ssl_crl(cf, ssl, &conf->crl) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return ngx_ssl_conf_commands(cf, ssl, conf->commands);
}


char *
ngx_stream_duplex_sync_ssl_password_file(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_stream_duplex_sync_srv_conf_t  *sscf = conf;

    ngx_str_t  *value;

    if (sscf->ssl.passwords != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    sscf->ssl.passwords = ngx_ssl_read_password_file(cf, &value[1]);

    return sscf->ssl.passwords ? NGX_CONF_OK : NGX_CONF_ERROR;
}
