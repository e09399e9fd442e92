
/*
 * links: modules/health/ngx_duplex_verdict.c
 *
 * The verdict: how many probes in a row it takes, and what its record holds.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../../modules/health/ngx_duplex_verdict.h"
#include "unit.h"


/* feeds "probes" ("+" passed, "-" failed), answers the states after each */

static const char *
states(ngx_duplex_verdict_t *verdict, const char *probes, ngx_uint_t fails,
    ngx_uint_t passes)
{
    ngx_uint_t            i, changed;
    ngx_duplex_verdict_e  was;

    static char           out[64];

    for (i = 0; probes[i]; i++) {
        was = verdict->state;
        changed = ngx_duplex_verdict_turn(verdict, probes[i] == '+', fails,
                                          passes);

        if (changed != (was != verdict->state)) {
            return "change not told";
        }

        out[i] = *ngx_duplex_verdict_word(verdict->state);
    }

    out[i] = '\0';

    return out;
}


static void
test_turn(void)
{
    ngx_uint_t            i;
    ngx_duplex_verdict_t  verdict;
    const char           *got;

    static struct {
        const char  *probes;
        ngx_uint_t   fails;
        ngx_uint_t   passes;
        const char  *states;        /* first letters */
    } cases[] = {
        { "+",          1, 1, "u" },
        { "-",          1, 1, "u" },
        { "--",         2, 1, "cu" },
        { "-+-",        2, 2, "ccc" },
        { "++",         1, 2, "cu" },
        { "-+-+--",     2, 2, "cccccu" }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ngx_memzero(&verdict, sizeof(verdict));

        got = states(&verdict, cases[i].probes, cases[i].fails,
                     cases[i].passes);

        ok(strcmp(got, cases[i].states) == 0, "%s with fails=%d passes=%d",
           cases[i].probes, (int) cases[i].fails, (int) cases[i].passes);
    }

    ngx_memzero(&verdict, sizeof(verdict));

    states(&verdict, "+", 3, 2);
    is_int(verdict.state, ngx_duplex_verdict_checking, "one pass of two");
    states(&verdict, "+", 3, 2);
    is_int(verdict.state, ngx_duplex_verdict_up, "two of two");
    states(&verdict, "--+--", 3, 2);
    is_int(verdict.state, ngx_duplex_verdict_up, "fails are not in a row");
    states(&verdict, "-", 3, 2);
    is_int(verdict.state, ngx_duplex_verdict_unhealthy, "three in a row");
    is_int(verdict.failed, 3, "counted");
    states(&verdict, "+-+", 3, 2);
    is_int(verdict.state, ngx_duplex_verdict_unhealthy,
           "passes are not in a row");
    states(&verdict, "+", 3, 2);
    is_int(verdict.state, ngx_duplex_verdict_up, "two in a row");

    /* counted, but its holder died before it could publish */

    verdict.failed = 7;
    states(&verdict, "-", 3, 2);
    is_int(verdict.state, ngx_duplex_verdict_unhealthy, "more than enough");

    verdict.failed = NGX_MAX_UINT32_VALUE;
    states(&verdict, "-", 3, 2);
    is_int(verdict.failed, NGX_MAX_UINT32_VALUE, "the count does not wrap");
}


static void
test_verdict_record(void)
{
    u_char                        buf[NGX_DUPLEX_VERDICT_RECORD_LEN + 1];
    ngx_str_t                     value;
    ngx_uint_t                    i;
    ngx_duplex_verdict_record_t   rec, got;

    static struct {
        ngx_uint_t   byte;
        u_char       value;
        const char  *name;
    } bad[] = {
        { 0, 1, "unknown format" },
        { 1, ngx_duplex_verdict_checking, "no verdict" },
        { 1, ngx_duplex_verdict_n, "unknown state" },
        { 2, ngx_duplex_reason_n, "unknown reason" },
        { 3, 0x80, "impossible status" }
    };

    rec.state = ngx_duplex_verdict_unhealthy;
    rec.reason = ngx_duplex_reason_status;
    rec.status = 503;
    rec.incarnation = 0xfedcba9876543210;
    rec.digest = 0x89abcdef;
    rec.check = 0x01234567;
    rec.life = 0x0011223344556677;

    value.data = buf;
    value.len = NGX_DUPLEX_VERDICT_RECORD_LEN;

    ngx_duplex_verdict_encode(&rec, buf);

    ok(ngx_duplex_verdict_decode(&got, &value) == NGX_OK
       && got.state == rec.state && got.reason == rec.reason
       && got.status == rec.status && got.incarnation == rec.incarnation
       && got.digest == rec.digest && got.check == rec.check
       && got.life == rec.life,
       "verdict record");

    for (i = 0; i <= NGX_DUPLEX_VERDICT_RECORD_LEN + 1; i++) {
        value.len = i;

        if (ngx_duplex_verdict_decode(&got, &value)
            != (i == NGX_DUPLEX_VERDICT_RECORD_LEN ? NGX_OK : NGX_ERROR))
        {
            break;
        }
    }

    is_int(i, NGX_DUPLEX_VERDICT_RECORD_LEN + 2, "of its length only");

    value.len = NGX_DUPLEX_VERDICT_RECORD_LEN;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ngx_duplex_verdict_encode(&rec, buf);
        buf[bad[i].byte] = bad[i].value;

        is_int(ngx_duplex_verdict_decode(&got, &value), NGX_ERROR, "%s",
               bad[i].name);
    }
}


static void
test_of(void)
{
    ngx_uint_t  i;

    static struct {
        ngx_duplex_verdict_e  was;
        ngx_uint_t            up;
        ngx_uint_t            unhealthy;
        ngx_duplex_verdict_e  is;
        const char           *name;
    } cases[] = {
        { ngx_duplex_verdict_checking, 0, 0, ngx_duplex_verdict_checking,
          "nothing known" },
        { ngx_duplex_verdict_checking, 2, 0, ngx_duplex_verdict_checking,
          "two of three passed" },
        { ngx_duplex_verdict_checking, 3, 0, ngx_duplex_verdict_up,
          "all passed" },
        { ngx_duplex_verdict_up, 2, 1, ngx_duplex_verdict_unhealthy,
          "one failed" },
        { ngx_duplex_verdict_unhealthy, 2, 0, ngx_duplex_verdict_unhealthy,
          "one is still to pass" },
        { ngx_duplex_verdict_up, 2, 0, ngx_duplex_verdict_up,
          "a check was added" }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        is_int(ngx_duplex_verdict_of(cases[i].was, cases[i].up,
                                     cases[i].unhealthy, 3),
               cases[i].is, "three checks: %s", cases[i].name);
    }
}


static void
test_key(void)
{
    u_char     buf[32];
    ngx_str_t  key, peer, node;

    static ngx_str_t  be = ngx_string("a b 127.0.0.1:80 0");
    static ngx_str_t  alpha = ngx_string("alpha");

    key.data = buf;
    key.len = ngx_duplex_verdict_key(buf, sizeof(buf), &be, &alpha);

    is_str(&key, "a b 127.0.0.1:80 0 alpha", "key");

    is_int(ngx_duplex_verdict_key_split(&key, &peer, &node), NGX_OK, "split");
    is_str(&peer, "a b 127.0.0.1:80 0", "peer");
    is_str(&node, "alpha", "node");

    is_int(ngx_duplex_verdict_key(buf, be.len + alpha.len, &be, &alpha), 0,
           "too long a key");

    ngx_str_set(&key, "");
    is_int(ngx_duplex_verdict_key_split(&key, &peer, &node), NGX_ERROR,
           "empty");
    ngx_str_set(&key, "alpha");
    is_int(ngx_duplex_verdict_key_split(&key, &peer, &node), NGX_ERROR,
           "no peer");
    ngx_str_set(&key, " alpha");
    is_int(ngx_duplex_verdict_key_split(&key, &peer, &node), NGX_ERROR,
           "empty peer");
    ngx_str_set(&key, "127.0.0.1:80 ");
    is_int(ngx_duplex_verdict_key_split(&key, &peer, &node), NGX_ERROR,
           "empty node");
}


int
main(void)
{
    test_turn();
    test_verdict_record();
    test_of();
    test_key();

    ok(strcmp(ngx_duplex_reason_word(ngx_duplex_reason_protocol), "protocol")
           == 0,
       "the last reason has its word");

    return done_testing();
}
