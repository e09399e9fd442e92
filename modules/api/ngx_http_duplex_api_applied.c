
/*
 * See the header.  As with the journal, the request waits with one reference
 * more, and takes its wait back when it is ended in another way.
 */


#include "../core/ngx_duplex_identity.h"
#include "ngx_http_duplex_api_answer.h"
#include "ngx_http_duplex_api_applied.h"


#define NGX_HTTP_DUPLEX_API_APPLIED_WAIT  100       /* ms */
#define NGX_HTTP_DUPLEX_API_APPLIED_MAX   30000


typedef struct {
    ngx_duplex_acked_wait_t   wait;
    ngx_http_duplex_api_t    *api;
} ngx_http_duplex_api_applied_t;


static void ngx_http_duplex_api_applied_done(ngx_duplex_acked_wait_t *wait);
static void ngx_http_duplex_api_applied_cleanup(void *data);
static ngx_int_t ngx_http_duplex_api_applied_answer(
    ngx_http_duplex_api_t *api);
static void ngx_http_duplex_api_applied_field(ngx_http_duplex_api_t *api,
    const char *name, ngx_uint_t wanted);
static ngx_int_t ngx_http_duplex_api_applied_header(ngx_http_duplex_api_t *api,
    const char *name, ngx_uint_t wanted);


ngx_uint_t
ngx_http_duplex_api_applied_prepare(ngx_http_duplex_api_t *api)
{
    ngx_int_t  rc, ms;
    ngx_str_t  value;

    api->wait = NGX_HTTP_DUPLEX_API_APPLIED_WAIT;

    rc = ngx_duplex_call_arg(&api->call, "wait", &value);

    if (rc == NGX_ERROR) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (rc == NGX_DECLINED) {
        return 0;
    }

    if (value.len == 4 && ngx_strncmp(value.data, "none", 4) == 0) {
        api->wait = 0;
        return 0;
    }

    if (value.len == 3 && ngx_strncmp(value.data, "all", 3) == 0) {
        api->wait = NGX_HTTP_DUPLEX_API_APPLIED_MAX;
        return 0;
    }

    ms = ngx_atoi(value.data, value.len);

    if (ms == NGX_ERROR || ms > NGX_HTTP_DUPLEX_API_APPLIED_MAX) {
        return ngx_duplex_call_refuse(&api->call, NGX_HTTP_BAD_REQUEST,
                                      "WaitFormatError",
                                      "invalid \"wait\": must be \"all\", "
                                      "\"none\" or at most %d milliseconds",
                                      NGX_HTTP_DUPLEX_API_APPLIED_MAX);
    }

    api->wait = ms;

    return 0;
}


ngx_int_t
ngx_http_duplex_api_applied(ngx_http_duplex_api_t *api)
{
    ngx_http_cleanup_t             *cln;
    ngx_http_duplex_api_applied_t  *applied;

    if (api->acked == NULL) {
        return ngx_http_duplex_api_applied_answer(api);
    }

    cln = ngx_http_cleanup_add(api->request,
                               sizeof(ngx_http_duplex_api_applied_t));
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    applied = cln->data;

    ngx_memzero(applied, sizeof(ngx_http_duplex_api_applied_t));

    applied->wait.position = api->position;
    applied->wait.handler = ngx_http_duplex_api_applied_done;
    applied->wait.data = applied;
    applied->api = api;

    cln->handler = ngx_http_duplex_api_applied_cleanup;

    if (api->acked->wait(&applied->wait, api->wait) == NGX_OK) {
        return ngx_http_duplex_api_applied_answer(api);
    }

    api->request->main->count++;

    return NGX_DONE;
}


static void
ngx_http_duplex_api_applied_done(ngx_duplex_acked_wait_t *wait)
{
    ngx_connection_t               *c;
    ngx_http_request_t             *r;
    ngx_http_duplex_api_applied_t  *applied;

    applied = wait->data;
    r = applied->api->request;
    c = r->connection;

    ngx_http_finalize_request(r,
                           ngx_http_duplex_api_applied_answer(applied->api));

    ngx_http_run_posted_requests(c);
}


static void
ngx_http_duplex_api_applied_cleanup(void *data)
{
    ngx_http_duplex_api_applied_t *applied = data;

    applied->api->acked->cancel(&applied->wait);
}


static ngx_int_t
ngx_http_duplex_api_applied_answer(ngx_http_duplex_api_t *api)
{
    ngx_str_t   node;
    ngx_uint_t  connected, acked;

    /* where there is no other node, the answer is the object and no more */

    if (api->acked && api->call.json && api->call.code == NULL
        && api->acked->node(0, api->position, &node, &connected, &acked)
           == NGX_OK
        && ngx_duplex_json_reopen(api->call.json))
    {
        ngx_http_duplex_api_applied_field(api, "applied", 1);
        ngx_http_duplex_api_applied_field(api, "pending", 0);
        ngx_duplex_json_object_end(api->call.json);
    }

    if (ngx_http_duplex_api_applied_header(api, "X-Duplex-Applied", 1)
        != NGX_OK
        || ngx_http_duplex_api_applied_header(api, "X-Duplex-Pending", 0)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_duplex_api_answer(api);
}


/* the names of the nodes that have it, or have not */

static void
ngx_http_duplex_api_applied_field(ngx_http_duplex_api_t *api,
    const char *name, ngx_uint_t wanted)
{
    ngx_str_t            node;
    ngx_uint_t           i, connected, acked;
    ngx_duplex_json_t   *json;

    json = api->call.json;

    ngx_duplex_json_array(json, name);

    if (wanted) {
        ngx_duplex_json_string(json, NULL, &ngx_duplex_identity()->name);
    }

    for (i = 0;
         api->acked->node(i, api->position, &node, &connected, &acked)
         == NGX_OK;
         i++)
    {
        if (acked == wanted) {
            ngx_duplex_json_string(json, NULL, &node);
        }
    }

    ngx_duplex_json_array_end(json);
}


/* the same; none: no header */

static ngx_int_t
ngx_http_duplex_api_applied_header(ngx_http_duplex_api_t *api,
    const char *name, ngx_uint_t wanted)
{
    u_char      *p, *last, buf[4096];
    ngx_str_t    node, value;
    ngx_uint_t   i, connected, acked;

    p = buf;
    last = buf + sizeof(buf);

    if (wanted) {
        p = ngx_slprintf(p, last, "%V", &ngx_duplex_identity()->name);
    }

    for (i = 0;
         api->acked
         && api->acked->node(i, api->position, &node, &connected, &acked)
            == NGX_OK;
         i++)
    {
        if (acked == wanted) {
            p = ngx_slprintf(p, last, "%s%V", p == buf ? "" : ", ", &node);
        }
    }

    if (p == buf) {
        return NGX_OK;
    }

    value.data = buf;
    value.len = p - buf;

    return ngx_http_duplex_api_header(api->request, name, &value);
}
