
/*
 * One link; see the header.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "../core/ngx_duplex_clock.h"
#include "ngx_duplex_link.h"


/* either side writes two frames in a handshake at most */
#define NGX_DUPLEX_LINK_GREETING                                              \
    (2 * (NGX_DUPLEX_FRAME_SMALL_SIZE + NGX_DUPLEX_MAC_SIZE))


static void ngx_duplex_link_read_handler(ngx_event_t *rev);
static void ngx_duplex_link_write_handler(ngx_event_t *wev);
static ngx_int_t ngx_duplex_link_read(ngx_duplex_link_t *link);
static ngx_int_t ngx_duplex_link_take_frames(ngx_duplex_link_t *link);
static ngx_int_t ngx_duplex_link_parse(ngx_duplex_link_t *link,
    ngx_duplex_frame_t *frame);
static ngx_int_t ngx_duplex_link_end(ngx_duplex_link_t *link,
    ngx_duplex_link_end_e end);
static ngx_int_t ngx_duplex_link_resize(ngx_pool_t *pool, ngx_buf_t *b,
    size_t size);


static const char *const  ngx_duplex_link_end_texts[] = {
    "cannot be reached",
    "closed by the other side",
    "it left",
    "connection failed",
    "silent",
    "malformed frame",
    "refused",
    "clock",
    "stopped here"
};


const char *
ngx_duplex_link_end_text(ngx_uint_t end)
{
    return ngx_duplex_link_end_texts[end];
}


ngx_duplex_link_t *
ngx_duplex_link_create(ngx_connection_t *c, ngx_duplex_link_owner_t *owner,
    void *data, ngx_duplex_traffic_t *traffic, ngx_buf_t *preread)
{
    size_t              size;
    ngx_duplex_link_t  *link;

    link = ngx_pcalloc(c->pool, sizeof(ngx_duplex_link_t));
    if (link == NULL) {
        return NULL;
    }

    size = NGX_DUPLEX_FRAME_SMALL_SIZE;

    if (preread && (size_t) ngx_buf_size(preread) > size) {
        size = ngx_buf_size(preread);
    }

    if (ngx_duplex_link_resize(c->pool, &link->in, size) != NGX_OK
        || ngx_duplex_link_resize(c->pool, &link->out,
                                  NGX_DUPLEX_LINK_GREETING)
           != NGX_OK)
    {
        return NULL;
    }

    if (preread) {
        link->in.last = ngx_cpymem(link->in.last, preread->pos,
                                   ngx_buf_size(preread));
        preread->pos = preread->last;
    }

    link->connection = c;
    link->owner = owner;
    link->data = data;
    link->traffic = traffic;
    link->frame_max = NGX_DUPLEX_FRAME_SMALL;

    link->heard = ngx_duplex_clock_monotonic();

    /* a link is closed by nginx, too, when the worker has to go */
    c->idle = 1;
    c->data = link;

    c->read->handler = ngx_duplex_link_read_handler;
    c->write->handler = ngx_duplex_link_write_handler;

    (void) ngx_tcp_nodelay(c);

    return link;
}


ngx_int_t
ngx_duplex_link_grow(ngx_duplex_link_t *link, size_t in, size_t out)
{
    ngx_pool_t  *pool;

    pool = link->connection->pool;

    link->frame_max = NGX_DUPLEX_FRAME_MAX;
    link->heard = ngx_duplex_clock_monotonic();

    if (ngx_duplex_link_resize(pool, &link->in,
                               ngx_max(in, NGX_DUPLEX_FRAME_MAX_SIZE
                                       + NGX_DUPLEX_MAC_SIZE))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_duplex_link_resize(pool, &link->out, out);
}


void
ngx_duplex_link_watch(ngx_duplex_link_t *link, ngx_msec_t silence)
{
    ngx_event_t  *rev;

    rev = link->connection->read;

    link->silence = silence;

    if (silence) {
        rev->cancelable = 1;
        ngx_add_timer(rev, silence);

    } else if (rev->timer_set) {
        ngx_del_timer(rev);
    }
}


u_char *
ngx_duplex_link_room(ngx_duplex_link_t *link, size_t size)
{
    size_t      used;
    ngx_buf_t  *b;

    b = &link->out;
    size += ngx_duplex_link_trailer(link);

    if ((size_t) (b->end - b->last) >= size) {
        return b->last;
    }

    used = b->last - b->pos;

    if ((size_t) (b->end - b->start) < used + size) {
        return NULL;
    }

    ngx_memmove(b->start, b->pos, used);

    b->pos = b->start;
    b->last = b->start + used;

    return b->last;
}


void
ngx_duplex_link_sent(ngx_duplex_link_t *link, u_char *last)
{
    if (link->mac_out) {
        last = ngx_duplex_mac_add(link->mac_out, link->out.last, last);
    }

    link->out.last = last;
    link->traffic->messages_out++;
}


ngx_int_t
ngx_duplex_link_flush(ngx_duplex_link_t *link)
{
    ssize_t            n;
    ngx_buf_t         *b;
    ngx_connection_t  *c;

    b = &link->out;
    c = link->connection;

    while (b->pos < b->last && c->write->ready) {

        n = c->send(c, b->pos, b->last - b->pos);

        if (n == NGX_AGAIN) {
            break;
        }

        if (n <= 0) {
            return ngx_duplex_link_end(link, ngx_duplex_link_failed);
        }

        b->pos += n;

        link->traffic->bytes_out += n;
    }

    if (ngx_handle_write_event(c->write, 0) != NGX_OK) {
        return ngx_duplex_link_end(link, ngx_duplex_link_failed);
    }

    if (b->pos < b->last) {
        return NGX_AGAIN;
    }

    b->pos = b->start;
    b->last = b->start;

    return NGX_OK;
}


void
ngx_duplex_link_go_on(ngx_duplex_link_t *link)
{
    ngx_event_t  *ev;

    ev = link->connection->read->ready ? link->connection->read
                                       : link->connection->write;

    ngx_post_event(ev, &ngx_posted_next_events);
}


void
ngx_duplex_link_close(ngx_duplex_link_t *link, ngx_duplex_link_end_e end)
{
    link->end = end;
    link->owner->closed(link);
}


void
ngx_duplex_link_leave(ngx_duplex_link_t *link)
{
    u_char  *p;

    p = ngx_duplex_link_room(link, NGX_DUPLEX_FRAME_HEADER);

    if (p) {
        ngx_duplex_link_sent(link,
                             ngx_duplex_frame_put_empty(p,
                                                    ngx_duplex_frame_bye));
        (void) ngx_duplex_link_flush(link);
    }

    ngx_duplex_link_close(link, ngx_duplex_link_stopped);
}


static void
ngx_duplex_link_read_handler(ngx_event_t *rev)
{
    uint64_t            silent;
    ngx_int_t           rc;
    ngx_connection_t   *c;
    ngx_duplex_link_t  *link;

    c = rev->data;
    link = c->data;

    if (c->close) {
        ngx_duplex_link_leave(link);
        return;
    }

    if (rev->timedout) {
        rev->timedout = 0;

        silent = ngx_duplex_clock_monotonic() - link->heard;

        if (silent >= link->silence) {
            ngx_duplex_link_close(link, ngx_duplex_link_silent);
            return;
        }

        /* the timer is moved on only now and then: it rang too early */

        ngx_add_timer(rev, link->silence - (ngx_msec_t) silent);

        if (!rev->ready) {
            return;
        }
    }

    rc = ngx_duplex_link_read(link);

    if (rc == NGX_OK) {
        rc = link->owner->turn(link);
    }

    if (rc == NGX_OK && ngx_handle_read_event(rev, 0) != NGX_OK) {
        rc = ngx_duplex_link_end(link, ngx_duplex_link_failed);
    }

    if (rc == NGX_DONE) {
        ngx_duplex_link_close(link, link->end);
    }
}


static void
ngx_duplex_link_write_handler(ngx_event_t *wev)
{
    ngx_connection_t   *c;
    ngx_duplex_link_t  *link;

    c = wev->data;
    link = c->data;

    if (link->owner->turn(link) == NGX_DONE) {
        ngx_duplex_link_close(link, link->end);
    }
}


/* reads at most one buffer, so that requests have their turn, too */

static ngx_int_t
ngx_duplex_link_read(ngx_duplex_link_t *link)
{
    ssize_t            n;
    ngx_buf_t         *b;
    ngx_connection_t  *c;

    b = &link->in;
    c = link->connection;

    if (b->pos < b->last && ngx_duplex_link_take_frames(link) != NGX_OK) {
        return NGX_DONE;
    }

    if (!c->read->ready) {
        return NGX_OK;
    }

    n = c->recv(c, b->last, b->end - b->last);

    if (n == NGX_AGAIN) {
        return NGX_OK;
    }

    if (n == 0) {
        return ngx_duplex_link_end(link, ngx_duplex_link_eof);
    }

    if (n < 0) {
        return ngx_duplex_link_end(link, ngx_duplex_link_failed);
    }

    b->last += n;

    link->traffic->bytes_in += n;

    /* until the handshake is complete the time is for all of it */

    if (link->frame_max != NGX_DUPLEX_FRAME_SMALL) {
        link->heard = ngx_duplex_clock_monotonic();

        if (link->silence) {
            ngx_add_timer(c->read, link->silence);
        }
    }

    if (c->read->ready) {
        ngx_duplex_link_go_on(link);
    }

    return ngx_duplex_link_take_frames(link);
}


static ngx_int_t
ngx_duplex_link_take_frames(ngx_duplex_link_t *link)
{
    size_t               left;
    ngx_int_t            rc;
    ngx_buf_t           *b;
    ngx_duplex_frame_t   frame;

    for ( ;; ) {

        b = &link->in;

        rc = ngx_duplex_link_parse(link, &frame);

        if (rc == NGX_OK) {

            /* grow() in the handler moves the buffer: not looked at again */
            b->pos = frame.last + (link->mac_in ? NGX_DUPLEX_MAC_SIZE : 0);
            link->traffic->messages_in++;

            rc = link->owner->frame(link, &frame);

            if (rc == NGX_OK) {
                continue;
            }
        }

        if (rc == NGX_AGAIN) {
            break;
        }

        if (rc == NGX_ERROR) {
            link->malformed = frame.malformed;
            return ngx_duplex_link_end(link, ngx_duplex_link_malformed);
        }

        return rc;
    }

    /* what is left is less than one frame, and the buffer has room for one */

    left = b->last - b->pos;

    ngx_memmove(b->start, b->pos, left);

    b->pos = b->start;
    b->last = b->start + left;

    return NGX_OK;
}


/* a frame and, with a secret, the code that follows it */

static ngx_int_t
ngx_duplex_link_parse(ngx_duplex_link_t *link, ngx_duplex_frame_t *frame)
{
    ngx_int_t   rc;
    ngx_buf_t  *b;

    b = &link->in;

    rc = ngx_duplex_frame_parse(frame, b->pos, b->last, link->frame_max);

    if (rc != NGX_OK || link->mac_in == NULL) {
        return rc;
    }

    if (b->last - frame->last < NGX_DUPLEX_MAC_SIZE) {
        return NGX_AGAIN;
    }

    if (ngx_duplex_mac_check(link->mac_in, b->pos, frame->last) != NGX_OK) {
        frame->malformed = ngx_duplex_malformed_code;
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_duplex_link_end(ngx_duplex_link_t *link, ngx_duplex_link_end_e end)
{
    link->end = end;

    return NGX_DONE;
}


static ngx_int_t
ngx_duplex_link_resize(ngx_pool_t *pool, ngx_buf_t *b, size_t size)
{
    u_char  *p;
    size_t   used;

    used = b->last - b->pos;

    p = ngx_palloc(pool, size);
    if (p == NULL) {
        return NGX_ERROR;
    }

    b->last = used ? ngx_cpymem(p, b->pos, used) : p;
    b->pos = p;
    b->start = p;
    b->end = p + size;

    return NGX_OK;
}
