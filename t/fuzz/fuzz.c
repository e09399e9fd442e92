
/*
 * The frame of every fuzzer: libFuzzer's own main() in place of nginx's.  Its
 * arguments are the words of the environment's FUZZ_ARGS.
 */


#include "fuzz.h"
#include <stdio.h>


#define FUZZ_ARGS_MAX  16


int LLVMFuzzerRunDriver(int *argc, char ***argv,
    int (*one)(const uint8_t *data, size_t len));

static void fuzz_run(void) __attribute__((constructor));
static int fuzz_input(const uint8_t *data, size_t len);


static ngx_log_t    fuzz_log;
static ngx_cycle_t  fuzz_cycle;


static void
fuzz_run(void)
{
    int    argc;
    char  *argv[FUZZ_ARGS_MAX + 1], **args, *word;

    unsetenv("LD_PRELOAD");

    ngx_pid = getpid();
    ngx_time_init();

    ngx_pagesize = getpagesize();
    ngx_cacheline_size = NGX_CPU_CACHE_LINE;

    for (ngx_pagesize_shift = 0;
         (ngx_pagesize >> ngx_pagesize_shift) > 1;
         ngx_pagesize_shift++)
    {
        /* void */
    }

    fuzz_cycle.log = &fuzz_log;
    ngx_cycle = &fuzz_cycle;

    argv[0] = "fuzz";
    argc = 1;

    for (word = strtok(getenv("FUZZ_ARGS"), " ");
         word && argc < FUZZ_ARGS_MAX;
         word = strtok(NULL, " "))
    {
        argv[argc++] = word;
    }

    argv[argc] = NULL;
    args = argv;

    fuzz_init();

    exit(LLVMFuzzerRunDriver(&argc, &args, fuzz_input));
}


static int
fuzz_input(const uint8_t *data, size_t len)
{
    u_char      *copy;
    ngx_pool_t  *pool;

    pool = ngx_create_pool(1024, &fuzz_log);
    copy = malloc(len ? len : 1);

    must(pool != NULL && copy != NULL);

    ngx_memcpy(copy, data, len);

    fuzz_one(copy, len, pool);

    free(copy);
    ngx_destroy_pool(pool);

    return 0;
}


void
fuzz_fail(const char *condition, const char *file, int line)
{
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
    abort();
}
