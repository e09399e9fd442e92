
/*
 * The dialling side of the protocol: resume, push.  What comes before is
 * ngx_duplex_dial.c and ngx_duplex_greet.c.
 *
 *     down --dial--> connecting --HELLO--> handshake --WELCOME--> syncing
 *                                                     --SYNCED--> online
 *
 * Each arrow leads back to "down" when the link ends; REFUSE leads to "self"
 * or "refused".  The state is shown in shared memory as long as this worker
 * holds the lease.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "../core/ngx_duplex_clock.h"
#include "../core/ngx_duplex_lease.h"
#include "../core/ngx_duplex_store.h"
#include "ngx_duplex_applied.h"
#include "ngx_duplex_dial.h"
#include "ngx_duplex_feed.h"
#include "ngx_duplex_greet.h"
#include "ngx_duplex_loss.h"
#include "ngx_duplex_ready.h"
#include "ngx_duplex_sender.h"
#include "ngx_duplex_sync_conf.h"


/* buffers filled in one turn of the event loop */
#define NGX_DUPLEX_SENDER_ROUNDS  4


static ngx_int_t ngx_duplex_sender_frame(ngx_duplex_link_t *link,
    ngx_duplex_frame_t *frame);
static ngx_int_t ngx_duplex_sender_ack(ngx_duplex_sender_t *s,
    ngx_duplex_frame_t *frame);
static ngx_int_t ngx_duplex_sender_push(ngx_duplex_link_t *link);
static ngx_int_t ngx_duplex_sender_fill(ngx_duplex_sender_t *s);
static ngx_int_t ngx_duplex_sender_synced(ngx_duplex_sender_t *s);
static void ngx_duplex_sender_measure(ngx_duplex_sender_t *s);
static void ngx_duplex_sender_closed(ngx_duplex_link_t *link);
static void ngx_duplex_sender_lost(ngx_duplex_sender_t *s);


ngx_duplex_link_owner_t  ngx_duplex_sender_owner = {
    ngx_duplex_sender_frame,
    ngx_duplex_sender_push,
    ngx_duplex_sender_closed
};


/*
 * On a reload the next holder of the lease has dialled the node already when
 * this one gives up its link: what is shown of it is no longer ours.
 */

void
ngx_duplex_sender_become(ngx_duplex_sender_t *s, ngx_duplex_dial_e state)
{
    s->state = state;

    if (ngx_duplex_lease_held()) {
        s->node->state = state;
    }
}


static ngx_int_t
ngx_duplex_sender_frame(ngx_duplex_link_t *link, ngx_duplex_frame_t *frame)
{
    ngx_duplex_sender_t  *s;

    s = link->data;

    if (frame->type == ngx_duplex_frame_bye) {
        link->end = ngx_duplex_link_bye;
        return NGX_DONE;
    }

    if (s->state == ngx_duplex_dial_handshake) {

        if (frame->type == ngx_duplex_frame_welcome) {
            return ngx_duplex_greet_welcomed(s, frame);
        }

        if (frame->type == ngx_duplex_frame_refuse) {
            return ngx_duplex_greet_refused(s, frame);
        }

    } else {

        if (frame->type == ngx_duplex_frame_ack) {
            return ngx_duplex_sender_ack(s, frame);
        }

        if (frame->type == ngx_duplex_frame_pong) {
            return ngx_duplex_frame_get_empty(frame);
        }

        /* with a secret, what is said against us comes after our proof */

        if (frame->type == ngx_duplex_frame_refuse) {
            return ngx_duplex_greet_refused(s, frame);
        }
    }

    frame->malformed = ngx_duplex_malformed_state;

    return NGX_ERROR;
}


static ngx_int_t
ngx_duplex_sender_ack(ngx_duplex_sender_t *s, ngx_duplex_frame_t *frame)
{
    ngx_duplex_ack_t  ack;

    if (ngx_duplex_frame_get_ack(frame, &ack) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ack.index >= s->nfeeds) {
        frame->malformed = ngx_duplex_malformed_index;
        return NGX_ERROR;
    }

    ngx_duplex_feed_ack(&s->feeds[ack.index], &ack);

    ngx_duplex_sender_measure(s);
    ngx_duplex_applied_tell();

    return NGX_OK;
}


ngx_int_t
ngx_duplex_sender_announce(ngx_duplex_sender_t *s)
{
    ngx_duplex_feed_t  *feed;
    ngx_duplex_zone_t  *zone;

    s->nfeeds = 0;
    s->turn = 0;

    s->feeds = ngx_pcalloc(s->link->connection->pool,
                           NGX_DUPLEX_TABLES_MAX * sizeof(ngx_duplex_feed_t));
    if (s->feeds == NULL) {
        s->link->end = ngx_duplex_link_failed;
        return NGX_DONE;
    }

    for (zone = ngx_duplex_store_zones(); zone; zone = zone->next) {

        if (!ngx_duplex_feed_wants(zone)) {
            continue;
        }

        if (s->nfeeds == NGX_DUPLEX_TABLES_MAX) {
            ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                          "zone \"%V\" and those after it are not "
                          "synchronised: more than %d zones", &zone->name,
                          NGX_DUPLEX_TABLES_MAX);
            break;
        }

        feed = &s->feeds[s->nfeeds];

        feed->index = s->nfeeds++;
        feed->zone = zone;
        feed->link = s->link;
        feed->node = s->node;

        ngx_duplex_feed_open(feed);
    }

    return NGX_OK;
}


/* writes what there is, until the socket or the turn is full */

static ngx_int_t
ngx_duplex_sender_push(ngx_duplex_link_t *link)
{
    ngx_int_t             rc, more;
    ngx_uint_t            i;
    ngx_duplex_sender_t  *s;

    s = link->data;

    for (i = 0; i < NGX_DUPLEX_SENDER_ROUNDS; i++) {

        more = ngx_duplex_sender_fill(s);

        rc = ngx_duplex_link_flush(link);

        if (rc != NGX_OK) {
            return rc == NGX_AGAIN ? NGX_OK : rc;
        }

        if (more == NGX_OK) {
            return NGX_OK;
        }
    }

    ngx_duplex_link_go_on(link);

    return NGX_OK;
}


static ngx_int_t
ngx_duplex_sender_fill(ngx_duplex_sender_t *s)
{
    ngx_uint_t          i, done;
    ngx_duplex_feed_t  *feed;

    if (s->state < ngx_duplex_dial_syncing) {
        return NGX_OK;
    }

    done = 0;

    for (i = 0; i < s->nfeeds; i++) {

        feed = &s->feeds[(s->turn + i) % s->nfeeds];

        if (ngx_duplex_feed_fill(feed) != NGX_OK) {
            s->turn = feed->index;
            return NGX_AGAIN;
        }

        done += ngx_duplex_feed_is_done(feed);
    }

    if (s->state == ngx_duplex_dial_syncing && done == s->nfeeds) {
        return ngx_duplex_sender_synced(s);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_duplex_sender_synced(ngx_duplex_sender_t *s)
{
    u_char  *p;

    p = ngx_duplex_link_room(s->link, NGX_DUPLEX_FRAME_HEADER);
    if (p == NULL) {
        return NGX_AGAIN;
    }

    ngx_duplex_link_sent(s->link,
                         ngx_duplex_frame_put_empty(p,
                                                    ngx_duplex_frame_synced));

    ngx_duplex_sender_become(s, ngx_duplex_dial_online);
    s->node->error[0] = '\0';

    if (s->node->told != ngx_duplex_told_online) {

        s->node->told = ngx_duplex_told_online;

        ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                      "node \"%s\" at %s is online: it has all we have, "
                      "after %uLms",
                      s->node->name, s->node->address.text,
                      ngx_duplex_clock_monotonic() - s->since);
    }

    return NGX_OK;
}


void
ngx_duplex_sender_ship(ngx_duplex_sender_t *s)
{
    if (ngx_duplex_sender_push(s->link) == NGX_DONE) {
        ngx_duplex_link_close(s->link, s->link->end);
    }
}


void
ngx_duplex_sender_beat(ngx_duplex_sender_t *s)
{
    u_char                 *p;
    uint32_t                age;
    uint64_t                now;
    ngx_uint_t              i;
    ngx_msec_t              timeout;
    ngx_duplex_accepted_t  *back;

    if (s->state < ngx_duplex_dial_syncing) {
        return;
    }

    s->node->heard = s->link->heard;

    for (i = 0; i < s->nfeeds; i++) {
        ngx_duplex_feed_pay(&s->feeds[i]);
    }

    ngx_duplex_sender_measure(s);

    now = ngx_duplex_clock_monotonic();
    timeout = ngx_duplex_sync_conf()->timeout;
    back = ngx_duplex_nodes_accepted(s->node->id);

    /* the node may also have said on its own link that it hears this one */

    if (now - s->link->heard >= timeout
        && (back == NULL || now - back->echo >= timeout))
    {
        ngx_duplex_link_close(s->link, ngx_duplex_link_silent);
        return;
    }

    age = NGX_DUPLEX_FRAME_UNHEARD;

    if (back && ngx_duplex_accepted_alive(back, now, timeout)) {
        age = (uint32_t) (now - back->heard);
    }

    /* an acknowledgement is an answer: for its own sake it may wait */

    if (now - s->link->heard >= 2 * timeout) {

        for (i = 0; i < s->nfeeds; i++) {
            ngx_duplex_feed_tell(&s->feeds[i]);
        }
    }

    p = ngx_duplex_link_room(s->link, NGX_DUPLEX_FRAME_SMALL_SIZE);

    if (p) {
        ngx_duplex_link_sent(s->link, ngx_duplex_frame_put_ping(p, age));
    }

    ngx_duplex_sender_ship(s);
}


/* for how long it has not had all there was */

static void
ngx_duplex_sender_measure(ngx_duplex_sender_t *s)
{
    ngx_uint_t          i;
    ngx_duplex_feed_t  *feed;

    for (i = 0; i < s->nfeeds; i++) {

        feed = &s->feeds[i];

        if (feed->phase != ngx_duplex_feed_absent
            && (!feed->caught_up || feed->acked != feed->sent
                || feed->read != feed->zone->source->head(feed->zone->table)))
        {
            if (s->node->behind == 0) {
                s->node->behind = ngx_duplex_clock_monotonic();
            }

            return;
        }
    }

    s->node->behind = 0;
}


static void
ngx_duplex_sender_closed(ngx_duplex_link_t *link)
{
    ngx_pool_t           *pool;
    ngx_uint_t            was, end, ours;
    ngx_connection_t     *c;
    ngx_duplex_sender_t  *s;

    s = link->data;
    c = link->connection;

    end = link->end;
    was = s->state;

    ours = (end != ngx_duplex_link_stopped && ngx_duplex_lease_held());

    if (ours) {
        if (end != ngx_duplex_link_refused) {
            ngx_duplex_loss_explain(s->node, link);
        }

        /* that it took the connection is no word of it */

        if (was >= ngx_duplex_dial_syncing) {
            s->node->heard = link->heard;
        }

        s->node->tried = 1;
    }

    s->link = NULL;
    s->nfeeds = 0;

    pool = c->pool;

    ngx_duplex_tls_close(c);
    ngx_destroy_pool(pool);

    if (!ours) {
        return;
    }

    if (end == ngx_duplex_link_refused) {
        s->retry = s->since + ngx_duplex_sync_conf()->retry_interval;
        return;
    }

    if (was == ngx_duplex_dial_online
        && (end == ngx_duplex_link_eof || end == ngx_duplex_link_bye
            || end == ngx_duplex_link_failed))
    {
        /* it may only have reloaded: nothing is lost until this fails */

        ngx_duplex_dial_start(s);
        return;
    }

    if (end == ngx_duplex_link_bye) {

        /* a worker that is about to leave had accepted: the next beat dials */

        ngx_duplex_sender_become(s, ngx_duplex_dial_down);
        return;
    }

    ngx_duplex_sender_lost(s);
}


void
ngx_duplex_sender_unreachable(ngx_duplex_sender_t *s, ngx_err_t err)
{
    ngx_duplex_dial_close(s);

    if (!ngx_duplex_lease_held()) {
        return;
    }

    ngx_duplex_loss_unreachable(s->node, err);

    s->node->tried = 1;

    ngx_duplex_sender_lost(s);
}


void
ngx_duplex_sender_mistrusted(ngx_duplex_sender_t *s, const char *text)
{
    ngx_duplex_dial_close(s);

    if (!ngx_duplex_lease_held()) {
        return;
    }

    ngx_duplex_loss_mistrust(s->node, text);

    s->node->tried = 1;

    ngx_duplex_sender_lost(s);
}


static void
ngx_duplex_sender_lost(ngx_duplex_sender_t *s)
{
    if (s->node->behind == 0) {
        s->node->behind = ngx_duplex_clock_monotonic();
    }

    ngx_duplex_sender_become(s, ngx_duplex_dial_down);
    s->retry = ngx_duplex_clock_monotonic()
               + ngx_duplex_sync_conf()->retry_interval;

    ngx_duplex_loss_tell(s->node);
    ngx_duplex_applied_tell();
}
