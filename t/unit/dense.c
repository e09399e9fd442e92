
/*
 * links: modules/core/ngx_duplex_dense.c modules/core/ngx_duplex_lock.c
 * links: modules/core/ngx_duplex_dense_memory.c modules/core/ngx_duplex_clock.c
 * links: modules/core/ngx_duplex_dense_read.c
 *
 * The dense table, by itself and against a simple reference: random puts,
 * deletions, voidings and reads, and a second table that follows its log.
 *
 * DENSE_STEPS in the environment: operations of the model, 200,000 by default.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../../modules/core/ngx_duplex_bytes.h"
#include "../../modules/core/ngx_duplex_dense.h"
#include "unit.h"


#define KIND    0x73657373
#define SIZE    (1024 * 1024)
#define KEYS    5000
#define VALUES  40


#define source  ngx_duplex_dense_source


typedef struct {
    uint64_t    value;      /* 0: none, or deleted */
    uint64_t    time;
    uint64_t    expire;     /* 0: never was there */
} model_t;


static u_char    buf[NGX_DUPLEX_RECORD_MAX];
static model_t   model[KEYS];
static uint64_t  voided[VALUES + 1], random_state = 88172645463325252ULL;


/* the same with each run */

static uint64_t
any(uint64_t n)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;

    return random_state % n;
}


static uint64_t
mix(uint64_t x)
{
    x ^= x >> 33;
    x *= 0xff51afd7ed558ccdULL;
    x ^= x >> 33;
    x *= 0xc4ceb9fe1a85ec53ULL;
    x ^= x >> 33;

    return x;
}


static u_char *
key(uint64_t n)
{
    static u_char  data[16];

    (void) ngx_duplex_bytes_put(data, mix(n + 1), 8);
    (void) ngx_duplex_bytes_put(data + 8, mix(n + 1000000007), 8);

    return data;
}


static ngx_int_t
put(ngx_duplex_table_t *t, uint64_t n, uint64_t value, uint64_t time,
    uint64_t expire, uint64_t now, ngx_duplex_table_wins_pt wins)
{
    static u_char        bytes[8];
    ngx_duplex_record_t  rec;

    ngx_memzero(&rec, sizeof(rec));

    (void) ngx_duplex_bytes_put(bytes, value, 8);

    rec.kind = KIND;
    rec.key.data = key(n);
    rec.key.len = 16;
    rec.value.data = bytes;
    rec.value.len = value ? 8 : 0;
    rec.deleted = (value == 0);
    rec.time = time;
    rec.node = 1 + n % 3;
    rec.via = n % 3;
    rec.expire = expire;

    return source.put(t, &rec, wins, now);
}


static uint64_t
find(ngx_duplex_table_t *t, uint64_t n, uint64_t now)
{
    ngx_duplex_dense_record_t  record;

    return ngx_duplex_dense_find(t, key(n), &record, now) == NGX_OK
           ? record.value : 0;
}


static ngx_int_t
later(const ngx_duplex_record_t *old, const ngx_duplex_record_t *next)
{
    return next->time > old->time;
}


static ngx_duplex_table_t *
create(size_t size, uint64_t incarnation)
{
    return source.create(ngx_alloc(size, ngx_cycle->log), size,
                         NGX_DUPLEX_TABLE_EVICTS, incarnation,
                         ngx_cycle->log);
}


static void
basics(void)
{
    uint64_t                 position;
    ngx_duplex_table_t      *t, *small;
    ngx_duplex_record_t      rec;
    ngx_duplex_table_stat_t  stat;

    t = create(SIZE, 7);

    is_int(source.incarnation(t), 7, "the incarnation");
    ok(source.open(t) == t, "opened again");
    is_int(find(t, 1, 0), 0, "nothing is there");

    is_int(put(t, 1, 11, 100, 5000, 1000, later), NGX_OK, "put");
    is_int(find(t, 1, 1000), 11, "found");
    is_int(put(t, 1, 12, 100, 5000, 1000, later), NGX_DECLINED, "not later");
    is_int(put(t, 1, 12, 101, 6000, 1000, later), NGX_OK, "later");
    is_int(find(t, 1, 5900), 12, "is the new one");
    is_int(find(t, 1, 6400), 0, "until it ends");
    is_int(put(t, 1, 13, 50, 9000, 6500, later), NGX_OK,
           "what has ended is no obstacle");

    ngx_memzero(&rec, sizeof(rec));
    rec.key.data = key(1);
    rec.key.len = 16;
    is_int(source.get(t, &rec, buf, 23, 6500), NGX_ERROR, "too small a buffer");
    is_int(source.get(t, &rec, buf, 24, 6500), NGX_OK, "get");
    ok(rec.kind == KIND && rec.time == 50 && rec.node == 2 && rec.via == 1
       && rec.value.len == 8 && rec.value.data[7] == 13
       && rec.expire >= 9000 && rec.expire < 9256 && !rec.deleted,
       "all of the record");

    is_int(put(t, 1, 0, 60, 9000, 6500, later), NGX_OK, "deleted");
    is_int(find(t, 1, 6500), 0, "not found");
    is_int(source.get(t, &rec, buf, 24, 6500), NGX_OK, "but got");
    ok(rec.deleted && rec.value.len == 0, "as deleted");

    position = 0;
    is_int(source.next(t, &position, &rec, buf, 6500), NGX_OK, "in the log");
    ok(rec.deleted && rec.position == 1, "as it is now");
    position = source.head(t);
    is_int(position, 4, "four changes");
    is_int(source.next(t, &position, &rec, buf, 6500), NGX_DONE, "all read");
    position = 5;
    is_int(source.next(t, &position, &rec, buf, 6500), NGX_DECLINED,
           "a position of another life");

    source.stat(t, &stat);
    ok(stat.capacity * 52 > SIZE - 4096 && stat.capacity > 24000,
       "%d slots in 1 MB", (int) stat.capacity);

    rec.key.len = 15;
    is_int(source.put(t, &rec, NULL, 1), NGX_ERROR, "a key that is too short");
    rec.key.len = 16;
    rec.deleted = 0;
    rec.value.len = 7;
    is_int(source.put(t, &rec, NULL, 1), NGX_ERROR, "a value as well");

    small = create(28672, 1);
    ok(small != NULL, "the smallest zone");
    ngx_free(small);
    ngx_free(t);
}


static void
voiding(void)
{
    uint64_t             values[2] = { 5, 6 };
    ngx_uint_t           counts[2], i;
    ngx_duplex_table_t  *t;

    t = create(SIZE, 1);

    for (i = 0; i < 100; i++) {
        (void) put(t, i, 5 + i % 2, 100 + i, 100000, 0, NULL);
    }

    ngx_duplex_dense_count(t, values, counts, 2, 1);
    ok(counts[0] == 50 && counts[1] == 50, "counted");

    ngx_duplex_dense_void(t, 5, 150);
    ngx_duplex_dense_count(t, values, counts, 2, 1);
    ok(counts[0] == 25 && counts[1] == 50, "the older of one value are void");

    is_int(find(t, 0, 1), 0, "not found");
    is_int(find(t, 50, 1), 5, "a later one is");
    is_int(put(t, 0, 5, 149, 100000, 0, NULL), NGX_DECLINED,
           "an older one that comes late is refused");
    is_int(put(t, 0, 5, 151, 100000, 0, later), NGX_OK, "a new one not");

    ngx_duplex_dense_void(t, 5, 120);
    is_int(find(t, 50, 1), 5, "an earlier voiding changes nothing");

    ngx_duplex_dense_void(t, 0, 1000);
    ngx_duplex_dense_count(t, values, counts, 2, 1);
    ok(counts[0] == 0 && counts[1] == 0, "all of them");

    ngx_free(t);
}


/* more values than the table has room for, most of them gone by now */

static void
words(void)
{
    uint64_t                 i;
    ngx_uint_t               refused;
    ngx_duplex_table_t      *t;
    ngx_duplex_table_stat_t  stat;

    t = create(28672, 1);
    refused = 0;

    for (i = 0; i < 2000; i++) {
        refused += put(t, i % 10, 1000 + i, i + 1, (i + 20) * 1000, i * 1000,
                       NULL)
                   != NGX_OK;
    }

    is_int(refused, 0, "values that nobody has make room");
    is_int(find(t, 9, 1999000), 2999, "the last one");
    is_int(find(t, 0, 1999000), 2990, "and the one ten before");

    for (i = 0; i < 100; i++) {
        refused += put(t, i, 5000 + i, 5000 + i, 9000000, 2000000, NULL)
                   != NGX_OK;
    }

    source.stat(t, &stat);
    ok(refused > 0 && stat.refused == refused,
       "too many at a time are refused, and counted: %d", (int) refused);

    ngx_free(t);
}


static void
full(void)
{
    uint64_t                 i;
    ngx_uint_t               n, hot, first;
    ngx_duplex_table_t      *t;
    ngx_duplex_table_stat_t  stat;

    t = create(SIZE, 1);
    first = 0;

    for (i = 0; i < 40000; i++) {
        (void) put(t, i, 1 + i % VALUES, 1 + i, 100000000, 0, NULL);

        for (n = 0; i % 100 == 0 && n < 500; n++) {
            (void) find(t, n, 0);
        }

        if (first == 0 && i > 18000 && i % 64 == 0) {
            source.stat(t, &stat);
            first = stat.evicted ? i : 0;
        }
    }

    for (i = 0, hot = 0; i < 500; i++) {
        hot += (find(t, i, 0) != 0);
    }

    source.stat(t, &stat);

    ok(first > 20000, "the first eviction comes after %d records in 1 MB",
       (int) first);
    ok(hot > 495, "%d of 500 that were in use are there", (int) hot);
    ok(stat.records > stat.capacity * 96 / 100, "%d of %d slots have records",
       (int) stat.records, (int) stat.capacity);
    is_int(stat.records + stat.evicted, 40000, "the others are counted");

    ngx_free(t);
}


static void
copies(void)
{
    uint64_t                 i;
    ngx_uint_t               wrong;
    ngx_duplex_table_t      *t, *larger, *smaller;
    ngx_duplex_table_stat_t  stat;

    t = create(SIZE, 1);

    for (i = 0; i < 20000; i++) {
        (void) put(t, i, 1 + i % VALUES, 1 + i,
                   ngx_current_msec + 100000 + i * 1000, ngx_current_msec,
                   NULL);
    }

    ngx_duplex_dense_void(t, 3, 10000);

    larger = create(3 * SIZE, 2);
    is_int(source.copy(larger, t), NGX_OK, "copied into a larger one");
    is_int(source.incarnation(larger), 2, "which is one of its own");

    for (i = 0, wrong = 0; i < 20000; i++) {
        wrong += find(larger, i, ngx_current_msec)
                 != find(t, i, ngx_current_msec);
    }

    is_int(wrong, 0, "all is there, and void what was");

    smaller = create(SIZE / 4, 3);
    is_int(source.copy(smaller, t), NGX_OK, "copied into a smaller one");

    for (i = 17000, wrong = 0; i < 20000; i++) {
        wrong += find(smaller, i, ngx_current_msec) == 0;
    }

    source.stat(smaller, &stat);
    ok(stat.records > 5500, "it is full: %d", (int) stat.records);
    ok(wrong < 30, "what ends last is there, but %d of 3000", (int) wrong);

    ngx_free(t);
    ngx_free(larger);
    ngx_free(smaller);
}


static uint64_t
expected(uint64_t n, uint64_t now)
{
    model_t  *m;

    m = &model[n];

    return (m->expire > now && m->value && m->time >= voided[m->value]
            && m->time >= voided[0])
           ? m->value : 0;
}


/* what "next" answers is put into the other one, as the other node would */

static void
follow(ngx_duplex_table_t *t, ngx_duplex_table_t *other, uint64_t *position,
    uint64_t now)
{
    uint32_t             cursor;
    ngx_int_t            rc;
    ngx_duplex_record_t  rec;

    while ((rc = source.next(t, position, &rec, buf, now)) == NGX_OK) {
        (void) source.put(other, &rec, later, now);
    }

    if (rc == NGX_DECLINED) {
        cursor = 0;
        *position = source.head(t);

        while (source.scan(t, &cursor, &rec, buf, now) == NGX_OK) {
            (void) source.put(other, &rec, later, now);
        }
    }
}


static void
against_model(void)
{
    char                *steps;
    uint64_t             i, n, now, time, value, expire, position, last;
    ngx_uint_t           wrong, behind, walks;
    ngx_duplex_table_t  *t, *other;

    t = create(SIZE, 1);
    other = create(SIZE, 2);

    steps = getenv("DENSE_STEPS");
    last = steps ? strtoull(steps, NULL, 10) : 200000;

    now = 1 << 20;
    time = 1ULL << 40;
    position = 0;
    wrong = 0;
    behind = 0;
    walks = 0;

    for (i = 0; i < last; i++) {

        n = any(KEYS);

        switch (any(16)) {

        case 0:
            now += 256 * any(3);
            break;

        case 1:
            value = 0;
            goto change;

        case 2: case 3: case 4: case 5: case 6:
            value = 1 + any(VALUES);
change:
            time += 1 + any(3);

            /* lifetimes are kept in units of 256 ms */

            expire = now + 256 * (1 + any(400));

            /* one in eight is late */

            if (any(8) == 0) {
                time -= 20;
            }

            if (value && (time < voided[value] || time < voided[0])) {
                wrong += put(t, n, value, time, expire, now, later)
                         != NGX_DECLINED;

            } else if (model[n].expire <= now || time > model[n].time) {
                wrong += put(t, n, value, time, expire, now, later) != NGX_OK;

                model[n].value = value;
                model[n].time = time;
                model[n].expire = expire;

            } else {
                wrong += put(t, n, value, time, expire, now, later)
                         != NGX_DECLINED;
            }

            break;

        case 7:
            if (any(2000) == 0) {
                value = any(VALUES + 1);
                voided[value] = ngx_max(voided[value], time);
                ngx_duplex_dense_void(t, value, time);
                ngx_duplex_dense_void(other, value, time);
            }
            break;

        case 8:
            if (any(100) == 0) {
                follow(t, other, &position, now);
                behind += source.head(t) != position;
            }
            break;

        case 9:
            if (any(20000) == 0) {
                position = 0;       /* as after a long break */
                walks++;
            }
            break;

        default:
            wrong += find(t, n, now) != expected(n, now);
        }
    }

    is_int(wrong, 0, "%d operations as the reference has them", (int) last);
    is_int(behind, 0, "the log was read to its head, %d walks", (int) walks);

    follow(t, other, &position, now);

    for (n = 0, wrong = 0; n < KEYS; n++) {
        wrong += find(other, n, now) != expected(n, now);
    }

    is_int(wrong, 0, "who followed the log has the same");

    ngx_free(t);
    ngx_free(other);
}


int
main(void)
{
    basics();
    voiding();
    words();
    full();
    copies();
    against_model();

    return done_testing();
}
