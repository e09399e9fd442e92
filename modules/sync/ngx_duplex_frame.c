
/*
 * The frames of the synchronisation protocol; see the header and
 * docs/sync-protocol.md.  RECORDS is ngx_duplex_batch.c.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_identity.h"
#include "../core/ngx_duplex_bytes.h"
#include "ngx_duplex_crc.h"
#include "ngx_duplex_frame.h"


static uint32_t ngx_duplex_frame_crc(u_char *start, u_char *last);
static ngx_int_t ngx_duplex_frame_done(ngx_duplex_frame_t *frame,
    ngx_duplex_bytes_t *b, ngx_uint_t longer);
static ngx_int_t ngx_duplex_frame_malformed(ngx_duplex_frame_t *frame,
    ngx_duplex_malformed_e why);


static const char  ngx_duplex_frame_magic[] = "NGXDUPLX";

#define NGX_DUPLEX_FRAME_MAGIC_LEN  (sizeof(ngx_duplex_frame_magic) - 1)


static const char *const  ngx_duplex_malformed_texts[] = {
    "well-formed",
    "bad length",
    "unknown type",
    "unknown flags",
    "bad checksum",
    "bad magic",
    "bad payload",
    "bad name",
    "not expected now",
    "unknown table",
    "wrong kind of record",
    "bad authentication code"
};


static const char *const  ngx_duplex_refuse_texts[] = {
    "unknown",
    "self",
    "name",
    "version",
    "clock",
    "cluster",
    "full",
    "secret"
};


const char *
ngx_duplex_malformed_text(ngx_duplex_malformed_e why)
{
    return ngx_duplex_malformed_texts[why];
}


const char *
ngx_duplex_refuse_text(ngx_uint_t reason)
{
    if (reason > ngx_duplex_refuse_secret) {
        reason = 0;
    }

    return ngx_duplex_refuse_texts[reason];
}


ngx_int_t
ngx_duplex_frame_parse(ngx_duplex_frame_t *frame, u_char *pos, u_char *last,
    size_t max)
{
    size_t              len;
    uint32_t            crc;
    ngx_uint_t          reserved;
    ngx_duplex_bytes_t  b;

    if (last - pos < NGX_DUPLEX_FRAME_HEADER) {
        return NGX_AGAIN;
    }

    b.pos = pos;
    b.last = last;
    b.failed = 0;

    len = (size_t) ngx_duplex_bytes_get(&b, 4);
    frame->type = (ngx_uint_t) ngx_duplex_bytes_get(&b, 1);
    frame->flags = (ngx_uint_t) ngx_duplex_bytes_get(&b, 1);
    reserved = (ngx_uint_t) ngx_duplex_bytes_get(&b, 2);
    crc = (uint32_t) ngx_duplex_bytes_get(&b, 4);

    /* refused by the header alone: nobody waits for 4 GB to come */

    if (frame->type < ngx_duplex_frame_hello
        || frame->type > ngx_duplex_frame_auth)
    {
        return ngx_duplex_frame_malformed(frame, ngx_duplex_malformed_type);
    }

    if (reserved != 0
        || (frame->flags != 0
            && (frame->type != ngx_duplex_frame_ack
                || frame->flags != NGX_DUPLEX_FRAME_NOT_HERE)))
    {
        return ngx_duplex_frame_malformed(frame, ngx_duplex_malformed_flags);
    }

    if (len > max) {
        return ngx_duplex_frame_malformed(frame, ngx_duplex_malformed_length);
    }

    if ((size_t) (last - b.pos) < len) {
        return NGX_AGAIN;
    }

    if (ngx_duplex_frame_crc(pos, b.pos + len) != crc) {
        return ngx_duplex_frame_malformed(frame,
                                          ngx_duplex_malformed_checksum);
    }

    frame->payload = b.pos;
    frame->last = b.pos + len;

    return NGX_OK;
}


u_char *
ngx_duplex_frame_seal(u_char *start, u_char *last, ngx_uint_t type,
    ngx_uint_t flags)
{
    u_char  *p, *payload;

    payload = start + NGX_DUPLEX_FRAME_HEADER;

    p = ngx_duplex_bytes_put(start, last - payload, 4);
    p = ngx_duplex_bytes_put(p, type, 1);
    p = ngx_duplex_bytes_put(p, flags, 1);
    p = ngx_duplex_bytes_put(p, 0, 2);

    ngx_duplex_bytes_put(p, ngx_duplex_frame_crc(start, last), 4);

    return last;
}


u_char *
ngx_duplex_frame_put_hello(u_char *start, ngx_duplex_hello_t *hello)
{
    u_char  *p;

    p = start + NGX_DUPLEX_FRAME_HEADER;

    p = ngx_cpymem(p, ngx_duplex_frame_magic, NGX_DUPLEX_FRAME_MAGIC_LEN);
    p = ngx_duplex_bytes_put(p, hello->lowest, 2);
    p = ngx_duplex_bytes_put(p, hello->highest, 2);
    p = ngx_duplex_bytes_put(p, hello->incarnation, 8);
    p = ngx_duplex_bytes_put(p, hello->clock, 8);
    p = ngx_duplex_bytes_put_str(p, &hello->node);
    p = ngx_duplex_bytes_put_str(p, &hello->cluster);
    p = ngx_duplex_bytes_put_str(p, &hello->nonce);
    p = ngx_duplex_bytes_put_str(p, &hello->keys);

    return ngx_duplex_frame_seal(start, p, ngx_duplex_frame_hello, 0);
}


u_char *
ngx_duplex_frame_put_welcome(u_char *start, ngx_duplex_welcome_t *welcome)
{
    u_char  *p;

    p = start + NGX_DUPLEX_FRAME_HEADER;

    p = ngx_duplex_bytes_put(p, welcome->version, 2);
    p = ngx_duplex_bytes_put(p, welcome->incarnation, 8);
    p = ngx_duplex_bytes_put(p, welcome->clock, 8);
    p = ngx_duplex_bytes_put_str(p, &welcome->node);
    p = ngx_duplex_bytes_put_str(p, &welcome->nonce);
    p = ngx_duplex_bytes_put_str(p, &welcome->key);
    p = ngx_duplex_bytes_put_str(p, &welcome->proof);

    return ngx_duplex_frame_seal(start, p, ngx_duplex_frame_welcome, 0);
}


u_char *
ngx_duplex_frame_put_refuse(u_char *start, ngx_uint_t reason)
{
    u_char     *p;
    ngx_str_t   text;

    text.data = (u_char *) ngx_duplex_refuse_text(reason);
    text.len = ngx_strlen(text.data);

    p = start + NGX_DUPLEX_FRAME_HEADER;

    p = ngx_duplex_bytes_put(p, reason, 2);
    p = ngx_duplex_bytes_put_str(p, &text);

    return ngx_duplex_frame_seal(start, p, ngx_duplex_frame_refuse, 0);
}


u_char *
ngx_duplex_frame_put_table(u_char *start, ngx_duplex_announce_t *announce)
{
    u_char  *p;

    p = start + NGX_DUPLEX_FRAME_HEADER;

    p = ngx_duplex_bytes_put(p, announce->index, 2);
    p = ngx_duplex_bytes_put(p, announce->kind, 4);
    p = ngx_duplex_bytes_put(p, announce->incarnation, 8);
    p = ngx_duplex_bytes_put(p, announce->head, 8);
    p = ngx_duplex_bytes_put_str(p, &announce->name);

    return ngx_duplex_frame_seal(start, p, ngx_duplex_frame_table, 0);
}


u_char *
ngx_duplex_frame_put_ack(u_char *start, ngx_duplex_ack_t *ack)
{
    u_char  *p;

    p = start + NGX_DUPLEX_FRAME_HEADER;

    p = ngx_duplex_bytes_put(p, ack->index, 2);
    p = ngx_duplex_bytes_put(p, ack->position, 8);

    return ngx_duplex_frame_seal(start, p, ngx_duplex_frame_ack,
                                 ack->not_here ? NGX_DUPLEX_FRAME_NOT_HERE
                                               : 0);
}


u_char *
ngx_duplex_frame_put_ping(u_char *start, uint32_t age)
{
    u_char  *p;

    p = ngx_duplex_bytes_put(start + NGX_DUPLEX_FRAME_HEADER, age, 4);

    return ngx_duplex_frame_seal(start, p, ngx_duplex_frame_ping, 0);
}


u_char *
ngx_duplex_frame_put_auth(u_char *start, u_char *proof)
{
    u_char  *p;

    p = ngx_cpymem(start + NGX_DUPLEX_FRAME_HEADER, proof,
                   NGX_DUPLEX_PROOF_SIZE);

    return ngx_duplex_frame_seal(start, p, ngx_duplex_frame_auth, 0);
}


u_char *
ngx_duplex_frame_put_empty(u_char *start, ngx_duplex_frame_e type)
{
    return ngx_duplex_frame_seal(start, start + NGX_DUPLEX_FRAME_HEADER,
                                 type, 0);
}


ngx_int_t
ngx_duplex_frame_get_hello(ngx_duplex_frame_t *frame,
    ngx_duplex_hello_t *hello)
{
    ngx_str_t           magic;
    ngx_duplex_bytes_t  b;

    b.pos = frame->payload;
    b.last = frame->last;
    b.failed = 0;

    ngx_duplex_bytes_get_run(&b, NGX_DUPLEX_FRAME_MAGIC_LEN, &magic);

    if (b.failed
        || ngx_memcmp(magic.data, ngx_duplex_frame_magic, magic.len) != 0)
    {
        return ngx_duplex_frame_malformed(frame, ngx_duplex_malformed_magic);
    }

    hello->lowest = (ngx_uint_t) ngx_duplex_bytes_get(&b, 2);
    hello->highest = (ngx_uint_t) ngx_duplex_bytes_get(&b, 2);
    hello->incarnation = ngx_duplex_bytes_get(&b, 8);
    hello->clock = ngx_duplex_bytes_get(&b, 8);
    ngx_duplex_bytes_get_str(&b, &hello->node);
    ngx_duplex_bytes_get_str(&b, &hello->cluster);
    ngx_duplex_bytes_get_str(&b, &hello->nonce);
    ngx_duplex_bytes_get_str(&b, &hello->keys);

    if (ngx_duplex_frame_done(frame, &b, 1) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_duplex_node_name_check(&hello->node) != NGX_OK) {
        return ngx_duplex_frame_malformed(frame, ngx_duplex_malformed_name);
    }

    if (hello->nonce.len != (hello->keys.len ? NGX_DUPLEX_NONCE_SIZE : 0)
        || hello->keys.len % NGX_DUPLEX_KEY_ID)
    {
        return ngx_duplex_frame_malformed(frame, ngx_duplex_malformed_payload);
    }

    return NGX_OK;
}


ngx_int_t
ngx_duplex_frame_get_welcome(ngx_duplex_frame_t *frame,
    ngx_duplex_welcome_t *welcome)
{
    ngx_duplex_bytes_t  b;

    b.pos = frame->payload;
    b.last = frame->last;
    b.failed = 0;

    welcome->version = (ngx_uint_t) ngx_duplex_bytes_get(&b, 2);
    welcome->incarnation = ngx_duplex_bytes_get(&b, 8);
    welcome->clock = ngx_duplex_bytes_get(&b, 8);
    ngx_duplex_bytes_get_str(&b, &welcome->node);
    ngx_duplex_bytes_get_str(&b, &welcome->nonce);
    ngx_duplex_bytes_get_str(&b, &welcome->key);
    ngx_duplex_bytes_get_str(&b, &welcome->proof);

    if (ngx_duplex_frame_done(frame, &b, 1) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_duplex_node_name_check(&welcome->node) != NGX_OK) {
        return ngx_duplex_frame_malformed(frame, ngx_duplex_malformed_name);
    }

    if (welcome->nonce.len != (welcome->key.len ? NGX_DUPLEX_NONCE_SIZE : 0)
        || welcome->proof.len != (welcome->key.len ? NGX_DUPLEX_PROOF_SIZE : 0)
        || (welcome->key.len && welcome->key.len != NGX_DUPLEX_KEY_ID))
    {
        return ngx_duplex_frame_malformed(frame, ngx_duplex_malformed_payload);
    }

    return NGX_OK;
}


ngx_int_t
ngx_duplex_frame_get_refuse(ngx_duplex_frame_t *frame,
    ngx_duplex_refusal_t *refusal)
{
    ngx_duplex_bytes_t  b;

    b.pos = frame->payload;
    b.last = frame->last;
    b.failed = 0;

    refusal->reason = (ngx_uint_t) ngx_duplex_bytes_get(&b, 2);
    ngx_duplex_bytes_get_str(&b, &refusal->text);

    return ngx_duplex_frame_done(frame, &b, 0);
}


ngx_int_t
ngx_duplex_frame_get_table(ngx_duplex_frame_t *frame,
    ngx_duplex_announce_t *announce)
{
    ngx_duplex_bytes_t  b;

    b.pos = frame->payload;
    b.last = frame->last;
    b.failed = 0;

    announce->index = (ngx_uint_t) ngx_duplex_bytes_get(&b, 2);
    announce->kind = (uint32_t) ngx_duplex_bytes_get(&b, 4);
    announce->incarnation = ngx_duplex_bytes_get(&b, 8);
    announce->head = ngx_duplex_bytes_get(&b, 8);
    ngx_duplex_bytes_get_str(&b, &announce->name);

    return ngx_duplex_frame_done(frame, &b, 0);
}


ngx_int_t
ngx_duplex_frame_get_ack(ngx_duplex_frame_t *frame, ngx_duplex_ack_t *ack)
{
    ngx_duplex_bytes_t  b;

    b.pos = frame->payload;
    b.last = frame->last;
    b.failed = 0;

    ack->index = (ngx_uint_t) ngx_duplex_bytes_get(&b, 2);
    ack->position = ngx_duplex_bytes_get(&b, 8);
    ack->not_here = (frame->flags == NGX_DUPLEX_FRAME_NOT_HERE);

    return ngx_duplex_frame_done(frame, &b, 0);
}


ngx_int_t
ngx_duplex_frame_get_ping(ngx_duplex_frame_t *frame, uint32_t *age)
{
    ngx_duplex_bytes_t  b;

    b.pos = frame->payload;
    b.last = frame->last;
    b.failed = 0;

    *age = (uint32_t) ngx_duplex_bytes_get(&b, 4);

    return ngx_duplex_frame_done(frame, &b, 0);
}


ngx_int_t
ngx_duplex_frame_get_auth(ngx_duplex_frame_t *frame, u_char **proof)
{
    if (frame->last - frame->payload != NGX_DUPLEX_PROOF_SIZE) {
        return ngx_duplex_frame_malformed(frame, ngx_duplex_malformed_payload);
    }

    *proof = frame->payload;

    return NGX_OK;
}


ngx_int_t
ngx_duplex_frame_get_empty(ngx_duplex_frame_t *frame)
{
    if (frame->payload != frame->last) {
        return ngx_duplex_frame_malformed(frame,
                                          ngx_duplex_malformed_payload);
    }

    return NGX_OK;
}


/* of all but itself */

static uint32_t
ngx_duplex_frame_crc(u_char *start, u_char *last)
{
    u_char    *payload;
    uint32_t   crc;

    payload = start + NGX_DUPLEX_FRAME_HEADER;

    ngx_crc32_init(crc);
    ngx_duplex_crc_update(&crc, start, NGX_DUPLEX_FRAME_HEADER - 4);
    ngx_duplex_crc_update(&crc, payload, last - payload);
    ngx_crc32_final(crc);

    return crc;
}


/* all fields were there, and nothing after them unless it may be longer */

static ngx_int_t
ngx_duplex_frame_done(ngx_duplex_frame_t *frame, ngx_duplex_bytes_t *b,
    ngx_uint_t longer)
{
    if (b->failed || (b->pos != b->last && !longer)) {
        return ngx_duplex_frame_malformed(frame,
                                          ngx_duplex_malformed_payload);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_duplex_frame_malformed(ngx_duplex_frame_t *frame,
    ngx_duplex_malformed_e why)
{
    frame->malformed = why;

    return NGX_ERROR;
}
