
/*
 * links: modules/core/ngx_duplex_dense.c modules/core/ngx_duplex_lock.c
 * links: modules/core/ngx_duplex_dense_memory.c modules/core/ngx_duplex_clock.c
 * links: modules/core/ngx_duplex_dense_read.c
 *
 * Processes die in a dense table.
 *
 * First after single machine instructions of one operation: the child is
 * stepped through it, and after each step a copy of its memory is what it
 * would leave if it died there; the kernel would then mark the locks it
 * holds (get_robust_list(2)), and so does the test.
 *
 * Then four processes write and read one table while they are killed at
 * random, and an oracle in other shared memory knows what has been begun and
 * what has been done.  DENSE_SECONDS in the environment: how long, 2.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <linux/futex.h>
#include "../../modules/core/ngx_duplex_bytes.h"
#include "../../modules/core/ngx_duplex_clock.h"
#include "../../modules/core/ngx_duplex_dense_memory.h"
#include "unit.h"


#define SIZE     28672
#define LARGE    (1024 * 1024)
#define PRESENT  20
#define FOREVER  (1ULL << 40)

#define WRITERS  4
#define KEYS     8000               /* each has WRITERS'th of them */


#define source   ngx_duplex_dense_source


/* what one key's writer has begun, and what it has done, last */
typedef struct {
    uint64_t     begun;
    uint64_t     done;
} oracle_t;


typedef struct {
    oracle_t     keys[KEYS];
    uint64_t     wrong;
    uint64_t     lost;
    uint64_t     reads;
    uint64_t     writes;
} shared_t;


static ngx_duplex_table_t  *table;
static shared_t            *shared;


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


/* the value can be told from key and time, or it is of another write */

static ngx_int_t
put(uint64_t n, uint64_t time, uint64_t expire)
{
    u_char               bytes[8];
    ngx_duplex_record_t  rec;

    ngx_memzero(&rec, sizeof(rec));

    (void) ngx_duplex_bytes_put(bytes, 1 + mix(n + time) % 40, 8);

    rec.kind = 1;
    rec.key.data = key(n);
    rec.key.len = 16;
    rec.value.data = bytes;
    rec.value.len = 8;
    rec.time = time;
    rec.node = 1 + time % 5;
    rec.expire = expire;

    return source.put(table, &rec, NULL, 1000);
}


/* the time of what is there; 0: nothing, 1: what was never written */

static uint64_t
look(uint64_t n)
{
    ngx_duplex_dense_record_t  record;

    if (ngx_duplex_dense_find(table, key(n), &record, 1000) != NGX_OK) {
        return 0;
    }

    return (record.value == 1 + mix(n + record.time) % 40
            && record.node == 1 + record.time % 5)
           ? record.time : 1;
}


static void
create(u_char *memory, size_t size)
{
    table = source.create(memory, size, NGX_DUPLEX_TABLE_EVICTS, 1,
                          ngx_cycle->log);
}


static void
fill(u_char *memory)
{
    ngx_uint_t  i;

    create(memory, SIZE);

    for (i = 0; i < PRESENT; i++) {
        (void) put(i, 100, FOREVER);
    }
}


static ngx_int_t
put_new(void)
{
    return put(PRESENT, 200, FOREVER);
}


static ngx_int_t
put_again(void)
{
    return put(7, 200, FOREVER);
}


static ngx_int_t
collect(void)
{
    ngx_duplex_dense_collect(ngx_duplex_dense(table), 1);
    return NGX_OK;
}


static void
mark_dead(ngx_duplex_lock_t *lock)
{
    if (lock->mutex.__data.__lock) {
        lock->mutex.__data.__lock = FUTEX_OWNER_DIED;
    }
}


/* all is there but what "changed" was, and it goes on */

static ngx_uint_t
check(ngx_uint_t changed, ngx_uint_t *lost)
{
    u_char               buf[64];
    uint64_t             position, seen;
    ngx_uint_t           i, wrong, logged;
    ngx_duplex_record_t  rec;

    wrong = 0;
    logged = 0;

    /* a read of every key, then a write, find the dead one */

    for (i = 0; i < PRESENT; i++) {
        seen = look(i);
        wrong += (seen != 100 && i != changed);
        wrong += (seen != 100 && seen != 200 && seen != 0);
    }

    wrong += put(1000, 300, FOREVER) != NGX_OK || look(1000) != 300;

    seen = look(changed);
    *lost += (seen == 0 && changed < PRESENT);

    /* what is there is in the log, too */

    position = 0;

    while (source.next(table, &position, &rec, buf, 1000) == NGX_OK) {
        logged += (rec.time == seen
                   && ngx_memcmp(rec.key.data, key(changed), 16) == 0);
    }

    return wrong + (seen && !logged);
}


static void
stepped(u_char *memory, ngx_int_t (*operation)(void), ngx_uint_t changed,
    ngx_uint_t every, const char *what)
{
    int                   status;
    pid_t                 pid;
    uint64_t              repairs;
    ngx_uint_t            i, steps, checks, wrong, lost;
    ngx_duplex_table_t   *original;
    ngx_duplex_dense_t   *dense;

    fill(memory);
    original = table;

    pid = fork();

    if (pid == 0) {
        (void) ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        raise(SIGSTOP);
        _exit(operation() == NGX_OK ? 0 : 1);
    }

    (void) waitpid(pid, &status, 0);

    wrong = 0;
    lost = 0;
    checks = 0;
    repairs = 0;

    for (steps = 0; /* void */ ; steps++) {

        (void) ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL);
        (void) waitpid(pid, &status, 0);

        if (WIFEXITED(status)) {
            break;
        }

        if (steps % every) {
            continue;
        }

        checks++;
        table = (ngx_duplex_table_t *) (memory + SIZE);
        ngx_memcpy(table, original, SIZE);

        dense = ngx_duplex_dense(table);

        for (i = 0; i < dense->nstripes; i++) {
            mark_dead(&ngx_duplex_dense_stripes(dense)[i].lock);
        }

        mark_dead(&dense->log_lock);
        mark_dead(&dense->words_lock);

        wrong += check(changed, &lost);
        repairs += dense->recovered;
    }

    ok(WEXITSTATUS(status) == 0 && wrong == 0 && repairs > 100,
       "%s: died after %d of %d instructions, repaired %d times, it was gone "
       "%d times", what, (int) checks, (int) steps, (int) repairs, (int) lost);
}


/* a writer's turn: its own keys are written, all are read */

static void
work(ngx_uint_t self)
{
    uint64_t    n, i, done, seen, begun;
    ngx_uint_t  mine;

    for (i = ngx_pid; /* void */ ; i++) {

        n = mix(i) % KEYS;
        mine = (n % WRITERS == self);

        done = __atomic_load_n(&shared->keys[n].done, __ATOMIC_ACQUIRE);

        if (mine && i % 3 == 0) {
            seen = shared->keys[n].begun + 2;

            __atomic_store_n(&shared->keys[n].begun, seen, __ATOMIC_RELEASE);
            (void) put(n, seen, FOREVER);
            __atomic_store_n(&shared->keys[n].done, seen, __ATOMIC_RELEASE);

            (void) __atomic_fetch_add(&shared->writes, 1, __ATOMIC_RELAXED);
            continue;
        }

        seen = look(n);
        begun = __atomic_load_n(&shared->keys[n].begun, __ATOMIC_ACQUIRE);

        (void) __atomic_fetch_add(&shared->reads, 1, __ATOMIC_RELAXED);

        if (seen == 0 && done) {

            /* gone: only if its writer died, which it had begun then */

            (void) __atomic_fetch_add(begun == done ? &shared->wrong
                                                    : &shared->lost,
                                      1, __ATOMIC_RELAXED);

        } else if (seen && (seen < done || seen > begun)) {
            (void) __atomic_fetch_add(&shared->wrong, 1, __ATOMIC_RELAXED);
        }
    }
}


static pid_t
employ(ngx_uint_t self)
{
    pid_t  pid;

    pid = fork();

    if (pid == 0) {
        ngx_pid = mix(getpid());
        work(self);
        _exit(1);
    }

    return pid;
}


static void
killed(u_char *memory)
{
    char                     *seconds;
    pid_t                     pids[WRITERS];
    uint64_t                  end;
    ngx_uint_t                i, kills;
    ngx_duplex_table_stat_t   stat;

    create(memory, LARGE);

    seconds = getenv("DENSE_SECONDS");
    end = ngx_duplex_clock_monotonic() + 1000 * (seconds ? atoi(seconds) : 2);

    for (i = 0; i < WRITERS; i++) {
        pids[i] = employ(i);
    }

    for (kills = 0; ngx_duplex_clock_monotonic() < end; kills++) {

        usleep(1000 + mix(kills) % 4000);

        i = mix(kills + 77) % WRITERS;

        (void) kill(pids[i], SIGKILL);
        (void) waitpid(pids[i], NULL, 0);

        pids[i] = employ(i);
    }

    for (i = 0; i < WRITERS; i++) {
        (void) kill(pids[i], SIGKILL);
        (void) waitpid(pids[i], NULL, 0);
    }

    /* what a dead writer had begun is no matter any more: all can be used */

    for (i = 0; i < KEYS; i++) {
        (void) put(i, 1000000000, FOREVER);
        shared->wrong += look(i) != 1000000000;
    }

    source.stat(table, &stat);

    is_int(shared->wrong, 0, "no answer contradicts the oracle");
    ok(shared->reads > 10000 && shared->writes > 5000,
       "%d writes and %d reads, %d kills, %d repairs", (int) shared->writes,
       (int) shared->reads, (int) kills, (int) stat.recovered);
    ok(shared->lost <= shared->reads / 100, "a record being written was gone "
       "in %d reads", (int) shared->lost);
    is_int(stat.records, KEYS, "no slot is lost, none is there twice");
    is_int(stat.evicted, 0, "and none was evicted");
}


int
main(void)
{
    u_char  *memory;

    memory = mmap(NULL, 2 * SIZE + LARGE + sizeof(shared_t),
                  PROT_READ|PROT_WRITE, MAP_SHARED|MAP_ANONYMOUS, -1, 0);

    shared = (shared_t *) (memory + 2 * SIZE + LARGE);

    stepped(memory, put_new, PRESENT, 1, "a new record");
    stepped(memory, put_again, 7, 1, "a record once more");
    stepped(memory, collect, 0, 101, "words collected");
    killed(memory + 2 * SIZE);

    return done_testing();
}
