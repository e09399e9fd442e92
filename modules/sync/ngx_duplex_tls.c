
/*
 * TLS of a dialled link; see the header.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_duplex_tls.h"


static ngx_int_t ngx_duplex_tls_set_name(ngx_connection_t *c,
    ngx_str_t *name);
static ngx_int_t ngx_duplex_tls_check_address(ngx_connection_t *c,
    ngx_str_t *name);
static ngx_str_t *ngx_duplex_tls_name(ngx_duplex_tls_t *tls,
    ngx_str_t *host);


ngx_int_t
ngx_duplex_tls_start(ngx_connection_t *c, ngx_duplex_tls_t *tls,
    ngx_str_t *host, void (*handler)(ngx_connection_t *c))
{
    ngx_int_t  rc;

    if (ngx_ssl_create_connection(tls->ssl, c, NGX_SSL_CLIENT) != NGX_OK) {
        return NGX_ERROR;
    }

    if (tls->server_name
        && ngx_duplex_tls_set_name(c, ngx_duplex_tls_name(tls, host))
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    rc = ngx_ssl_handshake(c);

    if (rc == NGX_AGAIN) {
        c->ssl->handler = handler;
    }

    return rc;
}


/* "2026/11/25 00:00:00 [info] 1#1: *2 SSL_do_handshake() failed (...)" */

void
ngx_duplex_tls_note(ngx_log_t *log, ngx_uint_t level, u_char *line,
    size_t len)
{
    u_char  *p, *last, *said;

    said = log->wdata;
    last = line + len;

    while (last > line && (last[-1] == LF || last[-1] == CR)) {
        last--;
    }

    p = ngx_strlchr(line, last, '#');
    p = p ? ngx_strlchr(p, last, ' ') : NULL;

    if (p && p + 2 < last && p[1] == '*') {
        p = ngx_strlchr(p + 1, last, ' ');
    }

    if (p) {
        (void) ngx_cpystrn(said, p + 1, ngx_min(last - p,
                                                NGX_DUPLEX_TLS_SAID));
    }
}


ngx_int_t
ngx_duplex_tls_check(ngx_connection_t *c, ngx_duplex_tls_t *tls,
    ngx_str_t *host, u_char *text, size_t size)
{
    long        rc;
    u_char     *last;
    ngx_str_t  *name;

    last = text + size - 1;

    if (c->ssl == NULL || !c->ssl->handshaked) {
        *ngx_slprintf(text, last, "tls: %s",
                      c->read->timedout ? "handshake timed out"
                                        : (char *) c->log->wdata) = '\0';
        return NGX_ERROR;
    }

    if (!tls->verify) {
        return NGX_OK;
    }

    rc = SSL_get_verify_result(c->ssl->connection);

    if (rc != X509_V_OK) {
        *ngx_slprintf(text, last, "tls: certificate verify error: (%l:%s)",
                      rc, X509_verify_cert_error_string(rc)) = '\0';
        return NGX_ERROR;
    }

    name = ngx_duplex_tls_name(tls, host);

    if (ngx_ssl_check_host(c, name) != NGX_OK
        && ngx_duplex_tls_check_address(c, name) != NGX_OK)
    {
        *ngx_slprintf(text, last, "tls: certificate does not match \"%V\"",
                      name) = '\0';
        return NGX_ERROR;
    }

    return NGX_OK;
}


void
ngx_duplex_tls_close(ngx_connection_t *c)
{
    if (c->ssl) {
        c->ssl->no_wait_shutdown = 1;
        (void) ngx_ssl_shutdown(c);
    }

    ngx_close_connection(c);
}


/* as RFC 6066 wants it: addresses are no names */

static ngx_int_t
ngx_duplex_tls_set_name(ngx_connection_t *c, ngx_str_t *name)
{
    u_char  *p;

    if (name->len == 0 || name->data[0] == '['
        || ngx_inet_addr(name->data, name->len) != INADDR_NONE
        || (name->len > 5 && ngx_strncmp(name->data, "unix:", 5) == 0))
    {
        return NGX_OK;
    }

    p = ngx_pnalloc(c->pool, name->len + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_cpystrn(p, name->data, name->len + 1);

    if (SSL_set_tlsext_host_name(c->ssl->connection, (char *) p) == 0) {
        ngx_ssl_error(NGX_LOG_ERR, c->log, 0,
                      "SSL_set_tlsext_host_name(\"%s\") failed", p);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* nodes are often listed by address, which nginx does not look for */

static ngx_int_t
ngx_duplex_tls_check_address(ngx_connection_t *c, ngx_str_t *name)
{
    int      ok;
    X509    *cert;
    size_t   len;
    u_char  *p, text[NGX_INET6_ADDRSTRLEN + 1];

    p = name->data;
    len = name->len;

    if (len > 2 && p[0] == '[' && p[len - 1] == ']') {
        p++;
        len -= 2;
    }

    if (len >= sizeof(text)) {
        return NGX_DECLINED;
    }

    (void) ngx_cpystrn(text, p, len + 1);

    cert = SSL_get_peer_certificate(c->ssl->connection);
    if (cert == NULL) {
        return NGX_DECLINED;
    }

    ok = X509_check_ip_asc(cert, (char *) text, 0);

    X509_free(cert);

    return ok == 1 ? NGX_OK : NGX_DECLINED;
}


static ngx_str_t *
ngx_duplex_tls_name(ngx_duplex_tls_t *tls, ngx_str_t *host)
{
    return tls->name.len ? &tls->name : host;
}
