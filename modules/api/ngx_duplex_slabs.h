
/*
 * Pages of shared memory zones: what their slab allocators say.
 */


#ifndef _NGX_DUPLEX_SLABS_H_INCLUDED_
#define _NGX_DUPLEX_SLABS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* for bind; NGX_ERROR: no memory */
ngx_int_t ngx_duplex_slabs_register(ngx_conf_t *cf);


#endif /* _NGX_DUPLEX_SLABS_H_INCLUDED_ */
