
/*
 * Who may come in, and how often the log speaks of those who may not.
 */


#ifndef _NGX_DUPLEX_ADMISSION_H_INCLUDED_
#define _NGX_DUPLEX_ADMISSION_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>


/*
 * By the addresses of an accepted connection, before a byte is read: over
 * loopback or a unix socket, with a secret that has still to be proved, or
 * with a verified certificate, the server's own rules decide; else only
 * listed nodes come in.
 */
ngx_uint_t ngx_duplex_admission_allows(ngx_connection_t *c);

/* a loopback address or a unix socket */
ngx_uint_t ngx_duplex_admission_is_near(struct sockaddr *sa);

/* at most one line per address and 10 seconds, over all workers */
void ngx_duplex_admission_complain(ngx_connection_t *c, const char *what,
    const char *why);

/* for another line of that sort: true as often as the above would log */
ngx_uint_t ngx_duplex_admission_may_log(ngx_connection_t *c);


#endif /* _NGX_DUPLEX_ADMISSION_H_INCLUDED_ */
