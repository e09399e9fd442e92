
/*
 * The handshake of the dialling side; see the header.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "../core/ngx_duplex_clock.h"
#include "../core/ngx_duplex_store.h"
#include "ngx_duplex_greet.h"
#include "ngx_duplex_loss.h"
#include "ngx_duplex_ready.h"
#include "ngx_duplex_sync_conf.h"


static ngx_int_t ngx_duplex_greet_hello(ngx_duplex_sender_t *s);
static ngx_int_t ngx_duplex_greet_trust(ngx_duplex_sender_t *s,
    ngx_duplex_frame_t *frame, ngx_duplex_welcome_t *welcome);
static ngx_int_t ngx_duplex_greet_prove(ngx_duplex_sender_t *s,
    ngx_duplex_secret_key_t *key);
static ngx_int_t ngx_duplex_greet_give_up(ngx_duplex_sender_t *s,
    ngx_uint_t reason);


void
ngx_duplex_greet_node(ngx_duplex_sender_t *s)
{
    ngx_connection_t  *c;

    c = s->connection;

    s->link = ngx_duplex_link_create(c, &ngx_duplex_sender_owner, s,
                                     &s->node->traffic, NULL);
    if (s->link == NULL) {
        ngx_duplex_sender_unreachable(s, NGX_ENOMEM);
        return;
    }

    s->connection = NULL;
    ngx_duplex_sender_become(s, ngx_duplex_dial_handshake);

    if (ngx_duplex_greet_hello(s) != NGX_OK) {
        ngx_duplex_link_close(s->link, ngx_duplex_link_failed);
        return;
    }

    ngx_duplex_link_watch(s->link, ngx_duplex_sync_conf()->timeout);

    /* sends HELLO, and reads what may be there already */

    ngx_post_event(c->read, &ngx_posted_events);
}


static ngx_int_t
ngx_duplex_greet_hello(ngx_duplex_sender_t *s)
{
    u_char                  *p, *last;
    u_char                   nonce[NGX_DUPLEX_NONCE_SIZE];
    u_char                   ids[NGX_DUPLEX_SECRET_LINES * NGX_DUPLEX_KEY_ID];
    ngx_duplex_hello_t       hello;
    ngx_duplex_secret_t     *secret;
    ngx_duplex_identity_t   *identity;

    secret = ngx_duplex_sync_conf()->secret;
    identity = ngx_duplex_identity();

    hello.lowest = NGX_DUPLEX_PROTOCOL_LOWEST;
    hello.highest = NGX_DUPLEX_PROTOCOL_HIGHEST;
    hello.incarnation = identity->incarnation;
    hello.clock = ngx_duplex_clock_next(ngx_duplex_store_clock());
    hello.node = identity->name;
    hello.cluster = identity->cluster;
    ngx_str_null(&hello.nonce);
    ngx_str_null(&hello.keys);

    if (secret) {

        if (ngx_duplex_secret_nonce(nonce) != NGX_OK) {
            return NGX_ERROR;
        }

        hello.nonce.data = nonce;
        hello.nonce.len = NGX_DUPLEX_NONCE_SIZE;
        hello.keys.data = ids;
        hello.keys.len = ngx_duplex_secret_put_ids(ids, secret) - ids;
    }

    p = ngx_duplex_link_room(s->link, NGX_DUPLEX_FRAME_SMALL_SIZE);

    last = ngx_duplex_frame_put_hello(p, &hello);

    ngx_duplex_transcript_hello(&s->transcript, p + NGX_DUPLEX_FRAME_HEADER,
                                last);
    ngx_duplex_link_sent(s->link, last);

    return NGX_OK;
}


ngx_int_t
ngx_duplex_greet_welcomed(ngx_duplex_sender_t *s, ngx_duplex_frame_t *frame)
{
    ngx_duplex_welcome_t     welcome;
    ngx_duplex_identity_t   *identity;
    ngx_duplex_sync_conf_t  *conf;

    if (ngx_duplex_frame_get_welcome(frame, &welcome) != NGX_OK) {
        return NGX_ERROR;
    }

    if (welcome.version < NGX_DUPLEX_PROTOCOL_LOWEST
        || welcome.version > NGX_DUPLEX_PROTOCOL_HIGHEST)
    {
        return ngx_duplex_greet_give_up(s, ngx_duplex_refuse_version);
    }

    if (ngx_duplex_sync_conf()->secret
        && ngx_duplex_greet_trust(s, frame, &welcome) != NGX_OK)
    {
        return NGX_DONE;
    }

    identity = ngx_duplex_identity();

    if (welcome.node.len == identity->name.len
        && ngx_memcmp(welcome.node.data, identity->name.data,
                      welcome.node.len)
           == 0)
    {
        return ngx_duplex_greet_give_up(s,
                                  welcome.incarnation == identity->incarnation
                                  ? ngx_duplex_refuse_self
                                  : ngx_duplex_refuse_name);
    }

    if (ngx_duplex_clock_merge(ngx_duplex_store_clock(), welcome.clock)
        != NGX_OK)
    {
        return ngx_duplex_greet_give_up(s, ngx_duplex_refuse_clock);
    }

    s->node->id = ngx_duplex_node_id(&welcome.node);
    s->node->incarnation = welcome.incarnation;
    ngx_cpystrn((u_char *) s->node->name, welcome.node.data,
                welcome.node.len + 1);

    s->node->connects++;
    s->node->tried = 1;
    ngx_duplex_sender_become(s, ngx_duplex_dial_syncing);

    ngx_duplex_ready_update();

    conf = ngx_duplex_sync_conf();

    /* from here on the beat looks */
    ngx_duplex_link_watch(s->link, 0);

    if (ngx_duplex_link_grow(s->link, conf->in_size, conf->out_size)
        != NGX_OK)
    {
        s->link->end = ngx_duplex_link_failed;
        return NGX_DONE;
    }

    return ngx_duplex_sender_announce(s);
}


/* NGX_DONE: the node does not know what we know */

static ngx_int_t
ngx_duplex_greet_trust(ngx_duplex_sender_t *s, ngx_duplex_frame_t *frame,
    ngx_duplex_welcome_t *welcome)
{
    ngx_connection_t         *c;
    ngx_duplex_secret_key_t  *key;

    c = s->link->connection;

    key = ngx_duplex_secret_choose(ngx_duplex_sync_conf()->secret,
                                   &welcome->key);

    if (key == NULL
        || ngx_duplex_transcript_welcome(&s->transcript, frame->payload,
                                         frame->last, welcome->proof.data, c)
           != NGX_OK
        || ngx_duplex_secret_check(key, ngx_duplex_secret_acceptor,
                                   &s->transcript, welcome->proof.data)
           != NGX_OK)
    {
        s->link->end = ngx_duplex_link_refused;
        s->node->tried = 1;

        ngx_duplex_sender_become(s, ngx_duplex_dial_refused);
        ngx_duplex_loss_mistrust(s->node, "it does not know our secret");

        return NGX_DONE;
    }

    return ngx_duplex_greet_prove(s, key);
}


static ngx_int_t
ngx_duplex_greet_prove(ngx_duplex_sender_t *s, ngx_duplex_secret_key_t *key)
{
    u_char            *p, proof[NGX_DUPLEX_PROOF_SIZE];
    ngx_duplex_mac_t  *macs;

    ngx_duplex_secret_prove(key, ngx_duplex_secret_dialler, &s->transcript,
                            proof);

    p = ngx_duplex_link_room(s->link, NGX_DUPLEX_FRAME_SMALL_SIZE);

    ngx_duplex_link_sent(s->link, ngx_duplex_frame_put_auth(p, proof));

    if (s->link->connection->ssl) {
        return NGX_OK;
    }

    macs = ngx_palloc(s->link->connection->pool, 2 * sizeof(ngx_duplex_mac_t));
    if (macs == NULL) {
        s->link->end = ngx_duplex_link_failed;
        return NGX_DONE;
    }

    ngx_duplex_mac_init(&macs[0], key, ngx_duplex_secret_acceptor,
                        &s->transcript);
    ngx_duplex_mac_init(&macs[1], key, ngx_duplex_secret_dialler,
                        &s->transcript);

    s->link->mac_in = &macs[0];
    s->link->mac_out = &macs[1];

    return NGX_OK;
}


ngx_int_t
ngx_duplex_greet_refused(ngx_duplex_sender_t *s, ngx_duplex_frame_t *frame)
{
    ngx_duplex_refusal_t  refusal;

    if (ngx_duplex_frame_get_refuse(frame, &refusal) != NGX_OK) {
        return NGX_ERROR;
    }

    /* whoever says so without a proof shall not silence us for good */

    if (refusal.reason == ngx_duplex_refuse_self
        && ngx_duplex_sync_conf()->secret)
    {
        frame->malformed = ngx_duplex_malformed_state;
        return NGX_ERROR;
    }

    return ngx_duplex_greet_give_up(s, refusal.reason);
}


static ngx_int_t
ngx_duplex_greet_give_up(ngx_duplex_sender_t *s, ngx_uint_t reason)
{
    const char  *text;

    s->link->end = ngx_duplex_link_refused;
    s->node->tried = 1;

    if (reason == ngx_duplex_refuse_self) {
        ngx_duplex_sender_become(s, ngx_duplex_dial_self);
        ngx_duplex_ready_update();
        return NGX_DONE;
    }

    ngx_duplex_sender_become(s, ngx_duplex_dial_refused);

    text = ngx_duplex_refuse_text(reason);

    if (ngx_strstr(s->node->error, text) == NULL) {

        ngx_sprintf((u_char *) s->node->error, "refused: %s%Z", text);

        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "node at %s refuses to synchronise with node \"%V\": %s",
                      s->node->address.text, &ngx_duplex_identity()->name,
                      reason == ngx_duplex_refuse_name
                      ? "it has the same name, see \"duplex_node\"" : text);
    }

    return NGX_DONE;
}
