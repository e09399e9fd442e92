
/*
 * Big-endian numbers and short strings in a run of bytes: a writer, and a
 * reader that remembers when the bytes ended too early.
 */


#ifndef _NGX_DUPLEX_BYTES_H_INCLUDED_
#define _NGX_DUPLEX_BYTES_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


static ngx_inline u_char *
ngx_duplex_bytes_put(u_char *p, uint64_t value, ngx_uint_t size)
{
    while (size) {
        *p++ = (u_char) (value >> (--size * 8));
    }

    return p;
}


/* "data" may be NULL if there is nothing of it */
static ngx_inline u_char *
ngx_duplex_bytes_put_run(u_char *p, u_char *data, size_t len)
{
    return len ? ngx_cpymem(p, data, len) : p;
}


/* one byte of length; "s" has at most 255 */
static ngx_inline u_char *
ngx_duplex_bytes_put_str(u_char *p, ngx_str_t *s)
{
    *p++ = (u_char) s->len;

    return ngx_duplex_bytes_put_run(p, s->data, s->len);
}


typedef struct {
    u_char      *pos;
    u_char      *last;
    ngx_uint_t   failed;    /* something was asked for beyond "last" */
} ngx_duplex_bytes_t;


/* 0 once failed */
static ngx_inline uint64_t
ngx_duplex_bytes_get(ngx_duplex_bytes_t *b, ngx_uint_t size)
{
    uint64_t  value;

    value = 0;

    if (b->failed || (size_t) (b->last - b->pos) < size) {
        b->failed = 1;
        return value;
    }

    while (size--) {
        value = value << 8 | *b->pos++;
    }

    return value;
}


/* points into the bytes; empty once failed */
static ngx_inline void
ngx_duplex_bytes_get_run(ngx_duplex_bytes_t *b, size_t len, ngx_str_t *s)
{
    s->len = 0;
    s->data = b->pos;

    if (b->failed || (size_t) (b->last - b->pos) < len) {
        b->failed = 1;
        return;
    }

    s->len = len;
    b->pos += len;
}


static ngx_inline void
ngx_duplex_bytes_get_str(ngx_duplex_bytes_t *b, ngx_str_t *s)
{
    size_t  len;

    len = (size_t) ngx_duplex_bytes_get(b, 1);

    ngx_duplex_bytes_get_run(b, len, s);
}


#endif /* _NGX_DUPLEX_BYTES_H_INCLUDED_ */
