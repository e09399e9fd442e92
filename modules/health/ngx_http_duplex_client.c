
/*
 * The client of a probe, which does not exist.
 *
 * Its connection has no socket, is never in the event loop, and counts as
 * closed by the client's side, so that nginx ends the request as soon as the
 * upstream part is done.  What nginx sends to it ends in two filters that
 * stand before all others.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "ngx_http_duplex_client.h"
#include "ngx_http_duplex_health.h"


#define NGX_HTTP_DUPLEX_CLIENT_SIZE  4096           /* grows by doubling */


static void ngx_http_duplex_client_cleanup(void *data);
static ngx_int_t ngx_http_duplex_client_header_filter(ngx_http_request_t *r);
static ngx_int_t ngx_http_duplex_client_body_filter(ngx_http_request_t *r,
    ngx_chain_t *in);
static ngx_int_t ngx_http_duplex_client_keep(ngx_http_duplex_client_t *client,
    ngx_buf_t *b);


static ngx_str_t  ngx_http_duplex_client_text = ngx_string("127.0.0.1");


/* of this process */
static ngx_http_output_header_filter_pt  ngx_http_next_header_filter;
static ngx_http_output_body_filter_pt    ngx_http_next_body_filter;


ngx_connection_t *
ngx_http_duplex_client_open(void)
{
    ngx_connection_t           *c;
    ngx_pool_cleanup_t         *cln;

    static struct sockaddr_in   client;

    c = ngx_get_connection(0, ngx_cycle->log);
    if (c == NULL) {
        return NULL;
    }

    c->fd = (ngx_socket_t) -1;

    c->pool = ngx_create_pool(2048, ngx_cycle->log);
    if (c->pool == NULL) {
        ngx_free_connection(c);
        return NULL;
    }

    cln = ngx_pool_cleanup_add(c->pool, 0);
    if (cln == NULL) {
        ngx_destroy_pool(c->pool);
        ngx_free_connection(c);
        return NULL;
    }

    cln->handler = ngx_http_duplex_client_cleanup;
    cln->data = c;

    /* variables look at the client's address */

    client.sin_family = AF_INET;
    client.sin_addr.s_addr = htonl(INADDR_LOOPBACK);

    c->sockaddr = (struct sockaddr *) &client;
    c->socklen = sizeof(struct sockaddr_in);
    c->local_sockaddr = c->sockaddr;
    c->local_socklen = c->socklen;
    c->addr_text = ngx_http_duplex_client_text;

    c->number = ngx_atomic_fetch_add(ngx_connection_counter, 1);
    c->start_time = ngx_current_msec;
    c->log_error = NGX_ERROR_INFO;

    c->tcp_nodelay = NGX_TCP_NODELAY_DISABLED;
    c->tcp_nopush = NGX_TCP_NOPUSH_DISABLED;

    /* as if in epoll already, so that nobody puts fd -1 there */

    c->read->active = 1;
    c->write->active = 1;
    c->write->ready = 1;

    /* the end of the request closes the connection at once */

    c->read->eof = 1;

#if (NGX_STAT_STUB)
    /* ngx_http_close_connection() takes it back */
    (void) ngx_atomic_fetch_add(ngx_stat_active, 1);
#endif

    return c;
}


/* where no request came into being: else nginx does it */

void
ngx_http_duplex_client_close(ngx_connection_t *c)
{
#if (NGX_STAT_STUB)
    (void) ngx_atomic_fetch_add(ngx_stat_active, -1);
#endif

    ngx_destroy_pool(c->pool);
}


/* ngx_close_connection() does not touch a connection without a socket */

static void
ngx_http_duplex_client_cleanup(void *data)
{
    ngx_connection_t *c = data;

    if (c->read->timer_set) {
        ngx_del_timer(c->read);
    }

    if (c->write->timer_set) {
        ngx_del_timer(c->write);
    }

    if (c->read->posted) {
        ngx_delete_posted_event(c->read);
    }

    if (c->write->posted) {
        ngx_delete_posted_event(c->write);
    }

    c->read->closed = 1;
    c->write->closed = 1;

    ngx_free_connection(c);
}


/*
 * In the worker and not while parsing: so we are in front of all filters
 * whatever the order of loading, and a reload that fails changes nothing.
 */

void
ngx_http_duplex_client_install(void)
{
    if (ngx_http_top_header_filter == ngx_http_duplex_client_header_filter) {
        return;
    }

    ngx_http_next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = ngx_http_duplex_client_header_filter;

    ngx_http_next_body_filter = ngx_http_top_body_filter;
    ngx_http_top_body_filter = ngx_http_duplex_client_body_filter;
}


static ngx_int_t
ngx_http_duplex_client_header_filter(ngx_http_request_t *r)
{
    if (ngx_http_get_module_ctx(r->main, ngx_http_duplex_health_module)
        == NULL)
    {
        return ngx_http_next_header_filter(r);
    }

    r->header_sent = 1;

    return NGX_OK;
}


static ngx_int_t
ngx_http_duplex_client_body_filter(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_http_duplex_client_t  *client;

    client = ngx_http_get_module_ctx(r->main, ngx_http_duplex_health_module);

    if (client == NULL) {
        return ngx_http_next_body_filter(r, in);
    }

    for ( /* void */ ; in; in = in->next) {
        client->body += ngx_buf_size(in->buf);

        if (ngx_http_duplex_client_keep(client, in->buf) != NGX_OK) {
            return NGX_ERROR;
        }

        in->buf->pos = in->buf->last;
        in->buf->file_pos = in->buf->file_last;
    }

    if (client->body > NGX_HTTP_DUPLEX_CLIENT_BODY) {
        client->cut = 1;
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* chunks are joined, so that a word may be in two of them */

static ngx_int_t
ngx_http_duplex_client_keep(ngx_http_duplex_client_t *client, ngx_buf_t *b)
{
    size_t   n, size;
    u_char  *p;

    if (!ngx_buf_in_memory(b)) {
        return NGX_OK;
    }

    n = ngx_min((size_t) (b->last - b->pos), client->wanted - client->len);

    if (n == 0) {
        return NGX_OK;
    }

    if (client->len + n > client->size) {
        size = client->size ? client->size : NGX_HTTP_DUPLEX_CLIENT_SIZE / 2;

        do {
            size *= 2;
        } while (size < client->len + n);

        size = ngx_min(size, client->wanted);

        p = ngx_pnalloc(client->pool, size);
        if (p == NULL) {
            return NGX_ERROR;
        }

        if (client->len) {
            ngx_memcpy(p, client->data, client->len);
        }

        if (client->size > client->pool->max) {
            (void) ngx_pfree(client->pool, client->data);
        }

        client->data = p;
        client->size = size;
    }

    ngx_memcpy(client->data + client->len, b->pos, n);
    client->len += n;

    return NGX_OK;
}
