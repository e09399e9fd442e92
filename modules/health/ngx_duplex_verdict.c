
/*
 * The verdict on one server: the state machine of health.dot, and the two
 * records it is kept in.  Pure functions: whoever calls owns the data.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_verdict.h"


#define NGX_DUPLEX_VERDICT_FORMAT  1    /* first byte of a verdict record */
#define NGX_DUPLEX_PROBED_FORMAT   1

#define NGX_DUPLEX_STATUS_MAX      999


typedef ngx_duplex_verdict_e (*ngx_duplex_verdict_state_pt)(
    ngx_duplex_verdict_t *verdict, ngx_uint_t fails, ngx_uint_t passes);


static ngx_duplex_verdict_e ngx_duplex_verdict_while_checking(
    ngx_duplex_verdict_t *verdict, ngx_uint_t fails, ngx_uint_t passes);
static ngx_duplex_verdict_e ngx_duplex_verdict_while_up(
    ngx_duplex_verdict_t *verdict, ngx_uint_t fails, ngx_uint_t passes);
static ngx_duplex_verdict_e ngx_duplex_verdict_while_unhealthy(
    ngx_duplex_verdict_t *verdict, ngx_uint_t fails, ngx_uint_t passes);
static u_char *ngx_duplex_verdict_write(u_char *p, uint64_t n, size_t bytes);
static u_char *ngx_duplex_verdict_read(u_char *p, uint64_t *n, size_t bytes);


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
    "answer"
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


void
ngx_duplex_verdict_encode(ngx_duplex_verdict_record_t *rec, u_char *buf)
{
    u_char  *p;

    p = ngx_duplex_verdict_write(buf, NGX_DUPLEX_VERDICT_FORMAT, 1);
    p = ngx_duplex_verdict_write(p, rec->state, 1);
    p = ngx_duplex_verdict_write(p, rec->reason, 1);
    p = ngx_duplex_verdict_write(p, rec->status, 2);
    (void) ngx_duplex_verdict_write(p, rec->incarnation, 8);
}


ngx_int_t
ngx_duplex_verdict_decode(ngx_duplex_verdict_record_t *rec, ngx_str_t *value)
{
    u_char    *p;
    uint64_t   format, state, reason, status;

    if (value->len != NGX_DUPLEX_VERDICT_RECORD_LEN) {
        return NGX_ERROR;
    }

    p = ngx_duplex_verdict_read(value->data, &format, 1);
    p = ngx_duplex_verdict_read(p, &state, 1);
    p = ngx_duplex_verdict_read(p, &reason, 1);
    p = ngx_duplex_verdict_read(p, &status, 2);
    (void) ngx_duplex_verdict_read(p, &rec->incarnation, 8);

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


void
ngx_duplex_probed_encode(ngx_duplex_probed_record_t *rec, u_char *buf)
{
    u_char  *p;

    p = ngx_duplex_verdict_write(buf, NGX_DUPLEX_PROBED_FORMAT, 1);
    p = ngx_duplex_verdict_write(p, rec->started, 8);
    p = ngx_duplex_verdict_write(p, rec->failed, 4);
    p = ngx_duplex_verdict_write(p, rec->passed, 4);
    p = ngx_duplex_verdict_write(p, rec->checks, 8);
    p = ngx_duplex_verdict_write(p, rec->fails, 8);
    p = ngx_duplex_verdict_write(p, rec->unhealthy, 8);
    (void) ngx_duplex_verdict_write(p, rec->last_passed, 1);
}


ngx_int_t
ngx_duplex_probed_decode(ngx_duplex_probed_record_t *rec, ngx_str_t *value)
{
    u_char    *p;
    uint64_t   format, failed, passed, last_passed;

    if (value->len != NGX_DUPLEX_PROBED_RECORD_LEN) {
        return NGX_ERROR;
    }

    p = ngx_duplex_verdict_read(value->data, &format, 1);
    p = ngx_duplex_verdict_read(p, &rec->started, 8);
    p = ngx_duplex_verdict_read(p, &failed, 4);
    p = ngx_duplex_verdict_read(p, &passed, 4);
    p = ngx_duplex_verdict_read(p, &rec->checks, 8);
    p = ngx_duplex_verdict_read(p, &rec->fails, 8);
    p = ngx_duplex_verdict_read(p, &rec->unhealthy, 8);
    (void) ngx_duplex_verdict_read(p, &last_passed, 1);

    if (format != NGX_DUPLEX_PROBED_FORMAT || last_passed > 1) {
        return NGX_ERROR;
    }

    rec->failed = (uint32_t) failed;
    rec->passed = (uint32_t) passed;
    rec->last_passed = (ngx_uint_t) last_passed;

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


/* big-endian, the lowest "bytes" of "n" */

static u_char *
ngx_duplex_verdict_write(u_char *p, uint64_t n, size_t bytes)
{
    while (bytes--) {
        *p++ = (u_char) (n >> (8 * bytes));
    }

    return p;
}


static u_char *
ngx_duplex_verdict_read(u_char *p, uint64_t *n, size_t bytes)
{
    *n = 0;

    while (bytes--) {
        *n = *n << 8 | *p++;
    }

    return p;
}
