
/*
 * The verdict on one server, as one node sees it: what follows from the
 * results of single probes, and how it is written into records.
 *
 * Pure: no store, no clock, no log; the state machine is drawn in health.dot.
 */


#ifndef _NGX_DUPLEX_VERDICT_H_INCLUDED_
#define _NGX_DUPLEX_VERDICT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


typedef enum {
    ngx_duplex_verdict_checking = 0,    /* none yet */
    ngx_duplex_verdict_up,
    ngx_duplex_verdict_unhealthy,
    ngx_duplex_verdict_n
} ngx_duplex_verdict_e;


/* why a probe failed; on the wire: only ever append */
typedef enum {
    ngx_duplex_reason_none = 0,         /* it passed */
    ngx_duplex_reason_connect,          /* refused, unreachable */
    ngx_duplex_reason_timeout,          /* of whatever step */
    ngx_duplex_reason_tls,              /* handshake or certificate */
    ngx_duplex_reason_status,           /* answered, but not 200 to 399 */
    ngx_duplex_reason_header,           /* none, broken or too long */
    ngx_duplex_reason_body,             /* shorter than announced */
    ngx_duplex_reason_closed,           /* before any answer */
    ngx_duplex_reason_answer,           /* not the expected one */
    ngx_duplex_reason_n
} ngx_duplex_reason_e;


/* where the machine stands; "state" is the only part others act upon */
typedef struct {
    ngx_duplex_verdict_e  state;
    uint32_t              failed;       /* probes in a row */
    uint32_t              passed;       /* probes in a row */
} ngx_duplex_verdict_t;


/* a verdict as a record of the store carries it to all nodes */
typedef struct {
    ngx_duplex_verdict_e  state;        /* up or unhealthy */
    ngx_duplex_reason_e   reason;
    ngx_uint_t            status;       /* of the answer, 0: none */
    uint64_t              incarnation;  /* of the node that found it */
} ngx_duplex_verdict_record_t;


/* what the next prober of the same node must know; stays on the node */
typedef struct {
    uint64_t              started;      /* last probe, ms, monotonic clock */
    uint32_t              failed;       /* in a row */
    uint32_t              passed;       /* in a row */
    uint64_t              checks;
    uint64_t              fails;
    uint64_t              unhealthy;    /* times it became so */
    ngx_uint_t            last_passed;  /* meaningful if checks > 0 */
} ngx_duplex_probed_record_t;


#define NGX_DUPLEX_VERDICT_RECORD_LEN  13
#define NGX_DUPLEX_PROBED_RECORD_LEN   42


/* "checking", "up", "unhealthy" */
const char *ngx_duplex_verdict_word(ngx_duplex_verdict_e state);
/* "connect", "timeout", ...; "" for none */
const char *ngx_duplex_reason_word(ngx_duplex_reason_e reason);


/*
 * Takes in the result of one probe.  1: the state has changed, 0: it has not.
 * "fails" and "passes" are the numbers in a row that change it, above 0.
 */
ngx_uint_t ngx_duplex_verdict_turn(ngx_duplex_verdict_t *verdict,
    ngx_uint_t pass, ngx_uint_t fails, ngx_uint_t passes);


/* into *_RECORD_LEN bytes */
void ngx_duplex_verdict_encode(ngx_duplex_verdict_record_t *rec, u_char *buf);
void ngx_duplex_probed_encode(ngx_duplex_probed_record_t *rec, u_char *buf);

/* NGX_OK, or NGX_ERROR: not such a record; another node may have sent it */
ngx_int_t ngx_duplex_verdict_decode(ngx_duplex_verdict_record_t *rec,
    ngx_str_t *value);
ngx_int_t ngx_duplex_probed_decode(ngx_duplex_probed_record_t *rec,
    ngx_str_t *value);


/*
 * The key of a verdict: the peer's key, a space, the node's name, which has
 * no spaces.  Answers the length, 0: more than "size".
 */
size_t ngx_duplex_verdict_key(u_char *buf, size_t size, ngx_str_t *peer,
    ngx_str_t *node);

/* NGX_OK, or NGX_ERROR: not such a key */
ngx_int_t ngx_duplex_verdict_key_split(ngx_str_t *key, ngx_str_t *peer,
    ngx_str_t *node);


#endif /* _NGX_DUPLEX_VERDICT_H_INCLUDED_ */
