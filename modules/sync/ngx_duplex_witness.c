
/*
 * Witnesses; see the header.
 *
 * One attempt per witness and round: a connection that is closed as soon as
 * it is known whether anybody is there.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_event_connect.h>
#include "ngx_duplex_sync_conf.h"
#include "ngx_duplex_witness.h"


typedef struct {
    ngx_peer_connection_t   pc;
    ngx_connection_t       *connection;     /* NULL: no attempt under way */
} ngx_duplex_witness_t;


static void ngx_duplex_witness_start(ngx_duplex_witness_t *witness,
    ngx_addr_t *addr);
static void ngx_duplex_witness_handler(ngx_event_t *ev);
static void ngx_duplex_witness_done(ngx_duplex_witness_t *witness,
    ngx_err_t err);
static void ngx_duplex_witness_close(ngx_duplex_witness_t *witness);


static ngx_duplex_witness_t  ngx_duplex_witnesses[NGX_DUPLEX_WITNESSES_MAX];
static ngx_log_t             ngx_duplex_witness_log;

static ngx_uint_t            ngx_duplex_witness_asked;  /* in this round */
static ngx_uint_t            ngx_duplex_witness_open;   /* of them, pending */
static ngx_uint_t            ngx_duplex_witness_answers;
static ngx_uint_t            ngx_duplex_witness_answered;   /* before it */
static ngx_uint_t            ngx_duplex_witness_failed; /* rounds in a row */


ngx_uint_t
ngx_duplex_witness_ask(void)
{
    ngx_uint_t    i;
    ngx_addr_t   *addr;
    ngx_array_t  *list;

    list = &ngx_duplex_sync_conf()->witnesses;

    if (list->nelts == 0 || ngx_duplex_witness_open) {
        return ngx_duplex_witness_failed;
    }

    /* the round before is over */

    if (ngx_duplex_witness_asked) {
        ngx_duplex_witness_failed = ngx_duplex_witness_answers
                                    ? 0 : ngx_duplex_witness_failed + 1;
    }

    ngx_duplex_witness_answered = ngx_duplex_witness_answers;
    ngx_duplex_witness_answers = 0;
    ngx_duplex_witness_asked = list->nelts;
    ngx_duplex_witness_open = list->nelts;

    /* who does not answer is no news each time */

    ngx_duplex_witness_log = *ngx_cycle->log;
    ngx_duplex_witness_log.log_level = NGX_LOG_EMERG;

    addr = list->elts;

    for (i = 0; i < list->nelts; i++) {
        ngx_duplex_witness_start(&ngx_duplex_witnesses[i], &addr[i]);
    }

    return ngx_duplex_witness_failed;
}


ngx_uint_t
ngx_duplex_witness_is_there(void)
{
    return ngx_duplex_sync_conf()->witnesses.nelts == 0
           || ngx_duplex_witness_answers || ngx_duplex_witness_answered;
}


void
ngx_duplex_witness_stop(void)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_DUPLEX_WITNESSES_MAX; i++) {
        ngx_duplex_witness_close(&ngx_duplex_witnesses[i]);
    }

    ngx_duplex_witness_asked = 0;
    ngx_duplex_witness_open = 0;
    ngx_duplex_witness_answers = 0;
    ngx_duplex_witness_answered = 0;
    ngx_duplex_witness_failed = 0;
}


static void
ngx_duplex_witness_start(ngx_duplex_witness_t *witness, ngx_addr_t *addr)
{
    ngx_int_t               rc;
    ngx_connection_t       *c;
    ngx_peer_connection_t  *pc;

    pc = &witness->pc;

    ngx_memzero(pc, sizeof(ngx_peer_connection_t));

    pc->sockaddr = addr->sockaddr;
    pc->socklen = addr->socklen;
    pc->name = &addr->name;
    pc->get = ngx_event_get_peer;
    pc->log = &ngx_duplex_witness_log;
    pc->log_error = NGX_ERROR_INFO;

    rc = ngx_event_connect_peer(pc);

    if (rc == NGX_ERROR || rc == NGX_DECLINED) {
        ngx_duplex_witness_done(witness, ngx_socket_errno);
        return;
    }

    c = pc->connection;

    witness->connection = c;

    c->data = witness;
    c->log = &ngx_duplex_witness_log;
    c->read->log = c->log;
    c->write->log = c->log;

    if (rc == NGX_OK) {
        ngx_duplex_witness_done(witness, 0);
        return;
    }

    c->idle = 1;

    c->read->handler = ngx_duplex_witness_handler;
    c->write->handler = ngx_duplex_witness_handler;

    c->write->cancelable = 1;
    ngx_add_timer(c->write, ngx_duplex_sync_conf()->connect_timeout);
}


static void
ngx_duplex_witness_handler(ngx_event_t *ev)
{
    int                err;
    socklen_t          len;
    ngx_connection_t  *c;

    c = ev->data;

    err = 0;
    len = sizeof(int);

    if (ev->timedout || c->close) {
        err = NGX_ETIMEDOUT;

    } else if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, (void *) &err, &len)
               == -1)
    {
        err = ngx_socket_errno;
    }

    ngx_duplex_witness_done(c->data, err);
}


/* a host that refuses is there: it is how a gateway without a port answers */

static void
ngx_duplex_witness_done(ngx_duplex_witness_t *witness, ngx_err_t err)
{
    ngx_duplex_witness_close(witness);

    ngx_duplex_witness_open--;

    if (err == 0 || err == NGX_ECONNREFUSED || err == NGX_ECONNRESET) {
        ngx_duplex_witness_answers++;
    }
}


static void
ngx_duplex_witness_close(ngx_duplex_witness_t *witness)
{
    ngx_connection_t  *c;

    c = witness->connection;

    if (c) {
        witness->connection = NULL;
        ngx_close_connection(c);
    }
}
