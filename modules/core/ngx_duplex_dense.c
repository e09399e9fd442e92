
/*
 * Dense tables are made, filled and copied here; the readers are in
 * ngx_duplex_dense_read.c.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_bytes.h"
#include "ngx_duplex_clock.h"
#include "ngx_duplex_dense_memory.h"


#define NGX_DUPLEX_DENSE_MAGIC       0x4455504c58444e53ULL  /* "DUPLXDNS" */
#define NGX_DUPLEX_DENSE_LAYOUT      1

#define NGX_DUPLEX_DENSE_STRIPES     64
#define NGX_DUPLEX_DENSE_STRIPE_MIN  256        /* buckets, if there are more */
#define NGX_DUPLEX_DENSE_VALUES_MIN  64
#define NGX_DUPLEX_DENSE_VALUES_MAX  32768


static ngx_duplex_table_t *ngx_duplex_dense_create(void *addr, size_t size,
    ngx_uint_t flags, uint64_t incarnation, ngx_log_t *log);
static void ngx_duplex_dense_lay_out(ngx_duplex_dense_t *dense, uint32_t n);
static ngx_duplex_table_t *ngx_duplex_dense_open(void *addr);
static ngx_int_t ngx_duplex_dense_copy(ngx_duplex_table_t *dst,
    ngx_duplex_table_t *src);
static ngx_int_t ngx_duplex_dense_put(ngx_duplex_table_t *table,
    ngx_duplex_record_t *rec, ngx_duplex_table_wins_pt wins, uint64_t now);
static uint32_t ngx_duplex_dense_expire(uint64_t expire, uint32_t now);
static ngx_int_t ngx_duplex_dense_put_slot(ngx_duplex_dense_t *dense,
    ngx_duplex_dense_key_t *key, ngx_duplex_dense_slot_t *slot,
    ngx_duplex_record_t *rec, ngx_duplex_table_wins_pt wins, uint32_t now);


ngx_duplex_source_t  ngx_duplex_dense_source = {
    ngx_duplex_dense_create,
    ngx_duplex_dense_open,
    ngx_duplex_dense_copy,
    ngx_duplex_dense_put,
    ngx_duplex_dense_get,
    ngx_duplex_dense_next,
    ngx_duplex_dense_scan,
    ngx_duplex_dense_head,
    ngx_duplex_dense_incarnation,
    ngx_duplex_dense_recovered,
    ngx_duplex_dense_stat
};


#define ngx_duplex_dense_end(d)                                               \
    ((u_char *) (ngx_duplex_dense_buckets(d)                                  \
                 + (d)->nstripes * (d)->nbuckets))


static ngx_duplex_table_t *
ngx_duplex_dense_create(void *addr, size_t size, ngx_uint_t flags,
    uint64_t incarnation, ngx_log_t *log)
{
    u_char              *end;
    uint32_t             i, n;
    ngx_duplex_dense_t  *dense;

    n = ngx_min(size / sizeof(ngx_duplex_bucket_t), NGX_MAX_INT32_VALUE / 64);

    end = (u_char *) addr + size;
    dense = addr;

    ngx_memzero(dense, ngx_min(size, sizeof(ngx_duplex_dense_t)));

    do {
        if (n < 3) {
            ngx_log_error(NGX_LOG_EMERG, log, 0,
                          "%uz bytes are too few for a table", size);
            return NULL;
        }

        ngx_duplex_dense_lay_out(dense, n);
        n -= ngx_max(n / 1024, 1);

    } while (ngx_duplex_dense_end(dense) > end);

    ngx_memzero(ngx_duplex_dense_stripes(dense),
                ngx_duplex_dense_end(dense)
                - (u_char *) ngx_duplex_dense_stripes(dense));

    if (ngx_duplex_lock_create(&dense->log_lock, log) != NGX_OK
        || ngx_duplex_lock_create(&dense->words_lock, log) != NGX_OK)
    {
        return NULL;
    }

    for (i = 0; i < dense->nstripes; i++) {
        if (ngx_duplex_lock_create(&ngx_duplex_dense_stripes(dense)[i].lock,
                                   log)
            != NGX_OK)
        {
            return NULL;
        }
    }

    dense->layout = NGX_DUPLEX_DENSE_LAYOUT;
    dense->incarnation = incarnation;
    dense->magic = NGX_DUPLEX_DENSE_MAGIC;

    return addr;
}


/* the sizes of a table with at most "n" buckets */

static void
ngx_duplex_dense_lay_out(ngx_duplex_dense_t *dense, uint32_t n)
{
    dense->nstripes = n / NGX_DUPLEX_DENSE_STRIPE_MIN;
    dense->nstripes = ngx_min(dense->nstripes, NGX_DUPLEX_DENSE_STRIPES);
    dense->nstripes = ngx_max(dense->nstripes, 1);

    dense->nbuckets = n / dense->nstripes;
    dense->nring = ngx_duplex_dense_nslots(dense) / 4;

    dense->nvalues = NGX_DUPLEX_DENSE_VALUES_MIN;

    while (dense->nvalues < NGX_DUPLEX_DENSE_VALUES_MAX
           && dense->nvalues * 2 <= n)
    {
        dense->nvalues *= 2;
    }
}


static ngx_duplex_table_t *
ngx_duplex_dense_open(void *addr)
{
    ngx_duplex_dense_t  *dense = addr;

    if (dense->magic != NGX_DUPLEX_DENSE_MAGIC
        || dense->layout != NGX_DUPLEX_DENSE_LAYOUT)
    {
        return NULL;
    }

    return addr;
}


/* of too many records those that end last stay */

static ngx_int_t
ngx_duplex_dense_copy(ngx_duplex_table_t *dst, ngx_duplex_table_t *src)
{
    u_char                     data[NGX_DUPLEX_DENSE_KEY_LEN];
    uint32_t                   i, now, nslots, place;
    ngx_duplex_word_t         *words;
    ngx_duplex_dense_t        *to, *from;
    ngx_duplex_dense_key_t     key;
    ngx_duplex_dense_slot_t    slot;
    ngx_duplex_dense_words_t   names;

    to = ngx_duplex_dense(dst);
    from = ngx_duplex_dense(src);

    to->kind = from->kind;
    to->voided = from->voided;

    words = ngx_duplex_dense_values(from);

    for (i = 0; i < from->nvalues; i++) {
        if (words[i].word && words[i].voided) {
            ngx_duplex_dense_void(dst, words[i].word, words[i].voided);
        }
    }

    nslots = ngx_duplex_dense_nslots(from);
    now = ngx_duplex_dense_now(ngx_duplex_clock_monotonic());

    for (i = 0; i < nslots; i++) {

        if (ngx_duplex_slot_read(from, i, &slot, now) != NGX_OK) {
            continue;
        }

        ngx_memcpy(data, &slot.high, 8);
        ngx_memcpy(data + 8, &slot.low, 8);

        ngx_duplex_dense_place(to, data, &key);

        place = ngx_duplex_slot_choose_locked(to, &key, 0, slot.expire);

        if (place == 0) {
            continue;
        }

        if (ngx_duplex_dense_words(to, &slot, &names) == NGX_OK) {
            ngx_duplex_slot_write_locked(to, place - 1, &slot, &names);
        }
    }

    /* the log begins anew, at the position where the other one was */

    to->head = ngx_duplex_dense_head(src);
    to->first = to->head;

    return NGX_OK;
}


static ngx_int_t
ngx_duplex_dense_put(ngx_duplex_table_t *table, ngx_duplex_record_t *rec,
    ngx_duplex_table_wins_pt wins, uint64_t now)
{
    uint32_t                  units;
    ngx_int_t                 rc;
    ngx_duplex_bytes_t        value;
    ngx_duplex_dense_t       *dense;
    ngx_duplex_dense_key_t    key;
    ngx_duplex_dense_slot_t   slot;

    dense = ngx_duplex_dense(table);

    if (rec->key.len != NGX_DUPLEX_DENSE_KEY_LEN
        || rec->zone.len != 0
        || (!rec->deleted && rec->value.len != NGX_DUPLEX_DENSE_VALUE_LEN))
    {
        return NGX_ERROR;
    }

    slot.record.value = 0;

    if (!rec->deleted) {
        value.pos = rec->value.data;
        value.last = rec->value.data + rec->value.len;
        value.failed = 0;

        slot.record.value = ngx_duplex_bytes_get(&value,
                                                 NGX_DUPLEX_DENSE_VALUE_LEN);
        if (slot.record.value == 0) {
            return NGX_ERROR;
        }
    }

    units = ngx_duplex_dense_now(now);

    ngx_duplex_dense_place(dense, rec->key.data, &key);

    slot.high = key.high;
    slot.low = key.low;
    slot.via = rec->via;
    slot.record.time = rec->time;
    slot.record.node = rec->node;

    slot.expire = ngx_duplex_dense_expire(rec->expire, units);

    ngx_duplex_dense_store(&dense->kind, rec->kind);

    rc = ngx_duplex_dense_put_slot(dense, &key, &slot, rec, wins, units);

    if (rc == NGX_AGAIN) {
        ngx_duplex_dense_collect(dense, units);
        rc = ngx_duplex_dense_put_slot(dense, &key, &slot, rec, wins, units);
    }

    if (rc == NGX_AGAIN) {
        (void) __atomic_fetch_add(&dense->refused, 1, __ATOMIC_RELAXED);
        rc = NGX_ERROR;
    }

    return rc;
}


/* rounded up, so that nothing ends early */

static uint32_t
ngx_duplex_dense_expire(uint64_t expire, uint32_t now)
{
    if (expire == 0
        || (expire >> NGX_DUPLEX_DENSE_SHIFT) >= NGX_DUPLEX_DENSE_NEVER)
    {
        return NGX_DUPLEX_DENSE_NEVER;
    }

    expire += (1 << NGX_DUPLEX_DENSE_SHIFT) - 1;

    return ngx_max(ngx_duplex_dense_now(expire), now + 1);
}


/* NGX_AGAIN: there is no room for another word */

static ngx_int_t
ngx_duplex_dense_put_slot(ngx_duplex_dense_t *dense,
    ngx_duplex_dense_key_t *key, ngx_duplex_dense_slot_t *slot,
    ngx_duplex_record_t *rec, ngx_duplex_table_wins_pt wins, uint32_t now)
{
    uint32_t                   place;
    ngx_duplex_stripe_t       *stripe;
    ngx_duplex_record_t        present;
    ngx_duplex_dense_slot_t    old;
    ngx_duplex_dense_words_t   words;

    stripe = &ngx_duplex_dense_stripes(dense)[key->stripe];

    ngx_duplex_stripe_lock(dense, key->stripe);

    place = ngx_duplex_slot_find_locked(dense, key, now);

    if (place && wins) {
        (void) ngx_duplex_slot_read(dense, place - 1, &old, now);

        ngx_memzero(&present, sizeof(ngx_duplex_record_t));
        present.time = old.record.time;
        present.node = old.record.node;

        if (!wins(&present, rec)) {
            ngx_duplex_stripe_unlock(dense, key->stripe);
            return NGX_DECLINED;
        }
    }

    if (ngx_duplex_dense_words(dense, slot, &words) != NGX_OK) {
        ngx_duplex_stripe_unlock(dense, key->stripe);
        return NGX_AGAIN;
    }

    if (words.value && slot->record.time < words.voided) {
        ngx_duplex_stripe_unlock(dense, key->stripe);
        return NGX_DECLINED;
    }

    if (place == 0) {
        place = ngx_duplex_slot_choose_locked(dense, key, now, 0);
    }

    ngx_duplex_dense_store(&stripe->pending, place);

    ngx_duplex_slot_write_locked(dense, place - 1, slot, &words);
    ngx_duplex_slot_log_locked(dense, place - 1);

    ngx_duplex_dense_store(&stripe->pending, 0);

    ngx_duplex_stripe_unlock(dense, key->stripe);

    return NGX_OK;
}


void
ngx_duplex_dense_void(ngx_duplex_table_t *table, uint64_t value, uint64_t time)
{
    uint32_t             number;
    uint64_t            *voided, was;
    ngx_duplex_dense_t  *dense;

    dense = ngx_duplex_dense(table);

    /* the lock keeps the word from being collected */

    ngx_duplex_stripe_lock(dense, 0);

    voided = &dense->voided;

    if (value) {
        number = ngx_duplex_dense_word(dense, ngx_duplex_dense_values(dense),
                                       dense->nvalues, value);

        voided = number ? &ngx_duplex_dense_values(dense)[number - 1].voided
                        : NULL;
    }

    while (voided) {

        was = ngx_duplex_dense_load(voided);

        if (was >= time
            || __atomic_compare_exchange_n(voided, &was, time, 0,
                                           __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        {
            break;
        }
    }

    ngx_duplex_stripe_unlock(dense, 0);
}
