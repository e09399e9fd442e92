
/*
 * See the header.  The holder's word is changed by compare-and-set only.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_lease.h"


static ngx_uint_t ngx_duplex_lease_is_silent(ngx_duplex_lease_t *lease,
    uint64_t now);
static ngx_uint_t ngx_duplex_lease_is_dead(ngx_atomic_uint_t holder);


/* of this process, from its first tick on */
static ngx_duplex_lease_t  *ngx_duplex_lease;
static ngx_atomic_uint_t    ngx_duplex_lease_me;


#define ngx_duplex_lease_word(generation)                                     \
    ((ngx_atomic_uint_t) (generation) << 32 | (uint32_t) ngx_pid)
#define ngx_duplex_lease_generation(word)  ((uint32_t) ((word) >> 32))
#define ngx_duplex_lease_pid(word)         ((ngx_pid_t) (uint32_t) (word))


ngx_int_t
ngx_duplex_lease_tick(ngx_duplex_lease_t *lease, uint32_t generation,
    uint64_t now)
{
    ngx_atomic_uint_t  holder;

    ngx_duplex_lease = lease;
    ngx_duplex_lease_me = ngx_duplex_lease_word(generation);

    holder = lease->holder;

    if (holder == ngx_duplex_lease_me) {
        lease->stamp = now;
        return NGX_OK;
    }

    if (holder) {

        if (ngx_duplex_lease_generation(holder) > generation) {
            return NGX_DECLINED;
        }

        if (ngx_duplex_lease_generation(holder) == generation
            && !ngx_duplex_lease_is_silent(lease, now)
            && !ngx_duplex_lease_is_dead(holder))
        {
            return NGX_DECLINED;
        }
    }

    /* before the word: whoever sees the new holder must not find it silent */

    lease->stamp = now;
    ngx_memory_barrier();

    if (!ngx_atomic_cmp_set(&lease->holder, holder, ngx_duplex_lease_me)) {
        return NGX_DECLINED;
    }

    (void) ngx_atomic_fetch_add(&lease->epoch, 1);

    return NGX_OK;
}


void
ngx_duplex_lease_release(ngx_duplex_lease_t *lease, uint32_t generation)
{
    (void) ngx_atomic_cmp_set(&lease->holder,
                              ngx_duplex_lease_word(generation), 0);
}


ngx_uint_t
ngx_duplex_lease_held(void)
{
    return ngx_duplex_lease && ngx_duplex_lease->holder == ngx_duplex_lease_me;
}


uint64_t
ngx_duplex_lease_epoch(void)
{
    return ngx_duplex_lease ? ngx_duplex_lease->epoch : 0;
}


ngx_pid_t
ngx_duplex_lease_holder(void)
{
    return ngx_duplex_lease ? ngx_duplex_lease_pid(ngx_duplex_lease->holder)
                            : 0;
}


/* the holder may have stamped after "now" was read: that is no silence */

static ngx_uint_t
ngx_duplex_lease_is_silent(ngx_duplex_lease_t *lease, uint64_t now)
{
    uint64_t  stamp;

    stamp = lease->stamp;

    return now > stamp && now - stamp >= NGX_DUPLEX_LEASE_TTL;
}


static ngx_uint_t
ngx_duplex_lease_is_dead(ngx_atomic_uint_t holder)
{
    return kill(ngx_duplex_lease_pid(holder), 0) == -1 && ngx_errno == ESRCH;
}
