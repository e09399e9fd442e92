
/*
 * What a probe's answer is worth: from what nginx has made of it to a reason
 * and a text for people.
 *
 * nginx tells by flags and in its log how far it came; where it was content,
 * the check's own tests decide.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "ngx_http_duplex_grpc.h"
#include "ngx_http_duplex_probe.h"


static ngx_uint_t ngx_http_duplex_probe_is_local(ngx_http_duplex_probe_t *hp,
    ngx_http_upstream_t *u);
static ngx_duplex_reason_e ngx_http_duplex_probe_transport(
    ngx_http_duplex_probe_t *hp, ngx_http_upstream_t *u, ngx_int_t rc);
static ngx_uint_t ngx_http_duplex_probe_has_read(ngx_http_duplex_probe_t *hp);
static ngx_uint_t ngx_http_duplex_probe_is_other(ngx_http_duplex_probe_t *hp,
    ngx_http_upstream_t *u);
static const char *ngx_http_duplex_probe_step(ngx_http_upstream_t *u);
static ngx_duplex_reason_e ngx_http_duplex_probe_answer(
    ngx_http_duplex_probe_t *hp, ngx_http_upstream_t *u);
static void ngx_http_duplex_probe_say(ngx_http_duplex_probe_t *hp,
    const char *text);


void
ngx_http_duplex_probe_judge(ngx_http_duplex_probe_t *hp,
    ngx_http_upstream_t *u, ngx_int_t rc)
{
    ngx_duplex_reason_e  reason;

    hp->result.status = u->headers_in.status_n;

    if (hp->result.status > 999) {
        hp->result.status = 0;
    }

    hp->result.text.data = hp->text;
    hp->result.text.len = 0;

    if (!hp->late && ngx_http_duplex_probe_is_local(hp, u)) {
        hp->result.end = ngx_duplex_probe_fault;
        hp->result.text = hp->log.text;
        return;
    }

    reason = ngx_http_duplex_probe_transport(hp, u, rc);

    if (reason == ngx_duplex_reason_none) {
        reason = ngx_http_duplex_probe_answer(hp, u);
    }

    hp->result.reason = reason;
    hp->result.end = (reason == ngx_duplex_reason_none)
                     ? ngx_duplex_probe_passed : ngx_duplex_probe_failed;
}


/*
 * No socket, no connection, an address that cannot be bound: nginx sets the
 * state's peer only after that.  No free local port is told by the text
 * alone, since nginx takes it for the server's refusal.
 */

static ngx_uint_t
ngx_http_duplex_probe_is_local(ngx_http_duplex_probe_t *hp,
    ngx_http_upstream_t *u)
{
    if (u->state == NULL || u->state->peer == NULL) {
        return 1;
    }

    return !u->request_sent && ngx_duplex_probe_log_is_local(&hp->log);
}


/* "none": there is a complete answer, whatever it says */

static ngx_duplex_reason_e
ngx_http_duplex_probe_transport(ngx_http_duplex_probe_t *hp,
    ngx_http_upstream_t *u, ngx_int_t rc)
{
    ngx_connection_t  *c;

    c = u->peer.connection;

    if (hp->late
        || rc == NGX_HTTP_GATEWAY_TIME_OUT
        || (c && c->read->timedout))
    {
        ngx_http_duplex_probe_say(hp, hp->late && u->header_sent
                                      ? "the whole of the body"
                                      : ngx_http_duplex_probe_step(u));
        return ngx_duplex_reason_timeout;
    }

    if (!u->request_sent) {

#if (NGX_HTTP_SSL)
        if (c && c->ssl) {
            ngx_http_duplex_probe_say(hp, "handshake failed");
            return ngx_duplex_reason_tls;
        }
#endif

        ngx_http_duplex_probe_say(hp, "failed");

        /* it may close so soon that nginx finds that before it can write */

        return ngx_http_duplex_probe_has_read(hp) ? ngx_duplex_reason_closed
                                                  : ngx_duplex_reason_connect;
    }

    if (!u->header_sent) {

        if (u->state->bytes_received == 0) {
            ngx_http_duplex_probe_say(hp, "before any answer");
            return ngx_duplex_reason_closed;
        }

        ngx_http_duplex_probe_say(hp, "none");

        return ngx_http_duplex_probe_is_other(hp, u)
               ? ngx_duplex_reason_protocol : ngx_duplex_reason_header;
    }

    /* nginx takes any text for an HTTP/0.9 answer */

    if (u->headers_in.status_n == 0) {
        ngx_http_duplex_probe_say(hp, "no valid status line");
        return ngx_duplex_reason_protocol;
    }

    if (rc != NGX_OK && !hp->client.cut) {
        ngx_http_duplex_probe_say(hp, "incomplete");
        return ngx_duplex_reason_body;
    }

    return ngx_duplex_reason_none;
}


static ngx_uint_t
ngx_http_duplex_probe_has_read(ngx_http_duplex_probe_t *hp)
{
    u_char  *text;

    text = hp->log.text.data;

    return hp->log.text.len > 27
           && (ngx_strncmp(text, "upstream prematurely closed", 27) == 0
               || ngx_strncmp(text, "recv() failed", 13) == 0);
}


/* HTTP/1 from a server that was spoken to in another language */

static ngx_uint_t
ngx_http_duplex_probe_is_other(ngx_http_duplex_probe_t *hp,
    ngx_http_upstream_t *u)
{
    switch (hp->check->pass->type) {

    case ngx_http_duplex_pass_grpc:
    case ngx_http_duplex_pass_fastcgi:
    case ngx_http_duplex_pass_memcached:
        return u->buffer.start && u->buffer.last - u->buffer.start >= 5
               && ngx_strncmp(u->buffer.start, "HTTP/", 5) == 0;

    default:
        return 0;
    }
}


static const char *
ngx_http_duplex_probe_step(ngx_http_upstream_t *u)
{
    if (!u->request_sent) {

#if (NGX_HTTP_SSL)
        if (u->peer.connection && u->peer.connection->ssl) {
            return "no end of the handshake";
        }
#endif

        return "no connection";
    }

    if (!u->header_sent) {
        return u->state->bytes_received ? "no end of the header"
                                        : "no answer";
    }

    return "no end of the body";
}


static ngx_duplex_reason_e
ngx_http_duplex_probe_answer(ngx_http_duplex_probe_t *hp,
    ngx_http_upstream_t *u)
{
    ngx_str_t                 body;
    ngx_uint_t                status;
    ngx_http_request_t       *r;
    ngx_http_duplex_check_t  *check;

    r = hp->request;
    check = hp->check;

    body.data = hp->client.data;
    body.len = hp->client.len;

    if (check->grpc) {

        if (u->headers_in.status_n != NGX_HTTP_OK) {
            ngx_http_duplex_probe_say(hp, "expected \"200\"");
            return ngx_duplex_reason_status;
        }

        return ngx_http_duplex_grpc_answer(r, &body, check->grpc_status,
                                           &hp->result.text,
                                           NGX_HTTP_DUPLEX_PROBE_TEXT);
    }

    if (check->match) {
        return ngx_http_duplex_match_answer(check->match, r, &body,
                                            &hp->result.text,
                                            NGX_HTTP_DUPLEX_PROBE_TEXT);
    }

    status = u->headers_in.status_n;

    return (status >= NGX_HTTP_OK && status < NGX_HTTP_BAD_REQUEST)
           ? ngx_duplex_reason_none : ngx_duplex_reason_status;
}


/* nginx's own complaint, but of a timeout; "text" where it has made none */

static void
ngx_http_duplex_probe_say(ngx_http_duplex_probe_t *hp, const char *text)
{
    size_t  len;

    if (hp->log.text.len
        && ngx_strncmp(hp->log.text.data, "upstream timed out", 18) != 0)
    {
        len = ngx_min(hp->log.text.len, NGX_HTTP_DUPLEX_PROBE_TEXT);
        ngx_memcpy(hp->text, hp->log.text.data, len);

    } else {
        len = ngx_strlen(text);
        ngx_memcpy(hp->text, text, len);
    }

    hp->result.text.len = len;
}
