
/*
 * See the header.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_bound.h"


static ngx_queue_t  ngx_duplex_bound_all = {
    &ngx_duplex_bound_all, &ngx_duplex_bound_all
};


void
ngx_duplex_bound_add(ngx_duplex_bound_t *bound)
{
    ngx_queue_insert_tail(&ngx_duplex_bound_all, &bound->link);
}


void
ngx_duplex_bound_remove(ngx_duplex_bound_t *bound)
{
    ngx_queue_remove(&bound->link);
}


void
ngx_duplex_bound_end(ngx_duplex_peer_t *peer)
{
    ngx_queue_t         *q, *next;
    ngx_duplex_bound_t  *bound;

    for (q = ngx_queue_head(&ngx_duplex_bound_all);
         q != ngx_queue_sentinel(&ngx_duplex_bound_all);
         q = next)
    {
        next = ngx_queue_next(q);
        bound = ngx_queue_data(q, ngx_duplex_bound_t, link);

        if (bound->group == peer->group
            && ngx_cmp_sockaddr(&bound->sockaddr.sockaddr, bound->socklen,
                                peer->sockaddr, peer->socklen, 1)
               == NGX_OK)
        {
            ngx_duplex_bound_remove(bound);
            bound->end(bound);
        }
    }
}
