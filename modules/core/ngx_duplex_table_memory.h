
/*
 * The memory of a table.  For the files of the table only.
 *
 *     ngx_duplex_table_s | buckets | ring | chunks
 *
 * Chunks are numbered from 1, 0 is "none".  Only two things are true by
 * themselves: a chunk's state, and the chain of chunks behind a live head.
 * Buckets, ring, free list and counters are derived, and are made again by
 * ngx_duplex_table_repair_locked() after the death of a lock holder.
 *
 * What keeps this true at any instruction:
 *   - a record is written into free chunks and gets its state last;
 *   - the version it replaces loses its state after that, so for a moment
 *     there may be two: repair keeps the one with the later position;
 *   - nothing else of a live record is ever changed but the "used" mark.
 */


#ifndef _NGX_DUPLEX_TABLE_MEMORY_H_INCLUDED_
#define _NGX_DUPLEX_TABLE_MEMORY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_table.h"
#include "ngx_duplex_lock.h"


#define NGX_DUPLEX_CHUNK_SIZE    128


typedef enum {
    ngx_duplex_chunk_free = 0,      /* or behind a live head */
    ngx_duplex_chunk_live           /* head of a record */
} ngx_duplex_chunk_state_e;


typedef struct {
    uint32_t  state;
    uint32_t  next;                 /* of the free list, or of the bucket */
    uint32_t  more;                 /* the record goes on there */
    uint32_t  mark;                 /* repair only */

    union {
        struct {
            uint32_t  hash;
            uint32_t  kind;
            uint32_t  value_len;
            uint16_t  key_len;
            uint8_t   zone_len;
            uint8_t   deleted;
            uint64_t  time;
            uint64_t  node;
            uint64_t  via;
            uint64_t  position;
            uint64_t  expire;
            uint32_t  used;         /* read since the hand last passed */
            u_char    data[NGX_DUPLEX_CHUNK_SIZE - 76];
        } head;

        u_char        data[NGX_DUPLEX_CHUNK_SIZE - 16];
    } u;
} ngx_duplex_chunk_t;


struct ngx_duplex_table_s {
    uint64_t            magic;
    uint32_t            layout;
    uint32_t            flags;
    uint64_t            incarnation;

    ngx_duplex_lock_t   lock;

    uint32_t            nchunks;
    uint32_t            nbuckets;
    uint32_t            nring;
    uint32_t            free;       /* first of the free list */
    uint32_t            nfree;
    uint32_t            sweep;      /* the next chunk to look at: expired? */
    uint32_t            hand;       /* the same: cold? */
    uint32_t            full_sweep; /* s, when a whole sweep found nothing */

    uint64_t            head;       /* the last position given */
    uint64_t            records;
    uint64_t            tombstones;
    uint64_t            evicted;
    uint64_t            refused;
    uint64_t            recovered;
};


#define ngx_duplex_table_buckets(t)                                           \
    ((uint32_t *) ((u_char *) (t)                                             \
                   + ngx_align(sizeof(ngx_duplex_table_t),                    \
                               NGX_DUPLEX_CHUNK_SIZE)))
#define ngx_duplex_table_ring(t)                                              \
    (ngx_duplex_table_buckets(t) + (t)->nbuckets)
#define ngx_duplex_table_chunks(t)                                            \
    ((ngx_duplex_chunk_t *)                                                   \
     ngx_align_ptr(ngx_duplex_table_ring(t) + (t)->nring,                     \
                   NGX_DUPLEX_CHUNK_SIZE))
#define ngx_duplex_table_chunk(t, i)                                          \
    (&ngx_duplex_table_chunks(t)[(i) - 1])


static ngx_inline size_t
ngx_duplex_chunk_length(ngx_duplex_chunk_t *chunk)
{
    return (size_t) chunk->u.head.zone_len + chunk->u.head.key_len
           + chunk->u.head.value_len;
}


static ngx_inline ngx_uint_t
ngx_duplex_chunks_needed(size_t len)
{
    ngx_duplex_chunk_t  *chunk;

    if (len <= sizeof(chunk->u.head.data)) {
        return 1;
    }

    len -= sizeof(chunk->u.head.data);

    return 1 + (len + sizeof(chunk->u.data) - 1) / sizeof(chunk->u.data);
}


static ngx_inline ngx_uint_t
ngx_duplex_chunk_expired(ngx_duplex_chunk_t *chunk, uint64_t now)
{
    return chunk->u.head.expire && chunk->u.head.expire <= now;
}


uint32_t ngx_duplex_table_hash(ngx_duplex_table_t *table,
    ngx_duplex_record_t *rec);

/* the number of the live head with rec's kind, zone and key; 0: none */
uint32_t ngx_duplex_table_find_locked(ngx_duplex_table_t *table,
    ngx_duplex_record_t *rec, uint32_t hash);

/*
 * Writes "rec" into free chunks, of which the caller has made sure, and
 * makes it live; then link it.  Answers the number of its head.
 */
uint32_t ngx_duplex_table_write_locked(ngx_duplex_table_t *table,
    ngx_duplex_record_t *rec, uint32_t hash);
void ngx_duplex_table_link_locked(ngx_duplex_table_t *table, uint32_t index);

/* unlinks it and frees its chunks */
void ngx_duplex_table_remove_locked(ngx_duplex_table_t *table, uint32_t index);

/* copies it; the strings of "rec" point into "buf", which is large enough */
void ngx_duplex_table_read_locked(ngx_duplex_table_t *table, uint32_t index,
    ngx_duplex_record_t *rec, u_char *buf);

/*
 * Makes "need" chunks free.  "old" is about to be replaced: it is neither
 * swept nor evicted meanwhile.  Where nothing is evicted, a sixteenth of the
 * chunks is kept for deletions and for new versions of what is there.
 * NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_duplex_table_reserve_locked(ngx_duplex_table_t *table,
    ngx_uint_t need, uint32_t old, ngx_uint_t deleted, uint64_t now);

/* removes what has expired among the next so many chunks, but not "keep" */
void ngx_duplex_table_sweep_locked(ngx_duplex_table_t *table,
    ngx_uint_t steps, uint32_t keep, uint64_t now);

/* trusts the states and chains of live records, makes all else again */
void ngx_duplex_table_repair_locked(ngx_duplex_table_t *table);


#endif /* _NGX_DUPLEX_TABLE_MEMORY_H_INCLUDED_ */
