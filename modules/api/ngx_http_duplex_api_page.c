
/*
 * The pages of the API, and the way from a request's uri to its page.
 *
 * Requests for earlier versions are answered in the shape of the latest.
 * Some paths are pages of features, which core's registry knows as views;
 * a path that only leads on is answered with the names below it.
 */


#include "ngx_http_duplex_api_answer.h"
#include "ngx_http_duplex_api_node.h"
#include "ngx_http_duplex_api_page.h"
#include "ngx_http_duplex_api_path.h"
#include "ngx_http_duplex_api_ready.h"
#include "ngx_http_duplex_api_server.h"
#include "ngx_http_duplex_api_upstreams.h"
#include "../core/ngx_duplex_registry.h"


#define NGX_HTTP_DUPLEX_API_VERSION  9


static ngx_int_t ngx_http_duplex_api_page_path(ngx_http_duplex_api_t *api);
static ngx_int_t ngx_http_duplex_api_page_version(ngx_http_duplex_api_t *api);
static ngx_int_t ngx_http_duplex_api_page_fields(ngx_http_duplex_api_t *api);
static ngx_int_t ngx_http_duplex_api_versions(ngx_http_duplex_api_t *api);
static ngx_int_t ngx_http_duplex_api_view(ngx_http_duplex_api_t *api);
static ngx_int_t ngx_http_duplex_api_list(ngx_http_duplex_api_t *api);


/* a view that a feature has registered goes before a page of the same path */

static ngx_http_duplex_api_page_t  ngx_http_duplex_api_pages[] = {

    { ngx_string("nginx"),
      ngx_http_duplex_api_nginx, NULL, NULL,
      ngx_null_string },

    { ngx_string("http/upstreams"),
      ngx_http_duplex_api_upstreams, NULL, NULL,
      ngx_null_string },

    { ngx_string("http/upstreams/*"),
      ngx_http_duplex_api_upstream, NULL, NULL,
      ngx_null_string },

    { ngx_string("http/upstreams/*/servers"),
      ngx_http_duplex_api_servers, NULL,
      "servers cannot be added at run time",
      ngx_null_string },

    { ngx_string("http/upstreams/*/servers/*"),
      ngx_http_duplex_api_server, ngx_http_duplex_api_server_patch,
      "servers cannot be removed at run time",
      ngx_null_string },

    { ngx_string("stream/upstreams"),
      ngx_http_duplex_api_upstreams, NULL, NULL,
      ngx_string("stream") },

    { ngx_string("stream/upstreams/*"),
      ngx_http_duplex_api_upstream, NULL, NULL,
      ngx_string("stream") },

    { ngx_string("stream/upstreams/*/servers"),
      ngx_http_duplex_api_servers, NULL,
      "servers cannot be added at run time",
      ngx_string("stream") },

    { ngx_string("stream/upstreams/*/servers/*"),
      ngx_http_duplex_api_server, ngx_http_duplex_api_server_patch,
      "servers cannot be removed at run time",
      ngx_string("stream") },

    { ngx_string("duplex/node"),
      ngx_http_duplex_api_node, NULL, NULL,
      ngx_null_string },

    { ngx_string("duplex/nodes"),
      ngx_http_duplex_api_nodes, NULL, NULL,
      ngx_null_string },

    { ngx_string("duplex/ready"),
      ngx_http_duplex_api_ready, NULL, NULL,
      ngx_null_string },

    { ngx_null_string, NULL, NULL, NULL, ngx_null_string }
};


/* the location itself, what features registered, a path that leads on */

static ngx_http_duplex_api_page_t  ngx_http_duplex_api_versions_page = {
    ngx_null_string, ngx_http_duplex_api_versions, NULL, NULL,
    ngx_null_string
};

static ngx_http_duplex_api_page_t  ngx_http_duplex_api_view_page = {
    ngx_null_string, ngx_http_duplex_api_view, NULL, NULL,
    ngx_null_string
};

static ngx_http_duplex_api_page_t  ngx_http_duplex_api_list_page = {
    ngx_null_string, ngx_http_duplex_api_list, NULL, NULL,
    ngx_null_string
};


ngx_int_t
ngx_http_duplex_api_page_find(ngx_http_duplex_api_t *api)
{
    ngx_int_t  rc;

    if (ngx_http_duplex_api_page_fields(api) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_http_duplex_api_page_path(api) != NGX_OK) {
        return NGX_DECLINED;
    }

    if (api->nsegments == 0) {
        api->page = &ngx_http_duplex_api_versions_page;
        return NGX_OK;
    }

    rc = ngx_http_duplex_api_page_version(api);

    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_duplex_find_view(&api->path)) {
        api->page = &ngx_http_duplex_api_view_page;
        return NGX_OK;
    }

    api->page = ngx_http_duplex_api_path_find(api, ngx_http_duplex_api_pages);

    if (api->page) {
        return NGX_OK;
    }

    api->children = ngx_http_duplex_api_path_names(api,
                                                   ngx_http_duplex_api_pages);
    if (api->children == NULL) {
        return NGX_ERROR;
    }

    api->page = &ngx_http_duplex_api_list_page;

    return api->children->nelts ? NGX_OK : NGX_DECLINED;
}


/* what stands behind the location's name in the uri */

static ngx_int_t
ngx_http_duplex_api_page_path(ngx_http_duplex_api_t *api)
{
    ngx_str_t                  path, *prefix;
    ngx_http_request_t        *r;
    ngx_http_core_loc_conf_t  *clcf;

    r = api->request;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);
    prefix = &clcf->name;

    if (r->uri.len < prefix->len
        || ngx_strncmp(r->uri.data, prefix->data, prefix->len) != 0)
    {
        return NGX_DECLINED;
    }

    path.data = r->uri.data + prefix->len;
    path.len = r->uri.len - prefix->len;

    /* "location /api" is found for "/apix", too */

    if (path.len && path.data[0] != '/' && path.data[-1] != '/') {
        return NGX_DECLINED;
    }

    return ngx_http_duplex_api_path_split(api, &path);
}


/* our own branch has no version */

static ngx_int_t
ngx_http_duplex_api_page_version(ngx_http_duplex_api_t *api)
{
    ngx_int_t   version;
    ngx_str_t  *first;

    first = &api->segment[0];

    if (first->len == 6 && ngx_strncmp(first->data, "duplex", 6) == 0) {
        return NGX_OK;
    }

    version = (first->data[0] == '0') ? NGX_ERROR
                                      : ngx_atoi(first->data, first->len);

    if (version < 1 || version > NGX_HTTP_DUPLEX_API_VERSION) {
        return NGX_ABORT;
    }

    ngx_http_duplex_api_path_shift(api);

    return NGX_OK;
}


/* "fields=a,b" */

static ngx_int_t
ngx_http_duplex_api_page_fields(ngx_http_duplex_api_t *api)
{
    u_char              *p, *last, *src, *dst;
    ngx_str_t            value, *field;
    ngx_http_request_t  *r;

    r = api->request;

    if (ngx_http_arg(r, (u_char *) "fields", 6, &value) != NGX_OK) {
        return NGX_OK;
    }

    if (value.len == 0) {
        api->names = 1;
        return NGX_OK;
    }

    p = ngx_pnalloc(r->pool, value.len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    src = value.data;
    dst = p;

    ngx_unescape_uri(&dst, &src, value.len, 0);

    if (ngx_array_init(&api->fields, r->pool, 8, sizeof(ngx_str_t)) != NGX_OK)
    {
        return NGX_ERROR;
    }

    for ( ;; ) {

        last = ngx_strlchr(p, dst, ',');

        field = ngx_array_push(&api->fields);
        if (field == NULL) {
            return NGX_ERROR;
        }

        field->data = p;
        field->len = (last ? last : dst) - p;

        if (last == NULL) {
            return NGX_OK;
        }

        p = last + 1;
    }
}


static ngx_int_t
ngx_http_duplex_api_versions(ngx_http_duplex_api_t *api)
{
    ngx_uint_t          version;
    ngx_duplex_json_t  *json;

    json = ngx_http_duplex_api_json(api, 1);
    if (json == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_duplex_json_array(json, NULL);

    for (version = 1; version <= NGX_HTTP_DUPLEX_API_VERSION; version++) {
        ngx_duplex_json_integer(json, NULL, version);
    }

    ngx_duplex_json_array_end(json);

    return ngx_http_duplex_api_send(api->request, NGX_HTTP_OK, json);
}


static ngx_int_t
ngx_http_duplex_api_view(ngx_http_duplex_api_t *api)
{
    ngx_duplex_json_t  *json;

    json = ngx_http_duplex_api_json(api, 1);
    if (json == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_duplex_find_view(&api->path)->render(json);

    return ngx_http_duplex_api_send(api->request, NGX_HTTP_OK, json);
}


static ngx_int_t
ngx_http_duplex_api_list(ngx_http_duplex_api_t *api)
{
    ngx_str_t          *name;
    ngx_uint_t          i;
    ngx_duplex_json_t  *json;

    json = ngx_http_duplex_api_json(api, 1);
    if (json == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_duplex_json_array(json, NULL);

    name = api->children->elts;

    for (i = 0; i < api->children->nelts; i++) {
        ngx_duplex_json_string(json, NULL, &name[i]);
    }

    ngx_duplex_json_array_end(json);

    return ngx_http_duplex_api_send(api->request, NGX_HTTP_OK, json);
}
