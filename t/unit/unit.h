/*
 * What a unit test uses: a few checks that print TAP.
 *
 * A test is one file t/unit/X.c with a main() that ends in
 * "return done_testing();", and a comment that names the sources it needs:
 *
 *     links: modules/core/ngx_duplex_table.c modules/core/ngx_duplex_lock.c
 *
 * t/unit/run makes a shared object of them, with address and undefined
 * behaviour sanitizers, and runs it inside the stock nginx binary in place
 * of nginx's own main().  So pools, arrays, ngx_sprintf() and all else of
 * nginx are the real ones.  There is a log (ngx_cycle->log, into TAP's
 * comments) and the time; there are no processes, no events, no configuration.
 */


#ifndef _NGX_DUPLEX_UNIT_H_INCLUDED_
#define _NGX_DUPLEX_UNIT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* all return the verdict; the name is printf()'s format */

ngx_uint_t ok(ngx_uint_t passed, const char *name, ...)
    __attribute__((format(printf, 2, 3)));
ngx_uint_t is_int(int64_t got, int64_t expected, const char *name, ...)
    __attribute__((format(printf, 3, 4)));
ngx_uint_t is_str(ngx_str_t *got, const char *expected, const char *name, ...)
    __attribute__((format(printf, 3, 4)));

/* a line for the reader of a failure */

void diag(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* prints the plan; what main() returns */

int done_testing(void);


#endif /* _NGX_DUPLEX_UNIT_H_INCLUDED_ */
