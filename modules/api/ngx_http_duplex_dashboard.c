
/*
 * The page for people: dashboard.html of this folder, as the assembler put it
 * into this object.
 *
 * It has its style and script inside, and both run only with the random word
 * that this answer's Content-Security-Policy names; nothing else may be
 * loaded but the API of the same host.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <sys/random.h>
#include "ngx_http_duplex_api_answer.h"
#include "ngx_http_duplex_dashboard.h"


#define NGX_HTTP_DUPLEX_DASHBOARD_NONCE  32     /* digits */
#define NGX_HTTP_DUPLEX_DASHBOARD_MARKS  5      /* in the page, at most */


__asm__(
    ".section .rodata\n"
    ".balign 8\n"
    ".local ngx_http_duplex_dashboard_html\n"
    ".local ngx_http_duplex_dashboard_end\n"
    "ngx_http_duplex_dashboard_html:\n"
    ".incbin \"dashboard.html\"\n"
    "ngx_http_duplex_dashboard_end:\n"
    ".byte 0\n"
    ".previous\n"
);

extern const u_char  ngx_http_duplex_dashboard_html[]
    __attribute__((visibility("hidden")));
extern const u_char  ngx_http_duplex_dashboard_end[]
    __attribute__((visibility("hidden")));


static ngx_int_t ngx_http_duplex_dashboard_headers(ngx_http_request_t *r,
    u_char *nonce);
static ngx_buf_t *ngx_http_duplex_dashboard_fill(ngx_http_request_t *r,
    ngx_str_t *api, u_char *nonce);


ngx_int_t
ngx_http_duplex_dashboard_send(ngx_http_request_t *r, ngx_str_t *api)
{
    u_char        random[NGX_HTTP_DUPLEX_DASHBOARD_NONCE / 2];
    u_char        nonce[NGX_HTTP_DUPLEX_DASHBOARD_NONCE];
    ngx_chain_t   out;

    if (getrandom(random, sizeof(random), 0) != sizeof(random)) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_hex_dump(nonce, random, sizeof(random));

    if (ngx_http_duplex_dashboard_headers(r, nonce) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    out.buf = ngx_http_duplex_dashboard_fill(r, api, nonce);
    out.next = NULL;

    if (out.buf == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_str_set(&r->headers_out.content_type, "text/html; charset=utf-8");

    return ngx_http_duplex_api_send_chain(r, NGX_HTTP_OK, &out,
                                          out.buf->last - out.buf->pos);
}


static ngx_int_t
ngx_http_duplex_dashboard_headers(ngx_http_request_t *r, u_char *nonce)
{
    u_char     text[512];
    ngx_str_t  policy;
    ngx_str_t  no_store = ngx_string("no-store");
    ngx_str_t  nosniff = ngx_string("nosniff");
    ngx_str_t  no_referrer = ngx_string("no-referrer");

    policy.data = text;
    policy.len = ngx_sprintf(text,
                             "default-src 'none'; script-src 'nonce-%*s'; "
                             "style-src 'nonce-%*s'; connect-src 'self'; "
                             "img-src data:; "
                             "base-uri 'none'; form-action 'none'; "
                             "frame-ancestors 'none'",
                             (size_t) NGX_HTTP_DUPLEX_DASHBOARD_NONCE, nonce,
                             (size_t) NGX_HTTP_DUPLEX_DASHBOARD_NONCE, nonce)
                 - text;

    if (ngx_http_duplex_api_header(r, "Content-Security-Policy", &policy)
        != NGX_OK
        || ngx_http_duplex_api_header(r, "Cache-Control", &no_store) != NGX_OK
        || ngx_http_duplex_api_header(r, "X-Content-Type-Options", &nosniff)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_duplex_api_header(r, "Referrer-Policy", &no_referrer);
}


/* "{{nonce}}" and "{{api}}" in the page */

static ngx_buf_t *
ngx_http_duplex_dashboard_fill(ngx_http_request_t *r, ngx_str_t *api,
    u_char *nonce)
{
    size_t         size;
    ngx_buf_t     *b;
    const u_char  *p, *mark, *last;

    p = ngx_http_duplex_dashboard_html;
    last = ngx_http_duplex_dashboard_end;

    size = (last - p) + NGX_HTTP_DUPLEX_DASHBOARD_MARKS
                        * (api->len + NGX_HTTP_DUPLEX_DASHBOARD_NONCE);

    b = ngx_create_temp_buf(r->pool, size);
    if (b == NULL) {
        return NULL;
    }

    for ( ;; ) {

        mark = ngx_strnstr((u_char *) p, "{{", last - p);

        if (mark == NULL) {
            b->last = ngx_cpymem(b->last, p, last - p);
            return b;
        }

        b->last = ngx_cpymem(b->last, p, mark - p);

        if (mark[2] == 'n') {
            b->last = ngx_cpymem(b->last, nonce,
                                 NGX_HTTP_DUPLEX_DASHBOARD_NONCE);
            p = mark + sizeof("{{nonce}}") - 1;

        } else {
            b->last = ngx_cpymem(b->last, api->data, api->len);
            p = mark + sizeof("{{api}}") - 1;
        }
    }
}
