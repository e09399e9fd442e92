
/*
 * The page "duplex/events": a stream that does not end.
 */


#ifndef _NGX_HTTP_DUPLEX_API_EVENTS_H_INCLUDED_
#define _NGX_HTTP_DUPLEX_API_EVENTS_H_INCLUDED_


#include "ngx_http_duplex_api.h"


/* for bind; NGX_ERROR: no memory */
ngx_int_t ngx_http_duplex_api_events_register(ngx_conf_t *cf);

/* for start and stop of a worker: streams end with it */
void ngx_http_duplex_api_events_start(void);
void ngx_http_duplex_api_events_stop(void);


#endif /* _NGX_HTTP_DUPLEX_API_EVENTS_H_INCLUDED_ */
