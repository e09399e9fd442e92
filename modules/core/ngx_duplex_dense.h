
/*
 * The dense table: records of one kind with a key of 16 and a value of 8
 * bytes, 37.5 bytes each, for millions of them.
 *
 * A key is the output of a keyed hash: its bits say where it may be, in one
 * of two buckets of 16 slots.  When both are full the coldest of the 32 goes.
 * Nothing is swept: what has expired is an empty slot.
 *
 * Readers take no lock.  Writers take the lock of the key's stripe of buckets,
 * which notices the death of its holder.  What is alive after a kill -9 at
 * any instruction is every record but the one being written.
 *
 * The table is its own change log, as the general one is; a record that was
 * changed twice may be read from it twice, both times as it is now.
 *
 * What it is in the store is ngx_duplex_dense_source.
 */


#ifndef _NGX_DUPLEX_DENSE_H_INCLUDED_
#define _NGX_DUPLEX_DENSE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_source.h"


#define NGX_DUPLEX_DENSE_KEY_LEN    16
#define NGX_DUPLEX_DENSE_VALUE_LEN  8


/* what a reader without a lock finds */
typedef struct {
    uint64_t   value;       /* 0: deleted */
    uint64_t   time;
    uint64_t   node;
    uint64_t   expire;      /* ms, monotonic clock; a multiple of 256 */
} ngx_duplex_dense_record_t;


extern ngx_duplex_source_t  ngx_duplex_dense_source;


/*
 * NGX_OK, or NGX_DECLINED: there is none, it has expired, is deleted or void.
 * Takes no lock, unless the record is being written for long.
 */
ngx_int_t ngx_duplex_dense_find(ngx_duplex_table_t *table, const u_char *key,
    ngx_duplex_dense_record_t *record, uint64_t now);

/*
 * All records with this value (0: with any) that are older than "time" are
 * void from now on, and older ones that come later are refused.
 */
void ngx_duplex_dense_void(ngx_duplex_table_t *table, uint64_t value,
    uint64_t time);

/*
 * How many records there are of each of the "n" values; others are not
 * counted.  Reads the whole table: 2 ms for a million records.
 */
void ngx_duplex_dense_count(ngx_duplex_table_t *table, const uint64_t *values,
    ngx_uint_t *counts, ngx_uint_t n, uint64_t now);


#endif /* _NGX_DUPLEX_DENSE_H_INCLUDED_ */
