
/*
 * Which other nodes have a change: applied there, and in their journal.
 * Offered by the feature that sends changes, under the service name below;
 * where none offers it there are no other nodes.
 */


#ifndef _NGX_DUPLEX_ACKED_H_INCLUDED_
#define _NGX_DUPLEX_ACKED_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>


#define NGX_DUPLEX_ACKED  "acked"


typedef struct ngx_duplex_acked_wait_s  ngx_duplex_acked_wait_t;

/* zeroed, in memory that lives until the handler was called, or cancel() */
struct ngx_duplex_acked_wait_s {
    uint64_t       position;    /* of the main table's log */
    void         (*handler)(ngx_duplex_acked_wait_t *wait);
    void          *data;

    ngx_queue_t    queue;       /* these are of the feature */
    ngx_event_t    timer;
    unsigned       queued:1;
};


/* static data of the feature's object; any worker, after commit */
typedef struct {
    /*
     * Waits until every connected node has acknowledged what stands in the
     * log up to wait->position, at most "limit" ms.  NGX_OK: there is nothing
     * to wait for; NGX_AGAIN: the handler is called once, later.
     */
    ngx_int_t  (*wait)(ngx_duplex_acked_wait_t *wait, ngx_msec_t limit);
    void       (*cancel)(ngx_duplex_acked_wait_t *wait);

    /*
     * The i-th listed node, this one left out: its name, whether it is
     * connected, and whether it has acknowledged "position".  NGX_OK, or
     * NGX_DONE after the last.  The name is good for this turn of the event
     * loop.
     */
    ngx_int_t  (*node)(ngx_uint_t i, uint64_t position, ngx_str_t *name,
        ngx_uint_t *connected, ngx_uint_t *acked);
} ngx_duplex_acked_t;


#endif /* _NGX_DUPLEX_ACKED_H_INCLUDED_ */
