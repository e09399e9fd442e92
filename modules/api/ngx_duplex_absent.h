
/*
 * Pages of NGINX Plus's API for which nothing is known here.  Its clients ask
 * for them and take an error for a failure of the node: they are answered
 * with an empty object, and nothing is made up.
 */


#ifndef _NGX_DUPLEX_ABSENT_H_INCLUDED_
#define _NGX_DUPLEX_ABSENT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* for bind, after all features: theirs go first; NGX_ERROR: no memory */
ngx_int_t ngx_duplex_absent_register(ngx_conf_t *cf);


#endif /* _NGX_DUPLEX_ABSENT_H_INCLUDED_ */
