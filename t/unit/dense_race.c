
/*
 * links: modules/core/ngx_duplex_dense.c modules/core/ngx_duplex_lock.c
 * links: modules/core/ngx_duplex_dense_memory.c modules/core/ngx_duplex_clock.c
 * links: modules/core/ngx_duplex_dense_read.c
 * sanitize: thread
 *
 * Two threads write and read one dense table, a third one follows its log:
 * no data race (ThreadSanitizer ends the test at the first), and nobody reads
 * half of one record and half of another.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <pthread.h>
#include "../../modules/core/ngx_duplex_bytes.h"
#include "../../modules/core/ngx_duplex_dense_memory.h"
#include "unit.h"


#define SIZE     28672
#define KEYS     1000               /* more than there are slots */
#define ROUNDS   40000


#define source   ngx_duplex_dense_source


static ngx_duplex_table_t  *table;
static uint64_t             torn, found, followed, ended;


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


static void
put(uint64_t n, uint64_t time)
{
    u_char               key[16], bytes[8];
    ngx_duplex_record_t  rec;

    ngx_memzero(&rec, sizeof(rec));

    (void) ngx_duplex_bytes_put(key, mix(n + 1), 8);
    (void) ngx_duplex_bytes_put(key + 8, mix(n + 1000000007), 8);
    (void) ngx_duplex_bytes_put(bytes, 1 + mix(n + time) % 40, 8);

    rec.kind = 1;
    rec.key.data = key;
    rec.key.len = 16;
    rec.value.data = bytes;
    rec.value.len = 8;
    rec.time = time;
    rec.node = 1 + time % 5;
    rec.via = time % 2;
    rec.expire = 100000 + (time << 10);

    (void) source.put(table, &rec, NULL, 1000);
}


static void
look(uint64_t n)
{
    u_char                     key[16];
    ngx_duplex_dense_record_t  record;

    (void) ngx_duplex_bytes_put(key, mix(n + 1), 8);
    (void) ngx_duplex_bytes_put(key + 8, mix(n + 1000000007), 8);

    if (ngx_duplex_dense_find(table, key, &record, 1000) != NGX_OK) {
        return;
    }

    (void) __atomic_fetch_add(&found, 1, __ATOMIC_RELAXED);

    if (record.value != 1 + mix(n + record.time) % 40
        || record.node != 1 + record.time % 5
        || record.expire < 100000 + (record.time << 10))
    {
        (void) __atomic_fetch_add(&torn, 1, __ATOMIC_RELAXED);
    }
}


static void *
work(void *data)
{
    uint64_t  i, n;

    for (i = 1; i <= ROUNDS; i++) {

        n = mix(i * 2 + (uintptr_t) data);

        if (n % 4 == 0) {
            put(n / 4 % KEYS, i);

        } else {
            look(n / 4 % KEYS);
        }

        if (i % 8192 == 0) {
            ngx_duplex_dense_collect(ngx_duplex_dense(table), 3);
            ngx_duplex_dense_void(table, 1 + n % 40, i / 2);
        }
    }

    (void) __atomic_fetch_add(&ended, 1, __ATOMIC_RELEASE);

    return NULL;
}


static void *
follow(void *data)
{
    u_char               buf[64];
    uint32_t             cursor;
    uint64_t             position;
    ngx_duplex_record_t  rec;

    position = 0;

    while (__atomic_load_n(&ended, __ATOMIC_ACQUIRE) < 2) {

        switch (source.next(table, &position, &rec, buf, 1000)) {

        case NGX_OK:
            followed++;
            break;

        case NGX_DECLINED:
            cursor = 0;
            position = source.head(table);

            while (source.scan(table, &cursor, &rec, buf, 1000) == NGX_OK) {
                followed++;
            }
        }
    }

    return NULL;
}


int
main(void)
{
    void       *memory;
    pthread_t   threads[3];
    ngx_uint_t  i;

    memory = ngx_alloc(SIZE, ngx_cycle->log);
    table = source.create(memory, SIZE, NGX_DUPLEX_TABLE_EVICTS, 1,
                          ngx_cycle->log);

    for (i = 0; i < 2; i++) {
        (void) pthread_create(&threads[i], NULL, work, (void *) i);
    }

    (void) pthread_create(&threads[2], NULL, follow, NULL);

    for (i = 0; i < 3; i++) {
        (void) pthread_join(threads[i], NULL);
    }

    is_int(torn, 0, "none of %d reads was torn", (int) found);
    ok(found > ROUNDS / 8, "there was something to read");
    ok(followed > ROUNDS / 8, "%d records were followed", (int) followed);

    return done_testing();
}
