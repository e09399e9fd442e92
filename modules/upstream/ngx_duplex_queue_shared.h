
/*
 * What the two files of the queue share: its shared memory.
 */


#ifndef _NGX_DUPLEX_QUEUE_SHARED_H_INCLUDED_
#define _NGX_DUPLEX_QUEUE_SHARED_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_lock.h"
#include "ngx_duplex_queue.h"


#define NGX_DUPLEX_QUEUE_SLOTS  256     /* workers that may wait at once */


/* shared memory: what one worker holds of a queue */
typedef struct {
    ngx_pid_t                   pid;        /* 0: free */
    ngx_uint_t                  waiting;
    uint64_t                    oldest;     /* ticket; 0: none */
} ngx_duplex_queue_slot_t;

/* shared memory */
struct ngx_duplex_queue_shared_s {
    ngx_duplex_lock_t           lock;
    uint64_t                    tickets;    /* given out */
    ngx_uint_t                  overflows;
    ngx_uint_t                  used;       /* slots, from the first */
    ngx_duplex_queue_slot_t     slots[NGX_DUPLEX_QUEUE_SLOTS];
};


/* of the configuration in force, NULL: none */
ngx_duplex_queue_t *ngx_duplex_queue_first(void);

/* in each worker */
ngx_int_t ngx_duplex_queue_start(ngx_cycle_t *cycle);


#endif /* _NGX_DUPLEX_QUEUE_SHARED_H_INCLUDED_ */
