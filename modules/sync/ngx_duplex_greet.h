
/*
 * The handshake of the dialling side: from a connection to a node.
 */


#ifndef _NGX_DUPLEX_GREET_H_INCLUDED_
#define _NGX_DUPLEX_GREET_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_sender.h"


/*
 * Takes the established s->connection, which has a pool, over: makes the
 * link, sends HELLO.
 */
void ngx_duplex_greet_node(ngx_duplex_sender_t *s);

/* the answers to it, as ngx_duplex_link_owner_t.frame answers */
ngx_int_t ngx_duplex_greet_welcomed(ngx_duplex_sender_t *s,
    ngx_duplex_frame_t *frame);
ngx_int_t ngx_duplex_greet_refused(ngx_duplex_sender_t *s,
    ngx_duplex_frame_t *frame);


#endif /* _NGX_DUPLEX_GREET_H_INCLUDED_ */
