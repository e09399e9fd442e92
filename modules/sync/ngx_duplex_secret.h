
/*
 * The shared secret of a cluster: what both sides of a handshake prove to
 * know, and what follows from it for the frames of the link.
 *
 * The handshake is a transcript: the bytes of HELLO, the bytes of WELCOME
 * with its proof left out, and, with TLS, a value that only the two ends of
 * this very connection know.  Everything is HMAC-SHA256 over it, with a
 * label for the role and the use, so that nothing of one link, direction or
 * side is good for another.
 */


#ifndef _NGX_DUPLEX_SECRET_H_INCLUDED_
#define _NGX_DUPLEX_SECRET_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>


#define NGX_DUPLEX_SECRET_MIN    16     /* bytes of a line */
#define NGX_DUPLEX_SECRET_LINES  8

#define NGX_DUPLEX_KEY_SIZE      32
#define NGX_DUPLEX_KEY_ID        4
#define NGX_DUPLEX_NONCE_SIZE    16
#define NGX_DUPLEX_PROOF_SIZE    32
#define NGX_DUPLEX_MAC_SIZE      16     /* after each frame */


typedef struct {
    u_char                    id[NGX_DUPLEX_KEY_ID];
    u_char                    key[NGX_DUPLEX_KEY_SIZE];
} ngx_duplex_secret_key_t;

typedef struct {
    ngx_uint_t                nkeys;
    ngx_duplex_secret_key_t   keys[NGX_DUPLEX_SECRET_LINES];
} ngx_duplex_secret_t;


typedef struct {
    u_char                    hello[32];
    u_char                    welcome[32];
    u_char                    binding[32];  /* zero without TLS */
} ngx_duplex_transcript_t;


typedef enum {
    ngx_duplex_secret_acceptor = 0,
    ngx_duplex_secret_dialler
} ngx_duplex_secret_role_e;


/* of the frames of one direction; the n-th frame has the number n */
typedef struct {
    u_char                    key[NGX_DUPLEX_KEY_SIZE];
    uint64_t                  number;
} ngx_duplex_mac_t;


/* for directives: NGX_ERROR is logged, without a byte of the secret */
ngx_int_t ngx_duplex_secret_read(ngx_conf_t *cf, ngx_str_t *file,
    ngx_duplex_secret_t *secret);

/* the ids of all keys, one after the other: NKEYS * NGX_DUPLEX_KEY_ID bytes */
u_char *ngx_duplex_secret_put_ids(u_char *p, ngx_duplex_secret_t *secret);
/* the first of our keys that is among "ids"; NULL: none */
ngx_duplex_secret_key_t *ngx_duplex_secret_choose(ngx_duplex_secret_t *secret,
    ngx_str_t *ids);

/* NGX_ERROR: no random bytes */
ngx_int_t ngx_duplex_secret_nonce(u_char *nonce);

/* both are the payloads of frames; welcome's proof is "proof" in it */
void ngx_duplex_transcript_hello(ngx_duplex_transcript_t *t, u_char *payload,
    u_char *last);
ngx_int_t ngx_duplex_transcript_welcome(ngx_duplex_transcript_t *t,
    u_char *payload, u_char *last, u_char *proof, ngx_connection_t *c);

/* NGX_DUPLEX_PROOF_SIZE bytes at "p" */
void ngx_duplex_secret_prove(ngx_duplex_secret_key_t *key,
    ngx_duplex_secret_role_e role, ngx_duplex_transcript_t *t, u_char *p);
/* in constant time; NGX_OK or NGX_DECLINED */
ngx_int_t ngx_duplex_secret_check(ngx_duplex_secret_key_t *key,
    ngx_duplex_secret_role_e role, ngx_duplex_transcript_t *t, u_char *p);

/* of the frames that the side of this role writes */
void ngx_duplex_mac_init(ngx_duplex_mac_t *mac, ngx_duplex_secret_key_t *key,
    ngx_duplex_secret_role_e role, ngx_duplex_transcript_t *t);
/* writes NGX_DUPLEX_MAC_SIZE bytes after the frame; their end */
u_char *ngx_duplex_mac_add(ngx_duplex_mac_t *mac, u_char *start,
    u_char *last);
/* the frame ends at "last" and its code follows; NGX_OK or NGX_DECLINED */
ngx_int_t ngx_duplex_mac_check(ngx_duplex_mac_t *mac, u_char *start,
    u_char *last);


#endif /* _NGX_DUPLEX_SECRET_H_INCLUDED_ */
