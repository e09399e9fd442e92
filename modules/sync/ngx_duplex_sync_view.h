
/*
 * Synchronisation in the API: pages rendered from shared memory, the same in
 * every worker.
 */


#ifndef _NGX_DUPLEX_SYNC_VIEW_H_INCLUDED_
#define _NGX_DUPLEX_SYNC_VIEW_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_json.h"
#include "ngx_duplex_nodes.h"


/* the view "stream/zone_sync", as NGINX Plus shows it */
void ngx_duplex_sync_view_render(ngx_duplex_json_t *json);

/* the view "duplex/nodes": an object for each other node */
void ngx_duplex_sync_view_render_nodes(ngx_duplex_json_t *json);

/* records the node has not acknowledged, of all zones */
uint64_t ngx_duplex_sync_view_pending(ngx_duplex_dialled_t *node);


#endif /* _NGX_DUPLEX_SYNC_VIEW_H_INCLUDED_ */
