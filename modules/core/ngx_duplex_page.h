
/*
 * Pages of the API that features offer: paths with wildcards, methods, bodies
 * and arguments.  What only shows one value without any of that is a view
 * (ngx_duplex_registry.h).
 *
 * A page runs once, in the worker that has the request, and must not block:
 * it writes its answer to call->json and returns the HTTP status.
 */


#ifndef _NGX_DUPLEX_PAGE_H_INCLUDED_
#define _NGX_DUPLEX_PAGE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <jansson.h>
#include "ngx_duplex_json.h"


#define NGX_DUPLEX_PAGE_SEGMENTS    8       /* of the longest path */
#define NGX_DUPLEX_CALL_TEXT_MAX    512     /* bytes of an error's text */

/* statuses that nginx has no name for in neutral files */
#define NGX_DUPLEX_CALL_OK          200
#define NGX_DUPLEX_CALL_CREATED     201
#define NGX_DUPLEX_CALL_NO_CONTENT  204


typedef struct ngx_duplex_call_s  ngx_duplex_call_t;
typedef struct ngx_duplex_page_s  ngx_duplex_page_t;

/*
 * The HTTP status of the answer; or what ngx_duplex_call_refuse() returned.
 * Nothing in call->json: the answer has no body.
 */
typedef ngx_uint_t (*ngx_duplex_page_pt)(ngx_duplex_call_t *call);


/* static data, or of the cycle's memory */
struct ngx_duplex_page_s {
    /*
     * In it, "*" is any one segment.  Served below VERSION/, or, if it begins
     * with "duplex/", below both PREFIX/ and VERSION/.  Of several that fit,
     * the one with the fewest "*" is taken, of those the first registered.
     */
    ngx_str_t            path;

    ngx_duplex_page_pt   get;           /* HEAD, too */
    ngx_duplex_page_pt   post;          /* NULL: not offered (405) */
    ngx_duplex_page_pt   patch;
    ngx_duplex_page_pt   put;
    ngx_duplex_page_pt   del;           /* never has a body */

    /*
     * The answer of GET is an object of named objects: "fields=" applies to
     * the inner ones, and an empty "fields=" leaves the array of names.
     */
    ngx_uint_t           collection;

    void                *data;          /* the page's own */
};


struct ngx_duplex_call_s {
    ngx_duplex_page_t   *page;

    ngx_str_t           *segment;       /* what each "*" stood for */
    ngx_uint_t           nsegments;

    json_t              *body;          /* NULL: GET, DELETE */
    ngx_duplex_json_t   *json;          /* "fields=" applies already */
    ngx_pool_t          *pool;          /* of the request */

    ngx_str_t           *client;        /* its address, for audit lines */
    ngx_str_t            args;          /* as they came */
    ngx_str_t            if_match;      /* "If-Match"; empty: none */

    /* set by the page: */

    ngx_str_t            etag;          /* header of the answer */
    unsigned             durable:1;     /* not before the journal has it */

    /* set by ngx_duplex_call_refuse(): */

    const char          *code;          /* NULL: not refused */
    ngx_str_t            text;
};


/* for parsing only; NGX_ERROR: no memory */
ngx_int_t ngx_duplex_register_page(ngx_conf_t *cf, ngx_duplex_page_t *page);
/* all of a table that ends with an empty path */
ngx_int_t ngx_duplex_register_pages(ngx_conf_t *cf, ngx_duplex_page_t *pages);

/* of the present cycle, for commit and later: the i-th, NULL after the last */
ngx_duplex_page_t *ngx_duplex_page(ngx_uint_t i);

/*
 * "?name=value", unescaped, in call->pool.
 * NGX_OK; NGX_DECLINED: there is none; NGX_ERROR: no memory.
 */
ngx_int_t ngx_duplex_call_arg(ngx_duplex_call_t *call, const char *name,
    ngx_str_t *value);

/*
 * The answer is an error object and nothing else; returns "status".  "code"
 * is the stable word that clients compare; text as ngx_sprintf().
 */
ngx_uint_t ngx_duplex_call_refuse(ngx_duplex_call_t *call, ngx_uint_t status,
    const char *code, const char *fmt, ...);


#define ngx_duplex_null_page                                                  \
    { ngx_null_string, NULL, NULL, NULL, NULL, NULL, 0, NULL }


#endif /* _NGX_DUPLEX_PAGE_H_INCLUDED_ */
