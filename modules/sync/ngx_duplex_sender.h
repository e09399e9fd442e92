
/*
 * One sender: the dialling side of the protocol towards one address.
 *
 * The struct is shown to the files that make up a sender's life: the list
 * (ngx_duplex_senders.c) and the connecting (ngx_duplex_dial.c).
 */


#ifndef _NGX_DUPLEX_SENDER_H_INCLUDED_
#define _NGX_DUPLEX_SENDER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_event_connect.h>
#include "ngx_duplex_feed.h"
#include "ngx_duplex_link.h"
#include "ngx_duplex_nodes.h"


typedef struct {
    ngx_addr_t             *addr;
    ngx_duplex_dialled_t   *node;       /* in shared memory */
    ngx_duplex_dial_e       state;

    ngx_peer_connection_t   pc;
    ngx_log_t               log;        /* of the connection */
    ngx_connection_t       *connection; /* until there is a link */
    uint64_t                retry;      /* ms, monotonic: not before */
    uint64_t                since;      /* ms, monotonic: dialled */

    ngx_duplex_link_t      *link;

    ngx_duplex_feed_t      *feeds;      /* of the link's pool */
    ngx_uint_t              nfeeds;
    ngx_uint_t              turn;       /* the feed that goes first */
} ngx_duplex_sender_t;


/* changes the state, and shows it */
void ngx_duplex_sender_become(ngx_duplex_sender_t *s,
    ngx_duplex_dial_e state);

/* takes the established s->connection over: makes the link, sends HELLO */
void ngx_duplex_sender_greet(ngx_duplex_sender_t *s);

/* the address did not answer; "err" is the system's */
void ngx_duplex_sender_unreachable(ngx_duplex_sender_t *s, ngx_err_t err);

/* for a sender with a link: both may close it */
void ngx_duplex_sender_ship(ngx_duplex_sender_t *s);
void ngx_duplex_sender_beat(ngx_duplex_sender_t *s);


#endif /* _NGX_DUPLEX_SENDER_H_INCLUDED_ */
