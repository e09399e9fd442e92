
/*
 * Connecting a sender: from the address to an established connection,
 * encrypted if it should be.
 */


#ifndef _NGX_DUPLEX_DIAL_H_INCLUDED_
#define _NGX_DUPLEX_DIAL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_sender.h"


/*
 * For a sender that has neither connection nor link.  Ends, now or later, in
 * ngx_duplex_greet_node(), ngx_duplex_sender_unreachable() or
 * ngx_duplex_sender_mistrusted().
 */
void ngx_duplex_dial_start(ngx_duplex_sender_t *s);

/* closes the connection, if there is one without a link */
void ngx_duplex_dial_close(ngx_duplex_sender_t *s);

/* closes the connection or the link, with a goodbye */
void ngx_duplex_dial_stop(ngx_duplex_sender_t *s);


#endif /* _NGX_DUPLEX_DIAL_H_INCLUDED_ */
