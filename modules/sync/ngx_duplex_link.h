
/*
 * One link: a TCP (or unix) connection that carries frames both ways.
 *
 * Knows buffers, silence and the end of the connection, but neither what a
 * frame means nor who speaks first: its owner, a sender or a receiver, has
 * three handlers for that.  It lives in the connection's pool and is gone
 * when "closed" has been called.  c->data of the connection points to it.
 */


#ifndef _NGX_DUPLEX_LINK_H_INCLUDED_
#define _NGX_DUPLEX_LINK_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_duplex_frame.h"
#include "ngx_duplex_nodes.h"


/* why a link ended: one table of words for log and API */
typedef enum {
    ngx_duplex_link_connect = 0,    /* could not be established */
    ngx_duplex_link_eof,            /* closed by the other side */
    ngx_duplex_link_bye,            /* the same, with a goodbye */
    ngx_duplex_link_failed,         /* an error of the socket, or no memory */
    ngx_duplex_link_silent,         /* nothing heard for zone_sync_timeout */
    ngx_duplex_link_malformed,      /* link->malformed says how */
    ngx_duplex_link_refused,        /* in the handshake, by either side */
    ngx_duplex_link_clock,          /* a record of more than a day ahead */
    ngx_duplex_link_stopped         /* this worker gives it up */
} ngx_duplex_link_end_e;

const char *ngx_duplex_link_end_text(ngx_uint_t end);


typedef struct ngx_duplex_link_s  ngx_duplex_link_t;

typedef struct {
    /*
     * A whole frame.  NGX_OK; NGX_ERROR: frame->malformed says why;
     * NGX_DONE: close the link, link->end says why.  Must not close it.
     */
    ngx_int_t  (*frame)(ngx_duplex_link_t *link, ngx_duplex_frame_t *frame);

    /*
     * All that could be read was handled, or the socket takes bytes again:
     * now is the time to write.  NGX_OK, or NGX_DONE as above.
     */
    ngx_int_t  (*turn)(ngx_duplex_link_t *link);

    /* the last word: must close the connection */
    void       (*closed)(ngx_duplex_link_t *link);
} ngx_duplex_link_owner_t;


struct ngx_duplex_link_s {
    ngx_connection_t         *connection;
    ngx_duplex_link_owner_t  *owner;
    void                     *data;         /* of the owner */

    ngx_buf_t                 in;
    ngx_buf_t                 out;
    size_t                    frame_max;    /* of a payload read */

    ngx_duplex_mac_t         *mac_in;       /* NULL: frames carry no code */
    ngx_duplex_mac_t         *mac_out;

    ngx_msec_t                silence;      /* allowed; 0: the owner looks */
    uint64_t                  heard;        /* ms, monotonic */
    ngx_duplex_traffic_t     *traffic;      /* counted there */

    ngx_duplex_link_end_e     end;
    ngx_duplex_malformed_e    malformed;
};


/*
 * A link over an established connection: no byte may have been read from it,
 * except for "preread" (NULL: none).  NULL: no memory.
 */
ngx_duplex_link_t *ngx_duplex_link_create(ngx_connection_t *c,
    ngx_duplex_link_owner_t *owner, void *data, ngx_duplex_traffic_t *traffic,
    ngx_buf_t *preread);

/* after the handshake: larger buffers, larger frames; NGX_ERROR: no memory */
ngx_int_t ngx_duplex_link_grow(ngx_duplex_link_t *link, size_t in, size_t out);

/* bytes after each frame that is written */
#define ngx_duplex_link_trailer(link)                                         \
    ((link)->mac_out ? NGX_DUPLEX_MAC_SIZE : 0)

/* closes it after "silence" ms without a byte; 0: never */
void ngx_duplex_link_watch(ngx_duplex_link_t *link, ngx_msec_t silence);

/*
 * Where the next frame of at most "size" bytes may be written; NULL if there
 * is no room.  sent() tells how far it went, and adds the code: the next one
 * begins at link->out.last.
 */
u_char *ngx_duplex_link_room(ngx_duplex_link_t *link, size_t size);
void ngx_duplex_link_sent(ngx_duplex_link_t *link, u_char *last);

/* NGX_OK: all is out; NGX_AGAIN; NGX_DONE: as of the handlers */
ngx_int_t ngx_duplex_link_flush(ngx_duplex_link_t *link);

/* reads or writes on in the next turn of the event loop */
void ngx_duplex_link_go_on(ngx_duplex_link_t *link);

/* never from within a handler of this link */
void ngx_duplex_link_close(ngx_duplex_link_t *link, ngx_duplex_link_end_e end);
/* the same with a goodbye, if that can be written at once */
void ngx_duplex_link_leave(ngx_duplex_link_t *link);


#endif /* _NGX_DUPLEX_LINK_H_INCLUDED_ */
