
/*
 * links: modules/deploy/ngx_duplex_split_map.c
 *
 * Slots of a split: as many as the weights say, and none moves that need not.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../../modules/deploy/ngx_duplex_split_map.h"
#include "unit.h"


static ngx_uint_t
counts(ngx_duplex_split_map_t *map, ngx_uint_t *weights, ngx_uint_t n)
{
    ngx_uint_t  i, own[NGX_DUPLEX_SPLIT_PARTS];

    ngx_memzero(own, sizeof(own));

    for (i = 0; i < NGX_DUPLEX_SPLIT_SLOTS; i++) {
        own[map->part[i]]++;
    }

    for (i = 0; i < n; i++) {
        if (own[i] != weights[i]) {
            return 0;
        }
    }

    return 1;
}


/* random weights of "n" parts */

static void
choose(ngx_uint_t *weights, ngx_uint_t n)
{
    ngx_uint_t  i, left;

    left = NGX_DUPLEX_SPLIT_SLOTS;

    for (i = 0; i + 1 < n; i++) {
        weights[i] = random() % (left + 1);
        left -= weights[i];
    }

    weights[n - 1] = left;
}


static void
test_random(void)
{
    ngx_uint_t              i, j, n, wrong, moved, least;
    ngx_uint_t              was[NGX_DUPLEX_SPLIT_PARTS];
    ngx_uint_t              weights[NGX_DUPLEX_SPLIT_PARTS];
    ngx_duplex_split_map_t  map, before;

    wrong = 0;

    for (i = 0; i < 2000; i++) {

        n = 2 + random() % (NGX_DUPLEX_SPLIT_PARTS - 1);

        choose(was, n);
        ngx_duplex_split_map_fill(&map, was, n);
        wrong += !counts(&map, was, n);

        before = map;
        choose(weights, n);
        ngx_duplex_split_map_move(&map, weights, n);
        wrong += !counts(&map, weights, n);

        least = 0;
        moved = 0;

        for (j = 0; j < n; j++) {
            least += was[j] > weights[j] ? was[j] - weights[j] : 0;
        }

        for (j = 0; j < NGX_DUPLEX_SPLIT_SLOTS; j++) {
            moved += map.part[j] != before.part[j];

            /* from one that loses to one that gains */

            if (map.part[j] != before.part[j]
                && (weights[before.part[j]] >= was[before.part[j]]
                    || weights[map.part[j]] <= was[map.part[j]]))
            {
                wrong++;
            }
        }

        wrong += moved != least;
    }

    is_int(wrong, 0, "2000 random changes are exact, and the least there are");
}


static void
test_back(void)
{
    ngx_uint_t              a[2] = { 10000, 0 }, b[2] = { 9900, 100 };
    ngx_uint_t              c[2] = { 5000, 5000 };
    ngx_duplex_split_map_t  map, first, second;

    ngx_duplex_split_map_fill(&map, a, 2);
    first = map;
    ngx_duplex_split_map_move(&map, b, 2);
    second = map;
    ngx_duplex_split_map_move(&map, c, 2);
    ngx_duplex_split_map_move(&map, b, 2);

    ok(ngx_memcmp(&map, &second, sizeof(map)) == 0, "there and half back");

    ngx_duplex_split_map_move(&map, a, 2);

    ok(ngx_memcmp(&map, &first, sizeof(map)) == 0, "and all the way");
}


static void
test_slots(void)
{
    uint32_t    hash;
    ngx_uint_t  i, most, own[NGX_DUPLEX_SPLIT_SLOTS];

    ngx_memzero(own, sizeof(own));
    hash = 1;
    most = 0;

    for (i = 0; i < 1000000; i++) {
        hash = hash * 1664525 + 1013904223;
        own[ngx_duplex_split_map_slot(hash)]++;
    }

    for (i = 0; i < NGX_DUPLEX_SPLIT_SLOTS; i++) {
        most = ngx_max(most, own[i]);
    }

    ok(most < 200, "no slot has more than twice its share (%d)", (int) most);
    is_int(ngx_duplex_split_map_slot(0), 0, "the first");
    is_int(ngx_duplex_split_map_slot(0xffffffff), 9999, "the last");
}


int
main(void)
{
    test_random();
    test_back();
    test_slots();

    return done_testing();
}
