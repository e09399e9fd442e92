
/*
 * An answer that is held back until the change it speaks of is on disk.
 */


#ifndef _NGX_HTTP_DUPLEX_API_DURABLE_H_INCLUDED_
#define _NGX_HTTP_DUPLEX_API_DURABLE_H_INCLUDED_


#include "ngx_http_duplex_api.h"


/*
 * Sends the answer when all that was changed is on disk, or at once if
 * nothing is kept on disk; an error if it cannot be written.  Returns what a
 * content handler returns.
 */
ngx_int_t ngx_http_duplex_api_durable(ngx_http_duplex_api_t *api);


#endif /* _NGX_HTTP_DUPLEX_API_DURABLE_H_INCLUDED_ */
