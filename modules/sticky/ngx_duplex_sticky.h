
/*
 * What is neutral in a group with "sticky": its peers by the text that names
 * them in cookies and routes, its table of sessions, and its counters.
 *
 * A group is of one cycle's configuration; the names belong to a worker and
 * follow the peers as they come and go.  Counters are in shared memory.
 */


#ifndef _NGX_DUPLEX_STICKY_H_INCLUDED_
#define _NGX_DUPLEX_STICKY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_page.h"
#include "../core/ngx_duplex_registry.h"
#include "../core/ngx_duplex_siphash.h"
#include "../upstream/ngx_duplex_upstream.h"


#define NGX_DUPLEX_STICKY_MAC_LEN   22      /* base64url of 128 bits */
#define NGX_DUPLEX_STICKY_KEYS_MAX  8


/* the numbers are places in shared memory */
typedef enum {
    ngx_duplex_sticky_new = 0,      /* the request named nothing */
    ngx_duplex_sticky_hit,          /* it went where it should */
    ngx_duplex_sticky_rebound,      /* it could not, and went elsewhere */
    ngx_duplex_sticky_miss,         /* it named what is not known */
    ngx_duplex_sticky_forged,       /* its signature is wrong */

    ngx_duplex_sticky_last
} ngx_duplex_sticky_status_e;


/* a peer, and the text of the cookie that names it */
typedef struct {
    ngx_rbtree_node_t            node;
    ngx_duplex_peer_t           *peer;
    ngx_str_t                    name;  /* peer->sid as it was then */
    ngx_str_t                    value; /* the same, and if signed the MAC */
    u_char                      *macs;  /* with each key, without gaps */
    ngx_uint_t                   sessions;  /* when the group was counted */
} ngx_duplex_sid_t;


typedef struct ngx_duplex_sticky_group_s  ngx_duplex_sticky_group_t;

struct ngx_duplex_sticky_group_s {
    ngx_duplex_group_t          *group;

    ngx_duplex_zone_t           *zone;      /* its sessions; NULL: no table */
    ngx_duplex_siphash_key_t     hash_key;  /* of their values */
    ngx_msec_t                   timeout;   /* of a session */

    ngx_str_t                   *keys;      /* the first one signs */
    ngx_uint_t                   nkeys;     /* 0: nothing is signed */

    ngx_shm_zone_t              *counters_zone;

    /* of a worker */
    ngx_rbtree_t                 sids;
    ngx_rbtree_node_t            sentinel;
    ngx_atomic_t                *counters;
    ngx_msec_t                   renamed_at;    /* looked for new names */
    ngx_msec_t                   counted_at;    /* its sessions; 0: never */
    ngx_duplex_sticky_group_t   *next;
};


/* for preconfiguration; once for both protocols */
ngx_int_t ngx_duplex_sticky_register(ngx_conf_t *cf);

/* for directives: reads the keys of "signed"; NGX_ERROR is logged */
ngx_int_t ngx_duplex_sticky_read_keys(ngx_conf_t *cf,
    ngx_duplex_sticky_group_t *sticky, ngx_str_t *file);

/* for bind: "group" is what it was given for */
ngx_int_t ngx_duplex_sticky_bind(ngx_conf_t *cf,
    ngx_duplex_sticky_group_t *sticky, ngx_duplex_group_t *group);

/* the same: the page is in the API, registered once whoever asks for it */
ngx_int_t ngx_duplex_sticky_offer(ngx_conf_t *cf, ngx_duplex_page_t *page);

/* for start: from here on this worker keeps the names of its peers */
void ngx_duplex_sticky_start(ngx_duplex_sticky_group_t *sticky);

/* of this worker: the first, by group, by zone's name; NULL: none */
ngx_duplex_sticky_group_t *ngx_duplex_sticky_groups(void);
ngx_duplex_sticky_group_t *ngx_duplex_sticky_of(ngx_duplex_group_t *group);

/* of the contributor: a peer has come, or goes */
void ngx_duplex_sids_added(ngx_duplex_peer_t *peer);
void ngx_duplex_sids_removed(ngx_duplex_peer_t *peer);

/*
 * The first peer that "value" names, the next one of the same name, the name
 * of a peer; NULL: none.  "*forged" is set if there is no good signature.
 */
ngx_duplex_sid_t *ngx_duplex_sid_find(ngx_duplex_sticky_group_t *sticky,
    ngx_str_t *value, ngx_uint_t *forged);
ngx_duplex_sid_t *ngx_duplex_sid_next(ngx_duplex_sticky_group_t *sticky,
    ngx_duplex_sid_t *sid);
ngx_duplex_sid_t *ngx_duplex_sid_of(ngx_duplex_sticky_group_t *sticky,
    ngx_duplex_peer_t *peer);

void ngx_duplex_sticky_count(ngx_duplex_sticky_group_t *sticky,
    ngx_duplex_sticky_status_e status);
/*
 * How many sessions are bound to the peer.  Counted for the whole group at
 * most once a second, 2 ms for a million sessions.
 */
ngx_uint_t ngx_duplex_sticky_sessions(ngx_duplex_sticky_group_t *sticky,
    ngx_duplex_peer_t *peer);

/* "new", "hit", ... */
const char *ngx_duplex_sticky_word(ngx_uint_t status);


#endif /* _NGX_DUPLEX_STICKY_H_INCLUDED_ */
