/*
 * The frame of every unit test: the checks of unit.h, and the constructor
 * that runs the test inside the nginx binary, before nginx's own main().
 */


#include "unit.h"
#include <stdarg.h>
#include <stdio.h>


static void unit_run(int argc, char **argv) __attribute__((constructor));
static ngx_uint_t unit_verdict(ngx_uint_t passed, const char *name,
    va_list args);
static void unit_write_log(ngx_log_t *log, ngx_uint_t level, u_char *buf,
    size_t len);


/* t/unit/run renames the test's main(): there is nginx's own, too */

int ngx_duplex_unit_main(int argc, char **argv);


static ngx_uint_t   unit_count;
static ngx_uint_t   unit_failed;

static ngx_log_t    unit_log;
static ngx_cycle_t  unit_cycle;


ngx_uint_t
ok(ngx_uint_t passed, const char *name, ...)
{
    va_list  args;

    va_start(args, name);
    unit_verdict(passed, name, args);
    va_end(args);

    return passed;
}


ngx_uint_t
is_int(int64_t got, int64_t expected, const char *name, ...)
{
    va_list  args;

    va_start(args, name);
    unit_verdict(got == expected, name, args);
    va_end(args);

    if (got != expected) {
        diag("     got: %lld", (long long) got);
        diag("expected: %lld", (long long) expected);
    }

    return got == expected;
}


ngx_uint_t
is_str(ngx_str_t *got, const char *expected, const char *name, ...)
{
    va_list     args;
    ngx_uint_t  same;

    same = got->len == ngx_strlen(expected)
           && ngx_memcmp(got->data, expected, got->len) == 0;

    va_start(args, name);
    unit_verdict(same, name, args);
    va_end(args);

    if (!same) {
        diag("     got: \"%.*s\"", (int) got->len, (char *) got->data);
        diag("expected: \"%s\"", expected);
    }

    return same;
}


void
diag(const char *format, ...)
{
    va_list  args;

    printf("# ");

    va_start(args, format);
    vprintf(format, args);
    va_end(args);

    printf("\n");
}


int
done_testing(void)
{
    printf("1..%lu\n", (unsigned long) unit_count);

    return unit_failed ? 1 : 0;
}


static ngx_uint_t
unit_verdict(ngx_uint_t passed, const char *name, va_list args)
{
    unit_count++;

    if (!passed) {
        unit_failed++;
    }

    printf("%sok %lu - ", passed ? "" : "not ", (unsigned long) unit_count);
    vprintf(name, args);
    printf("\n");

    return passed;
}


/* the reader of a failure sees what was logged before it (prove -v: all) */

static void
unit_write_log(ngx_log_t *log, ngx_uint_t level, u_char *buf, size_t len)
{
    diag("%.*s", (int) len, (char *) buf);
}


/* what nginx's main() would have prepared, as far as a pure file needs it */

static void
unit_run(int argc, char **argv)
{
    unsetenv("LD_PRELOAD");
    setvbuf(stdout, NULL, _IOLBF, 0);

    ngx_pid = getpid();
    ngx_time_init();
    ngx_time_update();

    ngx_pagesize = getpagesize();
    ngx_cacheline_size = NGX_CPU_CACHE_LINE;
    ngx_ncpu = 1;

    for (ngx_pagesize_shift = 0;
         (ngx_pagesize >> ngx_pagesize_shift) > 1;
         ngx_pagesize_shift++)
    {
        /* void */
    }

    ngx_use_stderr = 0;
    unit_log.writer = unit_write_log;
    unit_log.log_level = NGX_LOG_NOTICE;

    unit_cycle.log = &unit_log;
    ngx_cycle = &unit_cycle;

    (void) ngx_crc32_table_init();
    ngx_slab_sizes_init();

    exit(ngx_duplex_unit_main(argc, argv));
}
