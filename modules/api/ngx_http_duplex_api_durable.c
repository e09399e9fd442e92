
/*
 * See the header.  The request waits with one reference more; a client that
 * goes away is noticed when it is answered, a request that is ended in
 * another way (a stream of HTTP/2) takes its wait back.
 */


#include "../core/ngx_duplex_journal.h"
#include "ngx_http_duplex_api_answer.h"
#include "ngx_http_duplex_api_applied.h"
#include "ngx_http_duplex_api_durable.h"


typedef struct {
    ngx_duplex_journal_wait_t   wait;
    ngx_http_duplex_api_t      *api;
} ngx_http_duplex_api_durable_t;


static void ngx_http_duplex_api_durable_done(ngx_duplex_journal_wait_t *wait,
    ngx_int_t rc);
static void ngx_http_duplex_api_durable_cleanup(void *data);
static ngx_int_t ngx_http_duplex_api_durable_failed(
    ngx_http_duplex_api_t *api);


ngx_int_t
ngx_http_duplex_api_durable(ngx_http_duplex_api_t *api)
{
    ngx_http_cleanup_t             *cln;
    ngx_http_request_t             *r;
    ngx_http_duplex_api_durable_t  *durable;

    r = api->request;

    cln = ngx_http_cleanup_add(r, sizeof(ngx_http_duplex_api_durable_t));
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    durable = cln->data;

    ngx_memzero(durable, sizeof(ngx_http_duplex_api_durable_t));

    durable->wait.handler = ngx_http_duplex_api_durable_done;
    durable->wait.data = durable;
    durable->api = api;

    cln->handler = ngx_http_duplex_api_durable_cleanup;

    switch (ngx_duplex_journal_wait(&durable->wait)) {

    case NGX_OK:
        return ngx_http_duplex_api_applied(api);

    case NGX_AGAIN:
        r->main->count++;
        return NGX_DONE;

    default: /* NGX_ERROR */
        return ngx_http_duplex_api_durable_failed(api);
    }
}


static void
ngx_http_duplex_api_durable_done(ngx_duplex_journal_wait_t *wait, ngx_int_t rc)
{
    ngx_connection_t               *c;
    ngx_http_request_t             *r;
    ngx_http_duplex_api_durable_t  *durable;

    durable = wait->data;
    r = durable->api->request;
    c = r->connection;

    rc = rc == NGX_OK ? ngx_http_duplex_api_applied(durable->api)
                      : ngx_http_duplex_api_durable_failed(durable->api);

    ngx_http_finalize_request(r, rc);

    ngx_http_run_posted_requests(c);
}


static void
ngx_http_duplex_api_durable_cleanup(void *data)
{
    ngx_http_duplex_api_durable_t *durable = data;

    ngx_duplex_journal_cancel(&durable->wait);
}


static ngx_int_t
ngx_http_duplex_api_durable_failed(ngx_http_duplex_api_t *api)
{
    return ngx_http_duplex_api_error(api, NGX_HTTP_INTERNAL_SERVER_ERROR,
                                     "JournalWriteError",
                                     "the change is in force but not on disk: "
                                     "\"%V\" cannot be written, a restart "
                                     "would lose it",
                                     ngx_duplex_journal_directory());
}
