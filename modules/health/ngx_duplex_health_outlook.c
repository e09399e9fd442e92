
/*
 * What the verdicts of a node say together: the service of
 * core/ngx_duplex_outlook.h.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_outlook.h"
#include "ngx_duplex_freeze.h"
#include "ngx_duplex_health.h"


static ngx_uint_t ngx_duplex_health_outlook_up(ngx_str_t *node);
static ngx_uint_t ngx_duplex_health_outlook_unhealthy(ngx_str_t *node);
static ngx_uint_t ngx_duplex_health_outlook_find(ngx_str_t *node,
    ngx_duplex_verdict_e state);


ngx_duplex_outlook_t  ngx_duplex_health_outlook = {
    ngx_duplex_health_outlook_up,
    ngx_duplex_health_outlook_unhealthy,
    ngx_duplex_freeze_set
};


static ngx_uint_t
ngx_duplex_health_outlook_up(ngx_str_t *node)
{
    return ngx_duplex_health_outlook_find(node, ngx_duplex_verdict_up);
}


static ngx_uint_t
ngx_duplex_health_outlook_unhealthy(ngx_str_t *node)
{
    return ngx_duplex_health_outlook_find(node, ngx_duplex_verdict_unhealthy);
}


static ngx_uint_t
ngx_duplex_health_outlook_find(ngx_str_t *node, ngx_duplex_verdict_e state)
{
    uint64_t                      since;
    ngx_uint_t                    i;
    ngx_duplex_peer_t            *peer;
    ngx_duplex_group_t           *group;
    ngx_duplex_verdict_record_t   verdict;

    for (i = 0; (group = ngx_duplex_group(i)) != NULL; i++) {

        for (peer = ngx_duplex_peer_first(group);
             peer;
             peer = ngx_duplex_peer_next(peer))
        {
            if (ngx_duplex_health_verdict(peer, node, &verdict, &since)
                == NGX_OK
                && verdict.state == state)
            {
                return 1;
            }
        }
    }

    return 0;
}
