
/*
 * What the configuration says of things that nodes share, as text: for whoever
 * compares nodes.  Features tell their own facts; nobody asks for them on a
 * node that is alone.
 *
 *     ngx_duplex_fact(facts, &group->zone, &name, "interval=%Mms", interval);
 *
 * A zone is one thing: "http:app" an upstream group, "zone:sessions" a zone
 * of shared memory, empty the node itself.  A value is one or more NAME=VALUE,
 * parted by spaces, always the same names in the same order; neither name nor
 * value has a tab or a line feed.
 */


#ifndef _NGX_DUPLEX_FACTS_H_INCLUDED_
#define _NGX_DUPLEX_FACTS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_DUPLEX_FACT_MAX  512        /* bytes of a value */


typedef struct {
    ngx_str_t    zone;
    ngx_str_t    name;      /* "server 10.0.0.1:80" */
    ngx_str_t    value;     /* "weight=1 max_conns=0" */
} ngx_duplex_fact_t;

typedef struct {
    ngx_pool_t  *pool;
    ngx_array_t  list;      /* ngx_duplex_fact_t */
    ngx_uint_t   failed;    /* no memory */
} ngx_duplex_facts_t;

/* tells all it knows of the present configuration */
typedef void (*ngx_duplex_facts_pt)(ngx_duplex_facts_t *facts);


/* for parsing only; NGX_ERROR: no memory */
ngx_int_t ngx_duplex_register_facts(ngx_conf_t *cf, ngx_duplex_facts_pt tell);

/* "zone" and "name" are copied; format as ngx_sprintf() */
void ngx_duplex_fact(ngx_duplex_facts_t *facts, ngx_str_t *zone,
    ngx_str_t *name, const char *fmt, ...);

/*
 * For commit and later: asks all that are registered, ordered by zone.
 * NGX_ERROR: no memory.
 */
ngx_int_t ngx_duplex_facts_all(ngx_duplex_facts_t *facts, ngx_pool_t *pool);


#endif /* _NGX_DUPLEX_FACTS_H_INCLUDED_ */
