
/*
 * Sharing servers out over the nodes: the plan "split".
 */


#ifndef _NGX_DUPLEX_SHARE_H_INCLUDED_
#define _NGX_DUPLEX_SHARE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_schedule.h"


/*
 * For the schedule, when a probe is due: 1 if it is this node's to make.
 * Takes over the verdict of a server that comes to this node, and forgets
 * ours of one that has gone to another.
 */
ngx_uint_t ngx_duplex_share_is_ours(ngx_duplex_probe_t *probe);

/* in the holder: 0 if all servers that this node probes fail */
ngx_uint_t ngx_duplex_share_is_sighted(void);


#endif /* _NGX_DUPLEX_SHARE_H_INCLUDED_ */
