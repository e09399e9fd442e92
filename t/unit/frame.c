
/*
 * links: modules/sync/ngx_duplex_crc.c
 * links: modules/sync/ngx_duplex_frame.c modules/sync/ngx_duplex_batch.c
 * links: modules/core/ngx_duplex_identity.c
 *
 * The synchronisation protocol's frames: what is written is read again, and
 * nothing else is taken for a frame.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../../modules/sync/ngx_duplex_batch.h"
#include "../../modules/sync/ngx_duplex_frame.h"
#include "unit.h"


#define ROOM  (NGX_DUPLEX_FRAME_MAX_SIZE + 1024)

#define NOW   1000000ULL


static u_char  buf[ROOM];


typedef u_char *(*put_pt)(u_char *p);
typedef ngx_int_t (*get_pt)(ngx_duplex_frame_t *frame);


static u_char *
put_hello(u_char *p)
{
    ngx_duplex_hello_t  hello = {
        1, 3, 0x1122334455667788ULL, 0x99aabbccddeeff00ULL,
        ngx_string("node-a.example"), ngx_string("prod"),
        ngx_string("0123456789abcdef"), ngx_string("key1key2")
    };

    return ngx_duplex_frame_put_hello(p, &hello);
}


static ngx_int_t
get_hello(ngx_duplex_frame_t *frame)
{
    ngx_duplex_hello_t  hello;

    if (ngx_duplex_frame_get_hello(frame, &hello) != NGX_OK) {
        return NGX_ERROR;
    }

    return hello.lowest == 1 && hello.highest == 3
           && hello.incarnation == 0x1122334455667788ULL
           && hello.clock == 0x99aabbccddeeff00ULL
           && hello.node.len == 14
           && ngx_memcmp(hello.node.data, "node-a.example", 14) == 0
           && hello.cluster.len == 4
           && ngx_memcmp(hello.cluster.data, "prod", 4) == 0
           && hello.nonce.len == NGX_DUPLEX_NONCE_SIZE
           && hello.keys.len == 2 * NGX_DUPLEX_KEY_ID
           && ngx_memcmp(hello.keys.data, "key1key2", 8) == 0
           ? NGX_OK : NGX_DECLINED;
}


static u_char *
put_welcome(u_char *p)
{
    ngx_duplex_welcome_t  welcome = {
        1, 7, 8, ngx_string("b"), ngx_string("0123456789abcdef"),
        ngx_string("key2"), ngx_string("0123456789abcdef0123456789ABCDEF")
    };

    return ngx_duplex_frame_put_welcome(p, &welcome);
}


static ngx_int_t
get_welcome(ngx_duplex_frame_t *frame)
{
    ngx_duplex_welcome_t  welcome;

    if (ngx_duplex_frame_get_welcome(frame, &welcome) != NGX_OK) {
        return NGX_ERROR;
    }

    return welcome.version == 1 && welcome.incarnation == 7
           && welcome.clock == 8 && welcome.node.len == 1
           && welcome.node.data[0] == 'b'
           && welcome.nonce.len == NGX_DUPLEX_NONCE_SIZE
           && welcome.key.len == NGX_DUPLEX_KEY_ID
           && welcome.proof.len == NGX_DUPLEX_PROOF_SIZE
           && welcome.proof.data[31] == 'F'
           ? NGX_OK : NGX_DECLINED;
}


static u_char *
put_auth(u_char *p)
{
    return ngx_duplex_frame_put_auth(p, (u_char *)
                                        "0123456789abcdef0123456789ABCDEF");
}


static ngx_int_t
get_auth(ngx_duplex_frame_t *frame)
{
    u_char  *proof;

    if (ngx_duplex_frame_get_auth(frame, &proof) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_memcmp(proof, "0123456789abcdef0123456789ABCDEF", 32) == 0
           ? NGX_OK : NGX_DECLINED;
}


static u_char *
put_refuse(u_char *p)
{
    return ngx_duplex_frame_put_refuse(p, ngx_duplex_refuse_clock);
}


static ngx_int_t
get_refuse(ngx_duplex_frame_t *frame)
{
    ngx_duplex_refusal_t  refusal;

    if (ngx_duplex_frame_get_refuse(frame, &refusal) != NGX_OK) {
        return NGX_ERROR;
    }

    return refusal.reason == ngx_duplex_refuse_clock
           && refusal.text.len == 5
           && ngx_memcmp(refusal.text.data, "clock", 5) == 0
           ? NGX_OK : NGX_DECLINED;
}


static u_char *
put_table(u_char *p)
{
    ngx_duplex_announce_t  announce = {
        63, 0x73657373, 5, (uint64_t) -1, ngx_string("sessions")
    };

    return ngx_duplex_frame_put_table(p, &announce);
}


static ngx_int_t
get_table(ngx_duplex_frame_t *frame)
{
    ngx_duplex_announce_t  announce;

    if (ngx_duplex_frame_get_table(frame, &announce) != NGX_OK) {
        return NGX_ERROR;
    }

    return announce.index == 63 && announce.kind == 0x73657373
           && announce.incarnation == 5 && announce.head == (uint64_t) -1
           && announce.name.len == 8
           && ngx_memcmp(announce.name.data, "sessions", 8) == 0
           ? NGX_OK : NGX_DECLINED;
}


static u_char *
put_ack(u_char *p)
{
    ngx_duplex_ack_t  ack = { 2, 0x0102030405060708ULL, 1 };

    return ngx_duplex_frame_put_ack(p, &ack);
}


static ngx_int_t
get_ack(ngx_duplex_frame_t *frame)
{
    ngx_duplex_ack_t  ack;

    if (ngx_duplex_frame_get_ack(frame, &ack) != NGX_OK) {
        return NGX_ERROR;
    }

    return ack.index == 2 && ack.position == 0x0102030405060708ULL
           && ack.not_here
           ? NGX_OK : NGX_DECLINED;
}


static u_char *
put_ping(u_char *p)
{
    return ngx_duplex_frame_put_ping(p, 0x01020304);
}


static ngx_int_t
get_ping(ngx_duplex_frame_t *frame)
{
    uint32_t  age;

    if (ngx_duplex_frame_get_ping(frame, &age) != NGX_OK) {
        return NGX_ERROR;
    }

    return age == 0x01020304 ? NGX_OK : NGX_DECLINED;
}


static u_char *
put_synced(u_char *p)
{
    return ngx_duplex_frame_put_empty(p, ngx_duplex_frame_synced);
}


/* four records: all the flags, an empty value, a key of full length */

static u_char  long_key[NGX_DUPLEX_KEY_MAX];

static ngx_duplex_record_t  records[] = {
    { .kind = 7, .zone = ngx_string("http:app"), .key = ngx_string("k1"),
      .value = ngx_string("v1"), .time = 11, .node = 1 },
    { .kind = 7, .zone = ngx_string("http:app"), .key = ngx_string("k2"),
      .value = ngx_string("value two"), .time = 12, .node = 99,
      .expire = NOW + 5000 },
    { .kind = 7, .zone = ngx_string("http:app"), .key = ngx_string("k3"),
      .value = ngx_null_string, .time = 13, .node = 1,
      .expire = NOW - 1, .deleted = 1 },
    { .kind = 7, .zone = ngx_string("http:app"),
      .key = { sizeof(long_key), long_key },
      .value = ngx_null_string, .time = 14, .node = 2 },
};

#define RECORDS  (sizeof(records) / sizeof(records[0]))


static u_char *
put_records(u_char *p)
{
    ngx_uint_t          i;
    ngx_duplex_batch_t  batch;

    ngx_memzero(&batch, sizeof(batch));

    batch.index = 3;
    batch.kind = records[0].kind;
    batch.zone = records[0].zone;

    ngx_duplex_batch_begin(&batch, p);

    for (i = 0; i < RECORDS; i++) {
        ngx_duplex_batch_add(&batch, &records[i], 1, NOW);
    }

    return ngx_duplex_batch_end(&batch, 4711);
}


static ngx_int_t
get_records(ngx_duplex_frame_t *frame)
{
    uint64_t              expire;
    ngx_uint_t            i;
    ngx_duplex_batch_t    batch;
    ngx_duplex_record_t   rec, *r;

    if (ngx_duplex_batch_open(&batch, frame) != NGX_OK) {
        return NGX_ERROR;
    }

    if (batch.index != 3 || batch.position != 4711 || batch.count != RECORDS) {
        return NGX_DECLINED;
    }

    for (i = 0; i < RECORDS; i++) {

        r = &records[i];

        if (ngx_duplex_batch_next(&batch, &rec, 1, NOW + 100) != NGX_OK) {
            return NGX_DECLINED;
        }

        /* what is over has 1 ms left: its tombstone is news all the same */

        expire = r->expire == 0 ? 0
                 : 100 + (r->expire > NOW ? r->expire : NOW + 1);

        if (rec.kind != r->kind || rec.time != r->time || rec.node != r->node
            || rec.deleted != r->deleted || rec.expire != expire
            || rec.zone.len != r->zone.len || rec.key.len != r->key.len
            || rec.value.len != r->value.len
            || ngx_memcmp(rec.key.data, r->key.data, r->key.len) != 0
            || (r->value.len
                && ngx_memcmp(rec.value.data, r->value.data, r->value.len)))
        {
            return NGX_DECLINED;
        }
    }

    return ngx_duplex_batch_next(&batch, &rec, 1, NOW) == NGX_DONE
           ? NGX_OK : NGX_DECLINED;
}


static struct {
    const char  *name;
    ngx_uint_t   type;
    put_pt       put;
    get_pt       get;
    ngx_uint_t   longer;        /* may have fields we do not know */
} frames[] = {
    { "HELLO", ngx_duplex_frame_hello, put_hello, get_hello, 1 },
    { "WELCOME", ngx_duplex_frame_welcome, put_welcome, get_welcome, 1 },
    { "REFUSE", ngx_duplex_frame_refuse, put_refuse, get_refuse, 0 },
    { "TABLE", ngx_duplex_frame_table, put_table, get_table, 0 },
    { "RECORDS", ngx_duplex_frame_records, put_records, get_records, 0 },
    { "ACK", ngx_duplex_frame_ack, put_ack, get_ack, 0 },
    { "PING", ngx_duplex_frame_ping, put_ping, get_ping, 0 },
    { "AUTH", ngx_duplex_frame_auth, put_auth, get_auth, 0 },
    { "SYNCED", ngx_duplex_frame_synced, put_synced,
      ngx_duplex_frame_get_empty, 0 }
};

#define FRAMES  (sizeof(frames) / sizeof(frames[0]))


/* exactly sized, so that the sanitizer sees a read beyond the end */

static u_char *
exact(u_char *data, size_t len)
{
    u_char  *p;

    p = malloc(len ? len : 1);
    ngx_memcpy(p, data, len);

    return p;
}


static ngx_int_t
parse(ngx_duplex_frame_t *frame, u_char *p, size_t len)
{
    return ngx_duplex_frame_parse(frame, p, p + len, NGX_DUPLEX_FRAME_MAX);
}


static void
test_whole(ngx_uint_t n)
{
    u_char              *p, *last;
    size_t               size, len;
    ngx_int_t            rc;
    ngx_uint_t           again;
    ngx_duplex_frame_t   frame;

    last = frames[n].put(buf);
    size = last - buf;

    p = exact(buf, size);

    is_int(parse(&frame, p, size), NGX_OK, "%s is a frame", frames[n].name);
    is_int(frame.type, frames[n].type, "%s has its type", frames[n].name);
    ok(frame.last == p + size, "%s ends where it ends", frames[n].name);
    is_int(frames[n].get(&frame), NGX_OK, "%s says what was said",
           frames[n].name);

    free(p);

    again = 0;

    for (len = 0; len < size; len++) {
        p = exact(buf, len);
        rc = parse(&frame, p, len);
        again += (rc == NGX_AGAIN);
        free(p);
    }

    is_int(again, size, "%s is awaited byte by byte", frames[n].name);
}


/* payloads that are shorter or longer, with a proper header */

static void
test_lengths(ngx_uint_t n)
{
    u_char              *p, *last, *end;
    ngx_uint_t           refused, flags;
    ngx_duplex_frame_t   frame;

    last = frames[n].put(buf);
    flags = buf[5];
    refused = 0;

    for (end = buf + NGX_DUPLEX_FRAME_HEADER; end < last; end++) {

        ngx_duplex_frame_seal(buf, end, frames[n].type, flags);

        p = exact(buf, end - buf);

        refused += parse(&frame, p, end - buf) == NGX_OK
                   && frames[n].get(&frame) == NGX_ERROR
                   && frame.malformed != ngx_duplex_malformed_no;
        free(p);
    }

    is_int(refused, last - buf - NGX_DUPLEX_FRAME_HEADER,
           "%s that ends early is refused, wherever", frames[n].name);

    ngx_memzero(last, 3);
    ngx_duplex_frame_seal(buf, last + 3, frames[n].type, flags);

    (void) parse(&frame, buf, last + 3 - buf);

    is_int(frames[n].get(&frame), frames[n].longer ? NGX_OK : NGX_ERROR,
           "%s that goes on is %s", frames[n].name,
           frames[n].longer ? "of a later version" : "refused");
}


static void
test_bits(ngx_uint_t n)
{
    u_char              *last;
    size_t               size;
    ngx_int_t            rc;
    ngx_uint_t           bit, taken;
    ngx_duplex_frame_t   frame;

    last = frames[n].put(buf);
    size = last - buf;
    taken = 0;

    for (bit = 0; bit < size * 8; bit++) {

        buf[bit / 8] ^= 1 << bit % 8;

        rc = parse(&frame, buf, size);

        /* only a length that has grown makes it wait */

        if (rc == NGX_OK || (rc == NGX_AGAIN && bit >= 32)) {
            taken++;
        }

        buf[bit / 8] ^= 1 << bit % 8;
    }

    is_int(taken, 0, "%s with one bit changed is refused", frames[n].name);
}


/* changed bytes with a proper checksum: a hostile node */

static void
test_hostile(ngx_uint_t n)
{
    u_char              *p, *last;
    size_t               size;
    ngx_uint_t           i, at, flags;
    ngx_duplex_frame_t   frame;

    srandom(4711 + n);

    for (i = 0; i < 5000; i++) {

        last = frames[n].put(buf);
        size = last - buf;
        flags = buf[5];

        for (at = random() % 4; size > NGX_DUPLEX_FRAME_HEADER && at; at--) {
            buf[NGX_DUPLEX_FRAME_HEADER
                + random() % (size - NGX_DUPLEX_FRAME_HEADER)] = random();
        }

        ngx_duplex_frame_seal(buf, last, frames[n].type, flags);

        p = exact(buf, size);

        if (parse(&frame, p, size) == NGX_OK) {
            (void) frames[n].get(&frame);
        }

        free(p);
    }

    ok(1, "%s with 5000 changes was read within its bounds", frames[n].name);
}


static void
test_headers(void)
{
    ngx_uint_t           i;
    ngx_duplex_frame_t   frame;

    static struct {
        const char              *name;
        u_char                   header[NGX_DUPLEX_FRAME_HEADER];
        ngx_duplex_malformed_e   why;
    } bad[] = {
        { "4 GB", { 0xff, 0xff, 0xff, 0xff, 5 }, ngx_duplex_malformed_length },
        { "2 GB", { 0x80, 0, 0, 0, 5 }, ngx_duplex_malformed_length },
        { "one more than allowed", { 0, 1, 0, 1, 5 },
          ngx_duplex_malformed_length },
        { "type 0", { 0, 0, 0, 0, 0 }, ngx_duplex_malformed_type },
        { "type 12", { 0, 0, 0, 0, 12 }, ngx_duplex_malformed_type },
        { "a flag of PING", { 0, 0, 0, 0, 8, 1 }, ngx_duplex_malformed_flags },
        { "flag 2 of ACK", { 0, 0, 0, 10, 6, 2 }, ngx_duplex_malformed_flags },
        { "a reserved field", { 0, 0, 0, 0, 8, 0, 0, 1 },
          ngx_duplex_malformed_flags },
        { "no checksum", { 0, 0, 0, 0, 8 }, ngx_duplex_malformed_checksum },
        { "HTTP", { 'G', 'E', 'T', ' ', '/', ' ', 'H', 'T', 'T', 'P' },
          ngx_duplex_malformed_type }
    };

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        is_int(parse(&frame, bad[i].header, NGX_DUPLEX_FRAME_HEADER),
               NGX_ERROR, "%s is refused by its header", bad[i].name);
        is_int(frame.malformed, bad[i].why, "%s: %s", bad[i].name,
               ngx_duplex_malformed_text(bad[i].why));
    }

    (void) put_records(buf);

    is_int(ngx_duplex_frame_parse(&frame, buf, buf + NGX_DUPLEX_FRAME_HEADER,
                                  NGX_DUPLEX_FRAME_SMALL),
           NGX_ERROR, "a large frame before the handshake is refused");
}


static void
test_names(void)
{
    u_char              *p;
    ngx_duplex_frame_t   frame;
    ngx_duplex_hello_t   hello;

    p = put_hello(buf);

    /* its name comes after magic, versions, incarnation, clock, length */

    buf[NGX_DUPLEX_FRAME_HEADER + 8 + 4 + 16 + 1] = '\n';

    ngx_duplex_frame_seal(buf, p, ngx_duplex_frame_hello, 0);

    (void) parse(&frame, buf, p - buf);

    is_int(ngx_duplex_frame_get_hello(&frame, &hello), NGX_ERROR,
           "a name with a line feed is refused");
    is_int(frame.malformed, ngx_duplex_malformed_name, "as a name");
}


int
main(void)
{
    ngx_uint_t  n;

    ngx_memset(long_key, 'k', sizeof(long_key));

    for (n = 0; n < FRAMES; n++) {
        test_whole(n);
        test_lengths(n);
        test_bits(n);
        test_hostile(n);
    }

    test_headers();
    test_names();

    return done_testing();
}
