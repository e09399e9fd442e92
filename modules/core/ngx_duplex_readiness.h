
/*
 * Readiness: may this node be given traffic?  And liveness: is it still one
 * of the nodes?  Offered by the feature that
 * knows the other nodes, under the service name below; where none offers it,
 * the node is ready.
 *
 * The words behind the answer are the view "duplex/ready" of that feature:
 * an object that begins with "ready" (boolean), "state" and "reason".
 */


#ifndef _NGX_DUPLEX_READINESS_H_INCLUDED_
#define _NGX_DUPLEX_READINESS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_DUPLEX_READINESS  "readiness"


/* static data of the feature's object */
typedef struct {
    /* any worker, any time after commit; from memory, never blocks */
    ngx_uint_t  (*ready)(void);
    ngx_uint_t  (*live)(void);

    /* the administrator takes the node out, or back; until a restart */
    void        (*leave)(ngx_uint_t leave);
} ngx_duplex_readiness_t;


#endif /* _NGX_DUPLEX_READINESS_H_INCLUDED_ */
