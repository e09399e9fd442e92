
/*
 * Counters of http{}: what the files of this object share.
 */


#ifndef _NGX_HTTP_DUPLEX_STATUS_H_INCLUDED_
#define _NGX_HTTP_DUPLEX_STATUS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "../upstream/ngx_duplex_upstream.h"
#include "ngx_duplex_status_zone.h"


typedef struct {
    ngx_array_t                servers;     /* ngx_duplex_status_zone_t * */
    ngx_array_t                locations;
    ngx_array_t                caches;
} ngx_http_duplex_status_main_conf_t;


typedef struct {
    ngx_duplex_status_zone_t        *zone;

    ngx_duplex_group_t              *group;     /* of upstream{}: */
    ngx_http_upstream_init_peer_pt   init_peer;
} ngx_http_duplex_status_srv_conf_t;


typedef struct {
    ngx_duplex_status_zone_t  *zone;        /* NULL: "off" */
} ngx_http_duplex_status_loc_conf_t;


extern ngx_module_t  ngx_http_duplex_status_module;


#endif /* _NGX_HTTP_DUPLEX_STATUS_H_INCLUDED_ */
