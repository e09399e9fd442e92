
/*
 * Digests of what this node holds: equal on two nodes when they hold the
 * same.
 */


#ifndef _NGX_DUPLEX_DIGEST_H_INCLUDED_
#define _NGX_DUPLEX_DIGEST_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_json.h"


/* the view "duplex/digests" */
void ngx_duplex_digest_render(ngx_duplex_json_t *json);


#endif /* _NGX_DUPLEX_DIGEST_H_INCLUDED_ */
