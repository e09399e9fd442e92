
/*
 * One table on one link; see the header.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_clock.h"
#include "../core/ngx_duplex_identity.h"
#include "../core/ngx_duplex_registry.h"
#include "ngx_duplex_batch.h"
#include "ngx_duplex_feed.h"


/* records looked at in one go, sent or not */
#define NGX_DUPLEX_FEED_STRIDE  4096

/* room without which no record is read: it may need a frame of its own */
#define NGX_DUPLEX_FEED_ROOM                                                  \
    (NGX_DUPLEX_BATCH_BEGIN_MAX + NGX_DUPLEX_BATCH_RECORD_MAX)


static ngx_int_t ngx_duplex_feed_read(ngx_duplex_feed_t *feed,
    uint64_t *position, ngx_duplex_record_t *rec, uint64_t now);
static void ngx_duplex_feed_walk(ngx_duplex_feed_t *feed);
static ngx_uint_t ngx_duplex_feed_sends(ngx_duplex_feed_t *feed,
    ngx_duplex_record_t *rec);
static void ngx_duplex_feed_close(ngx_duplex_feed_t *feed,
    ngx_duplex_batch_t *batch);
static void ngx_duplex_feed_publish(ngx_duplex_feed_t *feed);


/* of the one record that is being read */
static u_char  ngx_duplex_feed_buf[NGX_DUPLEX_RECORD_MAX];


ngx_uint_t
ngx_duplex_feed_wants(ngx_duplex_zone_t *zone)
{
    return !(zone->flags & NGX_DUPLEX_TABLE_LOCAL);
}


void
ngx_duplex_feed_open(ngx_duplex_feed_t *feed)
{
    u_char                 *p;
    ngx_duplex_announce_t   announce;

    announce.index = feed->index;
    announce.kind = feed->zone->kind;
    announce.incarnation = feed->zone->source->incarnation(feed->zone->table);
    announce.head = feed->zone->source->head(feed->zone->table);
    announce.name = feed->zone->name;

    p = ngx_duplex_link_room(feed->link, NGX_DUPLEX_FRAME_SMALL_SIZE);

    ngx_duplex_link_sent(feed->link,
                         ngx_duplex_frame_put_table(p, &announce));
}


void
ngx_duplex_feed_ack(ngx_duplex_feed_t *feed, ngx_duplex_ack_t *ack)
{
    if (ack->not_here) {
        feed->phase = ngx_duplex_feed_absent;
        return;
    }

    if (feed->phase == ngx_duplex_feed_asked) {

        if (ack->position == 0) {
            ngx_duplex_feed_walk(feed);
            return;
        }

        feed->phase = ngx_duplex_feed_following;
        feed->read = ack->position;
        feed->sent = ack->position;
        feed->node->resumes++;
    }

    feed->acked = ngx_min(ack->position, feed->sent);

    ngx_duplex_feed_publish(feed);
}


void
ngx_duplex_feed_pay(ngx_duplex_feed_t *feed)
{
    if (feed->node->owed && feed->zone->kind == 0
        && feed->phase == ngx_duplex_feed_following)
    {
        ngx_duplex_feed_walk(feed);
    }
}


ngx_int_t
ngx_duplex_feed_fill(ngx_duplex_feed_t *feed)
{
    u_char               *last, *end;
    uint64_t              now, self, position;
    ngx_int_t             rc;
    ngx_uint_t            i, open, walked;
    ngx_duplex_batch_t    batch;
    ngx_duplex_record_t   rec;

    if (feed->phase < ngx_duplex_feed_walking
        || (feed->phase == ngx_duplex_feed_following && feed->caught_up
            && feed->read == feed->zone->source->head(feed->zone->table)))
    {
        return NGX_OK;
    }

    last = ngx_duplex_link_room(feed->link, NGX_DUPLEX_FEED_ROOM);
    if (last == NULL) {
        return NGX_AGAIN;
    }

    end = feed->link->out.end - ngx_duplex_link_trailer(feed->link);
    now = ngx_duplex_clock_monotonic();
    self = ngx_duplex_identity()->id;

    open = 0;
    walked = 0;
    rc = NGX_AGAIN;

    ngx_memzero(&batch, sizeof(ngx_duplex_batch_t));
    batch.index = feed->index;

    for (i = 0; i < NGX_DUPLEX_FEED_STRIDE; i++) {

        if ((size_t) (end - last) < NGX_DUPLEX_FEED_ROOM) {
            break;
        }

        position = feed->read;
        rc = ngx_duplex_feed_read(feed, &position, &rec, now);

        if (rc == NGX_DECLINED) {
            walked = (feed->phase == ngx_duplex_feed_following);
            rc = NGX_AGAIN;
            break;
        }

        if (rc == NGX_OK && ngx_duplex_feed_sends(feed, &rec)) {

            if (open && !ngx_duplex_batch_takes(&batch, &rec)) {
                ngx_duplex_feed_close(feed, &batch);
                last = feed->link->out.last;
                open = 0;
            }

            if (!open) {
                batch.kind = rec.kind;
                batch.zone = rec.zone;
                ngx_duplex_batch_begin(&batch, last);
                open = 1;
            }

            ngx_duplex_batch_add(&batch, &rec, self, now);
            last = batch.last;

            feed->node->records++;
        }

        feed->read = position;

        if (rc == NGX_DONE) {
            rc = NGX_OK;
            feed->caught_up = 1;
            break;
        }

        rc = NGX_AGAIN;
    }

    /* the end of a walk is told with its last frame, if need be an empty one */

    if (open) {
        ngx_duplex_feed_close(feed, &batch);

    } else if (walked) {
        ngx_duplex_feed_tell(feed);
    }

    ngx_duplex_feed_publish(feed);

    return rc;
}


/*
 * NGX_OK, NGX_DONE: at the head, *position is it;
 * NGX_DECLINED: come again, the open frame must be closed first.
 */

static ngx_int_t
ngx_duplex_feed_read(ngx_duplex_feed_t *feed, uint64_t *position,
    ngx_duplex_record_t *rec, uint64_t now)
{
    ngx_int_t  rc;

    if (feed->phase == ngx_duplex_feed_following) {

        rc = feed->zone->source->next(feed->zone->table, position, rec,
                                      ngx_duplex_feed_buf, now);

        if (rc == NGX_DECLINED) {
            ngx_duplex_feed_walk(feed);
        }

        return rc;
    }

    if (feed->zone->source->scan(feed->zone->table, &feed->cursor, rec,
                                 ngx_duplex_feed_buf, now)
        == NGX_OK)
    {
        return NGX_OK;
    }

    /* the walk is over: what has changed since it began is still missing */

    feed->phase = ngx_duplex_feed_following;
    feed->read = feed->noted;

    if (feed->zone->kind == 0) {
        feed->node->owed = 0;
    }

    return NGX_DECLINED;
}


/* the positions of the frames that follow are 0 until it is over */

static void
ngx_duplex_feed_walk(ngx_duplex_feed_t *feed)
{
    feed->phase = ngx_duplex_feed_walking;
    feed->cursor = 0;
    feed->noted = feed->zone->source->head(feed->zone->table);
    feed->read = 0;
    feed->sent = 0;
    feed->acked = 0;
    feed->caught_up = 0;

    feed->node->walks++;
}


static ngx_uint_t
ngx_duplex_feed_sends(ngx_duplex_feed_t *feed, ngx_duplex_record_t *rec)
{
    ngx_duplex_kind_t  *kind;

    kind = ngx_duplex_find_kind(rec->kind);

    if (kind && (kind->flags & NGX_DUPLEX_KIND_LOCAL)) {
        return 0;
    }

    /* in a walk it may be what the node has lost with its memory */

    return feed->phase == ngx_duplex_feed_walking
           || (rec->via != feed->node->id && rec->node != feed->node->id);
}


static void
ngx_duplex_feed_close(ngx_duplex_feed_t *feed, ngx_duplex_batch_t *batch)
{
    feed->sent = feed->read;

    ngx_duplex_link_sent(feed->link, ngx_duplex_batch_end(batch, feed->read));
}


void
ngx_duplex_feed_tell(ngx_duplex_feed_t *feed)
{
    u_char              *p;
    ngx_duplex_batch_t   batch;

    if (feed->phase != ngx_duplex_feed_following || feed->read <= feed->sent) {
        return;
    }

    p = ngx_duplex_link_room(feed->link, NGX_DUPLEX_BATCH_BEGIN_MAX);
    if (p == NULL) {
        return;
    }

    ngx_memzero(&batch, sizeof(ngx_duplex_batch_t));
    batch.index = feed->index;

    ngx_duplex_batch_begin(&batch, p);
    ngx_duplex_feed_close(feed, &batch);
}


static void
ngx_duplex_feed_publish(ngx_duplex_feed_t *feed)
{
    uint64_t            position;
    ngx_duplex_mark_t  *mark;

    mark = ngx_duplex_mark_find(feed->node->marks,
                                ngx_duplex_hash(feed->zone->name.data,
                                                feed->zone->name.len));
    if (mark == NULL) {
        return;
    }

    /* what the node need not be told counts as acknowledged */

    position = feed->acked == feed->sent ? feed->read : feed->acked;

    ngx_duplex_mark_set(mark, 0,
                        feed->zone->source->incarnation(feed->zone->table),
                        position);
}
