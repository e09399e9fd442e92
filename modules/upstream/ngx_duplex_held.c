
/*
 * See the header.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_group.h"
#include "ngx_duplex_held.h"
#include "ngx_duplex_stock.h"


static ngx_uint_t ngx_duplex_held_give_back(ngx_duplex_group_t *group,
    ngx_duplex_list_t *list);


void
ngx_duplex_held_start(void)
{
    ngx_uint_t           i, n;
    ngx_duplex_group_t  *group;

    for (i = 0; (group = ngx_duplex_group(i)) != NULL; i++) {

        n = ngx_duplex_held_give_back(group, &group->lists[0])
            + ngx_duplex_held_give_back(group, &group->lists[1]);

        if (n) {
            ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                          "%ui connections to servers of %s \"%V\" ended with "
                          "the worker that was here before", n,
                          group->driver->title, &group->name);
        }
    }
}


static ngx_uint_t
ngx_duplex_held_give_back(ngx_duplex_group_t *group, ngx_duplex_list_t *list)
{
    void                       *rr;
    uint32_t                   *row;
    ngx_uint_t                  i, n, all, *conns;
    const ngx_duplex_layout_t  *l;

    all = 0;
    l = group->driver->layout;

    for (i = 0; list->peers && i < list->nplaces; i++) {

        rr = list->places[i].peer;
        row = (uint32_t *) (uintptr_t) ngx_duplex_stock(l, rr, held, uint64_t);

        if (row == NULL || row[ngx_worker] == 0) {
            continue;
        }

        ngx_duplex_stock_wlock(group->driver, list->peers);

        conns = &ngx_duplex_stock(l, rr, conns, ngx_uint_t);

        n = ngx_min(row[ngx_worker], *conns);

        row[ngx_worker] = 0;
        *conns -= n;
#if (NGX_DUPLEX_HAVE_PEER_REFS)
        ngx_duplex_stock(l, rr, refs, ngx_uint_t) -= n;
#endif

        ngx_duplex_stock_unlock(group->driver, list->peers);

        all += n;
    }

    return all;
}
