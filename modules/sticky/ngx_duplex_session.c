
/*
 * See the header.  The value of a record is 8 bytes, big-endian; a record
 * with any other length came from a later version and is no session here.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_md5.h>
#include "../core/ngx_duplex_clock.h"
#include "../core/ngx_duplex_identity.h"
#include "ngx_duplex_session.h"


#define NGX_DUPLEX_SESSION_VALUE_LEN  8
#define NGX_DUPLEX_SESSION_FRESH      1000                      /* ms */


static ngx_uint_t ngx_duplex_session_is_fresh(ngx_duplex_record_t *rec);
static void ngx_duplex_session_record(ngx_duplex_session_t *session,
    ngx_duplex_record_t *rec);


ngx_duplex_kind_t  ngx_duplex_session_kind = {
    NGX_DUPLEX_TAG('s', 'e', 's', 's'),
    ngx_string("session"),
    0,
    NULL
};


void
ngx_duplex_session_name(ngx_duplex_session_t *session, ngx_str_t *value)
{
    ngx_md5_t  md5;

    ngx_md5_init(&md5);
    ngx_md5_update(&md5, value->data, value->len);
    ngx_md5_final(session->key, &md5);
}


ngx_int_t
ngx_duplex_session_find(ngx_duplex_zone_t *zone, ngx_duplex_session_t *session)
{
    u_char               buf[64];
    uint64_t             now;
    ngx_uint_t           i;
    ngx_duplex_record_t  rec;

    ngx_duplex_session_record(session, &rec);

    if (ngx_duplex_store_get(zone->table, &rec, buf, sizeof(buf)) != NGX_OK
        || rec.value.len != NGX_DUPLEX_SESSION_VALUE_LEN)
    {
        return NGX_DECLINED;
    }

    session->server = 0;

    for (i = 0; i < NGX_DUPLEX_SESSION_VALUE_LEN; i++) {
        session->server = session->server << 8 | rec.value.data[i];
    }

    now = ngx_duplex_clock_monotonic();
    session->left = rec.expire > now ? rec.expire - now : 0;
    session->fresh = ngx_duplex_session_is_fresh(&rec);

    return NGX_OK;
}


/* by the wall clock: with a node whose clock is ahead nothing is fresh */

static ngx_uint_t
ngx_duplex_session_is_fresh(ngx_duplex_record_t *rec)
{
    uint64_t     now, then;
    ngx_time_t  *tp;

    if (rec->node == ngx_duplex_identity()->id) {
        return 0;
    }

    tp = ngx_timeofday();

    now = (uint64_t) tp->sec * 1000 + tp->msec;
    then = ngx_duplex_clock_ms(rec->time);

    return then <= now && now - then < NGX_DUPLEX_SESSION_FRESH;
}


ngx_int_t
ngx_duplex_session_bind(ngx_duplex_zone_t *zone, ngx_duplex_session_t *session,
    ngx_msec_t timeout)
{
    u_char               value[NGX_DUPLEX_SESSION_VALUE_LEN];
    uint64_t             server;
    ngx_uint_t           i;
    ngx_duplex_record_t  rec;

    server = session->server;

    for (i = NGX_DUPLEX_SESSION_VALUE_LEN; i > 0; i--) {
        value[i - 1] = (u_char) server;
        server >>= 8;
    }

    ngx_duplex_session_record(session, &rec);

    rec.value.data = value;
    rec.value.len = NGX_DUPLEX_SESSION_VALUE_LEN;
    rec.expire = ngx_duplex_clock_monotonic() + timeout;

    return ngx_duplex_store_apply(zone->table, &rec);
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
