
/*
 * The operations of a table: each takes the lock, and repairs the table when
 * its previous holder died inside.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_source.h"
#include "ngx_duplex_table_memory.h"


#define NGX_DUPLEX_TABLE_MAGIC   0x4455504c45585442ULL      /* "DUPLEXTB" */
#define NGX_DUPLEX_TABLE_LAYOUT  1

/* positions looked at, or chunks swept, in one go under the lock */
#define NGX_DUPLEX_TABLE_STRIDE  4096

/* chunks looked at for expired records with each put */
#define NGX_DUPLEX_TABLE_SWEEP   4


ngx_duplex_source_t  ngx_duplex_table_source = {
    ngx_duplex_table_create,
    ngx_duplex_table_open,
    ngx_duplex_table_copy,
    ngx_duplex_table_put,
    ngx_duplex_table_get,
    ngx_duplex_table_next,
    ngx_duplex_table_scan,
    ngx_duplex_table_head,
    ngx_duplex_table_incarnation,
    ngx_duplex_table_recovered,
    ngx_duplex_table_stat
};


static ngx_inline void
ngx_duplex_table_lock(ngx_duplex_table_t *table)
{
    if (ngx_duplex_lock(&table->lock) != NGX_OK) {
        ngx_duplex_table_repair_locked(table);
    }
}


static ngx_inline void
ngx_duplex_table_unlock(ngx_duplex_table_t *table)
{
    ngx_duplex_unlock(&table->lock);
}


ngx_duplex_table_t *
ngx_duplex_table_create(void *addr, size_t size, ngx_uint_t flags,
    uint64_t incarnation, ngx_log_t *log)
{
    size_t               fixed, each;
    uint32_t             i;
    ngx_uint_t           n;
    ngx_duplex_chunk_t  *chunk;
    ngx_duplex_table_t  *table;

    /* a bucket and two places in the ring go with each chunk */

    fixed = 2 * ngx_align(sizeof(ngx_duplex_table_t), NGX_DUPLEX_CHUNK_SIZE);
    each = NGX_DUPLEX_CHUNK_SIZE + 3 * sizeof(uint32_t);

    n = (size > fixed) ? (size - fixed) / each : 0;

    if (n < 8) {
        ngx_log_error(NGX_LOG_EMERG, log, 0,
                      "%uz bytes are too few for a table", size);
        return NULL;
    }

    if (n > NGX_MAX_INT32_VALUE / 2) {
        n = NGX_MAX_INT32_VALUE / 2;
    }

    table = addr;
    ngx_memzero(table, sizeof(ngx_duplex_table_t));

    if (ngx_duplex_lock_create(&table->lock, log) != NGX_OK) {
        return NULL;
    }

    table->layout = NGX_DUPLEX_TABLE_LAYOUT;
    table->flags = flags;
    table->incarnation = incarnation;
    table->nchunks = n;
    table->nbuckets = n;
    table->nring = 2 * n;
    table->sweep = 1;
    table->hand = 1;

    ngx_memzero(ngx_duplex_table_buckets(table),
                (table->nbuckets + table->nring) * sizeof(uint32_t));

    for (i = n; i > 0; i--) {
        chunk = ngx_duplex_table_chunk(table, i);
        chunk->state = ngx_duplex_chunk_free;
        chunk->next = table->free;
        table->free = i;
    }

    table->nfree = n;
    table->magic = NGX_DUPLEX_TABLE_MAGIC;

    return table;
}


ngx_duplex_table_t *
ngx_duplex_table_open(void *addr)
{
    ngx_duplex_table_t  *table = addr;

    if (table->magic != NGX_DUPLEX_TABLE_MAGIC
        || table->layout != NGX_DUPLEX_TABLE_LAYOUT)
    {
        return NULL;
    }

    return table;
}


ngx_int_t
ngx_duplex_table_copy(ngx_duplex_table_t *dst, ngx_duplex_table_t *src)
{
    u_char               buf[NGX_DUPLEX_RECORD_MAX];
    uint32_t             i, index;
    uint64_t             p, oldest;
    ngx_int_t            rc;
    ngx_duplex_chunk_t  *chunk;
    ngx_duplex_record_t  rec;

    rc = NGX_OK;

    ngx_duplex_table_lock(src);
    ngx_duplex_table_lock(dst);

    dst->head = src->head;

    /* the newest first, in case not all fit; then what left the ring */

    oldest = (src->head > src->nring) ? src->head - src->nring : 0;

    for (p = src->head, i = 1; p > oldest || i <= src->nchunks; /* void */ ) {

        if (p > oldest) {
            index = ngx_duplex_table_ring(src)[p % src->nring];

            if (index == 0
                || ngx_duplex_table_chunk(src, index)->u.head.position != p)
            {
                p--;
                continue;
            }

            p--;

        } else {
            index = i++;

            if (ngx_duplex_table_chunk(src, index)->u.head.position > oldest) {
                continue;
            }
        }

        chunk = ngx_duplex_table_chunk(src, index);

        if (chunk->state != ngx_duplex_chunk_live) {
            continue;
        }

        if (dst->nfree < ngx_duplex_chunks_needed(
                             ngx_duplex_chunk_length(chunk)))
        {
            rc = NGX_DECLINED;
            break;
        }

        ngx_duplex_table_read_locked(src, index, &rec, buf);

        ngx_duplex_table_link_locked(dst,
                          ngx_duplex_table_write_locked(dst, &rec,
                                         ngx_duplex_table_hash(dst, &rec)));
    }

    ngx_duplex_table_unlock(dst);
    ngx_duplex_table_unlock(src);

    if (rc == NGX_DECLINED && (dst->flags & NGX_DUPLEX_TABLE_EVICTS)) {
        return NGX_OK;
    }

    return rc;
}


ngx_int_t
ngx_duplex_table_put(ngx_duplex_table_t *table, ngx_duplex_record_t *rec,
    ngx_duplex_table_wins_pt wins, uint64_t now)
{
    u_char               buf[NGX_DUPLEX_RECORD_MAX];
    uint32_t             hash, old, index;
    ngx_duplex_record_t  present;

    if (rec->zone.len > NGX_DUPLEX_ZONE_MAX
        || rec->key.len > NGX_DUPLEX_KEY_MAX
        || rec->value.len > NGX_DUPLEX_VALUE_MAX)
    {
        return NGX_ERROR;
    }

    hash = ngx_duplex_table_hash(table, rec);

    ngx_duplex_table_lock(table);

    ngx_duplex_table_sweep_locked(table, NGX_DUPLEX_TABLE_SWEEP, 0, now);

    old = ngx_duplex_table_find_locked(table, rec, hash);

    if (old
        && ngx_duplex_chunk_expired(ngx_duplex_table_chunk(table, old), now))
    {
        ngx_duplex_table_remove_locked(table, old);
        old = 0;
    }

    if (old && wins) {
        ngx_duplex_table_read_locked(table, old, &present, buf);

        if (!wins(&present, rec)) {
            ngx_duplex_table_unlock(table);
            return NGX_DECLINED;
        }
    }

    if (ngx_duplex_table_reserve_locked(table,
                     ngx_duplex_chunks_needed(rec->zone.len + rec->key.len
                                              + rec->value.len),
                     old, rec->deleted, now)
        != NGX_OK)
    {
        table->refused++;
        ngx_duplex_table_unlock(table);
        return NGX_ERROR;
    }

    rec->position = table->head + 1;

    index = ngx_duplex_table_write_locked(table, rec, hash);

    ngx_duplex_table_link_locked(table, index);

    table->head = rec->position;

    if (old) {
        ngx_duplex_table_remove_locked(table, old);
    }

    ngx_duplex_table_unlock(table);

    return NGX_OK;
}


ngx_int_t
ngx_duplex_table_get(ngx_duplex_table_t *table, ngx_duplex_record_t *rec,
    u_char *buf, size_t size, uint64_t now)
{
    uint32_t             hash, index;
    ngx_duplex_chunk_t  *chunk;

    if (rec->zone.len > NGX_DUPLEX_ZONE_MAX
        || rec->key.len > NGX_DUPLEX_KEY_MAX)
    {
        return NGX_DECLINED;
    }

    hash = ngx_duplex_table_hash(table, rec);

    ngx_duplex_table_lock(table);

    index = ngx_duplex_table_find_locked(table, rec, hash);

    if (index == 0) {
        ngx_duplex_table_unlock(table);
        return NGX_DECLINED;
    }

    chunk = ngx_duplex_table_chunk(table, index);

    if (ngx_duplex_chunk_expired(chunk, now)) {
        ngx_duplex_table_unlock(table);
        return NGX_DECLINED;
    }

    if (ngx_duplex_chunk_length(chunk) > size) {
        ngx_duplex_table_unlock(table);
        return NGX_ERROR;
    }

    chunk->u.head.used = 1;

    ngx_duplex_table_read_locked(table, index, rec, buf);

    ngx_duplex_table_unlock(table);

    return NGX_OK;
}


ngx_int_t
ngx_duplex_table_next(ngx_duplex_table_t *table, uint64_t *position,
    ngx_duplex_record_t *rec, u_char *buf, uint64_t now)
{
    uint32_t             index;
    uint64_t             p, end;
    ngx_duplex_chunk_t  *chunk;

    for ( ;; ) {

        ngx_duplex_table_lock(table);

        if (*position > table->head
            || table->head - *position > table->nring)
        {
            ngx_duplex_table_unlock(table);
            return NGX_DECLINED;
        }

        end = ngx_min(table->head, *position + NGX_DUPLEX_TABLE_STRIDE);

        for (p = *position + 1; p <= end; p++) {

            index = ngx_duplex_table_ring(table)[p % table->nring];

            if (index == 0) {
                continue;
            }

            chunk = ngx_duplex_table_chunk(table, index);

            if (chunk->state != ngx_duplex_chunk_live
                || chunk->u.head.position != p
                || ngx_duplex_chunk_expired(chunk, now))
            {
                continue;
            }

            ngx_duplex_table_read_locked(table, index, rec, buf);

            ngx_duplex_table_unlock(table);

            *position = p;

            return NGX_OK;
        }

        *position = end;

        if (end == table->head) {
            ngx_duplex_table_unlock(table);
            return NGX_DONE;
        }

        ngx_duplex_table_unlock(table);
    }
}


ngx_int_t
ngx_duplex_table_scan(ngx_duplex_table_t *table, uint32_t *cursor,
    ngx_duplex_record_t *rec, u_char *buf, uint64_t now)
{
    uint32_t             end;
    ngx_duplex_chunk_t  *chunk;

    while (*cursor < table->nchunks) {

        ngx_duplex_table_lock(table);

        end = ngx_min(table->nchunks, *cursor + NGX_DUPLEX_TABLE_STRIDE);

        while (*cursor < end) {

            chunk = ngx_duplex_table_chunk(table, ++(*cursor));

            if (chunk->state != ngx_duplex_chunk_live
                || ngx_duplex_chunk_expired(chunk, now))
            {
                continue;
            }

            ngx_duplex_table_read_locked(table, *cursor, rec, buf);

            ngx_duplex_table_unlock(table);

            return NGX_OK;
        }

        ngx_duplex_table_unlock(table);
    }

    return NGX_DONE;
}


uint64_t
ngx_duplex_table_head(ngx_duplex_table_t *table)
{
    return *(volatile uint64_t *) &table->head;
}


uint64_t
ngx_duplex_table_incarnation(ngx_duplex_table_t *table)
{
    return table->incarnation;
}


uint64_t
ngx_duplex_table_recovered(ngx_duplex_table_t *table)
{
    return *(volatile uint64_t *) &table->recovered;
}


void
ngx_duplex_table_stat(ngx_duplex_table_t *table, ngx_duplex_table_stat_t *stat)
{
    ngx_duplex_table_lock(table);

    stat->capacity = table->nchunks;
    stat->free = table->nfree;
    stat->records = table->records;
    stat->tombstones = table->tombstones;
    stat->head = table->head;
    stat->evicted = table->evicted;
    stat->refused = table->refused;
    stat->recovered = table->recovered;

    ngx_duplex_table_unlock(table);
}
