
/*
 * links: modules/sync/ngx_duplex_nodes.c modules/core/ngx_duplex_clock.c
 * links: modules/sync/ngx_duplex_sync_conf.c
 *
 * Position marks: good for the two incarnations they were made with, and
 * worth nothing when two writers have mixed.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../../modules/sync/ngx_duplex_nodes.h"
#include "unit.h"


#define OURS    0x0123456789abcdefULL
#define BEFORE  0x1111222233334444ULL
#define AFTER   0x9999888877776666ULL


int
main(void)
{
    uint64_t           position;
    uint64_t          *from, *to;
    ngx_uint_t         i, k, wrong;
    ngx_duplex_mark_t  first, second, mixed;

    ngx_memzero(&first, sizeof(ngx_duplex_mark_t));
    second = first;

    ok(ngx_duplex_mark_get(&first, BEFORE, OURS) == 0, "none yet: 0");

    ngx_duplex_mark_set(&first, BEFORE, OURS, 500);
    ngx_duplex_mark_set(&second, AFTER, OURS, 7);

    ok(ngx_duplex_mark_get(&first, BEFORE, OURS) == 500, "set");
    ok(ngx_duplex_mark_get(&first, AFTER, OURS) == 0,
       "their table is another one: 0");
    ok(ngx_duplex_mark_get(&first, BEFORE, OURS + 1) == 0,
       "our table is another one: 0");

    ngx_duplex_mark_set(&first, BEFORE, OURS, 501);
    ok(ngx_duplex_mark_get(&first, BEFORE, OURS) == 501, "moved on");

    /* every mixture of what two writers store, word by word */

    wrong = 0;

    for (i = 0; i < 1 << (sizeof(ngx_duplex_mark_t) / 8); i++) {

        mixed = first;

        from = (uint64_t *) &second;
        to = (uint64_t *) &mixed;

        for (k = 0; k < sizeof(ngx_duplex_mark_t) / 8; k++) {
            if (i & 1 << k) {
                to[k] = from[k];
            }
        }

        position = ngx_duplex_mark_get(&mixed, BEFORE, OURS);
        wrong += (position != 0 && position != 501);

        position = ngx_duplex_mark_get(&mixed, AFTER, OURS);
        wrong += (position != 0 && position != 7);
    }

    ok(wrong == 0, "a mixture is 0, or is one of the two");

    return done_testing();
}
