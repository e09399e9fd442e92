
/*
 * Asking for the addresses of named servers: the lease holder, in its beat.
 *
 * An answer is the truth for as long as it is valid, one that the name does
 * not exist included; without an answer the last good set stays.  What has
 * changed becomes records (ngx_duplex_name.h), and the records peers.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_clock.h"
#include "../core/ngx_duplex_lease.h"
#include "ngx_duplex_group.h"
#include "ngx_duplex_id.h"
#include "ngx_duplex_name.h"
#include "ngx_duplex_resolve.h"


/* ms between two questions, whatever the answer says */
#define NGX_DUPLEX_RESOLVE_MIN  1000


/* an answer, and the name it is for */
typedef struct {
    ngx_duplex_name_t    *name;
    ngx_resolver_addr_t  *addrs;
    ngx_uint_t            naddrs;
    u_short               lowest;       /* priority of primaries */
} ngx_duplex_answer_t;


static void ngx_duplex_resolve_beat(void);
static void ngx_duplex_resolve_drop(void);
static void ngx_duplex_resolve_ask(ngx_duplex_name_t *name, uint64_t now);
static void ngx_duplex_resolve_handler(ngx_resolver_ctx_t *ctx);
static void ngx_duplex_resolve_take(ngx_duplex_name_t *name,
    ngx_resolver_addr_t *addrs, ngx_uint_t naddrs);
static ngx_int_t ngx_duplex_resolve_visit(ngx_duplex_record_t *rec,
    void *data);
static void ngx_duplex_resolve_add(ngx_duplex_answer_t *answer,
    ngx_resolver_addr_t *addr);
static ngx_int_t ngx_duplex_resolve_key(ngx_duplex_answer_t *answer,
    ngx_resolver_addr_t *addr, ngx_sockaddr_t *sa, ngx_str_t *key);
static ngx_uint_t ngx_duplex_resolve_taken(ngx_duplex_group_t *group,
    ngx_str_t *key, ngx_sockaddr_t *sa, socklen_t socklen);


ngx_duplex_feature_t  ngx_duplex_resolve_feature = {
    ngx_string("upstream names"),
    NGX_DUPLEX_LAYER_UPSTREAM,
    NULL,                                  /* bind */
    NULL,                                  /* commit */
    NULL,                                  /* start */
    NULL,                                  /* take */
    ngx_duplex_resolve_beat,               /* beat */
    NULL,                                  /* wake */
    ngx_duplex_resolve_drop,               /* drop */
    ngx_duplex_resolve_drop                /* stop */
};


static void
ngx_duplex_resolve_beat(void)
{
    uint64_t             now;
    ngx_uint_t           i, n;
    ngx_duplex_name_t   *name;
    ngx_duplex_group_t  *group;

    now = ngx_duplex_clock_monotonic();

    for (i = 0; (group = ngx_duplex_group(i)) != NULL; i++) {

        for (n = 0; (name = ngx_duplex_name(group, n)) != NULL; n++) {

            if (name->ctx == NULL && now >= name->next) {
                ngx_duplex_resolve_ask(name, now);
            }
        }
    }
}


/* whoever takes over asks at once */

static void
ngx_duplex_resolve_drop(void)
{
    ngx_uint_t           i, n;
    ngx_duplex_name_t   *name;
    ngx_duplex_group_t  *group;

    for (i = 0; (group = ngx_duplex_group(i)) != NULL; i++) {

        for (n = 0; (name = ngx_duplex_name(group, n)) != NULL; n++) {

            if (name->ctx) {
                ngx_resolve_name_done(name->ctx);
                name->ctx = NULL;
            }

            name->next = 0;
        }
    }
}


static void
ngx_duplex_resolve_ask(ngx_duplex_name_t *name, uint64_t now)
{
    ngx_resolver_ctx_t  *ctx;
    ngx_duplex_group_t  *group;

    group = name->group;

    name->next = now + ngx_max(group->resolver_timeout,
                               NGX_DUPLEX_RESOLVE_MIN);

    ctx = ngx_resolve_start(group->resolver, NULL);

    if (ctx == NULL || ctx == NGX_NO_RESOLVER) {
        return;
    }

    ctx->name = name->host;
    ctx->service = name->service;
    ctx->handler = ngx_duplex_resolve_handler;
    ctx->data = name;
    ctx->timeout = group->resolver_timeout;
    ctx->cancelable = 1;

    /* the handler may be called before this returns */

    name->ctx = ctx;

    if (ngx_resolve_name(ctx) != NGX_OK) {
        name->ctx = NULL;
    }
}


static void
ngx_duplex_resolve_handler(ngx_resolver_ctx_t *ctx)
{
    uint64_t            wait;
    ngx_duplex_name_t  *name;

    name = ctx->data;
    name->ctx = NULL;

    /* another holder may have another file by now, with other names */

    if (!ngx_duplex_lease_held()) {
        ngx_resolve_name_done(ctx);
        return;
    }

    if (ctx->state && (ngx_uint_t) ctx->state != name->told) {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "%V of %s \"%V\" could not be resolved (%i: %s)",
                      &name->written, name->group->driver->title,
                      &name->group->name, ctx->state,
                      ngx_resolver_strerror(ctx->state));
    }

    name->told = ctx->state;

    if (ctx->state == 0) {
        ngx_duplex_resolve_take(name, ctx->addrs, ctx->naddrs);

    } else if (ctx->state == NGX_RESOLVE_NXDOMAIN) {
        ngx_duplex_resolve_take(name, NULL, 0);
    }

    if (ctx->state == 0 || ctx->state == NGX_RESOLVE_NXDOMAIN) {
        wait = ctx->valid > ngx_time()
               ? (uint64_t) (ctx->valid - ngx_time()) * 1000 : 0;

        name->next = ngx_duplex_clock_monotonic()
                     + ngx_max(wait, NGX_DUPLEX_RESOLVE_MIN);
    }

    ngx_resolve_name_done(ctx);
}


/* what is gone goes first: its places may be needed */

static void
ngx_duplex_resolve_take(ngx_duplex_name_t *name, ngx_resolver_addr_t *addrs,
    ngx_uint_t naddrs)
{
    ngx_uint_t           i;
    ngx_duplex_answer_t  answer;

    answer.name = name;
    answer.addrs = addrs;
    answer.naddrs = naddrs;
    answer.lowest = 0xffff;

    for (i = 0; i < naddrs; i++) {
        answer.lowest = ngx_min(answer.lowest, addrs[i].priority);
    }

    (void) ngx_duplex_store_walk(ngx_duplex_store_table(),
                                 ngx_duplex_name_kind.tag, &name->group->zone,
                                 ngx_duplex_resolve_visit, &answer);

    for (i = 0; i < naddrs; i++) {
        ngx_duplex_resolve_add(&answer, &addrs[i]);
    }
}


/* records of other names of this file stay, those of none go */

static ngx_int_t
ngx_duplex_resolve_visit(ngx_duplex_record_t *rec, void *data)
{
    ngx_duplex_answer_t *answer = data;

    u_char               buf[NGX_DUPLEX_KEY_MAX];
    ngx_str_t            key, server;
    ngx_uint_t           i;
    ngx_sockaddr_t       sa;
    ngx_duplex_name_t   *name;
    ngx_duplex_group_t  *group;

    group = answer->name->group;
    name = NULL;

    if (ngx_duplex_line_server(&rec->key, &server) == NGX_OK) {
        name = ngx_duplex_name_find(group, &server);
    }

    if (name && name != answer->name) {
        return NGX_OK;
    }

    for (i = 0; name && i < answer->naddrs; i++) {
        key.data = buf;

        if (ngx_duplex_resolve_key(answer, &answer->addrs[i], &sa, &key)
            == NGX_OK
            && key.len == rec->key.len
            && ngx_memcmp(key.data, rec->key.data, key.len) == 0)
        {
            return NGX_OK;
        }
    }

    (void) ngx_duplex_name_put(group, &rec->key, NULL);

    return NGX_OK;
}


static void
ngx_duplex_resolve_add(ngx_duplex_answer_t *answer, ngx_resolver_addr_t *addr)
{
    u_char                  buf[NGX_DUPLEX_KEY_MAX];
    ngx_int_t               known;
    ngx_str_t               key;
    ngx_sockaddr_t          sa;
    ngx_duplex_name_t      *name;
    ngx_duplex_resolved_t   was, now;

    name = answer->name;
    key.data = buf;

    if (ngx_duplex_resolve_key(answer, addr, &sa, &key) != NGX_OK
        || ngx_duplex_resolve_taken(name->group, &key, &sa, addr->socklen))
    {
        return;
    }

    known = ngx_duplex_name_get(name->group, &key, &was);

    ngx_memzero(&now, sizeof(ngx_duplex_resolved_t));

    now.backup = name->backup;

    if (name->service.len) {
        now.backup |= (addr->priority != answer->lowest);

        if (name->set.weight == 1) {
            now.weight = ngx_max(addr->weight, 1);
        }
    }

    if (known == NGX_OK
        && was.backup == now.backup && was.weight == now.weight)
    {
        return;
    }

    now.id = (known == NGX_OK) ? was.id : ngx_duplex_id_take(name->group);

    (void) ngx_duplex_name_put(name->group, &key, &now);
}


/*
 * In room for NGX_DUPLEX_KEY_MAX bytes.  NGX_DECLINED: the address is not
 * wanted: of a service of backups only those of the first priority are.
 */

static ngx_int_t
ngx_duplex_resolve_key(ngx_duplex_answer_t *answer, ngx_resolver_addr_t *addr,
    ngx_sockaddr_t *sa, ngx_str_t *key)
{
    size_t              len;
    ngx_duplex_name_t  *name;
    u_char              text[NGX_SOCKADDR_STRLEN];

    name = answer->name;

    if (name->service.len && addr->priority != answer->lowest
        && (name->backup || !name->group->backups))
    {
        return NGX_DECLINED;
    }

    ngx_memcpy(sa, addr->sockaddr, addr->socklen);

    if (name->port) {
        ngx_inet_set_port(&sa->sockaddr, name->port);
    }

    if (ngx_inet_get_port(&sa->sockaddr) == 0) {
        return NGX_DECLINED;
    }

    len = ngx_sock_ntop(&sa->sockaddr, addr->socklen, text,
                        NGX_SOCKADDR_STRLEN, 1);

    key->len = ngx_sprintf(key->data, "%V %*s 0", &name->server, len, text)
               - key->data;

    return NGX_OK;
}


/* by a line, by the administrator, by another name */

static ngx_uint_t
ngx_duplex_resolve_taken(ngx_duplex_group_t *group, ngx_str_t *key,
    ngx_sockaddr_t *sa, socklen_t socklen)
{
    ngx_duplex_peer_t  *peer;

    for (peer = ngx_duplex_peer_first(group);
         peer;
         peer = ngx_duplex_peer_next(peer))
    {
        if (ngx_cmp_sockaddr(peer->sockaddr, peer->socklen, &sa->sockaddr,
                             socklen, 1)
            == NGX_OK)
        {
            return peer->key.len != key->len
                   || ngx_memcmp(peer->key.data, key->data, key->len) != 0;
        }
    }

    return 0;
}
