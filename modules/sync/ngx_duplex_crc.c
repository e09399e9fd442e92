
/*
 * See the header.  Table n says what a byte does to the sum when n bytes
 * follow it; table 0 is nginx's.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_crc.h"


static void ngx_duplex_crc_make(void);


/* of this process; the last entry is the last to be made, and never 0 */
static uint32_t  ngx_duplex_crc_tables[8][256];


void
ngx_duplex_crc_update(uint32_t *crc, u_char *p, size_t len)
{
    uint32_t    c, next;
    uint32_t  (*t)[256];

    if (ngx_duplex_crc_tables[7][255] == 0) {
        ngx_duplex_crc_make();
    }

    t = ngx_duplex_crc_tables;
    c = *crc;

    while (len >= 8) {

        c ^= (uint32_t) p[0] | (uint32_t) p[1] << 8 | (uint32_t) p[2] << 16
             | (uint32_t) p[3] << 24;

        next = (uint32_t) p[4] | (uint32_t) p[5] << 8 | (uint32_t) p[6] << 16
               | (uint32_t) p[7] << 24;

        c = t[7][c & 0xff] ^ t[6][(c >> 8) & 0xff]
            ^ t[5][(c >> 16) & 0xff] ^ t[4][c >> 24]
            ^ t[3][next & 0xff] ^ t[2][(next >> 8) & 0xff]
            ^ t[1][(next >> 16) & 0xff] ^ t[0][next >> 24];

        p += 8;
        len -= 8;
    }

    *crc = c;

    ngx_crc32_update(crc, p, len);
}


static void
ngx_duplex_crc_make(void)
{
    uint32_t    c;
    ngx_uint_t  i, n;

    for (i = 0; i < 256; i++) {

        c = ngx_crc32_table256[i];
        ngx_duplex_crc_tables[0][i] = c;

        for (n = 1; n < 8; n++) {
            c = ngx_crc32_table256[c & 0xff] ^ (c >> 8);
            ngx_duplex_crc_tables[n][i] = c;
        }
    }
}
