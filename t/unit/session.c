
/*
 * links: modules/sticky/ngx_duplex_session.c modules/core/ngx_duplex_clock.c
 *
 * What a session looks like in the store, and so on the wire.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../../modules/core/ngx_duplex_clock.h"
#include "../../modules/core/ngx_duplex_identity.h"
#include "../../modules/sticky/ngx_duplex_session.h"
#include "unit.h"


/* the store: the last record */

static ngx_duplex_record_t  last;
static u_char               key[64], value[64];


ngx_int_t
ngx_duplex_store_apply(ngx_duplex_table_t *table, ngx_duplex_record_t *rec)
{
    last = *rec;

    ngx_memcpy(key, rec->key.data, rec->key.len);
    ngx_memcpy(value, rec->value.data, rec->value.len);

    last.key.data = key;
    last.value.data = value;

    return NGX_OK;
}


ngx_int_t
ngx_duplex_store_get(ngx_duplex_table_t *table, ngx_duplex_record_t *rec,
    u_char *buf, size_t size)
{
    if (rec->key.len != last.key.len
        || ngx_memcmp(rec->key.data, key, rec->key.len) != 0)
    {
        return NGX_DECLINED;
    }

    rec->value = last.value;
    rec->expire = last.expire;
    rec->time = last.time;
    rec->node = last.node;

    return NGX_OK;
}


ngx_duplex_identity_t *
ngx_duplex_identity(void)
{
    static ngx_duplex_identity_t  identity;

    identity.id = 1;

    return &identity;
}


static void
freshness(ngx_duplex_zone_t *zone, ngx_duplex_session_t *session)
{
    uint64_t     now;
    ngx_uint_t   i;
    ngx_time_t  *tp;

    static struct {
        uint64_t     node;
        int64_t      age;
        ngx_uint_t   fresh;
        const char  *name;
    } cases[] = {
        { 1, 10, 0, "this node's is not" },
        { 2, 10, 1, "another's is" },
        { 2, 1500, 0, "after a second it is not" },
        { 2, -3600000, 0, "nor with a clock an hour ahead" },
    };

    tp = ngx_timeofday();
    now = (uint64_t) tp->sec * 1000 + tp->msec;

    for (i = 0; i < 4; i++) {
        last.node = cases[i].node;
        last.time = (now - cases[i].age) << 16;

        (void) ngx_duplex_session_find(zone, session);

        is_int(session->fresh, cases[i].fresh, "fresh: %s", cases[i].name);
    }
}


int
main(void)
{
    u_char                hex[64];
    ngx_str_t             name = ngx_string("alpha"), text;
    ngx_duplex_zone_t     zone;
    ngx_duplex_session_t  session, other;

    ngx_memzero(&zone, sizeof(zone));
    ngx_memzero(&session, sizeof(session));

    ngx_duplex_session_name(&session, &name);
    session.server = 0x0102030405060708ULL;

    is_int(ngx_duplex_session_bind(&zone, &session, 5000), NGX_OK, "bound");

    text.data = hex;
    text.len = ngx_hex_dump(hex, key, last.key.len) - hex;
    is_str(&text, "2c1743a391305fbf367df8e4f069f9f9", "the key is the MD5");

    text.len = ngx_hex_dump(hex, value, last.value.len) - hex;
    is_str(&text, "0102030405060708", "the value is the server, big-endian");

    is_int(last.zone.len, 0, "the zone goes without saying");

    ngx_memzero(&other, sizeof(other));
    ngx_duplex_session_name(&other, &name);

    is_int(ngx_duplex_session_find(&zone, &other), NGX_OK, "found");
    ok(other.server == session.server, "the same server");
    ok(other.left > 4000 && other.left <= 5000, "with its lifetime");

    freshness(&zone, &other);

    last.value.len = 7;
    is_int(ngx_duplex_session_find(&zone, &other), NGX_DECLINED,
           "a value of another length is no session");

    last.value.len = 8;
    last.expire = ngx_duplex_clock_monotonic() - 1;
    is_int(ngx_duplex_session_find(&zone, &other), NGX_OK, "at its end");
    is_int(other.left, 0, "nothing is left");

    other.key[0]++;
    is_int(ngx_duplex_session_find(&zone, &other), NGX_DECLINED, "another one");

    return done_testing();
}
