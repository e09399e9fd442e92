
/*
 * One attempt to use a peer, as seen from outside: we stand before all that
 * chooses one, the balancer, sticky and keepalive, and see what they have
 * chosen and how it ended.
 */


#ifndef _NGX_DUPLEX_ATTEMPT_H_INCLUDED_
#define _NGX_DUPLEX_ATTEMPT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_event_connect.h>
#include "ngx_duplex_peer_counters.h"


/* counts what the protocol knows of an attempt that ends */
typedef void (*ngx_duplex_attempt_pt)(ngx_duplex_cell_t *cell, void *data);


/*
 * For the end of peer.init, when "pc" is filled in; NGX_ERROR: no memory.
 * "count" is called with "data" before the peer is given back.
 */
ngx_int_t ngx_duplex_attempt_watch(ngx_peer_connection_t *pc,
    ngx_pool_t *pool, ngx_duplex_group_t *group, ngx_duplex_attempt_pt count,
    void *data);


#endif /* _NGX_DUPLEX_ATTEMPT_H_INCLUDED_ */
