
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
    ngx_duplex_reason_status,           /* not a wanted one */
    ngx_duplex_reason_header,           /* broken, too long, not wanted */
    ngx_duplex_reason_body,             /* incomplete, or not wanted */
    ngx_duplex_reason_closed,           /* before any answer */
    ngx_duplex_reason_answer,           /* not the expected one */
    ngx_duplex_reason_require,          /* a variable of "require" */
    ngx_duplex_reason_grpc,             /* not serving, or another status */
    ngx_duplex_reason_protocol,         /* answered, in another protocol */
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
    uint32_t              digest;       /* of all checks of the group there */
    uint32_t              check;        /* id of the one that decided */
    uint64_t              life;         /* of the peer */
} ngx_duplex_verdict_record_t;


#define NGX_DUPLEX_VERDICT_RECORD_LEN  29


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

/*
 * What "n" checks of a server come to: one that fails is enough to be out,
 * all must pass to be in, and until then it stays as it was.
 */
ngx_duplex_verdict_e ngx_duplex_verdict_of(ngx_duplex_verdict_e was,
    ngx_uint_t up, ngx_uint_t unhealthy, ngx_uint_t n);


/* into NGX_DUPLEX_VERDICT_RECORD_LEN bytes */
void ngx_duplex_verdict_encode(ngx_duplex_verdict_record_t *rec, u_char *buf);

/* NGX_OK, or NGX_ERROR: not such a record; another node may have sent it */
ngx_int_t ngx_duplex_verdict_decode(ngx_duplex_verdict_record_t *rec,
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
