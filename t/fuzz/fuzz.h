
/*
 * What a fuzzer is made of: fuzz_init(), called once, and fuzz_one(), called
 * with each input, an exact copy of its size, and a pool that is destroyed
 * afterwards.  must() ends the process if it does not hold.
 *
 * As unit tests, a fuzzer runs inside the nginx binary (t/fuzz/run), so that
 * pools and strings are the real ones; libFuzzer makes the inputs.
 */


#ifndef _NGX_DUPLEX_FUZZ_H_INCLUDED_
#define _NGX_DUPLEX_FUZZ_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define must(condition)                                                       \
    do {                                                                      \
        if (!(condition)) {                                                   \
            fuzz_fail(#condition, __FILE__, __LINE__);                        \
        }                                                                     \
    } while (0)


void fuzz_init(void);
void fuzz_one(u_char *data, size_t len, ngx_pool_t *pool);

void fuzz_fail(const char *condition, const char *file, int line);


#endif /* _NGX_DUPLEX_FUZZ_H_INCLUDED_ */
