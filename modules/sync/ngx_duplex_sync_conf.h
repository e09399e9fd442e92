
/*
 * What the directives of synchronisation say, for the neutral files.  The
 * protocol's file records it.
 */


#ifndef _NGX_DUPLEX_SYNC_CONF_H_INCLUDED_
#define _NGX_DUPLEX_SYNC_CONF_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


typedef struct {
    ngx_array_t   addrs;                /* ngx_addr_t, each address once */
    ngx_msec_t    connect_timeout;
    ngx_msec_t    retry_interval;
    ngx_msec_t    timeout;
    size_t        out_size;             /* output buffer of a link */
    size_t        in_size;              /* input buffer of a link */
} ngx_duplex_sync_conf_t;


/* of the present cycle; NULL: there is no zone_sync */
ngx_duplex_sync_conf_t *ngx_duplex_sync_conf(void);

/* for commit; NULL: there is no zone_sync in this cycle */
void ngx_duplex_sync_conf_commit(ngx_duplex_sync_conf_t *conf);


#endif /* _NGX_DUPLEX_SYNC_CONF_H_INCLUDED_ */
