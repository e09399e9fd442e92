
/*
 * See the header.  All words are little-endian, as in the definition.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_md5.h>
#include "ngx_duplex_siphash.h"


#define ngx_duplex_rotl(x, n)  ((x) << (n) | (x) >> (64 - (n)))

#define ngx_duplex_siphash_round(v0, v1, v2, v3)                              \
    do {                                                                      \
        v0 += v1;                                                             \
        v1 = ngx_duplex_rotl(v1, 13) ^ v0;                                    \
        v0 = ngx_duplex_rotl(v0, 32);                                         \
        v2 += v3;                                                             \
        v3 = ngx_duplex_rotl(v3, 16) ^ v2;                                    \
        v0 += v3;                                                             \
        v3 = ngx_duplex_rotl(v3, 21) ^ v0;                                    \
        v2 += v1;                                                             \
        v1 = ngx_duplex_rotl(v1, 17) ^ v2;                                    \
        v2 = ngx_duplex_rotl(v2, 32);                                         \
    } while (0)


static ngx_inline uint64_t
ngx_duplex_siphash_get(const u_char *p)
{
#if (NGX_HAVE_LITTLE_ENDIAN)

    uint64_t  word;

    ngx_memcpy(&word, p, sizeof(word));

    return word;

#else

    return (uint64_t) p[0] | (uint64_t) p[1] << 8 | (uint64_t) p[2] << 16
           | (uint64_t) p[3] << 24 | (uint64_t) p[4] << 32
           | (uint64_t) p[5] << 40 | (uint64_t) p[6] << 48
           | (uint64_t) p[7] << 56;

#endif
}


static ngx_inline u_char *
ngx_duplex_siphash_put(u_char *p, uint64_t word)
{
#if (NGX_HAVE_LITTLE_ENDIAN)

    return ngx_cpymem(p, &word, sizeof(word));

#else

    ngx_uint_t  i;

    for (i = 0; i < 8; i++) {
        *p++ = (u_char) (word >> i * 8);
    }

    return p;

#endif
}


void
ngx_duplex_siphash(ngx_duplex_siphash_key_t *key, const u_char *data,
    size_t len, u_char *out)
{
    size_t         tail;
    uint64_t       v0, v1, v2, v3, word;
    const u_char  *last;

    v0 = 0x736f6d6570736575ULL ^ key->k0;
    v1 = 0x646f72616e646f6dULL ^ key->k1 ^ 0xee;
    v2 = 0x6c7967656e657261ULL ^ key->k0;
    v3 = 0x7465646279746573ULL ^ key->k1;

    tail = len & 7;
    word = (uint64_t) len << 56;

    for (last = data + (len - tail); data < last; data += 8) {
        v3 ^= ngx_duplex_siphash_get(data);
        ngx_duplex_siphash_round(v0, v1, v2, v3);
        ngx_duplex_siphash_round(v0, v1, v2, v3);
        v0 ^= ngx_duplex_siphash_get(data);
    }

    while (tail) {
        tail--;
        word |= (uint64_t) data[tail] << tail * 8;
    }

    v3 ^= word;
    ngx_duplex_siphash_round(v0, v1, v2, v3);
    ngx_duplex_siphash_round(v0, v1, v2, v3);
    v0 ^= word;

    v2 ^= 0xee;
    ngx_duplex_siphash_round(v0, v1, v2, v3);
    ngx_duplex_siphash_round(v0, v1, v2, v3);
    ngx_duplex_siphash_round(v0, v1, v2, v3);
    ngx_duplex_siphash_round(v0, v1, v2, v3);

    out = ngx_duplex_siphash_put(out, v0 ^ v1 ^ v2 ^ v3);

    v1 ^= 0xdd;
    ngx_duplex_siphash_round(v0, v1, v2, v3);
    ngx_duplex_siphash_round(v0, v1, v2, v3);
    ngx_duplex_siphash_round(v0, v1, v2, v3);
    ngx_duplex_siphash_round(v0, v1, v2, v3);

    (void) ngx_duplex_siphash_put(out, v0 ^ v1 ^ v2 ^ v3);
}


void
ngx_duplex_siphash_key(ngx_duplex_siphash_key_t *key, ngx_str_t *text)
{
    u_char     digest[16];
    ngx_md5_t  md5;

    ngx_md5_init(&md5);
    ngx_md5_update(&md5, text->data, text->len);
    ngx_md5_final(digest, &md5);

    key->k0 = ngx_duplex_siphash_get(digest);
    key->k1 = ngx_duplex_siphash_get(digest + 8);
}
