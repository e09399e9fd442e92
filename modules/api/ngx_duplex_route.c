
/*
 * See the header.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_route.h"
#include "../core/ngx_duplex_registry.h"


static ngx_int_t ngx_duplex_route_name(ngx_duplex_route_t *route,
    ngx_str_t *path, ngx_array_t *names);
static ngx_int_t ngx_duplex_route_compare(const void *one,
    const void *two);


ngx_int_t
ngx_duplex_route_split(ngx_duplex_route_t *route, ngx_str_t *path)
{
    u_char     *p, *last;
    ngx_str_t  *segment;

    p = path->data;
    last = p + path->len;

    if (p < last && *p == '/') {
        p++;
    }

    if (p < last && last[-1] == '/') {
        last--;
    }

    route->path.data = p;
    route->path.len = last - p;
    route->nsegments = 0;

    while (p < last) {

        if (route->nsegments == NGX_DUPLEX_PAGE_SEGMENTS) {
            return NGX_DECLINED;
        }

        segment = &route->segment[route->nsegments++];
        segment->data = p;

        while (p < last && *p != '/') {
            p++;
        }

        segment->len = p - segment->data;

        if (segment->len == 0) {
            return NGX_DECLINED;
        }

        p++;
    }

    return NGX_OK;
}


void
ngx_duplex_route_shift(ngx_duplex_route_t *route)
{
    u_char  *last;

    last = route->path.data + route->path.len;

    route->nsegments--;

    ngx_memmove(&route->segment[0], &route->segment[1],
                route->nsegments * sizeof(ngx_str_t));

    route->path.data = route->nsegments ? route->segment[0].data : last;
    route->path.len = last - route->path.data;
}


ngx_uint_t
ngx_duplex_route_match(ngx_duplex_route_t *route, ngx_str_t *pattern)
{
    size_t       len;
    u_char      *p, *last, *end;
    ngx_str_t   *segment;
    ngx_uint_t   i;

    p = pattern->data;
    last = p + pattern->len;

    route->nwildcards = 0;

    for (i = 0; i < route->nsegments; i++) {

        if (p >= last) {
            return 0;
        }

        end = ngx_strlchr(p, last, '/');
        len = (end ? end : last) - p;
        segment = &route->segment[i];

        if (len == 1 && *p == '*') {
            route->wildcard[route->nwildcards++] = *segment;

        } else if (segment->len != len
                   || ngx_strncmp(segment->data, p, len) != 0)
        {
            return 0;
        }

        p += len + 1;
    }

    return p > last;
}


ngx_duplex_page_t *
ngx_duplex_route_page(ngx_duplex_route_t *route)
{
    ngx_uint_t          i, fewest;
    ngx_duplex_page_t  *page, *best;

    best = NULL;
    fewest = NGX_DUPLEX_PAGE_SEGMENTS + 1;

    for (i = 0; (page = ngx_duplex_page(i)) != NULL; i++) {
        if (ngx_duplex_route_match(route, &page->path)
            && route->nwildcards < fewest)
        {
            best = page;
            fewest = route->nwildcards;
        }
    }

    if (best) {
        (void) ngx_duplex_route_match(route, &best->path);
    }

    return best;
}


ngx_array_t *
ngx_duplex_route_names(ngx_duplex_route_t *route, ngx_pool_t *pool)
{
    ngx_uint_t          i;
    ngx_array_t        *names;
    ngx_duplex_page_t  *page;
    ngx_duplex_view_t  *view;

    names = ngx_array_create(pool, 16, sizeof(ngx_str_t));
    if (names == NULL) {
        return NULL;
    }

    for (i = 0; (page = ngx_duplex_page(i)) != NULL; i++) {
        if (ngx_duplex_route_name(route, &page->path, names) != NGX_OK) {
            return NULL;
        }
    }

    for (i = 0; (view = ngx_duplex_view(i)) != NULL; i++) {
        if (ngx_duplex_route_name(route, &view->path, names) != NGX_OK) {
            return NULL;
        }
    }

    /* modules may be loaded in any order, the answer is always the same */

    ngx_sort(names->elts, names->nelts, sizeof(ngx_str_t),
             ngx_duplex_route_compare);

    return names;
}


/* adds the segment that "path" has next after the route's path */

static ngx_int_t
ngx_duplex_route_name(ngx_duplex_route_t *route, ngx_str_t *path,
    ngx_array_t *names)
{
    u_char      *p, *last, *end;
    ngx_str_t   *name, next;
    ngx_uint_t   i;

    p = path->data;
    last = p + path->len;

    if (route->path.len) {

        if (path->len <= route->path.len + 1
            || p[route->path.len] != '/'
            || ngx_strncmp(p, route->path.data, route->path.len) != 0)
        {
            return NGX_OK;
        }

        p += route->path.len + 1;
    }

    end = ngx_strlchr(p, last, '/');

    next.data = p;
    next.len = (end ? end : last) - p;

    if (next.len == 1 && next.data[0] == '*') {
        return NGX_OK;
    }

    name = names->elts;

    for (i = 0; i < names->nelts; i++) {
        if (name[i].len == next.len
            && ngx_strncmp(name[i].data, next.data, next.len) == 0)
        {
            return NGX_OK;
        }
    }

    name = ngx_array_push(names);
    if (name == NULL) {
        return NGX_ERROR;
    }

    *name = next;

    return NGX_OK;
}


static ngx_int_t
ngx_duplex_route_compare(const void *one, const void *two)
{
    const ngx_str_t  *first, *second;

    first = one;
    second = two;

    return ngx_memn2cmp(first->data, second->data, first->len,
                        second->len);
}
