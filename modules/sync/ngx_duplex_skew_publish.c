
/*
 * This node's part of the comparison: a record for each group and zone that
 * its file has; see the header.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_clock.h"
#include "../core/ngx_duplex_facts.h"
#include "../core/ngx_duplex_identity.h"
#include "ngx_duplex_skew.h"


/* a node that is gone is forgotten; looked at with each beat of the holder */
#define NGX_DUPLEX_SKEW_LIFE  (3 * 24 * 3600 * 1000ULL)

#define NGX_DUPLEX_SKEW_SERVER      "server "
#define NGX_DUPLEX_SKEW_SERVER_LEN  (sizeof(NGX_DUPLEX_SKEW_SERVER) - 1)


static void ngx_duplex_skew_publish_zone(ngx_duplex_fact_t *facts,
    ngx_uint_t n);
static size_t ngx_duplex_skew_write(ngx_duplex_fact_t *facts, ngx_uint_t n,
    u_char *buf, size_t size, ngx_uint_t fold);
static ngx_int_t ngx_duplex_skew_withdraw(ngx_duplex_record_t *rec,
    void *data);


/* of the one record that is being written, and of what stands there */
static u_char  ngx_duplex_skew_value[NGX_DUPLEX_VALUE_MAX];
static u_char  ngx_duplex_skew_buf[NGX_DUPLEX_RECORD_MAX];


void
ngx_duplex_skew_publish(void)
{
    ngx_uint_t           i, first;
    ngx_pool_t          *pool;
    ngx_duplex_fact_t   *fact;
    ngx_duplex_facts_t   facts;

    pool = ngx_create_pool(NGX_CYCLE_POOL_SIZE, ngx_cycle->log);
    if (pool == NULL) {
        return;
    }

    if (ngx_duplex_facts_all(&facts, pool) == NGX_OK) {

        fact = facts.list.elts;

        for (i = 1, first = 0; i <= facts.list.nelts; i++) {

            if (i == facts.list.nelts
                || !ngx_duplex_skew_same(&fact[i].zone, &fact[first].zone))
            {
                ngx_duplex_skew_publish_zone(&fact[first], i - first);
                first = i;
            }
        }

        (void) ngx_duplex_store_walk(ngx_duplex_store_table(), NGX_DUPLEX_SKEW,
                                     NULL, ngx_duplex_skew_withdraw, &facts);
    }

    ngx_destroy_pool(pool);
}


static void
ngx_duplex_skew_publish_zone(ngx_duplex_fact_t *facts, ngx_uint_t n)
{
    size_t               len;
    uint64_t             now;
    ngx_uint_t           fold;
    ngx_duplex_record_t  rec;

    for (fold = 0, len = 0; len == 0 && fold <= 2; fold++) {
        len = ngx_duplex_skew_write(facts, n, ngx_duplex_skew_value,
                                    NGX_DUPLEX_VALUE_MAX, fold);
    }

    now = ngx_duplex_clock_monotonic();

    ngx_memzero(&rec, sizeof(ngx_duplex_record_t));

    rec.kind = NGX_DUPLEX_SKEW;
    rec.zone = facts->zone;
    rec.key = ngx_duplex_identity()->name;

    if (ngx_duplex_store_get(ngx_duplex_store_table(), &rec,
                             ngx_duplex_skew_buf, NGX_DUPLEX_RECORD_MAX)
        == NGX_OK
        && rec.expire > now + NGX_DUPLEX_SKEW_LIFE / 2
        && rec.value.len == len
        && ngx_memcmp(rec.value.data, ngx_duplex_skew_value, len) == 0)
    {
        return;
    }

    ngx_memzero(&rec, sizeof(ngx_duplex_record_t));

    rec.kind = NGX_DUPLEX_SKEW;
    rec.zone = facts->zone;
    rec.key = ngx_duplex_identity()->name;
    rec.value.data = ngx_duplex_skew_value;
    rec.value.len = len;
    rec.expire = now + NGX_DUPLEX_SKEW_LIFE;

    (void) ngx_duplex_store_apply(ngx_duplex_store_table(), &rec);
}


/*
 * 0: does not fit.  Folded once, the servers of a large group are one line,
 * their number and a digest; twice, all is.
 */

static size_t
ngx_duplex_skew_write(ngx_duplex_fact_t *facts, ngx_uint_t n, u_char *buf,
    size_t size, ngx_uint_t fold)
{
    u_char      *p, *last;
    uint64_t     digest;
    ngx_uint_t   i, folded;

    p = buf;
    last = buf + size;

    digest = 0;
    folded = 0;

    for (i = 0; i < n; i++) {

        if (fold == 2
            || (fold == 1 && facts[i].name.len > NGX_DUPLEX_SKEW_SERVER_LEN
                && ngx_memcmp(facts[i].name.data, NGX_DUPLEX_SKEW_SERVER,
                              NGX_DUPLEX_SKEW_SERVER_LEN)
                   == 0))
        {
            digest = digest * 31
                     + ngx_duplex_hash(facts[i].name.data, facts[i].name.len);
            digest = digest * 31
                     + ngx_duplex_hash(facts[i].value.data,
                                       facts[i].value.len);
            folded++;
            continue;
        }

        p = ngx_slprintf(p, last, "%V\t%V\n", &facts[i].name,
                         &facts[i].value);

        if (p == last) {
            return 0;
        }
    }

    if (folded) {
        p = ngx_slprintf(p, last, "%s\tnumber=%ui digest=%016xL\n",
                         fold == 1 ? "servers" : "all", folded, digest);
    }

    return p == last ? 0 : p - buf;
}


/* what this node had said of a zone that its file has no longer */

static ngx_int_t
ngx_duplex_skew_withdraw(ngx_duplex_record_t *rec, void *data)
{
    ngx_duplex_facts_t *facts = data;

    ngx_uint_t           i;
    ngx_duplex_fact_t   *fact;
    ngx_duplex_record_t  gone;

    if (!ngx_duplex_skew_same(&rec->key, &ngx_duplex_identity()->name)) {
        return NGX_OK;
    }

    fact = facts->list.elts;

    for (i = 0; i < facts->list.nelts; i++) {
        if (ngx_duplex_skew_same(&rec->zone, &fact[i].zone)) {
            return NGX_OK;
        }
    }

    ngx_memzero(&gone, sizeof(ngx_duplex_record_t));

    gone.kind = rec->kind;
    gone.zone = rec->zone;
    gone.key = rec->key;
    gone.deleted = 1;

    (void) ngx_duplex_store_apply(ngx_duplex_store_table(), &gone);

    return NGX_OK;
}
