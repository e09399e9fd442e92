
/*
 * The memory of a table: how records lie in chunks, and how all that is
 * derived is made again.  See the header.
 *
 * Called under the table's lock.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_table_memory.h"


/* records in use that an eviction passes by */
#define NGX_DUPLEX_TABLE_CHANCES  64


static ngx_uint_t ngx_duplex_table_same_locked(ngx_duplex_table_t *table,
    ngx_duplex_chunk_t *chunk, ngx_duplex_record_t *rec);
static void ngx_duplex_table_unlink_locked(ngx_duplex_table_t *table,
    uint32_t index);
static ngx_int_t ngx_duplex_table_evict_locked(ngx_duplex_table_t *table,
    uint32_t keep);


/*
 * FNV-1a with the incarnation, which is random, as its seed: a client that
 * chooses keys cannot know which of them share a bucket.
 */

uint32_t
ngx_duplex_table_hash(ngx_duplex_table_t *table, ngx_duplex_record_t *rec)
{
    size_t       i, n;
    uint64_t     hash;
    ngx_str_t   *part[2];

    hash = 0xcbf29ce484222325ULL ^ table->incarnation ^ rec->kind;

    part[0] = &rec->zone;
    part[1] = &rec->key;

    for (n = 0; n < 2; n++) {

        for (i = 0; i < part[n]->len; i++) {
            hash = (hash ^ part[n]->data[i]) * 0x100000001b3ULL;
        }

        hash = (hash ^ part[n]->len) * 0x100000001b3ULL;
    }

    hash ^= hash >> 32;

    return (uint32_t) hash;
}


uint32_t
ngx_duplex_table_find_locked(ngx_duplex_table_t *table,
    ngx_duplex_record_t *rec, uint32_t hash)
{
    uint32_t             index;
    ngx_duplex_chunk_t  *chunk;

    index = ngx_duplex_table_buckets(table)[hash % table->nbuckets];

    for ( /* void */ ; index; index = chunk->next) {

        chunk = ngx_duplex_table_chunk(table, index);

        if (chunk->u.head.hash == hash
            && chunk->u.head.kind == rec->kind
            && chunk->u.head.zone_len == rec->zone.len
            && chunk->u.head.key_len == rec->key.len
            && ngx_duplex_table_same_locked(table, chunk, rec))
        {
            return index;
        }
    }

    return 0;
}


/* compares zone and key, whose lengths are equal, along the chain */

static ngx_uint_t
ngx_duplex_table_same_locked(ngx_duplex_table_t *table,
    ngx_duplex_chunk_t *chunk, ngx_duplex_record_t *rec)
{
    size_t       room, n;
    u_char      *p;
    ngx_str_t    part[2];
    ngx_uint_t   i;

    part[0] = rec->zone;
    part[1] = rec->key;

    p = chunk->u.head.data;
    room = sizeof(chunk->u.head.data);

    for (i = 0; i < 2; i++) {

        while (part[i].len) {

            if (room == 0) {
                chunk = ngx_duplex_table_chunk(table, chunk->more);
                p = chunk->u.data;
                room = sizeof(chunk->u.data);
            }

            n = ngx_min(room, part[i].len);

            if (ngx_memcmp(p, part[i].data, n) != 0) {
                return 0;
            }

            p += n;
            room -= n;

            part[i].data += n;
            part[i].len -= n;
        }
    }

    return 1;
}


uint32_t
ngx_duplex_table_write_locked(ngx_duplex_table_t *table,
    ngx_duplex_record_t *rec, uint32_t hash)
{
    size_t               room, n;
    u_char              *p;
    uint32_t             index;
    ngx_str_t            part[3];
    ngx_uint_t           i;
    ngx_duplex_chunk_t  *chunk, *head;

    index = table->free;
    head = ngx_duplex_table_chunk(table, index);

    table->free = head->next;
    table->nfree--;

    head->more = 0;
    head->u.head.hash = hash;
    head->u.head.kind = rec->kind;
    head->u.head.zone_len = rec->zone.len;
    head->u.head.key_len = rec->key.len;
    head->u.head.value_len = rec->value.len;
    head->u.head.deleted = rec->deleted;
    head->u.head.time = rec->time;
    head->u.head.node = rec->node;
    head->u.head.via = rec->via;
    head->u.head.position = rec->position;
    head->u.head.expire = rec->expire;
    head->u.head.used = 0;

    part[0] = rec->zone;
    part[1] = rec->key;
    part[2] = rec->value;

    chunk = head;
    p = head->u.head.data;
    room = sizeof(head->u.head.data);

    for (i = 0; i < 3; i++) {

        while (part[i].len) {

            if (room == 0) {
                chunk->more = table->free;
                chunk = ngx_duplex_table_chunk(table, table->free);

                table->free = chunk->next;
                table->nfree--;

                chunk->more = 0;
                p = chunk->u.data;
                room = sizeof(chunk->u.data);
            }

            n = ngx_min(room, part[i].len);

            p = ngx_cpymem(p, part[i].data, n);
            room -= n;

            part[i].data += n;
            part[i].len -= n;
        }
    }

    ngx_memory_barrier();

    head->state = ngx_duplex_chunk_live;

    ngx_memory_barrier();

    return index;
}


void
ngx_duplex_table_link_locked(ngx_duplex_table_t *table, uint32_t index)
{
    uint32_t            *bucket;
    uint64_t             position;
    ngx_duplex_chunk_t  *chunk;

    chunk = ngx_duplex_table_chunk(table, index);

    bucket = &ngx_duplex_table_buckets(table)
                                      [chunk->u.head.hash % table->nbuckets];
    chunk->next = *bucket;
    *bucket = index;

    position = chunk->u.head.position;

    if (position + table->nring > table->head) {
        ngx_duplex_table_ring(table)[position % table->nring] = index;
    }

    if (chunk->u.head.deleted) {
        table->tombstones++;

    } else {
        table->records++;
    }
}


void
ngx_duplex_table_remove_locked(ngx_duplex_table_t *table, uint32_t index)
{
    uint32_t             more;
    ngx_duplex_chunk_t  *chunk;

    ngx_duplex_table_unlink_locked(table, index);

    for ( /* void */ ; index; index = more) {
        chunk = ngx_duplex_table_chunk(table, index);
        more = chunk->more;

        chunk->next = table->free;
        table->free = index;
        table->nfree++;
    }
}


/* out of its bucket, and dead */

static void
ngx_duplex_table_unlink_locked(ngx_duplex_table_t *table, uint32_t index)
{
    uint32_t            *p;
    ngx_duplex_chunk_t  *chunk;

    chunk = ngx_duplex_table_chunk(table, index);

    p = &ngx_duplex_table_buckets(table)[chunk->u.head.hash % table->nbuckets];

    while (*p != index) {
        p = &ngx_duplex_table_chunk(table, *p)->next;
    }

    *p = chunk->next;

    if (chunk->u.head.deleted) {
        table->tombstones--;

    } else {
        table->records--;
    }

    ngx_memory_barrier();

    chunk->state = ngx_duplex_chunk_free;

    ngx_memory_barrier();
}


void
ngx_duplex_table_read_locked(ngx_duplex_table_t *table, uint32_t index,
    ngx_duplex_record_t *rec, u_char *buf)
{
    u_char              *p;
    size_t               len, n;
    ngx_duplex_chunk_t  *chunk;

    chunk = ngx_duplex_table_chunk(table, index);

    rec->kind = chunk->u.head.kind;
    rec->time = chunk->u.head.time;
    rec->node = chunk->u.head.node;
    rec->via = chunk->u.head.via;
    rec->position = chunk->u.head.position;
    rec->expire = chunk->u.head.expire;
    rec->deleted = chunk->u.head.deleted;

    rec->zone.len = chunk->u.head.zone_len;
    rec->zone.data = buf;
    rec->key.len = chunk->u.head.key_len;
    rec->key.data = rec->zone.data + rec->zone.len;
    rec->value.len = chunk->u.head.value_len;
    rec->value.data = rec->key.data + rec->key.len;

    len = ngx_duplex_chunk_length(chunk);

    n = ngx_min(len, sizeof(chunk->u.head.data));
    p = ngx_cpymem(buf, chunk->u.head.data, n);

    for (len -= n; len; len -= n) {
        chunk = ngx_duplex_table_chunk(table, chunk->more);

        n = ngx_min(len, sizeof(chunk->u.data));
        p = ngx_cpymem(p, chunk->u.data, n);
    }
}


ngx_int_t
ngx_duplex_table_reserve_locked(ngx_duplex_table_t *table, ngx_uint_t need,
    uint32_t old, ngx_uint_t deleted, uint64_t now)
{
    ngx_uint_t  evicts;

    evicts = table->flags & NGX_DUPLEX_TABLE_EVICTS;

    if (!evicts && !deleted && !old) {
        need += table->nchunks / 16;
    }

    if (table->nfree >= need) {
        return NGX_OK;
    }

    if (evicts) {

        while (table->nfree < need) {
            if (ngx_duplex_table_evict_locked(table, old) != NGX_OK) {
                return NGX_ERROR;
            }
        }

        return NGX_OK;
    }

    /* at most one whole sweep a second */

    if (table->full_sweep == (uint32_t) (now / 1000)) {
        return NGX_ERROR;
    }

    table->full_sweep = (uint32_t) (now / 1000);

    ngx_duplex_table_sweep_locked(table, table->nchunks, old, now);

    return table->nfree >= need ? NGX_OK : NGX_ERROR;
}


void
ngx_duplex_table_sweep_locked(ngx_duplex_table_t *table, ngx_uint_t steps,
    uint32_t keep, uint64_t now)
{
    uint32_t             index;
    ngx_duplex_chunk_t  *chunk;

    for ( /* void */ ; steps; steps--) {

        index = table->sweep;
        table->sweep = (index == table->nchunks) ? 1 : index + 1;

        chunk = ngx_duplex_table_chunk(table, index);

        if (chunk->state == ngx_duplex_chunk_live
            && index != keep
            && ngx_duplex_chunk_expired(chunk, now))
        {
            ngx_duplex_table_remove_locked(table, index);
        }
    }
}


/*
 * Second chance: the hand takes the "used" mark of the records it passes, and
 * the first one without goes.  After so many with a mark the next one goes
 * all the same: whoever waits for the lock waits for a bounded time.
 */

static ngx_int_t
ngx_duplex_table_evict_locked(ngx_duplex_table_t *table, uint32_t keep)
{
    uint32_t             index, chances;
    ngx_uint_t           steps;
    ngx_duplex_chunk_t  *chunk;

    chances = NGX_DUPLEX_TABLE_CHANCES;

    for (steps = 0; steps < table->nchunks; steps++) {

        index = table->hand;
        table->hand = (index == table->nchunks) ? 1 : index + 1;

        chunk = ngx_duplex_table_chunk(table, index);

        if (chunk->state != ngx_duplex_chunk_live || index == keep) {
            continue;
        }

        if (chunk->u.head.used && chances) {
            chunk->u.head.used = 0;
            chances--;
            continue;
        }

        ngx_duplex_table_remove_locked(table, index);
        table->evicted++;

        return NGX_OK;
    }

    return NGX_ERROR;
}


void
ngx_duplex_table_repair_locked(ngx_duplex_table_t *table)
{
    uint64_t             head;
    uint32_t             i, index;
    ngx_duplex_chunk_t  *chunk, *chunks;
    ngx_duplex_record_t  rec;
    u_char               buf[NGX_DUPLEX_RECORD_MAX];

    chunks = ngx_duplex_table_chunks(table);

    ngx_memzero(ngx_duplex_table_buckets(table),
                (table->nbuckets + table->nring) * sizeof(uint32_t));

    table->free = 0;
    table->nfree = 0;
    table->records = 0;
    table->tombstones = 0;

    head = table->head;

    for (i = 0; i < table->nchunks; i++) {
        chunks[i].mark = 0;

        if (chunks[i].state == ngx_duplex_chunk_live) {
            head = ngx_max(head, chunks[i].u.head.position);
        }
    }

    table->head = head;

    for (i = 1; i <= table->nchunks; i++) {

        chunk = ngx_duplex_table_chunk(table, i);

        if (chunk->state != ngx_duplex_chunk_live) {
            continue;
        }

        ngx_duplex_table_read_locked(table, i, &rec, buf);

        index = ngx_duplex_table_find_locked(table, &rec, chunk->u.head.hash);

        if (index == 0) {
            ngx_duplex_table_link_locked(table, i);
            continue;
        }

        /* two versions of one record: the earlier one was on its way out */

        if (ngx_duplex_table_chunk(table, index)->u.head.position
            > chunk->u.head.position)
        {
            chunk->state = ngx_duplex_chunk_free;
            continue;
        }

        ngx_duplex_table_unlink_locked(table, index);
        ngx_duplex_table_link_locked(table, i);
    }

    for (i = 1; i <= table->nchunks; i++) {

        chunk = ngx_duplex_table_chunk(table, i);

        if (chunk->state != ngx_duplex_chunk_live) {
            continue;
        }

        for (index = i; index; index = chunk->more) {
            chunk = ngx_duplex_table_chunk(table, index);
            chunk->mark = 1;
        }
    }

    for (i = table->nchunks; i > 0; i--) {

        chunk = ngx_duplex_table_chunk(table, i);

        if (chunk->mark) {
            continue;
        }

        chunk->next = table->free;
        table->free = i;
        table->nfree++;
    }

    table->recovered++;
}
