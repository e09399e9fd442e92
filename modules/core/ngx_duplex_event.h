
/*
 * Events: what has changed on this node, for those who watch.
 *
 * They stand in a ring in the store's memory and survive reloads; who reads
 * too slowly is told that something is missing.  An event is a notice, not
 * the truth: that is in the store.
 */


#ifndef _NGX_DUPLEX_EVENT_H_INCLUDED_
#define _NGX_DUPLEX_EVENT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_DUPLEX_EVENT_TYPE_MAX   15      /* bytes, longer ones are cut */
#define NGX_DUPLEX_EVENT_DATA_MAX   472     /* of subject and text together */


typedef struct ngx_duplex_events_s  ngx_duplex_events_t;


/* a copy; its strings point into "buf" */
typedef struct {
    uint64_t     id;                        /* from 1, without gaps */
    uint64_t     time;                      /* ms since the epoch */
    ngx_str_t    type;                      /* "verdict" */
    ngx_str_t    subject;                   /* "http:app 10.0.0.7:80" */
    ngx_str_t    text;
    u_char       buf[NGX_DUPLEX_EVENT_TYPE_MAX + NGX_DUPLEX_EVENT_DATA_MAX];
} ngx_duplex_event_t;


/*
 * Adds one, at any time after commit, and wakes the readers of all workers.
 * "type" is a word without blanks that readers compare; "subject" names what
 * has changed; the text, as ngx_sprintf() makes it, is for people.  Without a
 * store it does nothing.
 */
void ngx_duplex_event(const char *type, ngx_str_t *subject, const char *fmt,
    ...);

/* id of the latest; 0: none */
uint64_t ngx_duplex_event_last(void);

/*
 * The one after "*id", which becomes its id.  NGX_OK; NGX_DONE: none;
 * NGX_DECLINED: some are gone, and "*id" is the id of the last of those.
 */
ngx_int_t ngx_duplex_event_next(uint64_t *id, ngx_duplex_event_t *event);

/* calls "handler" in this process soon after something was added */
typedef void (*ngx_duplex_event_pt)(void);

void ngx_duplex_event_watch(ngx_duplex_event_pt handler);


/* for core: bytes of the ring in a store of "size" bytes */
size_t ngx_duplex_events_size(size_t size);
/* memory is zeroed; NGX_ERROR is logged */
ngx_int_t ngx_duplex_events_create(ngx_duplex_events_t *events, size_t size,
    ngx_log_t *log);
/* ids go on where those of "old" end */
void ngx_duplex_events_follow(ngx_duplex_events_t *events,
    ngx_duplex_events_t *old);
/* in the tick and when woken: calls the handler, if there is something new */
void ngx_duplex_events_deliver(void);


#endif /* _NGX_DUPLEX_EVENT_H_INCLUDED_ */
