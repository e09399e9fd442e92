
/*
 * Who asks for the addresses of named servers.
 */


#ifndef _NGX_DUPLEX_RESOLVE_H_INCLUDED_
#define _NGX_DUPLEX_RESOLVE_H_INCLUDED_


#include "../core/ngx_duplex_registry.h"


/* registered once, by the first driver */
extern ngx_duplex_feature_t  ngx_duplex_resolve_feature;


#endif /* _NGX_DUPLEX_RESOLVE_H_INCLUDED_ */
