
/*
 * Who holds how many connections of a stock peer.
 *
 * Stock counts them for all workers together, so what a worker held that was
 * killed would be counted for ever, and a server with max_conns would fill up
 * with ghosts.  Each stock peer of a zone has a row of numbers, one for each
 * worker's place; only that worker writes it.  Who is started in the place
 * of one that was killed gives back what is left there.
 *
 * A number grows after stock's and falls before it: a death between the two
 * leaves one connection counted, and never takes off one that is there.
 */


#ifndef _NGX_DUPLEX_HELD_H_INCLUDED_
#define _NGX_DUPLEX_HELD_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_process_cycle.h>
#include "ngx_duplex_upstream.h"


/* "peer" is stock's, which has the address of its row in a word, or 0 */

#define ngx_duplex_held_take(peer)                                            \
    do {                                                                      \
        if ((peer)->spare[1]) {                                               \
            ((uint32_t *) (uintptr_t) (peer)->spare[1])[ngx_worker]++;        \
        }                                                                     \
    } while (0)

#define ngx_duplex_held_leave(peer)                                           \
    do {                                                                      \
        if ((peer)->spare[1]) {                                               \
            ((uint32_t *) (uintptr_t) (peer)->spare[1])[ngx_worker]--;        \
        }                                                                     \
    } while (0)


/* for the places of a new list: bytes of a row */
#define ngx_duplex_held_size(group)  ((group)->workers * sizeof(uint32_t))

/* in a worker, before its first request */
void ngx_duplex_held_start(void);


#endif /* _NGX_DUPLEX_HELD_H_INCLUDED_ */
