
/*
 * The body of a writing request.
 *
 * It is read unbuffered into memory of our own, since nginx would put what
 * does not fit into a file, and answers a body that is too large by itself,
 * with a page that no client of the API can parse.
 */


#include "ngx_http_duplex_api_answer.h"
#include "ngx_http_duplex_api_body.h"
#include "ngx_http_duplex_api_call.h"


static void ngx_http_duplex_api_body_start(ngx_http_request_t *r);
static void ngx_http_duplex_api_body_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_duplex_api_body_collect(ngx_http_duplex_api_t *api);
static ngx_int_t ngx_http_duplex_api_body_done(ngx_http_duplex_api_t *api);
static ngx_int_t ngx_http_duplex_api_body_too_large(
    ngx_http_duplex_api_t *api);
static ngx_int_t ngx_http_duplex_api_body_failed(ngx_http_duplex_api_t *api,
    ngx_int_t rc);


ngx_int_t
ngx_http_duplex_api_body_read(ngx_http_duplex_api_t *api)
{
    off_t                length;
    ngx_int_t            rc;
    ngx_http_request_t  *r;

    r = api->request;
    length = r->headers_in.content_length_n;

    if (length > (off_t) api->limit) {

        rc = ngx_http_discard_request_body(r);

        if (rc != NGX_OK) {
            return rc;
        }

        return ngx_http_duplex_api_body_too_large(api);
    }

    api->body.data = ngx_pnalloc(r->pool,
                                 length > 0 ? (size_t) length : api->limit);
    if (api->body.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->request_body_no_buffering = 1;

    rc = ngx_http_read_client_request_body(r, ngx_http_duplex_api_body_start);

    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        return ngx_http_duplex_api_body_failed(api, rc);
    }

    return NGX_DONE;
}


/* nginx calls it once, with all or with some of the body */

static void
ngx_http_duplex_api_body_start(ngx_http_request_t *r)
{
    if (r->reading_body) {
        r->read_event_handler = ngx_http_duplex_api_body_handler;
    }

    ngx_http_duplex_api_body_handler(r);
}


static void
ngx_http_duplex_api_body_handler(ngx_http_request_t *r)
{
    ngx_int_t               rc;
    ngx_http_duplex_api_t  *api;

    api = ngx_http_get_module_ctx(r, ngx_http_duplex_api_module);

    for ( ;; ) {

        if (ngx_http_duplex_api_body_collect(api) != NGX_OK) {
            rc = ngx_http_duplex_api_body_too_large(api);
            break;
        }

        if (!r->reading_body) {
            rc = ngx_http_duplex_api_body_done(api);
            break;
        }

        rc = ngx_http_read_unbuffered_request_body(r);

        if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
            rc = ngx_http_duplex_api_body_failed(api, rc);
            break;
        }

        if (rc == NGX_AGAIN && r->request_body->bufs == NULL) {
            return;
        }
    }

    r->read_event_handler = ngx_http_block_reading;

    ngx_http_finalize_request(r, rc);
}


/* NGX_DECLINED: there is more than may be */

static ngx_int_t
ngx_http_duplex_api_body_collect(ngx_http_duplex_api_t *api)
{
    size_t                    n;
    ngx_buf_t                *b;
    ngx_chain_t              *cl;
    ngx_http_request_body_t  *rb;

    rb = api->request->request_body;

    for (cl = rb->bufs; cl; cl = cl->next) {

        b = cl->buf;
        n = b->last - b->pos;

        /* one that only ends the body has no memory at all */

        if (n == 0) {
            continue;
        }

        if (n > api->limit - api->body.len) {
            return NGX_DECLINED;
        }

        ngx_memcpy(api->body.data + api->body.len, b->pos, n);

        api->body.len += n;
        b->pos = b->last;
    }

    rb->bufs = NULL;

    return NGX_OK;
}


static ngx_int_t
ngx_http_duplex_api_body_done(ngx_http_duplex_api_t *api)
{
    if (api->body.len == 0) {
        return ngx_http_duplex_api_error(api, NGX_HTTP_BAD_REQUEST,
                                         "BodyReadError",
                                         "request body is empty");
    }

    return ngx_http_duplex_api_call_run(api);
}


static ngx_int_t
ngx_http_duplex_api_body_too_large(ngx_http_duplex_api_t *api)
{
    return ngx_http_duplex_api_error(api, NGX_HTTP_REQUEST_ENTITY_TOO_LARGE,
                                     "BodyReadError",
                                     "request body is larger than %uz bytes",
                                     api->limit);
}


static ngx_int_t
ngx_http_duplex_api_body_failed(ngx_http_duplex_api_t *api, ngx_int_t rc)
{
    ngx_http_request_t  *r;

    r = api->request;

    if (rc != NGX_HTTP_BAD_REQUEST || r->connection->error) {
        return rc;
    }

    r->keepalive = 0;

    return ngx_http_duplex_api_error(api, NGX_HTTP_BAD_REQUEST, "BodyReadError",
                                     "reading request body failed");
}
