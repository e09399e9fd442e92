
/*
 * links: modules/health/ngx_duplex_probed.c
 *
 * The memory of a check's probes: the last sixteen results, newest first,
 * and the record they are kept in.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../../modules/health/ngx_duplex_probed.h"
#include "unit.h"


static ngx_str_t  why = ngx_string("recv() failed");


static void
add(ngx_duplex_probed_t *probed, uint64_t time, uint32_t duration,
    ngx_duplex_reason_e reason, ngx_uint_t status)
{
    ngx_duplex_probed_result_t  result;

    result.ago = 77;
    result.duration = duration;
    result.reason = reason;
    result.status = status;

    ngx_duplex_probed_add(probed, time, &result, &why);
}


static void
test_results(void)
{
    ngx_uint_t           i;
    ngx_duplex_probed_t  probed;

    ngx_memzero(&probed, sizeof(probed));

    add(&probed, 1000, 5, ngx_duplex_reason_none, 200);

    is_int(probed.nresults, 1, "one result");
    is_int(probed.results[0].ago, 0, "... the latest");
    is_int(probed.text_len, 0, "... passed: no text");

    add(&probed, 3500, 100000, ngx_duplex_reason_timeout, 0);

    is_int(probed.nresults, 2, "two results");
    is_int(probed.results[0].duration, 65535, "... a long one");
    is_int(probed.results[1].duration, 5, "... the other is the second");
    is_int(probed.results[1].ago, 2500, "... and that long before it");
    is_int(probed.text_len, why.len, "... failed: a text");

    add(&probed, 3000, 1, ngx_duplex_reason_none, 200);

    is_int(probed.results[1].ago, 0, "the clock went back");
    is_int(probed.text_len, why.len, "the text of the last failure stays");

    for (i = 0; i < 20; i++) {
        add(&probed, 5000 + i, i, ngx_duplex_reason_none, 200);
    }

    is_int(probed.nresults, NGX_DUPLEX_PROBED_RESULTS, "no more than that");
    is_int(probed.results[0].duration, 19, "... newest first");
    is_int(probed.results[15].duration, 4, "... oldest last");
}


static void
test_record(void)
{
    size_t               len;
    u_char               buf[NGX_DUPLEX_PROBED_RECORD_MAX + 1];
    u_char               again[NGX_DUPLEX_PROBED_RECORD_MAX];
    ngx_str_t            value;
    ngx_uint_t           i;
    ngx_duplex_probed_t  probed, got;

    ngx_memzero(&probed, sizeof(probed));
    ngx_memzero(buf, sizeof(buf));

    probed.life = 0x1122334455667788;
    probed.started = 0x0102030405060708;
    probed.state = ngx_duplex_verdict_unhealthy;
    probed.failed = 3;
    probed.passed = NGX_MAX_UINT32_VALUE;
    probed.checks = 1000000000000;
    probed.fails = 5;
    probed.unhealthy = 2;
    probed.faults = 1;

    for (i = 0; i < NGX_DUPLEX_PROBED_RESULTS; i++) {
        add(&probed, 1000 * i, i, ngx_duplex_reason_n - 1, 999);
    }

    len = ngx_duplex_probed_encode(&probed, buf);

    is_int(len, NGX_DUPLEX_PROBED_HEAD + 8 * NGX_DUPLEX_PROBED_RESULTS
                + why.len, "as long as it should be");

    value.data = buf;
    value.len = len;

    is_int(ngx_duplex_probed_decode(&got, &value), NGX_OK, "decoded");
    is_int(got.results[15].reason, ngx_duplex_reason_n - 1, "reason");
    is_int(got.results[15].status, 999, "status");
    is_int(got.results[15].ago, 1000, "ago");
    is_int(got.checks, 1000000000000, "checks");
    is_int(got.state, ngx_duplex_verdict_unhealthy, "state");

    is_int(ngx_duplex_probed_encode(&got, again), len, "encoded again");
    ok(ngx_memcmp(buf, again, len) == 0, "... the same");

    for (i = 0; i < len - why.len; i++) {
        value.len = i;

        if (ngx_duplex_probed_decode(&got, &value) != NGX_ERROR) {
            break;
        }
    }

    is_int(i, len - why.len, "no shorter one is accepted");

    value.len = NGX_DUPLEX_PROBED_HEAD + 8 * NGX_DUPLEX_PROBED_RESULTS
                + NGX_DUPLEX_PROBED_TEXT;
    is_int(ngx_duplex_probed_decode(&got, &value), NGX_OK, "the longest");

    value.len++;
    is_int(ngx_duplex_probed_decode(&got, &value), NGX_ERROR, "too long");

    value.len = len;

    buf[0] ^= 2;
    is_int(ngx_duplex_probed_decode(&got, &value), NGX_ERROR, "format");
    buf[0] ^= 2;

    buf[25] = ngx_duplex_verdict_n;
    is_int(ngx_duplex_probed_decode(&got, &value), NGX_ERROR, "state");
    buf[25] = ngx_duplex_verdict_up;

    buf[66] = NGX_DUPLEX_PROBED_RESULTS + 1;
    is_int(ngx_duplex_probed_decode(&got, &value), NGX_ERROR, "results");
    buf[66] = NGX_DUPLEX_PROBED_RESULTS;

    buf[NGX_DUPLEX_PROBED_HEAD + 6] = 0xff;
    is_int(ngx_duplex_probed_decode(&got, &value), NGX_ERROR, "reason");
}


int
main(void)
{
    test_results();
    test_record();

    return done_testing();
}
