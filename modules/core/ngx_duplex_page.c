
/*
 * See the header.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_conf.h"
#include "ngx_duplex_page.h"


ngx_duplex_page_t *
ngx_duplex_page(ngx_uint_t i)
{
    ngx_duplex_page_t  **pages;

    if (i >= ngx_duplex_present->pages.nelts) {
        return NULL;
    }

    pages = ngx_duplex_present->pages.elts;

    return pages[i];
}


ngx_int_t
ngx_duplex_call_arg(ngx_duplex_call_t *call, const char *name,
    ngx_str_t *value)
{
    u_char  *p, *end, *last, *src, *dst;
    size_t   len;

    len = ngx_strlen(name);

    p = call->args.data;
    last = p + call->args.len;

    while (p < last) {

        end = ngx_strlchr(p, last, '&');

        if (end == NULL) {
            end = last;
        }

        if ((size_t) (end - p) > len
            && p[len] == '='
            && ngx_strncmp(p, name, len) == 0)
        {
            src = p + len + 1;

            dst = ngx_pnalloc(call->pool, end - src + 1);
            if (dst == NULL) {
                return NGX_ERROR;
            }

            value->data = dst;

            ngx_unescape_uri(&dst, &src, end - src, 0);

            value->len = dst - value->data;

            return NGX_OK;
        }

        p = end + 1;
    }

    return NGX_DECLINED;
}


ngx_uint_t
ngx_duplex_call_refuse(ngx_duplex_call_t *call, ngx_uint_t status,
    const char *code, const char *fmt, ...)
{
    u_char   buf[NGX_DUPLEX_CALL_TEXT_MAX];
    va_list  args;

    va_start(args, fmt);
    call->text.len = ngx_vslprintf(buf, buf + sizeof(buf), fmt, args) - buf;
    va_end(args);

    call->text.data = ngx_pnalloc(call->pool, call->text.len);

    if (call->text.data == NULL) {
        call->text.len = 0;

    } else {
        ngx_memcpy(call->text.data, buf, call->text.len);
    }

    call->code = code;

    return status;
}
