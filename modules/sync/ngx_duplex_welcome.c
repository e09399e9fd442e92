
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


static ngx_int_t ngx_duplex_welcome_guest(ngx_duplex_receiver_t *r,
    ngx_duplex_frame_t *frame, ngx_duplex_hello_t *hello);
static ngx_int_t ngx_duplex_welcome_seal(ngx_duplex_receiver_t *r);
static ngx_uint_t ngx_duplex_welcome_judge(ngx_duplex_hello_t *hello);
static ngx_uint_t ngx_duplex_welcome_judge_node(ngx_duplex_hello_t *hello);
static ngx_int_t ngx_duplex_welcome_refuse(ngx_duplex_receiver_t *r,
    ngx_uint_t reason, ngx_duplex_hello_t *hello);
static u_char *ngx_duplex_welcome_put(ngx_duplex_receiver_t *r,
    ngx_duplex_hello_t *hello, ngx_duplex_secret_key_t *key, u_char *nonce,
    u_char **frame);
static ngx_int_t ngx_duplex_welcome_open(ngx_duplex_receiver_t *r,
    ngx_duplex_hello_t *hello);
static void ngx_duplex_welcome_back(ngx_duplex_accepted_t *node);


ngx_int_t
ngx_duplex_welcome_hello(ngx_duplex_receiver_t *r, ngx_duplex_frame_t *frame)
{
    u_char              *p;
    ngx_int_t            rc;
    ngx_uint_t           reason;
    ngx_duplex_hello_t   hello;

    if (ngx_duplex_frame_get_hello(frame, &hello) != NGX_OK) {
        return NGX_ERROR;
    }

    reason = ngx_duplex_welcome_judge(&hello);

    if (reason) {
        return ngx_duplex_welcome_refuse(r, reason, &hello);
    }

    if (ngx_duplex_sync_conf()->secret) {
        return ngx_duplex_welcome_guest(r, frame, &hello);
    }

    reason = ngx_duplex_welcome_judge_node(&hello);

    if (reason) {
        return ngx_duplex_welcome_refuse(r, reason, &hello);
    }

    rc = ngx_duplex_welcome_open(r, &hello);

    if (rc == NGX_OK) {
        ngx_duplex_link_sent(r->link,
                             ngx_duplex_welcome_put(r, &hello, NULL, NULL, &p));
    }

    return rc;
}


/* WELCOME with our proof; what HELLO said is kept until the other's comes */

static ngx_int_t
ngx_duplex_welcome_guest(ngx_duplex_receiver_t *r, ngx_duplex_frame_t *frame,
    ngx_duplex_hello_t *hello)
{
    u_char                   *p, *last, *proof;
    u_char                    nonce[NGX_DUPLEX_NONCE_SIZE];
    ngx_connection_t         *c;
    ngx_duplex_guest_t       *guest;
    ngx_duplex_secret_key_t  *key;

    c = r->link->connection;

    key = ngx_duplex_secret_choose(ngx_duplex_sync_conf()->secret,
                                   &hello->keys);
    if (key == NULL) {
        return ngx_duplex_welcome_refuse(r, ngx_duplex_refuse_secret, hello);
    }

    guest = ngx_palloc(c->pool, sizeof(ngx_duplex_guest_t));
    if (guest == NULL || ngx_duplex_secret_nonce(nonce) != NGX_OK) {
        r->link->end = ngx_duplex_link_failed;
        return NGX_DONE;
    }

    guest->key = key;
    guest->hello = *hello;
    guest->hello.node.data = guest->name;
    ngx_memcpy(guest->name, hello->node.data, hello->node.len);

    r->guest = guest;

    last = ngx_duplex_welcome_put(r, hello, key, nonce, &p);
    proof = last - NGX_DUPLEX_PROOF_SIZE;

    ngx_duplex_transcript_hello(&guest->transcript, frame->payload,
                                frame->last);

    if (ngx_duplex_transcript_welcome(&guest->transcript,
                                      p + NGX_DUPLEX_FRAME_HEADER, last,
                                      proof, c)
        != NGX_OK)
    {
        r->link->end = ngx_duplex_link_failed;
        return NGX_DONE;
    }

    ngx_duplex_secret_prove(key, ngx_duplex_secret_acceptor,
                            &guest->transcript, proof);

    ngx_duplex_link_sent(r->link,
                         ngx_duplex_frame_seal(p, last,
                                               ngx_duplex_frame_welcome, 0));

    return NGX_OK;
}


ngx_int_t
ngx_duplex_welcome_auth(ngx_duplex_receiver_t *r, ngx_duplex_frame_t *frame)
{
    u_char              *proof;
    ngx_uint_t           reason;
    ngx_duplex_guest_t  *guest;

    guest = r->guest;

    if (ngx_duplex_frame_get_auth(frame, &proof) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_duplex_secret_check(guest->key, ngx_duplex_secret_dialler,
                                &guest->transcript, proof)
        != NGX_OK)
    {
        return ngx_duplex_welcome_refuse(r, ngx_duplex_refuse_secret,
                                         &guest->hello);
    }

    if (r->link->connection->ssl == NULL
        && ngx_duplex_welcome_seal(r) != NGX_OK)
    {
        r->link->end = ngx_duplex_link_failed;
        return NGX_DONE;
    }

    reason = ngx_duplex_welcome_judge_node(&guest->hello);

    if (reason) {
        return ngx_duplex_welcome_refuse(r, reason, &guest->hello);
    }

    return ngx_duplex_welcome_open(r, &guest->hello);
}


/* from here on each frame carries a code */

static ngx_int_t
ngx_duplex_welcome_seal(ngx_duplex_receiver_t *r)
{
    ngx_duplex_mac_t    *macs;
    ngx_duplex_guest_t  *guest;

    guest = r->guest;

    macs = ngx_palloc(r->link->connection->pool, 2 * sizeof(ngx_duplex_mac_t));
    if (macs == NULL) {
        return NGX_ERROR;
    }

    ngx_duplex_mac_init(&macs[0], guest->key, ngx_duplex_secret_dialler,
                        &guest->transcript);
    ngx_duplex_mac_init(&macs[1], guest->key, ngx_duplex_secret_acceptor,
                        &guest->transcript);

    r->link->mac_in = &macs[0];
    r->link->mac_out = &macs[1];

    return NGX_OK;
}


/* whether we could talk at all; 0: welcome */

static ngx_uint_t
ngx_duplex_welcome_judge(ngx_duplex_hello_t *hello)
{
    ngx_str_t  *cluster;

    cluster = &ngx_duplex_identity()->cluster;

    if (hello->lowest > NGX_DUPLEX_PROTOCOL_HIGHEST
        || hello->highest < NGX_DUPLEX_PROTOCOL_LOWEST)
    {
        return ngx_duplex_refuse_version;
    }

    if (hello->cluster.len != cluster->len
        || (cluster->len
            && ngx_strncmp(hello->cluster.data, cluster->data, cluster->len)
               != 0))
    {
        return ngx_duplex_refuse_cluster;
    }

    return 0;
}


/* whether we should: nobody who must prove himself is judged before */

static ngx_uint_t
ngx_duplex_welcome_judge_node(ngx_duplex_hello_t *hello)
{
    ngx_duplex_identity_t  *identity;

    identity = ngx_duplex_identity();

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


ngx_uint_t
ngx_duplex_welcome_is_self(ngx_duplex_receiver_t *r)
{
    ngx_duplex_hello_t     *hello;
    ngx_duplex_identity_t  *identity;

    if (r->guest == NULL) {
        return 0;
    }

    hello = &r->guest->hello;
    identity = ngx_duplex_identity();

    return hello->incarnation == identity->incarnation
           && hello->node.len == identity->name.len
           && ngx_memcmp(hello->node.data, identity->name.data,
                         hello->node.len)
              == 0;
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


/*
 * The frame, from *frame to what is returned; with a key it ends with the
 * room for a proof, and is not sealed for good.
 */

static u_char *
ngx_duplex_welcome_put(ngx_duplex_receiver_t *r, ngx_duplex_hello_t *hello,
    ngx_duplex_secret_key_t *key, u_char *nonce, u_char **frame)
{
    u_char                  proof[NGX_DUPLEX_PROOF_SIZE];
    ngx_duplex_welcome_t    welcome;
    ngx_duplex_identity_t  *identity;

    identity = ngx_duplex_identity();

    ngx_memzero(&welcome, sizeof(ngx_duplex_welcome_t));

    welcome.version = ngx_min(hello->highest, NGX_DUPLEX_PROTOCOL_HIGHEST);
    welcome.incarnation = identity->incarnation;
    welcome.clock = ngx_duplex_clock_next(ngx_duplex_store_clock());
    welcome.node = identity->name;

    if (key) {

        ngx_memzero(proof, NGX_DUPLEX_PROOF_SIZE);

        welcome.nonce.len = NGX_DUPLEX_NONCE_SIZE;
        welcome.nonce.data = nonce;
        welcome.key.len = NGX_DUPLEX_KEY_ID;
        welcome.key.data = key->id;
        welcome.proof.len = NGX_DUPLEX_PROOF_SIZE;
        welcome.proof.data = proof;
    }

    *frame = ngx_duplex_link_room(r->link, NGX_DUPLEX_FRAME_SMALL_SIZE);

    return ngx_duplex_frame_put_welcome(*frame, &welcome);
}


static ngx_int_t
ngx_duplex_welcome_open(ngx_duplex_receiver_t *r, ngx_duplex_hello_t *hello)
{
    uint64_t                 id;
    ngx_connection_t        *c;
    ngx_duplex_nodes_t      *nodes;
    ngx_duplex_accepted_t   *node;
    ngx_duplex_sync_conf_t  *conf;

    c = r->link->connection;
    conf = ngx_duplex_sync_conf();
    nodes = ngx_duplex_nodes();
    id = ngx_duplex_node_id(&hello->node);

    node = ngx_duplex_nodes_accept(id);
    if (node == NULL) {
        return ngx_duplex_welcome_refuse(r, ngx_duplex_refuse_full, hello);
    }

    r->sinks = ngx_pcalloc(c->pool, NGX_DUPLEX_TABLES_MAX
                                    * sizeof(ngx_duplex_sink_t));
    r->seen = ngx_pcalloc(c->pool, sizeof(ngx_duplex_seen_link_t));

    if (r->sinks == NULL || r->seen == NULL) {
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

    ngx_duplex_welcome_back(node);
    ngx_duplex_receiver_heard(r);

    /* all the acceptor ever has to say are acknowledgements */

    if (ngx_duplex_link_grow(r->link, conf->in_size,
                             (NGX_DUPLEX_TABLES_MAX + 8)
                             * (NGX_DUPLEX_FRAME_ACK_SIZE
                                + NGX_DUPLEX_MAC_SIZE))
        != NGX_OK)
    {
        r->link->end = ngx_duplex_link_failed;
        return NGX_DONE;
    }

    return NGX_OK;
}


/*
 * Who was not heard for as long as deletions are remembered may lack some of
 * ours, as we may of its: each sends all it has, and is told what of it was
 * deleted.
 */

static void
ngx_duplex_welcome_back(ngx_duplex_accepted_t *node)
{
    ngx_uint_t           i;
    ngx_duplex_nodes_t  *nodes;

    if (node->heard && ngx_duplex_clock_monotonic() - node->heard
                       < ngx_duplex_tombstone_ttl())
    {
        return;
    }

    node->away = 1;

    /* who knows nothing of the other one is sent everything anyway */

    if (node->heard == 0) {
        return;
    }

    nodes = ngx_duplex_nodes();

    for (i = 0; i < NGX_DUPLEX_NODES_MAX; i++) {
        if (nodes->dialled[i].id == node->id) {
            nodes->dialled[i].owed = 1;
        }
    }
}
