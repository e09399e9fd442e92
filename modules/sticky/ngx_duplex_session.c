
/*
 * See the header.  The value of a record is 8 bytes, big-endian.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_bytes.h"
#include "../core/ngx_duplex_clock.h"
#include "../core/ngx_duplex_identity.h"
#include "ngx_duplex_session.h"


#define NGX_DUPLEX_SESSION_FRESH     1000                       /* ms */

#define NGX_DUPLEX_SESSION_SALT      "nginx-duplex session "
#define NGX_DUPLEX_SESSION_SALT_LEN  (sizeof(NGX_DUPLEX_SESSION_SALT) - 1)


static ngx_uint_t ngx_duplex_session_is_fresh(
    ngx_duplex_dense_record_t *record);
static void ngx_duplex_session_record(ngx_duplex_session_t *session,
    ngx_duplex_record_t *rec);


ngx_duplex_kind_t  ngx_duplex_session_kind = {
    NGX_DUPLEX_TAG('s', 'e', 's', 's'),
    ngx_string("session"),
    0,
    NULL
};


void
ngx_duplex_session_hash_key(ngx_duplex_siphash_key_t *key, ngx_str_t *zone)
{
    u_char     *p, text[NGX_DUPLEX_SESSION_SALT_LEN + NGX_DUPLEX_ZONE_MAX];
    ngx_str_t   salted;

    p = ngx_cpymem(text, NGX_DUPLEX_SESSION_SALT, NGX_DUPLEX_SESSION_SALT_LEN);
    p = ngx_cpymem(p, zone->data, ngx_min(zone->len, NGX_DUPLEX_ZONE_MAX));

    salted.data = text;
    salted.len = p - text;

    ngx_duplex_siphash_key(key, &salted);
}


void
ngx_duplex_session_name(ngx_duplex_session_t *session,
    ngx_duplex_siphash_key_t *key, ngx_str_t *value)
{
    ngx_duplex_siphash(key, value->data, value->len, session->key);
}


ngx_int_t
ngx_duplex_session_find(ngx_duplex_zone_t *zone, ngx_duplex_session_t *session)
{
    ngx_duplex_dense_record_t  record;

    if (ngx_duplex_dense_find(zone->table, session->key, &record,
                              ngx_current_msec)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    session->server = record.value;
    session->left = record.expire - ngx_current_msec;
    session->fresh = ngx_duplex_session_is_fresh(&record);

    return NGX_OK;
}


/* by the wall clock: with a node whose clock is ahead nothing is fresh */

static ngx_uint_t
ngx_duplex_session_is_fresh(ngx_duplex_dense_record_t *record)
{
    uint64_t     now, then;
    ngx_time_t  *tp;

    if (record->node == ngx_duplex_identity()->id) {
        return 0;
    }

    tp = ngx_timeofday();

    now = (uint64_t) tp->sec * 1000 + tp->msec;
    then = ngx_duplex_clock_ms(record->time);

    return then <= now && now - then < NGX_DUPLEX_SESSION_FRESH;
}


ngx_int_t
ngx_duplex_session_bind(ngx_duplex_zone_t *zone, ngx_duplex_session_t *session,
    ngx_msec_t timeout)
{
    u_char               value[NGX_DUPLEX_DENSE_VALUE_LEN];
    ngx_duplex_record_t  rec;

    (void) ngx_duplex_bytes_put(value, session->server, sizeof(value));

    ngx_duplex_session_record(session, &rec);

    rec.value.data = value;
    rec.value.len = NGX_DUPLEX_DENSE_VALUE_LEN;
    rec.expire = ngx_duplex_clock_monotonic() + timeout;

    return ngx_duplex_store_apply(zone->table, &rec);
}


ngx_int_t
ngx_duplex_session_end(ngx_duplex_zone_t *zone, ngx_duplex_session_t *session)
{
    ngx_duplex_record_t  rec;

    ngx_duplex_session_record(session, &rec);

    rec.deleted = 1;

    return ngx_duplex_store_apply(zone->table, &rec);
}


uint64_t
ngx_duplex_session_server(ngx_duplex_record_t *rec)
{
    ngx_duplex_bytes_t  b;

    b.pos = rec->value.data;
    b.last = rec->value.data + rec->value.len;
    b.failed = 0;

    return ngx_duplex_bytes_get(&b, NGX_DUPLEX_DENSE_VALUE_LEN);
}


static void
ngx_duplex_session_record(ngx_duplex_session_t *session,
    ngx_duplex_record_t *rec)
{
    ngx_memzero(rec, sizeof(ngx_duplex_record_t));

    rec->kind = ngx_duplex_session_kind.tag;
    rec->key.data = session->key;
    rec->key.len = NGX_DUPLEX_SESSION_KEY_LEN;
}
