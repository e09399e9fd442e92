
/*
 * links: modules/sync/ngx_duplex_secret.c
 *
 * What follows from a shared secret: proofs that are good for one role and
 * one transcript, codes that are good for one frame in one place.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../../modules/sync/ngx_duplex_secret.h"
#include "unit.h"


static ngx_duplex_secret_t      secret;
static ngx_duplex_transcript_t  transcript;


static void
set_up(void)
{
    ngx_uint_t  i;

    secret.nkeys = 2;

    for (i = 0; i < 2; i++) {
        ngx_memset(secret.keys[i].id, '1' + i, NGX_DUPLEX_KEY_ID);
        ngx_memset(secret.keys[i].key, 'a' + i, NGX_DUPLEX_KEY_SIZE);
    }
}


static void
make(ngx_duplex_transcript_t *t, u_char *hello, u_char *welcome)
{
    ngx_connection_t  c;

    ngx_memzero(&c, sizeof(ngx_connection_t));

    ngx_duplex_transcript_hello(t, hello, hello + 10);
    (void) ngx_duplex_transcript_welcome(t, welcome, welcome + 60,
                                         welcome + 20, &c);
}


static void
test_choose(void)
{
    u_char     *last, ids[2 * NGX_DUPLEX_KEY_ID];
    ngx_str_t   none = ngx_string("3333222"), both = ngx_string("22221111");

    last = ngx_duplex_secret_put_ids(ids, &secret);

    is_int(last - ids, 8, "all ids are written");
    ok(ngx_memcmp(ids, "11112222", 8) == 0, "in their order");
    ok(ngx_duplex_secret_choose(&secret, &both) == &secret.keys[0],
       "our first that the other has, too");
    ok(ngx_duplex_secret_choose(&secret, &none) == NULL, "none");
}


static void
test_proofs(void)
{
    u_char                   hello[10], welcome[60];
    u_char                   proof[NGX_DUPLEX_PROOF_SIZE];
    ngx_uint_t               i, good;
    ngx_duplex_transcript_t  t;

    ngx_memset(hello, 'h', sizeof(hello));
    ngx_memset(welcome, 'w', sizeof(welcome));

    make(&transcript, hello, welcome);

    ok(welcome[20] == 'w', "the proof is left in the frame");

    ngx_duplex_secret_prove(&secret.keys[0], ngx_duplex_secret_acceptor,
                            &transcript, proof);

    is_int(ngx_duplex_secret_check(&secret.keys[0],
                                   ngx_duplex_secret_acceptor, &transcript,
                                   proof),
           NGX_OK, "a proof");
    is_int(ngx_duplex_secret_check(&secret.keys[0], ngx_duplex_secret_dialler,
                                   &transcript, proof),
           NGX_DECLINED, "is not the other role's");
    is_int(ngx_duplex_secret_check(&secret.keys[1],
                                   ngx_duplex_secret_acceptor, &transcript,
                                   proof),
           NGX_DECLINED, "nor another key's");

    good = 0;

    for (i = 0; i < sizeof(hello) + sizeof(welcome); i++) {

        ngx_memset(hello, 'h', sizeof(hello));
        ngx_memset(welcome, 'w', sizeof(welcome));

        if (i < sizeof(hello)) {
            hello[i] ^= 1;

        } else {
            welcome[i - sizeof(hello)] ^= 1;
        }

        make(&t, hello, welcome);

        good += ngx_duplex_secret_check(&secret.keys[0],
                                        ngx_duplex_secret_acceptor, &t, proof)
                == NGX_OK;
    }

    is_int(good, NGX_DUPLEX_PROOF_SIZE,
           "each bit of the handshake counts, but for the proof itself");

    t = transcript;
    t.binding[0] = 1;

    is_int(ngx_duplex_secret_check(&secret.keys[0],
                                   ngx_duplex_secret_acceptor, &t, proof),
           NGX_DECLINED, "and the connection it was made on");
}


static void
test_codes(void)
{
    u_char            *p, frame[64];
    ngx_uint_t         i, good;
    ngx_duplex_mac_t   out, in;

    ngx_duplex_mac_init(&out, &secret.keys[0], ngx_duplex_secret_dialler,
                        &transcript);
    in = out;

    ngx_memset(frame, 'f', sizeof(frame));
    p = ngx_duplex_mac_add(&out, frame, frame + 40);

    is_int(p - frame, 40 + NGX_DUPLEX_MAC_SIZE, "a code follows the frame");
    is_int(ngx_duplex_mac_check(&in, frame, frame + 40), NGX_OK,
           "it is good");
    is_int(ngx_duplex_mac_check(&in, frame, frame + 40), NGX_DECLINED,
           "once");

    good = 0;

    for (i = 0; i < (40 + NGX_DUPLEX_MAC_SIZE) * 8; i++) {

        out.number = 7;
        in.number = 7;

        ngx_memset(frame, 'f', sizeof(frame));
        (void) ngx_duplex_mac_add(&out, frame, frame + 40);

        frame[i / 8] ^= 1 << i % 8;

        good += ngx_duplex_mac_check(&in, frame, frame + 40) == NGX_OK;
    }

    is_int(good, 0, "each bit of frame and code counts");

    ngx_duplex_mac_init(&in, &secret.keys[0], ngx_duplex_secret_acceptor,
                        &transcript);
    ok(ngx_memcmp(in.key, out.key, NGX_DUPLEX_KEY_SIZE) != 0,
       "the directions have keys of their own");
}


int
main(void)
{
    set_up();

    test_choose();
    test_proofs();
    test_codes();

    return done_testing();
}
