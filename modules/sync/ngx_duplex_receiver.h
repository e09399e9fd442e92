
/*
 * The accepting side: one receiver for each accepted link, in the worker
 * that accepted it.
 *
 * The struct is shown to the file that makes a client a node
 * (ngx_duplex_welcome.c).
 */


#ifndef _NGX_DUPLEX_RECEIVER_H_INCLUDED_
#define _NGX_DUPLEX_RECEIVER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "../core/ngx_duplex_journal.h"
#include "ngx_duplex_link.h"
#include "ngx_duplex_sink.h"


/* closes the connection; c->data is what it was when it was handed over */
typedef void (*ngx_duplex_receiver_done_pt)(ngx_connection_t *c);


/* a client between HELLO and AUTH */
typedef struct {
    ngx_duplex_hello_t            hello;
    u_char                        name[NGX_DUPLEX_NODE_NAME_MAX];
    ngx_duplex_secret_key_t      *key;
    ngx_duplex_transcript_t       transcript;
} ngx_duplex_guest_t;


typedef struct {
    ngx_queue_t                   queue;    /* of this worker */
    ngx_duplex_link_t            *link;
    ngx_duplex_receiver_done_pt   done;
    void                         *data;     /* c->data, to be given back */

    ngx_duplex_accepted_t        *node;     /* NULL: greeting */
    ngx_atomic_uint_t             serial;   /* of this link */
    uint64_t                      id;
    uint64_t                      incarnation;
    ngx_duplex_traffic_t          early;    /* before there is a node */
    ngx_duplex_guest_t           *guest;    /* NULL: has not said HELLO */

    ngx_duplex_sink_t            *sinks;    /* NGX_DUPLEX_TABLES_MAX of them */
    ngx_uint_t                    nsinks;
    ngx_duplex_seen_link_t       *seen;     /* of the main table */

    ngx_duplex_journal_wait_t     wait;     /* acknowledgements are held */
} ngx_duplex_receiver_t;


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

/*
 * Notes that the node was heard: the newest link speaks for it, or this one
 * if that has ended.
 */
void ngx_duplex_receiver_heard(ngx_duplex_receiver_t *r);

/* once in a worker, before the first accept */
void ngx_duplex_receivers_start(void);
/* closes all of this worker */
void ngx_duplex_receivers_stop(void);


#endif /* _NGX_DUPLEX_RECEIVER_H_INCLUDED_ */
