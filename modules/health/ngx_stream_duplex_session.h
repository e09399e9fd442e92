
/*
 * The session of a probe: nginx's own handler of the server block works for
 * it as for any client, but there is none.
 */


#ifndef _NGX_STREAM_DUPLEX_SESSION_H_INCLUDED_
#define _NGX_STREAM_DUPLEX_SESSION_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>


/* what the sessions of one server block have in common; cycle memory */
typedef struct {
    ngx_stream_core_main_conf_t     cmcf;       /* its log phase is "end" */
    void                          **main_conf;
    void                          **srv_conf;
} ngx_stream_duplex_session_conf_t;


/*
 * For bind.  "end" is called once for each session that was given to a
 * handler, whoever ends it and why, in place of access logs; the upstream
 * connection is closed by then.
 */
ngx_int_t ngx_stream_duplex_session_bind(ngx_conf_t *cf,
    ngx_stream_duplex_session_conf_t *conf, ngx_stream_conf_ctx_t *ctx,
    ngx_stream_handler_pt end);

/*
 * Logs into the error log until the caller gives it another log.
 * NULL: no memory, or no worker_connections left (logged by nginx).
 */
ngx_stream_session_t *ngx_stream_duplex_session_open(
    ngx_stream_duplex_session_conf_t *conf);

/* no handler has seen it yet */
void ngx_stream_duplex_session_close(ngx_stream_session_t *s);

/*
 * From outside of nginx's handlers only: from events of our own.  It is
 * gone when this returns, "end" has been called.
 */
void ngx_stream_duplex_session_end(ngx_stream_session_t *s);


#endif /* _NGX_STREAM_DUPLEX_SESSION_H_INCLUDED_ */
