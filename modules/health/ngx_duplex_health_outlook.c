
/*
 * What the verdicts of a node say together: the service of
 * core/ngx_duplex_outlook.h.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_outlook.h"
#include "ngx_duplex_freeze.h"
#include "ngx_duplex_health.h"


static ngx_uint_t ngx_duplex_health_outlook_blind(void);
static ngx_uint_t ngx_duplex_health_outlook_sees(ngx_str_t *node);
static ngx_duplex_peer_t *ngx_duplex_health_outlook_next(
    ngx_duplex_peer_t *peer, ngx_uint_t *g);


ngx_duplex_outlook_t  ngx_duplex_health_outlook = {
    ngx_duplex_health_outlook_blind,
    ngx_duplex_health_outlook_sees,
    ngx_duplex_freeze_set
};


static ngx_uint_t
ngx_duplex_health_outlook_blind(void)
{
    ngx_uint_t          g, unhealthy;
    ngx_duplex_peer_t  *peer;

    unhealthy = 0;
    peer = NULL;

    while ((peer = ngx_duplex_health_outlook_next(peer, &g))) {

        switch (ngx_duplex_health_own(peer)) {

        case ngx_duplex_verdict_up:
            return 0;

        case ngx_duplex_verdict_unhealthy:
            unhealthy = 1;
            break;

        default:
            break;
        }
    }

    return unhealthy;
}


static ngx_uint_t
ngx_duplex_health_outlook_sees(ngx_str_t *node)
{
    uint64_t                      since;
    ngx_uint_t                    g;
    ngx_duplex_peer_t            *peer;
    ngx_duplex_verdict_record_t   verdict;

    peer = NULL;

    while ((peer = ngx_duplex_health_outlook_next(peer, &g))) {

        if (ngx_duplex_health_own(peer) == ngx_duplex_verdict_unhealthy
            && ngx_duplex_health_verdict(peer, node, &verdict, &since)
               == NGX_OK
            && verdict.state == ngx_duplex_verdict_up)
        {
            return 1;
        }
    }

    return 0;
}


/* NULL: the first; "g" of the groups have been opened */

static ngx_duplex_peer_t *
ngx_duplex_health_outlook_next(ngx_duplex_peer_t *peer, ngx_uint_t *g)
{
    ngx_duplex_group_t  *group;

    if (peer) {
        peer = ngx_duplex_peer_next(peer);

    } else {
        *g = 0;
    }

    while (peer == NULL && (group = ngx_duplex_group(*g))) {
        peer = ngx_duplex_peer_first(group);
        ++*g;
    }

    return peer;
}
