
/*
 * Where a request or an answer says which session it is of: variables, the
 * first that is not empty.
 *
 * Most are cookies, and evaluating a variable costs four times what looking
 * for the cookie does; so $cookie_NAME is looked for here, with nginx's own
 * rules, unless the configuration has made that variable something else.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "../core/ngx_duplex_compat.h"
#include "ngx_http_duplex_sticky.h"


#define NGX_HTTP_DUPLEX_STICKY_COOKIE      "cookie_"
#define NGX_HTTP_DUPLEX_STICKY_COOKIE_LEN                                     \
    (sizeof(NGX_HTTP_DUPLEX_STICKY_COOKIE) - 1)


static ngx_uint_t ngx_http_duplex_sticky_find_cookie(ngx_http_request_t *r,
    ngx_str_t *name, ngx_str_t *value);
static ngx_uint_t ngx_http_duplex_sticky_parse_cookie(ngx_str_t *header,
    ngx_str_t *name, ngx_str_t *value);
static ngx_uint_t ngx_http_duplex_sticky_is_start(u_char *first, u_char *p);


ngx_int_t
ngx_http_duplex_sticky_value(ngx_http_request_t *r, ngx_array_t *sources,
    ngx_str_t *value)
{
    ngx_uint_t                        i;
    ngx_http_variable_value_t        *vv;
    ngx_http_duplex_sticky_source_t  *source;

    source = sources->elts;

    for (i = 0; i < sources->nelts; i++) {

        if (source[i].cookie.len) {

            if (ngx_http_duplex_sticky_find_cookie(r, &source[i].cookie,
                                                   value)
                && value->len)
            {
                return NGX_OK;
            }

            continue;
        }

        /* what an earlier attempt answered must not count for this one */

        vv = ngx_http_get_flushed_variable(r, source[i].index);

        if (vv == NULL) {
            return NGX_ERROR;
        }

        if (vv->not_found || vv->len == 0) {
            continue;
        }

        value->data = vv->data;
        value->len = vv->len;

        return NGX_OK;
    }

    return NGX_DECLINED;
}


static ngx_uint_t
ngx_http_duplex_sticky_find_cookie(ngx_http_request_t *r, ngx_str_t *name,
    ngx_str_t *value)
{
#if (NGX_DUPLEX_HAVE_LINKED_HEADERS)

    ngx_table_elt_t  *h;

    for (h = r->headers_in.cookie; h; h = h->next) {
        if (ngx_http_duplex_sticky_parse_cookie(&h->value, name, value)) {
            return 1;
        }
    }

#else

    ngx_uint_t         i;
    ngx_table_elt_t  **h;

    h = r->headers_in.cookies.elts;

    for (i = 0; i < r->headers_in.cookies.nelts; i++) {
        if (ngx_http_duplex_sticky_parse_cookie(&h[i]->value, name, value)) {
            return 1;
        }
    }

#endif

    return 0;
}


/*
 * What ngx_http_parse_multi_header_lines() finds: the first pair of this name
 * in any case, at the beginning or after ";" (older ones: or ","), with blanks
 * before and after "=".  Each "=" is looked at, not each byte.  (The name
 * without "=" is nothing here; there, the pair that follows is lost with it.)
 */

static ngx_uint_t
ngx_http_duplex_sticky_parse_cookie(ngx_str_t *header, ngx_str_t *name,
    ngx_str_t *value)
{
    u_char  *p, *last, *equal, *start, end;

    last = header->data + header->len;
    end = ngx_tolower(name->data[name->len - 1]);

    for (p = header->data;
         (equal = memchr(p, '=', last - p)) != NULL;
         p = equal + 1)
    {
        start = equal;

        while (start > header->data && start[-1] == ' ') {
            start--;
        }

        if (start == header->data || ngx_tolower(start[-1]) != end) {
            continue;
        }

        if ((size_t) (start - header->data) < name->len) {
            continue;
        }

        start -= name->len;

        if (!ngx_http_duplex_sticky_is_start(header->data, start)
            || ngx_strncasecmp(start, name->data, name->len) != 0)
        {
            continue;
        }

        for (p = equal + 1; p < last && *p == ' '; p++) { /* void */ }

        equal = memchr(p, ';', last - p);

        value->data = p;
        value->len = (equal ? equal : last) - p;

        return 1;
    }

    return 0;
}


static ngx_uint_t
ngx_http_duplex_sticky_is_start(u_char *first, u_char *p)
{
    if (p == first) {
        return 1;
    }

    while (p > first && p[-1] == ' ') {
        p--;
    }

#if !(NGX_DUPLEX_HAVE_STRICT_COOKIES)
    if (p > first && p[-1] == ',') {
        return 1;
    }
#endif

    return p > first && p[-1] == ';';
}


ngx_int_t
ngx_http_duplex_sticky_add_source(ngx_conf_t *cf, ngx_array_t **sources,
    ngx_str_t *variable)
{
    ngx_str_t                         name;
    ngx_http_duplex_sticky_source_t  *source;

    if (variable->len < 2 || variable->data[0] != '$') {
        return NGX_DECLINED;
    }

    if (*sources == NULL) {
        *sources = ngx_array_create(cf->pool, 2,
                                    sizeof(ngx_http_duplex_sticky_source_t));
        if (*sources == NULL) {
            return NGX_ERROR;
        }
    }

    source = ngx_array_push(*sources);
    if (source == NULL) {
        return NGX_ERROR;
    }

    name.data = variable->data + 1;
    name.len = variable->len - 1;

    ngx_str_null(&source->cookie);
    source->index = ngx_http_get_variable_index(cf, &name);

    return source->index == NGX_ERROR ? NGX_ERROR : NGX_OK;
}


ngx_array_t *
ngx_http_duplex_sticky_cookie_source(ngx_conf_t *cf, ngx_str_t *name)
{
    ngx_array_t                      *sources;
    ngx_http_duplex_sticky_source_t  *source;

    sources = ngx_array_create(cf->pool, 1,
                               sizeof(ngx_http_duplex_sticky_source_t));
    if (sources == NULL) {
        return NULL;
    }

    source = ngx_array_push(sources);
    if (source == NULL) {
        return NULL;
    }

    source->index = NGX_ERROR;
    source->cookie = *name;

    return sources;
}


void
ngx_http_duplex_sticky_bind_sources(ngx_conf_t *cf, ngx_array_t *sources)
{
    ngx_str_t                        *name;
    ngx_uint_t                        i, j;
    ngx_http_variable_t              *v, *prefix;
    ngx_http_core_main_conf_t        *cmcf;
    ngx_http_duplex_sticky_source_t  *source;

    cmcf = ngx_http_cycle_get_module_main_conf(cf->cycle,
                                               ngx_http_core_module);
    v = cmcf->variables.elts;
    prefix = cmcf->prefix_variables.elts;

    source = sources->elts;

    for (i = 0; i < sources->nelts; i++) {

        if (source[i].cookie.len) {
            continue;
        }

        name = &v[source[i].index].name;

        if (name->len <= NGX_HTTP_DUPLEX_STICKY_COOKIE_LEN
            || ngx_strncmp(name->data, NGX_HTTP_DUPLEX_STICKY_COOKIE,
                           NGX_HTTP_DUPLEX_STICKY_COOKIE_LEN)
               != 0)
        {
            continue;
        }

        for (j = 0; j < cmcf->prefix_variables.nelts; j++) {

            if (prefix[j].name.len == NGX_HTTP_DUPLEX_STICKY_COOKIE_LEN
                && ngx_strncmp(prefix[j].name.data,
                               NGX_HTTP_DUPLEX_STICKY_COOKIE,
                               NGX_HTTP_DUPLEX_STICKY_COOKIE_LEN)
                   == 0
                && prefix[j].get_handler == v[source[i].index].get_handler)
            {
                source[i].cookie.data = name->data
                                        + NGX_HTTP_DUPLEX_STICKY_COOKIE_LEN;
                source[i].cookie.len = name->len
                                       - NGX_HTTP_DUPLEX_STICKY_COOKIE_LEN;
            }
        }
    }
}
