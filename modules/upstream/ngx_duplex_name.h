
/*
 * Servers that are named: "server NAME resolve", each address of the name a
 * peer, for as long as the name has it.
 *
 * An address is a record of the store: kind "rslv", local to this node and
 * durable, the zone being the group's and the key the peer's identity, with
 * ordinal 0.  So it outlives reloads and restarts, each node believes its own
 * name servers, and sessions and verdicts fit those of the other nodes.  What
 * the peer is like is said by the line, and counts as the file's word.
 *
 *     1 id(4) backup(1) weight(4)     weight 0: the line's
 *
 * The holder of the lease asks; see ngx_duplex_resolve.c.
 */


#ifndef _NGX_DUPLEX_NAME_H_INCLUDED_
#define _NGX_DUPLEX_NAME_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_store.h"
#include "ngx_duplex_line.h"
#include "ngx_duplex_stock.h"
#include "ngx_duplex_upstream.h"


typedef struct ngx_duplex_name_s  ngx_duplex_name_t;

/* what a line says of it; zeroed before the first parameter */
typedef struct {
    ngx_str_t               service;    /* data NULL: there is none */
    ngx_uint_t              resolve;
} ngx_duplex_name_words_t;

/* a line; unchanged after bind, but for what the lease holder keeps */
struct ngx_duplex_name_s {
    ngx_duplex_group_t     *group;
    ngx_str_t               written;    /* "be.example:8080" */
    ngx_str_t               server;     /* in identities: the service, too */
    ngx_str_t               host;
    ngx_str_t               service;    /* empty: ask for addresses */
    in_port_t               port;       /* 0: as the answer says */
    ngx_uint_t              backup;
    ngx_duplex_settings_t   set;
    uint64_t                digest;     /* of "set" and "backup" */

    /* of the lease holder */

    ngx_resolver_ctx_t     *ctx;        /* asking; else NULL */
    uint64_t                next;       /* ms, monotonic: when to ask again */
    ngx_uint_t              told;       /* the error that is in the log */
};

/* where names are asked for, by default those of the protocol */
typedef struct {
    ngx_resolver_t         *resolver;   /* NULL: by default */
    ngx_msec_t              timeout;    /* NGX_CONF_UNSET_MSEC: by default */
} ngx_duplex_resolver_conf_t;

/* a record */
typedef struct {
    ngx_uint_t              id;
    ngx_uint_t              backup;
    ngx_uint_t              weight;
} ngx_duplex_resolved_t;


extern ngx_duplex_kind_t  ngx_duplex_name_kind;


/* for the first driver's preconfiguration */
ngx_int_t ngx_duplex_name_register(ngx_conf_t *cf);

/* NGX_OK: it is one of ours; NGX_DECLINED; NGX_ERROR: refused */
ngx_int_t ngx_duplex_name_param(ngx_conf_t *cf, ngx_str_t *param,
    ngx_duplex_name_words_t *words);

/*
 * A line with these words; "port" is that of a name without, 0: it must have
 * one.  NGX_OK: it is in "*names", to be filled in with "backup" and "set";
 * NGX_DECLINED: it is an address, and so a line like others; NGX_ERROR.
 */
ngx_int_t ngx_duplex_name_add(ngx_conf_t *cf, ngx_array_t **names,
    ngx_str_t *written, in_port_t port, ngx_duplex_name_words_t *words,
    ngx_duplex_name_t **name);

/* the directive "resolver" of upstream{} */
char *ngx_duplex_name_resolver(ngx_conf_t *cf,
    ngx_duplex_resolver_conf_t *conf);

/* the directive "resolver_timeout": an ngx_msec_t at the command's offset */
char *ngx_duplex_name_timeout(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* for a driver's bind; "names" may be NULL, "file" and "line" are its own */
ngx_int_t ngx_duplex_name_bind(ngx_conf_t *cf, ngx_duplex_group_t *group,
    ngx_array_t *names, ngx_duplex_resolver_conf_t *conf, u_char *file,
    ngx_uint_t line);


/* the i-th name of a group, NULL after the last */
ngx_duplex_name_t *ngx_duplex_name(ngx_duplex_group_t *group, ngx_uint_t i);
/* the name that this peer is an address of; NULL: none */
ngx_duplex_name_t *ngx_duplex_name_of(ngx_duplex_peer_t *peer);
ngx_duplex_name_t *ngx_duplex_name_find(ngx_duplex_group_t *group,
    ngx_str_t *server);

/*
 * The address of this identity as if it stood in the file, with its strings
 * in those of "key".  NGX_DECLINED: it is none, or none of this file's names.
 */
ngx_int_t ngx_duplex_name_line(ngx_duplex_group_t *group, ngx_str_t *key,
    ngx_duplex_line_t *line);

/* NGX_OK, or NGX_DECLINED: there is no such record */
ngx_int_t ngx_duplex_name_get(ngx_duplex_group_t *group, ngx_str_t *key,
    ngx_duplex_resolved_t *resolved);
/* NGX_OK, or NGX_ERROR: the store has no memory; "resolved" NULL: it is gone */
ngx_int_t ngx_duplex_name_put(ngx_duplex_group_t *group, ngx_str_t *key,
    ngx_duplex_resolved_t *resolved);


#endif /* _NGX_DUPLEX_NAME_H_INCLUDED_ */
