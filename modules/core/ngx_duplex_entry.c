
/*
 * See the header.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_bytes.h"
#include "ngx_duplex_entry.h"


#define NGX_DUPLEX_ENTRY_MARK     0xd09e7a11
#define NGX_DUPLEX_ENTRY_HEAD     12
#define NGX_DUPLEX_ENTRY_LAYOUT   1

#define NGX_DUPLEX_ENTRY_DELETED  1


static u_char *ngx_duplex_entry_begin(u_char *p);
static u_char *ngx_duplex_entry_end(u_char *start, u_char *p);
static void ngx_duplex_entry_get_record(ngx_duplex_bytes_t *b,
    ngx_duplex_entry_t *entry);


static u_char  ngx_duplex_entry_magic[] = "nxduplexj";

#define ngx_duplex_entry_magic_len  (sizeof(ngx_duplex_entry_magic) - 1)


u_char *
ngx_duplex_entry_put_header(u_char *p, ngx_str_t *node)
{
    u_char  *start;

    start = p;

    p = ngx_cpymem(p, ngx_duplex_entry_magic, ngx_duplex_entry_magic_len);
    p = ngx_duplex_bytes_put(p, NGX_DUPLEX_ENTRY_LAYOUT, 1);
    p = ngx_duplex_bytes_put_str(p, node);

    return ngx_duplex_bytes_put(p, ngx_crc32_long(start, p - start), 4);
}


u_char *
ngx_duplex_entry_put_clock(u_char *p, uint64_t time)
{
    u_char  *start;

    start = p;

    p = ngx_duplex_entry_begin(p);
    p = ngx_duplex_bytes_put(p, ngx_duplex_entry_clock, 1);
    p = ngx_duplex_bytes_put(p, time, 8);

    return ngx_duplex_entry_end(start, p);
}


u_char *
ngx_duplex_entry_put_record(u_char *p, ngx_duplex_record_t *rec,
    uint64_t until)
{
    u_char  *start;

    start = p;

    p = ngx_duplex_entry_begin(p);
    p = ngx_duplex_bytes_put(p, ngx_duplex_entry_record, 1);
    p = ngx_duplex_bytes_put(p, rec->kind, 4);
    p = ngx_duplex_bytes_put(p, rec->deleted ? NGX_DUPLEX_ENTRY_DELETED : 0,
                             1);
    p = ngx_duplex_bytes_put(p, rec->time, 8);
    p = ngx_duplex_bytes_put(p, rec->node, 8);
    p = ngx_duplex_bytes_put(p, until, 8);
    p = ngx_duplex_bytes_put(p, rec->zone.len, 1);
    p = ngx_duplex_bytes_put(p, rec->key.len, 2);
    p = ngx_duplex_bytes_put(p, rec->value.len, 4);
    p = ngx_duplex_bytes_put_run(p, rec->zone.data, rec->zone.len);
    p = ngx_duplex_bytes_put_run(p, rec->key.data, rec->key.len);
    p = ngx_duplex_bytes_put_run(p, rec->value.data, rec->value.len);

    return ngx_duplex_entry_end(start, p);
}


static u_char *
ngx_duplex_entry_begin(u_char *p)
{
    p = ngx_duplex_bytes_put(p, NGX_DUPLEX_ENTRY_MARK, 4);

    return p + 8;
}


static u_char *
ngx_duplex_entry_end(u_char *start, u_char *p)
{
    size_t    len;
    uint32_t  crc;

    len = p - start - NGX_DUPLEX_ENTRY_HEAD;

    (void) ngx_duplex_bytes_put(start + 4, len, 4);

    ngx_crc32_init(crc);
    ngx_crc32_update(&crc, start + 4, 4);
    ngx_crc32_update(&crc, start + NGX_DUPLEX_ENTRY_HEAD, len);
    ngx_crc32_final(crc);

    (void) ngx_duplex_bytes_put(start + 8, crc, 4);

    return p;
}


ngx_int_t
ngx_duplex_entry_get_header(u_char **p, u_char *last, ngx_str_t *node)
{
    u_char              *covered;
    uint32_t             crc;
    ngx_str_t            magic;
    ngx_uint_t           layout;
    ngx_duplex_bytes_t   b;

    b.pos = *p;
    b.last = last;
    b.failed = 0;

    ngx_duplex_bytes_get_run(&b, ngx_duplex_entry_magic_len, &magic);
    layout = (ngx_uint_t) ngx_duplex_bytes_get(&b, 1);
    ngx_duplex_bytes_get_str(&b, node);

    covered = b.pos;
    crc = (uint32_t) ngx_duplex_bytes_get(&b, 4);

    if (ngx_memcmp(*p, ngx_duplex_entry_magic,
                   ngx_min(ngx_duplex_entry_magic_len, (size_t) (last - *p)))
        != 0)
    {
        return NGX_ERROR;
    }

    if (b.failed) {
        return NGX_DECLINED;
    }

    if (layout != NGX_DUPLEX_ENTRY_LAYOUT
        || crc != ngx_crc32_long(*p, covered - *p))
    {
        return NGX_ERROR;
    }

    *p = b.pos;

    return NGX_OK;
}


ngx_int_t
ngx_duplex_entry_get(u_char **p, u_char *last, ngx_duplex_entry_t *entry)
{
    size_t               len;
    uint32_t             crc, stored;
    ngx_duplex_bytes_t   b;

    if (*p == last) {
        return NGX_DONE;
    }

    b.pos = *p;
    b.last = last;
    b.failed = 0;

    if (ngx_duplex_bytes_get(&b, 4) != NGX_DUPLEX_ENTRY_MARK) {
        return b.failed ? NGX_DECLINED : NGX_ERROR;
    }

    len = (size_t) ngx_duplex_bytes_get(&b, 4);
    stored = (uint32_t) ngx_duplex_bytes_get(&b, 4);

    if (b.failed) {
        return NGX_DECLINED;
    }

    if (len == 0 || len > NGX_DUPLEX_ENTRY_MAX - NGX_DUPLEX_ENTRY_HEAD) {
        return NGX_ERROR;
    }

    if ((size_t) (last - b.pos) < len) {
        return NGX_DECLINED;
    }

    ngx_crc32_init(crc);
    ngx_crc32_update(&crc, *p + 4, 4);
    ngx_crc32_update(&crc, b.pos, len);
    ngx_crc32_final(crc);

    if (crc != stored) {
        return NGX_ERROR;
    }

    b.last = b.pos + len;

    ngx_memzero(entry, sizeof(ngx_duplex_entry_t));

    entry->type = (ngx_uint_t) ngx_duplex_bytes_get(&b, 1);

    switch (entry->type) {

    case ngx_duplex_entry_record:
        ngx_duplex_entry_get_record(&b, entry);
        break;

    case ngx_duplex_entry_clock:
        entry->time = ngx_duplex_bytes_get(&b, 8);
        break;
    }

    if (b.failed) {
        return NGX_ERROR;
    }

    *p = b.last;

    return NGX_OK;
}


static void
ngx_duplex_entry_get_record(ngx_duplex_bytes_t *b, ngx_duplex_entry_t *entry)
{
    size_t                zone_len, key_len, value_len;
    ngx_duplex_record_t  *rec;

    rec = &entry->record;

    rec->kind = (uint32_t) ngx_duplex_bytes_get(b, 4);
    rec->deleted = ngx_duplex_bytes_get(b, 1) & NGX_DUPLEX_ENTRY_DELETED;
    rec->time = ngx_duplex_bytes_get(b, 8);
    rec->node = ngx_duplex_bytes_get(b, 8);
    entry->until = ngx_duplex_bytes_get(b, 8);

    zone_len = (size_t) ngx_duplex_bytes_get(b, 1);
    key_len = (size_t) ngx_duplex_bytes_get(b, 2);
    value_len = (size_t) ngx_duplex_bytes_get(b, 4);

    if (key_len > NGX_DUPLEX_KEY_MAX || value_len > NGX_DUPLEX_VALUE_MAX) {
        b->failed = 1;
        return;
    }

    ngx_duplex_bytes_get_run(b, zone_len, &rec->zone);
    ngx_duplex_bytes_get_run(b, key_len, &rec->key);
    ngx_duplex_bytes_get_run(b, value_len, &rec->value);
}


ngx_uint_t
ngx_duplex_entry_follows(u_char *p, u_char *last)
{
    u_char              *at;
    ngx_duplex_entry_t   entry;

    for (p++; p < last; p++) {

        if (*p != (u_char) (NGX_DUPLEX_ENTRY_MARK >> 24)) {
            continue;
        }

        at = p;

        if (ngx_duplex_entry_get(&at, last, &entry) == NGX_OK) {
            return 1;
        }
    }

    return 0;
}
