
/*
 * links: modules/core/ngx_duplex_table.c modules/core/ngx_duplex_lock.c
 * links: modules/core/ngx_duplex_table_memory.c
 *
 * A process dies inside a table's section, after each single machine
 * instruction: the next one finds every record whole, either version of the
 * one being written, and no memory lost.
 *
 * A child is stepped through one operation.  After each step its memory is
 * copied and the copy is what it would leave if it died there: the kernel
 * then marks the mutex (get_robust_list(2)), and so does the test.  Some
 * children are really killed, to hold the test itself against the kernel.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <linux/futex.h>
#include "../../modules/core/ngx_duplex_table_memory.h"
#include "unit.h"


#define KIND     0x74657374
#define SIZE     4096
#define PRESENT  4              /* records before the operation */
#define KILLS    5              /* real ones, for each operation */


typedef ngx_int_t (*operation_pt)(ngx_duplex_table_t *table);


static ngx_duplex_table_t  *table;
static u_char               buf[NGX_DUPLEX_RECORD_MAX];
static char                 text_old[300], text_new[300];


static ngx_duplex_record_t
record(char key, char *value)
{
    static char          keys[256];
    ngx_duplex_record_t  rec;

    ngx_memzero(&rec, sizeof(rec));

    keys[(u_char) key] = key;

    rec.kind = KIND;
    rec.key.data = (u_char *) &keys[(u_char) key];
    rec.key.len = 1;
    rec.value.data = (u_char *) value;
    rec.value.len = value ? strlen(value) : 0;

    return rec;
}


static ngx_int_t
put_new(ngx_duplex_table_t *t)
{
    ngx_duplex_record_t  rec;

    rec = record('n', text_new);

    return ngx_duplex_table_put(t, &rec, NULL, 1);
}


static ngx_int_t
put_again(ngx_duplex_table_t *t)
{
    ngx_duplex_record_t  rec;

    rec = record('a', text_new);

    return ngx_duplex_table_put(t, &rec, NULL, 1);
}


static ngx_int_t
delete(ngx_duplex_table_t *t)
{
    ngx_duplex_record_t  rec;

    rec = record('b', NULL);
    rec.deleted = 1;

    return ngx_duplex_table_put(t, &rec, NULL, 1);
}


static void
fill(u_char *memory, ngx_uint_t flags)
{
    ngx_uint_t           i;
    ngx_duplex_record_t  rec;

    table = ngx_duplex_table_create(memory, SIZE, flags, 1, ngx_cycle->log);

    for (i = 0; i < PRESENT; i++) {
        rec = record('a' + i, text_old);
        (void) ngx_duplex_table_put(table, &rec, NULL, 1);
    }
}


static pid_t
start(operation_pt operation)
{
    int    status;
    pid_t  pid;

    pid = fork();

    if (pid == 0) {
        (void) ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        raise(SIGSTOP);
        _exit(operation(table) == NGX_OK ? 0 : 1);
    }

    (void) waitpid(pid, &status, 0);

    return pid;
}


/* 0 if the operation ended */

static ngx_uint_t
step(pid_t pid)
{
    int  status;

    (void) ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL);
    (void) waitpid(pid, &status, 0);

    return !WIFEXITED(status);
}


/* 0 if all is well */

static ngx_uint_t
check(ngx_uint_t evicts)
{
    uint32_t                 cursor;
    uint64_t                 used;
    ngx_uint_t               wrong, seen;
    ngx_duplex_record_t      rec;
    ngx_duplex_table_stat_t  stat;

    wrong = 0;
    used = 0;
    seen = 0;
    cursor = 0;

    while (ngx_duplex_table_scan(table, &cursor, &rec, buf, 1) == NGX_OK) {

        seen++;
        used += (rec.value.len > 51) ? 1 + (rec.value.len - 51 + 111) / 112 : 1;

        if (rec.deleted) {
            wrong += (rec.key.data[0] != 'b');
            continue;
        }

        wrong += (rec.value.len != 299);
        wrong += ngx_memcmp(rec.value.data, text_old, rec.value.len) != 0
                 && ngx_memcmp(rec.value.data, text_new, rec.value.len) != 0;
    }

    ngx_duplex_table_stat(table, &stat);

    wrong += (seen != stat.records + stat.tombstones);
    wrong += (stat.capacity - stat.free != used);
    wrong += (!evicts && seen < PRESENT);

    /* and it goes on: the same once more, whole */

    rec = record('z', text_new);
    wrong += ngx_duplex_table_put(table, &rec, NULL, 1) != NGX_OK;
    wrong += ngx_duplex_table_get(table, &rec, buf, sizeof(buf), 1) != NGX_OK;

    return wrong;
}


static void
killed(u_char *memory, operation_pt operation, ngx_uint_t flags,
    const char *what)
{
    char                 claim[128];
    pid_t                pid;
    ngx_uint_t           i, n, steps, wrong, repairs;
    ngx_duplex_table_t  *stepped;

    wrong = 0;
    repairs = 0;

    fill(memory, flags);
    stepped = table;

    pid = start(operation);

    for (steps = 0; step(pid); steps++) {

        table = (ngx_duplex_table_t *) (memory + SIZE);
        ngx_memcpy(table, stepped, SIZE);

        if (table->lock.mutex.__data.__lock) {
            table->lock.mutex.__data.__lock = FUTEX_OWNER_DIED;
        }

        wrong += check(flags & NGX_DUPLEX_TABLE_EVICTS);
        repairs += table->recovered;
    }

    snprintf(claim, sizeof(claim),
             "%s: died after each of %d instructions, repaired %d times",
             what, (int) steps, (int) repairs);

    ok(wrong == 0 && repairs > 500, "%s", claim);

    for (i = 1, repairs = 0; i <= KILLS; i++) {

        fill(memory, flags);

        pid = start(operation);

        for (n = 0; n < steps * i / (KILLS + 1); n++) {
            (void) step(pid);
        }

        (void) kill(pid, SIGKILL);
        (void) waitpid(pid, NULL, 0);

        wrong += check(flags & NGX_DUPLEX_TABLE_EVICTS);
        repairs += table->recovered;
    }

    snprintf(claim, sizeof(claim), "%s: killed %d times, repaired %d times",
             what, KILLS, (int) repairs);

    ok(wrong == 0 && repairs > 0, "%s", claim);
}


int
main(void)
{
    u_char  *memory;

    memset(text_old, 'o', sizeof(text_old) - 1);
    memset(text_new, 'n', sizeof(text_new) - 1);

    memory = mmap(NULL, 2 * SIZE, PROT_READ|PROT_WRITE,
                  MAP_SHARED|MAP_ANONYMOUS, -1, 0);

    killed(memory, put_new, 0, "a new record");
    killed(memory, put_again, 0, "a new version");
    killed(memory, delete, 0, "a deletion");
    killed(memory, put_new, NGX_DUPLEX_TABLE_EVICTS, "an eviction");

    return done_testing();
}
