
/*
 * See the header.
 *
 * Requests for earlier versions are answered in the shape of the latest.  A
 * view that a feature has registered goes before a page of the same path; a
 * path that only leads on is answered with the names below it.
 */


#include "ngx_http_duplex_api_answer.h"
#include "ngx_http_duplex_api_applied.h"
#include "ngx_http_duplex_api_body.h"
#include "ngx_http_duplex_api_call.h"
#include "ngx_http_duplex_api_durable.h"
#include "ngx_http_duplex_api_guard.h"
#include "ngx_duplex_body.h"


#define NGX_HTTP_DUPLEX_API_VERSION  9

#define NGX_HTTP_DUPLEX_API_BODY                                              \
    (NGX_HTTP_POST|NGX_HTTP_PATCH|NGX_HTTP_PUT)

#define NGX_HTTP_DUPLEX_API_WRITE                                             \
    (NGX_HTTP_DUPLEX_API_BODY|NGX_HTTP_DELETE)


static ngx_uint_t ngx_http_duplex_api_call_find(ngx_http_duplex_api_t *api);
static ngx_int_t ngx_http_duplex_api_call_path(ngx_http_duplex_api_t *api);
static ngx_int_t ngx_http_duplex_api_call_version(ngx_http_duplex_api_t *api);
static ngx_int_t ngx_http_duplex_api_call_prepare(ngx_http_duplex_api_t *api);
static ngx_int_t ngx_http_duplex_api_call_fields(ngx_http_duplex_api_t *api);
static ngx_uint_t ngx_http_duplex_api_call_method(ngx_http_duplex_api_t *api,
    ngx_uint_t write);
static ngx_duplex_page_pt ngx_http_duplex_api_call_offer(
    ngx_duplex_page_t *page, ngx_uint_t method);
static ngx_uint_t ngx_http_duplex_api_call_disabled(
    ngx_http_duplex_api_t *api, ngx_uint_t write);
static ngx_int_t ngx_http_duplex_api_call_parse(ngx_http_duplex_api_t *api);
static void ngx_http_duplex_api_call_cleanup(void *data);

static ngx_uint_t ngx_http_duplex_api_versions(ngx_duplex_call_t *call);
static ngx_uint_t ngx_http_duplex_api_view(ngx_duplex_call_t *call);
static ngx_uint_t ngx_http_duplex_api_list(ngx_duplex_call_t *call);


/* the location itself, what features show, a path that leads on */

static ngx_duplex_page_t  ngx_http_duplex_api_versions_page = {
    ngx_null_string, ngx_http_duplex_api_versions,
    NULL, NULL, NULL, NULL, 0, NULL
};

static ngx_duplex_page_t  ngx_http_duplex_api_view_page = {
    ngx_null_string, ngx_http_duplex_api_view,
    NULL, NULL, NULL, NULL, 0, NULL
};

static ngx_duplex_page_t  ngx_http_duplex_api_list_page = {
    ngx_null_string, ngx_http_duplex_api_list,
    NULL, NULL, NULL, NULL, 0, NULL
};


static struct {
    ngx_uint_t   method;
    ngx_str_t    name;
} ngx_http_duplex_api_methods[] = {
    { NGX_HTTP_GET, ngx_string("GET, HEAD") },
    { NGX_HTTP_POST, ngx_string("POST") },
    { NGX_HTTP_PATCH, ngx_string("PATCH") },
    { NGX_HTTP_PUT, ngx_string("PUT") },
    { NGX_HTTP_DELETE, ngx_string("DELETE") },
    { 0, ngx_null_string }
};


ngx_int_t
ngx_http_duplex_api_call(ngx_http_duplex_api_t *api, ngx_uint_t write)
{
    ngx_int_t  rc;

    api->write = write;
    api->status = ngx_http_duplex_api_call_find(api);

    if (api->status == 0) {
        api->status = ngx_http_duplex_api_call_method(api, write);
    }

    if (api->status == 0 && ngx_http_duplex_api_call_prepare(api) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (api->status == 0
        && (api->request->method & NGX_HTTP_DUPLEX_API_BODY))
    {
        return ngx_http_duplex_api_body_read(api);
    }

    rc = ngx_http_discard_request_body(api->request);

    if (rc != NGX_OK) {
        return rc;
    }

    return api->status ? ngx_http_duplex_api_answer(api)
                       : ngx_http_duplex_api_call_run(api);
}


ngx_int_t
ngx_http_duplex_api_call_run(ngx_http_duplex_api_t *api)
{
    if (api->body.len && ngx_http_duplex_api_call_parse(api) != NGX_OK) {
        return ngx_http_duplex_api_answer(api);
    }

    if (api->request->method & NGX_HTTP_DUPLEX_API_WRITE) {

        api->status = ngx_http_duplex_api_applied_prepare(api);

        if (api->status) {
            return ngx_http_duplex_api_answer(api);
        }
    }

    api->status = api->run(&api->call);

    if (api->status == NGX_HTTP_DUPLEX_API_TAKEN) {
        return api->rc;
    }

    if (api->call.durable) {
        api->position = ngx_duplex_table_head(ngx_duplex_store_table());
        return ngx_http_duplex_api_durable(api);
    }

    return ngx_http_duplex_api_answer(api);
}


/* 0, or the status of a refusal */

static ngx_uint_t
ngx_http_duplex_api_call_find(ngx_http_duplex_api_t *api)
{
    ngx_duplex_call_t  *call;

    call = &api->call;

    if (ngx_http_duplex_api_call_path(api) != NGX_OK) {
        return ngx_duplex_call_refuse(call, NGX_HTTP_NOT_FOUND,
                                      "PathNotFound", "path not found");
    }

    if (api->route.nsegments == 0) {
        call->page = &ngx_http_duplex_api_versions_page;
        return 0;
    }

    if (ngx_http_duplex_api_call_version(api) != NGX_OK) {
        return ngx_duplex_call_refuse(call, NGX_HTTP_NOT_FOUND,
                                      "UnknownVersion", "unknown version");
    }

    api->view = ngx_duplex_find_view(&api->route.path);

    if (api->view) {
        call->page = &ngx_http_duplex_api_view_page;
        return 0;
    }

    call->page = ngx_duplex_route_page(&api->route);

    if (call->page) {
        call->segment = api->route.wildcard;
        call->nsegments = api->route.nwildcards;
        return 0;
    }

    call->page = &ngx_http_duplex_api_list_page;

    api->children = ngx_duplex_route_names(&api->route, api->request->pool);

    if (api->children && api->children->nelts == 0) {
        return ngx_duplex_call_refuse(call, NGX_HTTP_NOT_FOUND,
                                      "PathNotFound", "path not found");
    }

    return 0;
}


/* what stands behind the location's name in the uri */

static ngx_int_t
ngx_http_duplex_api_call_path(ngx_http_duplex_api_t *api)
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

    return ngx_duplex_route_split(&api->route, &path);
}


/* our own branch has no version */

static ngx_int_t
ngx_http_duplex_api_call_version(ngx_http_duplex_api_t *api)
{
    ngx_int_t   version;
    ngx_str_t  *first;

    first = &api->route.segment[0];

    if (first->len == 6 && ngx_strncmp(first->data, "duplex", 6) == 0) {
        return NGX_OK;
    }

    version = (first->data[0] == '0') ? NGX_ERROR
                                      : ngx_atoi(first->data, first->len);

    if (version < 1 || version > NGX_HTTP_DUPLEX_API_VERSION) {
        return NGX_DECLINED;
    }

    ngx_duplex_route_shift(&api->route);

    return NGX_OK;
}


/* what the page finds in its call */

static ngx_int_t
ngx_http_duplex_api_call_prepare(ngx_http_duplex_api_t *api)
{
    ngx_duplex_call_t   *call;
    ngx_http_request_t  *r;

    r = api->request;
    call = &api->call;

    call->client = &r->connection->addr_text;
    call->args = r->args;

    if (r->headers_in.if_match) {
        call->if_match = r->headers_in.if_match->value;

        /* else stock would compare it with the etag of the answer */

        r->headers_in.if_match = NULL;
    }

    if (ngx_http_duplex_api_call_fields(api) != NGX_OK) {
        return NGX_ERROR;
    }

    call->json = ngx_duplex_json_create(r->pool);
    if (call->json == NULL) {
        return NGX_ERROR;
    }

    if (api->names && call->page->collection) {
        ngx_duplex_json_names(call->json);
    }

    if (api->fields.nelts) {
        ngx_duplex_json_restrict(call->json, call->page->collection ? 2 : 1,
                                 api->fields.elts, api->fields.nelts);
    }

    return NGX_OK;
}


/* "fields=a,b" */

static ngx_int_t
ngx_http_duplex_api_call_fields(ngx_http_duplex_api_t *api)
{
    u_char     *p, *end, *last;
    ngx_int_t   rc;
    ngx_str_t   value, *field;

    rc = ngx_duplex_call_arg(&api->call, "fields", &value);

    if (rc != NGX_OK) {
        return rc == NGX_DECLINED ? NGX_OK : NGX_ERROR;
    }

    if (value.len == 0) {
        api->names = 1;
        return NGX_OK;
    }

    if (ngx_array_init(&api->fields, api->call.pool, 8, sizeof(ngx_str_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    p = value.data;
    last = p + value.len;

    for ( ;; ) {

        end = ngx_strlchr(p, last, ',');

        field = ngx_array_push(&api->fields);
        if (field == NULL) {
            return NGX_ERROR;
        }

        field->data = p;
        field->len = (end ? end : last) - p;

        if (end == NULL) {
            return NGX_OK;
        }

        p = end + 1;
    }
}


/* 0, or the status of a refusal */

static ngx_uint_t
ngx_http_duplex_api_call_method(ngx_http_duplex_api_t *api, ngx_uint_t write)
{
    ngx_uint_t  method;

    method = api->request->method;

    if (method == NGX_HTTP_HEAD) {
        method = NGX_HTTP_GET;
    }

    if (method == NGX_HTTP_GET || write) {
        api->run = ngx_http_duplex_api_call_offer(api->call.page, method);
    }

    if (api->run == NULL) {
        return ngx_http_duplex_api_call_disabled(api, write);
    }

    if (method != NGX_HTTP_GET
        && ngx_http_duplex_api_guard_foreign(api->request))
    {
        return ngx_duplex_call_refuse(&api->call, NGX_HTTP_FORBIDDEN,
                                      "CrossOrigin",
                                      "a page of another site may not change "
                                      "anything here");
    }

    return 0;
}


static ngx_duplex_page_pt
ngx_http_duplex_api_call_offer(ngx_duplex_page_t *page, ngx_uint_t method)
{
    switch (method) {

    case NGX_HTTP_GET:
        return page->get;

    case NGX_HTTP_POST:
        return page->post;

    case NGX_HTTP_PATCH:
        return page->patch;

    case NGX_HTTP_PUT:
        return page->put;

    case NGX_HTTP_DELETE:
        return page->del;

    default:
        return NULL;
    }
}


static ngx_uint_t
ngx_http_duplex_api_call_disabled(ngx_http_duplex_api_t *api, ngx_uint_t write)
{
    u_char             *p, buf[sizeof("GET, HEAD, POST, PATCH, PUT, DELETE")];
    ngx_str_t           allow;
    ngx_uint_t          i, method;

    p = buf;

    for (i = 0; ngx_http_duplex_api_methods[i].method; i++) {

        method = ngx_http_duplex_api_methods[i].method;

        if (!(method == NGX_HTTP_GET || write)
            || ngx_http_duplex_api_call_offer(api->call.page, method) == NULL)
        {
            continue;
        }

        p = ngx_sprintf(p, "%s%V", p == buf ? "" : ", ",
                        &ngx_http_duplex_api_methods[i].name);
    }

    allow.data = buf;
    allow.len = p - buf;

    if (ngx_http_duplex_api_header(api->request, "Allow", &allow) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_duplex_call_refuse(&api->call, NGX_HTTP_NOT_ALLOWED,
                                  "MethodDisabled",
                                  "method %V is disabled: %s",
                                  &api->request->method_name,
                                  write ? "it is not offered for this path"
                                        : "the API is read-only here");
}


static ngx_int_t
ngx_http_duplex_api_call_parse(ngx_http_duplex_api_t *api)
{
    char                 error[JSON_ERROR_TEXT_LENGTH];
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(api->call.pool, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    api->call.body = ngx_duplex_body_parse(&api->body, error);

    if (api->call.body == NULL) {
        api->status = ngx_duplex_call_refuse(&api->call,
                                             NGX_HTTP_UNSUPPORTED_MEDIA_TYPE,
                                             "JsonError", "%s", error);
        return NGX_DECLINED;
    }

    cln->handler = ngx_http_duplex_api_call_cleanup;
    cln->data = api->call.body;

    return NGX_OK;
}


static void
ngx_http_duplex_api_call_cleanup(void *data)
{
    json_decref(data);
}


static ngx_uint_t
ngx_http_duplex_api_versions(ngx_duplex_call_t *call)
{
    ngx_uint_t  version;

    ngx_duplex_json_array(call->json, NULL);

    for (version = 1; version <= NGX_HTTP_DUPLEX_API_VERSION; version++) {
        ngx_duplex_json_integer(call->json, NULL, version);
    }

    ngx_duplex_json_array_end(call->json);

    return NGX_HTTP_OK;
}


static ngx_uint_t
ngx_http_duplex_api_view(ngx_duplex_call_t *call)
{
    ngx_http_duplex_api_of(call)->view->render(call->json);

    return NGX_HTTP_OK;
}


static ngx_uint_t
ngx_http_duplex_api_list(ngx_duplex_call_t *call)
{
    ngx_str_t    *name;
    ngx_uint_t    i;
    ngx_array_t  *children;

    children = ngx_http_duplex_api_of(call)->children;

    if (children == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_duplex_json_array(call->json, NULL);

    name = children->elts;

    for (i = 0; i < children->nelts; i++) {
        ngx_duplex_json_string(call->json, NULL, &name[i]);
    }

    ngx_duplex_json_array_end(call->json);

    return NGX_HTTP_OK;
}
