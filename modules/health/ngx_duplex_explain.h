
/*
 * Why a server is in or out: a page of the API.
 */


#ifndef _NGX_DUPLEX_EXPLAIN_H_INCLUDED_
#define _NGX_DUPLEX_EXPLAIN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_page.h"


/* duplex/explain/peer?protocol=http&upstream=NAME&server=ADDRESS-OR-ID */
extern ngx_duplex_page_t  ngx_duplex_explain_page;


#endif /* _NGX_DUPLEX_EXPLAIN_H_INCLUDED_ */
