
/*
 * See the header.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_clock.h"


static uint64_t ngx_duplex_clock_read(clockid_t id);


uint64_t
ngx_duplex_clock_next(ngx_duplex_clock_t *clock)
{
    uint64_t  wall, last, next;

    wall = ngx_duplex_clock_read(CLOCK_REALTIME) << 16;

    do {
        last = clock->last;
        next = ngx_max(wall, last + 1);
    } while (!ngx_atomic_cmp_set(&clock->last, last, next));

    return next;
}


ngx_int_t
ngx_duplex_clock_merge(ngx_duplex_clock_t *clock, uint64_t time)
{
    if (ngx_duplex_clock_ms(time)
        > ngx_duplex_clock_wall() + NGX_DUPLEX_CLOCK_MAX_DRIFT)
    {
        return NGX_DECLINED;
    }

    ngx_duplex_clock_restore(clock, time);

    return NGX_OK;
}


void
ngx_duplex_clock_restore(ngx_duplex_clock_t *clock, uint64_t time)
{
    uint64_t  last;

    do {
        last = clock->last;

        if (last >= time) {
            break;
        }

    } while (!ngx_atomic_cmp_set(&clock->last, last, time));
}


uint64_t
ngx_duplex_clock_wall(void)
{
    return ngx_duplex_clock_read(CLOCK_REALTIME);
}


uint64_t
ngx_duplex_clock_monotonic(void)
{
    return ngx_duplex_clock_read(CLOCK_MONOTONIC);
}


static uint64_t
ngx_duplex_clock_read(clockid_t id)
{
    struct timespec  ts;

    (void) clock_gettime(id, &ts);

    return (uint64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}
