
/*
 * How this node stands; see the header.
 *
 *     fine, failing --all fail here, one passes there--> cut
 *     fine, failing, cut --nobody heard, no witness, three rounds--> isolated
 *
 * "cut" is left only when a server passes here, or none does where it did: a
 * node that comes back with its link and before its servers must not take
 * traffic in between.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_clock.h"
#include "../core/ngx_duplex_event.h"
#include "../core/ngx_duplex_identity.h"
#include "../core/ngx_duplex_outlook.h"
#include "ngx_duplex_nodes.h"
#include "ngx_duplex_standing.h"
#include "ngx_duplex_sync_conf.h"
#include "ngx_duplex_witness.h"


/* what a silent node found counts for as long after it was heard: ms */
#define NGX_DUPLEX_STANDING_OPINION  30000

#define NGX_DUPLEX_STANDING_ROUNDS   3


/* what is known of the other nodes */
typedef struct {
    ngx_uint_t   heard;     /* nodes that are connected */
    ngx_uint_t   up;        /* of them, for whom one of ours passes */
    ngx_uint_t   was_up;    /* not connected, the same in their last word */
} ngx_duplex_standing_others_t;


static void ngx_duplex_standing_ask(ngx_duplex_outlook_t *outlook,
    ngx_duplex_standing_others_t *others);
static void ngx_duplex_standing_set(ngx_duplex_standing_e standing);
static uint64_t ngx_duplex_standing_silence(void);


static const char *const  ngx_duplex_standing_texts[] = {
    "no longer cut off from its servers",
    "as all other nodes without a server that passes",
    "cut off from its servers: all fail here, and are up for another node",
    "isolated: all its servers fail, no node is heard, no witness answers"
};


void
ngx_duplex_standing_beat(void)
{
    ngx_duplex_outlook_t          *outlook;
    ngx_duplex_standing_others_t   others;

    outlook = ngx_duplex_sync_conf()->outlook;

    if (outlook == NULL || !outlook->blind()) {
        ngx_duplex_witness_stop();
        ngx_duplex_standing_set(ngx_duplex_standing_fine);
        return;
    }

    ngx_duplex_standing_ask(outlook, &others);

    if (others.heard) {
        ngx_duplex_witness_stop();
        ngx_duplex_standing_set(others.up ? ngx_duplex_standing_cut
                                          : ngx_duplex_standing_failing);
        return;
    }

    /* who takes over the lease asks anew, and has no rounds behind it yet */

    if (ngx_duplex_witness_ask() >= NGX_DUPLEX_STANDING_ROUNDS
        || (ngx_duplex_nodes()->standing == ngx_duplex_standing_isolated
            && !ngx_duplex_witness_is_there()))
    {
        ngx_duplex_standing_set(ngx_duplex_standing_isolated);

    } else if (others.was_up
               || ngx_duplex_nodes()->standing >= ngx_duplex_standing_cut)
    {
        ngx_duplex_standing_set(ngx_duplex_standing_cut);

    } else {
        ngx_duplex_standing_set(ngx_duplex_standing_failing);
    }
}


void
ngx_duplex_standing_drop(void)
{
    ngx_duplex_witness_stop();
}


static void
ngx_duplex_standing_ask(ngx_duplex_outlook_t *outlook,
    ngx_duplex_standing_others_t *others)
{
    uint64_t                now, heard;
    ngx_str_t               name;
    ngx_uint_t              i, connected;
    ngx_msec_t              timeout;
    ngx_duplex_nodes_t     *nodes;
    ngx_duplex_dialled_t   *dialled;
    ngx_duplex_accepted_t  *accepted;

    ngx_memzero(others, sizeof(ngx_duplex_standing_others_t));

    nodes = ngx_duplex_nodes();
    timeout = ngx_duplex_sync_conf()->timeout;
    now = ngx_duplex_clock_monotonic();

    for (i = 0; i < NGX_DUPLEX_NODES_MAX; i++) {

        dialled = &nodes->dialled[i];

        if (dialled->state == ngx_duplex_dial_unused
            || dialled->state == ngx_duplex_dial_self || dialled->id == 0)
        {
            continue;
        }

        accepted = ngx_duplex_nodes_accepted(dialled->id);

        heard = accepted ? ngx_max(accepted->heard, dialled->heard)
                         : dialled->heard;

        connected = (dialled->state == ngx_duplex_dial_syncing
                     || dialled->state == ngx_duplex_dial_online
                     || (accepted && ngx_duplex_accepted_alive(accepted, now,
                                                               timeout)));

        others->heard += connected;

        if (!connected && heard + NGX_DUPLEX_STANDING_OPINION < now) {
            continue;
        }

        name.data = (u_char *) dialled->name;
        name.len = ngx_strlen(dialled->name);

        if (!outlook->sees(&name)) {
            continue;
        }

        if (connected) {
            others->up++;

        } else {
            others->was_up++;
        }
    }
}


static void
ngx_duplex_standing_set(ngx_duplex_standing_e standing)
{
    ngx_uint_t             level;
    ngx_atomic_uint_t      old;
    ngx_duplex_nodes_t    *nodes;
    ngx_duplex_outlook_t  *outlook;

    nodes = ngx_duplex_nodes();

    old = nodes->standing;

    if (old == (ngx_atomic_uint_t) standing
        || !ngx_atomic_cmp_set(&nodes->standing, old, standing))
    {
        return;
    }

    outlook = ngx_duplex_sync_conf()->outlook;

    if (outlook && (standing == ngx_duplex_standing_isolated
                    || old == ngx_duplex_standing_isolated))
    {
        outlook->freeze(standing == ngx_duplex_standing_isolated,
                        ngx_duplex_standing_silence());
    }

    /* "failing" is told by the servers' own lines */

    if (old < ngx_duplex_standing_cut && standing < ngx_duplex_standing_cut) {
        return;
    }

    level = standing < ngx_duplex_standing_cut ? NGX_LOG_NOTICE : NGX_LOG_WARN;

    ngx_log_error(level, ngx_cycle->log, 0, "node \"%V\" is %s",
                  &ngx_duplex_identity()->name,
                  ngx_duplex_standing_texts[standing]);

    ngx_duplex_event("node", &ngx_duplex_identity()->name, "%s",
                     ngx_duplex_standing_texts[standing]);
}


/* for how many ms no other node was heard */

static uint64_t
ngx_duplex_standing_silence(void)
{
    uint64_t             heard;
    ngx_uint_t           i;
    ngx_duplex_nodes_t  *nodes;

    nodes = ngx_duplex_nodes();
    heard = 0;

    for (i = 0; i < NGX_DUPLEX_NODES_MAX; i++) {
        heard = ngx_max(heard, nodes->dialled[i].heard);
        heard = ngx_max(heard, nodes->accepted[i].heard);
    }

    return ngx_duplex_clock_monotonic() - heard;
}
