
/*
 * The accepting side: one receiver for each accepted link, in the worker
 * that accepted it.
 */


#ifndef _NGX_DUPLEX_RECEIVER_H_INCLUDED_
#define _NGX_DUPLEX_RECEIVER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>


/* closes the connection; c->data is what it was when it was handed over */
typedef void (*ngx_duplex_receiver_done_pt)(ngx_connection_t *c);


/*
 * Takes an accepted connection over until it ends; then "done" is called,
 * which may be before this returns.  "preread" (NULL: none) is what has been
 * read from it already.
 *
 * NGX_DECLINED: this client is not served, nothing was read or changed;
 * NGX_ERROR: no memory.
 */
ngx_int_t ngx_duplex_receiver_accept(ngx_connection_t *c, ngx_buf_t *preread,
    ngx_duplex_receiver_done_pt done);

/* once in a worker, before the first accept */
void ngx_duplex_receivers_start(void);
/* closes all of this worker */
void ngx_duplex_receivers_stop(void);


#endif /* _NGX_DUPLEX_RECEIVER_H_INCLUDED_ */
