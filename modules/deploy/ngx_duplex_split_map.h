
/*
 * Which part of a split owns which slot.
 *
 * The hash of a key picks one of 10,000 slots, each of 0.01 % of the keys; a
 * slot belongs to one part.  A change of weights moves as few slots as can
 * be: none between two parts of which neither loses and neither gains.
 *
 * Pure: no memory but the caller's, the same result everywhere.
 */


#ifndef _NGX_DUPLEX_SPLIT_MAP_H_INCLUDED_
#define _NGX_DUPLEX_SPLIT_MAP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_DUPLEX_SPLIT_SLOTS  10000
#define NGX_DUPLEX_SPLIT_PARTS  8


typedef struct {
    u_char  part[NGX_DUPLEX_SPLIT_SLOTS];
} ngx_duplex_split_map_t;


/* from nothing; "weights" of "n" parts add up to the number of slots */
void ngx_duplex_split_map_fill(ngx_duplex_split_map_t *map,
    ngx_uint_t *weights, ngx_uint_t n);

/* from what it is to these weights */
void ngx_duplex_split_map_move(ngx_duplex_split_map_t *map,
    ngx_uint_t *weights, ngx_uint_t n);

ngx_uint_t ngx_duplex_split_map_slot(uint32_t hash);


#endif /* _NGX_DUPLEX_SPLIT_MAP_H_INCLUDED_ */
