
/*
 * links: modules/health/ngx_duplex_policy.c
 *
 * What the verdicts of several nodes come to, and how servers are shared out
 * over the nodes that probe them.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../../modules/health/ngx_duplex_policy.h"
#include "unit.h"


static void
test_count(void)
{
    ngx_uint_t            i;
    ngx_duplex_ballot_t   ballot;

    static struct {
        ngx_uint_t            up, unhealthy;
        ngx_duplex_verdict_e  any, all;
    } cases[] = {
        { 0, 0, ngx_duplex_verdict_checking, ngx_duplex_verdict_checking },
        { 1, 0, ngx_duplex_verdict_up, ngx_duplex_verdict_up },
        { 2, 0, ngx_duplex_verdict_up, ngx_duplex_verdict_up },
        { 0, 1, ngx_duplex_verdict_unhealthy, ngx_duplex_verdict_unhealthy },
        { 0, 2, ngx_duplex_verdict_unhealthy, ngx_duplex_verdict_unhealthy },
        { 1, 1, ngx_duplex_verdict_unhealthy, ngx_duplex_verdict_up },
        { 1, 7, ngx_duplex_verdict_unhealthy, ngx_duplex_verdict_up },
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ballot.up = cases[i].up;
        ballot.unhealthy = cases[i].unhealthy;

        is_int(ngx_duplex_policy_count(ngx_duplex_policy_any, &ballot),
               cases[i].any, "any: %d up, %d unhealthy",
               (int) ballot.up, (int) ballot.unhealthy);
        is_int(ngx_duplex_policy_count(ngx_duplex_policy_all, &ballot),
               cases[i].all, "all: %d up, %d unhealthy",
               (int) ballot.up, (int) ballot.unhealthy);
    }
}


/* the node with the highest claim, of "n" */

static ngx_uint_t
owner(uint64_t *nodes, ngx_uint_t n, uint64_t peer)
{
    ngx_uint_t  i, best;

    best = 0;

    for (i = 1; i < n; i++) {
        if (ngx_duplex_policy_claim(nodes[i], peer)
            > ngx_duplex_policy_claim(nodes[best], peer))
        {
            best = i;
        }
    }

    return best;
}


static void
test_claim(void)
{
    uint64_t    peer, nodes[3] = { 0x1234567890abcdef, 1, 2 };
    ngx_uint_t  i, two, three, moved, count[3] = { 0, 0, 0 };

    moved = 0;

    for (i = 0; i < 9000; i++) {
        peer = i * 0x100000001ULL;

        two = owner(nodes, 2, peer);
        three = owner(nodes, 3, peer);

        count[three]++;
        moved += (three != two && three != 2);
    }

    for (i = 0; i < 3; i++) {
        ok(count[i] > 2700 && count[i] < 3300, "node %d has %d of 9000",
           (int) i, (int) count[i]);
    }

    is_int(moved, 0, "a third node takes servers, and moves no others");
}


static void
test_voice(void)
{
    u_char              buf[NGX_DUPLEX_VOICE_LEN + 1];
    ngx_str_t           value;
    ngx_uint_t          i;
    ngx_duplex_voice_t  voice, got;

    value.data = buf;

    for (i = 0; i < 4; i++) {
        voice.incarnation = 0xfedcba9876543210;
        voice.digest = 0x89abcdef;
        voice.opinion = i & 1;
        voice.sighted = i >> 1;

        ngx_duplex_voice_encode(&voice, buf);
        value.len = NGX_DUPLEX_VOICE_LEN;

        ok(ngx_duplex_voice_decode(&got, &value) == NGX_OK
           && got.incarnation == voice.incarnation
           && got.digest == voice.digest
           && got.opinion == voice.opinion
           && got.sighted == voice.sighted, "a voice, %d", (int) i);
    }

    for (i = 0; i <= NGX_DUPLEX_VOICE_LEN + 1; i++) {
        value.len = i;
        is_int(ngx_duplex_voice_decode(&got, &value),
               i == NGX_DUPLEX_VOICE_LEN ? NGX_OK : NGX_ERROR,
               "%d bytes", (int) i);
    }

    value.len = NGX_DUPLEX_VOICE_LEN;

    buf[1] = 4;
    is_int(ngx_duplex_voice_decode(&got, &value), NGX_ERROR, "unknown flag");

    buf[1] = 0;
    buf[0] = 2;
    is_int(ngx_duplex_voice_decode(&got, &value), NGX_ERROR, "unknown format");
}


int
main(void)
{
    test_count();
    test_claim();
    test_voice();

    return done_testing();
}
