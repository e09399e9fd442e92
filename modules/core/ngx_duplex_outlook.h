
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
     * Whether this node has found servers that are checked here to be
     * unhealthy, and none to be up; one that it has not probed is neither.
     */
    ngx_uint_t  (*blind)(void);

    /*
     * Whether the node of this name has found one of those to be up that this
     * node has found to be unhealthy.  What it says of servers that only it
     * probes tells nothing of our way to ours.
     */
    ngx_uint_t  (*sees)(ngx_str_t *node);

    /*
     * This node has become isolated (readiness says so already): what it
     * found before counts, until it is told that it is no longer.  "silence":
     * for how many ms no other node was heard.
     */
    void        (*freeze)(ngx_uint_t frozen, uint64_t silence);
} ngx_duplex_outlook_t;


#endif /* _NGX_DUPLEX_OUTLOOK_H_INCLUDED_ */
