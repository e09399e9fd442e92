
/*
 * What stands in the server{} of zone_sync, and how it is read.
 */


#ifndef _NGX_STREAM_DUPLEX_SYNC_CONF_H_INCLUDED_
#define _NGX_STREAM_DUPLEX_SYNC_CONF_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>


typedef struct {
    ngx_flag_t               enable;            /* zone_sync */
    ngx_array_t             *addrs;             /* ngx_addr_t */

    ngx_msec_t               connect_timeout;
    ngx_msec_t               retry_interval;
    ngx_msec_t               timeout;
    ngx_msec_t               interval;          /* accepted only */
    ngx_bufs_t               buffers;
    size_t                   recv_buffer_size;
} ngx_stream_duplex_sync_srv_conf_t;


/* setters of the directives */
char *ngx_stream_duplex_sync_server(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_stream_duplex_sync_msec(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_stream_duplex_sync_buffers(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_stream_duplex_sync_size(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


#endif /* _NGX_STREAM_DUPLEX_SYNC_CONF_H_INCLUDED_ */
