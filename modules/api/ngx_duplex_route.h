
/*
 * Routes of the API: from the segments of a path to the page that a feature
 * or the API itself has registered for it, and to the names below a path
 * that only leads on.
 *
 * Pure: it knows no request.
 */


#ifndef _NGX_DUPLEX_ROUTE_H_INCLUDED_
#define _NGX_DUPLEX_ROUTE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_page.h"


typedef struct {
    ngx_str_t    path;                              /* "http/upstreams/app" */
    ngx_str_t    segment[NGX_DUPLEX_PAGE_SEGMENTS];
    ngx_uint_t   nsegments;

    ngx_str_t    wildcard[NGX_DUPLEX_PAGE_SEGMENTS];
    ngx_uint_t   nwildcards;
} ngx_duplex_route_t;


/*
 * Cuts what stands behind the location's prefix; one slash at either end does
 * not count.  NGX_DECLINED: no page has such a path.
 */
ngx_int_t ngx_duplex_route_split(ngx_duplex_route_t *route, ngx_str_t *path);

/* takes the first segment (the version) away */
void ngx_duplex_route_shift(ngx_duplex_route_t *route);

/* fills in the wildcards; 0: this is not the way to "pattern" */
ngx_uint_t ngx_duplex_route_match(ngx_duplex_route_t *route,
    ngx_str_t *pattern);

/* the page of this path, with its wildcards filled in; NULL: none */
ngx_duplex_page_t *ngx_duplex_route_page(ngx_duplex_route_t *route);

/*
 * The names one level below, of pages and views, sorted: an array of
 * ngx_str_t in "pool"; NULL: no memory.
 */
ngx_array_t *ngx_duplex_route_names(ngx_duplex_route_t *route,
    ngx_pool_t *pool);


#endif /* _NGX_DUPLEX_ROUTE_H_INCLUDED_ */
