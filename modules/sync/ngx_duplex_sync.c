
/*
 * See the header.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_identity.h"
#include "ngx_duplex_applied.h"
#include "ngx_duplex_nodes.h"
#include "ngx_duplex_ready.h"
#include "ngx_duplex_receiver.h"
#include "ngx_duplex_senders.h"
#include "ngx_duplex_skew.h"
#include "ngx_duplex_standing.h"
#include "ngx_duplex_sync.h"


/* of the configuration this worker runs */
static uint32_t  ngx_duplex_sync_generation;


void
ngx_duplex_sync_commit(ngx_cycle_t *cycle, ngx_duplex_sync_conf_t *conf)
{
    ngx_duplex_sync_conf_commit(conf);

    ngx_duplex_nodes_commit(cycle);

    if (conf) {
        ngx_duplex_ready_commit(cycle);

        if (ngx_duplex_nodes()->generation == 0) {
            ngx_duplex_seen_load(&ngx_duplex_nodes()->seen);
        }

        ngx_duplex_nodes()->generation = ngx_duplex_identity()->generation;
    }
}


ngx_int_t
ngx_duplex_sync_start(ngx_cycle_t *cycle)
{
    ngx_duplex_receivers_start();

    if (ngx_duplex_sync_conf()) {
        ngx_duplex_sync_generation = ngx_duplex_identity()->generation;
        ngx_duplex_ready_stay();

        return ngx_duplex_applied_start(cycle);
    }

    return NGX_OK;
}


void
ngx_duplex_sync_take(void)
{
    ngx_duplex_senders_take();
    ngx_duplex_skew_take();
}


void
ngx_duplex_sync_beat(void)
{
    ngx_duplex_senders_beat();
    ngx_duplex_ready_update();

    if (ngx_duplex_sync_conf()) {
        ngx_duplex_standing_beat();
        ngx_duplex_skew_beat();
        ngx_duplex_seen_beat(&ngx_duplex_nodes()->seen);
    }
}


void
ngx_duplex_sync_drop(void)
{
    ngx_duplex_senders_drop();
    ngx_duplex_standing_drop();
}


void
ngx_duplex_sync_stop(void)
{
    ngx_duplex_receivers_stop();

    if (ngx_duplex_sync_conf()) {
        ngx_duplex_applied_stop();
    }

    /* without a successor it is the node that ends, not a configuration */

    if (ngx_duplex_sync_conf()
        && ngx_duplex_nodes()->generation == ngx_duplex_sync_generation)
    {
        ngx_duplex_ready_leave();
    }
}
