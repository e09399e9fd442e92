
/*
 * links: modules/core/ngx_duplex_lease.c
 *
 * The lease: one holder, taken over from the dead, the silent and the old.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <sys/wait.h>
#include "../../modules/core/ngx_duplex_lease.h"
#include "unit.h"




int
main(void)
{
    pid_t               other, dead;
    ngx_duplex_lease_t  lease = { 0, 0, 0 };

    ngx_pid = getpid();

    /* a process that lives and one that does not */

    other = fork();
    if (other == 0) {
        pause();
        _exit(0);
    }

    dead = fork();
    if (dead == 0) {
        _exit(0);
    }

    (void) waitpid(dead, NULL, 0);

    ok(!ngx_duplex_lease_held(), "not held before the first tick");
    ok(ngx_duplex_lease_tick(&lease, 1, 1000) == NGX_OK, "free: taken");
    ok(ngx_duplex_lease_held() && ngx_duplex_lease_epoch() == 1
       && ngx_duplex_lease_holder() == ngx_pid, "held by this process");
    ok(ngx_duplex_lease_tick(&lease, 1, 1250) == NGX_OK
       && lease.stamp == 1250 && ngx_duplex_lease_epoch() == 1,
       "held: stamped");

    lease.holder = (ngx_atomic_uint_t) 1 << 32 | other;
    ok(!ngx_duplex_lease_held(), "lost as soon as another holds it");
    ok(ngx_duplex_lease_tick(&lease, 1, 1300) == NGX_DECLINED,
       "a living holder with a fresh stamp keeps it");
    ok(ngx_duplex_lease_tick(&lease, 1, 1249) == NGX_DECLINED,
       "and one that stamped after we had read the clock");
    ok(ngx_duplex_lease_tick(&lease, 1, 1250 + NGX_DUPLEX_LEASE_TTL)
       == NGX_OK && ngx_duplex_lease_epoch() == 2,
       "a silent one loses it");

    lease.holder = (ngx_atomic_uint_t) 1 << 32 | dead;
    lease.stamp = 2000;
    ok(ngx_duplex_lease_tick(&lease, 1, 2001) == NGX_OK
       && ngx_duplex_lease_epoch() == 3, "a dead one loses it at once");

    lease.holder = (ngx_atomic_uint_t) 1 << 32 | other;
    lease.stamp = 3000;
    ok(ngx_duplex_lease_tick(&lease, 2, 3001) == NGX_OK,
       "one of an older configuration loses it at once");

    lease.holder = (ngx_atomic_uint_t) 3 << 32 | other;
    lease.stamp = 0;
    ok(ngx_duplex_lease_tick(&lease, 2, 9000) == NGX_DECLINED,
       "one of a newer configuration does not, even when silent");

    ngx_duplex_lease_release(&lease, 2);
    ok(lease.holder != 0, "only the holder can give it up");

    lease.holder = 0;
    ok(ngx_duplex_lease_tick(&lease, 2, 9001) == NGX_OK, "taken again");
    ngx_duplex_lease_release(&lease, 2);
    ok(lease.holder == 0, "given up");

    (void) kill(other, SIGKILL);

    return done_testing();
}
