
/*
 * The store: the truth about everything the suite knows at run time.
 *
 * It is the main table ("duplex:store") and one table for each zone a user
 * sized ("sessions:16m").  Every change, local or remote, comes in through
 * ngx_duplex_store_apply(); everything else only reads.
 *
 * "duplex:store" and the zones survive a reload; a changed size carries the
 * content over.  A zone that is new or of another size gets a new incarnation.
 *
 * The functions from apply() on work on the tables of the present cycle:
 * they are for init_module (commit) and later, never for parsing.
 */


#ifndef _NGX_DUPLEX_STORE_H_INCLUDED_
#define _NGX_DUPLEX_STORE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_clock.h"
#include "ngx_duplex_source.h"


#define NGX_DUPLEX_TOMBSTONE_TTL  (24 * 3600 * 1000ULL)         /* ms */
#define NGX_DUPLEX_TOMBSTONE_TTL_MIN  1000

/* the same, as duplex_tombstone_lifetime of the present cycle has it */
uint64_t ngx_duplex_tombstone_ttl(void);


/* flags of a kind */
#define NGX_DUPLEX_KIND_LOCAL     1     /* stays on this node */
#define NGX_DUPLEX_KIND_DURABLE   2     /* is in the journal, too */

/* a kind of record; belongs to the feature that registers it */
typedef struct {
    uint32_t    tag;        /* four letters, on the wire: NGX_DUPLEX_TAG() */
    ngx_str_t   name;       /* for logs and the API: "verdict" */
    ngx_uint_t  flags;

    /*
     * NULL, or called in every worker of every generation after a change,
     * at least once, soon, in no particular order: brings what was derived
     * from the record up to date.  It must read the store itself: "rec" may
     * be older than what stands there by now.  "rec" is valid for the call.
     */
    void      (*project)(ngx_duplex_record_t *rec);
} ngx_duplex_kind_t;

#define NGX_DUPLEX_TAG(a, b, c, d)                                            \
    ((uint32_t) (a) << 24 | (uint32_t) (b) << 16 | (uint32_t) (c) << 8 | (d))


typedef struct ngx_duplex_zone_s  ngx_duplex_zone_t;

/* a shared memory zone with one table in it; lives as long as its cycle */
struct ngx_duplex_zone_s {
    ngx_str_t            name;
    size_t               size;
    ngx_uint_t           flags;    /* NGX_DUPLEX_TABLE_* */
    uint32_t             kind;     /* the only kind in it; 0: main table */
    void                *owner;    /* who asked: two owners are refused */
    ngx_duplex_source_t *source;   /* how its table is read and written */
    ngx_shm_zone_t      *shm_zone;
    ngx_duplex_table_t  *table;    /* NULL until zones are initialised */
    ngx_duplex_zone_t   *next;
};


/*
 * For directives and bind(): a zone of its own for records of one kind.
 * "owner" is any pointer that is the same for the same user of the zone.
 * NULL after a logged error (size too small, another owner, no memory).
 */
ngx_duplex_zone_t *ngx_duplex_zone_add(ngx_conf_t *cf, ngx_str_t *name,
    size_t size, ngx_duplex_kind_t *kind, ngx_uint_t flags, void *owner);

/* the zones of the present cycle: the main one first; NULL: not in use */
ngx_duplex_zone_t *ngx_duplex_store_zones(void);
/* NULL if there is none of this name in the present cycle */
ngx_duplex_zone_t *ngx_duplex_store_zone(ngx_str_t *name);
/* the main table */
ngx_duplex_table_t *ngx_duplex_store_table(void);
/* the clock that orders changes: for those who hear of others' times */
ngx_duplex_clock_t *ngx_duplex_store_clock(void);


/*
 * The one way in.
 *
 * A change made here has rec->node == 0: it is given the time and the node.
 * A change from another node carries its own, and rec->via names the node it
 * came from.  rec->expire is absolute (ngx_duplex_clock_monotonic() + ms);
 * a tombstone without one gets ngx_duplex_tombstone_ttl().
 *
 * The later time wins; a tie is broken by node id, so that all nodes keep
 * the same record.
 *
 * NGX_OK: changed; NGX_DECLINED: what is there is as late or later;
 * NGX_ERROR: refused for want of memory: logged for local changes (ERR, at
 * most once a second), counted for remote ones.
 *
 * After NGX_OK the kind's project() has run in this process, the other
 * processes are being told, and the record is on its way to other nodes.
 * A durable one may not be on disk yet: see ngx_duplex_journal_wait().
 */
ngx_int_t ngx_duplex_store_apply(ngx_duplex_table_t *table,
    ngx_duplex_record_t *rec);

/*
 * Projects at once what other processes have changed, without waiting to be
 * told: for who must answer with what they have answered.  In a worker.
 */
void ngx_duplex_store_catch_up(void);

/*
 * NGX_OK with "rec" filled in, its strings in "buf"; NGX_DECLINED if there
 * is none, it expired or it is deleted.  Finds by rec->kind, zone, key.
 */
ngx_int_t ngx_duplex_store_get(ngx_duplex_table_t *table,
    ngx_duplex_record_t *rec, u_char *buf, size_t size);

/*
 * Visits the records of one kind (and of one zone, unless NULL) that are
 * neither deleted nor expired.  The visitor runs without a lock and may
 * read and apply.  Stops at the first visitor that does not answer NGX_OK,
 * and answers the same.
 */
typedef ngx_int_t (*ngx_duplex_store_visit_pt)(ngx_duplex_record_t *rec,
    void *data);

ngx_int_t ngx_duplex_store_walk(ngx_duplex_table_t *table, uint32_t kind,
    ngx_str_t *zone, ngx_duplex_store_visit_pt visit, void *data);


#endif /* _NGX_DUPLEX_STORE_H_INCLUDED_ */
