
/*
 * Many sessions ended by one record: all of a zone, or all of one server,
 * that are older than the record.  It goes to the other nodes and, with
 * "duplex_store", to the disk; sessions that come from elsewhere later and
 * are older are refused.
 */


#ifndef _NGX_DUPLEX_SESSION_VOID_H_INCLUDED_
#define _NGX_DUPLEX_SESSION_VOID_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_registry.h"


extern ngx_duplex_kind_t  ngx_duplex_session_void_kind;


/*
 * "server" is the hash of a peer, 0: of all.  In force on return.
 * NGX_OK, or NGX_ERROR: the store is out of memory.
 */
ngx_int_t ngx_duplex_session_void(ngx_duplex_zone_t *zone, uint64_t server,
    ngx_msec_t timeout);

/* for commit: what the store has is in force in the tables */
void ngx_duplex_session_void_commit(ngx_cycle_t *cycle);


#endif /* _NGX_DUPLEX_SESSION_VOID_H_INCLUDED_ */
