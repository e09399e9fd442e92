
/*
 * Who may come in; see the header.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "../core/ngx_duplex_clock.h"
#include "ngx_duplex_admission.h"
#include "ngx_duplex_nodes.h"
#include "ngx_duplex_sync_conf.h"


#define NGX_DUPLEX_ADMISSION_SILENCE  10     /* s between two lines */
#define NGX_DUPLEX_ADMISSION_PROBES   4


static ngx_uint_t ngx_duplex_admission_is_verified(ngx_connection_t *c);


ngx_uint_t
ngx_duplex_admission_allows(ngx_connection_t *c)
{
    ngx_uint_t               i;
    ngx_duplex_listed_t     *listed;
    ngx_duplex_sync_conf_t  *conf;

    conf = ngx_duplex_sync_conf();

    if (conf == NULL
        || ngx_connection_local_sockaddr(c, NULL, 0) != NGX_OK)
    {
        return 0;
    }

    if (conf->secret || ngx_duplex_admission_is_near(c->local_sockaddr)
        || ngx_duplex_admission_is_verified(c))
    {
        return 1;
    }

    listed = conf->listed.elts;

    for (i = 0; i < conf->listed.nelts; i++) {
        if (ngx_cmp_sockaddr(c->sockaddr, c->socklen, listed[i].addr.sockaddr,
                             listed[i].addr.socklen, 0)
            == NGX_OK)
        {
            return 1;
        }
    }

    return ngx_duplex_nodes_dials(c->sockaddr, c->socklen);
}


/* an optional certificate is as good as one that is demanded */

static ngx_uint_t
ngx_duplex_admission_is_verified(ngx_connection_t *c)
{
    X509  *cert;

    if (c->ssl == NULL) {
        return 0;
    }

    cert = SSL_get_peer_certificate(c->ssl->connection);
    if (cert == NULL) {
        return 0;
    }

    X509_free(cert);

    return SSL_get_verify_result(c->ssl->connection) == X509_V_OK;
}


ngx_uint_t
ngx_duplex_admission_is_near(struct sockaddr *sa)
{
    struct sockaddr_in   *sin;
#if (NGX_HAVE_INET6)
    struct sockaddr_in6  *sin6;
#endif

    switch (sa->sa_family) {

    case AF_UNIX:
        return 1;

#if (NGX_HAVE_INET6)
    case AF_INET6:
        sin6 = (struct sockaddr_in6 *) sa;

        return IN6_IS_ADDR_LOOPBACK(&sin6->sin6_addr)
               || (IN6_IS_ADDR_V4MAPPED(&sin6->sin6_addr)
                   && sin6->sin6_addr.s6_addr[12] == 127);
#endif

    default: /* AF_INET */
        sin = (struct sockaddr_in *) sa;

        return ntohl(sin->sin_addr.s_addr) >> 24 == 127;
    }
}


void
ngx_duplex_admission_complain(ngx_connection_t *c, const char *what,
    const char *why)
{
    if (ngx_duplex_admission_may_log(c)) {
        ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                      "client %V on the synchronisation port %s: %s",
                      &c->addr_text, what, why);
    }
}


ngx_uint_t
ngx_duplex_admission_may_log(ngx_connection_t *c)
{
    size_t               len;
    u_char               text[NGX_SOCKADDR_STRLEN];
    uint32_t             hash, last, now;
    ngx_uint_t           i;
    ngx_atomic_t        *slot, *stale;
    ngx_atomic_uint_t    old, was, word;
    ngx_duplex_nodes_t  *nodes;

    len = ngx_sock_ntop(c->sockaddr, c->socklen, text, NGX_SOCKADDR_STRLEN, 0);

    hash = ngx_crc32_long(text, len) | 1;
    now = (uint32_t) (ngx_duplex_clock_monotonic() / 1000);
    word = (ngx_atomic_uint_t) hash << 32 | now;

    nodes = ngx_duplex_nodes();
    stale = NULL;
    was = 0;

    for (i = 0; i < NGX_DUPLEX_ADMISSION_PROBES; i++) {

        slot = &nodes->complaints[(hash + i) % NGX_DUPLEX_COMPLAINTS_MAX];
        old = *slot;
        last = (uint32_t) old;

        if ((uint32_t) (old >> 32) == hash) {

            return now - last >= NGX_DUPLEX_ADMISSION_SILENCE
                   && ngx_atomic_cmp_set(slot, old, word);
        }

        if (stale == NULL
            && (old == 0 || now - last >= NGX_DUPLEX_ADMISSION_SILENCE))
        {
            stale = slot;
            was = old;
        }
    }

    /* too many others at once: their lines have to do */

    return stale && ngx_atomic_cmp_set(stale, was, word);
}
