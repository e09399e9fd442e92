
/*
 * One table of records in one shared memory zone.
 *
 * A record has a kind, a zone and a key; it is found by all three.  The
 * table is also its own change log: every change gives the record the next
 * position, so "what came after position P" is answered by a ring of chunk
 * numbers, and a record changed twice is sent once.
 *
 * All memory is taken when the zone is born and is cut into chunks of equal
 * size; a long record is a chain of chunks.  A new version of a record is
 * written into free chunks and becomes live by one store; a holder of the
 * lock may die at any instruction, and the next one rebuilds hash chains,
 * ring and free list from the live chunks.
 *
 * Functions lock the table themselves.  Nothing here knows what a record
 * means, who else has it, or what an event loop is.
 */


#ifndef _NGX_DUPLEX_TABLE_H_INCLUDED_
#define _NGX_DUPLEX_TABLE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_DUPLEX_ZONE_MAX    255      /* bytes of a record's zone */
#define NGX_DUPLEX_KEY_MAX     1024     /* bytes of a record's key */
#define NGX_DUPLEX_VALUE_MAX   16384    /* bytes of a record's value */

/* room for zone, key and value of any record */
#define NGX_DUPLEX_RECORD_MAX                                                 \
    (NGX_DUPLEX_ZONE_MAX + NGX_DUPLEX_KEY_MAX + NGX_DUPLEX_VALUE_MAX)


typedef struct ngx_duplex_table_s  ngx_duplex_table_t;


typedef struct {
    uint32_t    kind;          /* ngx_duplex_kind_t.tag */
    ngx_str_t   zone;          /* "http:app"; empty in a table of one zone */
    ngx_str_t   key;
    ngx_str_t   value;         /* empty when deleted */

    uint64_t    time;          /* hybrid logical time of the change */
    uint64_t    node;          /* id of the node that made it */
    uint64_t    via;           /* id of the node it came from, 0: made here */
    uint64_t    position;      /* in this table's log; set by the table */
    uint64_t    expire;        /* ms, monotonic clock of this host; 0: never */

    unsigned    deleted:1;     /* a tombstone */
} ngx_duplex_record_t;


typedef struct {
    uint64_t    capacity;      /* chunks */
    uint64_t    free;          /* chunks */
    uint64_t    records;       /* live, tombstones not counted */
    uint64_t    tombstones;
    uint64_t    head;          /* position of the last change */
    uint64_t    evicted;       /* since the table was born */
    uint64_t    refused;       /* for want of memory */
    uint64_t    recovered;     /* deaths of a lock holder */
} ngx_duplex_table_stat_t;


/*
 * Answers whether "next" takes the place of "old" (NULL: there is none).
 * Called under the table's lock: only looks.
 */
typedef ngx_int_t (*ngx_duplex_table_wins_pt)(const ngx_duplex_record_t *old,
    const ngx_duplex_record_t *next);


/* flags of ngx_duplex_table_create() */
#define NGX_DUPLEX_TABLE_EVICTS  1      /* full: the coldest record goes */
#define NGX_DUPLEX_TABLE_LOCAL   2      /* for the store: stays on this node */
#define NGX_DUPLEX_TABLE_DENSE   4      /* for zones: see ngx_duplex_dense.h */


/*
 * Makes a table of all "size" bytes at "addr" (zeroed or not).
 * NULL if "size" is too small for 8 records; the reason is logged.
 */
ngx_duplex_table_t *ngx_duplex_table_create(void *addr, size_t size,
    ngx_uint_t flags, uint64_t incarnation, ngx_log_t *log);

/* the table at "addr", or NULL if there is none of this layout */
ngx_duplex_table_t *ngx_duplex_table_open(void *addr);

/*
 * Copies all live records of "src" into "dst", positions included.
 * NGX_DECLINED if they do not fit and "dst" does not evict: then "dst" is
 * not complete and must not be used.
 *
 * "dst" keeps its own incarnation: whoever has "src" open still writes to it,
 * and from here on the two logs have different records at equal positions.
 */
ngx_int_t ngx_duplex_table_copy(ngx_duplex_table_t *dst,
    ngx_duplex_table_t *src);

/*
 * Puts "rec" in the place of the record with its kind, zone and key, if
 * "wins" (NULL: always) says so.  "rec->position" is set.
 * NGX_OK: changed; NGX_DECLINED: the present one stays;
 * NGX_ERROR: no memory (counted, not logged), or a part is too long.
 */
ngx_int_t ngx_duplex_table_put(ngx_duplex_table_t *table,
    ngx_duplex_record_t *rec, ngx_duplex_table_wins_pt wins, uint64_t now);

/*
 * Finds by rec->kind, zone, key; the rest of "rec" is filled in, and all its
 * strings point into "buf" of "size" bytes.  Tombstones are found, too
 * (rec->deleted); expired records are not.
 * NGX_OK, NGX_DECLINED: none; NGX_ERROR: "buf" is too small.
 */
ngx_int_t ngx_duplex_table_get(ngx_duplex_table_t *table,
    ngx_duplex_record_t *rec, u_char *buf, size_t size, uint64_t now);

/*
 * The first record changed after "*position", which is set to its position.
 * NGX_OK; NGX_DONE: there is none (*position becomes the head's);
 * NGX_DECLINED: the ring no longer reaches back so far, use scan.
 * "buf" must have NGX_DUPLEX_RECORD_MAX bytes.
 */
ngx_int_t ngx_duplex_table_next(ngx_duplex_table_t *table, uint64_t *position,
    ngx_duplex_record_t *rec, u_char *buf, uint64_t now);

/*
 * All records in no order: "*cursor" starts at 0 and is moved on.  A record
 * changed meanwhile may be met twice or, when it moved, not at all: who must
 * not miss it notes the head first and goes on with next from there.
 * NGX_OK or NGX_DONE.
 */
ngx_int_t ngx_duplex_table_scan(ngx_duplex_table_t *table, uint32_t *cursor,
    ngx_duplex_record_t *rec, u_char *buf, uint64_t now);

uint64_t ngx_duplex_table_head(ngx_duplex_table_t *table);
uint64_t ngx_duplex_table_incarnation(ngx_duplex_table_t *table);
/* how often it was repaired after the death of a process; no lock */
uint64_t ngx_duplex_table_recovered(ngx_duplex_table_t *table);
void ngx_duplex_table_stat(ngx_duplex_table_t *table,
    ngx_duplex_table_stat_t *stat);


#endif /* _NGX_DUPLEX_TABLE_H_INCLUDED_ */
