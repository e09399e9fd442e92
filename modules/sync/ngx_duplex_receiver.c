
/*
 * The accepting side of the protocol: who may come in, apply, acknowledge.
 *
 *     greeting --HELLO--> (with a secret: guest --AUTH-->) open
 *
 * The arrow is ngx_duplex_welcome.c.  What a node sends after it is checked
 * frame by frame before anything of the frame is applied.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "../core/ngx_duplex_clock.h"
#include "../core/ngx_duplex_journal.h"
#include "../core/ngx_duplex_store.h"
#include "ngx_duplex_admission.h"
#include "ngx_duplex_batch.h"
#include "ngx_duplex_link.h"
#include "ngx_duplex_ready.h"
#include "ngx_duplex_receiver.h"
#include "ngx_duplex_sink.h"
#include "ngx_duplex_sync_conf.h"
#include "ngx_duplex_welcome.h"


static ngx_int_t ngx_duplex_receiver_frame(ngx_duplex_link_t *link,
    ngx_duplex_frame_t *frame);
static ngx_int_t ngx_duplex_receiver_table(ngx_duplex_receiver_t *r,
    ngx_duplex_frame_t *frame);
static ngx_int_t ngx_duplex_receiver_records(ngx_duplex_receiver_t *r,
    ngx_duplex_frame_t *frame);
static ngx_int_t ngx_duplex_receiver_synced(ngx_duplex_receiver_t *r,
    ngx_duplex_frame_t *frame);
static ngx_int_t ngx_duplex_receiver_ping(ngx_duplex_receiver_t *r,
    ngx_duplex_frame_t *frame);
static ngx_int_t ngx_duplex_receiver_turn(ngx_duplex_link_t *link);
static void ngx_duplex_receiver_save(ngx_duplex_receiver_t *r);
static void ngx_duplex_receiver_saved(ngx_duplex_journal_wait_t *wait,
    ngx_int_t rc);
static void ngx_duplex_receiver_closed(ngx_duplex_link_t *link);


static ngx_duplex_link_owner_t  ngx_duplex_receiver_owner = {
    ngx_duplex_receiver_frame,
    ngx_duplex_receiver_turn,
    ngx_duplex_receiver_closed
};


static ngx_queue_t  ngx_duplex_receivers;


void
ngx_duplex_receivers_start(void)
{
    ngx_queue_init(&ngx_duplex_receivers);
}


void
ngx_duplex_receivers_stop(void)
{
    ngx_queue_t            *q;
    ngx_duplex_receiver_t  *r;

    while (!ngx_queue_empty(&ngx_duplex_receivers)) {

        q = ngx_queue_head(&ngx_duplex_receivers);
        r = ngx_queue_data(q, ngx_duplex_receiver_t, queue);

        ngx_duplex_link_leave(r->link);
    }
}


ngx_int_t
ngx_duplex_receiver_accept(ngx_connection_t *c, ngx_buf_t *preread,
    ngx_duplex_receiver_done_pt done)
{
    void                   *data;
    ngx_duplex_receiver_t  *r;

    /* its TLS handshake may have lasted longer than this worker */

    if (ngx_exiting) {
        return NGX_DECLINED;
    }

    if (!ngx_duplex_admission_allows(c)) {
        ngx_duplex_admission_complain(c, "is not served",
                                     "not in the list of zone_sync_server");
        return NGX_DECLINED;
    }

    r = ngx_pcalloc(c->pool, sizeof(ngx_duplex_receiver_t));
    if (r == NULL) {
        return NGX_ERROR;
    }

    data = c->data;

    r->link = ngx_duplex_link_create(c, &ngx_duplex_receiver_owner, r,
                                     &r->early, preread);
    if (r->link == NULL) {
        return NGX_ERROR;
    }

    r->done = done;
    r->data = data;

    ngx_queue_insert_tail(&ngx_duplex_receivers, &r->queue);

    ngx_duplex_link_watch(r->link, ngx_duplex_sync_conf()->timeout);

    c->read->handler(c->read);

    return NGX_OK;
}


static ngx_int_t
ngx_duplex_receiver_frame(ngx_duplex_link_t *link, ngx_duplex_frame_t *frame)
{
    ngx_duplex_receiver_t  *r;

    r = link->data;

    if (frame->type == ngx_duplex_frame_bye) {
        link->end = ngx_duplex_link_bye;
        return NGX_DONE;
    }

    if (r->node == NULL) {

        if (frame->type == ngx_duplex_frame_hello && r->guest == NULL) {
            return ngx_duplex_welcome_hello(r, frame);
        }

        if (frame->type == ngx_duplex_frame_auth && r->guest) {
            return ngx_duplex_welcome_auth(r, frame);
        }

    } else {

        switch (frame->type) {

        case ngx_duplex_frame_table:
            return ngx_duplex_receiver_table(r, frame);

        case ngx_duplex_frame_records:
            return ngx_duplex_receiver_records(r, frame);

        case ngx_duplex_frame_synced:
            return ngx_duplex_receiver_synced(r, frame);

        case ngx_duplex_frame_ping:
            return ngx_duplex_receiver_ping(r, frame);
        }
    }

    frame->malformed = ngx_duplex_malformed_state;

    return NGX_ERROR;
}


static ngx_int_t
ngx_duplex_receiver_table(ngx_duplex_receiver_t *r, ngx_duplex_frame_t *frame)
{
    ngx_duplex_sink_t      *sink;
    ngx_duplex_announce_t   announce;

    if (ngx_duplex_frame_get_table(frame, &announce) != NGX_OK) {
        return NGX_ERROR;
    }

    if (announce.index != r->nsinks || r->nsinks == NGX_DUPLEX_TABLES_MAX) {
        frame->malformed = ngx_duplex_malformed_index;
        return NGX_ERROR;
    }

    sink = &r->sinks[r->nsinks++];

    sink->node = r->node;
    sink->id = r->id;
    sink->seen = r->seen;

    ngx_duplex_sink_open(sink, &announce);

    return NGX_OK;
}


static ngx_int_t
ngx_duplex_receiver_records(ngx_duplex_receiver_t *r,
    ngx_duplex_frame_t *frame)
{
    ngx_int_t           rc;
    ngx_duplex_batch_t  batch;

    if (ngx_duplex_batch_open(&batch, frame) != NGX_OK) {
        return NGX_ERROR;
    }

    if (batch.index >= r->nsinks) {
        frame->malformed = ngx_duplex_malformed_index;
        return NGX_ERROR;
    }

    rc = ngx_duplex_sink_take(&r->sinks[batch.index], &batch, frame);

    if (rc == NGX_DECLINED) {
        r->link->end = ngx_duplex_link_clock;
        return NGX_DONE;
    }

    return rc;
}


static ngx_int_t
ngx_duplex_receiver_synced(ngx_duplex_receiver_t *r, ngx_duplex_frame_t *frame)
{
    if (ngx_duplex_frame_get_empty(frame) != NGX_OK) {
        return NGX_ERROR;
    }

    r->node->synced = 1;

    ngx_duplex_ready_update();

    return NGX_OK;
}


static ngx_int_t
ngx_duplex_receiver_ping(ngx_duplex_receiver_t *r, ngx_duplex_frame_t *frame)
{
    u_char    *p;
    uint32_t   age;

    if (ngx_duplex_frame_get_ping(frame, &age) != NGX_OK) {
        return NGX_ERROR;
    }

    /* the node hears us on our own link: no answer is needed */

    if (age != NGX_DUPLEX_FRAME_UNHEARD) {
        r->node->echo = ngx_duplex_clock_monotonic() - age;
        return NGX_OK;
    }

    p = ngx_duplex_link_room(r->link, NGX_DUPLEX_FRAME_HEADER);

    if (p) {
        ngx_duplex_link_sent(r->link,
                             ngx_duplex_frame_put_empty(p,
                                                    ngx_duplex_frame_pong));
    }

    return NGX_OK;
}


/* one acknowledgement a table for all that was read in this turn */

static ngx_int_t
ngx_duplex_receiver_turn(ngx_duplex_link_t *link)
{
    u_char                 *p;
    ngx_int_t               rc;
    ngx_uint_t              i;
    ngx_duplex_ack_t        ack;
    ngx_duplex_sink_t      *sink;
    ngx_duplex_receiver_t  *r;

    r = link->data;

    if (r->node) {
        ngx_duplex_receiver_heard(r);
    }

    ngx_duplex_receiver_save(r);

    for (i = 0; i < r->nsinks; i++) {

        sink = &r->sinks[i];

        if (!sink->ack) {
            continue;
        }

        p = ngx_duplex_link_room(link, NGX_DUPLEX_FRAME_ACK_SIZE);
        if (p == NULL) {
            break;
        }

        ack.index = i;
        ack.position = sink->saved;
        ack.not_here = (sink->zone == NULL);

        ngx_duplex_link_sent(link, ngx_duplex_frame_put_ack(p, &ack));

        sink->ack = 0;
    }

    rc = ngx_duplex_link_flush(link);

    return rc == NGX_AGAIN ? NGX_OK : rc;
}


/*
 * What the other node is told to be here must be here after a restart, too.
 * If it cannot be written it is acknowledged all the same: that is logged,
 * and a node whose disk is full shall not keep the other one waiting.
 */

static void
ngx_duplex_receiver_save(ngx_duplex_receiver_t *r)
{
    if (r->wait.queued || !ngx_duplex_sinks_save(r->sinks, r->nsinks)) {
        return;
    }

    r->wait.handler = ngx_duplex_receiver_saved;
    r->wait.data = r;

    if (ngx_duplex_journal_wait(&r->wait) != NGX_AGAIN) {
        ngx_duplex_sinks_saved(r->sinks, r->nsinks);
    }
}


static void
ngx_duplex_receiver_saved(ngx_duplex_journal_wait_t *wait, ngx_int_t rc)
{
    ngx_duplex_receiver_t  *r;

    r = wait->data;

    ngx_duplex_sinks_saved(r->sinks, r->nsinks);
    ngx_duplex_link_go_on(r->link);
}


void
ngx_duplex_receiver_heard(ngx_duplex_receiver_t *r)
{
    if (!r->node->open) {
        r->node->link = r->serial;
        r->node->open = 1;
    }

    if (r->node->link == r->serial) {
        r->node->heard = r->link->heard;
        r->node->incarnation = r->incarnation;
    }
}


static void
ngx_duplex_receiver_closed(ngx_duplex_link_t *link)
{
    ngx_uint_t              level, malformed;
    ngx_connection_t       *c;
    ngx_duplex_receiver_t  *r;

    r = link->data;
    c = link->connection;

    ngx_queue_remove(&r->queue);
    ngx_duplex_journal_cancel(&r->wait);

    if (r->node && r->node->link == r->serial) {
        r->node->open = 0;
    }

    if (r->node == NULL) {

        if (link->end == ngx_duplex_link_malformed) {
            ngx_duplex_admission_complain(c, "sent no handshake",
                                   ngx_duplex_malformed_text(link->malformed));

        } else if (link->end != ngx_duplex_link_refused
                   && link->end != ngx_duplex_link_stopped
                   && !ngx_duplex_welcome_is_self(r))
        {
            ngx_duplex_admission_complain(c, "sent no handshake",
                                         ngx_duplex_link_end_text(link->end));
        }

    } else {
        malformed = (link->end == ngx_duplex_link_malformed);

        if (malformed || link->end == ngx_duplex_link_clock) {
            (void) ngx_atomic_fetch_add(&r->node->rejected, 1);
        }

        /* whoever knows the handshake may come again at once */

        level = ((malformed || link->end == ngx_duplex_link_clock)
                 && ngx_duplex_admission_may_log(c))
                ? NGX_LOG_ERR : NGX_LOG_INFO;

        ngx_log_error(level, ngx_cycle->log, 0,
                      "link from node \"%s\" at %V ended: %s%s%s",
                      r->node->name, &c->addr_text,
                      ngx_duplex_link_end_text(link->end),
                      malformed ? ": " : "",
                      malformed ? ngx_duplex_malformed_text(link->malformed)
                                : "");
    }

    c->data = r->data;
    c->idle = 0;
    c->read->cancelable = 0;

    if (c->ssl) {
        c->ssl->no_wait_shutdown = 1;
    }

    r->done(c);
}
