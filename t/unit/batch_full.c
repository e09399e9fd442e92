
/*
 * links: modules/sync/ngx_duplex_crc.c
 * links: modules/sync/ngx_duplex_frame.c modules/sync/ngx_duplex_batch.c
 * links: modules/core/ngx_duplex_identity.c
 *
 * As many records as a frame takes, and a second frame for the rest.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../../modules/sync/ngx_duplex_batch.h"
#include "../../modules/sync/ngx_duplex_frame.h"
#include "unit.h"


#define NOW   1000000ULL


static u_char  buf[NGX_DUPLEX_FRAME_MAX_SIZE + 1024];
static u_char  value[NGX_DUPLEX_VALUE_MAX];
static u_char  long_key[NGX_DUPLEX_KEY_MAX];


int
main(void)
{
    u_char               *p;
    ngx_uint_t            n;
    ngx_duplex_frame_t    frame;
    ngx_duplex_batch_t    batch;
    ngx_duplex_record_t   rec;

    ngx_memzero(value, sizeof(value));
    ngx_memzero(&batch, sizeof(batch));

    ngx_memset(long_key, 'k', sizeof(long_key));
    ngx_memzero(&rec, sizeof(rec));

    rec.kind = 0x74657374;
    rec.time = 1;
    rec.node = 2;
    rec.zone.data = (u_char *) "zone";
    rec.zone.len = 4;
    rec.key.data = long_key;
    rec.key.len = sizeof(long_key);
    rec.value.data = value;
    rec.value.len = sizeof(value);

    batch.kind = rec.kind;
    batch.zone = rec.zone;

    ngx_duplex_batch_begin(&batch, buf);

    for (n = 0; ngx_duplex_batch_takes(&batch, &rec); n++) {
        ngx_duplex_batch_add(&batch, &rec, 1, NOW);
    }

    p = ngx_duplex_batch_end(&batch, 1);

    is_int(n, 3, "three of the largest records fit");
    is_int(ngx_duplex_frame_parse(&frame, buf, p, NGX_DUPLEX_FRAME_MAX),
           NGX_OK, "the full frame is one");
    is_int(ngx_duplex_batch_open(&batch, &frame), NGX_OK, "and is whole");

    rec.kind++;
    ok(!ngx_duplex_batch_takes(&batch, &rec), "another kind: another frame");

    /* sessions have no zone of their own: there is nothing to compare */

    ngx_memzero(&batch, sizeof(batch));
    ngx_str_null(&rec.zone);
    batch.kind = rec.kind;

    ngx_duplex_batch_begin(&batch, buf);
    ok(ngx_duplex_batch_takes(&batch, &rec), "no zone is one, too");

    return done_testing();
}
