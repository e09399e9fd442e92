
/*
 * Readiness: may this node be given traffic?  Kept in shared memory with the
 * nodes, so that a reload does not leave "ready".
 */


#ifndef _NGX_DUPLEX_READY_H_INCLUDED_
#define _NGX_DUPLEX_READY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_json.h"


/* why the state is what it is: one table of sentences for log and API */
typedef enum {
    ngx_duplex_ready_why_waiting = 0,   /* for a first answer of a node */
    ngx_duplex_ready_why_syncing,
    ngx_duplex_ready_why_alone,         /* no nodes are listed */
    ngx_duplex_ready_why_unreachable,   /* no listed node is */
    ngx_duplex_ready_why_synced,
    ngx_duplex_ready_why_slow,          /* nothing new came for 3 s */
    ngx_duplex_ready_why_late,          /* duplex_ready_timeout is over */
    ngx_duplex_ready_why_reload,        /* served before zone_sync was set */
    ngx_duplex_ready_why_leaving,
    ngx_duplex_ready_why_left,          /* by the administrator's word */
    ngx_duplex_ready_why_failing,
    ngx_duplex_ready_why_cut,
    ngx_duplex_ready_why_isolated
} ngx_duplex_ready_why_e;


/* for commit: a zone that is new with a reload does not make us unready */
void ngx_duplex_ready_commit(ngx_cycle_t *cycle);

/* looks whether the state has changed; any worker */
void ngx_duplex_ready_update(void);

/* this node is told to end; a worker that starts takes that back */
void ngx_duplex_ready_leave(void);
void ngx_duplex_ready_stay(void);

/* of ngx_duplex_readiness_t */
ngx_uint_t ngx_duplex_ready(void);
ngx_uint_t ngx_duplex_live(void);
void ngx_duplex_ready_take_out(ngx_uint_t leave);

/* the view "duplex/ready" */
void ngx_duplex_ready_render(ngx_duplex_json_t *json);


#endif /* _NGX_DUPLEX_READY_H_INCLUDED_ */
