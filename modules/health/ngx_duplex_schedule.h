
/*
 * The schedule: when each server is probed, in the one worker that holds the
 * lease.
 */


#ifndef _NGX_DUPLEX_SCHEDULE_H_INCLUDED_
#define _NGX_DUPLEX_SCHEDULE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_duplex_health.h"


/* one server under one check; probers read the first members, own "run" */
struct ngx_duplex_probe_s {
    ngx_duplex_check_t          *check;
    ngx_duplex_peer_t           *peer;
    void                        *run;       /* while it is under way */
    void                        *kept;      /* from one to the next */

    ngx_rbtree_node_t            by_peer;   /* key: the peer's address */
    ngx_rbtree_node_t            node;      /* key: latest start, in ms */
    uint64_t                     due;       /* without jitter and patience */
    uint64_t                     started;   /* the last one */
    uint64_t                     epoch;     /* of the lease when started */

    ngx_duplex_verdict_t         verdict;   /* of this check alone */

    unsigned                     running:1;
    unsigned                     faulty:1;  /* a local fault was logged */
    unsigned                     away:1;    /* another node probes it */
    unsigned                     disputed:1;    /* nodes disagree: logged */
};


/* in each worker */
void ngx_duplex_schedule_start(ngx_cycle_t *cycle);

/* a peer has come under "check"; a peer goes, with all its probes */
void ngx_duplex_schedule_add(ngx_duplex_check_t *check,
    ngx_duplex_peer_t *peer);
void ngx_duplex_schedule_remove(ngx_duplex_peer_t *peer);

/*
 * Probes the peer now, by all its checks: something was heard of it.  At most
 * one probe in a tenth of the interval, or in a second, comes of that.
 */
void ngx_duplex_schedule_hurry(ngx_duplex_peer_t *peer);

/* the next of all probes (NULL: the first), by peer; NULL: none */
ngx_duplex_probe_t *ngx_duplex_schedule_next(ngx_duplex_probe_t *probe);
/* the first of the peer's; the others are next to it; NULL: none */
ngx_duplex_probe_t *ngx_duplex_schedule_find(ngx_duplex_peer_t *peer);

/* goes on where the last holder stopped */
void ngx_duplex_schedule_take(void);
/* starts what is due */
void ngx_duplex_schedule_beat(void);
/* aborts what is under way, without verdicts */
void ngx_duplex_schedule_drop(void);

/* for probers; strings of "result" are read before it returns */
void ngx_duplex_probe_done(ngx_duplex_probe_t *probe,
    ngx_duplex_probe_result_t *result);


#endif /* _NGX_DUPLEX_SCHEDULE_H_INCLUDED_ */
