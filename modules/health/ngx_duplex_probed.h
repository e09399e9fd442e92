
/*
 * What a node remembers of the probes of one server under one check, and how
 * it is written into a record.
 *
 * Pure: no store, no clock, no log.
 */


#ifndef _NGX_DUPLEX_PROBED_H_INCLUDED_
#define _NGX_DUPLEX_PROBED_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_verdict.h"


#define NGX_DUPLEX_PROBED_RESULTS  16
#define NGX_DUPLEX_PROBED_TEXT     120      /* bytes; longer ones are cut */


/* one probe; none of its numbers wraps, they stop at their greatest value */
typedef struct {
    uint32_t              ago;          /* ms from its start to the next's */
    uint32_t              duration;     /* ms, up to 65535 */
    ngx_duplex_reason_e   reason;       /* none: it passed */
    ngx_uint_t            status;       /* of the answer, 0: none */
} ngx_duplex_probed_result_t;


typedef struct {
    uint64_t              life;         /* of the peer */
    uint64_t              started;      /* last probe, ms, monotonic clock */
    uint64_t              time;         /* last result's start, wall clock */
    ngx_duplex_verdict_e  state;        /* of this check alone */
    uint32_t              failed;       /* in a row */
    uint32_t              passed;       /* in a row */
    uint64_t              checks;
    uint64_t              fails;
    uint64_t              unhealthy;    /* times it made the server so */
    uint64_t              faults;       /* of this node: no verdict */

    ngx_uint_t            nresults;     /* the latest is the first */
    ngx_duplex_probed_result_t
                          results[NGX_DUPLEX_PROBED_RESULTS];

    size_t                text_len;     /* of the last failure */
    u_char                text[NGX_DUPLEX_PROBED_TEXT];
} ngx_duplex_probed_t;


#define NGX_DUPLEX_PROBED_HEAD  67
#define NGX_DUPLEX_PROBED_RECORD_MAX                                          \
    (NGX_DUPLEX_PROBED_HEAD + 8 * NGX_DUPLEX_PROBED_RESULTS                   \
     + NGX_DUPLEX_PROBED_TEXT)


/*
 * Takes in one result: "time" is its start by the wall clock, in ms; "text"
 * is kept if it failed.
 */
void ngx_duplex_probed_add(ngx_duplex_probed_t *probed, uint64_t time,
    ngx_duplex_probed_result_t *result, ngx_str_t *text);

/* into NGX_DUPLEX_PROBED_RECORD_MAX bytes; answers how many were used */
size_t ngx_duplex_probed_encode(ngx_duplex_probed_t *probed, u_char *buf);
/* NGX_OK, or NGX_ERROR: not such a record */
ngx_int_t ngx_duplex_probed_decode(ngx_duplex_probed_t *probed,
    ngx_str_t *value);


#endif /* _NGX_DUPLEX_PROBED_H_INCLUDED_ */
