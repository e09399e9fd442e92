
/*
 * What the neutral files of this folder share and nobody else needs.
 */


#ifndef _NGX_DUPLEX_GROUP_H_INCLUDED_
#define _NGX_DUPLEX_GROUP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_upstream.h"


/* the i-th contributor of the present cycle, NULL after the last */
ngx_duplex_contributor_t *ngx_duplex_contributor(ngx_uint_t i);

/* tells all contributors that the peer is there */
void ngx_duplex_contributors_added(ngx_duplex_peer_t *peer);

/*
 * Sets `down` of the stock peer to "bits", keeps `tries` in step, and when
 * the last bit goes forgets what passive checks held against the peer.
 * NGX_OK: written, "*was" is what stood there; NGX_DECLINED: no such peer, or
 * the group has no zone.
 */
ngx_int_t ngx_duplex_peer_mark(ngx_duplex_peer_t *peer, ngx_uint_t bits,
    ngx_uint_t *was);

/* a new cycle: writes `down` of all its peers, says nothing */
void ngx_duplex_projection_commit(void);

/* the kind of the administrator's records */
extern ngx_duplex_kind_t  ngx_duplex_admin_kind;


#endif /* _NGX_DUPLEX_GROUP_H_INCLUDED_ */
