
/*
 * The verdict on one server: the state machine of health.dot, and the
 * record it is told in.  Pure functions: whoever calls owns the data.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_bytes.h"
#include "ngx_duplex_verdict.h"


#define NGX_DUPLEX_VERDICT_FORMAT  2    /* first byte of a verdict record */

#define NGX_DUPLEX_STATUS_MAX      999


typedef ngx_duplex_verdict_e (*ngx_duplex_verdict_state_pt)(
    ngx_duplex_verdict_t *verdict, ngx_uint_t fails, ngx_uint_t passes);


static ngx_duplex_verdict_e ngx_duplex_verdict_while_checking(
    ngx_duplex_verdict_t *verdict, ngx_uint_t fails, ngx_uint_t passes);
static ngx_duplex_verdict_e ngx_duplex_verdict_while_up(
    ngx_duplex_verdict_t *verdict, ngx_uint_t fails, ngx_uint_t passes);
static ngx_duplex_verdict_e ngx_duplex_verdict_while_unhealthy(
    ngx_duplex_verdict_t *verdict, ngx_uint_t fails, ngx_uint_t passes);


static const char  *ngx_duplex_verdict_words[] = {
    "checking",
    "up",
    "unhealthy"
};


/* the one table of these words: log, API and metrics */
static const char  *ngx_duplex_reason_words[] = {
    "",
    "connect",
    "timeout",
    "tls",
    "status",
    "header",
    "body",
    "closed",
    "answer",
    "require",
    "grpc",
    "protocol"
};


static ngx_duplex_verdict_state_pt  ngx_duplex_verdict_states[] = {
    ngx_duplex_verdict_while_checking,
    ngx_duplex_verdict_while_up,
    ngx_duplex_verdict_while_unhealthy
};


const char *
ngx_duplex_verdict_word(ngx_duplex_verdict_e state)
{
    return ngx_duplex_verdict_words[state];
}


const char *
ngx_duplex_reason_word(ngx_duplex_reason_e reason)
{
    return ngx_duplex_reason_words[reason];
}


ngx_uint_t
ngx_duplex_verdict_turn(ngx_duplex_verdict_t *verdict, ngx_uint_t pass,
    ngx_uint_t fails, ngx_uint_t passes)
{
    ngx_duplex_verdict_e  was;

    if (pass) {
        verdict->failed = 0;
        verdict->passed += (verdict->passed < NGX_MAX_UINT32_VALUE);

    } else {
        verdict->passed = 0;
        verdict->failed += (verdict->failed < NGX_MAX_UINT32_VALUE);
    }

    was = verdict->state;
    verdict->state = ngx_duplex_verdict_states[was](verdict, fails, passes);

    return verdict->state != was;
}


/* no verdict yet takes as much to come to one as either of them to change */

static ngx_duplex_verdict_e
ngx_duplex_verdict_while_checking(ngx_duplex_verdict_t *verdict,
    ngx_uint_t fails, ngx_uint_t passes)
{
    if (verdict->passed >= passes) {
        return ngx_duplex_verdict_up;
    }

    if (verdict->failed >= fails) {
        return ngx_duplex_verdict_unhealthy;
    }

    return ngx_duplex_verdict_checking;
}


/*
 * "Or more": a process may die between counting a probe and publishing the
 * verdict, and the limits may be lowered by a reload.
 */

static ngx_duplex_verdict_e
ngx_duplex_verdict_while_up(ngx_duplex_verdict_t *verdict, ngx_uint_t fails,
    ngx_uint_t passes)
{
    return verdict->failed >= fails ? ngx_duplex_verdict_unhealthy
                                    : ngx_duplex_verdict_up;
}


static ngx_duplex_verdict_e
ngx_duplex_verdict_while_unhealthy(ngx_duplex_verdict_t *verdict,
    ngx_uint_t fails, ngx_uint_t passes)
{
    return verdict->passed >= passes ? ngx_duplex_verdict_up
                                     : ngx_duplex_verdict_unhealthy;
}


ngx_duplex_verdict_e
ngx_duplex_verdict_of(ngx_duplex_verdict_e was, ngx_uint_t up,
    ngx_uint_t unhealthy, ngx_uint_t n)
{
    if (unhealthy) {
        return ngx_duplex_verdict_unhealthy;
    }

    return up == n ? ngx_duplex_verdict_up : was;
}


void
ngx_duplex_verdict_encode(ngx_duplex_verdict_record_t *rec, u_char *buf)
{
    u_char  *p;

    p = ngx_duplex_bytes_put(buf, NGX_DUPLEX_VERDICT_FORMAT, 1);
    p = ngx_duplex_bytes_put(p, rec->state, 1);
    p = ngx_duplex_bytes_put(p, rec->reason, 1);
    p = ngx_duplex_bytes_put(p, rec->status, 2);
    p = ngx_duplex_bytes_put(p, rec->incarnation, 8);
    p = ngx_duplex_bytes_put(p, rec->digest, 4);
    p = ngx_duplex_bytes_put(p, rec->check, 4);
    (void) ngx_duplex_bytes_put(p, rec->life, 8);
}


ngx_int_t
ngx_duplex_verdict_decode(ngx_duplex_verdict_record_t *rec, ngx_str_t *value)
{
    uint64_t             format, state, reason, status;
    ngx_duplex_bytes_t   b;

    if (value->len != NGX_DUPLEX_VERDICT_RECORD_LEN) {
        return NGX_ERROR;
    }

    b.pos = value->data;
    b.last = value->data + value->len;
    b.failed = 0;

    format = ngx_duplex_bytes_get(&b, 1);
    state = ngx_duplex_bytes_get(&b, 1);
    reason = ngx_duplex_bytes_get(&b, 1);
    status = ngx_duplex_bytes_get(&b, 2);
    rec->incarnation = ngx_duplex_bytes_get(&b, 8);
    rec->digest = (uint32_t) ngx_duplex_bytes_get(&b, 4);
    rec->check = (uint32_t) ngx_duplex_bytes_get(&b, 4);
    rec->life = ngx_duplex_bytes_get(&b, 8);

    if (format != NGX_DUPLEX_VERDICT_FORMAT
        || (state != ngx_duplex_verdict_up
            && state != ngx_duplex_verdict_unhealthy)
        || reason >= ngx_duplex_reason_n
        || status > NGX_DUPLEX_STATUS_MAX)
    {
        return NGX_ERROR;
    }

    rec->state = (ngx_duplex_verdict_e) state;
    rec->reason = (ngx_duplex_reason_e) reason;
    rec->status = (ngx_uint_t) status;

    return NGX_OK;
}


size_t
ngx_duplex_verdict_key(u_char *buf, size_t size, ngx_str_t *peer,
    ngx_str_t *node)
{
    u_char  *p;

    if (peer->len + 1 + node->len > size) {
        return 0;
    }

    p = ngx_cpymem(buf, peer->data, peer->len);
    *p++ = ' ';
    p = ngx_cpymem(p, node->data, node->len);

    return p - buf;
}


ngx_int_t
ngx_duplex_verdict_key_split(ngx_str_t *key, ngx_str_t *peer, ngx_str_t *node)
{
    size_t  n;

    for (n = key->len; n > 0 && key->data[n - 1] != ' '; n--) { /* void */ }

    if (n < 2 || n == key->len) {
        return NGX_ERROR;
    }

    peer->data = key->data;
    peer->len = n - 1;

    node->data = key->data + n;
    node->len = key->len - n;

    return NGX_OK;
}
