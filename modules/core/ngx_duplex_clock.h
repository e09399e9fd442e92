
/*
 * Time: the hybrid logical clock that orders changes over all nodes, and the
 * monotonic clock of this host that measures lifetimes.
 *
 * Hybrid logical time (Kulkarni et al., "Logical Physical Clocks", 2014) in
 * 64 bits: milliseconds of the wall clock shifted left by 16, the low bits
 * count changes within one millisecond.  The last time given out is kept in
 * shared memory and never goes back, whatever the wall clock does.
 */


#ifndef _NGX_DUPLEX_CLOCK_H_INCLUDED_
#define _NGX_DUPLEX_CLOCK_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_DUPLEX_CLOCK_MAX_DRIFT  (24 * 3600 * 1000ULL)       /* ms */

#define ngx_duplex_clock_ms(t)      ((t) >> 16)


/* shared memory: one word */
typedef struct {
    ngx_atomic_t  last;
} ngx_duplex_clock_t;


/* later than any time this clock gave out or merged; lock-free */
uint64_t ngx_duplex_clock_next(ngx_duplex_clock_t *clock);

/*
 * Merges another node's time.  NGX_DECLINED, and nothing changed, if it is
 * more than NGX_DUPLEX_CLOCK_MAX_DRIFT ahead of the wall clock.
 */
ngx_int_t ngx_duplex_clock_merge(ngx_duplex_clock_t *clock, uint64_t time);

/* goes on after "time", however far ahead: our own, from before a restart */
void ngx_duplex_clock_restore(ngx_duplex_clock_t *clock, uint64_t time);

/* the wall clock in milliseconds; it may jump */
uint64_t ngx_duplex_clock_wall(void);

/* milliseconds of CLOCK_MONOTONIC: equal in all processes of this host */
uint64_t ngx_duplex_clock_monotonic(void);


#endif /* _NGX_DUPLEX_CLOCK_H_INCLUDED_ */
