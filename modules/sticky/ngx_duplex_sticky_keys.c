
/*
 * The keys of signed cookies, from a file: one a line, at least 16 bytes;
 * empty lines and lines that begin with "#" say nothing.  The first key signs,
 * all of them verify, so a new one is put first and the old one stays below
 * it for as long as cookies live.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_sticky.h"


#define NGX_DUPLEX_STICKY_KEYFILE_MAX  4096
#define NGX_DUPLEX_STICKY_KEY_MIN      16


static ngx_int_t ngx_duplex_sticky_read_file(ngx_conf_t *cf, ngx_str_t *name,
    ngx_str_t *text);


ngx_int_t
ngx_duplex_sticky_read_keys(ngx_conf_t *cf, ngx_duplex_sticky_group_t *sticky,
    ngx_str_t *file)
{
    u_char     *p, *last, *end;
    ngx_str_t   text, *key;

    if (ngx_conf_full_name(cf->cycle, file, 1) != NGX_OK
        || ngx_duplex_sticky_read_file(cf, file, &text) != NGX_OK)
    {
        return NGX_ERROR;
    }

    sticky->keys = ngx_palloc(cf->pool,
                              NGX_DUPLEX_STICKY_KEYS_MAX * sizeof(ngx_str_t));
    if (sticky->keys == NULL) {
        return NGX_ERROR;
    }

    end = text.data + text.len;

    for (p = text.data; p < end; p = last + 1) {

        last = ngx_strlchr(p, end, LF);
        last = last ? last : end;

        if (p == last || *p == '#') {
            continue;
        }

        if (sticky->nkeys == NGX_DUPLEX_STICKY_KEYS_MAX) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "more than %d keys in \"%V\"",
                               NGX_DUPLEX_STICKY_KEYS_MAX, file);
            return NGX_ERROR;
        }

        key = &sticky->keys[sticky->nkeys++];

        key->data = p;
        key->len = last - p;

        if (key->len && key->data[key->len - 1] == CR) {
            key->len--;
        }

        if (key->len < NGX_DUPLEX_STICKY_KEY_MIN) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "key %ui in \"%V\" is shorter than %d bytes",
                               sticky->nkeys, file, NGX_DUPLEX_STICKY_KEY_MIN);
            return NGX_ERROR;
        }
    }

    if (sticky->nkeys == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "no key in \"%V\"", file);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_duplex_sticky_read_file(ngx_conf_t *cf, ngx_str_t *name, ngx_str_t *text)
{
    ssize_t    n;
    ngx_fd_t   fd;
    ngx_err_t  err;

    text->data = ngx_pnalloc(cf->pool, NGX_DUPLEX_STICKY_KEYFILE_MAX + 1);
    if (text->data == NULL) {
        return NGX_ERROR;
    }

    fd = ngx_open_file(name->data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_open_file_n " \"%V\" failed", name);
        return NGX_ERROR;
    }

    n = ngx_read_fd(fd, text->data, NGX_DUPLEX_STICKY_KEYFILE_MAX + 1);
    err = ngx_errno;

    (void) ngx_close_file(fd);

    if (n == -1) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, err,
                           ngx_read_fd_n " \"%V\" failed", name);
        return NGX_ERROR;
    }

    if (n > NGX_DUPLEX_STICKY_KEYFILE_MAX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" is longer than %d bytes",
                           name, NGX_DUPLEX_STICKY_KEYFILE_MAX);
        return NGX_ERROR;
    }

    text->len = n;

    return NGX_OK;
}
