
/*
 * A dialog over an open connection.
 *
 * A datagram that is sent proves nothing, and one that nobody wants is told
 * of by the kernel, if at all: so silence until the end of the time passes
 * where no answer is expected.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_duplex_exchange.h"


/* of what came, for people */
#define NGX_DUPLEX_EXCHANGE_QUOTE  64


static ngx_int_t ngx_duplex_exchange_send(ngx_duplex_exchange_t *x);
static ngx_int_t ngx_duplex_exchange_recv(ngx_duplex_exchange_t *x);
static ngx_int_t ngx_duplex_exchange_listen(ngx_duplex_exchange_t *x);
static ngx_int_t ngx_duplex_exchange_look(ngx_duplex_exchange_t *x);
static ngx_int_t ngx_duplex_exchange_end(ngx_duplex_exchange_t *x);
static ngx_int_t ngx_duplex_exchange_broken(ngx_duplex_exchange_t *x);
static ngx_int_t ngx_duplex_exchange_pass(ngx_duplex_exchange_t *x);
static ngx_int_t ngx_duplex_exchange_fail(ngx_duplex_exchange_t *x,
    ngx_duplex_reason_e reason, u_char *last);
static u_char *ngx_duplex_exchange_quote(ngx_duplex_exchange_t *x, u_char *p,
    u_char *last);


ngx_int_t
ngx_duplex_exchange_run(ngx_duplex_exchange_t *x)
{
    ngx_int_t          rc;
    ngx_connection_t  *c;

    c = x->connection;

    rc = ngx_duplex_exchange_send(x);

    if (rc == NGX_OK
        && c->type == SOCK_STREAM
        && !ngx_duplex_dialog_expects(x->dialog))
    {
        rc = ngx_duplex_exchange_pass(x);
    }

    /* it may have answered before it had heard all */

    if (rc == NGX_OK && x->in.last != x->in.start) {
        rc = ngx_duplex_exchange_look(x);
    }

    if (rc != NGX_DONE) {
        rc = ngx_duplex_exchange_listen(x);
    }

    return rc == NGX_DONE ? NGX_OK : NGX_AGAIN;
}


void
ngx_duplex_exchange_timeout(ngx_duplex_exchange_t *x)
{
    u_char  *p;

    if (x->connection->type == SOCK_DGRAM
        && !ngx_duplex_dialog_expects(x->dialog))
    {
        (void) ngx_duplex_exchange_pass(x);
        return;
    }

    p = x->story;

    if (x->in.last != x->in.start) {
        p = ngx_duplex_exchange_quote(x, p, x->story + sizeof(x->story));
    }

    (void) ngx_duplex_exchange_fail(x, ngx_duplex_reason_timeout, p);
}


/* NGX_OK: all is sent; NGX_AGAIN; NGX_DONE: "result" is there */

static ngx_int_t
ngx_duplex_exchange_send(ngx_duplex_exchange_t *x)
{
    ssize_t            n;
    ngx_str_t         *send;
    ngx_connection_t  *c;

    c = x->connection;
    send = &x->dialog->send;

    while (x->sent < send->len) {

        n = c->send(c, send->data + x->sent, send->len - x->sent);

        if (n == NGX_AGAIN) {

            if (ngx_handle_write_event(c->write, 0) != NGX_OK) {
                return ngx_duplex_exchange_broken(x);
            }

            return NGX_AGAIN;
        }

        if (n < 0) {
            return ngx_duplex_exchange_broken(x);
        }

        x->sent += n;
    }

    return NGX_OK;
}


/* NGX_AGAIN, or NGX_DONE: "result" is there */

static ngx_int_t
ngx_duplex_exchange_listen(ngx_duplex_exchange_t *x)
{
    ngx_int_t  rc;

    do {
        rc = ngx_duplex_exchange_recv(x);
    } while (rc == NGX_OK);

    if (rc == NGX_AGAIN
        && ngx_handle_read_event(x->connection->read, 0) != NGX_OK)
    {
        return ngx_duplex_exchange_broken(x);
    }

    return rc;
}


static ngx_int_t
ngx_duplex_exchange_recv(ngx_duplex_exchange_t *x)
{
    u_char            *p;
    ssize_t            n;
    ngx_buf_t         *b;
    ngx_connection_t  *c;

    c = x->connection;
    b = &x->in;

    /* each datagram is an answer of its own */

    p = (c->type == SOCK_DGRAM) ? b->start : b->last;

    n = c->recv(c, p, b->end - p);

    if (n == NGX_AGAIN) {
        return NGX_AGAIN;
    }

    if (n == NGX_ERROR) {
        return ngx_duplex_exchange_broken(x);
    }

    if (n == 0 && c->type == SOCK_STREAM) {
        return ngx_duplex_exchange_end(x);
    }

    b->last = p + n;

    if (ngx_duplex_exchange_look(x) == NGX_DONE) {
        return NGX_DONE;
    }

    if (b->last == b->end && c->type == SOCK_STREAM) {
        return ngx_duplex_exchange_end(x);
    }

    return NGX_OK;
}


/* NGX_DONE: it passes; NGX_AGAIN: what is there does not suffice */

static ngx_int_t
ngx_duplex_exchange_look(ngx_duplex_exchange_t *x)
{
    ngx_str_t  text;

    /* "send" must be out, whatever the server said before */

    if (x->sent < x->dialog->send.len) {
        return NGX_AGAIN;
    }

    text.data = x->in.start;
    text.len = x->in.last - x->in.start;

    if (ngx_duplex_dialog_expects(x->dialog)
        && !ngx_duplex_dialog_heard(x->dialog, &text))
    {
        return NGX_AGAIN;
    }

    return ngx_duplex_exchange_pass(x);
}


/* nothing more will come, or will be looked at */

static ngx_int_t
ngx_duplex_exchange_end(ngx_duplex_exchange_t *x)
{
    u_char  *p, *last;

    p = x->story;
    last = x->story + sizeof(x->story);

    if (x->in.last == x->in.start) {
        p = ngx_slprintf(p, last, "the server closed the connection");
        return ngx_duplex_exchange_fail(x, ngx_duplex_reason_closed, p);
    }

    p = ngx_duplex_exchange_quote(x, p, last);

    return ngx_duplex_exchange_fail(x, ngx_duplex_reason_answer, p);
}


/* nginx has said what, in the connection's log: the text is the caller's */

static ngx_int_t
ngx_duplex_exchange_broken(ngx_duplex_exchange_t *x)
{
    ngx_duplex_reason_e  reason;

    reason = (x->connection->type == SOCK_DGRAM) ? ngx_duplex_reason_connect
                                                 : ngx_duplex_reason_closed;

    return ngx_duplex_exchange_fail(x, reason, x->story);
}


static ngx_int_t
ngx_duplex_exchange_pass(ngx_duplex_exchange_t *x)
{
    x->result.end = ngx_duplex_probe_passed;
    x->result.reason = ngx_duplex_reason_none;

    return NGX_DONE;
}


/* the text reaches from "story" to "last" */

static ngx_int_t
ngx_duplex_exchange_fail(ngx_duplex_exchange_t *x, ngx_duplex_reason_e reason,
    u_char *last)
{
    x->result.end = ngx_duplex_probe_failed;
    x->result.reason = reason;

    x->result.text.data = x->story;
    x->result.text.len = last - x->story;

    return NGX_DONE;
}


/* how much came, and the beginning of it as far as it can be printed */

static u_char *
ngx_duplex_exchange_quote(ngx_duplex_exchange_t *x, u_char *p, u_char *last)
{
    size_t   n;
    u_char  *c;

    n = x->in.last - x->in.start;

    p = ngx_slprintf(p, last, "%uz byte%s without a match: \"",
                     n, n == 1 ? "" : "s");

    n = ngx_min(n, NGX_DUPLEX_EXCHANGE_QUOTE);

    for (c = x->in.start; c < x->in.start + n && last - p > 5; c++) {

        if (*c == CR || *c == LF) {
            p = ngx_slprintf(p, last, "\\%c", *c == CR ? 'r' : 'n');

        } else if (*c < ' ' || *c >= 0x7f || *c == '"' || *c == '\\') {
            p = ngx_slprintf(p, last, "\\x%02xd", *c);

        } else {
            *p++ = *c;
        }
    }

    return ngx_slprintf(p, last, "\"");
}
