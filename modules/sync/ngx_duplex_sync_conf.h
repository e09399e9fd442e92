
/*
 * What the directives of synchronisation say, for the neutral files.  The
 * protocol's file records it.
 */


#ifndef _NGX_DUPLEX_SYNC_CONF_H_INCLUDED_
#define _NGX_DUPLEX_SYNC_CONF_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_outlook.h"
#include "ngx_duplex_secret.h"
#include "ngx_duplex_tls.h"


/* an address of the list; what a name stood for is several of them */
typedef struct {
    ngx_addr_t         addr;
    ngx_str_t          host;            /* as it was written, for TLS */
} ngx_duplex_listed_t;


/* zone_sync_server NAME:PORT resolve */
typedef struct {
    ngx_str_t          host;
    in_port_t          port;
    ngx_resolver_t    *resolver;
    ngx_msec_t         timeout;
} ngx_duplex_resolve_t;


typedef struct {
    ngx_array_t        listed;          /* ngx_duplex_listed_t, each once */
    ngx_duplex_resolve_t  *resolve;     /* NULL: the list is all there is */
    ngx_msec_t         connect_timeout;
    ngx_msec_t         retry_interval;
    ngx_msec_t         timeout;
    size_t             out_size;        /* output buffer of a link */
    size_t             in_size;         /* input buffer of a link */
    ngx_duplex_tls_t   tls;             /* of dialled links */

    ngx_duplex_secret_t  *secret;       /* NULL: none */

    ngx_array_t        witnesses;       /* ngx_addr_t */
    ngx_msec_t         ready_timeout;
    ngx_duplex_outlook_t  *outlook;     /* NULL: no server is checked */
} ngx_duplex_sync_conf_t;


/* of the present cycle; NULL: there is no zone_sync */
ngx_duplex_sync_conf_t *ngx_duplex_sync_conf(void);

/* for commit; NULL: there is no zone_sync in this cycle */
void ngx_duplex_sync_conf_commit(ngx_duplex_sync_conf_t *conf);


#endif /* _NGX_DUPLEX_SYNC_CONF_H_INCLUDED_ */
