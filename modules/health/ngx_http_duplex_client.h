
/*
 * The client of a probe, which does not exist: a connection without a
 * socket, and the end of the way for what is sent to it.
 */


#ifndef _NGX_HTTP_DUPLEX_CLIENT_H_INCLUDED_
#define _NGX_HTTP_DUPLEX_CLIENT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


#define NGX_HTTP_DUPLEX_CLIENT_BODY  (256 * 1024)   /* no more is read */


/* what it was sent; a probe's context of this module begins with it */
typedef struct {
    off_t        body;          /* bytes */

    ngx_pool_t  *pool;
    size_t       wanted;        /* bytes of the body to be kept; 0: none */
    u_char      *data;          /* the first of them */
    size_t       len;
    size_t       size;

    unsigned     cut:1;         /* more than it reads: it hung up */
} ngx_http_duplex_client_t;


/*
 * With a pool of its own; what else a request needs is the caller's to set.
 * NULL: no memory, or no worker_connections left (logged by nginx).
 */
ngx_connection_t *ngx_http_duplex_client_open(void);

/* before there is a request; with one, the end of the request closes it */
void ngx_http_duplex_client_close(ngx_connection_t *c);

/* in each worker that may probe: keeps answers to probes out of filters */
void ngx_http_duplex_client_install(void);


#endif /* _NGX_HTTP_DUPLEX_CLIENT_H_INCLUDED_ */
