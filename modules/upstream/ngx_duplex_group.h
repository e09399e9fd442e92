
/*
 * What the neutral files of this folder share and nobody else needs.
 */


#ifndef _NGX_DUPLEX_GROUP_H_INCLUDED_
#define _NGX_DUPLEX_GROUP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_facts.h"
#include "ngx_duplex_upstream.h"


/* the i-th contributor of the present cycle, NULL after the last */
ngx_duplex_contributor_t *ngx_duplex_contributor(ngx_uint_t i);

/* what the file says of groups and servers */
void ngx_duplex_upstream_facts(ngx_duplex_facts_t *facts);

/* tells all contributors */
void ngx_duplex_contributors_added(ngx_duplex_peer_t *peer);
void ngx_duplex_contributors_removed(ngx_duplex_peer_t *peer);

/* during commit the new cycle's pool, in workers NULL */
ngx_pool_t *ngx_duplex_member_pool(void);


/*
 * A peer of what a line says, in "pool" or (NULL) one of its own; it is in
 * no tree yet.  NULL: no memory.
 */
ngx_duplex_peer_t *ngx_duplex_peer_create(ngx_duplex_group_t *group,
    ngx_duplex_line_t *line, ngx_pool_t *pool);
/* what is in force from now on */
void ngx_duplex_peer_set(ngx_duplex_peer_t *peer, ngx_duplex_settings_t *set);

void ngx_duplex_peer_insert(ngx_duplex_peer_t *peer, ngx_uint_t id);
void ngx_duplex_peer_delete(ngx_duplex_peer_t *peer);
ngx_duplex_peer_t *ngx_duplex_peer_previous(ngx_duplex_peer_t *peer);


/*
 * Sets `down` of the stock peer to "bits", keeps `tries` in step, and when
 * the last bit goes forgets what passive checks held against the peer.
 * NGX_OK: written, "*was" is what stood there; NGX_DECLINED: no such peer, or
 * the group has no zone; NGX_AGAIN: not as of "look" any more, see stock.h.
 */
ngx_int_t ngx_duplex_peer_mark(ngx_duplex_peer_t *peer, ngx_uint_t bits,
    uint64_t look, ngx_uint_t *was);

/* the bits that file, administrator and contributors want */
ngx_uint_t ngx_duplex_projection_bits(ngx_duplex_peer_t *peer);
/* the first contributor's "state", NULL: none has one */
const char *ngx_duplex_peer_contributed(ngx_duplex_peer_t *peer);

/* what stands in the file of this state */
ngx_uint_t ngx_duplex_state_bits(ngx_duplex_admin_e state);

/* a new cycle: writes `down` of all the group's peers, says nothing */
void ngx_duplex_projection_commit(ngx_duplex_group_t *group);


#endif /* _NGX_DUPLEX_GROUP_H_INCLUDED_ */
