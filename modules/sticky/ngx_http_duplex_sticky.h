
/*
 * "sticky" of http: what the files of ngx_http_duplex_sticky_module.so share.
 */


#ifndef _NGX_HTTP_DUPLEX_STICKY_H_INCLUDED_
#define _NGX_HTTP_DUPLEX_STICKY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "../upstream/ngx_http_duplex_upstream.h"
#include "ngx_duplex_session.h"


/* of one upstream{} */
typedef struct {
    ngx_http_duplex_upstream_t  *upstream;      /* NULL: no "sticky" here */
    ngx_duplex_group_t          *group;

    /* the first variable that is not empty names the route or the session */
    ngx_array_t                 *lookup;        /* ngx_int_t, indices */

    /* "learn" */
    ngx_duplex_zone_t           *zone;          /* NULL: "route" */
    ngx_array_t                 *create;        /* ngx_int_t, indices */
    ngx_msec_t                   timeout;
    ngx_uint_t                   header;
    ngx_uint_t                   sync;
    ngx_duplex_siphash_key_t     key;           /* hashes sessions */
    ngx_str_t                    name;          /* of the zone */
    size_t                       size;

    ngx_uint_t                   warned;        /* this worker said it */
} ngx_http_duplex_sticky_conf_t;


extern ngx_module_t  ngx_http_duplex_sticky_module;


/* the wrapper of peer selection, an ngx_http_duplex_wrap_pt */
ngx_int_t ngx_http_duplex_sticky_init_peer(ngx_http_request_t *r,
    ngx_http_upstream_srv_conf_t *us);

/* for "learn ... header", in each worker */
void ngx_http_duplex_sticky_add_header_filter(void);


#endif /* _NGX_HTTP_DUPLEX_STICKY_H_INCLUDED_ */
