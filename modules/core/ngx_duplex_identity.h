
/*
 * Who this node is: a name for people, an id derived from it that breaks
 * ties between records, and an incarnation that is new with fresh memory.
 */


#ifndef _NGX_DUPLEX_IDENTITY_H_INCLUDED_
#define _NGX_DUPLEX_IDENTITY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_DUPLEX_NODE_NAME_MAX  63


typedef struct {
    ngx_str_t   name;           /* duplex_node, default the host name */
    ngx_str_t   cluster;        /* duplex_cluster, default empty */
    uint64_t    id;             /* ngx_duplex_node_id(name); never 0 */
    uint64_t    incarnation;    /* random; equal as long as the memory lives */
    uint32_t    generation;     /* configurations loaded in that time */
} ngx_duplex_identity_t;


/* of the present cycle; for commit and later */
ngx_duplex_identity_t *ngx_duplex_identity(void);

/* 1 if a later configuration is in force and this process is about to leave */
ngx_uint_t ngx_duplex_superseded(void);

/* the id of a node of this name, the same on all nodes; never 0 */
uint64_t ngx_duplex_node_id(ngx_str_t *name);

/*
 * NGX_OK if "name" may name a node or a cluster: 1 to 63 letters, digits,
 * ".", "-", "_".  For directives and for what other nodes send.
 */
ngx_int_t ngx_duplex_node_name_check(ngx_str_t *name);

/* first 8 bytes of MD5, big-endian: equal on all nodes and versions */
uint64_t ngx_duplex_hash(const u_char *data, size_t len);


#endif /* _NGX_DUPLEX_IDENTITY_H_INCLUDED_ */
