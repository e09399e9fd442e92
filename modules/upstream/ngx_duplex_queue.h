
/*
 * The queue of a group: who waits for a server, counted over all workers.
 *
 * Each worker keeps its own waiting requests in order of their tickets, and
 * publishes how many they are and the oldest ticket.  A server that became
 * free belongs to the oldest ticket of all workers; a worker that does not
 * take what is its turn loses it to whoever looks next.
 *
 * The numbers live as long as the configuration: stock counts the connections
 * of a server anew after each reload, too.
 */


#ifndef _NGX_DUPLEX_QUEUE_H_INCLUDED_
#define _NGX_DUPLEX_QUEUE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_duplex_upstream.h"


typedef struct ngx_duplex_queue_s         ngx_duplex_queue_t;
typedef struct ngx_duplex_queue_shared_s  ngx_duplex_queue_shared_t;

struct ngx_duplex_queue_s {
    ngx_duplex_queue_t         *next;       /* of this configuration */
    ngx_str_t                   name;       /* of the upstream */
    ngx_uint_t                  max;        /* waiting requests */
    ngx_msec_t                  timeout;
    unsigned                    zone:1;     /* the group has a zone */
    unsigned                    stock:1;    /* its peers are where stock's
                                               balancers have them */

    ngx_duplex_queue_shared_t  *shared;

    /* of this worker */

    ngx_queue_t                 waiting;    /* in order of tickets */
    ngx_uint_t                  stalled;    /* looks at a server not taken */
    ngx_event_t                 look;       /* posted */
    ngx_event_t                 timer;      /* while somebody waits */
    void                      (*serve)(ngx_duplex_queue_t *queue,
                                    ngx_uint_t any);
    ngx_uint_t                (*is_free)(ngx_duplex_queue_t *queue);
    void                       *conf;       /* the protocol's */
};


/* for a directive; NULL: no memory */
ngx_duplex_queue_t *ngx_duplex_queue_add(ngx_conf_t *cf, ngx_str_t *name,
    void *conf);

/* once, for preconfiguration of whoever has the directive */
ngx_int_t ngx_duplex_queue_register(ngx_conf_t *cf);

/*
 * One more waits in this worker.  NGX_OK: under "*ticket", a new one if that
 * was 0; NGX_DECLINED: the queue is full.
 */
ngx_int_t ngx_duplex_queue_enter(ngx_duplex_queue_t *queue, uint64_t *ticket);
/* one less; "oldest" is the oldest ticket of those left, 0: none is left */
void ngx_duplex_queue_leave(ngx_duplex_queue_t *queue, uint64_t oldest);

/* requests waiting in all workers */
ngx_uint_t ngx_duplex_queue_size(ngx_duplex_queue_t *queue);

/* a server is free: the right worker is told, if somebody waits at all */
void ngx_duplex_queue_freed(ngx_duplex_queue_t *queue);

/* 1 if the oldest ticket of all workers is this worker's */
ngx_uint_t ngx_duplex_queue_turn(ngx_duplex_queue_t *queue);


/* the member "queue" of a group in the API, if it has one */
void ngx_duplex_queue_fields(ngx_duplex_group_t *group,
    ngx_duplex_json_t *json);


#endif /* _NGX_DUPLEX_QUEUE_H_INCLUDED_ */
