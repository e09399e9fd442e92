
/*
 * One table on one link: its changes, read from the log and written as
 * frames into the link's buffer.
 *
 * A feed belongs to a sender's link and dies with it; where the other side
 * stands is known there and told again at the next handshake.
 */


#ifndef _NGX_DUPLEX_FEED_H_INCLUDED_
#define _NGX_DUPLEX_FEED_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_store.h"
#include "ngx_duplex_link.h"
#include "ngx_duplex_nodes.h"


typedef enum {
    ngx_duplex_feed_asked = 0,  /* announced; where does the node stand? */
    ngx_duplex_feed_absent,     /* the node has no such table */
    ngx_duplex_feed_walking,    /* all records are being sent */
    ngx_duplex_feed_following   /* each change is sent */
} ngx_duplex_feed_phase_e;


typedef struct {
    ngx_uint_t                index;    /* of the table, on the wire */
    ngx_duplex_zone_t        *zone;
    ngx_duplex_link_t        *link;
    ngx_duplex_dialled_t     *node;     /* counters and marks */

    ngx_duplex_feed_phase_e   phase;
    uint32_t                  cursor;   /* of the walk */
    uint64_t                  noted;    /* the head when the walk began */
    uint64_t                  read;     /* position read up to */
    uint64_t                  sent;     /* position told up to */
    uint64_t                  acked;    /* position acknowledged */
    unsigned                  caught_up:1;  /* was at the head once */
} ngx_duplex_feed_t;


/* the zone is replicated */
ngx_uint_t ngx_duplex_feed_wants(ngx_duplex_zone_t *zone);

/* TABLE into the link's buffer, which must have the room */
void ngx_duplex_feed_open(ngx_duplex_feed_t *feed);

void ngx_duplex_feed_ack(ngx_duplex_feed_t *feed, ngx_duplex_ack_t *ack);

/*
 * Writes what there is.  NGX_OK: at the head, or not to be sent;
 * NGX_AGAIN: there is more, the buffer is full or the turn was long.
 */
ngx_int_t ngx_duplex_feed_fill(ngx_duplex_feed_t *feed);

/* sends all records of the main table again if the node is owed them */
void ngx_duplex_feed_pay(ngx_duplex_feed_t *feed);

/* tells the position if it moved on without a record for this node */
void ngx_duplex_feed_tell(ngx_duplex_feed_t *feed);

#define ngx_duplex_feed_is_done(feed)                                         \
    ((feed)->caught_up || (feed)->phase == ngx_duplex_feed_absent)


#endif /* _NGX_DUPLEX_FEED_H_INCLUDED_ */
