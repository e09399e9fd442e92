
/*
 * The memory of the probes of one server under one check: counters and the
 * last results, and the record that both are kept in.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_bytes.h"
#include "ngx_duplex_probed.h"


#define NGX_DUPLEX_PROBED_FORMAT  1     /* first byte of a record */

/* reason and status share two bytes */
#define NGX_DUPLEX_PROBED_STATUS  0x3ff


void
ngx_duplex_probed_add(ngx_duplex_probed_t *probed, uint64_t time,
    ngx_duplex_probed_result_t *result, ngx_str_t *text)
{
    uint64_t                     ago;
    ngx_duplex_probed_result_t  *results;

    results = probed->results;

    if (probed->nresults) {
        ago = time > probed->time ? time - probed->time : 0;
        results[0].ago = (uint32_t) ngx_min(ago, NGX_MAX_UINT32_VALUE);
    }

    ngx_memmove(&results[1], &results[0],
                (NGX_DUPLEX_PROBED_RESULTS - 1)
                * sizeof(ngx_duplex_probed_result_t));

    results[0] = *result;
    results[0].ago = 0;
    results[0].duration = ngx_min(result->duration, 0xffff);

    if (probed->nresults < NGX_DUPLEX_PROBED_RESULTS) {
        probed->nresults++;
    }

    probed->time = time;

    if (result->reason != ngx_duplex_reason_none) {
        probed->text_len = ngx_min(text->len, NGX_DUPLEX_PROBED_TEXT);
        (void) ngx_duplex_bytes_put_run(probed->text, text->data,
                                        probed->text_len);
    }
}


size_t
ngx_duplex_probed_encode(ngx_duplex_probed_t *probed, u_char *buf)
{
    u_char                      *p;
    ngx_uint_t                   i;
    ngx_duplex_probed_result_t  *result;

    p = ngx_duplex_bytes_put(buf, NGX_DUPLEX_PROBED_FORMAT, 1);
    p = ngx_duplex_bytes_put(p, probed->life, 8);
    p = ngx_duplex_bytes_put(p, probed->started, 8);
    p = ngx_duplex_bytes_put(p, probed->time, 8);
    p = ngx_duplex_bytes_put(p, probed->state, 1);
    p = ngx_duplex_bytes_put(p, probed->failed, 4);
    p = ngx_duplex_bytes_put(p, probed->passed, 4);
    p = ngx_duplex_bytes_put(p, probed->checks, 8);
    p = ngx_duplex_bytes_put(p, probed->fails, 8);
    p = ngx_duplex_bytes_put(p, probed->unhealthy, 8);
    p = ngx_duplex_bytes_put(p, probed->faults, 8);
    p = ngx_duplex_bytes_put(p, probed->nresults, 1);

    for (i = 0; i < probed->nresults; i++) {
        result = &probed->results[i];

        p = ngx_duplex_bytes_put(p, result->ago, 4);
        p = ngx_duplex_bytes_put(p, result->duration, 2);
        p = ngx_duplex_bytes_put(p, (uint64_t) result->reason << 10
                                    | result->status, 2);
    }

    p = ngx_duplex_bytes_put_run(p, probed->text, probed->text_len);

    return p - buf;
}


ngx_int_t
ngx_duplex_probed_decode(ngx_duplex_probed_t *probed, ngx_str_t *value)
{
    uint64_t                     format, state, reason;
    ngx_uint_t                   i;
    ngx_duplex_bytes_t           b;
    ngx_duplex_probed_result_t  *result;

    b.pos = value->data;
    b.last = value->data + value->len;
    b.failed = 0;

    format = ngx_duplex_bytes_get(&b, 1);
    probed->life = ngx_duplex_bytes_get(&b, 8);
    probed->started = ngx_duplex_bytes_get(&b, 8);
    probed->time = ngx_duplex_bytes_get(&b, 8);
    state = ngx_duplex_bytes_get(&b, 1);
    probed->failed = (uint32_t) ngx_duplex_bytes_get(&b, 4);
    probed->passed = (uint32_t) ngx_duplex_bytes_get(&b, 4);
    probed->checks = ngx_duplex_bytes_get(&b, 8);
    probed->fails = ngx_duplex_bytes_get(&b, 8);
    probed->unhealthy = ngx_duplex_bytes_get(&b, 8);
    probed->faults = ngx_duplex_bytes_get(&b, 8);
    probed->nresults = (ngx_uint_t) ngx_duplex_bytes_get(&b, 1);

    if (format != NGX_DUPLEX_PROBED_FORMAT
        || state >= ngx_duplex_verdict_n
        || probed->nresults > NGX_DUPLEX_PROBED_RESULTS)
    {
        return NGX_ERROR;
    }

    probed->state = (ngx_duplex_verdict_e) state;

    for (i = 0; i < probed->nresults; i++) {
        result = &probed->results[i];

        result->ago = (uint32_t) ngx_duplex_bytes_get(&b, 4);
        result->duration = (uint32_t) ngx_duplex_bytes_get(&b, 2);
        result->status = (ngx_uint_t) ngx_duplex_bytes_get(&b, 2);

        reason = result->status >> 10;
        result->status &= NGX_DUPLEX_PROBED_STATUS;

        if (reason >= ngx_duplex_reason_n) {
            return NGX_ERROR;
        }

        result->reason = (ngx_duplex_reason_e) reason;
    }

    if (b.failed || b.last - b.pos > NGX_DUPLEX_PROBED_TEXT) {
        return NGX_ERROR;
    }

    probed->text_len = b.last - b.pos;
    ngx_memcpy(probed->text, b.pos, probed->text_len);

    return NGX_OK;
}
