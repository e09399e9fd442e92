
/*
 * "queue" in upstream{}: requests that find no server wait for one.
 */


#ifndef _NGX_HTTP_DUPLEX_QUEUE_H_INCLUDED_
#define _NGX_HTTP_DUPLEX_QUEUE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "ngx_duplex_queue.h"


/* the directive */
char *ngx_http_duplex_queue(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* for preconfiguration: the variable, and what is neutral */
ngx_int_t ngx_http_duplex_queue_register(ngx_conf_t *cf);

/*
 * Wraps peer selection of the request, as the outermost but keepalive: called
 * after all other wrappers of peer.init.  NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_duplex_queue_init_peer(ngx_http_request_t *r,
    ngx_duplex_queue_t *queue);

/* a server is free: lets those go on whose turn it is; "any": whoever waits */
void ngx_http_duplex_queue_serve(ngx_duplex_queue_t *queue, ngx_uint_t any);

/* NGX_DECLINED: the request went to no group with a queue */
ngx_int_t ngx_http_duplex_queue_waited(ngx_http_request_t *r, ngx_msec_t *ms);


#endif /* _NGX_HTTP_DUPLEX_QUEUE_H_INCLUDED_ */
