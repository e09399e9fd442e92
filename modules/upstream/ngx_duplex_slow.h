
/*
 * "slow_start": a server that comes back gets its share little by little.
 */


#ifndef _NGX_DUPLEX_SLOW_H_INCLUDED_
#define _NGX_DUPLEX_SLOW_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * For the directive "server".  Takes "slow_start=TIME" out of "args", which
 * are the directive's; "*time" gets it in ms, 0 if there is none.  "able": the
 * balancing method can have it.  NGX_ERROR is logged.
 */
ngx_int_t ngx_duplex_slow_take(ngx_conf_t *cf, ngx_array_t *args,
    ngx_uint_t able, ngx_msec_t *time);


#endif /* _NGX_DUPLEX_SLOW_H_INCLUDED_ */
