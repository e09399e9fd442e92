
/*
 * Counters of the peers of groups, for http and stream: what is counted, how
 * it looks in the API, and how long a peer was out.
 */


#ifndef _NGX_DUPLEX_PEER_COUNTERS_H_INCLUDED_
#define _NGX_DUPLEX_PEER_COUNTERS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "../upstream/ngx_duplex_upstream.h"
#include "ngx_duplex_counters.h"
#include "ngx_duplex_responses.h"


#define NGX_DUPLEX_PEER_BUCKETS  15     /* of response times, the last: more */

enum {
    NGX_DUPLEX_PEER_REQUESTS = NGX_DUPLEX_GAUGES,   /* or connections */
    NGX_DUPLEX_PEER_SENT,
    NGX_DUPLEX_PEER_RECEIVED,
    NGX_DUPLEX_PEER_FAILS,
    NGX_DUPLEX_PEER_UNAVAIL,
    NGX_DUPLEX_PEER_HIST_COUNT,
    NGX_DUPLEX_PEER_HIST_SUM,           /* ms */
    NGX_DUPLEX_PEER_HIST,               /* a range */

    NGX_DUPLEX_PEER_RESPONSES = NGX_DUPLEX_PEER_HIST
                                + NGX_DUPLEX_PEER_BUCKETS,

    /* words: */

    NGX_DUPLEX_PEER_SELECTED = NGX_DUPLEX_PEER_RESPONSES
                               + NGX_DUPLEX_RESPONSES,
    NGX_DUPLEX_PEER_DOWNTIME,           /* ms, without the present outage */
    NGX_DUPLEX_PEER_DOWNSTART,          /* ms since the epoch, of the latest */
    NGX_DUPLEX_PEER_OUT,                /* 1 during it */
    NGX_DUPLEX_PEER_CONNECT_TIME,       /* moving averages */
    NGX_DUPLEX_PEER_FIRST_TIME,         /* of the header, or the first byte */
    NGX_DUPLEX_PEER_RESPONSE_TIME,
    NGX_DUPLEX_PEER_END
};


/* a peer and its cell, in this process, for this turn of the event loop */
typedef struct {
    ngx_duplex_group_t  *group;
    ngx_duplex_peer_t   *peer;
    ngx_duplex_cell_t   *cell;
} ngx_duplex_peer_entry_t;


/* for the counters, while a configuration is parsed; NGX_ERROR: no memory */
ngx_int_t ngx_duplex_peer_counters_register(ngx_conf_t *cf);

/* the peer of a group that has this address; NULL: there is none, or no cell */
ngx_duplex_peer_entry_t *ngx_duplex_peer_counters_find(
    ngx_duplex_group_t *group, ngx_str_t *name);

/* counts that the peer was chosen */
void ngx_duplex_peer_counters_select(ngx_duplex_cell_t *cell);

/* a duration, into the moving average that "word" holds */
void ngx_duplex_peer_counters_time(ngx_duplex_cell_t *cell, ngx_uint_t word,
    ngx_msec_t ms);

/* the same, and into the histogram of response times */
void ngx_duplex_peer_counters_response_time(ngx_duplex_cell_t *cell,
    ngx_msec_t ms);

/* upper ends of the buckets but the last, ms */
extern const ngx_msec_t  ngx_duplex_peer_buckets[NGX_DUPLEX_PEER_BUCKETS - 1];

/* all zero if nothing is counted */
void ngx_duplex_peer_counters_sum(ngx_duplex_peer_t *peer,
    ngx_duplex_sum_t *sum);

/* ms, with the present outage */
uint64_t ngx_duplex_peer_counters_downtime(ngx_duplex_sum_t *sum);

/* sets all of a group's peers to 0 */
void ngx_duplex_peer_counters_reset(ngx_duplex_group_t *group);


#endif /* _NGX_DUPLEX_PEER_COUNTERS_H_INCLUDED_ */
