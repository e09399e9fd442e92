
/*
 * Counters of stream{}: what the files of this object share.
 */


#ifndef _NGX_STREAM_DUPLEX_STATUS_H_INCLUDED_
#define _NGX_STREAM_DUPLEX_STATUS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>
#include "../upstream/ngx_duplex_upstream.h"
#include "ngx_duplex_status_zone.h"


typedef struct {
    ngx_array_t                        servers; /* ngx_duplex_status_zone_t * */
} ngx_stream_duplex_status_main_conf_t;


typedef struct {
    ngx_duplex_status_zone_t          *zone;

    ngx_duplex_group_t                *group;   /* of upstream{}: */
    ngx_stream_upstream_init_peer_pt   init_peer;
} ngx_stream_duplex_status_srv_conf_t;


extern ngx_module_t  ngx_stream_duplex_status_module;


/* for bind: counts the peers of all groups with a zone, if that is shown */
ngx_int_t ngx_stream_duplex_status_peer_bind(ngx_conf_t *cf);


#endif /* _NGX_STREAM_DUPLEX_STATUS_H_INCLUDED_ */
