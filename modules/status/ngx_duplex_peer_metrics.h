
/*
 * Metrics of the peers of all groups with a zone.
 */


#ifndef _NGX_DUPLEX_PEER_METRICS_H_INCLUDED_
#define _NGX_DUPLEX_PEER_METRICS_H_INCLUDED_


#include "../core/ngx_duplex_metrics.h"


void ngx_duplex_peer_metrics(ngx_duplex_metrics_t *metrics);


#endif /* _NGX_DUPLEX_PEER_METRICS_H_INCLUDED_ */
