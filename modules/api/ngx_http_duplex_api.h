
/*
 * One request to the API, as the pages see it: which page, with what in the
 * place of its wildcards, which members are asked for, what body came.
 *
 * Made by the module's handler in the request's pool, dies with the request.
 */


#ifndef _NGX_HTTP_DUPLEX_API_H_INCLUDED_
#define _NGX_HTTP_DUPLEX_API_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "../core/ngx_duplex_json.h"


#define NGX_HTTP_DUPLEX_API_SEGMENTS  8     /* of the longest path */


typedef struct ngx_http_duplex_api_page_s  ngx_http_duplex_api_page_t;


typedef struct {
    ngx_http_request_t          *request;
    ngx_http_duplex_api_page_t  *page;

    ngx_str_t                    path;      /* "http/upstreams/app" */
    ngx_str_t                    segment[NGX_HTTP_DUPLEX_API_SEGMENTS];
    ngx_uint_t                   nsegments;

    ngx_array_t                 *children;  /* names one level below */

    ngx_array_t                  fields;    /* ngx_str_t: "fields=" */
    unsigned                     names:1;   /* "fields=" is empty */

    size_t                       limit;     /* bytes a body may have */
    ngx_str_t                    body;      /* as far as it has come */
} ngx_http_duplex_api_t;


/* both send the answer and return what the content handler returns */
typedef ngx_int_t (*ngx_http_duplex_api_page_pt)(ngx_http_duplex_api_t *api);

struct ngx_http_duplex_api_page_s {
    ngx_str_t                    path;      /* "*" is any one segment */
    ngx_http_duplex_api_page_pt  get;
    ngx_http_duplex_api_page_pt  patch;     /* NULL: not offered */
    const char                  *refusal;   /* of other methods, or NULL */
    ngx_str_t                    driver;    /* there only if it is loaded */
};


extern ngx_module_t  ngx_http_duplex_api_module;    /* owns the context */


#endif /* _NGX_HTTP_DUPLEX_API_H_INCLUDED_ */
