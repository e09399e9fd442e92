
/*
 * The frames of the synchronisation protocol: docs/sync-protocol.md in C.
 *
 * Pure functions over bytes: no connection, no store, no memory of their
 * own.  Encoders write where there is room for the largest frame of their
 * kind and answer the end of what they wrote; decoders trust nothing.
 */


#ifndef _NGX_DUPLEX_FRAME_H_INCLUDED_
#define _NGX_DUPLEX_FRAME_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_secret.h"


#define NGX_DUPLEX_FRAME_HEADER      12
#define NGX_DUPLEX_FRAME_SMALL       512     /* payload before the handshake */
#define NGX_DUPLEX_FRAME_MAX         65536   /* payload after it */

/* room for any frame but RECORDS */
#define NGX_DUPLEX_FRAME_SMALL_SIZE                                           \
    (NGX_DUPLEX_FRAME_HEADER + NGX_DUPLEX_FRAME_SMALL)
#define NGX_DUPLEX_FRAME_ACK_SIZE    (NGX_DUPLEX_FRAME_HEADER + 2 + 8)
#define NGX_DUPLEX_FRAME_MAX_SIZE                                             \
    (NGX_DUPLEX_FRAME_HEADER + NGX_DUPLEX_FRAME_MAX)

#define NGX_DUPLEX_PROTOCOL_LOWEST   1
#define NGX_DUPLEX_PROTOCOL_HIGHEST  1


typedef enum {
    ngx_duplex_frame_hello = 1,
    ngx_duplex_frame_welcome,
    ngx_duplex_frame_refuse,
    ngx_duplex_frame_table,
    ngx_duplex_frame_records,
    ngx_duplex_frame_ack,
    ngx_duplex_frame_synced,
    ngx_duplex_frame_ping,
    ngx_duplex_frame_pong,
    ngx_duplex_frame_bye,
    ngx_duplex_frame_auth
} ngx_duplex_frame_e;

/* flags of the header */
#define NGX_DUPLEX_FRAME_NOT_HERE    1       /* ACK */

/* age in PING: nothing of the other node's is open here */
#define NGX_DUPLEX_FRAME_UNHEARD     0xffffffff


/* why bytes are not a frame */
typedef enum {
    ngx_duplex_malformed_no = 0,
    ngx_duplex_malformed_length,    /* beyond what is allowed now */
    ngx_duplex_malformed_type,
    ngx_duplex_malformed_flags,     /* or a reserved field */
    ngx_duplex_malformed_checksum,
    ngx_duplex_malformed_magic,
    ngx_duplex_malformed_payload,   /* ends within a field, or goes on */
    ngx_duplex_malformed_name,
    ngx_duplex_malformed_state,     /* not expected now */
    ngx_duplex_malformed_index,     /* of a table that was not announced */
    ngx_duplex_malformed_kind,      /* does not belong into the table */
    ngx_duplex_malformed_code       /* of authentication */
} ngx_duplex_malformed_e;

const char *ngx_duplex_malformed_text(ngx_duplex_malformed_e why);


/* reasons of REFUSE, on the wire */
typedef enum {
    ngx_duplex_refuse_self = 1,
    ngx_duplex_refuse_name,
    ngx_duplex_refuse_version,
    ngx_duplex_refuse_clock,
    ngx_duplex_refuse_cluster,
    ngx_duplex_refuse_full,
    ngx_duplex_refuse_secret
} ngx_duplex_refuse_e;

/* for a reason this version does not know: "unknown" */
const char *ngx_duplex_refuse_text(ngx_uint_t reason);


typedef struct {
    ngx_uint_t               type;
    ngx_uint_t               flags;
    u_char                  *payload;
    u_char                  *last;      /* the end of the frame */
    ngx_duplex_malformed_e   malformed; /* after NGX_ERROR */
} ngx_duplex_frame_t;

/* all strings point into the frame */

typedef struct {
    ngx_uint_t   lowest;
    ngx_uint_t   highest;
    uint64_t     incarnation;
    uint64_t     clock;
    ngx_str_t    node;
    ngx_str_t    cluster;
    ngx_str_t    nonce;     /* empty: there is no secret */
    ngx_str_t    keys;      /* ids of keys */
} ngx_duplex_hello_t;

typedef struct {
    ngx_uint_t   version;
    uint64_t     incarnation;
    uint64_t     clock;
    ngx_str_t    node;
    ngx_str_t    nonce;     /* this and the rest empty: there is no secret */
    ngx_str_t    key;       /* the id of the one that is used */
    ngx_str_t    proof;
} ngx_duplex_welcome_t;

typedef struct {
    ngx_uint_t   reason;
    ngx_str_t    text;
} ngx_duplex_refusal_t;

typedef struct {
    ngx_uint_t   index;
    uint32_t     kind;
    uint64_t     incarnation;
    uint64_t     head;
    ngx_str_t    name;
} ngx_duplex_announce_t;

typedef struct {
    ngx_uint_t   index;
    uint64_t     position;
    unsigned     not_here:1;
} ngx_duplex_ack_t;


/*
 * NGX_OK: a whole frame stands between "pos" and "last";
 * NGX_AGAIN: it is not complete;
 * NGX_ERROR: it will never be one, frame->malformed says why.
 */
ngx_int_t ngx_duplex_frame_parse(ngx_duplex_frame_t *frame, u_char *pos,
    u_char *last, size_t max);

/* closes the frame that starts at "start", its payload ending at "last" */
u_char *ngx_duplex_frame_seal(u_char *start, u_char *last, ngx_uint_t type,
    ngx_uint_t flags);

/* names and texts of at most 255 bytes */
u_char *ngx_duplex_frame_put_hello(u_char *p, ngx_duplex_hello_t *hello);
u_char *ngx_duplex_frame_put_welcome(u_char *p,
    ngx_duplex_welcome_t *welcome);
u_char *ngx_duplex_frame_put_refuse(u_char *p, ngx_uint_t reason);
u_char *ngx_duplex_frame_put_table(u_char *p, ngx_duplex_announce_t *announce);
u_char *ngx_duplex_frame_put_ack(u_char *p, ngx_duplex_ack_t *ack);
u_char *ngx_duplex_frame_put_ping(u_char *p, uint32_t age);
u_char *ngx_duplex_frame_put_auth(u_char *p, u_char *proof);
/* SYNCED, PONG, BYE */
u_char *ngx_duplex_frame_put_empty(u_char *p, ngx_duplex_frame_e type);

/* NGX_OK, or NGX_ERROR with frame->malformed set */
ngx_int_t ngx_duplex_frame_get_hello(ngx_duplex_frame_t *frame,
    ngx_duplex_hello_t *hello);
ngx_int_t ngx_duplex_frame_get_welcome(ngx_duplex_frame_t *frame,
    ngx_duplex_welcome_t *welcome);
ngx_int_t ngx_duplex_frame_get_refuse(ngx_duplex_frame_t *frame,
    ngx_duplex_refusal_t *refusal);
ngx_int_t ngx_duplex_frame_get_table(ngx_duplex_frame_t *frame,
    ngx_duplex_announce_t *announce);
ngx_int_t ngx_duplex_frame_get_ack(ngx_duplex_frame_t *frame,
    ngx_duplex_ack_t *ack);
ngx_int_t ngx_duplex_frame_get_ping(ngx_duplex_frame_t *frame, uint32_t *age);
/* *proof points to NGX_DUPLEX_PROOF_SIZE bytes of the frame */
ngx_int_t ngx_duplex_frame_get_auth(ngx_duplex_frame_t *frame,
    u_char **proof);
ngx_int_t ngx_duplex_frame_get_empty(ngx_duplex_frame_t *frame);


#endif /* _NGX_DUPLEX_FRAME_H_INCLUDED_ */
