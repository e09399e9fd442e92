
/*
 * All senders of this worker; see the header.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_clock.h"
#include "ngx_duplex_dial.h"
#include "ngx_duplex_sender.h"
#include "ngx_duplex_senders.h"
#include "ngx_duplex_sync_conf.h"


/* empty while this worker does not hold the lease */
static ngx_pool_t           *ngx_duplex_senders_pool;
static ngx_duplex_sender_t  *ngx_duplex_senders;
static ngx_uint_t            ngx_duplex_nsenders;


void
ngx_duplex_senders_take(void)
{
    ngx_uint_t               i;
    ngx_duplex_listed_t     *listed;
    ngx_duplex_sender_t     *s;
    ngx_duplex_sync_conf_t  *conf;

    conf = ngx_duplex_sync_conf();

    if (conf == NULL) {
        return;
    }

    ngx_duplex_senders_pool = ngx_create_pool(4096, ngx_cycle->log);
    if (ngx_duplex_senders_pool == NULL) {
        return;
    }

    ngx_duplex_senders = ngx_pcalloc(ngx_duplex_senders_pool,
                                     conf->listed.nelts
                                     * sizeof(ngx_duplex_sender_t));
    if (ngx_duplex_senders == NULL) {
        return;
    }

    listed = conf->listed.elts;

    ngx_duplex_nodes_keep(listed, conf->listed.nelts);

    for (i = 0; i < conf->listed.nelts; i++) {

        s = &ngx_duplex_senders[ngx_duplex_nsenders];

        s->listed = &listed[i];
        s->node = ngx_duplex_nodes_dial(&listed[i].addr.name);

        if (s->node == NULL) {
            break;
        }

        ngx_duplex_nsenders++;

        ngx_duplex_sender_become(s, ngx_duplex_dial_down);
        s->node->tried = 0;

        ngx_duplex_dial_start(s);
    }
}


void
ngx_duplex_senders_beat(void)
{
    uint64_t              now;
    ngx_uint_t            i;
    ngx_duplex_sender_t  *s;

    now = ngx_duplex_clock_monotonic();

    for (i = 0; i < ngx_duplex_nsenders; i++) {

        s = &ngx_duplex_senders[i];

        if (s->link) {
            ngx_duplex_sender_beat(s);

        } else if (s->connection == NULL && now >= s->retry
                   && s->state != ngx_duplex_dial_self)
        {
            ngx_duplex_dial_start(s);
        }
    }
}


void
ngx_duplex_senders_wake(void)
{
    ngx_uint_t  i;

    for (i = 0; i < ngx_duplex_nsenders; i++) {
        if (ngx_duplex_senders[i].link) {
            ngx_duplex_sender_ship(&ngx_duplex_senders[i]);
        }
    }
}


void
ngx_duplex_senders_drop(void)
{
    ngx_uint_t  i;

    for (i = 0; i < ngx_duplex_nsenders; i++) {
        ngx_duplex_dial_stop(&ngx_duplex_senders[i]);
    }

    ngx_duplex_nsenders = 0;

    if (ngx_duplex_senders_pool) {
        ngx_destroy_pool(ngx_duplex_senders_pool);
        ngx_duplex_senders_pool = NULL;
    }
}
