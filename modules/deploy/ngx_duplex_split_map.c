
/*
 * See the header.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_split_map.h"


static void ngx_duplex_split_map_give(u_char *part, ngx_uint_t *own,
    ngx_uint_t *weights, ngx_uint_t n);


void
ngx_duplex_split_map_fill(ngx_duplex_split_map_t *map, ngx_uint_t *weights,
    ngx_uint_t n)
{
    ngx_memzero(map, sizeof(ngx_duplex_split_map_t));

    ngx_duplex_split_map_move(map, weights, n);
}


/*
 * The first part gives its lowest slots away first, the others their highest.
 * So two parts that change back and forth meet in one place, and the same
 * weights are the same slots, whichever way they were reached.
 */

void
ngx_duplex_split_map_move(ngx_duplex_split_map_t *map, ngx_uint_t *weights,
    ngx_uint_t n)
{
    ngx_uint_t  i, own[NGX_DUPLEX_SPLIT_PARTS];

    ngx_memzero(own, sizeof(own));

    for (i = 0; i < NGX_DUPLEX_SPLIT_SLOTS; i++) {
        own[map->part[i]]++;
    }

    for (i = 0; i < NGX_DUPLEX_SPLIT_SLOTS; i++) {
        if (map->part[i] == 0) {
            ngx_duplex_split_map_give(&map->part[i], own, weights, n);
        }
    }

    for (i = NGX_DUPLEX_SPLIT_SLOTS; i-- > 0; /* void */ ) {
        if (map->part[i] != 0) {
            ngx_duplex_split_map_give(&map->part[i], own, weights, n);
        }
    }
}


/* a slot of a part that has too many, to the first that has too few */

static void
ngx_duplex_split_map_give(u_char *part, ngx_uint_t *own, ngx_uint_t *weights,
    ngx_uint_t n)
{
    ngx_uint_t  to;

    if (*part < n && own[*part] <= weights[*part]) {
        return;
    }

    for (to = 0; to < n; to++) {

        if (own[to] < weights[to]) {
            own[*part]--;
            own[to]++;
            *part = (u_char) to;
            return;
        }
    }
}


/* the bits of a hash are even, those of its low end may not be */

ngx_uint_t
ngx_duplex_split_map_slot(uint32_t hash)
{
    return (ngx_uint_t) ((uint64_t) hash * NGX_DUPLEX_SPLIT_SLOTS >> 32);
}
