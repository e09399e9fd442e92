
/*
 * The health protocol of gRPC.
 *
 * A message is five bytes of frame (not compressed, length) and protocol
 * buffers: the request has one string (field 1, the service), the answer one
 * number (field 1, 1 is SERVING).  nginx's own gRPC code does the HTTP/2.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "ngx_http_duplex_grpc.h"


#define NGX_HTTP_DUPLEX_GRPC_FRAME      5
#define NGX_HTTP_DUPLEX_GRPC_STRING     0x0a    /* field 1, counted bytes */
#define NGX_HTTP_DUPLEX_GRPC_NUMBER     0x08    /* field 1, number */
#define NGX_HTTP_DUPLEX_GRPC_SERVING    1


static ngx_int_t ngx_http_duplex_grpc_header(ngx_http_request_t *r,
    ngx_table_elt_t **slot, const char *name, const char *value);
static ngx_str_t *ngx_http_duplex_grpc_find(ngx_http_upstream_t *u,
    const char *name);
static ngx_str_t *ngx_http_duplex_grpc_find_in(ngx_list_t *list,
    const char *name);
static ngx_int_t ngx_http_duplex_grpc_serving(ngx_str_t *body);
static u_char *ngx_http_duplex_grpc_number(u_char *p, u_char *last,
    uint64_t *number);


static ngx_str_t  ngx_http_duplex_grpc_method = ngx_string("POST");


static const char  *ngx_http_duplex_grpc_names[] = {
    "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED",
    "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED",
    "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED"
};

#define NGX_HTTP_DUPLEX_GRPC_NAMES                                            \
    (sizeof(ngx_http_duplex_grpc_names) / sizeof(char *))


static const char  *ngx_http_duplex_grpc_states[] = {
    "UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"
};


ngx_int_t
ngx_http_duplex_grpc_status(ngx_str_t *text)
{
    ngx_int_t   status;
    ngx_uint_t  i;

    for (i = 0; i < NGX_HTTP_DUPLEX_GRPC_NAMES; i++) {
        if (ngx_strcmp(text->data, ngx_http_duplex_grpc_names[i]) == 0) {
            return i;
        }
    }

    status = ngx_atoi(text->data, text->len);

    return status <= 255 ? status : NGX_ERROR;
}


ngx_int_t
ngx_http_duplex_grpc_request(ngx_http_request_t *r, ngx_str_t *service)
{
    size_t        len;
    u_char       *p;
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    /* an empty string is left out; a length below 128 is one byte */

    len = service->len ? 2 + service->len : 0;

    b = ngx_create_temp_buf(r->pool, NGX_HTTP_DUPLEX_GRPC_FRAME + len);
    cl = ngx_alloc_chain_link(r->pool);

    if (b == NULL || cl == NULL) {
        return NGX_ERROR;
    }

    p = b->last;

    *p++ = 0;
    *p++ = 0;
    *p++ = 0;
    *p++ = 0;
    *p++ = (u_char) len;

    if (len) {
        *p++ = NGX_HTTP_DUPLEX_GRPC_STRING;
        *p++ = (u_char) service->len;
        p = ngx_cpymem(p, service->data, service->len);
    }

    b->last = p;
    b->last_buf = 1;

    cl->buf = b;
    cl->next = NULL;

    r->request_body->bufs = cl;

    r->method = NGX_HTTP_POST;
    r->method_name = ngx_http_duplex_grpc_method;
    r->headers_in.content_length_n = b->last - b->pos;

    if (ngx_http_duplex_grpc_header(r, &r->headers_in.content_type,
                                    "Content-Type", "application/grpc")
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    /* nginx passes it on; servers want to know that trailers are read */

    return ngx_http_duplex_grpc_header(r, &r->headers_in.te, "TE",
                                       "trailers");
}


static ngx_int_t
ngx_http_duplex_grpc_header(ngx_http_request_t *r, ngx_table_elt_t **slot,
    const char *name, const char *value)
{
    ngx_uint_t        i;
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_in.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->key.data = (u_char *) name;
    h->key.len = ngx_strlen(name);
    h->value.data = (u_char *) value;
    h->value.len = ngx_strlen(value);

    h->lowcase_key = ngx_pnalloc(r->pool, h->key.len);
    if (h->lowcase_key == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < h->key.len; i++) {
        h->lowcase_key[i] = ngx_tolower(h->key.data[i]);
    }

    h->hash = ngx_hash_key(h->lowcase_key, h->key.len);

    *slot = h;

    return NGX_OK;
}


ngx_duplex_reason_e
ngx_http_duplex_grpc_answer(ngx_http_request_t *r, ngx_str_t *body,
    ngx_int_t accepted, ngx_str_t *text, size_t size)
{
    u_char               *last;
    ngx_int_t             status, serving;
    ngx_str_t            *value, *message, none;
    ngx_http_upstream_t  *u;

    u = r->upstream;
    last = text->data + size;

    value = ngx_http_duplex_grpc_find(u, "grpc-status");

    if (value == NULL) {
        text->len = ngx_slprintf(text->data, last, "no \"grpc-status\"")
                    - text->data;
        return ngx_duplex_reason_grpc;
    }

    status = ngx_atoi(value->data, value->len);

    if (status != NGX_ERROR && status == accepted) {
        return ngx_duplex_reason_none;
    }

    if (status != 0) {
        ngx_str_null(&none);

        message = ngx_http_duplex_grpc_find(u, "grpc-message");

        if (message == NULL) {
            message = &none;
        }

        text->len = ngx_slprintf(text->data, last, "grpc-status %V%s%s%s%V",
                                 value,
                                 status > 0
                                 && status
                                    < (ngx_int_t) NGX_HTTP_DUPLEX_GRPC_NAMES
                                 ? " " : "",
                                 status > 0
                                 && status
                                    < (ngx_int_t) NGX_HTTP_DUPLEX_GRPC_NAMES
                                 ? ngx_http_duplex_grpc_names[status] : "",
                                 message->len ? ": " : "", message)
                    - text->data;
        return ngx_duplex_reason_grpc;
    }

    serving = ngx_http_duplex_grpc_serving(body);

    if (serving == NGX_HTTP_DUPLEX_GRPC_SERVING) {
        return ngx_duplex_reason_none;
    }

    if (serving == NGX_ERROR) {
        last = ngx_slprintf(text->data, last, "no valid message");

    } else if (serving < (ngx_int_t) (sizeof(ngx_http_duplex_grpc_states)
                                      / sizeof(char *)))
    {
        last = ngx_slprintf(text->data, last, "%s",
                            ngx_http_duplex_grpc_states[serving]);

    } else {
        last = ngx_slprintf(text->data, last, "serving status %i", serving);
    }

    text->len = last - text->data;

    return ngx_duplex_reason_grpc;
}


/* an answer without a message has what is a trailer else among its headers */

static ngx_str_t *
ngx_http_duplex_grpc_find(ngx_http_upstream_t *u, const char *name)
{
    ngx_str_t  *value;

    value = ngx_http_duplex_grpc_find_in(&u->headers_in.trailers, name);

    return value ? value
                 : ngx_http_duplex_grpc_find_in(&u->headers_in.headers, name);
}


static ngx_str_t *
ngx_http_duplex_grpc_find_in(ngx_list_t *list, const char *name)
{
    size_t            len;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    len = ngx_strlen(name);

    for (part = &list->part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (h[i].key.len == len
                && ngx_strncasecmp(h[i].key.data, (u_char *) name, len) == 0)
            {
                return &h[i].value;
            }
        }
    }

    return NULL;
}


/* field 1 of the message, 0 if it has none; NGX_ERROR: not a message */

static ngx_int_t
ngx_http_duplex_grpc_serving(ngx_str_t *body)
{
    u_char    *p, *last;
    uint64_t   len, tag, number, serving;

    if (body->len < NGX_HTTP_DUPLEX_GRPC_FRAME || body->data[0] != 0) {
        return NGX_ERROR;
    }

    p = body->data;
    len = (uint64_t) p[1] << 24 | p[2] << 16 | p[3] << 8 | p[4];

    p += NGX_HTTP_DUPLEX_GRPC_FRAME;

    if (len > body->len - NGX_HTTP_DUPLEX_GRPC_FRAME) {
        return NGX_ERROR;
    }

    last = p + len;
    serving = 0;

    while (p < last) {
        p = ngx_http_duplex_grpc_number(p, last, &tag);

        if (p == NULL) {
            return NGX_ERROR;
        }

        switch (tag & 7) {

        case 0: /* number */
            number = 0;
            p = ngx_http_duplex_grpc_number(p, last, &number);

            if (tag == NGX_HTTP_DUPLEX_GRPC_NUMBER) {
                serving = number;
            }

            break;

        case 1: /* 64 bits */
            p = (last - p < 8) ? NULL : p + 8;
            break;

        case 2: /* counted bytes */
            p = ngx_http_duplex_grpc_number(p, last, &number);

            if (p) {
                p = ((uint64_t) (last - p) < number) ? NULL : p + number;
            }

            break;

        case 5: /* 32 bits */
            p = (last - p < 4) ? NULL : p + 4;
            break;

        default:
            p = NULL;
        }

        if (p == NULL) {
            return NGX_ERROR;
        }
    }

    return serving <= NGX_MAX_INT32_VALUE ? (ngx_int_t) serving : NGX_ERROR;
}


/* seven bits a byte, the lowest first; NULL: it does not end */

static u_char *
ngx_http_duplex_grpc_number(u_char *p, u_char *last, uint64_t *number)
{
    ngx_uint_t  shift;

    *number = 0;

    for (shift = 0; p < last && shift < 64; shift += 7) {
        *number |= (uint64_t) (*p & 0x7f) << shift;

        if ((*p++ & 0x80) == 0) {
            return p;
        }
    }

    return NULL;
}
