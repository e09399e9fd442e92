
/*
 * The other nodes in the text format of Prometheus.
 */


#ifndef _NGX_DUPLEX_SYNC_METRICS_H_INCLUDED_
#define _NGX_DUPLEX_SYNC_METRICS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_metrics.h"


void ngx_duplex_sync_metrics(ngx_duplex_metrics_t *metrics);


#endif /* _NGX_DUPLEX_SYNC_METRICS_H_INCLUDED_ */
