
/*
 * Nodes that are found by name; see the header.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_clock.h"
#include "ngx_duplex_members.h"
#include "ngx_duplex_nodes.h"


/* ms between two questions, whatever the answer says */
#define NGX_DUPLEX_MEMBERS_MIN    1000
#define NGX_DUPLEX_MEMBERS_RETRY  2000


static void ngx_duplex_members_handler(ngx_resolver_ctx_t *ctx);
static void ngx_duplex_members_take(ngx_resolver_ctx_t *ctx);
static void ngx_duplex_members_failed(const char *why);


static ngx_resolver_ctx_t     *ngx_duplex_members_ctx;  /* asking */
static ngx_duplex_members_pt   ngx_duplex_members_found;
static uint64_t                ngx_duplex_members_next; /* ms, monotonic */
static ngx_uint_t              ngx_duplex_members_told; /* that it fails */


void
ngx_duplex_members_beat(ngx_duplex_members_pt found)
{
    uint64_t                now;
    ngx_resolver_ctx_t     *ctx;
    ngx_duplex_resolve_t   *resolve;

    resolve = ngx_duplex_sync_conf()->resolve;
    now = ngx_duplex_clock_monotonic();

    if (resolve == NULL || ngx_duplex_members_ctx
        || now < ngx_duplex_members_next)
    {
        return;
    }

    ngx_duplex_members_next = now + NGX_DUPLEX_MEMBERS_RETRY;
    ngx_duplex_members_found = found;

    ctx = ngx_resolve_start(resolve->resolver, NULL);

    if (ctx == NULL || ctx == NGX_NO_RESOLVER) {
        ngx_duplex_members_failed("no resolver");
        return;
    }

    ctx->name = resolve->host;
    ctx->handler = ngx_duplex_members_handler;
    ctx->timeout = resolve->timeout;
    ctx->cancelable = 1;

    /* the handler may be called before this returns */
    ngx_duplex_members_ctx = ctx;

    if (ngx_resolve_name(ctx) != NGX_OK) {
        ngx_duplex_members_ctx = NULL;
        ngx_duplex_members_failed("no memory");
    }
}


void
ngx_duplex_members_drop(void)
{
    if (ngx_duplex_members_ctx) {
        ngx_resolve_name_done(ngx_duplex_members_ctx);
        ngx_duplex_members_ctx = NULL;
    }

    ngx_duplex_members_next = 0;
}


static void
ngx_duplex_members_handler(ngx_resolver_ctx_t *ctx)
{
    ngx_duplex_members_ctx = NULL;

    if (ctx->state) {
        ngx_duplex_members_failed(ngx_resolver_strerror(ctx->state));

    } else {
        ngx_duplex_members_take(ctx);
    }

    ngx_resolve_name_done(ctx);
}


static void
ngx_duplex_members_take(ngx_resolver_ctx_t *ctx)
{
    u_char                 text[NGX_DUPLEX_NODES_MAX][NGX_SOCKADDR_STRLEN];
    u_char                 host[NGX_DUPLEX_NODES_MAX][NGX_SOCKADDR_STRLEN];
    uint64_t               wait;
    ngx_uint_t             i, n;
    ngx_sockaddr_t         sa[NGX_DUPLEX_NODES_MAX];
    ngx_duplex_listed_t    listed[NGX_DUPLEX_NODES_MAX];
    ngx_duplex_resolve_t  *resolve;

    resolve = ngx_duplex_sync_conf()->resolve;

    n = ngx_min(ctx->naddrs, NGX_DUPLEX_NODES_MAX);

    if (n < ctx->naddrs && !ngx_duplex_members_told) {
        ngx_duplex_members_told = 1;
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "\"%V\" has %ui addresses, only %d of them are nodes",
                      &resolve->host, ctx->naddrs, NGX_DUPLEX_NODES_MAX);
    }

    for (i = 0; i < n; i++) {

        ngx_memcpy(&sa[i], ctx->addrs[i].sockaddr, ctx->addrs[i].socklen);
        ngx_inet_set_port(&sa[i].sockaddr, resolve->port);

        listed[i].addr.sockaddr = &sa[i].sockaddr;
        listed[i].addr.socklen = ctx->addrs[i].socklen;
        listed[i].addr.name.data = text[i];
        listed[i].addr.name.len = ngx_sock_ntop(&sa[i].sockaddr,
                                                ctx->addrs[i].socklen, text[i],
                                                NGX_SOCKADDR_STRLEN, 1);

        /* as NGINX Plus does: the name in a certificate is the address */

        listed[i].host.data = host[i];
        listed[i].host.len = ngx_sock_ntop(&sa[i].sockaddr,
                                           ctx->addrs[i].socklen, host[i],
                                           NGX_SOCKADDR_STRLEN, 0);
    }

    if (n == ctx->naddrs) {
        ngx_duplex_members_told = 0;
    }

    wait = ctx->valid > ngx_time()
           ? (uint64_t) (ctx->valid - ngx_time()) * 1000 : 0;

    ngx_duplex_members_next = ngx_duplex_clock_monotonic()
                              + ngx_max(wait, NGX_DUPLEX_MEMBERS_MIN);

    ngx_duplex_nodes()->resolved = 1;

    ngx_duplex_members_found(listed, n);
}


static void
ngx_duplex_members_failed(const char *why)
{
    if (ngx_duplex_members_told) {
        return;
    }

    ngx_duplex_members_told = 1;

    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                  "nodes of \"%V\" could not be resolved: %s",
                  &ngx_duplex_sync_conf()->resolve->host, why);
}
