
/*
 * Waking other processes of this host: a few eventfds that the master makes
 * once and all generations of workers inherit.
 *
 * They are never read: each write is an edge for every process that watches
 * (epoll, edge-triggered).
 */


#ifndef _NGX_DUPLEX_WAKE_H_INCLUDED_
#define _NGX_DUPLEX_WAKE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>


typedef enum {
    ngx_duplex_wake_workers = 0,    /* all: derived state is out of date */
    ngx_duplex_wake_holder,         /* of the lease: something to ship */
    ngx_duplex_wake_acked,          /* all: another node has acknowledged */
    ngx_duplex_wake_queues,         /* those where requests wait: a server
                                       is free */
    ngx_duplex_wake_n
} ngx_duplex_wake_e;


/* in the master, before it forks; NGX_ERROR is logged */
ngx_int_t ngx_duplex_wake_create(ngx_log_t *log);

/* calls "handler" after each wake-up, until unwatched; also if there were
   several, at least once after the last */
ngx_int_t ngx_duplex_wake_watch(ngx_duplex_wake_e which,
    ngx_event_handler_pt handler, ngx_log_t *log);
void ngx_duplex_wake_unwatch(ngx_duplex_wake_e which);

/* wakes at the end of this turn of the event loop, once for many calls */
void ngx_duplex_wake(ngx_duplex_wake_e which);


#endif /* _NGX_DUPLEX_WAKE_H_INCLUDED_ */
