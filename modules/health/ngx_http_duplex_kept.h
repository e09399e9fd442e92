
/*
 * A connection that is kept from one probe to the next, and listened to: its
 * end means that something has happened to the server.
 */


#ifndef _NGX_HTTP_DUPLEX_KEPT_H_INCLUDED_
#define _NGX_HTTP_DUPLEX_KEPT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "ngx_duplex_schedule.h"


/* NGX_DONE: pc->connection is the kept one; NGX_DECLINED: there is none */
ngx_int_t ngx_http_duplex_kept_take(ngx_duplex_probe_t *probe,
    ngx_peer_connection_t *pc);

/*
 * Keeps pc->connection, and takes it out of "pc", if it can be used again
 * and is not older than "time".
 */
void ngx_http_duplex_kept_give(ngx_duplex_probe_t *probe,
    ngx_peer_connection_t *pc, ngx_http_upstream_t *u, ngx_msec_t time);

/* the first probe after the end of a kept connection has passed, or not */
void ngx_http_duplex_kept_learn(ngx_duplex_probe_t *probe, ngx_uint_t passed);

/* closes it, and forgets all */
void ngx_http_duplex_kept_forget(ngx_duplex_probe_t *probe);


#endif /* _NGX_HTTP_DUPLEX_KEPT_H_INCLUDED_ */
