
/*
 * What a probe of a stream server says, and what it wants to hear.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_dialog.h"


static char *ngx_duplex_dialog_text(ngx_conf_t *cf, ngx_str_t *in,
    ngx_str_t *out);
static char *ngx_duplex_dialog_regex(ngx_conf_t *cf,
    ngx_duplex_dialog_t *dialog, ngx_str_t *pattern, ngx_uint_t caseless);


char *
ngx_duplex_dialog_set_send(ngx_conf_t *cf, ngx_duplex_dialog_t *dialog,
    ngx_str_t *text)
{
    if (dialog->send.len) {
        return "is duplicate";
    }

    return ngx_duplex_dialog_text(cf, text, &dialog->send);
}


char *
ngx_duplex_dialog_set_expect(ngx_conf_t *cf, ngx_duplex_dialog_t *dialog,
    ngx_str_t *args, ngx_uint_t nargs)
{
    if (ngx_duplex_dialog_expects(dialog)) {
        return "is duplicate";
    }

    if (nargs == 1) {
        return ngx_duplex_dialog_text(cf, &args[0], &dialog->expect);
    }

    if (ngx_strcmp(args[0].data, "~") == 0) {
        return ngx_duplex_dialog_regex(cf, dialog, &args[1], 0);
    }

    if (ngx_strcmp(args[0].data, "~*") == 0) {
        return ngx_duplex_dialog_regex(cf, dialog, &args[1], 1);
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid parameter \"%V\": \"expect\" takes a string, "
                       "or \"~\" or \"~*\" and a regular expression",
                       &args[0]);

    return NGX_CONF_ERROR;
}


ngx_uint_t
ngx_duplex_dialog_expects(ngx_duplex_dialog_t *dialog)
{
#if (NGX_PCRE)
    if (dialog->regex) {
        return 1;
    }
#endif

    return dialog->expect.len > 0;
}


ngx_uint_t
ngx_duplex_dialog_heard(ngx_duplex_dialog_t *dialog, ngx_str_t *text)
{
    size_t      i;
    ngx_str_t  *expect;

#if (NGX_PCRE)
    if (dialog->regex) {
        return ngx_regex_exec(dialog->regex, text, NULL, 0) >= 0;
    }
#endif

    expect = &dialog->expect;

    /* any bytes may be in either, zeroes, too */

    for (i = 0; i + expect->len <= text->len; i++) {
        if (ngx_memcmp(text->data + i, expect->data, expect->len) == 0) {
            return 1;
        }
    }

    return 0;
}


static char *
ngx_duplex_dialog_text(ngx_conf_t *cf, ngx_str_t *in, ngx_str_t *out)
{
    if (in->len == 0) {
        return "must not be empty";
    }

    out->data = ngx_pnalloc(cf->pool, in->len);
    if (out->data == NULL) {
        return NGX_CONF_ERROR;
    }

    if (ngx_duplex_dialog_unescape(in, out) != NGX_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid string \"%V\": \"\\x\" must be followed "
                           "by two hexadecimal digits", in);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_duplex_dialog_regex(ngx_conf_t *cf, ngx_duplex_dialog_t *dialog,
    ngx_str_t *pattern, ngx_uint_t caseless)
{
#if (NGX_PCRE)
    u_char               errstr[NGX_MAX_CONF_ERRSTR];
    ngx_regex_compile_t  rc;

    if (pattern->len == 0) {
        return "must not be empty";
    }

    ngx_memzero(&rc, sizeof(ngx_regex_compile_t));

    rc.pattern = *pattern;
    rc.pool = cf->pool;
    rc.options = caseless ? NGX_REGEX_CASELESS : 0;
    rc.err.len = NGX_MAX_CONF_ERRSTR;
    rc.err.data = errstr;

    if (ngx_regex_compile(&rc) != NGX_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%V", &rc.err);
        return NGX_CONF_ERROR;
    }

    dialog->regex = rc.regex;

    return NGX_CONF_OK;
#else
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "using regex \"%V\" requires PCRE library", pattern);
    return NGX_CONF_ERROR;
#endif
}


ngx_int_t
ngx_duplex_dialog_unescape(ngx_str_t *in, ngx_str_t *out)
{
    u_char     *p, *last, *dst;
    ngx_int_t   byte;

    dst = out->data;
    last = in->data + in->len;

    for (p = in->data; p < last; p++) {

        if (*p != '\\' || last - p < 2 || p[1] != 'x') {
            *dst++ = *p;
            continue;
        }

        if (last - p < 4) {
            return NGX_ERROR;
        }

        byte = ngx_hextoi(p + 2, 2);

        if (byte == NGX_ERROR) {
            return NGX_ERROR;
        }

        *dst++ = (u_char) byte;
        p += 3;
    }

    out->len = dst - out->data;

    return NGX_OK;
}
