
/*
 * One table on an accepted link: the other end of a feed.  Checks what
 * arrives, applies it, and knows what to acknowledge.
 *
 * A sink belongs to a receiver's link and dies with it; how far it came
 * stands in shared memory, for the link that comes next.
 */


#ifndef _NGX_DUPLEX_SINK_H_INCLUDED_
#define _NGX_DUPLEX_SINK_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_store.h"
#include "ngx_duplex_batch.h"
#include "ngx_duplex_frame.h"
#include "ngx_duplex_nodes.h"


typedef struct {
    ngx_duplex_zone_t      *zone;       /* NULL: not here */
    ngx_duplex_accepted_t  *node;       /* counters and marks */
    uint64_t                id;         /* of the node */
    ngx_duplex_seen_link_t *seen;       /* of this link */

    ngx_duplex_mark_t      *mark;       /* NULL: cannot be resumed */
    uint64_t                theirs;     /* incarnation */
    uint64_t                applied;    /* position */
    uint64_t                saving;     /* the same, when the wait began */
    uint64_t                saved;      /* what may be acknowledged */
    unsigned                ack:1;      /* to be sent */
    unsigned                walked:1;   /* all records have come */
    unsigned                unsaved:1;  /* durable records: to be waited for */
} ngx_duplex_sink_t;


/* "sink" is zeroed but for node, id and seen */
void ngx_duplex_sink_open(ngx_duplex_sink_t *sink,
    ngx_duplex_announce_t *announce);

/*
 * Applies a batch that ngx_duplex_batch_open() found whole.
 * NGX_OK; NGX_ERROR: it does not belong here, frame->malformed is set;
 * NGX_DECLINED: a time is too far ahead.  Nothing is changed in the latter
 * two cases.
 */
ngx_int_t ngx_duplex_sink_take(ngx_duplex_sink_t *sink,
    ngx_duplex_batch_t *batch, ngx_duplex_frame_t *frame);

/* whether something has to be waited for: all that is applied by now */
ngx_uint_t ngx_duplex_sinks_save(ngx_duplex_sink_t *sinks, ngx_uint_t n);
/* the wait is over: that is on disk, or never will be */
void ngx_duplex_sinks_saved(ngx_duplex_sink_t *sinks, ngx_uint_t n);


#endif /* _NGX_DUPLEX_SINK_H_INCLUDED_ */
