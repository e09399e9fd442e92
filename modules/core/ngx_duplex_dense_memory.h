
/*
 * The memory of a dense table.  For the files of the dense table only.
 *
 *     ngx_duplex_dense_s | stripes | words | ring | buckets
 *
 * A stripe is a run of buckets with one lock; both buckets of a key are in
 * its stripe.  Words are the 64-bit values and nodes that slots name by
 * number: 0 is none, 1 the first.  The ring has the slots of the last
 * changes, by position.
 *
 * What keeps this true at any instruction:
 *   - a slot's sequence is odd while it is written, and such a slot is empty
 *     when its writer is dead;
 *   - a stripe notes which slot is being changed, from before the first store
 *     until its change is in the log, so whoever takes the lock of a dead
 *     writer can put that right;
 *   - a word is taken with one store, and freed only under all stripes' locks
 *     when no slot names it.
 *
 * Order of locks: stripes in order, words, log.
 *
 * Everything that a reader without a lock looks at is loaded and stored with
 * the macros below: with "acquire" and "release" on data, a sequence that is
 * the same and even before and after proves what was read in between.
 */


#ifndef _NGX_DUPLEX_DENSE_MEMORY_H_INCLUDED_
#define _NGX_DUPLEX_DENSE_MEMORY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_dense.h"
#include "ngx_duplex_lock.h"


#define NGX_DUPLEX_DENSE_SLOTS    16        /* in a bucket */
#define NGX_DUPLEX_DENSE_NODES    64

/* the unit of lifetimes: 256 ms, so that 32 bits last for 34 years */
#define NGX_DUPLEX_DENSE_SHIFT    8
#define NGX_DUPLEX_DENSE_NEVER    0xffffffff

#define ngx_duplex_dense_load(p)      __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define ngx_duplex_dense_store(p, v)  __atomic_store_n(p, v, __ATOMIC_RELEASE)


typedef struct {
    uint32_t             seq[NGX_DUPLEX_DENSE_SLOTS];
    uint32_t             expire[NGX_DUPLEX_DENSE_SLOTS];    /* 0: empty */
    uint64_t             high[NGX_DUPLEX_DENSE_SLOTS];      /* the key */
    uint64_t             low[NGX_DUPLEX_DENSE_SLOTS];
    uint64_t             time[NGX_DUPLEX_DENSE_SLOTS];
    uint16_t             value[NGX_DUPLEX_DENSE_SLOTS];     /* 0: deleted */
    uint8_t              node[NGX_DUPLEX_DENSE_SLOTS];
    uint8_t              via[NGX_DUPLEX_DENSE_SLOTS];
    uint8_t              used[NGX_DUPLEX_DENSE_SLOTS];  /* since the hand */
    uint64_t             hand;
} ngx_duplex_bucket_t;


typedef struct {
    ngx_duplex_lock_t    lock;
    uint32_t             pending;       /* slot being changed, from 1 */
} ngx_duplex_stripe_t;


typedef struct {
    uint64_t             word;          /* 0: free */
    uint64_t             voided;        /* older records are void */
} ngx_duplex_word_t;


typedef struct {
    uint64_t             magic;
    uint32_t             layout;
    uint32_t             kind;          /* of all records; 0: none came yet */
    uint64_t             incarnation;

    ngx_duplex_lock_t    log_lock;
    ngx_duplex_lock_t    words_lock;

    uint32_t             nstripes;
    uint32_t             nbuckets;      /* a stripe */
    uint32_t             nring;
    uint32_t             nvalues;       /* a power of two */

    uint64_t             first;         /* the log begins after it */
    uint64_t             head;
    uint64_t             voided;        /* all older records are void */

    uint64_t             evicted;
    uint64_t             refused;
    uint64_t             recovered;
} ngx_duplex_dense_t;


typedef struct {
    uint64_t             high;
    uint64_t             low;
    uint32_t             stripe;
    uint32_t             bucket[2];     /* in the table */
} ngx_duplex_dense_key_t;


/* a whole slot */
typedef struct {
    ngx_duplex_dense_record_t  record;
    uint64_t                   high;
    uint64_t                   low;
    uint64_t                   via;
    uint64_t                   voided;      /* of its value */
    uint32_t                   expire;
    uint32_t                   number;      /* of its value */
} ngx_duplex_dense_slot_t;


/* the numbers of a slot's words, and since when its value is not void */
typedef struct {
    uint32_t                   value;
    uint32_t                   node;
    uint32_t                   via;
    uint64_t                   voided;
} ngx_duplex_dense_words_t;


#define ngx_duplex_dense(table)      ((ngx_duplex_dense_t *) (table))

#define ngx_duplex_dense_stripes(d)                                           \
    ((ngx_duplex_stripe_t *)                                                  \
     ngx_align_ptr((u_char *) (d) + sizeof(ngx_duplex_dense_t), 64))
#define ngx_duplex_dense_values(d)                                            \
    ((ngx_duplex_word_t *)                                                    \
     ngx_align_ptr(ngx_duplex_dense_stripes(d) + (d)->nstripes, 64))
#define ngx_duplex_dense_nodes(d)                                             \
    (ngx_duplex_dense_values(d) + (d)->nvalues)
#define ngx_duplex_dense_ring(d)                                              \
    ((uint32_t *) (ngx_duplex_dense_nodes(d) + NGX_DUPLEX_DENSE_NODES))
#define ngx_duplex_dense_buckets(d)                                           \
    ((ngx_duplex_bucket_t *)                                                  \
     ngx_align_ptr(ngx_duplex_dense_ring(d) + (d)->nring, 64))

#define ngx_duplex_dense_nslots(d)                                            \
    ((d)->nstripes * (d)->nbuckets * NGX_DUPLEX_DENSE_SLOTS)
#define ngx_duplex_dense_bucket(d, slot)                                      \
    (&ngx_duplex_dense_buckets(d)[(slot) / NGX_DUPLEX_DENSE_SLOTS])


static ngx_inline uint32_t
ngx_duplex_dense_now(uint64_t now)
{
    return (uint32_t) (now >> NGX_DUPLEX_DENSE_SHIFT);
}


/* where the 16 bytes of a key may be */
void ngx_duplex_dense_place(ngx_duplex_dense_t *dense, const u_char *data,
    ngx_duplex_dense_key_t *key);

/* takes the stripe's lock, and puts right what a dead holder left */
void ngx_duplex_stripe_lock(ngx_duplex_dense_t *dense, uint32_t stripe);
void ngx_duplex_stripe_unlock(ngx_duplex_dense_t *dense, uint32_t stripe);

/*
 * Copies a slot without a lock.  NGX_OK; NGX_DECLINED: it is empty;
 * NGX_AGAIN: it is being written.
 */
ngx_int_t ngx_duplex_slot_read(ngx_duplex_dense_t *dense, uint32_t slot,
    ngx_duplex_dense_slot_t *copy, uint32_t now);

/* writes a slot whose stripe is locked; then its change into the log */
void ngx_duplex_slot_write_locked(ngx_duplex_dense_t *dense, uint32_t slot,
    ngx_duplex_dense_slot_t *copy, ngx_duplex_dense_words_t *words);
void ngx_duplex_slot_log_locked(ngx_duplex_dense_t *dense, uint32_t slot);

/* the slot of a live key, from 1; 0: there is none */
uint32_t ngx_duplex_slot_find_locked(ngx_duplex_dense_t *dense,
    ngx_duplex_dense_key_t *key, uint32_t now);

/*
 * A slot for a new key: an empty one, or the coldest ("newest" is 0), or the
 * one whose record ends first, but 0 if that is not before "newest".
 */
uint32_t ngx_duplex_slot_choose_locked(ngx_duplex_dense_t *dense,
    ngx_duplex_dense_key_t *key, uint32_t now, uint32_t newest);

/*
 * The number of a word, which is not 0; 0: there is no room for another one,
 * see collect.  The caller holds a stripe's lock, so that it stays.
 */
uint32_t ngx_duplex_dense_word(ngx_duplex_dense_t *dense,
    ngx_duplex_word_t *words, uint32_t n, uint64_t word);
/* the same, but 0 if there is no such word */
uint32_t ngx_duplex_dense_word_find(ngx_duplex_word_t *words, uint32_t n,
    uint64_t word);
/* those of a slot; NGX_OK or NGX_AGAIN: there is no room for one of them */
ngx_int_t ngx_duplex_dense_words(ngx_duplex_dense_t *dense,
    ngx_duplex_dense_slot_t *slot, ngx_duplex_dense_words_t *words);

/* frees the words that no live slot names; takes all locks */
void ngx_duplex_dense_collect(ngx_duplex_dense_t *dense, uint32_t now);


/* ngx_duplex_dense_read.c: the readers of ngx_duplex_dense_source */
ngx_int_t ngx_duplex_dense_get(ngx_duplex_table_t *table,
    ngx_duplex_record_t *rec, u_char *buf, size_t size, uint64_t now);
ngx_int_t ngx_duplex_dense_next(ngx_duplex_table_t *table,
    uint64_t *position, ngx_duplex_record_t *rec, u_char *buf, uint64_t now);
ngx_int_t ngx_duplex_dense_scan(ngx_duplex_table_t *table, uint32_t *cursor,
    ngx_duplex_record_t *rec, u_char *buf, uint64_t now);
uint64_t ngx_duplex_dense_head(ngx_duplex_table_t *table);
uint64_t ngx_duplex_dense_incarnation(ngx_duplex_table_t *table);
uint64_t ngx_duplex_dense_recovered(ngx_duplex_table_t *table);
void ngx_duplex_dense_stat(ngx_duplex_table_t *table,
    ngx_duplex_table_stat_t *stat);


#endif /* _NGX_DUPLEX_DENSE_MEMORY_H_INCLUDED_ */
