
/*
 * What of each node's changes has been seen here, so that a node that was away
 * for longer than deletions are remembered does not bring deleted records
 * back.
 *
 * For each node that ever changed a durable record: the time of the latest of
 * its changes that is here, with all before it.  In shared memory, and kept
 * as records of this node ("seen") over a restart.
 */


#ifndef _NGX_DUPLEX_SEEN_H_INCLUDED_
#define _NGX_DUPLEX_SEEN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_store.h"


#define NGX_DUPLEX_SEEN_MAX  32         /* nodes; others are not remembered */


typedef struct {
    ngx_atomic_t   id;                  /* 0: free */
    ngx_atomic_t   time;                /* of the store's clock */
    ngx_atomic_t   kept;                /* the same, as on disk */
} ngx_duplex_seen_t;

/* of all nodes; zeroed when it is born */
typedef struct {
    ngx_duplex_seen_t  nodes[NGX_DUPLEX_SEEN_MAX];
    ngx_atomic_t       whole;   /* this memory has what this node had said */
    ngx_atomic_t       lossy;   /* something was not taken: nothing is known */
} ngx_duplex_seen_all_t;

/* on one link, until the frame that says how far it came: zeroed at first */
typedef struct {
    uint64_t       id[NGX_DUPLEX_SEEN_MAX];
    uint64_t       time[NGX_DUPLEX_SEEN_MAX];
    ngx_uint_t     n;
} ngx_duplex_seen_link_t;


extern ngx_duplex_kind_t  ngx_duplex_seen_kind;


/* for commit, in fresh memory: what was kept on disk */
void ngx_duplex_seen_load(ngx_duplex_seen_all_t *all);

/* a durable record was applied; then, all up to a position was */
void ngx_duplex_seen_note(ngx_duplex_seen_link_t *link,
    ngx_duplex_record_t *rec);
void ngx_duplex_seen_reached(ngx_duplex_seen_all_t *all,
    ngx_duplex_seen_link_t *link);

/*
 * 1: this change was here and is no longer, and so long ago that its deletion
 * may have been forgotten.  "table" is the main one.
 */
ngx_uint_t ngx_duplex_seen_is_gone(ngx_duplex_seen_all_t *all,
    ngx_duplex_table_t *table, ngx_duplex_record_t *rec);

/* with each beat of the lease holder: keeps what is new, now and then */
void ngx_duplex_seen_beat(ngx_duplex_seen_all_t *all);


#endif /* _NGX_DUPLEX_SEEN_H_INCLUDED_ */
