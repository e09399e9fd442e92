
/*
 * A dialog: what a probe of a stream server says, and what it wants to hear;
 * the contents of `match` in stream{}.
 *
 * Made while the configuration is parsed, only read later.
 */


#ifndef _NGX_DUPLEX_DIALOG_H_INCLUDED_
#define _NGX_DUPLEX_DIALOG_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


typedef struct {
    ngx_str_t           send;           /* empty: it only listens */
    ngx_str_t           expect;         /* empty: no literal */
#if (NGX_PCRE)
    ngx_regex_t        *regex;          /* NULL: no regular expression */
#endif
} ngx_duplex_dialog_t;


/*
 * Both answer NULL, or why it is refused ("has an invalid ..."), or
 * NGX_CONF_ERROR after a message; memory is of cf->pool.
 */
char *ngx_duplex_dialog_set_send(ngx_conf_t *cf, ngx_duplex_dialog_t *dialog,
    ngx_str_t *text);
/* "args": "text", or "~" or "~*" and a regular expression */
char *ngx_duplex_dialog_set_expect(ngx_conf_t *cf,
    ngx_duplex_dialog_t *dialog, ngx_str_t *args, ngx_uint_t nargs);

/* 1 if an answer is waited for */
ngx_uint_t ngx_duplex_dialog_expects(ngx_duplex_dialog_t *dialog);
/* 1 if this is in what came so far */
ngx_uint_t ngx_duplex_dialog_heard(ngx_duplex_dialog_t *dialog,
    ngx_str_t *text);

/*
 * \xHH becomes a byte, all else stays; "out" has room for all of "in".
 * NGX_ERROR: \x without two hexadecimal digits.
 */
ngx_int_t ngx_duplex_dialog_unescape(ngx_str_t *in, ngx_str_t *out);


#endif /* _NGX_DUPLEX_DIALOG_H_INCLUDED_ */
