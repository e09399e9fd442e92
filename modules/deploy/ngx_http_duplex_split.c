
/*
 * A split at work: which group a request goes to, and what came of it.
 */


#include "ngx_http_duplex_deploy.h"
#include "../core/ngx_duplex_compat.h"


static ngx_int_t ngx_http_duplex_split_bound(ngx_http_request_t *r,
    ngx_http_duplex_split_t *http);
static ngx_int_t ngx_http_duplex_split_set_cookie(ngx_http_request_t *r,
    ngx_http_duplex_split_t *http, ngx_str_t *colour);
static ngx_msec_t ngx_http_duplex_split_time(ngx_http_request_t *r);


static ngx_array_t  *ngx_http_duplex_splits;


void
ngx_http_duplex_splits_commit(ngx_array_t *https)
{
    ngx_http_duplex_splits = https;
}


/* evaluated once a request: a change meanwhile does not tear it apart */

ngx_int_t
ngx_http_duplex_split_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_duplex_split_t  *http = (ngx_http_duplex_split_t *) data;

    ngx_int_t                 part;
    ngx_str_t                 key;
    ngx_duplex_figures_t     *figures;
    ngx_duplex_split_part_t  *chosen;

    part = NGX_DECLINED;

    if (http->cookie.len) {
        part = ngx_http_duplex_split_bound(r, http);
    }

    if (part == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (part != NGX_DECLINED) {
        figures = ngx_duplex_figures(http->split, part);

        if (figures) {
            (void) ngx_atomic_fetch_add(&figures->bound, 1);
        }

    } else {

        if (ngx_http_complex_value(r, &http->key, &key) != NGX_OK) {
            return NGX_ERROR;
        }

        part = ngx_duplex_split_select(http->split, &key);

        if (http->cookie.len
            && ngx_http_duplex_split_set_cookie(r, http,
                                          &http->split->parts[part].colour)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    chosen = &http->split->parts[part];

    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;
    v->len = chosen->group.len;
    v->data = chosen->group.data;

    return NGX_OK;
}


/* the part that the client's cookie names; NGX_DECLINED: none that is open */

static ngx_int_t
ngx_http_duplex_split_bound(ngx_http_request_t *r,
    ngx_http_duplex_split_t *http)
{
    ngx_int_t                  part;
    ngx_str_t                  word;
    ngx_duplex_split_state_t  *state;

    if (ngx_http_complex_value(r, &http->has, &word) != NGX_OK) {
        return NGX_ERROR;
    }

    if (word.len == 0) {
        return NGX_DECLINED;
    }

    part = ngx_duplex_split_part(http->split, &word);

    if (part == NGX_ERROR) {
        return NGX_DECLINED;
    }

    state = ngx_duplex_split_state(http->split);

    return state->closed >> part & 1 ? NGX_DECLINED : part;
}


static ngx_int_t
ngx_http_duplex_split_set_cookie(ngx_http_request_t *r,
    ngx_http_duplex_split_t *http, ngx_str_t *colour)
{
    u_char           *p;
    size_t            len;
    ngx_table_elt_t  *header;

    r = r->main;

    if (r->header_sent) {
        return NGX_OK;
    }

    len = http->cookie.len + 1 + colour->len
          + sizeof("; expires=Thu, 31-Dec-37 23:55:55 GMT; max-age=") - 1
          + NGX_INT64_LEN
          + sizeof("; domain=") - 1 + http->domain.len
          + sizeof("; path=") - 1 + http->path.len
          + sizeof("; secure; httponly") - 1;

    p = ngx_pnalloc(r->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    header = ngx_list_push(&r->headers_out.headers);
    if (header == NULL) {
        return NGX_ERROR;
    }

    header->hash = 1;
#if (NGX_DUPLEX_HAVE_HEADER_LISTS)
    header->next = NULL;
#endif
    ngx_str_set(&header->key, "Set-Cookie");
    header->value.data = p;

    p = ngx_sprintf(p, "%V=%V", &http->cookie, colour);

    if (http->expires) {
        p = ngx_cpymem(p, "; expires=", sizeof("; expires=") - 1);
        p = ngx_http_cookie_time(p, ngx_time() + http->expires / 1000);
        p = ngx_sprintf(p, "; max-age=%T", (time_t) http->expires / 1000);
    }

    if (http->domain.len) {
        p = ngx_sprintf(p, "; domain=%V", &http->domain);
    }

    if (http->path.len) {
        p = ngx_sprintf(p, "; path=%V", &http->path);
    }

    p = ngx_sprintf(p, "%s%s", http->secure ? "; secure" : "",
                    http->httponly ? "; httponly" : "");

    header->value.len = p - header->value.data;

    return NGX_OK;
}


/* a request counts for the splits whose variable it has asked for */

ngx_int_t
ngx_http_duplex_split_log_handler(ngx_http_request_t *r)
{
    ngx_uint_t                  i;
    ngx_int_t                   part;
    ngx_str_t                   name;
    ngx_http_duplex_split_t   **https;
    ngx_http_variable_value_t  *v;

    https = ngx_http_duplex_splits ? ngx_http_duplex_splits->elts : NULL;

    for (i = 0; https && i < ngx_http_duplex_splits->nelts; i++) {

        v = &r->variables[https[i]->index];

        if (!v->valid) {
            continue;
        }

        name.data = v->data;
        name.len = v->len;

        part = ngx_duplex_split_part(https[i]->split, &name);

        if (part != NGX_ERROR) {
            ngx_duplex_figures_count(https[i]->split, part,
                                     r->err_status ? r->err_status
                                                   : r->headers_out.status,
                                     ngx_http_duplex_split_time(r));
        }
    }

    return NGX_OK;
}


/* of the servers, not of the client's line */

static ngx_msec_t
ngx_http_duplex_split_time(ngx_http_request_t *r)
{
    ngx_uint_t                  i;
    ngx_msec_t                  time;
    ngx_http_upstream_state_t  *state;

    time = 0;

    if (r->upstream_states) {
        state = r->upstream_states->elts;

        for (i = 0; i < r->upstream_states->nelts; i++) {
            if (state[i].peer && state[i].response_time != (ngx_msec_t) -1) {
                time += state[i].response_time;
            }
        }
    }

    return time;
}
