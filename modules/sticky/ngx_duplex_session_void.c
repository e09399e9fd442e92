
/*
 * See the header.  The record's zone is the name of the table, its key the
 * hash of the server, 8 bytes, its time the one that counts.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_bytes.h"
#include "../core/ngx_duplex_clock.h"
#include "../core/ngx_duplex_dense.h"
#include "ngx_duplex_session.h"
#include "ngx_duplex_session_void.h"


#define NGX_DUPLEX_SESSION_VOID_KEY_LEN  8


static void ngx_duplex_session_void_project(ngx_duplex_record_t *rec);
static ngx_int_t ngx_duplex_session_void_visit(ngx_duplex_record_t *rec,
    void *data);


ngx_duplex_kind_t  ngx_duplex_session_void_kind = {
    NGX_DUPLEX_TAG('s', 'e', 's', 'v'),
    ngx_string("end of sessions"),
    NGX_DUPLEX_KIND_DURABLE,
    ngx_duplex_session_void_project
};


ngx_int_t
ngx_duplex_session_void(ngx_duplex_zone_t *zone, uint64_t server,
    ngx_msec_t timeout)
{
    u_char               key[NGX_DUPLEX_SESSION_VOID_KEY_LEN];
    ngx_int_t            rc;
    ngx_duplex_record_t  rec;

    (void) ngx_duplex_bytes_put(key, server, sizeof(key));

    ngx_memzero(&rec, sizeof(ngx_duplex_record_t));

    rec.kind = ngx_duplex_session_void_kind.tag;
    rec.zone = zone->name;
    rec.key.data = key;
    rec.key.len = sizeof(key);
    ngx_str_set(&rec.value, "1");

    /* as long as there may be a session that has not heard of it */

    rec.expire = ngx_duplex_clock_monotonic() + timeout
                 + NGX_DUPLEX_TOMBSTONE_TTL;

    rc = ngx_duplex_store_apply(ngx_duplex_store_table(), &rec);

    return rc == NGX_DECLINED ? NGX_OK : rc;
}


void
ngx_duplex_session_void_commit(ngx_cycle_t *cycle)
{
    (void) ngx_duplex_store_walk(ngx_duplex_store_table(),
                                 ngx_duplex_session_void_kind.tag, NULL,
                                 ngx_duplex_session_void_visit, NULL);
}


static ngx_int_t
ngx_duplex_session_void_visit(ngx_duplex_record_t *rec, void *data)
{
    ngx_duplex_session_void_project(rec);

    return NGX_OK;
}


/* an older record than the present one changes nothing */

static void
ngx_duplex_session_void_project(ngx_duplex_record_t *rec)
{
    uint64_t             server;
    ngx_duplex_zone_t   *zone;
    ngx_duplex_bytes_t   b;

    zone = ngx_duplex_store_zone(&rec->zone);

    if (zone == NULL
        || zone->kind != ngx_duplex_session_kind.tag
        || rec->deleted
        || rec->key.len != NGX_DUPLEX_SESSION_VOID_KEY_LEN)
    {
        return;
    }

    b.pos = rec->key.data;
    b.last = rec->key.data + rec->key.len;
    b.failed = 0;

    server = ngx_duplex_bytes_get(&b, NGX_DUPLEX_SESSION_VOID_KEY_LEN);

    ngx_duplex_dense_void(zone->table, server, rec->time);
}
