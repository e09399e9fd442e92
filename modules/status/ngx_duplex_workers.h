
/*
 * What is counted of the node and of each of its workers: connections,
 * requests, respawned processes; and the pages that show it.
 */


#ifndef _NGX_DUPLEX_WORKERS_H_INCLUDED_
#define _NGX_DUPLEX_WORKERS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* for the counters, while a configuration is parsed; NGX_ERROR: no memory */
ngx_int_t ngx_duplex_workers_register(ngx_conf_t *cf);

/* a request of this worker begins, ends; only if counters are wanted */
void ngx_duplex_workers_request(ngx_int_t n);


#endif /* _NGX_DUPLEX_WORKERS_H_INCLUDED_ */
