
/*
 * links: modules/sync/ngx_duplex_crc.c
 *
 * The fast sum is nginx's sum, for all lengths and alignments, in one piece
 * or in two.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../../modules/sync/ngx_duplex_crc.h"
#include "unit.h"


#define SIZE  200


int
main(void)
{
    u_char      buf[SIZE];
    uint32_t    crc, two;
    ngx_uint_t  i, from, len, wrong, tried;

    for (i = 0; i < SIZE; i++) {
        buf[i] = (u_char) (i * 167 + (i >> 3));
    }

    wrong = 0;
    tried = 0;

    for (from = 0; from < 9; from++) {
        for (len = 0; from + len <= SIZE; len++) {

            ngx_crc32_init(crc);
            ngx_duplex_crc_update(&crc, buf + from, len);
            ngx_crc32_final(crc);

            ngx_crc32_init(two);
            ngx_duplex_crc_update(&two, buf + from, len / 3);
            ngx_duplex_crc_update(&two, buf + from + len / 3, len - len / 3);
            ngx_crc32_final(two);

            wrong += (crc != ngx_crc32_long(buf + from, len)) + (two != crc);
            tried++;
        }
    }

    ok(tried > 1500, "%d pieces", (int) tried);
    is_int(wrong, 0, "the same sum");

    ngx_crc32_init(crc);
    ngx_duplex_crc_update(&crc, (u_char *) "123456789", 9);
    ngx_crc32_final(crc);

    is_int(crc, 0xcbf43926, "the check value of the standard");

    return done_testing();
}
