
/*
 * The dialling side of the protocol: connect, handshake, resume, push.
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
#include "ngx_duplex_dial.h"
#include "ngx_duplex_feed.h"
#include "ngx_duplex_loss.h"
#include "ngx_duplex_ready.h"
#include "ngx_duplex_sender.h"
#include "ngx_duplex_sync_conf.h"


/* buffers filled in one turn of the event loop */
#define NGX_DUPLEX_SENDER_ROUNDS  4


static ngx_int_t ngx_duplex_sender_frame(ngx_duplex_link_t *link,
    ngx_duplex_frame_t *frame);
static ngx_int_t ngx_duplex_sender_welcome(ngx_duplex_sender_t *s,
    ngx_duplex_frame_t *frame);
static ngx_int_t ngx_duplex_sender_refused(ngx_duplex_sender_t *s,
    ngx_duplex_frame_t *frame);
static ngx_int_t ngx_duplex_sender_refuse(ngx_duplex_sender_t *s,
    ngx_uint_t reason);
static ngx_int_t ngx_duplex_sender_ack(ngx_duplex_sender_t *s,
    ngx_duplex_frame_t *frame);
static ngx_int_t ngx_duplex_sender_announce(ngx_duplex_sender_t *s);
static ngx_int_t ngx_duplex_sender_push(ngx_duplex_link_t *link);
static ngx_int_t ngx_duplex_sender_fill(ngx_duplex_sender_t *s);
static ngx_int_t ngx_duplex_sender_synced(ngx_duplex_sender_t *s);
static void ngx_duplex_sender_closed(ngx_duplex_link_t *link);
static void ngx_duplex_sender_lost(ngx_duplex_sender_t *s);


static ngx_duplex_link_owner_t  ngx_duplex_sender_owner = {
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


void
ngx_duplex_sender_greet(ngx_duplex_sender_t *s)
{
    u_char                  *p;
    ngx_connection_t        *c;
    ngx_duplex_hello_t       hello;
    ngx_duplex_identity_t   *identity;

    c = s->connection;

    c->pool = ngx_create_pool(1024, c->log);
    if (c->pool == NULL) {
        ngx_duplex_sender_unreachable(s, NGX_ENOMEM);
        return;
    }

    s->link = ngx_duplex_link_create(c, &ngx_duplex_sender_owner, s,
                                     &s->node->traffic, NULL);
    if (s->link == NULL) {
        ngx_destroy_pool(c->pool);
        ngx_duplex_sender_unreachable(s, NGX_ENOMEM);
        return;
    }

    s->connection = NULL;
    ngx_duplex_sender_become(s, ngx_duplex_dial_handshake);

    identity = ngx_duplex_identity();

    hello.lowest = NGX_DUPLEX_PROTOCOL_LOWEST;
    hello.highest = NGX_DUPLEX_PROTOCOL_HIGHEST;
    hello.incarnation = identity->incarnation;
    hello.clock = ngx_duplex_clock_next(ngx_duplex_store_clock());
    hello.node = identity->name;
    ngx_str_null(&hello.cluster);

    p = ngx_duplex_link_room(s->link, NGX_DUPLEX_FRAME_SMALL_SIZE);

    ngx_duplex_link_sent(s->link, ngx_duplex_frame_put_hello(p, &hello));

    ngx_duplex_link_watch(s->link, ngx_duplex_sync_conf()->timeout);

    /* sends HELLO, and reads what may be there already */

    ngx_post_event(c->read, &ngx_posted_events);
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
            return ngx_duplex_sender_welcome(s, frame);
        }

        if (frame->type == ngx_duplex_frame_refuse) {
            return ngx_duplex_sender_refused(s, frame);
        }

    } else {

        if (frame->type == ngx_duplex_frame_ack) {
            return ngx_duplex_sender_ack(s, frame);
        }

        if (frame->type == ngx_duplex_frame_pong) {
            return ngx_duplex_frame_get_empty(frame);
        }
    }

    frame->malformed = ngx_duplex_malformed_state;

    return NGX_ERROR;
}


static ngx_int_t
ngx_duplex_sender_welcome(ngx_duplex_sender_t *s, ngx_duplex_frame_t *frame)
{
    ngx_duplex_welcome_t     welcome;
    ngx_duplex_identity_t   *identity;
    ngx_duplex_sync_conf_t  *conf;

    if (ngx_duplex_frame_get_welcome(frame, &welcome) != NGX_OK) {
        return NGX_ERROR;
    }

    if (welcome.version < NGX_DUPLEX_PROTOCOL_LOWEST
        || welcome.version > NGX_DUPLEX_PROTOCOL_HIGHEST)
    {
        return ngx_duplex_sender_refuse(s, ngx_duplex_refuse_version);
    }

    identity = ngx_duplex_identity();

    if (welcome.node.len == identity->name.len
        && ngx_memcmp(welcome.node.data, identity->name.data,
                      welcome.node.len)
           == 0)
    {
        return ngx_duplex_sender_refuse(s,
                                  welcome.incarnation == identity->incarnation
                                  ? ngx_duplex_refuse_self
                                  : ngx_duplex_refuse_name);
    }

    if (ngx_duplex_clock_merge(ngx_duplex_store_clock(), welcome.clock)
        != NGX_OK)
    {
        return ngx_duplex_sender_refuse(s, ngx_duplex_refuse_clock);
    }

    s->node->id = ngx_duplex_node_id(&welcome.node);
    s->node->incarnation = welcome.incarnation;
    ngx_cpystrn((u_char *) s->node->name, welcome.node.data,
                welcome.node.len + 1);

    s->node->connects++;
    s->node->tried = 1;
    ngx_duplex_sender_become(s, ngx_duplex_dial_syncing);

    ngx_duplex_ready_update();

    conf = ngx_duplex_sync_conf();

    /* from here on the beat looks */
    ngx_duplex_link_watch(s->link, 0);

    if (ngx_duplex_link_grow(s->link, conf->in_size, conf->out_size)
        != NGX_OK)
    {
        s->link->end = ngx_duplex_link_failed;
        return NGX_DONE;
    }

    return ngx_duplex_sender_announce(s);
}


static ngx_int_t
ngx_duplex_sender_refused(ngx_duplex_sender_t *s, ngx_duplex_frame_t *frame)
{
    ngx_duplex_refusal_t  refusal;

    if (ngx_duplex_frame_get_refuse(frame, &refusal) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_duplex_sender_refuse(s, refusal.reason);
}


static ngx_int_t
ngx_duplex_sender_refuse(ngx_duplex_sender_t *s, ngx_uint_t reason)
{
    const char  *text;

    s->link->end = ngx_duplex_link_refused;
    s->node->tried = 1;

    if (reason == ngx_duplex_refuse_self) {
        ngx_duplex_sender_become(s, ngx_duplex_dial_self);
        ngx_duplex_ready_update();
        return NGX_DONE;
    }

    ngx_duplex_sender_become(s, ngx_duplex_dial_refused);

    text = ngx_duplex_refuse_text(reason);

    if (ngx_strstr(s->node->error, text) == NULL) {

        ngx_sprintf((u_char *) s->node->error, "refused: %s%Z", text);

        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "node at %s refuses to synchronise with node \"%V\": %s",
                      s->node->address.text, &ngx_duplex_identity()->name,
                      reason == ngx_duplex_refuse_name
                      ? "it has the same name, see \"duplex_node\"" : text);
    }

    return NGX_DONE;
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

    return NGX_OK;
}


static ngx_int_t
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

    s->node->heard = s->link->heard;

    if (s->state < ngx_duplex_dial_syncing) {
        return;
    }

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

        s->node->heard = link->heard;
        s->node->tried = 1;
    }

    s->link = NULL;
    s->nfeeds = 0;

    pool = c->pool;

    ngx_close_connection(c);
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
    if (s->connection) {
        ngx_close_connection(s->connection);
        s->connection = NULL;
    }

    if (!ngx_duplex_lease_held()) {
        return;
    }

    ngx_duplex_loss_unreachable(s->node, err);

    s->node->tried = 1;

    ngx_duplex_sender_lost(s);
}


static void
ngx_duplex_sender_lost(ngx_duplex_sender_t *s)
{
    ngx_duplex_sender_become(s, ngx_duplex_dial_down);
    s->retry = ngx_duplex_clock_monotonic()
               + ngx_duplex_sync_conf()->retry_interval;

    ngx_duplex_loss_tell(s->node);
}
