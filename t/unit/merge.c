
/*
 * links: modules/core/ngx_duplex_table.c modules/core/ngx_duplex_lock.c
 * links: modules/core/ngx_duplex_table_memory.c
 *
 * The merge of changes, exhaustively: whatever small history the nodes have,
 * and in whatever order, how often and over whom the changes reach a node,
 * all end with the same record, and it is the latest.
 *
 * A history is a set of changes of one key: each has a time and a node, and
 * sets one of two values or deletes.  All sets of four out of twelve are
 * tried, in all orders; then the same with one change that comes twice, and
 * with two nodes that hear of them in different orders and then send each
 * other what they have.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../../modules/core/ngx_duplex_table.h"
#include "unit.h"


#define KIND      0x74657374
#define TIMES     2
#define NODES     2
#define VALUES    3                         /* the last one: deleted */
#define CHANGES   (TIMES * NODES * VALUES)
#define HISTORY   4
#define ORDERS    24                        /* of four */


static u_char               memory[2][65536] __attribute__((aligned(4096)));
static u_char               buf[NGX_DUPLEX_RECORD_MAX];
static ngx_duplex_record_t  changes[CHANGES];
static ngx_uint_t           orders[ORDERS][HISTORY];


/* the rule of the store: ngx_duplex_store_wins() */

static ngx_int_t
wins(const ngx_duplex_record_t *old, const ngx_duplex_record_t *next)
{
    return next->time != old->time ? next->time > old->time
                                   : next->node > old->node;
}


static void
make_changes(void)
{
    ngx_uint_t            i;
    ngx_duplex_record_t  *rec;

    static u_char  values[] = "xy";

    for (i = 0; i < CHANGES; i++) {

        rec = &changes[i];

        rec->kind = KIND;
        ngx_str_set(&rec->zone, "http:app");
        ngx_str_set(&rec->key, "key");

        rec->time = 1 + i / (NODES * VALUES);
        rec->node = 1 + i / VALUES % NODES;

        if (i % VALUES == VALUES - 1) {
            rec->deleted = 1;
            rec->expire = 1000;

        } else {
            rec->value.data = &values[i % VALUES];
            rec->value.len = 1;
        }
    }
}


static void
make_orders(void)
{
    ngx_uint_t  a, b, c, d, n;

    n = 0;

    for (a = 0; a < HISTORY; a++) {
        for (b = 0; b < HISTORY; b++) {
            for (c = 0; c < HISTORY; c++) {

                d = 6 - a - b - c;

                if (a == b || a == c || b == c || d > 3
                    || d == a || d == b || d == c)
                {
                    continue;
                }

                orders[n][0] = a;
                orders[n][1] = b;
                orders[n][2] = c;
                orders[n++][3] = d;
            }
        }
    }
}


/* a node says one thing at a time: its clock does not give out one twice */

static ngx_uint_t
is_possible(ngx_uint_t *history)
{
    ngx_uint_t            i, k;
    ngx_duplex_record_t  *a, *b;

    for (i = 0; i < HISTORY; i++) {
        for (k = i + 1; k < HISTORY; k++) {

            a = &changes[history[i]];
            b = &changes[history[k]];

            if (a->time == b->time && a->node == b->node) {
                return 0;
            }
        }
    }

    return 1;
}


static ngx_duplex_table_t *
fresh(ngx_uint_t n)
{
    return ngx_duplex_table_create(memory[n], sizeof(memory[n]), 0, 1,
                                   ngx_cycle->log);
}


static void
put(ngx_duplex_table_t *table, ngx_duplex_record_t *change)
{
    ngx_duplex_record_t  rec;

    rec = *change;

    (void) ngx_duplex_table_put(table, &rec, wins, 1);
}


/* all of one node, sent to the other */

static void
send_all(ngx_duplex_table_t *from, ngx_duplex_table_t *to)
{
    uint32_t             cursor;
    ngx_duplex_record_t  rec;

    cursor = 0;

    while (ngx_duplex_table_scan(from, &cursor, &rec, buf, 1) == NGX_OK) {
        put(to, &rec);
    }
}


static ngx_uint_t
holds(ngx_duplex_table_t *table, ngx_duplex_record_t *latest)
{
    ngx_duplex_record_t  rec;

    rec = *latest;

    return ngx_duplex_table_get(table, &rec, buf, sizeof(buf), 1) == NGX_OK
           && rec.time == latest->time && rec.node == latest->node
           && rec.deleted == latest->deleted
           && rec.value.len == latest->value.len
           && (rec.value.len == 0
               || rec.value.data[0] == latest->value.data[0]);
}


static void
test_history(ngx_uint_t *history, ngx_uint_t *wrong, ngx_uint_t *tried)
{
    ngx_uint_t            i, k, n;
    ngx_duplex_table_t   *a, *b;
    ngx_duplex_record_t  *latest;

    latest = &changes[history[0]];

    for (i = 1; i < HISTORY; i++) {
        if (wins(latest, &changes[history[i]])) {
            latest = &changes[history[i]];
        }
    }

    for (n = 0; n < ORDERS; n++) {

        /* in this order, and one of them twice, at any later place */

        for (k = 0; k < HISTORY; k++) {
            a = fresh(0);

            for (i = 0; i < HISTORY; i++) {
                put(a, &changes[history[orders[n][i]]]);

                if (i >= k) {
                    put(a, &changes[history[orders[n][k]]]);
                }
            }

            *wrong += !holds(a, latest);
            (*tried)++;
        }

        /* two that hear of a part each, cut anywhere, and then of all */

        for (k = 0; k <= HISTORY; k++) {
            a = fresh(0);
            b = fresh(1);

            for (i = 0; i < HISTORY; i++) {
                put(i < k ? a : b, &changes[history[orders[n][i]]]);
            }

            send_all(a, b);
            send_all(b, a);

            *wrong += !holds(a, latest) + !holds(b, latest);
            (*tried)++;
        }
    }
}


int
main(void)
{
    ngx_uint_t  h[HISTORY], histories, wrong, tried;

    make_changes();
    make_orders();

    histories = 0;
    wrong = 0;
    tried = 0;

    for (h[0] = 0; h[0] < CHANGES; h[0]++) {
        for (h[1] = h[0] + 1; h[1] < CHANGES; h[1]++) {
            for (h[2] = h[1] + 1; h[2] < CHANGES; h[2]++) {
                for (h[3] = h[2] + 1; h[3] < CHANGES; h[3]++) {

                    if (is_possible(h)) {
                        histories++;
                        test_history(h, &wrong, &tried);
                    }
                }
            }
        }
    }

    is_int(histories, 81, "histories of four changes");
    ok(tried > 10000, "%d interleavings", (int) tried);
    is_int(wrong, 0, "all end with the latest, on every node");

    return done_testing();
}
