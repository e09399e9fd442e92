
/*
 * links: modules/core/ngx_duplex_siphash.c
 *
 * SipHash-2-4-128 against the vectors of its reference implementation.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../../modules/core/ngx_duplex_siphash.h"
#include "unit.h"


/* key 00 01 .. 0f, input 00 01 .. (length - 1) */

static struct {
    size_t       len;
    const char  *out;
} vectors[] = {
    { 0, "a3817f04ba25a8e66df67214c7550293" },
    { 1, "da87c1d86b99af44347659119b22fc45" },
    { 2, "8177228da4a45dc7fca38bdef60affe4" },
    { 7, "a1f1ebbed8dbc153c0b84aa61ff08239" },
    { 8, "3b62a9ba6258f5610f83e264f31497b4" },
    { 15, "5493e99933b0a8117e08ec0f97cfc3d9" },
    { 16, "6ee2a4ca67b054bbfd3315bf85230577" },
};


int
main(void)
{
    u_char                    in[64], out[16], hex[32];
    ngx_str_t                 text, a = ngx_string("a"), b = ngx_string("b");
    ngx_uint_t                i;
    ngx_duplex_siphash_key_t  key, other;

    for (i = 0; i < sizeof(in); i++) {
        in[i] = (u_char) i;
    }

    key.k0 = 0x0706050403020100ULL;
    key.k1 = 0x0f0e0d0c0b0a0908ULL;

    text.data = hex;
    text.len = sizeof(hex);

    for (i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        ngx_duplex_siphash(&key, in, vectors[i].len, out);
        (void) ngx_hex_dump(hex, out, sizeof(out));

        is_str(&text, vectors[i].out, "%d bytes", (int) vectors[i].len);
    }

    ngx_duplex_siphash_key(&key, &a);
    ngx_duplex_siphash_key(&other, &b);
    ok(key.k0 != other.k0 && key.k1 != other.k1, "each text has its key");

    return done_testing();
}
