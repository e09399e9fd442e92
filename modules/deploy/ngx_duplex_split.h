
/*
 * A split: a variable that names one of several upstream groups, by weights
 * that are changed at run time and are the same on all nodes.
 *
 * The file says what a split is, and its weights until they are changed; a
 * change is a record of the store (kind "splt"), good for as long as the
 * line in the file is the one it was made against.  Every process has its
 * own copy of the map, and changes to a new one at the time the record says,
 * so that all processes of all nodes do it together.
 */


#ifndef _NGX_DUPLEX_SPLIT_H_INCLUDED_
#define _NGX_DUPLEX_SPLIT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_registry.h"
#include "ngx_duplex_split_map.h"


#define NGX_DUPLEX_SPLITS_MAX     64
#define NGX_DUPLEX_SPLIT_NAME_MAX 64
#define NGX_DUPLEX_SPLIT_WHO_MAX  64
#define NGX_DUPLEX_SPLIT_WHY_MAX  200

/* ms from a change to its activation: all nodes have it by then */
#define NGX_DUPLEX_SPLIT_DELAY    150


typedef struct {
    ngx_str_t                 group;        /* name of the upstream */
    ngx_str_t                 colour;       /* as=, or the group's */
    ngx_uint_t                weight;       /* in the file, of 10,000 */
    uint64_t                  hash;         /* of the group's name */
} ngx_duplex_split_part_t;


/* what is in force, or will be */
typedef struct {
    ngx_duplex_split_map_t    map;
    ngx_uint_t                weights[NGX_DUPLEX_SPLIT_PARTS];
    ngx_uint_t                closed;       /* bits: not even bound ones */
    uint64_t                  activate;     /* ms, wall clock */
    uint64_t                  changed;      /* ms, wall clock; 0: the file */
    uint64_t                  deployment;   /* that wrote it; 0: none */
    u_char                    who[NGX_DUPLEX_SPLIT_WHO_MAX];
    u_char                    why[NGX_DUPLEX_SPLIT_WHY_MAX];
    ngx_uint_t                who_len;
    ngx_uint_t                why_len;
} ngx_duplex_split_state_t;


typedef struct {
    ngx_str_t                 name;
    ngx_str_t                 variable;     /* without "$" */
    ngx_duplex_split_part_t   parts[NGX_DUPLEX_SPLIT_PARTS];
    ngx_uint_t                nparts;
    ngx_uint_t                id;           /* its place in figures */

    uint64_t                  digest;       /* of what the file says */

    /* of this process, from commit on */
    ngx_duplex_split_state_t  present;
    ngx_duplex_split_state_t  next;
    unsigned                  pending:1;    /* "next" waits for its time */
    unsigned                  superseded:1; /* by a changed line */
} ngx_duplex_split_t;


/* a change, in the order of the parts */
typedef struct {
    ngx_uint_t                weights[NGX_DUPLEX_SPLIT_PARTS];
    ngx_uint_t                closed;
    uint64_t                  deployment;
    ngx_str_t                 who;
    ngx_str_t                 why;
} ngx_duplex_split_change_t;


extern ngx_duplex_kind_t  ngx_duplex_split_kind;


/* for parsing: all that the file says is there */
void ngx_duplex_split_digest(ngx_duplex_split_t *split);

/* for commit: these are the present ones (ngx_duplex_split_t *) */
void ngx_duplex_splits_commit(ngx_array_t *splits);

/* the i-th, NULL after the last; by name, NULL: none */
ngx_duplex_split_t *ngx_duplex_split(ngx_uint_t i);
ngx_duplex_split_t *ngx_duplex_split_find(ngx_str_t *name);

/* the part with this group or colour; its number, NGX_ERROR: none */
ngx_int_t ngx_duplex_split_part(ngx_duplex_split_t *split, ngx_str_t *word);

/* what is in force now */
ngx_duplex_split_state_t *ngx_duplex_split_state(ngx_duplex_split_t *split);

/* the part for a new key */
ngx_uint_t ngx_duplex_split_select(ngx_duplex_split_t *split, ngx_str_t *key);

/*
 * Replicated, in force on all nodes in NGX_DUPLEX_SPLIT_DELAY.  Weights add
 * up to 10,000.  NGX_OK; NGX_DECLINED: is so already; NGX_ERROR: no memory.
 */
ngx_int_t ngx_duplex_split_change(ngx_duplex_split_t *split,
    ngx_duplex_split_change_t *change);

/* "10.5%" of a weight, without "%": at most 6 bytes */
u_char *ngx_duplex_split_percent(u_char *p, ngx_uint_t weight);


#endif /* _NGX_DUPLEX_SPLIT_H_INCLUDED_ */
