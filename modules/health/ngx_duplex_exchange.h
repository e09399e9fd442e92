
/*
 * An exchange: a dialog over a connection that is open, from the first byte
 * sent to the verdict.
 *
 * It owns no handler, no timer and no connection: whoever does calls run()
 * for each event, and decides what an end of the time means.
 */


#ifndef _NGX_DUPLEX_EXCHANGE_H_INCLUDED_
#define _NGX_DUPLEX_EXCHANGE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_duplex_dialog.h"
#include "ngx_duplex_health.h"


#define NGX_DUPLEX_EXCHANGE_TEXT  200


typedef struct {
    ngx_duplex_dialog_t       *dialog;
    ngx_connection_t          *connection;  /* TCP, TLS or UDP */

    ngx_buf_t                  in;          /* as much as is looked at */
    size_t                     sent;

    /* after NGX_OK; "text" may be in "story" */
    ngx_duplex_probe_result_t  result;
    u_char                     story[NGX_DUPLEX_EXCHANGE_TEXT];
} ngx_duplex_exchange_t;


/*
 * Sends and receives as much as it can.
 * NGX_AGAIN: wait for the next event; NGX_OK: "result" is there.
 */
ngx_int_t ngx_duplex_exchange_run(ngx_duplex_exchange_t *x);

/* no time is left: "result" is there */
void ngx_duplex_exchange_timeout(ngx_duplex_exchange_t *x);


#endif /* _NGX_DUPLEX_EXCHANGE_H_INCLUDED_ */
