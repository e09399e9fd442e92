
/*
 * The other nodes that may vote on a group.
 *
 * Each node says once an interval that it is there, with a record of kind
 * 'voic' for each group that has a policy.  It expires after three: who is
 * silent has no opinion.
 */


#ifndef _NGX_DUPLEX_ELECTORS_H_INCLUDED_
#define _NGX_DUPLEX_ELECTORS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_identity.h"
#include "ngx_duplex_health.h"
#include "ngx_duplex_policy.h"


#define NGX_DUPLEX_ELECTORS_MAX    16
#define NGX_DUPLEX_ELECTORS_VOICE  NGX_DUPLEX_TAG('v', 'o', 'i', 'c')


/* another node, and what it said last */
typedef struct {
    uint64_t                  id;       /* 0: free */
    uint64_t                  until;    /* ms, monotonic: then it is silent */
    ngx_duplex_voice_t        voice;
    ngx_str_t                 name;
    u_char                    data[NGX_DUPLEX_NODE_NAME_MAX];
} ngx_duplex_elector_t;


/* of one group; each process has its own */
typedef struct {
    ngx_duplex_group_t       *group;
    ngx_msec_t                interval; /* the shortest of its checks */

    ngx_duplex_voice_t        own;
    uint64_t                  spoken;   /* ms, monotonic; holder only */

    ngx_duplex_elector_t      nodes[NGX_DUPLEX_ELECTORS_MAX];
} ngx_duplex_electors_t;


/* takes in what the store has of the node by now, which may be this one */
void ngx_duplex_electors_hear(ngx_duplex_electors_t *electors,
    ngx_str_t *name);

/* for the holder of the lease: speaks if it is time, or something changed */
void ngx_duplex_electors_speak(ngx_duplex_electors_t *electors,
    ngx_uint_t opinion, ngx_uint_t sighted, uint64_t now);

/* 1 if it may vote now */
ngx_uint_t ngx_duplex_elector_votes(ngx_duplex_electors_t *electors,
    ngx_duplex_elector_t *node, uint64_t now);
/* the next after "node" (NULL: from the beginning) that may; NULL: none */
ngx_duplex_elector_t *ngx_duplex_elector_next(ngx_duplex_electors_t *electors,
    ngx_duplex_elector_t *node, uint64_t now);


#endif /* _NGX_DUPLEX_ELECTORS_H_INCLUDED_ */
