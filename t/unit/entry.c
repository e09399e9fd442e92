/*
 * links: modules/core/ngx_duplex_entry.c
 *
 * The bytes of the journal: whole, cut after each byte, each bit flipped.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../../modules/core/ngx_duplex_entry.h"
#include "unit.h"


static u_char  value[NGX_DUPLEX_VALUE_MAX];


static void
fill(ngx_duplex_record_t *rec)
{
    ngx_memzero(rec, sizeof(ngx_duplex_record_t));

    rec->kind = 0x61646d6e;
    ngx_str_set(&rec->zone, "http:app");
    ngx_str_set(&rec->key, "127.0.0.1:80 127.0.0.1:80 0");
    ngx_str_set(&rec->value, "\3");
    rec->time = 0x0123456789abcdef;
    rec->node = 0xfedcba9876543210;
}


/* a copy in memory of exactly its size: the sanitizer sees what is beyond */

static u_char *
copy(u_char *data, size_t len)
{
    u_char  *p;

    p = malloc(len ? len : 1);

    if (len) {
        ngx_memcpy(p, data, len);
    }

    return p;
}


static void
header(void)
{
    u_char      buf[NGX_DUPLEX_JOURNAL_HEADER_MAX], *p, *mem;
    size_t      len, i;
    ngx_str_t   node, want = ngx_string("node-a");
    ngx_uint_t  bad;

    len = ngx_duplex_entry_put_header(buf, &want) - buf;

    p = buf;
    is_int(ngx_duplex_entry_get_header(&p, buf + len, &node), NGX_OK,
           "header");
    is_str(&node, "node-a", "its node");
    ok(p == buf + len, "its end");

    for (i = 0, bad = 0; i < len; i++) {
        mem = p = copy(buf, i);
        bad += ngx_duplex_entry_get_header(&p, mem + i, &node) != NGX_DECLINED
               || p != mem;
        free(mem);
    }

    is_int(bad, 0, "header cut after each byte");

    for (i = 0, bad = 0; i < len * 8; i++) {
        mem = p = copy(buf, len);
        mem[i / 8] ^= 1 << i % 8;
        bad += ngx_duplex_entry_get_header(&p, mem + len, &node) == NGX_OK;
        free(mem);
    }

    is_int(bad, 0, "header with each bit flipped");
}


static void
record(void)
{
    u_char               *buf, *p, *mem;
    size_t                len, i;
    ngx_uint_t            bad;
    ngx_duplex_entry_t    e;
    ngx_duplex_record_t   rec;

    buf = malloc(NGX_DUPLEX_ENTRY_MAX);

    fill(&rec);

    len = ngx_duplex_entry_put_record(buf, &rec, 77) - buf;

    mem = p = copy(buf, len);
    is_int(ngx_duplex_entry_get(&p, mem + len, &e), NGX_OK, "record");
    is_int(e.type, ngx_duplex_entry_record, "type");
    is_int(e.record.kind, rec.kind, "kind");
    is_str(&e.record.zone, "http:app", "zone");
    is_str(&e.record.key, "127.0.0.1:80 127.0.0.1:80 0", "key");
    is_str(&e.record.value, "\3", "value");
    ok(e.record.time == rec.time && e.record.node == rec.node,
       "time and node");
    is_int(e.until, 77, "until");
    is_int(e.record.deleted, 0, "not deleted");
    is_int(ngx_duplex_entry_get(&p, mem + len, &e), NGX_DONE, "the end");
    free(mem);

    for (i = 1, bad = 0; i < len; i++) {
        mem = p = copy(buf, i);
        bad += ngx_duplex_entry_get(&p, mem + i, &e) != NGX_DECLINED
               || p != mem;
        free(mem);
    }

    is_int(bad, 0, "record cut after each byte");

    for (i = 0, bad = 0; i < len * 8; i++) {
        mem = p = copy(buf, len);
        mem[i / 8] ^= 1 << i % 8;
        bad += ngx_duplex_entry_get(&p, mem + len, &e) == NGX_OK;
        free(mem);
    }

    is_int(bad, 0, "record with each bit flipped");

    rec.deleted = 1;
    ngx_str_null(&rec.value);
    p = buf;
    len = ngx_duplex_entry_put_record(buf, &rec, 78) - buf;
    is_int(ngx_duplex_entry_get(&p, buf + len, &e), NGX_OK, "tombstone");
    ok(e.record.deleted && e.record.value.len == 0, "is one");

    fill(&rec);
    rec.zone.data = rec.key.data = rec.value.data = value;
    rec.zone.len = NGX_DUPLEX_ZONE_MAX;
    rec.key.len = NGX_DUPLEX_KEY_MAX;
    rec.value.len = NGX_DUPLEX_VALUE_MAX;

    p = buf;
    len = ngx_duplex_entry_put_record(buf, &rec, 0) - buf;
    is_int(len, NGX_DUPLEX_ENTRY_MAX, "the largest record");
    is_int(ngx_duplex_entry_get(&p, buf + len, &e), NGX_OK, "is read");
    is_int(e.record.value.len, NGX_DUPLEX_VALUE_MAX, "whole");

    free(buf);
}


static void
follows(void)
{
    u_char                buf[512], *p, *second, *third, *last;
    ngx_duplex_entry_t    e;
    ngx_duplex_record_t   rec;

    fill(&rec);

    second = ngx_duplex_entry_put_record(buf, &rec, 0);
    third = ngx_duplex_entry_put_clock(second, 99);
    last = ngx_duplex_entry_put_record(third, &rec, 0);

    p = second;
    is_int(ngx_duplex_entry_get(&p, last, &e), NGX_OK, "clock");
    ok(e.type == ngx_duplex_entry_clock && e.time == 99, "its time");
    ok(p == third, "its end");

    buf[20] ^= 1;
    p = buf;
    is_int(ngx_duplex_entry_get(&p, last, &e), NGX_ERROR, "a bad entry");
    ok(ngx_duplex_entry_follows(buf, last), "that others follow");

    third[20] ^= 1;
    ok(!ngx_duplex_entry_follows(third, last), "that nothing follows");

    ngx_memzero(third, last - third);
    p = third;
    is_int(ngx_duplex_entry_get(&p, last, &e), NGX_ERROR, "zeroes");
    ok(!ngx_duplex_entry_follows(third, last), "that nothing follows");
}


int
main(void)
{
    header();
    record();
    follows();

    return done_testing();
}
