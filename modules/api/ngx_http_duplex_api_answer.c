
/*
 * Answers of the API, see the header.
 */


#include "ngx_http_duplex_api_answer.h"


#define NGX_HTTP_DUPLEX_API_HREF                                              \
    "https://nginx.org/en/docs/http/ngx_http_api_module.html"


static ngx_duplex_json_t *ngx_http_duplex_api_error_object(
    ngx_http_duplex_api_t *api);
static void ngx_http_duplex_api_request_id(ngx_http_request_t *r,
    ngx_duplex_json_t *json);
static ngx_int_t ngx_http_duplex_api_send_nothing(ngx_http_request_t *r,
    ngx_uint_t status);


ngx_int_t
ngx_http_duplex_api_answer(ngx_http_duplex_api_t *api)
{
    ngx_duplex_call_t  *call;

    call = &api->call;

    if (call->code) {
        return ngx_http_duplex_api_send(api->request, api->status,
                                        ngx_http_duplex_api_error_object(api));
    }

    if (call->etag.len
        && ngx_http_duplex_api_header(api->request, "ETag", &call->etag)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (call->json == NULL || ngx_duplex_json_is_empty(call->json)) {
        return ngx_http_duplex_api_send_nothing(api->request, api->status);
    }

    return ngx_http_duplex_api_send(api->request, api->status, call->json);
}


ngx_int_t
ngx_http_duplex_api_error(ngx_http_duplex_api_t *api, ngx_uint_t status,
    const char *code, const char *fmt, ...)
{
    u_char   buf[NGX_DUPLEX_CALL_TEXT_MAX];
    va_list  args;

    va_start(args, fmt);
    *ngx_vslprintf(buf, buf + sizeof(buf) - 1, fmt, args) = '\0';
    va_end(args);

    api->status = ngx_duplex_call_refuse(&api->call, status, code, "%s", buf);

    return ngx_http_duplex_api_answer(api);
}


ngx_int_t
ngx_http_duplex_api_header(ngx_http_request_t *r, const char *name,
    ngx_str_t *value)
{
    ngx_table_elt_t  *header;

    header = ngx_list_push(&r->headers_out.headers);
    if (header == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(header, sizeof(ngx_table_elt_t));

    header->key.data = (u_char *) name;
    header->key.len = ngx_strlen(name);

    header->value.len = value->len;
    header->value.data = ngx_pstrdup(r->pool, value);

    if (header->value.data == NULL) {
        return NGX_ERROR;
    }

    header->hash = 1;

    return NGX_OK;
}


static ngx_duplex_json_t *
ngx_http_duplex_api_error_object(ngx_http_duplex_api_t *api)
{
    ngx_duplex_json_t  *json;

    json = ngx_duplex_json_create(api->request->pool);
    if (json == NULL) {
        return NULL;
    }

    ngx_duplex_json_object(json, NULL);

    ngx_duplex_json_object(json, "error");
    ngx_duplex_json_integer(json, "status", api->status);
    ngx_duplex_json_string(json, "text", &api->call.text);
    ngx_duplex_json_text(json, "code", api->call.code);
    ngx_duplex_json_object_end(json);

    ngx_http_duplex_api_request_id(api->request, json);
    ngx_duplex_json_text(json, "href", NGX_HTTP_DUPLEX_API_HREF);

    ngx_duplex_json_object_end(json);

    return json;
}


/* errors are rare: the variable is looked up by name */

static void
ngx_http_duplex_api_request_id(ngx_http_request_t *r, ngx_duplex_json_t *json)
{
    ngx_str_t                   id, name = ngx_string("request_id");
    ngx_uint_t                  key;
    ngx_http_variable_value_t  *value;

    key = ngx_hash_key(name.data, name.len);
    value = ngx_http_get_variable(r, &name, key);

    if (value == NULL || value->not_found) {
        return;
    }

    id.data = value->data;
    id.len = value->len;

    ngx_duplex_json_string(json, "request_id", &id);
}


ngx_int_t
ngx_http_duplex_api_send(ngx_http_request_t *r, ngx_uint_t status,
    ngx_duplex_json_t *json)
{
    off_t         length;
    ngx_chain_t  *out;

    out = json ? ngx_duplex_json_finish(json, &length) : NULL;

    if (out == NULL) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "could not write an answer of the API");
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_str_set(&r->headers_out.content_type, "application/json");

    return ngx_http_duplex_api_send_chain(r, status, out, length);
}


ngx_int_t
ngx_http_duplex_api_send_chain(ngx_http_request_t *r, ngx_uint_t status,
    ngx_chain_t *out, off_t length)
{
    ngx_int_t     rc;
    ngx_chain_t  *last;

    r->headers_out.status = status;
    r->headers_out.content_length_n = length;

    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    for (last = out; last->next; last = last->next) { /* void */ }

    last->buf->last_buf = (r == r->main) ? 1 : 0;
    last->buf->last_in_chain = 1;

    return ngx_http_output_filter(r, out);
}


static ngx_int_t
ngx_http_duplex_api_send_nothing(ngx_http_request_t *r, ngx_uint_t status)
{
    ngx_int_t  rc;

    r->headers_out.status = status;
    r->header_only = 1;

    if (status != NGX_HTTP_NO_CONTENT) {
        r->headers_out.content_length_n = 0;
    }

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK) {
        return rc;
    }

    return ngx_http_send_special(r, NGX_HTTP_LAST);
}
