
/*
 * What differs between the supported nginx versions, and what a build must
 * have in common with the nginx that loads it.
 *
 * Features test the names defined here, never a version number.
 */


#ifndef _NGX_DUPLEX_COMPAT_H_INCLUDED_
#define _NGX_DUPLEX_COMPAT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#if (nginx_version < 1022000)
#error nginx-duplex needs nginx 1.22.0 or later
#endif

/* clocks and the lease are 64 bits wide and are changed atomically */

#if (NGX_PTR_SIZE < 8)
#error nginx-duplex needs a 64-bit platform
#endif

#if !(NGX_COMPAT)
#error nginx-duplex must be built --with-compat, as the target nginx is
#endif

/*
 * The module signature does not cover these: a module built without
 * NGX_HTTP_SSL loads into an nginx that has it and crashes a worker with the
 * first https upstream.
 */

#if !(NGX_HTTP_SSL)
#error nginx-duplex must be built --with-http_ssl_module, as the target is
#endif

#if !(NGX_HTTP_UPSTREAM_ZONE)
#error nginx-duplex needs an nginx with upstream zones
#endif

/* tools/build passes what `nginx -V` of the target says: 0 or 1 each */

#ifdef NGX_DUPLEX_TARGET_STREAM_SSL
#if (NGX_STREAM_SSL && !NGX_DUPLEX_TARGET_STREAM_SSL)                         \
    || (!NGX_STREAM_SSL && NGX_DUPLEX_TARGET_STREAM_SSL)
#error --with-stream_ssl_module differs from the target nginx
#endif
#endif

#ifdef NGX_DUPLEX_TARGET_THREADS
#if (NGX_THREADS && !NGX_DUPLEX_TARGET_THREADS)                               \
    || (!NGX_THREADS && NGX_DUPLEX_TARGET_THREADS)
#error --with-threads differs from the target nginx
#endif
#endif


/* "keepalive" wraps peer.init by itself, whatever the directive order */
#if (nginx_version >= 1029007)
#define NGX_DUPLEX_HAVE_ORDERED_KEEPALIVE  1
#endif

/* header lines of one name are a list, r->headers_in.cookie among them */
#if (nginx_version >= 1023000)
#define NGX_DUPLEX_HAVE_LINKED_HEADERS     1
#endif

/* pairs of a Cookie header are separated by ";" only, not by "," */
#if (nginx_version >= 1027000)
#define NGX_DUPLEX_HAVE_STRICT_COOKIES     1
#endif

/* stock knows "route=" and "drain" of "server", and "sticky" */
#if (NGX_HTTP_UPSTREAM_SID)
#define NGX_DUPLEX_HAVE_STOCK_ROUTE        1
#endif

/* servers of stream are chosen by name, too; ssl has a conf of servers */
#if (nginx_version >= 1025005)
#define NGX_DUPLEX_HAVE_STREAM_SERVER_NAMES  1
#endif

/* headers of one name are a list of their own */
#if (nginx_version >= 1023000)
#define NGX_DUPLEX_HAVE_HEADER_LISTS       1
#endif

/* stock peers are counted (refs) and may be removed under a request */
#if (nginx_version >= 1027003)
#define NGX_DUPLEX_HAVE_PEER_REFS          1
#endif


/*
 * Each feature object refers to this symbol, so that the loader's message
 * says what to do when the core object is missing or loaded later.
 */

extern const char  ngx_duplex_core_module_must_be_loaded_first[];

/*
 * One line "NGX_DUPLEX_NEEDS_CORE;" in the file that has the feature's
 * ngx_module_t makes the reference.  The loader stops at the first symbol it
 * cannot find, and it goes by the address of what is to be filled in: hence
 * the section, which the linker puts before all others that name a symbol
 * of another object.
 */

#define NGX_DUPLEX_NEEDS_CORE                                                 \
    static const char *const  ngx_duplex_needs_core                           \
        __attribute__((used, section(".data.rel.ro.local.ngx_duplex")))       \
        = ngx_duplex_core_module_must_be_loaded_first


#endif /* _NGX_DUPLEX_COMPAT_H_INCLUDED_ */
