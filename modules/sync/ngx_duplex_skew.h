
/*
 * Where the configurations of the nodes differ in what they share.
 *
 * Each node writes what its file says of each group and zone as a record of
 * its own ("conf"); so any worker of any node can compare.  The holder of the
 * lease tells once of each difference.
 */


#ifndef _NGX_DUPLEX_SKEW_H_INCLUDED_
#define _NGX_DUPLEX_SKEW_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_store.h"
#include "../core/ngx_duplex_json.h"


#define ngx_duplex_skew_same(one, two)                                        \
    ((one)->len == (two)->len                                                 \
     && ngx_memcmp((one)->data, (two)->data, (one)->len) == 0)

#define NGX_DUPLEX_SKEW  NGX_DUPLEX_TAG('c', 'o', 'n', 'f')


/* all strings live as long as the visit; without data: it is not there */
typedef struct {
    ngx_str_t    node;      /* the other one */
    ngx_str_t    zone;      /* "http:app", "zone:sessions" */
    ngx_str_t    name;      /* "server 10.0.0.1:80 weight"; empty: of all */
    ngx_str_t    here;
    ngx_str_t    there;
} ngx_duplex_difference_t;

typedef void (*ngx_duplex_skew_visit_pt)(ngx_duplex_difference_t *difference,
    void *data);


extern ngx_duplex_kind_t  ngx_duplex_skew_kind;


/* all differences from nodes that are known; NGX_ERROR: no memory */
ngx_int_t ngx_duplex_skew_visit(ngx_pool_t *pool,
    ngx_duplex_skew_visit_pt visit, void *data);

/* what two nodes say of one zone: lines of NAME, tab, VALUE */
void ngx_duplex_skew_compare(ngx_str_t *here, ngx_str_t *there,
    ngx_duplex_difference_t *difference, ngx_duplex_skew_visit_pt visit,
    void *data);

/* the holder of the lease: writes this node's, or sees that it stands */
void ngx_duplex_skew_publish(void);

/* the same, with each beat: tells of what is new */
void ngx_duplex_skew_take(void);
void ngx_duplex_skew_beat(void);

/* the view "duplex/skew" */
void ngx_duplex_skew_render(ngx_duplex_json_t *json);


#endif /* _NGX_DUPLEX_SKEW_H_INCLUDED_ */
