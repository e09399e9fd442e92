
/*
 * links: modules/core/ngx_duplex_clock.c
 *
 * The hybrid logical clock: never back, never twice, bounded drift.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include "../../modules/core/ngx_duplex_clock.h"
#include "unit.h"


#define HOUR    (3600 * 1000ULL)
#define ROUNDS  200000


static uint64_t
wall(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_REALTIME, &ts);

    return (uint64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}


/* two processes draw times: no time is given out twice */

static void
shared(void)
{
    uint64_t             last, next;
    uint32_t             i, back;
    ngx_duplex_clock_t  *clock;

    clock = mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_ANONYMOUS,
                 -1, 0);

    /* ahead of the wall clock, so that each draw adds exactly one */
    clock->last = (wall() + HOUR) << 16;
    last = clock->last;

    if (fork() == 0) {
        for (i = 0; i < ROUNDS; i++) {
            (void) ngx_duplex_clock_next(clock);
        }

        _exit(0);
    }

    for (i = 0, back = 0, next = last; i < ROUNDS; i++) {
        uint64_t  previous = next;

        next = ngx_duplex_clock_next(clock);
        back += (next <= previous);
    }

    (void) wait(NULL);

    ok(back == 0, "each time is later than the one before");
    ok(clock->last == last + 2 * ROUNDS, "no time was given out twice");
}


int
main(void)
{
    uint64_t            time;
    ngx_duplex_clock_t  clock = { 0 };

    time = ngx_duplex_clock_next(&clock);
    ok(ngx_duplex_clock_ms(time) + 1000 > wall()
       && ngx_duplex_clock_ms(time) <= wall(),
       "follows the wall clock");

    ok(ngx_duplex_clock_merge(&clock, (wall() + 23 * HOUR) << 16) == NGX_OK,
       "merges a time 23 hours ahead");
    ok(ngx_duplex_clock_ms(ngx_duplex_clock_next(&clock)) > wall() + 22 * HOUR,
       "and goes on from there");

    time = clock.last;
    ok(ngx_duplex_clock_merge(&clock, (wall() + 25 * HOUR) << 16)
       == NGX_DECLINED,
       "refuses a time 25 hours ahead");
    ok(clock.last == time, "which changes nothing");

    ok(ngx_duplex_clock_merge(&clock, 1) == NGX_OK && clock.last == time,
       "an earlier time does not set it back");

    shared();

    return done_testing();
}
