
/*
 * Waiting until other nodes have a change: the service of
 * core/ngx_duplex_acked.h.
 *
 * Acknowledgements come in at the holder of the lease and are published in
 * shared memory; whoever waits, in any worker, is woken by an eventfd, and
 * only as long as somebody waits.
 */


#ifndef _NGX_DUPLEX_APPLIED_H_INCLUDED_
#define _NGX_DUPLEX_APPLIED_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_acked.h"


extern ngx_duplex_acked_t  ngx_duplex_applied_service;


/* once in a worker; NGX_ERROR is logged */
ngx_int_t ngx_duplex_applied_start(ngx_cycle_t *cycle);
/* this worker leaves: whoever waits in it is answered */
void ngx_duplex_applied_stop(void);

/* an acknowledgement has come, or a node is gone; holder only */
void ngx_duplex_applied_tell(void);


#endif /* _NGX_DUPLEX_APPLIED_H_INCLUDED_ */
