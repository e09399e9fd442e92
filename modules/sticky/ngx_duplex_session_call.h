
/*
 * What a call of the API about sessions names.
 *
 * All answer 0, or the status of a refusal that the page returns.
 */


#ifndef _NGX_DUPLEX_SESSION_CALL_H_INCLUDED_
#define _NGX_DUPLEX_SESSION_CALL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_page.h"
#include "ngx_duplex_session.h"
#include "ngx_duplex_sticky.h"


/* the group whose zone the first segment names */
ngx_uint_t ngx_duplex_session_call_table(ngx_duplex_call_t *call,
    ngx_duplex_sticky_group_t **sticky);

/* "?name="; "number" stays as it is if there is none */
ngx_uint_t ngx_duplex_session_call_number(ngx_duplex_call_t *call,
    const char *name, ngx_uint_t max, ngx_uint_t *number);

/* the key of the session that the second segment or "?value=" names */
ngx_uint_t ngx_duplex_session_call_session(ngx_duplex_call_t *call,
    ngx_duplex_sticky_group_t *sticky, ngx_duplex_session_t *session);

/* a peer by its address, as its server is written, or by its id */
ngx_uint_t ngx_duplex_session_call_server(ngx_duplex_call_t *call,
    ngx_duplex_sticky_group_t *sticky, ngx_str_t *text,
    ngx_duplex_peer_t **peer);


#endif /* _NGX_DUPLEX_SESSION_CALL_H_INCLUDED_ */
