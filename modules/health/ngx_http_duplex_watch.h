
/*
 * "duplex_probe_on_error": clients' requests that fail, or are late, lead to
 * a probe of their server at once.
 */


#ifndef _NGX_HTTP_DUPLEX_WATCH_H_INCLUDED_
#define _NGX_HTTP_DUPLEX_WATCH_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "ngx_duplex_health.h"


#define NGX_HTTP_DUPLEX_WATCH_LATE  1000    /* ms */


/* of an upstream{} */
typedef struct {
    ngx_uint_t            set;
    ngx_uint_t            on;
    ngx_msec_t            late;     /* without a header of the answer */
    ngx_duplex_group_t   *group;    /* set where it is bound */
} ngx_http_duplex_watch_conf_t;


/* the directive; an ngx_http_duplex_watch_conf_t is at cmd->offset */
char *ngx_http_duplex_watch_set(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* after the balancer's peer.init: the request is watched from here on */
ngx_int_t ngx_http_duplex_watch(ngx_http_request_t *r,
    ngx_http_duplex_watch_conf_t *wcf);


#endif /* _NGX_HTTP_DUPLEX_WATCH_H_INCLUDED_ */
