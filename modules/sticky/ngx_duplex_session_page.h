
/*
 * Sessions in the API: duplex/sessions.
 */


#ifndef _NGX_DUPLEX_SESSION_PAGE_H_INCLUDED_
#define _NGX_DUPLEX_SESSION_PAGE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* for bind */
ngx_int_t ngx_duplex_session_pages(ngx_conf_t *cf);


#endif /* _NGX_DUPLEX_SESSION_PAGE_H_INCLUDED_ */
