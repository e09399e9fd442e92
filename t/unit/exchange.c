
/*
 * links: modules/health/ngx_duplex_exchange.c
 * links: modules/health/ngx_duplex_dialog.c
 *
 * What is said and heard: escapes, and an exchange over a connection whose
 * bytes come as a whole, byte by byte, and in all that can go wrong.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "../../modules/health/ngx_duplex_exchange.h"
#include "unit.h"


/* a server: what it sends, how much at a time, and how it ends */
static struct {
    const char  *text;
    size_t       len;
    size_t       step;
    ssize_t      end;           /* NGX_AGAIN, NGX_ERROR, 0 */
    size_t       window;        /* it takes in as much at a time */
    size_t       taken;
    ngx_uint_t   stalled;
} server;


static ssize_t
server_recv(ngx_connection_t *c, u_char *buf, size_t size)
{
    size_t  n;

    n = ngx_min(ngx_min(size, server.step), server.len);

    if (n == 0) {
        return size ? server.end : 0;
    }

    ngx_memcpy(buf, server.text, n);

    server.text += n;
    server.len -= n;

    return n;
}


static ssize_t
server_send(ngx_connection_t *c, u_char *buf, size_t size)
{
    if (server.window == 0) {
        return NGX_ERROR;
    }

    /* every other time it takes nothing */

    server.stalled = !server.stalled;

    if (server.stalled) {
        return NGX_AGAIN;
    }

    size = ngx_min(size, server.window);
    server.taken += size;

    return size;
}


static ngx_duplex_exchange_t *
exchange(ngx_duplex_dialog_t *dialog, int type, size_t room)
{
    static u_char                 buf[256];
    static ngx_event_t            rev, wev;
    static ngx_connection_t       c;
    static ngx_duplex_exchange_t  x;

    ngx_memzero(&c, sizeof(ngx_connection_t));
    ngx_memzero(&x, sizeof(ngx_duplex_exchange_t));

    /* in the event loop, as far as nginx can see */

    rev.active = 1;
    rev.data = &c;

    wev.active = 1;
    wev.data = &c;

    c.type = type;
    c.recv = server_recv;
    c.send = server_send;
    c.read = &rev;
    c.write = &wev;

    x.dialog = dialog;
    x.connection = &c;
    x.in.start = x.in.pos = x.in.last = buf;
    x.in.end = buf + room;

    return &x;
}


/* "passed", "closed: TEXT", "again" */

static const char *
outcome(ngx_duplex_exchange_t *x, ngx_uint_t events)
{
    ngx_int_t    rc;

    static char  out[256];

    do {
        rc = ngx_duplex_exchange_run(x);
    } while (rc == NGX_AGAIN && --events);

    if (rc == NGX_AGAIN) {
        return "again";
    }

    if (x->result.end == ngx_duplex_probe_passed) {
        return "passed";
    }

    snprintf(out, sizeof(out), "%d: %.*s", (int) x->result.reason,
             (int) x->result.text.len, x->result.text.data);

    return out;
}


static void
is(const char *got, const char *expected, const char *name)
{
    ok(strcmp(got, expected) == 0, "%s: %s", name, got);
}


static void
test_unescape(void)
{
    u_char      buf[64];
    ngx_uint_t  i;
    ngx_str_t   in, out;

    static struct {
        const char  *in;
        const char  *out;       /* NULL: refused */
        size_t       len;
    } cases[] = {
        { "", "", 0 },
        { "abc", "abc", 3 },
        { "\\x41\\x62", "Ab", 2 },
        { "\\x00", "\0", 1 },
        { "a\\xfFz", "a\xffz", 3 },
        { "\\n\\\\", "\\n\\\\", 4 },
        { "end\\", "end\\", 4 },
        { "\\x4", NULL, 0 },
        { "\\x", NULL, 0 },
        { "\\xg0", NULL, 0 },
        { "\\x4\\x41", NULL, 0 },
        { "\\X41", "\\X41", 4 },
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        in.data = (u_char *) cases[i].in;
        in.len = strlen(cases[i].in);
        out.data = buf;
        out.len = 0;

        if (ngx_duplex_dialog_unescape(&in, &out) != NGX_OK) {
            ok(cases[i].out == NULL, "\"%s\" is refused", cases[i].in);
            continue;
        }

        ok(cases[i].out && out.len == cases[i].len
           && memcmp(out.data, cases[i].out, out.len) == 0,
           "\"%s\" becomes %d bytes", cases[i].in, (int) out.len);
    }
}


static void
serve(const char *text, size_t step, ssize_t end)
{
    server.text = text;
    server.len = strlen(text);
    server.step = step;
    server.end = end;
    server.window = 3;
    server.taken = 0;
    server.stalled = 0;
}


static void
test_tcp(void)
{
    size_t               step;
    ngx_duplex_dialog_t  greets, asks, says, connects;

    ngx_memzero(&greets, sizeof(ngx_duplex_dialog_t));
    ngx_memzero(&asks, sizeof(ngx_duplex_dialog_t));
    ngx_memzero(&says, sizeof(ngx_duplex_dialog_t));
    ngx_memzero(&connects, sizeof(ngx_duplex_dialog_t));

    ngx_str_set(&greets.expect, "ready");
    ngx_str_set(&asks.send, "who is there?");
    ngx_str_set(&asks.expect, "ready");
    ngx_str_set(&says.send, "who is there?");

    serve("", 1, NGX_AGAIN);
    is(outcome(exchange(&connects, SOCK_STREAM, 64), 1), "passed",
       "connected");

    for (step = 1; step < 16; step++) {
        serve("not yet ready", step, NGX_AGAIN);
        is(outcome(exchange(&greets, SOCK_STREAM, 64), 1), "passed",
           "a greeting in pieces");

        /* the answer is there before the question is out */

        serve("ready", step, NGX_AGAIN);
        is(outcome(exchange(&asks, SOCK_STREAM, 64), 20), "passed",
           "an answer before the question");
        is_int(server.taken, 13, "... all of which is sent");
    }

    serve("", 1, NGX_AGAIN);
    is(outcome(exchange(&says, SOCK_STREAM, 64), 3), "again", "half is sent");
    is(outcome(exchange(&says, SOCK_STREAM, 64), 20), "passed", "all is sent");

    serve("", 1, NGX_AGAIN);
    server.window = 0;
    is(outcome(exchange(&says, SOCK_STREAM, 64), 3), "7: ", "it cannot be");

    serve("", 1, 0);
    is(outcome(exchange(&says, SOCK_STREAM, 64), 20),
       "7: the server closed the connection", "closed while sending");

    serve("", 1, 0);
    is(outcome(exchange(&greets, SOCK_STREAM, 64), 1),
       "7: the server closed the connection", "closed");

    serve("read", 4, 0);
    is(outcome(exchange(&greets, SOCK_STREAM, 64), 1),
       "8: 4 bytes without a match: \"read\"", "half an answer");

    serve("\"\\\r\n\x01\x80", 6, 0);
    is(outcome(exchange(&greets, SOCK_STREAM, 64), 1),
       "8: 6 bytes without a match: \"\\x22\\x5c\\r\\n\\x01\\x80\"",
       "what cannot be printed");

    serve("xxxready", 1, NGX_AGAIN);
    is(outcome(exchange(&greets, SOCK_STREAM, 8), 1), "passed",
       "the last byte that is looked at");

    serve("xxxready", 1, NGX_AGAIN);
    is(outcome(exchange(&greets, SOCK_STREAM, 7), 1),
       "8: 7 bytes without a match: \"xxxread\"", "one byte further");

    serve("r", 1, NGX_ERROR);
    is(outcome(exchange(&greets, SOCK_STREAM, 7), 1), "7: ", "reset");
}


static void
test_timeout(void)
{
    ngx_duplex_dialog_t     greets, says;
    ngx_duplex_exchange_t  *x;

    ngx_memzero(&greets, sizeof(ngx_duplex_dialog_t));
    ngx_memzero(&says, sizeof(ngx_duplex_dialog_t));

    ngx_str_set(&greets.expect, "ready");
    ngx_str_set(&says.send, "x");

    serve("r", 1, NGX_AGAIN);
    x = exchange(&greets, SOCK_STREAM, 64);
    is(outcome(x, 1), "again", "one byte");

    ngx_duplex_exchange_timeout(x);
    is_int(x->result.reason, ngx_duplex_reason_timeout, "timeout");
    is_str(&x->result.text, "1 byte without a match: \"r\"", "what came");

    serve("", 1, NGX_AGAIN);
    x = exchange(&says, SOCK_DGRAM, 64);
    x->sent = 1;
    is(outcome(x, 1), "again", "a datagram is sent");

    ngx_duplex_exchange_timeout(x);
    is_int(x->result.end, ngx_duplex_probe_passed, "and not refused");

    serve("", 1, NGX_ERROR);
    x = exchange(&says, SOCK_DGRAM, 64);
    x->sent = 1;
    is(outcome(x, 1), "1: ", "refused");

    serve("ready", 3, NGX_AGAIN);
    x = exchange(&greets, SOCK_DGRAM, 64);
    is(outcome(x, 1), "again", "an answer in two datagrams is none");

    ngx_duplex_exchange_timeout(x);
    is_str(&x->result.text, "2 bytes without a match: \"dy\"", "the last one");
}


int
main(void)
{
    test_unescape();
    test_tcp();
    test_timeout();

    return done_testing();
}
