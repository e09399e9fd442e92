
/*
 * What keeps strangers from changing something: at start a look at who may
 * come to a writing API, and with each change where its page came from.
 */


#ifndef _NGX_HTTP_DUPLEX_API_GUARD_H_INCLUDED_
#define _NGX_HTTP_DUPLEX_API_GUARD_H_INCLUDED_


#include "ngx_http_duplex_api.h"


/*
 * For the merge of a location: warns if anybody may change something there.
 */
void ngx_http_duplex_api_guard_check(ngx_conf_t *cf);

/* 1: a browser sends it on behalf of another site's page */
ngx_uint_t ngx_http_duplex_api_guard_foreign(ngx_http_request_t *r);


#endif /* _NGX_HTTP_DUPLEX_API_GUARD_H_INCLUDED_ */
