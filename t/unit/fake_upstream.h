
/*
 * An upstream for unit tests: a driver with a stock list of our own making, a
 * contributor, and a store of a few records.
 *
 * Included by one file, which also links what it tests.
 */


#ifndef _FAKE_UPSTREAM_H_INCLUDED_
#define _FAKE_UPSTREAM_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "../../modules/upstream/ngx_duplex_admin.h"
#include "../../modules/upstream/ngx_duplex_group.h"
#include "../../modules/upstream/ngx_duplex_override.h"
#include "../../modules/upstream/ngx_duplex_stock.h"
#include "../../modules/core/ngx_duplex_journal.h"


#define RECORDS  4096


/* a stock list, and what is in it */

typedef struct fake_peer_s  fake_peer_t;

struct fake_peer_s {
    ngx_str_t         server;
    int               ssl_session_len;
    ngx_uint_t        down;
    struct sockaddr  *sockaddr;
    socklen_t         socklen;
    fake_peer_t      *next;
    ngx_str_t         name;
    ngx_int_t         current_weight, effective_weight, weight;
    ngx_uint_t        conns, max_conns, fails;
    time_t            accessed, checked;
    ngx_uint_t        max_fails;
    time_t            fail_timeout;
    ngx_msec_t        start_time;
    ngx_msec_t        slow_start;
    void             *ssl_session;
    ngx_atomic_t      lock;
    ngx_uint_t        refs;
    uint64_t          spare[2];
};

typedef struct fake_list_s  fake_list_t;

struct fake_list_s {
    fake_peer_t      *peer;
    fake_list_t      *next;
    ngx_uint_t        number, total_weight, tries;
    ngx_slab_pool_t  *shpool;
    ngx_atomic_t      rwlock;
    ngx_uint_t       *config;
    ngx_str_t        *name;
    ngx_uint_t        single;
};


static void *fake_peers(ngx_duplex_group_t *group);
static ngx_uint_t fake_single(void *peers);
static void fake_plural(void *peers);
static void fake_reserve(ngx_duplex_group_t *group, size_t size);
static ngx_uint_t health_bits(ngx_duplex_peer_t *peer);
static const char *health_state(ngx_duplex_peer_t *peer);
static void added(ngx_duplex_peer_t *peer);
static void removed(ngx_duplex_peer_t *peer);


static const ngx_duplex_layout_t  layout = NGX_DUPLEX_LAYOUT(fake_list_t,
                                                             fake_peer_t, 0);

static ngx_duplex_driver_t  driver = {
    ngx_string("http"), "upstream", 1, &layout,
    fake_peers, fake_single, fake_plural, fake_reserve
};

static ngx_duplex_contributor_t  health = {
    health_bits, health_state, NULL, added, removed
};

static ngx_duplex_feature_t  *feature, *last_feature;
static ngx_duplex_kind_t     *kinds[4];
static ngx_uint_t             nkinds;

static fake_list_t           *list;
static ngx_uint_t             unhealthy, comers, reserved;
static ngx_duplex_audit_t     audit = { ngx_string("10.9.8.7"),
                                        ngx_string("because") };

/* a store */

static ngx_duplex_record_t    records[RECORDS];
static ngx_uint_t             nrecords, full;
static uint64_t               now = 100 << 16;

/* another process, faster than we are: after so many looks into the store */

static ngx_uint_t             looks;
static ngx_str_t              overtaken;

/* and when we have looked and not yet written: it has written, too */

static ngx_duplex_record_t   *meanwhile;
static fake_peer_t           *marked;
static ngx_uint_t             older;


static void
fake_workers(ngx_conf_t *cf, ngx_int_t n)
{
    static void             *ctx[1];
    static ngx_core_conf_t   ccf;

    ngx_core_module.index = 0;
    ccf.worker_processes = n;
    ctx[0] = &ccf;
    cf->cycle->conf_ctx = (void ****) ctx;
}


static void *
fake_peers(ngx_duplex_group_t *group)
{
    return group->shm.len ? list : NULL;
}


static ngx_uint_t
fake_single(void *peers)
{
    return ((fake_list_t *) peers)->single;
}


static void
fake_plural(void *peers)
{
    ((fake_list_t *) peers)->single = 0;
}


static void
fake_reserve(ngx_duplex_group_t *group, size_t size)
{
    reserved = size;
}


static ngx_uint_t
health_bits(ngx_duplex_peer_t *peer)
{
    if (meanwhile) {
        meanwhile->value = overtaken;
        meanwhile = NULL;
        now++;
        marked->down = NGX_DUPLEX_DOWN_ADMIN;

    } else if (marked) {
        older += (marked->down != NGX_DUPLEX_DOWN_ADMIN);
        marked = NULL;
    }

    return unhealthy ? NGX_DUPLEX_DOWN_HEALTH : 0;
}


static const char *
health_state(ngx_duplex_peer_t *peer)
{
    return unhealthy ? "unhealthy" : NULL;
}


static void
added(ngx_duplex_peer_t *peer)
{
    comers++;
}


static void
removed(ngx_duplex_peer_t *peer)
{
    comers--;
}


ngx_int_t
ngx_duplex_register_feature(ngx_conf_t *cf, ngx_duplex_feature_t *f)
{
    if (f->commit) {
        feature = f;

    } else {
        last_feature = f;
    }

    return NGX_OK;
}


uint64_t
ngx_duplex_tombstone_ttl(void)
{
    return NGX_DUPLEX_TOMBSTONE_TTL;
}


/* nobody compares nodes here */

ngx_int_t
ngx_duplex_register_facts(ngx_conf_t *cf, ngx_duplex_facts_pt tell)
{
    return NGX_OK;
}


void
ngx_duplex_fact(ngx_duplex_facts_t *facts, ngx_str_t *zone, ngx_str_t *name,
    const char *fmt, ...)
{
}


ngx_int_t
ngx_duplex_override_register(ngx_conf_t *cf)
{
    return NGX_OK;
}


ngx_int_t
ngx_duplex_register_kind(ngx_conf_t *cf, ngx_duplex_kind_t *k)
{
    kinds[nkinds++] = k;
    return NGX_OK;
}


ngx_uint_t
ngx_duplex_lease_held(void)
{
    return 0;
}


void
ngx_duplex_journal_peek(ngx_conf_t *cf, ngx_duplex_journal_peek_pt visit,
    void *data)
{
}


void
ngx_duplex_store_catch_up(void)
{
}


ngx_uint_t
ngx_duplex_superseded(void)
{
    return 0;
}


ngx_duplex_clock_t *
ngx_duplex_store_clock(void)
{
    return (ngx_duplex_clock_t *) &now;
}


ngx_duplex_table_t *
ngx_duplex_store_table(void)
{
    return (ngx_duplex_table_t *) records;
}


uint64_t
ngx_duplex_table_head(ngx_duplex_table_t *table)
{
    return now;
}


void
ngx_duplex_table_stat(ngx_duplex_table_t *table, ngx_duplex_table_stat_t *stat)
{
    stat->capacity = 1000;
    stat->free = full ? 0 : 1000;
}


static ngx_duplex_record_t *
record(ngx_duplex_record_t *rec)
{
    ngx_uint_t  i;

    for (i = 0; i < nrecords; i++) {
        if (records[i].zone.len == rec->zone.len
            && records[i].key.len == rec->key.len
            && ngx_memcmp(records[i].zone.data, rec->zone.data,
                          rec->zone.len) == 0
            && ngx_memcmp(records[i].key.data, rec->key.data, rec->key.len)
               == 0)
        {
            return &records[i];
        }
    }

    return NULL;
}


ngx_int_t
ngx_duplex_store_get(ngx_duplex_table_t *table, ngx_duplex_record_t *rec,
    u_char *buf, size_t size)
{
    ngx_duplex_record_t  *r;

    if (looks && --looks == 0) {
        r = record(rec);

        if (r) {
            r->value = overtaken;
            now++;
        }
    }

    r = record(rec);

    if (r == NULL) {
        return NGX_DECLINED;
    }

    ngx_memcpy(buf, r->value.data, r->value.len);
    rec->value.data = buf;
    rec->value.len = r->value.len;
    rec->time = r->time;

    return NGX_OK;
}


static void
copy(ngx_str_t *to, ngx_str_t *from)
{
    to->data = malloc(from->len);
    to->len = from->len;
    ngx_memcpy(to->data, from->data, from->len);
}


ngx_int_t
ngx_duplex_store_apply(ngx_duplex_table_t *table, ngx_duplex_record_t *rec)
{
    ngx_uint_t            i;
    ngx_duplex_record_t  *r;

    r = record(rec);

    if (r == NULL) {
        r = &records[nrecords++];
        copy(&r->zone, &rec->zone);
        copy(&r->key, &rec->key);
    }

    copy(&r->value, &rec->value);
    r->kind = rec->kind;
    r->expire = rec->expire;
    r->time = ++now;

    for (i = 0; i < nkinds; i++) {
        if (kinds[i]->tag == rec->kind) {
            kinds[i]->project(rec);
        }
    }

    return NGX_OK;
}


ngx_int_t
ngx_duplex_store_walk(ngx_duplex_table_t *table, uint32_t tag,
    ngx_str_t *zone, ngx_duplex_store_visit_pt visit, void *data)
{
    ngx_uint_t  i;

    for (i = 0; i < nrecords; i++) {
        if (records[i].kind == tag
            && records[i].zone.len == zone->len
            && ngx_memcmp(records[i].zone.data, zone->data, zone->len) == 0)
        {
            visit(&records[i], data);
        }
    }

    return NGX_OK;
}


#endif /* _FAKE_UPSTREAM_H_INCLUDED_ */
