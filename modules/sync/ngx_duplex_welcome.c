
/*
 * The handshake of the accepting side; see the header.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "../core/ngx_duplex_clock.h"
#include "../core/ngx_duplex_store.h"
#include "ngx_duplex_admission.h"
#include "ngx_duplex_sync_conf.h"
#include "ngx_duplex_welcome.h"


static ngx_uint_t ngx_duplex_welcome_judge(ngx_duplex_hello_t *hello);
static ngx_int_t ngx_duplex_welcome_refuse(ngx_duplex_receiver_t *r,
    ngx_uint_t reason, ngx_duplex_hello_t *hello);
static ngx_int_t ngx_duplex_welcome_node(ngx_duplex_receiver_t *r,
    ngx_duplex_hello_t *hello);


ngx_int_t
ngx_duplex_welcome_hello(ngx_duplex_receiver_t *r, ngx_duplex_frame_t *frame)
{
    ngx_uint_t          reason;
    ngx_duplex_hello_t  hello;

    if (ngx_duplex_frame_get_hello(frame, &hello) != NGX_OK) {
        return NGX_ERROR;
    }

    reason = ngx_duplex_welcome_judge(&hello);

    if (reason) {
        return ngx_duplex_welcome_refuse(r, reason, &hello);
    }

    return ngx_duplex_welcome_node(r, &hello);
}


/* 0: welcome */

static ngx_uint_t
ngx_duplex_welcome_judge(ngx_duplex_hello_t *hello)
{
    ngx_duplex_identity_t  *identity;

    identity = ngx_duplex_identity();

    if (hello->lowest > NGX_DUPLEX_PROTOCOL_HIGHEST
        || hello->highest < NGX_DUPLEX_PROTOCOL_LOWEST)
    {
        return ngx_duplex_refuse_version;
    }

    if (hello->cluster.len) {
        return ngx_duplex_refuse_cluster;
    }

    if (hello->node.len == identity->name.len
        && ngx_memcmp(hello->node.data, identity->name.data, hello->node.len)
           == 0)
    {
        return hello->incarnation == identity->incarnation
               ? ngx_duplex_refuse_self : ngx_duplex_refuse_name;
    }

    if (ngx_duplex_clock_merge(ngx_duplex_store_clock(), hello->clock)
        != NGX_OK)
    {
        return ngx_duplex_refuse_clock;
    }

    return 0;
}


static ngx_int_t
ngx_duplex_welcome_refuse(ngx_duplex_receiver_t *r, ngx_uint_t reason,
    ngx_duplex_hello_t *hello)
{
    u_char            *p;
    ngx_connection_t  *c;

    c = r->link->connection;

    p = ngx_duplex_link_room(r->link, NGX_DUPLEX_FRAME_SMALL_SIZE);

    ngx_duplex_link_sent(r->link, ngx_duplex_frame_put_refuse(p, reason));

    /* what the socket does not take at once is not worth waiting for */

    (void) ngx_duplex_link_flush(r->link);

    if (reason != ngx_duplex_refuse_self
        && ngx_duplex_admission_may_log(c))
    {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "node \"%V\" at %V was refused: %s",
                      &hello->node, &c->addr_text,
                      reason == ngx_duplex_refuse_name
                      ? "it has our name, see \"duplex_node\""
                      : ngx_duplex_refuse_text(reason));
    }

    r->link->end = ngx_duplex_link_refused;

    return NGX_DONE;
}


static ngx_int_t
ngx_duplex_welcome_node(ngx_duplex_receiver_t *r,
    ngx_duplex_hello_t *hello)
{
    u_char                  *p;
    uint64_t                 id;
    ngx_connection_t        *c;
    ngx_duplex_nodes_t      *nodes;
    ngx_duplex_welcome_t     welcome;
    ngx_duplex_accepted_t   *node;
    ngx_duplex_identity_t   *identity;
    ngx_duplex_sync_conf_t  *conf;

    c = r->link->connection;
    conf = ngx_duplex_sync_conf();
    nodes = ngx_duplex_nodes();
    identity = ngx_duplex_identity();

    id = ngx_duplex_node_id(&hello->node);

    node = ngx_duplex_nodes_accept(id);
    if (node == NULL) {
        return ngx_duplex_welcome_refuse(r, ngx_duplex_refuse_full, hello);
    }

    r->sinks = ngx_pcalloc(c->pool, NGX_DUPLEX_TABLES_MAX
                                    * sizeof(ngx_duplex_sink_t));
    if (r->sinks == NULL) {
        r->link->end = ngx_duplex_link_failed;
        return NGX_DONE;
    }

    r->node = node;
    r->id = id;
    r->incarnation = hello->incarnation;
    r->serial = ngx_atomic_fetch_add(&nodes->links, 1) + 1;
    r->link->traffic = &node->traffic;

    ngx_cpystrn((u_char *) node->name, hello->node.data, hello->node.len + 1);
    ngx_cpystrn((u_char *) node->address.text, c->addr_text.data,
                ngx_min(c->addr_text.len, NGX_DUPLEX_ADDRESS_MAX) + 1);

    node->incarnation = hello->incarnation;
    node->progress = ngx_duplex_clock_monotonic();
    node->link = r->serial;

    ngx_duplex_receiver_heard(r);

    welcome.version = ngx_min(hello->highest, NGX_DUPLEX_PROTOCOL_HIGHEST);
    welcome.incarnation = identity->incarnation;
    welcome.clock = ngx_duplex_clock_next(ngx_duplex_store_clock());
    welcome.node = identity->name;

    p = ngx_duplex_link_room(r->link, NGX_DUPLEX_FRAME_SMALL_SIZE);

    ngx_duplex_link_sent(r->link, ngx_duplex_frame_put_welcome(p, &welcome));

    /* all the acceptor ever has to say are acknowledgements */

    if (ngx_duplex_link_grow(r->link, conf->in_size,
                             (NGX_DUPLEX_TABLES_MAX + 8)
                             * NGX_DUPLEX_FRAME_ACK_SIZE)
        != NGX_OK)
    {
        r->link->end = ngx_duplex_link_failed;
        return NGX_DONE;
    }

    return NGX_OK;
}
