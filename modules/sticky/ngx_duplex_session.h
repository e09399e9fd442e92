
/*
 * Sessions: which server a session is bound to.
 *
 * A session is a record in a zone of its own, a dense table: the key is a
 * hash of the session's value, keyed with the name of the zone, the value the
 * hash of the server's identity, so the record means the same on every node.
 * Its lifetime begins anew with each bind.
 */


#ifndef _NGX_DUPLEX_SESSION_H_INCLUDED_
#define _NGX_DUPLEX_SESSION_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_dense.h"
#include "../core/ngx_duplex_registry.h"
#include "../core/ngx_duplex_siphash.h"


#define NGX_DUPLEX_SESSION_KEY_LEN  NGX_DUPLEX_DENSE_KEY_LEN


typedef struct {
    u_char     key[NGX_DUPLEX_SESSION_KEY_LEN];
    uint64_t   server;      /* ngx_duplex_peer_t.hash */
    uint64_t   left;        /* ms it still lives */
    unsigned   fresh:1;     /* another node bound it less than a second ago */
} ngx_duplex_session_t;


extern ngx_duplex_kind_t  ngx_duplex_session_kind;


/* for directives: the key that hashes the values of a zone's sessions */
void ngx_duplex_session_hash_key(ngx_duplex_siphash_key_t *key,
    ngx_str_t *zone);

/* sets the key of the session with this value, a cookie's for example */
void ngx_duplex_session_name(ngx_duplex_session_t *session,
    ngx_duplex_siphash_key_t *key, ngx_str_t *value);

/* by its key; NGX_OK: the rest is filled in; NGX_DECLINED: there is none */
ngx_int_t ngx_duplex_session_find(ngx_duplex_zone_t *zone,
    ngx_duplex_session_t *session);

/*
 * Binds it to session->server for "timeout" ms, or only prolongs it.
 * NGX_OK, or what ngx_duplex_store_apply() answers.
 */
ngx_int_t ngx_duplex_session_bind(ngx_duplex_zone_t *zone,
    ngx_duplex_session_t *session, ngx_msec_t timeout);


/* ends it, for all nodes; the same answers */
ngx_int_t ngx_duplex_session_end(ngx_duplex_zone_t *zone,
    ngx_duplex_session_t *session);

/* the server that a record of a session names */
uint64_t ngx_duplex_session_server(ngx_duplex_record_t *rec);


#endif /* _NGX_DUPLEX_SESSION_H_INCLUDED_ */
