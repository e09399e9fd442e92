
/*
 * The stream driver: what the files of ngx_stream_duplex_upstream_module.so
 * share.
 */


#ifndef _NGX_STREAM_DUPLEX_DRIVER_H_INCLUDED_
#define _NGX_STREAM_DUPLEX_DRIVER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_upstream.h"


extern ngx_duplex_driver_t  ngx_stream_duplex_driver;


#endif /* _NGX_STREAM_DUPLEX_DRIVER_H_INCLUDED_ */
