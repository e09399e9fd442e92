
/*
 * Answers of the API, see the header.
 */


#include "ngx_http_duplex_api_answer.h"


#define NGX_HTTP_DUPLEX_API_HREF                                              \
    "https://nginx.org/en/docs/http/ngx_http_api_module.html"


static void ngx_http_duplex_api_request_id(ngx_http_request_t *r,
    ngx_duplex_json_t *json);


ngx_duplex_json_t *
ngx_http_duplex_api_json(ngx_http_duplex_api_t *api, ngx_uint_t level)
{
    ngx_duplex_json_t  *json;

    json = ngx_duplex_json_create(api->request->pool);

    if (json && api->fields.nelts) {
        ngx_duplex_json_restrict(json, level, api->fields.elts,
                                 api->fields.nelts);
    }

    return json;
}


ngx_int_t
ngx_http_duplex_api_send(ngx_http_request_t *r, ngx_uint_t status,
    ngx_duplex_json_t *json)
{
    off_t         length;
    ngx_int_t     rc;
    ngx_chain_t  *out, *last;

    out = json ? ngx_duplex_json_finish(json, &length) : NULL;

    if (out == NULL) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "could not write an answer of the API");
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->headers_out.status = status;
    r->headers_out.content_length_n = length;

    ngx_str_set(&r->headers_out.content_type, "application/json");
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


ngx_int_t
ngx_http_duplex_api_error(ngx_http_request_t *r, ngx_uint_t status,
    const char *code, const char *fmt, ...)
{
    u_char              buf[NGX_HTTP_DUPLEX_API_TEXT_MAX];
    va_list             args;
    ngx_str_t           text;
    ngx_duplex_json_t  *json;

    va_start(args, fmt);
    text.data = buf;
    text.len = ngx_vslprintf(buf, buf + sizeof(buf), fmt, args) - buf;
    va_end(args);

    json = ngx_duplex_json_create(r->pool);
    if (json == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_duplex_json_object(json, NULL);

    ngx_duplex_json_object(json, "error");
    ngx_duplex_json_integer(json, "status", status);
    ngx_duplex_json_string(json, "text", &text);
    ngx_duplex_json_text(json, "code", code);
    ngx_duplex_json_object_end(json);

    ngx_http_duplex_api_request_id(r, json);
    ngx_duplex_json_text(json, "href", NGX_HTTP_DUPLEX_API_HREF);

    ngx_duplex_json_object_end(json);

    return ngx_http_duplex_api_send(r, status, json);
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
