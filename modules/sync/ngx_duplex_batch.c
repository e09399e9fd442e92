
/*
 * The payload of RECORDS; see the header and docs/sync-protocol.md.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_batch.h"


#define NGX_DUPLEX_BATCH_DELETED   1
#define NGX_DUPLEX_BATCH_NODE      2
#define NGX_DUPLEX_BATCH_LIFETIME  4

/* ms; a few thousand years, so that adding "now" cannot overflow */
#define NGX_DUPLEX_BATCH_LIFETIME_MAX  (1ULL << 47)

/* where count and position stand in the frame */
#define NGX_DUPLEX_BATCH_COUNT_AT     (NGX_DUPLEX_FRAME_HEADER + 2)
#define NGX_DUPLEX_BATCH_POSITION_AT  (NGX_DUPLEX_FRAME_HEADER + 8)


static ngx_int_t ngx_duplex_batch_read(ngx_duplex_bytes_t *b,
    ngx_duplex_record_t *rec, uint64_t sender, uint64_t now);


void
ngx_duplex_batch_begin(ngx_duplex_batch_t *batch, u_char *p)
{
    batch->count = 0;
    batch->start = p;

    p += NGX_DUPLEX_FRAME_HEADER;

    p = ngx_duplex_bytes_put(p, batch->index, 2);
    p = ngx_duplex_bytes_put(p, 0, 2);
    p = ngx_duplex_bytes_put(p, batch->kind, 4);
    p = ngx_duplex_bytes_put(p, 0, 8);
    p = ngx_duplex_bytes_put_str(p, &batch->zone);

    /* the caller's zone may change under us: ours is the one in the frame */
    batch->zone.data = p - batch->zone.len;

    batch->last = p;
}


ngx_uint_t
ngx_duplex_batch_takes(ngx_duplex_batch_t *batch, ngx_duplex_record_t *rec)
{
    size_t  used;

    used = batch->last - batch->start - NGX_DUPLEX_FRAME_HEADER;

    return rec->kind == batch->kind
           && batch->count < NGX_DUPLEX_BATCH_COUNT_MAX
           && used + NGX_DUPLEX_BATCH_RECORD_MAX <= NGX_DUPLEX_FRAME_MAX
           && rec->zone.len == batch->zone.len
           && (rec->zone.len == 0
               || ngx_memcmp(rec->zone.data, batch->zone.data, rec->zone.len)
                  == 0);
}


void
ngx_duplex_batch_add(ngx_duplex_batch_t *batch, ngx_duplex_record_t *rec,
    uint64_t self, uint64_t now)
{
    u_char      *p;
    size_t       value_len;
    uint64_t     remaining;
    ngx_uint_t   flags;

    flags = 0;
    value_len = rec->value.len;

    if (rec->deleted) {
        flags |= NGX_DUPLEX_BATCH_DELETED;
        value_len = 0;
    }

    if (rec->node != self) {
        flags |= NGX_DUPLEX_BATCH_NODE;
    }

    if (rec->expire) {
        flags |= NGX_DUPLEX_BATCH_LIFETIME;
    }

    p = batch->last;

    p = ngx_duplex_bytes_put(p, flags, 1);
    p = ngx_duplex_bytes_put(p, rec->key.len, 2);
    p = ngx_duplex_bytes_put(p, value_len, 2);
    p = ngx_duplex_bytes_put(p, rec->time, 8);

    if (flags & NGX_DUPLEX_BATCH_NODE) {
        p = ngx_duplex_bytes_put(p, rec->node, 8);
    }

    if (flags & NGX_DUPLEX_BATCH_LIFETIME) {
        remaining = rec->expire > now ? rec->expire - now : 1;

        p = ngx_duplex_bytes_put(p, ngx_min(remaining,
                                            NGX_DUPLEX_BATCH_LIFETIME_MAX), 8);
    }

    p = ngx_duplex_bytes_put_run(p, rec->key.data, rec->key.len);
    p = ngx_duplex_bytes_put_run(p, rec->value.data, value_len);

    batch->last = p;
    batch->count++;
}


u_char *
ngx_duplex_batch_end(ngx_duplex_batch_t *batch, uint64_t position)
{
    ngx_duplex_bytes_put(batch->start + NGX_DUPLEX_BATCH_COUNT_AT,
                         batch->count, 2);
    ngx_duplex_bytes_put(batch->start + NGX_DUPLEX_BATCH_POSITION_AT,
                         position, 8);

    return ngx_duplex_frame_seal(batch->start, batch->last,
                                 ngx_duplex_frame_records, 0);
}


ngx_int_t
ngx_duplex_batch_open(ngx_duplex_batch_t *batch, ngx_duplex_frame_t *frame)
{
    ngx_uint_t           i;
    ngx_duplex_bytes_t   b;
    ngx_duplex_record_t  rec;

    b.pos = frame->payload;
    b.last = frame->last;
    b.failed = 0;

    batch->index = (ngx_uint_t) ngx_duplex_bytes_get(&b, 2);
    batch->count = (ngx_uint_t) ngx_duplex_bytes_get(&b, 2);
    batch->kind = (uint32_t) ngx_duplex_bytes_get(&b, 4);
    batch->position = ngx_duplex_bytes_get(&b, 8);
    ngx_duplex_bytes_get_str(&b, &batch->zone);

    batch->left = batch->count;
    batch->bytes = b;

    for (i = 0; i < batch->count; i++) {
        if (ngx_duplex_batch_read(&b, &rec, 0, 0) != NGX_OK) {
            break;
        }
    }

    if (b.failed || b.pos != b.last || i < batch->count) {
        frame->malformed = ngx_duplex_malformed_payload;
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_int_t
ngx_duplex_batch_next(ngx_duplex_batch_t *batch, ngx_duplex_record_t *rec,
    uint64_t sender, uint64_t now)
{
    if (batch->left == 0) {
        return NGX_DONE;
    }

    batch->left--;

    (void) ngx_duplex_batch_read(&batch->bytes, rec, sender, now);

    rec->kind = batch->kind;
    rec->zone = batch->zone;

    return NGX_OK;
}


static ngx_int_t
ngx_duplex_batch_read(ngx_duplex_bytes_t *b, ngx_duplex_record_t *rec,
    uint64_t sender, uint64_t now)
{
    size_t      key_len, value_len;
    uint64_t    remaining;
    ngx_uint_t  flags;

    ngx_memzero(rec, sizeof(ngx_duplex_record_t));

    flags = (ngx_uint_t) ngx_duplex_bytes_get(b, 1);
    key_len = (size_t) ngx_duplex_bytes_get(b, 2);
    value_len = (size_t) ngx_duplex_bytes_get(b, 2);

    rec->time = ngx_duplex_bytes_get(b, 8);
    rec->node = sender;
    rec->deleted = flags & NGX_DUPLEX_BATCH_DELETED ? 1 : 0;

    if (flags & NGX_DUPLEX_BATCH_NODE) {
        rec->node = ngx_duplex_bytes_get(b, 8);

        if (rec->node == 0) {
            return NGX_ERROR;
        }
    }

    if (flags & NGX_DUPLEX_BATCH_LIFETIME) {
        remaining = ngx_duplex_bytes_get(b, 8);

        if (remaining == 0 || remaining > NGX_DUPLEX_BATCH_LIFETIME_MAX) {
            return NGX_ERROR;
        }

        rec->expire = now + remaining;
    }

    ngx_duplex_bytes_get_run(b, key_len, &rec->key);
    ngx_duplex_bytes_get_run(b, value_len, &rec->value);

    if (b->failed
        || flags > (NGX_DUPLEX_BATCH_DELETED | NGX_DUPLEX_BATCH_NODE
                    | NGX_DUPLEX_BATCH_LIFETIME)
        || key_len > NGX_DUPLEX_KEY_MAX
        || value_len > NGX_DUPLEX_VALUE_MAX
        || (rec->deleted && value_len != 0))
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}
