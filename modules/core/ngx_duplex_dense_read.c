
/*
 * The readers of a dense table: none takes a lock, but for a slot that stays
 * half written.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_bytes.h"
#include "ngx_duplex_clock.h"
#include "ngx_duplex_dense_memory.h"


/* how often a slot is read again that is being written */
#define NGX_DUPLEX_DENSE_SPIN  64

#define ngx_duplex_dense_is_void(slot)                                        \
    ((slot)->record.value && (slot)->record.time < (slot)->voided)


static ngx_int_t ngx_duplex_dense_look_up(ngx_duplex_dense_t *dense,
    const u_char *data, ngx_duplex_dense_slot_t *slot, uint32_t now);
static ngx_int_t ngx_duplex_dense_wait(ngx_duplex_dense_t *dense,
    ngx_duplex_dense_key_t *key, ngx_duplex_dense_slot_t *slot, uint32_t now);
static ngx_int_t ngx_duplex_dense_read(ngx_duplex_dense_t *dense,
    uint32_t place, ngx_duplex_dense_slot_t *slot, uint32_t now);
static void ngx_duplex_dense_record(ngx_duplex_dense_t *dense,
    ngx_duplex_dense_slot_t *slot, ngx_duplex_record_t *rec, u_char *buf);


ngx_int_t
ngx_duplex_dense_get(ngx_duplex_table_t *table, ngx_duplex_record_t *rec,
    u_char *buf, size_t size, uint64_t now)
{
    ngx_duplex_dense_t       *dense;
    ngx_duplex_dense_slot_t   slot;

    dense = ngx_duplex_dense(table);

    if (rec->key.len != NGX_DUPLEX_DENSE_KEY_LEN
        || ngx_duplex_dense_look_up(dense, rec->key.data, &slot,
                                    ngx_duplex_dense_now(now))
           != NGX_OK)
    {
        return NGX_DECLINED;
    }

    if (size < NGX_DUPLEX_DENSE_KEY_LEN + NGX_DUPLEX_DENSE_VALUE_LEN) {
        return NGX_ERROR;
    }

    ngx_duplex_dense_record(dense, &slot, rec, buf);

    return NGX_OK;
}


ngx_int_t
ngx_duplex_dense_find(ngx_duplex_table_t *table, const u_char *key,
    ngx_duplex_dense_record_t *record, uint64_t now)
{
    ngx_duplex_dense_slot_t  slot;

    if (ngx_duplex_dense_look_up(ngx_duplex_dense(table), key, &slot,
                                 ngx_duplex_dense_now(now))
        != NGX_OK
        || slot.record.value == 0)
    {
        return NGX_DECLINED;
    }

    *record = slot.record;

    return NGX_OK;
}


/* deleted ones are found, too */

static ngx_int_t
ngx_duplex_dense_look_up(ngx_duplex_dense_t *dense, const u_char *data,
    ngx_duplex_dense_slot_t *slot, uint32_t now)
{
    uint32_t                 i, n;
    ngx_int_t                rc;
    ngx_uint_t               spin;
    ngx_duplex_bucket_t     *bucket;
    ngx_duplex_dense_key_t   key;

    ngx_duplex_dense_place(dense, data, &key);

    for (n = 0; n < 2; n++) {

        bucket = &ngx_duplex_dense_buckets(dense)[key.bucket[n]];

        for (i = 0; i < NGX_DUPLEX_DENSE_SLOTS; i++) {

            if (ngx_duplex_dense_load(&bucket->high[i]) != key.high) {
                continue;
            }

            for (spin = 0; spin < NGX_DUPLEX_DENSE_SPIN; spin++) {

                rc = ngx_duplex_slot_read(dense,
                                    key.bucket[n] * NGX_DUPLEX_DENSE_SLOTS + i,
                                    slot, now);
                if (rc != NGX_AGAIN) {
                    break;
                }

                ngx_cpu_pause();
            }

            if (rc == NGX_AGAIN) {
                return ngx_duplex_dense_wait(dense, &key, slot, now);
            }

            if (rc == NGX_OK
                && slot->high == key.high
                && slot->low == key.low)
            {
                if (ngx_duplex_dense_is_void(slot)) {
                    return NGX_DECLINED;
                }

                if (!ngx_duplex_dense_load(&bucket->used[i])) {
                    ngx_duplex_dense_store(&bucket->used[i], 1);
                }

                return NGX_OK;
            }
        }
    }

    return NGX_DECLINED;
}


/* its writer does not run, or has died: the lock tells which */

static ngx_int_t
ngx_duplex_dense_wait(ngx_duplex_dense_t *dense, ngx_duplex_dense_key_t *key,
    ngx_duplex_dense_slot_t *slot, uint32_t now)
{
    uint32_t   place;
    ngx_int_t  rc;

    ngx_duplex_stripe_lock(dense, key->stripe);

    place = ngx_duplex_slot_find_locked(dense, key, now);

    rc = place ? ngx_duplex_slot_read(dense, place - 1, slot, now)
               : NGX_DECLINED;

    ngx_duplex_stripe_unlock(dense, key->stripe);

    if (rc == NGX_OK && ngx_duplex_dense_is_void(slot)) {
        return NGX_DECLINED;
    }

    return rc;
}


ngx_int_t
ngx_duplex_dense_next(ngx_duplex_table_t *table, uint64_t *position,
    ngx_duplex_record_t *rec, u_char *buf, uint64_t now)
{
    uint32_t                  place;
    uint64_t                  p, head;
    ngx_duplex_dense_t       *dense;
    ngx_duplex_dense_slot_t   slot;

    dense = ngx_duplex_dense(table);

    head = ngx_duplex_dense_head(table);

    if (*position > head || *position < dense->first) {
        return NGX_DECLINED;
    }

    for (p = *position + 1; p <= head; p++) {

        place = ngx_duplex_dense_load(&ngx_duplex_dense_ring(dense)
                                                           [p % dense->nring]);

        /* whoever writes the next position but one overwrites this place */

        if (ngx_duplex_dense_head(table) - p + 2 > dense->nring) {
            return NGX_DECLINED;
        }

        /* what is being written will be in the log once more */

        if (ngx_duplex_dense_read(dense, place, &slot,
                                  ngx_duplex_dense_now(now))
            != NGX_OK)
        {
            continue;
        }

        ngx_duplex_dense_record(dense, &slot, rec, buf);

        rec->position = p;
        *position = p;

        return NGX_OK;
    }

    *position = head;

    return NGX_DONE;
}


ngx_int_t
ngx_duplex_dense_scan(ngx_duplex_table_t *table, uint32_t *cursor,
    ngx_duplex_record_t *rec, u_char *buf, uint64_t now)
{
    uint32_t                  nslots;
    ngx_duplex_dense_t       *dense;
    ngx_duplex_dense_slot_t   slot;

    dense = ngx_duplex_dense(table);
    nslots = ngx_duplex_dense_nslots(dense);

    while (*cursor < nslots) {

        if (ngx_duplex_dense_read(dense, (*cursor)++, &slot,
                                  ngx_duplex_dense_now(now))
            == NGX_OK)
        {
            ngx_duplex_dense_record(dense, &slot, rec, buf);
            return NGX_OK;
        }
    }

    return NGX_DONE;
}


/* NGX_OK, or it is of no interest at present */

static ngx_int_t
ngx_duplex_dense_read(ngx_duplex_dense_t *dense, uint32_t place,
    ngx_duplex_dense_slot_t *slot, uint32_t now)
{
    ngx_duplex_bucket_t  *bucket;

    bucket = ngx_duplex_dense_bucket(dense, place);

    if (ngx_duplex_dense_load(&bucket->expire[place % NGX_DUPLEX_DENSE_SLOTS])
        <= now)
    {
        return NGX_DECLINED;
    }

    if (ngx_duplex_slot_read(dense, place, slot, now) != NGX_OK
        || ngx_duplex_dense_is_void(slot))
    {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


static void
ngx_duplex_dense_record(ngx_duplex_dense_t *dense,
    ngx_duplex_dense_slot_t *slot, ngx_duplex_record_t *rec, u_char *buf)
{
    rec->kind = ngx_duplex_dense_load(&dense->kind);

    ngx_str_null(&rec->zone);

    rec->key.data = buf;
    rec->key.len = NGX_DUPLEX_DENSE_KEY_LEN;

    ngx_memcpy(buf, &slot->high, 8);
    ngx_memcpy(buf + 8, &slot->low, 8);

    rec->value.data = buf + NGX_DUPLEX_DENSE_KEY_LEN;
    rec->value.len = slot->record.value ? NGX_DUPLEX_DENSE_VALUE_LEN : 0;

    (void) ngx_duplex_bytes_put(rec->value.data, slot->record.value,
                                rec->value.len);

    rec->time = slot->record.time;
    rec->node = slot->record.node;
    rec->via = slot->via;
    rec->position = 0;
    rec->expire = slot->expire == NGX_DUPLEX_DENSE_NEVER
                  ? 0 : slot->record.expire;
    rec->deleted = (slot->record.value == 0);
}


void
ngx_duplex_dense_count(ngx_duplex_table_t *table, const uint64_t *values,
    ngx_uint_t *counts, ngx_uint_t n, uint64_t now)
{
    uint32_t                  i, number, nslots, *numbers;
    ngx_uint_t                j;
    ngx_duplex_dense_t       *dense;
    ngx_duplex_dense_slot_t   slot;

    ngx_memzero(counts, n * sizeof(ngx_uint_t));

    dense = ngx_duplex_dense(table);

    numbers = ngx_calloc((dense->nvalues + 1) * sizeof(uint32_t),
                         ngx_cycle->log);
    if (numbers == NULL) {
        return;
    }

    nslots = ngx_duplex_dense_nslots(dense);

    for (i = 0; i < nslots; i++) {
        if (ngx_duplex_dense_read(dense, i, &slot, ngx_duplex_dense_now(now))
            == NGX_OK)
        {
            numbers[slot.number]++;
        }
    }

    for (j = 0; j < n; j++) {
        number = ngx_duplex_dense_word_find(ngx_duplex_dense_values(dense),
                                            dense->nvalues, values[j]);
        counts[j] = number ? numbers[number] : 0;
    }

    ngx_free(numbers);
}


void
ngx_duplex_dense_stat(ngx_duplex_table_t *table, ngx_duplex_table_stat_t *stat)
{
    uint32_t                  i, now, nslots;
    ngx_duplex_dense_t       *dense;
    ngx_duplex_dense_slot_t   slot;

    dense = ngx_duplex_dense(table);
    nslots = ngx_duplex_dense_nslots(dense);
    now = ngx_duplex_dense_now(ngx_duplex_clock_monotonic());

    stat->capacity = nslots;
    stat->records = 0;
    stat->tombstones = 0;

    for (i = 0; i < nslots; i++) {

        if (ngx_duplex_dense_read(dense, i, &slot, now) != NGX_OK) {
            continue;
        }

        if (slot.record.value) {
            stat->records++;

        } else {
            stat->tombstones++;
        }
    }

    stat->free = nslots - stat->records - stat->tombstones;
    stat->head = ngx_duplex_dense_head(table);
    stat->evicted = ngx_duplex_dense_load(&dense->evicted);
    stat->refused = ngx_duplex_dense_load(&dense->refused);
    stat->recovered = ngx_duplex_dense_recovered(table);
}


uint64_t
ngx_duplex_dense_head(ngx_duplex_table_t *table)
{
    return ngx_duplex_dense_load(&ngx_duplex_dense(table)->head);
}


uint64_t
ngx_duplex_dense_incarnation(ngx_duplex_table_t *table)
{
    return ngx_duplex_dense(table)->incarnation;
}


uint64_t
ngx_duplex_dense_recovered(ngx_duplex_table_t *table)
{
    return ngx_duplex_dense_load(&ngx_duplex_dense(table)->recovered);
}
