
/*
 * An answer that is held back until other nodes have the change it speaks of,
 * for a while: "?wait=all|none|MS".  It says which have it.
 */


#ifndef _NGX_HTTP_DUPLEX_API_APPLIED_H_INCLUDED_
#define _NGX_HTTP_DUPLEX_API_APPLIED_H_INCLUDED_


#include "ngx_http_duplex_api.h"


/* reads "wait="; 0, or the status of a refusal */
ngx_uint_t ngx_http_duplex_api_applied_prepare(ngx_http_duplex_api_t *api);

/*
 * Sends the answer when every connected node has what the main table's log
 * had up to api->position, or when the time is over.  Returns what a content
 * handler returns.
 */
ngx_int_t ngx_http_duplex_api_applied(ngx_http_duplex_api_t *api);


#endif /* _NGX_HTTP_DUPLEX_API_APPLIED_H_INCLUDED_ */
