
/*
 * The dense table beside the least a C program can do: 32-byte records in
 * open addressing at 85 % load, one process, no locks, no log.
 *
 * bench/sticky-table.sh compiles and runs it.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <time.h>
#include "../modules/core/ngx_duplex_bytes.h"
#include "../modules/core/ngx_duplex_dense.h"
#include "../modules/core/ngx_duplex_siphash.h"


#define MB  (1024 * 1024)


typedef struct {
    uint64_t  high;
    uint64_t  low;
    uint64_t  value;
    uint64_t  expire;
} limit_t;


static ngx_duplex_siphash_key_t  hash_key = { 1, 2 };
static u_char                    key[16], value[8] = { 0, 0, 0, 0, 0, 0, 0, 7 };


static double
now(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);

    return ts.tv_sec * 1e9 + ts.tv_nsec;
}


static void
name(uint64_t n)
{
    u_char  text[8];

    (void) ngx_duplex_bytes_put(text, n, 8);
    ngx_duplex_siphash(&hash_key, text, 8, key);
}


static double
dense_fill(ngx_duplex_table_t *t, uint64_t n)
{
    double               began;
    uint64_t             i;
    ngx_duplex_record_t  rec;

    ngx_memzero(&rec, sizeof(rec));

    rec.kind = 1;
    rec.key.data = key;
    rec.key.len = 16;
    rec.value.data = value;
    rec.value.len = 8;
    rec.node = 1;
    rec.expire = 1ULL << 36;

    began = now();

    for (i = 0; i < n; i++) {
        name(i);
        rec.time = i + 1;
        (void) ngx_duplex_dense_source.put(t, &rec, NULL, 1000);
    }

    return (now() - began) / n;
}


static double
dense_find(ngx_duplex_table_t *t, uint64_t n)
{
    double                     began;
    uint64_t                   i;
    ngx_duplex_dense_record_t  record;

    began = now();

    for (i = 0; i < n; i++) {
        name(i * 7919 % n);
        (void) ngx_duplex_dense_find(t, key, &record, 1000);
    }

    return (now() - began) / n;
}


static limit_t *
limit_slot(limit_t *t, uint64_t size)
{
    uint64_t  i, high, low;

    ngx_memcpy(&high, key, 8);
    ngx_memcpy(&low, key + 8, 8);

    for (i = high % size; t[i].high; i = (i + 1 == size) ? 0 : i + 1) {
        if (t[i].high == high && t[i].low == low) {
            return &t[i];
        }
    }

    t[i].low = low;

    return &t[i];
}


static double
limit_run(limit_t *t, uint64_t size, uint64_t n, ngx_uint_t fill)
{
    double    began;
    limit_t  *slot;
    uint64_t  i, sum;

    began = now();
    sum = 0;

    for (i = 0; i < n; i++) {
        name(fill ? i : i * 7919 % n);

        slot = limit_slot(t, size);

        if (fill) {
            ngx_memcpy(&slot->high, key, 8);
            slot->value = 7;
            slot->expire = 1;
        }

        sum += slot->value;
    }

    return sum ? (now() - began) / n : 0;
}


static double
hash_only(uint64_t n)
{
    double    began;
    uint64_t  i;

    began = now();

    for (i = 0; i < n; i++) {
        name(i);
    }

    return (now() - began) / n;
}


static ngx_uint_t
row(const char *what, double limit, double ours, double goal, ngx_uint_t most)
{
    ngx_uint_t  missed;

    missed = most ? ours > goal : ours < goal;

    printf("%-44s %10.0f %10.0f %7.2f  %s%.0f%s\n", what, limit, ours,
           ours / limit, most ? "<= " : ">= ", goal, missed ? "  MISSED" : "");

    return missed;
}


int
main(void)
{
    void                     *memory;
    size_t                    size;
    double                    hash, create, find;
    limit_t                  *t;
    uint64_t                  n, i;
    ngx_uint_t                missed;
    ngx_duplex_table_t       *table;
    ngx_duplex_table_stat_t   stat;

    static uint64_t  sizes[] = { 1000, 100000, 1000000 };

    printf("%-44s %10s %10s %7s  %s\n", "sessions", "limit", "ours", "ratio",
           "goal");

    memory = ngx_alloc(MB, ngx_cycle->log);
    table = ngx_duplex_dense_source.create(memory, MB, 1, 1, ngx_cycle->log);

    for (n = 18000; n < 40000; n += 64) {
        (void) dense_fill(table, n);
        ngx_duplex_dense_source.stat(table, &stat);

        if (stat.evicted) {
            break;
        }
    }

    missed = row("a MB before the first has to go", 27900, n, 20000, 0);
    missed |= row("a MB when it is full", 32768, stat.capacity, 24000, 0);

    hash = hash_only(1000000);
    printf("ns of CPU each, without the hash (%.0f):\n", hash);

    for (i = 0; i < 3; i++) {

        n = sizes[i];
        size = n * 45 + 64 * 1024;

        memory = ngx_alloc(size, ngx_cycle->log);
        table = ngx_duplex_dense_source.create(memory, size, 1, 1,
                                               ngx_cycle->log);
        t = ngx_calloc(n * 100 / 85 * sizeof(limit_t), ngx_cycle->log);

        create = dense_fill(table, n) - hash;
        find = dense_find(table, n) - hash;

        printf("%d sessions\n", (int) n);
        missed |= row("  create", limit_run(t, n * 100 / 85, n, 1) - hash,
                      create, 500, 1);
        missed |= row("  find", limit_run(t, n * 100 / 85, n, 0) - hash,
                      find, 500, 1);

        ngx_free(memory);
        ngx_free(t);
    }

    return missed ? 1 : 0;
}
