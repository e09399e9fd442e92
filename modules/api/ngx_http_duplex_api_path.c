
/*
 * Paths of the API, see the header.
 */


#include "ngx_http_duplex_api_path.h"
#include "../core/ngx_duplex_registry.h"
#include "../upstream/ngx_duplex_upstream.h"


static ngx_uint_t ngx_http_duplex_api_path_is_there(
    ngx_http_duplex_api_page_t *page);
static ngx_uint_t ngx_http_duplex_api_path_match(ngx_http_duplex_api_t *api,
    ngx_str_t *pattern);
static ngx_int_t ngx_http_duplex_api_path_name(ngx_http_duplex_api_t *api,
    ngx_str_t *path, ngx_array_t *names);


ngx_int_t
ngx_http_duplex_api_path_split(ngx_http_duplex_api_t *api, ngx_str_t *path)
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

    api->path.data = p;
    api->path.len = last - p;
    api->nsegments = 0;

    while (p < last) {

        if (api->nsegments == NGX_HTTP_DUPLEX_API_SEGMENTS) {
            return NGX_DECLINED;
        }

        segment = &api->segment[api->nsegments++];
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
ngx_http_duplex_api_path_shift(ngx_http_duplex_api_t *api)
{
    u_char  *last;

    last = api->path.data + api->path.len;

    api->nsegments--;

    ngx_memmove(&api->segment[0], &api->segment[1],
                api->nsegments * sizeof(ngx_str_t));

    api->path.data = api->nsegments ? api->segment[0].data : last;
    api->path.len = last - api->path.data;
}


ngx_http_duplex_api_page_t *
ngx_http_duplex_api_path_find(ngx_http_duplex_api_t *api,
    ngx_http_duplex_api_page_t *pages)
{
    ngx_http_duplex_api_page_t  *page;

    for (page = pages; page->path.len; page++) {
        if (ngx_http_duplex_api_path_is_there(page)
            && ngx_http_duplex_api_path_match(api, &page->path))
        {
            return page;
        }
    }

    return NULL;
}


static ngx_uint_t
ngx_http_duplex_api_path_is_there(ngx_http_duplex_api_page_t *page)
{
    return page->driver.len == 0 || ngx_duplex_driver_find(&page->driver);
}


static ngx_uint_t
ngx_http_duplex_api_path_match(ngx_http_duplex_api_t *api, ngx_str_t *pattern)
{
    size_t       len;
    u_char      *p, *last, *end;
    ngx_str_t   *segment;
    ngx_uint_t   i;

    p = pattern->data;
    last = p + pattern->len;

    for (i = 0; i < api->nsegments; i++) {

        if (p >= last) {
            return 0;
        }

        end = ngx_strlchr(p, last, '/');
        len = (end ? end : last) - p;
        segment = &api->segment[i];

        if (!(len == 1 && *p == '*')
            && (segment->len != len
                || ngx_strncmp(segment->data, p, len) != 0))
        {
            return 0;
        }

        p += len + 1;
    }

    return p > last;
}


ngx_array_t *
ngx_http_duplex_api_path_names(ngx_http_duplex_api_t *api,
    ngx_http_duplex_api_page_t *pages)
{
    ngx_uint_t                   i;
    ngx_array_t                 *names;
    ngx_duplex_view_t           *view;
    ngx_http_duplex_api_page_t  *page;

    names = ngx_array_create(api->request->pool, 8, sizeof(ngx_str_t));
    if (names == NULL) {
        return NULL;
    }

    for (page = pages; page->path.len; page++) {
        if (ngx_http_duplex_api_path_is_there(page)
            && ngx_http_duplex_api_path_name(api, &page->path, names)
               != NGX_OK)
        {
            return NULL;
        }
    }

    for (i = 0; (view = ngx_duplex_view(i)) != NULL; i++) {
        if (ngx_http_duplex_api_path_name(api, &view->path, names)
            != NGX_OK)
        {
            return NULL;
        }
    }

    return names;
}


/* adds the segment that "path" has next after api->path */

static ngx_int_t
ngx_http_duplex_api_path_name(ngx_http_duplex_api_t *api, ngx_str_t *path,
    ngx_array_t *names)
{
    u_char      *p, *last, *end;
    ngx_str_t   *name, next;
    ngx_uint_t   i;

    p = path->data;
    last = p + path->len;

    if (api->path.len) {

        if (path->len <= api->path.len + 1
            || p[api->path.len] != '/'
            || ngx_strncmp(p, api->path.data, api->path.len) != 0)
        {
            return NGX_OK;
        }

        p += api->path.len + 1;
    }

    end = ngx_strlchr(p, last, '/');

    next.data = p;
    next.len = (end ? end : last) - p;

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
