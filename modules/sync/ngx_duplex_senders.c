
/*
 * All senders of this worker; see the header.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_clock.h"
#include "ngx_duplex_dial.h"
#include "ngx_duplex_members.h"
#include "ngx_duplex_ready.h"
#include "ngx_duplex_sender.h"
#include "ngx_duplex_senders.h"
#include "ngx_duplex_sync_conf.h"


static void ngx_duplex_senders_found(ngx_duplex_listed_t *listed,
    ngx_uint_t n);
static void ngx_duplex_senders_again(ngx_duplex_dialled_t *node);
static ngx_uint_t ngx_duplex_senders_has(ngx_duplex_listed_t *listed,
    ngx_uint_t n, ngx_duplex_dialled_t *node);
static void ngx_duplex_senders_add(ngx_duplex_listed_t *listed);
static void ngx_duplex_senders_remove(ngx_duplex_sender_t *s);


/* none is in use while this worker does not hold the lease */
static ngx_duplex_sender_t  ngx_duplex_senders[NGX_DUPLEX_NODES_MAX];
static ngx_uint_t           ngx_duplex_senders_taken;


void
ngx_duplex_senders_take(void)
{
    ngx_uint_t               i;
    ngx_duplex_nodes_t      *nodes;
    ngx_duplex_listed_t     *listed;
    ngx_duplex_sync_conf_t  *conf;

    conf = ngx_duplex_sync_conf();

    if (conf == NULL) {
        return;
    }

    ngx_duplex_senders_taken = 1;

    nodes = ngx_duplex_nodes();
    listed = conf->listed.elts;

    if (conf->resolve) {

        /* until the name is resolved, what it stood for before is the list */

        for (i = 0; i < NGX_DUPLEX_NODES_MAX; i++) {
            if (nodes->dialled[i].state != ngx_duplex_dial_unused) {
                ngx_duplex_senders_again(&nodes->dialled[i]);
            }
        }

        ngx_duplex_members_beat(ngx_duplex_senders_found);
        return;
    }

    for (i = 0; i < NGX_DUPLEX_NODES_MAX; i++) {
        if (!ngx_duplex_senders_has(listed, conf->listed.nelts,
                                    &nodes->dialled[i]))
        {
            nodes->dialled[i].state = ngx_duplex_dial_unused;
        }
    }

    for (i = 0; i < conf->listed.nelts; i++) {
        ngx_duplex_senders_add(&listed[i]);
    }
}


static void
ngx_duplex_senders_again(ngx_duplex_dialled_t *node)
{
    u_char               host[NGX_SOCKADDR_STRLEN];
    ngx_duplex_listed_t  listed;

    listed.addr.sockaddr = &node->sockaddr.sockaddr;
    listed.addr.socklen = node->socklen;
    listed.addr.name.data = (u_char *) node->address.text;
    listed.addr.name.len = ngx_strlen(node->address.text);

    listed.host.data = host;
    listed.host.len = ngx_sock_ntop(listed.addr.sockaddr, node->socklen, host,
                                    NGX_SOCKADDR_STRLEN, 0);

    ngx_duplex_senders_add(&listed);
}


/* what the name stands for now: some may be new, some gone */

static void
ngx_duplex_senders_found(ngx_duplex_listed_t *listed, ngx_uint_t n)
{
    ngx_uint_t            i;
    ngx_duplex_sender_t  *s;

    for (i = 0; i < NGX_DUPLEX_NODES_MAX; i++) {

        s = &ngx_duplex_senders[i];

        if (s->node && !ngx_duplex_senders_has(listed, n, s->node)) {

            ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                          "node at %s has left the list",
                          s->node->address.text);

            ngx_duplex_senders_remove(s);
        }
    }

    for (i = 0; i < n; i++) {
        ngx_duplex_senders_add(&listed[i]);
    }

    ngx_duplex_ready_update();
}


static ngx_uint_t
ngx_duplex_senders_has(ngx_duplex_listed_t *listed, ngx_uint_t n,
    ngx_duplex_dialled_t *node)
{
    size_t      len;
    ngx_uint_t  i;

    len = ngx_strlen(node->address.text);

    for (i = 0; i < n; i++) {
        if (listed[i].addr.name.len == len
            && ngx_memcmp(listed[i].addr.name.data, node->address.text, len)
               == 0)
        {
            return 1;
        }
    }

    return 0;
}


/* unless it is there; its strings are its own, they may outlive the answer */

static void
ngx_duplex_senders_add(ngx_duplex_listed_t *listed)
{
    ngx_uint_t             i;
    ngx_duplex_sender_t   *s, *unused;
    ngx_duplex_dialled_t  *node;

    unused = NULL;

    for (i = 0; i < NGX_DUPLEX_NODES_MAX; i++) {

        s = &ngx_duplex_senders[i];

        if (s->node == NULL) {

            if (unused == NULL) {
                unused = s;
            }

        } else if (ngx_duplex_senders_has(listed, 1, s->node)) {
            return;
        }
    }

    node = ngx_duplex_nodes_dial(&listed->addr);

    if (unused == NULL || node == NULL) {
        return;
    }

    s = unused;

    ngx_memzero(s, sizeof(ngx_duplex_sender_t));

    s->pool = ngx_create_pool(512, ngx_cycle->log);
    if (s->pool == NULL) {
        return;
    }

    s->listed.host.len = listed->host.len;
    s->listed.host.data = ngx_pstrdup(s->pool, &listed->host);

    if (s->listed.host.data == NULL) {
        ngx_destroy_pool(s->pool);
        return;
    }

    s->node = node;

    s->listed.addr.sockaddr = &node->sockaddr.sockaddr;
    s->listed.addr.socklen = node->socklen;
    s->listed.addr.name.data = (u_char *) node->address.text;
    s->listed.addr.name.len = ngx_strlen(node->address.text);

    ngx_duplex_sender_become(s, ngx_duplex_dial_down);
    node->tried = 0;

    ngx_duplex_dial_start(s);
}


static void
ngx_duplex_senders_remove(ngx_duplex_sender_t *s)
{
    ngx_duplex_dialled_t  *node;

    node = s->node;

    ngx_duplex_dial_stop(s);
    ngx_destroy_pool(s->pool);

    s->node = NULL;
    node->state = ngx_duplex_dial_unused;
}


void
ngx_duplex_senders_beat(void)
{
    uint64_t              now;
    ngx_uint_t            i;
    ngx_duplex_sender_t  *s;

    if (!ngx_duplex_senders_taken) {
        return;
    }

    ngx_duplex_members_beat(ngx_duplex_senders_found);

    now = ngx_duplex_clock_monotonic();

    for (i = 0; i < NGX_DUPLEX_NODES_MAX; i++) {

        s = &ngx_duplex_senders[i];

        if (s->node == NULL) {
            continue;
        }

        if (s->link) {
            ngx_duplex_sender_beat(s);

        } else if (s->connection == NULL && now >= s->retry
                   && s->state != ngx_duplex_dial_self)
        {
            ngx_duplex_dial_start(s);
        }
    }
}


void
ngx_duplex_senders_wake(void)
{
    ngx_uint_t            i;
    ngx_duplex_sender_t  *s;

    for (i = 0; i < NGX_DUPLEX_NODES_MAX; i++) {

        s = &ngx_duplex_senders[i];

        if (s->node && s->link) {
            ngx_duplex_sender_ship(s);
        }
    }
}


void
ngx_duplex_senders_drop(void)
{
    ngx_uint_t            i;
    ngx_duplex_sender_t  *s;

    ngx_duplex_members_drop();

    for (i = 0; i < NGX_DUPLEX_NODES_MAX; i++) {

        s = &ngx_duplex_senders[i];

        if (s->node) {
            ngx_duplex_dial_stop(s);
            ngx_destroy_pool(s->pool);
            s->node = NULL;
        }
    }

    ngx_duplex_senders_taken = 0;
}
