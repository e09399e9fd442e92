
/*
 * One sender: the dialling side of the protocol towards one address.
 *
 * The struct is shown to the files that make up a sender's life: the list
 * (ngx_duplex_senders.c), the connecting (ngx_duplex_dial.c) and the handshake
 * (ngx_duplex_greet.c).
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
#include "ngx_duplex_sync_conf.h"


typedef struct {
    ngx_duplex_dialled_t   *node;       /* in shared memory; NULL: unused */
    ngx_duplex_listed_t     listed;
    ngx_pool_t             *pool;       /* of its strings */
    ngx_duplex_dial_e       state;

    ngx_peer_connection_t   pc;
    ngx_log_t               log;        /* of the connection */
    u_char                  said[NGX_DUPLEX_TLS_SAID];  /* in it */
    ngx_connection_t       *connection; /* until there is a link */
    uint64_t                retry;      /* ms, monotonic: not before */
    uint64_t                since;      /* ms, monotonic: dialled */

    ngx_duplex_link_t      *link;
    ngx_duplex_transcript_t  transcript;  /* of the handshake */

    ngx_duplex_feed_t      *feeds;      /* of the link's pool */
    ngx_uint_t              nfeeds;
    ngx_uint_t              turn;       /* the feed that goes first */
} ngx_duplex_sender_t;


/* changes the state, and shows it */
void ngx_duplex_sender_become(ngx_duplex_sender_t *s,
    ngx_duplex_dial_e state);

/* of the link that the handshake is made on */
extern ngx_duplex_link_owner_t  ngx_duplex_sender_owner;

/* the node has welcomed us: announces the tables */
ngx_int_t ngx_duplex_sender_announce(ngx_duplex_sender_t *s);

/* the address did not answer; "err" is the system's */
void ngx_duplex_sender_unreachable(ngx_duplex_sender_t *s, ngx_err_t err);
/* it answered, and is not who it should be: "text" says why */
void ngx_duplex_sender_mistrusted(ngx_duplex_sender_t *s, const char *text);

/* for a sender with a link: both may close it */
void ngx_duplex_sender_ship(ngx_duplex_sender_t *s);
void ngx_duplex_sender_beat(ngx_duplex_sender_t *s);


#endif /* _NGX_DUPLEX_SENDER_H_INCLUDED_ */
