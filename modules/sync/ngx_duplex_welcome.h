
/*
 * The handshake of the accepting side: from a client to a node.
 *
 * Until HELLO was found good nothing but the link's small buffer exists for
 * the client.
 */


#ifndef _NGX_DUPLEX_WELCOME_H_INCLUDED_
#define _NGX_DUPLEX_WELCOME_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_receiver.h"


/* a frame HELLO, as ngx_duplex_link_owner_t.frame answers */
ngx_int_t ngx_duplex_welcome_hello(ngx_duplex_receiver_t *r,
    ngx_duplex_frame_t *frame);


#endif /* _NGX_DUPLEX_WELCOME_H_INCLUDED_ */
