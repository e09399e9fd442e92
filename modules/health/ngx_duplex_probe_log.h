
/*
 * The log of one probe: nginx complains into it, and the first complaint is
 * what people are told.  Nothing of it goes to the error log, alerts apart.
 */


#ifndef _NGX_DUPLEX_PROBE_LOG_H_INCLUDED_
#define _NGX_DUPLEX_PROBE_LOG_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_DUPLEX_PROBE_LOG_TEXT  200


typedef struct {
    ngx_log_t    log;           /* of connections and requests */
    ngx_str_t    text;          /* empty: no complaint yet */
    u_char       buf[NGX_DUPLEX_PROBE_LOG_TEXT];
} ngx_duplex_probe_log_t;


/* may be called again when nginx has changed "log" */
void ngx_duplex_probe_log_init(ngx_duplex_probe_log_t *pl);

/* 1 if nginx took want of a local port for the server's refusal */
ngx_uint_t ngx_duplex_probe_log_is_local(ngx_duplex_probe_log_t *pl);


#endif /* _NGX_DUPLEX_PROBE_LOG_H_INCLUDED_ */
