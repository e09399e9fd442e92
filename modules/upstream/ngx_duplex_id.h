
/*
 * The ids that servers have in the API.
 */


#ifndef _NGX_DUPLEX_ID_H_INCLUDED_
#define _NGX_DUPLEX_ID_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_upstream.h"


/* a new cycle: those of the file are taken */
void ngx_duplex_ids_commit(ngx_duplex_group_t *group, ngx_pool_t *pool);

/* a record names it: nobody else gets it */
void ngx_duplex_id_use(ngx_duplex_group_t *group, ngx_uint_t id);

/*
 * For a peer that is about to be inserted and should have "id": the one it
 * gets, another peer giving way if that one came later.
 */
ngx_uint_t ngx_duplex_id_claim(ngx_duplex_peer_t *peer, ngx_uint_t id);
/* writes a record if it is not the one that records have */
void ngx_duplex_id_tell(ngx_duplex_peer_t *peer);

/* the smallest that no server has or had */
ngx_uint_t ngx_duplex_id_next(ngx_duplex_group_t *group);
/* the same, given to nobody else on this node from then on */
ngx_uint_t ngx_duplex_id_take(ngx_duplex_group_t *group);


#endif /* _NGX_DUPLEX_ID_H_INCLUDED_ */
