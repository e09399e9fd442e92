
/*
 * links: modules/core/ngx_duplex_table.c modules/core/ngx_duplex_lock.c
 * links: modules/core/ngx_duplex_table_memory.c
 *
 * A table: what is put can be got, the log is complete, memory is bounded.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../../modules/core/ngx_duplex_table.h"
#include "unit.h"


#define KIND   0x74657374
#define KEYS   200
#define ROUNDS 200000


static u_char  memory[256 * 1024] __attribute__((aligned(4096)));
static u_char  other[512 * 1024] __attribute__((aligned(4096)));
static u_char  buf[NGX_DUPLEX_RECORD_MAX];


static ngx_duplex_record_t
record(const char *key, const u_char *value, size_t len)
{
    ngx_duplex_record_t  rec;

    ngx_memzero(&rec, sizeof(rec));

    rec.kind = KIND;
    ngx_str_set(&rec.zone, "http:app");
    rec.key.data = (u_char *) key;
    rec.key.len = strlen(key);
    rec.value.data = (u_char *) value;
    rec.value.len = len;

    return rec;
}


static ngx_int_t
put(ngx_duplex_table_t *table, const char *key, const char *value,
    uint64_t expire)
{
    ngx_duplex_record_t  rec;

    rec = record(key, (u_char *) value, strlen(value));
    rec.expire = expire;

    return ngx_duplex_table_put(table, &rec, NULL, 1);
}


/* the value of "key", or "(none)" */

static char *
get(ngx_duplex_table_t *table, const char *key, uint64_t now)
{
    ngx_duplex_record_t  rec;

    rec = record(key, NULL, 0);

    if (ngx_duplex_table_get(table, &rec, buf, sizeof(buf), now) != NGX_OK) {
        return "(none)";
    }

    buf[rec.zone.len + rec.key.len + rec.value.len] = '\0';

    return rec.deleted ? "(deleted)" : (char *) rec.value.data;
}


static void
is_text(const char *got, const char *expected, const char *name)
{
    if (!ok(strcmp(got, expected) == 0, "%s", name)) {
        diag("got \"%s\", expected \"%s\"", got, expected);
    }
}


static ngx_int_t
later(const ngx_duplex_record_t *old, const ngx_duplex_record_t *next)
{
    return next->time > old->time;
}


static void
basics(void)
{
    uint64_t             position;
    ngx_duplex_table_t  *table;
    ngx_duplex_record_t  rec;

    table = ngx_duplex_table_create(memory, sizeof(memory), 0, 7,
                                    ngx_cycle->log);
    ok(table != NULL, "created");
    ok(ngx_duplex_table_open(memory) == table, "opened");
    ok(ngx_duplex_table_create(memory, 200, 0, 7, ngx_cycle->log) == NULL,
       "too small is refused");

    table = ngx_duplex_table_create(memory, sizeof(memory), 0, 7,
                                    ngx_cycle->log);

    is_text(get(table, "a", 1), "(none)", "nothing there");
    ok(put(table, "a", "one", 0) == NGX_OK, "put");
    is_text(get(table, "a", 1), "one", "got");
    ok(put(table, "a", "two", 0) == NGX_OK, "put again");
    is_text(get(table, "a", 1), "two", "got the new version");

    rec = record("a", (u_char *) "three", 5);
    ok(ngx_duplex_table_put(table, &rec, later, 1) == NGX_DECLINED,
       "a version that does not win is declined");
    rec.time = 9;
    ok(ngx_duplex_table_put(table, &rec, later, 1) == NGX_OK, "a winner wins");

    rec = record("a", NULL, 0);
    rec.deleted = 1;
    ok(ngx_duplex_table_put(table, &rec, NULL, 1) == NGX_OK, "deleted");
    is_text(get(table, "a", 1), "(deleted)", "the tombstone is found");

    ok(put(table, "b", "short-lived", 100) == NGX_OK, "put with a lifetime");
    is_text(get(table, "b", 99), "short-lived", "alive before its time");
    is_text(get(table, "b", 100), "(none)", "expired at its time");

    position = 0;
    ok(ngx_duplex_table_next(table, &position, &rec, buf, 1) == NGX_OK
       && position == 4 && rec.deleted,
       "a record changed four times is in the log once");
    ok(ngx_duplex_table_next(table, &position, &rec, buf, 1) == NGX_OK
       && position == 5 && rec.key.data[0] == 'b', "then the next one");
    ok(ngx_duplex_table_next(table, &position, &rec, buf, 1) == NGX_DONE,
       "then the end");
    position = 6;
    ok(ngx_duplex_table_next(table, &position, &rec, buf, 1) == NGX_DECLINED,
       "a position beyond the head is not ours");

    rec = record("long", buf, 0);
    rec.value.len = NGX_DUPLEX_VALUE_MAX + 1;
    ok(ngx_duplex_table_put(table, &rec, NULL, 1) == NGX_ERROR,
       "a value too long is refused");
}


/* random operations against the simplest thing that could be right */

static void
model(ngx_uint_t flags)
{
    char                     key[32];
    static char              value[KEYS][1200];
    static u_char            present[KEYS];
    uint32_t                 cursor;
    uint64_t                 position;
    ngx_int_t                rc;
    ngx_uint_t               i, k, n, wrong, found;
    ngx_duplex_table_t      *table;
    ngx_duplex_record_t      rec;
    ngx_duplex_table_stat_t  stat;

    table = ngx_duplex_table_create(memory, sizeof(memory), flags, 11,
                                    ngx_cycle->log);
    ngx_memzero(present, sizeof(present));
    wrong = 0;
    srandom(1);

    for (i = 0; i < ROUNDS; i++) {
        k = random() % KEYS;
        snprintf(key, sizeof(key), "key-%d", (int) k);

        if (random() % 4 == 0) {
            wrong += (present[k] || !(flags & NGX_DUPLEX_TABLE_EVICTS))
                     && strcmp(get(table, key, 1),
                               present[k] ? value[k] : "(none)")
                     && strcmp(get(table, key, 1), "(none)");
            continue;
        }

        n = random() % 1000;
        memset(value[k], 'a' + i % 26, n);
        value[k][n] = '\0';

        rc = put(table, key, value[k], 0);
        wrong += (rc != NGX_OK);
        present[k] = 1;

        wrong += strcmp(get(table, key, 1), value[k]) != 0;
    }

    ok(wrong == 0, "model: every answer was right");

    position = 0;
    found = 0;

    while ((rc = ngx_duplex_table_next(table, &position, &rec, buf, 1))
           == NGX_DECLINED)
    {
        position = ngx_duplex_table_head(table) - 1000;
    }

    for ( /* void */ ; rc == NGX_OK; found++) {
        rc = ngx_duplex_table_next(table, &position, &rec, buf, 1);
    }

    ok(rc == NGX_DONE && found > 0, "model: the log was walked to its end");

    cursor = 0;

    for (found = 0;
         ngx_duplex_table_scan(table, &cursor, &rec, buf, 1) == NGX_OK;
         found++)
    {
        /* void */
    }

    ngx_duplex_table_stat(table, &stat);
    ok(found == stat.records, "model: scan met every record once");
}


static void
full(void)
{
    char                     key[32];
    ngx_int_t                rc;
    ngx_uint_t               i;
    ngx_duplex_table_t      *table;
    ngx_duplex_record_t      rec;
    ngx_duplex_table_stat_t  stat;

    table = ngx_duplex_table_create(memory, sizeof(memory), 0, 7,
                                    ngx_cycle->log);

    for (i = 0, rc = NGX_OK; rc == NGX_OK && i < 10000; i++) {
        snprintf(key, sizeof(key), "%d", (int) i);
        rc = put(table, key, "v", 0);
    }

    ok(rc == NGX_ERROR, "full: a record is refused");

    ngx_duplex_table_stat(table, &stat);
    ok(stat.refused == 1 && stat.free >= stat.capacity / 16,
       "full: counted, and the reserve is kept");

    ok(put(table, "0", "w", 0) == NGX_OK, "full: a present one may change");

    rec = record("1", NULL, 0);
    rec.deleted = 1;
    rec.expire = 50;
    ok(ngx_duplex_table_put(table, &rec, NULL, 1) == NGX_OK,
       "full: a deletion is taken");

    table = ngx_duplex_table_create(memory, sizeof(memory),
                                    NGX_DUPLEX_TABLE_EVICTS, 7, ngx_cycle->log);

    for (i = 0, rc = NGX_OK; rc == NGX_OK && i < 10000; i++) {
        snprintf(key, sizeof(key), "%d", (int) i);
        rc = put(table, key, "v", 0);
        (void) get(table, "0", 1);
    }

    ok(rc == NGX_OK, "full: an evicting table takes all");
    is_text(get(table, "0", 1), "v", "full: what is in use stays");
    is_text(get(table, "9999", 1), "v", "full: the newest is there");

    ngx_duplex_table_stat(table, &stat);
    ok(stat.evicted + stat.records == 10000, "full: evictions are counted");

    /* the coldest go first, whatever the sweep for expired ones looks at */

    table = ngx_duplex_table_create(memory, sizeof(memory),
                                    NGX_DUPLEX_TABLE_EVICTS, 7,
                                    ngx_cycle->log);
    ngx_duplex_table_stat(table, &stat);

    for (i = 0; i < stat.capacity + 100; i++) {
        snprintf(key, sizeof(key), "%d", (int) i);
        (void) put(table, key, "v", 0);
    }

    for (i = 0, rc = 0; i < stat.capacity + 100; i++) {
        snprintf(key, sizeof(key), "%d", (int) i);
        rc += (strcmp(get(table, key, 1), i < 100 ? "(none)" : "v") != 0);
    }

    ok(rc == 0, "full: the oldest unused records go, and no others");
}


static void
resized(void)
{
    char                     key[32];
    uint64_t                 position;
    ngx_int_t                rc;
    ngx_uint_t               i, found;
    ngx_duplex_table_t      *small, *large;
    ngx_duplex_record_t      rec;
    ngx_duplex_table_stat_t  stat;

    small = ngx_duplex_table_create(memory, sizeof(memory),
                                    NGX_DUPLEX_TABLE_EVICTS, 7, ngx_cycle->log);
    large = ngx_duplex_table_create(other, sizeof(other),
                                    NGX_DUPLEX_TABLE_EVICTS, 8, ngx_cycle->log);

    for (i = 0; i < 1000; i++) {
        snprintf(key, sizeof(key), "%d", (int) i);
        (void) put(small, key, key, 0);
    }

    for (i = 0; i < 8000; i++) {
        (void) put(small, "0", "often", 0);
    }

    ok(ngx_duplex_table_copy(large, small) == NGX_OK, "resized: copied");
    is_text(get(large, "0", 1), "often", "resized: the newest is there");
    is_text(get(large, "999", 1), "999",
            "resized: one that left the ring is there");

    ngx_duplex_table_stat(large, &stat);
    ok(stat.records == 1000 && stat.head == 9000
       && ngx_duplex_table_incarnation(large) == 8,
       "resized: records and positions went along, the incarnation is new");

    position = 8999;
    found = 0;

    while ((rc = ngx_duplex_table_next(large, &position, &rec, buf, 1))
           == NGX_OK)
    {
        found++;
    }

    ok(rc == NGX_DONE && found == 1, "resized: the log goes on");

    /* back into less room */

    for (i = 0; i < 3000; i++) {
        snprintf(key, sizeof(key), "n%d", (int) i);
        (void) put(large, key, key, 0);
    }

    small = ngx_duplex_table_create(memory, sizeof(memory),
                                    NGX_DUPLEX_TABLE_EVICTS, 9, ngx_cycle->log);
    ok(ngx_duplex_table_copy(small, large) == NGX_OK,
       "resized: an evicting table takes what fits");
    is_text(get(small, "n2999", 1), "n2999", "resized: the newest first");
    is_text(get(small, "999", 1), "(none)", "resized: the oldest not");

    position = ngx_duplex_table_head(small) - 1;
    ok(ngx_duplex_table_next(small, &position, &rec, buf, 1) == NGX_OK,
       "resized: older records do not hide the newest in the ring");

    small = ngx_duplex_table_create(memory, sizeof(memory), 0, 9,
                                    ngx_cycle->log);
    ok(ngx_duplex_table_copy(small, large) == NGX_DECLINED,
       "resized: without eviction too little room is told");
}


int
main(void)
{
    basics();
    model(0);
    model(NGX_DUPLEX_TABLE_EVICTS);
    full();
    resized();

    return done_testing();
}
