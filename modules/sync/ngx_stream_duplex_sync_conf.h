
/*
 * What stands in the server{} of zone_sync, and how it is read.
 */


#ifndef _NGX_STREAM_DUPLEX_SYNC_CONF_H_INCLUDED_
#define _NGX_STREAM_DUPLEX_SYNC_CONF_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>
#include "ngx_duplex_sync_conf.h"


/* zone_sync_ssl*; a directive the name of which ends like the field */
typedef struct {
    ngx_flag_t                     enable;
    ngx_uint_t                     protocols;
    ngx_str_t                      ciphers;
    ngx_str_t                      certificate;
    ngx_str_t                      certificate_key;
    ngx_array_t                   *passwords;   /* password_file */
    ngx_array_t                   *commands;    /* conf_command */
    ngx_flag_t                     verify;
    ngx_uint_t                     verify_depth;
    ngx_str_t                      trusted_certificate;
    ngx_str_t                      crl;
    ngx_str_t                      name;
    ngx_flag_t                     server_name;
} ngx_stream_duplex_sync_ssl_t;


typedef struct {
    ngx_flag_t                     enable;      /* zone_sync */
    ngx_array_t                   *listed;      /* ngx_duplex_listed_t */
    ngx_duplex_resolve_t          *resolve;     /* or this one */

    ngx_msec_t                     connect_timeout;
    ngx_msec_t                     retry_interval;
    ngx_msec_t                     timeout;
    ngx_msec_t                     interval;    /* accepted only */
    ngx_bufs_t                     buffers;
    size_t                         recv_buffer_size;

    ngx_array_t                   *witnesses;   /* ngx_addr_t */
    ngx_msec_t                     ready_timeout;

    ngx_str_t                      secret;      /* a file */
    ngx_flag_t                     require_auth;

    ngx_stream_duplex_sync_ssl_t   ssl;
} ngx_stream_duplex_sync_srv_conf_t;


/*
 * For merging: the resolver that "resolve" needs; NGX_ERROR is logged.
 */
ngx_int_t ngx_stream_duplex_sync_resolver(ngx_conf_t *cf,
    ngx_stream_core_srv_conf_t *cscf, ngx_duplex_resolve_t *resolve);


/* setters of the directives */
char *ngx_stream_duplex_sync_server(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_stream_duplex_sync_msec(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_stream_duplex_sync_buffers(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_stream_duplex_sync_size(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_stream_duplex_sync_witness(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_stream_duplex_sync_ssl_password_file(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);


/*
 * For bind: whoever listens where others can reach it should know whom it
 * talks to.  Warns, or NGX_ERROR if zone_sync_require_auth is on; without
 * zone_sync_secret it takes verified client certificates.
 */
ngx_int_t ngx_stream_duplex_sync_check_listen(ngx_conf_t *cf,
    ngx_stream_core_srv_conf_t *cscf,
    ngx_stream_duplex_sync_srv_conf_t *conf);


void ngx_stream_duplex_sync_ssl_unset(ngx_stream_duplex_sync_ssl_t *conf);
void ngx_stream_duplex_sync_ssl_merge(ngx_stream_duplex_sync_ssl_t *prev,
    ngx_stream_duplex_sync_ssl_t *conf);
/* loads the files into "tls", if it is enabled; NGX_ERROR is logged */
ngx_int_t ngx_stream_duplex_sync_ssl_create(ngx_conf_t *cf,
    ngx_stream_duplex_sync_ssl_t *conf, ngx_duplex_tls_t *tls);


#endif /* _NGX_STREAM_DUPLEX_SYNC_CONF_H_INCLUDED_ */
