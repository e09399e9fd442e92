
/*
 * All senders of this worker: one for each address of the list, while it
 * holds the lease.  Callbacks of ngx_duplex_feature_t.
 */


#ifndef _NGX_DUPLEX_SENDERS_H_INCLUDED_
#define _NGX_DUPLEX_SENDERS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


void ngx_duplex_senders_take(void);
void ngx_duplex_senders_beat(void);
void ngx_duplex_senders_wake(void);
void ngx_duplex_senders_drop(void);


#endif /* _NGX_DUPLEX_SENDERS_H_INCLUDED_ */
