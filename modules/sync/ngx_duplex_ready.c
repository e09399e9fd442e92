
/*
 * Readiness; see the header.
 *
 *     starting --a listed node answers--> syncing --all have sent--> ready
 *
 * "ready" is also reached from "starting" when nobody can be reached for
 * 3 s, and from "syncing" when what is awaited does not come.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_clock.h"
#include "../core/ngx_duplex_event.h"
#include "ngx_duplex_nodes.h"
#include "ngx_duplex_ready.h"
#include "ngx_duplex_standing.h"
#include "ngx_duplex_sync_conf.h"


#define NGX_DUPLEX_READY_ALONE  3000    /* ms */
#define NGX_DUPLEX_READY_STALL  3000    /* ms */


/* what the listed nodes say together */
typedef struct {
    ngx_uint_t  listed;         /* this node not counted */
    ngx_uint_t  undecided;      /* the first attempt is still under way */
    ngx_uint_t  reachable;
    ngx_uint_t  awaited;        /* reachable, and has not sent all yet */
    uint64_t    progress;       /* of those awaited, the last: ms, monotonic */
} ngx_duplex_ready_census_t;


/* what is shown: the state, and why */
typedef struct {
    ngx_uint_t  state;          /* ngx_duplex_ready_e */
    ngx_uint_t  why;            /* ngx_duplex_ready_why_e */
} ngx_duplex_ready_shown_t;


static void ngx_duplex_ready_count(ngx_duplex_nodes_t *nodes,
    ngx_duplex_ready_census_t *census);
static void ngx_duplex_ready_set(ngx_duplex_nodes_t *nodes,
    ngx_duplex_ready_e state, ngx_duplex_ready_why_e why);
static void ngx_duplex_ready_show(ngx_duplex_ready_shown_t *shown);


static const char *const  ngx_duplex_ready_states[] = {
    "starting",
    "syncing",
    "ready",
    "leaving",
    "backend-cut",
    "isolated"
};


static const char *const  ngx_duplex_ready_reasons[] = {
    "no listed node has answered yet",
    "waiting for what other nodes know",
    "no nodes listed",
    "no listed node can be reached",
    "synchronised",
    "a listed node sent nothing new for 3s",
    "a listed node was not done in time",
    "was serving before nodes were listed",
    "told to end",
    "taken out by the administrator",
    "no server passes here, nor for any other node",
    "no server passes here, one does for another node",
    "no server passes, no node is heard, no witness answers"
};


void
ngx_duplex_ready_commit(ngx_cycle_t *cycle)
{
    ngx_duplex_nodes_t  *nodes;

    nodes = ngx_duplex_nodes();

    if (nodes && nodes->links == 0 && !ngx_is_init_cycle(cycle->old_cycle)
        && nodes->ready == ngx_duplex_ready_starting
        && nodes->dialled[0].state == ngx_duplex_dial_unused)
    {
        nodes->ready_why = ngx_duplex_ready_why_reload;
        nodes->ready = ngx_duplex_ready_ready;
    }
}


void
ngx_duplex_ready_update(void)
{
    uint64_t                    now;
    ngx_duplex_nodes_t         *nodes;
    ngx_duplex_ready_census_t   census;

    nodes = ngx_duplex_nodes();

    if (nodes == NULL || nodes->ready >= ngx_duplex_ready_ready) {
        return;
    }

    ngx_duplex_ready_count(nodes, &census);

    now = ngx_duplex_clock_monotonic();

    if (census.undecided) {
        return;
    }

    if (census.listed == 0) {
        ngx_duplex_ready_set(nodes, ngx_duplex_ready_ready,
                             ngx_duplex_ready_why_alone);

    } else if (census.reachable == 0) {

        if (now - nodes->born >= NGX_DUPLEX_READY_ALONE) {
            ngx_duplex_ready_set(nodes, ngx_duplex_ready_ready,
                                 ngx_duplex_ready_why_unreachable);
        }

    } else if (census.awaited == 0) {
        ngx_duplex_ready_set(nodes, ngx_duplex_ready_ready,
                             ngx_duplex_ready_why_synced);

    } else if (now - nodes->born >= ngx_duplex_sync_conf()->ready_timeout) {
        ngx_duplex_ready_set(nodes, ngx_duplex_ready_ready,
                             ngx_duplex_ready_why_late);

    } else if (now - ngx_max(census.progress, nodes->born)
               >= NGX_DUPLEX_READY_STALL)
    {
        ngx_duplex_ready_set(nodes, ngx_duplex_ready_ready,
                             ngx_duplex_ready_why_slow);

    } else {
        ngx_duplex_ready_set(nodes, ngx_duplex_ready_syncing,
                             ngx_duplex_ready_why_syncing);
    }
}


static void
ngx_duplex_ready_count(ngx_duplex_nodes_t *nodes,
    ngx_duplex_ready_census_t *census)
{
    ngx_uint_t              i;
    ngx_duplex_dialled_t   *dialled;
    ngx_duplex_accepted_t  *accepted;

    ngx_memzero(census, sizeof(ngx_duplex_ready_census_t));

    /* a name that cannot be resolved is like nodes that cannot be reached */

    if (ngx_duplex_sync_conf()->resolve && !nodes->resolved) {
        census->listed++;
    }

    for (i = 0; i < NGX_DUPLEX_NODES_MAX; i++) {

        dialled = &nodes->dialled[i];

        if (dialled->state == ngx_duplex_dial_unused
            || dialled->state == ngx_duplex_dial_self)
        {
            continue;
        }

        census->listed++;

        if (!dialled->tried) {
            census->undecided++;
            continue;
        }

        if (dialled->state != ngx_duplex_dial_syncing
            && dialled->state != ngx_duplex_dial_online)
        {
            continue;
        }

        census->reachable++;

        accepted = ngx_duplex_nodes_accepted(dialled->id);

        if (accepted == NULL) {
            census->awaited++;

        } else if (!accepted->synced) {
            census->awaited++;
            census->progress = ngx_max(census->progress, accepted->progress);
        }
    }
}


static void
ngx_duplex_ready_set(ngx_duplex_nodes_t *nodes, ngx_duplex_ready_e state,
    ngx_duplex_ready_why_e why)
{
    ngx_atomic_uint_t  old;

    old = nodes->ready;

    /* several workers may see the change, one of them makes it */

    if (old >= ngx_duplex_ready_ready || old == (ngx_atomic_uint_t) state) {
        return;
    }

    nodes->ready_why = why;

    if (!ngx_atomic_cmp_set(&nodes->ready, old, state)) {
        return;
    }

    ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                  "node \"%V\" is %s after %uLms: %s",
                  &ngx_duplex_identity()->name, ngx_duplex_ready_states[state],
                  ngx_duplex_clock_monotonic() - nodes->born,
                  ngx_duplex_ready_reasons[why]);
}


void
ngx_duplex_ready_leave(void)
{
    (void) ngx_atomic_cmp_set(&ngx_duplex_nodes()->ready,
                              ngx_duplex_ready_ready,
                              ngx_duplex_ready_leaving);
}


void
ngx_duplex_ready_stay(void)
{
    (void) ngx_atomic_cmp_set(&ngx_duplex_nodes()->ready,
                              ngx_duplex_ready_leaving,
                              ngx_duplex_ready_ready);
}


ngx_uint_t
ngx_duplex_ready(void)
{
    ngx_duplex_ready_shown_t  shown;

    ngx_duplex_ready_show(&shown);

    return shown.state == ngx_duplex_ready_ready;
}


ngx_uint_t
ngx_duplex_live(void)
{
    ngx_duplex_nodes_t  *nodes;

    nodes = ngx_duplex_nodes();

    return nodes == NULL || nodes->standing != ngx_duplex_standing_isolated;
}


void
ngx_duplex_ready_take_out(ngx_uint_t leave)
{
    ngx_duplex_nodes_t  *nodes;

    nodes = ngx_duplex_nodes();

    if (nodes == NULL || nodes->left == leave) {
        return;
    }

    nodes->left = leave;

    ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                  "node \"%V\" was %s by the administrator",
                  &ngx_duplex_identity()->name,
                  leave ? "taken out" : "taken back");

    ngx_duplex_event("node", &ngx_duplex_identity()->name, "%s",
                     leave ? "taken out" : "taken back");
}


/* the gravest of what stands against it */

static void
ngx_duplex_ready_show(ngx_duplex_ready_shown_t *shown)
{
    ngx_duplex_nodes_t  *nodes;

    nodes = ngx_duplex_nodes();

    shown->state = ngx_duplex_ready_ready;
    shown->why = ngx_duplex_ready_why_alone;

    if (nodes == NULL) {
        return;
    }

    shown->state = nodes->ready;
    shown->why = nodes->ready_why;

    if (nodes->standing == ngx_duplex_standing_isolated) {
        shown->state = ngx_duplex_ready_isolated;
        shown->why = ngx_duplex_ready_why_isolated;

    } else if (nodes->left || nodes->ready == ngx_duplex_ready_leaving) {
        shown->state = ngx_duplex_ready_leaving;
        shown->why = nodes->ready == ngx_duplex_ready_leaving
                     ? ngx_duplex_ready_why_leaving
                     : ngx_duplex_ready_why_left;

    } else if (nodes->ready != ngx_duplex_ready_ready) {
        return;

    } else if (nodes->standing == ngx_duplex_standing_cut) {
        shown->state = ngx_duplex_ready_cut;
        shown->why = ngx_duplex_ready_why_cut;

    } else if (nodes->standing == ngx_duplex_standing_failing) {
        shown->why = ngx_duplex_ready_why_failing;
    }
}


void
ngx_duplex_ready_render(ngx_duplex_json_t *json)
{
    ngx_duplex_ready_shown_t  shown;

    ngx_duplex_ready_show(&shown);

    ngx_duplex_json_object(json, NULL);
    ngx_duplex_json_boolean(json, "ready",
                            shown.state == ngx_duplex_ready_ready);
    ngx_duplex_json_boolean(json, "live",
                            shown.state != ngx_duplex_ready_isolated);
    ngx_duplex_json_text(json, "state", ngx_duplex_ready_states[shown.state]);
    ngx_duplex_json_text(json, "reason", ngx_duplex_ready_reasons[shown.why]);
    ngx_duplex_json_object_end(json);
}
