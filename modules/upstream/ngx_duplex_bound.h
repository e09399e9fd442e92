
/*
 * What is bound to servers in this worker: long-lived sessions that must end
 * when their server does.
 *
 * Whoever has such a session adds it when a server was selected, and removes
 * it with the session.
 */


#ifndef _NGX_DUPLEX_BOUND_H_INCLUDED_
#define _NGX_DUPLEX_BOUND_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_duplex_upstream.h"


typedef struct ngx_duplex_bound_s  ngx_duplex_bound_t;

struct ngx_duplex_bound_s {
    ngx_queue_t           link;
    ngx_duplex_group_t   *group;
    ngx_sockaddr_t        sockaddr;     /* of its server */
    socklen_t             socklen;

    /* ends the session, not before it returns; it was removed before */
    void                (*end)(ngx_duplex_bound_t *bound);
};


void ngx_duplex_bound_add(ngx_duplex_bound_t *bound);
void ngx_duplex_bound_remove(ngx_duplex_bound_t *bound);

/* the server is down or gone: ends what is bound to it */
void ngx_duplex_bound_end(ngx_duplex_peer_t *peer);


#endif /* _NGX_DUPLEX_BOUND_H_INCLUDED_ */
