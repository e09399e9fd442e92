
/*
 * What the file says of the servers of a group: one line for each address of
 * a "server" directive, in the order of the file, unchanged until the next
 * configuration.
 */


#ifndef _NGX_DUPLEX_LINE_H_INCLUDED_
#define _NGX_DUPLEX_LINE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_upstream.h"


struct ngx_duplex_line_s {
    ngx_str_t               server;
    ngx_str_t               name;
    ngx_uint_t              ordinal;
    ngx_str_t               key;
    uint64_t                hash;
    uint64_t                digest;     /* of all that the line says */
    ngx_uint_t              id;
    struct sockaddr        *sockaddr;
    socklen_t               socklen;
    ngx_uint_t              backup;
    ngx_duplex_settings_t   set;

    ngx_rbtree_node_t       node;       /* of the group's by_line */
};


/*
 * Fills in a line's identity from its key, "SERVER ADDRESS ORDINAL": texts
 * point into it, the address is made in "pool".  NGX_DECLINED: it is no key;
 * NGX_ERROR: no memory.
 */
ngx_int_t ngx_duplex_line_parse(ngx_duplex_group_t *group, ngx_str_t *key,
    ngx_pool_t *pool, ngx_duplex_line_t *line);

/* the first part of a key, in place; NGX_DECLINED: it is no key */
ngx_int_t ngx_duplex_line_server(ngx_str_t *key, ngx_str_t *server);

/* of what a line says */
uint64_t ngx_duplex_line_digest(ngx_uint_t backup, ngx_duplex_settings_t *set);

/* the hash of an identity, key->len being at most NGX_DUPLEX_KEY_MAX */
uint64_t ngx_duplex_line_hash(ngx_duplex_group_t *group, ngx_str_t *key);

/* NULL: the file does not name it; any time after bind */
ngx_duplex_line_t *ngx_duplex_line_find(ngx_duplex_group_t *group,
    uint64_t hash);


#endif /* _NGX_DUPLEX_LINE_H_INCLUDED_ */
