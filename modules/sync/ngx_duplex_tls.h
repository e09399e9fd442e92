
/*
 * TLS of a dialled link: the client's side of the handshake and whom it has
 * met.  The accepting side is the stream server's own "listen ... ssl".
 */


#ifndef _NGX_DUPLEX_TLS_H_INCLUDED_
#define _NGX_DUPLEX_TLS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>


#define NGX_DUPLEX_TLS_SAID  128


typedef struct {
    ngx_ssl_t   *ssl;           /* NULL: links are not encrypted */
    ngx_flag_t   verify;
    ngx_flag_t   server_name;   /* SNI is sent */
    ngx_str_t    name;          /* of all nodes; empty: each one's host */
} ngx_duplex_tls_t;


/*
 * Begins the handshake on an established connection with a pool.  NGX_OK and
 * NGX_ERROR: it is over; NGX_AGAIN: "handler" is called then.  In any case
 * ngx_duplex_tls_check() says how it went.
 */
ngx_int_t ngx_duplex_tls_start(ngx_connection_t *c, ngx_duplex_tls_t *tls,
    ngx_str_t *host, void (*handler)(ngx_connection_t *c));

/*
 * What nginx says of a handshake that failed, without time and numbers: the
 * writer of a log of its own, whose wdata is a buffer of
 * NGX_DUPLEX_TLS_SAID bytes that is zero-terminated at first.
 */
void ngx_duplex_tls_note(ngx_log_t *log, ngx_uint_t level, u_char *line,
    size_t len);

/*
 * NGX_OK: encrypted, and the other side is who it should be; NGX_ERROR: not,
 * and why stands in "text" of "size" bytes, zero-terminated.
 */
ngx_int_t ngx_duplex_tls_check(ngx_connection_t *c, ngx_duplex_tls_t *tls,
    ngx_str_t *host, u_char *text, size_t size);

/* closes a connection that may be encrypted, without waiting */
void ngx_duplex_tls_close(ngx_connection_t *c);


#endif /* _NGX_DUPLEX_TLS_H_INCLUDED_ */
