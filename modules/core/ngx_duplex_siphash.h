
/*
 * SipHash-2-4 with 128 bits of output (Aumasson and Bernstein, 2012): a keyed
 * hash that is fast for the short strings a request brings.
 */


#ifndef _NGX_DUPLEX_SIPHASH_H_INCLUDED_
#define _NGX_DUPLEX_SIPHASH_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


typedef struct {
    uint64_t  k0;
    uint64_t  k1;
} ngx_duplex_siphash_key_t;


/* 16 bytes into "out", the same on every machine */
void ngx_duplex_siphash(ngx_duplex_siphash_key_t *key, const u_char *data,
    size_t len, u_char *out);

/* a key made of any text, or of any number of secret bytes */
void ngx_duplex_siphash_key(ngx_duplex_siphash_key_t *key, ngx_str_t *text);


#endif /* _NGX_DUPLEX_SIPHASH_H_INCLUDED_ */
