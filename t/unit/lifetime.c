
/*
 * links: modules/sync/ngx_duplex_crc.c
 * links: modules/sync/ngx_duplex_frame.c modules/sync/ngx_duplex_batch.c
 * links: modules/core/ngx_duplex_identity.c
 *
 * Lifetimes in RECORDS: "timeout=9999y" must not make a frame that the other
 * node takes for a malformed one.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../../modules/sync/ngx_duplex_batch.h"
#include "../../modules/sync/ngx_duplex_frame.h"
#include "unit.h"


#define NOW   1000000ULL
#define LONG  (1ULL << 40)


static u_char  buf[NGX_DUPLEX_FRAME_MAX_SIZE];


/* what is left of it over there; 0: refused */

static uint64_t
carried(uint64_t lifetime)
{
    u_char               *last;
    ngx_duplex_batch_t    batch;
    ngx_duplex_frame_t    frame;
    ngx_duplex_record_t   rec;

    ngx_memzero(&batch, sizeof(ngx_duplex_batch_t));
    ngx_memzero(&rec, sizeof(ngx_duplex_record_t));

    batch.kind = 7;
    ngx_str_set(&batch.zone, "zone");

    rec.kind = batch.kind;
    rec.zone = batch.zone;
    ngx_str_set(&rec.key, "key");
    rec.node = 1;
    rec.expire = NOW + lifetime;

    ngx_duplex_batch_begin(&batch, buf);
    ngx_duplex_batch_add(&batch, &rec, 1, NOW);
    last = ngx_duplex_batch_end(&batch, 1);

    if (ngx_duplex_frame_parse(&frame, buf, last, NGX_DUPLEX_FRAME_MAX)
            != NGX_OK
        || ngx_duplex_batch_open(&batch, &frame) != NGX_OK
        || ngx_duplex_batch_next(&batch, &rec, 1, NOW) != NGX_OK)
    {
        return 0;
    }

    return rec.expire - NOW;
}


int
main(void)
{
    ok(carried(1) == 1, "1 ms");
    ok(carried(LONG) == LONG, "30 years");
    ok(carried(1ULL << 62) > LONG, "what is beyond the longest is carried");

    return done_testing();
}
