
/*
 * Where a request would go, and why: a page of the API.
 */


#ifndef _NGX_DUPLEX_STICKY_EXPLAIN_H_INCLUDED_
#define _NGX_DUPLEX_STICKY_EXPLAIN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_page.h"


/*
 * duplex/explain/request?protocol=http&upstream=NAME&value=TEXT: what a
 * client shows, the value of its cookie or its route
 */
extern ngx_duplex_page_t  ngx_duplex_sticky_explain_page;


#endif /* _NGX_DUPLEX_STICKY_EXPLAIN_H_INCLUDED_ */
