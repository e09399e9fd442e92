
/*
 * What the stream driver offers to the other stream features: a place between
 * proxy and balancer.  For groups with a zone.
 *
 * Found with ngx_duplex_find_service(cf, NGX_STREAM_DUPLEX_UPSTREAM), from
 * directives and bind; never linked against.
 */


#ifndef _NGX_STREAM_DUPLEX_UPSTREAM_H_INCLUDED_
#define _NGX_STREAM_DUPLEX_UPSTREAM_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>
#include "ngx_duplex_upstream.h"


#define NGX_STREAM_DUPLEX_UPSTREAM  "stream upstream"


/*
 * A wrapper of peer selection for one group: called for each session after
 * the balancer's own peer.init.  It may replace get, free, notify and data of
 * s->upstream->peer.  NGX_OK or NGX_ERROR (the session ends).
 */
typedef ngx_int_t (*ngx_stream_duplex_wrap_pt)(ngx_stream_session_t *s,
    ngx_stream_upstream_srv_conf_t *us);


typedef struct {
    /*
     * For a directive in upstream{}: at most one wrapper a group.
     * NGX_OK, NGX_DECLINED: there is one already.
     */
    ngx_int_t  (*wrap)(ngx_conf_t *cf, ngx_stream_upstream_srv_conf_t *us,
                   ngx_stream_duplex_wrap_pt wrap);

    /* for the wrapper: the balancer is a stock one, the rest may be called */
    ngx_uint_t (*stock)(ngx_stream_session_t *s);

    /* both as in ngx_http_duplex_upstream_t */
    ngx_int_t  (*take)(ngx_stream_session_t *s, void *data,
                   ngx_duplex_peer_t *peer);
    ngx_duplex_peer_t *(*selected)(ngx_duplex_group_t *group, void *data);
} ngx_stream_duplex_upstream_t;


#endif /* _NGX_STREAM_DUPLEX_UPSTREAM_H_INCLUDED_ */
