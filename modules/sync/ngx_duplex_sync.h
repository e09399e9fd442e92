
/*
 * The life cycle of synchronisation in one process.
 */


#ifndef _NGX_DUPLEX_SYNC_H_INCLUDED_
#define _NGX_DUPLEX_SYNC_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_sync_conf.h"


/* for commit; NULL: there is no zone_sync in this cycle */
void ngx_duplex_sync_commit(ngx_cycle_t *cycle, ngx_duplex_sync_conf_t *conf);

/* callbacks of ngx_duplex_feature_t */
ngx_int_t ngx_duplex_sync_start(ngx_cycle_t *cycle);
void ngx_duplex_sync_take(void);
void ngx_duplex_sync_beat(void);
void ngx_duplex_sync_drop(void);
void ngx_duplex_sync_stop(void);


#endif /* _NGX_DUPLEX_SYNC_H_INCLUDED_ */
