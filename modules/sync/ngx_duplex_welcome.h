
/*
 * The handshake of the accepting side: from a client to a node.
 *
 * Until HELLO, and with a secret AUTH, was found good nothing but the link's
 * small buffers exist for the client, and nothing it says has an effect.
 */


#ifndef _NGX_DUPLEX_WELCOME_H_INCLUDED_
#define _NGX_DUPLEX_WELCOME_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_receiver.h"


/* the frames of it, as ngx_duplex_link_owner_t.frame answers */
ngx_int_t ngx_duplex_welcome_hello(ngx_duplex_receiver_t *r,
    ngx_duplex_frame_t *frame);
ngx_int_t ngx_duplex_welcome_auth(ngx_duplex_receiver_t *r,
    ngx_duplex_frame_t *frame);

/* a guest that says it is us, and will find that out by itself */
ngx_uint_t ngx_duplex_welcome_is_self(ngx_duplex_receiver_t *r);


#endif /* _NGX_DUPLEX_WELCOME_H_INCLUDED_ */
