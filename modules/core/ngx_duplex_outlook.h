
/*
 * How the servers behind look from a node: for whoever decides whether this
 * node may be given traffic.  Offered by the feature that checks servers,
 * under the service name below.
 */


#ifndef _NGX_DUPLEX_OUTLOOK_H_INCLUDED_
#define _NGX_DUPLEX_OUTLOOK_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_DUPLEX_OUTLOOK  "outlook"


/* static data of the feature's object; any worker, after commit */
typedef struct {
    /*
     * Whether the node of this name has found one of the servers that are
     * checked here to be up, or to be unhealthy.  A server it has not probed
     * yet is neither.  Both stop at the first they find.
     */
    ngx_uint_t  (*up)(ngx_str_t *node);
    ngx_uint_t  (*unhealthy)(ngx_str_t *node);

    /*
     * This node has become isolated (readiness says so already): what it
     * found before counts, until it is told that it is no longer.  "silence":
     * for how many ms no other node was heard.
     */
    void        (*freeze)(ngx_uint_t frozen, uint64_t silence);
} ngx_duplex_outlook_t;


#endif /* _NGX_DUPLEX_OUTLOOK_H_INCLUDED_ */
