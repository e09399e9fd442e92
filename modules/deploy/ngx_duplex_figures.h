
/*
 * What a split's parts have done: requests, errors and response times, added
 * up by all workers in shared memory ("duplex:deploy"), for gates and for
 * those who look.  They survive a reload as long as the names of splits and
 * groups stay the same.
 */


#ifndef _NGX_DUPLEX_FIGURES_H_INCLUDED_
#define _NGX_DUPLEX_FIGURES_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_split.h"


/* response times in ms: exact below 8, then 8 buckets for each power of two */
#define NGX_DUPLEX_FIGURES_BUCKETS  128


typedef struct {
    ngx_atomic_t  requests;
    ngx_atomic_t  failed;           /* 5xx */
    ngx_atomic_t  bound;            /* by a cookie, not by the key */
    ngx_atomic_t  times[NGX_DUPLEX_FIGURES_BUCKETS];
} ngx_duplex_figures_t;


/* for bind: the zone; NGX_ERROR is logged */
ngx_int_t ngx_duplex_figures_add(ngx_conf_t *cf);

/* for commit, after the splits' */
void ngx_duplex_figures_commit(ngx_cycle_t *cycle);

/* of a part; NULL: there is no zone */
ngx_duplex_figures_t *ngx_duplex_figures(ngx_duplex_split_t *split,
    ngx_uint_t part);
/* what they were when the present step began to count */
ngx_duplex_figures_t *ngx_duplex_figures_base(ngx_duplex_split_t *split,
    ngx_uint_t part);

void ngx_duplex_figures_count(ngx_duplex_split_t *split, ngx_uint_t part,
    ngx_uint_t status, ngx_msec_t time);

/* step "key" of a part begins to count now, unless it does already */
void ngx_duplex_figures_mark(ngx_duplex_split_t *split, ngx_uint_t part,
    uint64_t key);

/* one process of this node at a time; the death of the holder opens it */
void ngx_duplex_figures_lock(void);
void ngx_duplex_figures_unlock(void);

ngx_uint_t ngx_duplex_figures_bucket(ngx_msec_t time);
/*
 * The time below which "permille" of 1000 are, in ms, as if times were spread
 * evenly within a bucket; 0: nothing was counted.
 */
ngx_uint_t ngx_duplex_figures_quantile(uint64_t *times, ngx_uint_t permille);


#endif /* _NGX_DUPLEX_FIGURES_H_INCLUDED_ */
