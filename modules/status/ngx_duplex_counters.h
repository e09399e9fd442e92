
/*
 * Counters in shared memory, of things that have a name: a server zone, a
 * peer, a cache.
 *
 * Each thing has a cell; a cell has one slot of counters per worker, a cache
 * line or more apart from the next, and is summed when it is read.  Cells
 * survive reloads and belong to who has the same kind and name.
 */


#ifndef _NGX_DUPLEX_COUNTERS_H_INCLUDED_
#define _NGX_DUPLEX_COUNTERS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_DUPLEX_COUNTERS  80         /* of a cell */
#define NGX_DUPLEX_GAUGES    2          /* the first of them go down, too */


typedef enum {
    ngx_duplex_cell_node = 1,
    ngx_duplex_cell_worker,
    ngx_duplex_cell_http_server,
    ngx_duplex_cell_http_location,
    ngx_duplex_cell_http_cache,
    ngx_duplex_cell_http_peer,
    ngx_duplex_cell_stream_server,
    ngx_duplex_cell_stream_peer
} ngx_duplex_cell_e;


typedef struct ngx_duplex_cell_s  ngx_duplex_cell_t;

/* a copy, summed over the workers */
typedef struct {
    uint64_t   count[NGX_DUPLEX_COUNTERS];
} ngx_duplex_sum_t;


/*
 * For directives: somebody will show what is counted.  Asked in bind: without
 * that nothing is counted that no directive names.
 */
ngx_int_t ngx_duplex_counters_want(ngx_conf_t *cf);
ngx_uint_t ngx_duplex_counters_wanted(ngx_conf_t *cf);

/* for directives and bind: room for "n" more cells; there are some spare */
ngx_int_t ngx_duplex_counters_reserve(ngx_conf_t *cf, ngx_uint_t n);

/*
 * For start and later: the cell of this kind and name, made if there is none.
 * NULL: no room, or nobody has reserved any; counting then does nothing.
 */
ngx_duplex_cell_t *ngx_duplex_cell(ngx_duplex_cell_e kind, ngx_str_t *name);

/* the process's slot of all cells; set when a worker starts */
void ngx_duplex_counters_use_slot(ngx_uint_t worker);

/* this worker's counter "i" of a cell */
ngx_atomic_t *ngx_duplex_cell_counter(ngx_duplex_cell_t *cell, ngx_uint_t i);

#define ngx_duplex_count(cell, i, n)                                          \
    do {                                                                      \
        if (cell) {                                                           \
            (void) ngx_atomic_fetch_add(ngx_duplex_cell_counter(cell, i),     \
                                        (ngx_atomic_int_t) (n));              \
        }                                                                     \
    } while (0)

/* all zero if "cell" is NULL */
void ngx_duplex_cell_sum(ngx_duplex_cell_t *cell, ngx_duplex_sum_t *sum);

/* sets the counters from "first" on, "n" of them, to 0 */
void ngx_duplex_cell_reset(ngx_duplex_cell_t *cell, ngx_uint_t first,
    ngx_uint_t n);

/*
 * A word that is not summed, of all workers: a time, a moving average.  "i" is
 * a counter that the cell's kind does not count with.
 */
ngx_atomic_t *ngx_duplex_cell_word(ngx_duplex_cell_t *cell, ngx_uint_t i);

/*
 * For a worker that begins in the place of one that died: what that one had
 * under way is over, so the gauges in the slot they share are 0.
 */
void ngx_duplex_counters_forget(void);


#endif /* _NGX_DUPLEX_COUNTERS_H_INCLUDED_ */
