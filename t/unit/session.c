
/*
 * links: modules/sticky/ngx_duplex_session.c modules/core/ngx_duplex_clock.c
 * links: modules/core/ngx_duplex_siphash.c
 *
 * What a session looks like in the store, and so on the wire.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../../modules/core/ngx_duplex_bytes.h"
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
ngx_duplex_dense_find(ngx_duplex_table_t *table, const u_char *wanted,
    ngx_duplex_dense_record_t *record, uint64_t now)
{
    ngx_duplex_bytes_t  b;

    if (ngx_memcmp(wanted, key, last.key.len) != 0) {
        return NGX_DECLINED;
    }

    b.pos = value;
    b.last = value + last.value.len;
    b.failed = 0;

    record->value = ngx_duplex_bytes_get(&b, 8);
    record->expire = last.expire;
    record->time = last.time;
    record->node = last.node;

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
    u_char                    hex[64];
    ngx_str_t                 name = ngx_string("alpha"), text;
    ngx_str_t                 app = ngx_string("app");
    ngx_duplex_zone_t         zone;
    ngx_duplex_session_t      session, other;
    ngx_duplex_siphash_key_t  hash;

    ngx_memzero(&zone, sizeof(zone));
    ngx_memzero(&session, sizeof(session));

    ngx_duplex_session_hash_key(&hash, &app);
    ngx_duplex_session_name(&session, &hash, &name);
    session.server = 0x0102030405060708ULL;

    is_int(ngx_duplex_session_bind(&zone, &session, 5000), NGX_OK, "bound");

    text.data = hex;
    text.len = ngx_hex_dump(hex, key, last.key.len) - hex;
    is_str(&text, "2ab27bd4961506ec4ab7ec55a8641054",
           "the key is the same on every node");

    text.len = ngx_hex_dump(hex, value, last.value.len) - hex;
    is_str(&text, "0102030405060708", "the value is the server, big-endian");

    is_int(last.zone.len, 0, "the zone goes without saying");

    ngx_memzero(&other, sizeof(other));
    ngx_duplex_session_name(&other, &hash, &name);

    ngx_time_update();

    is_int(ngx_duplex_session_find(&zone, &other), NGX_OK, "found");
    ok(other.server == session.server, "the same server");
    ok(other.left > 4000 && other.left <= 5000, "with its lifetime");

    freshness(&zone, &other);

    ngx_duplex_session_hash_key(&hash, &name);
    ngx_duplex_session_name(&other, &hash, &name);
    is_int(ngx_duplex_session_find(&zone, &other), NGX_DECLINED,
           "another zone hashes in another way");

    return done_testing();
}
