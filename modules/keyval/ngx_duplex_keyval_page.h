
/*
 * Pages of key-value zones: PROTOCOL/keyvals and PROTOCOL/keyvals/NAME.
 */


#ifndef _NGX_DUPLEX_KEYVAL_PAGE_H_INCLUDED_
#define _NGX_DUPLEX_KEYVAL_PAGE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_page.h"


/* each ends as ngx_duplex_register_pages() wants it */
extern ngx_duplex_page_t  ngx_duplex_keyval_http_pages[];
extern ngx_duplex_page_t  ngx_duplex_keyval_stream_pages[];


#endif /* _NGX_DUPLEX_KEYVAL_PAGE_H_INCLUDED_ */
