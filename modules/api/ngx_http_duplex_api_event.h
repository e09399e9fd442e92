
/*
 * An event as a JSON object, and the page "duplex/events/recent".
 */


#ifndef _NGX_HTTP_DUPLEX_API_EVENT_H_INCLUDED_
#define _NGX_HTTP_DUPLEX_API_EVENT_H_INCLUDED_


#include "ngx_http_duplex_api.h"
#include "../core/ngx_duplex_event.h"


/* for bind; NGX_ERROR: no memory */
ngx_int_t ngx_http_duplex_api_event_register(ngx_conf_t *cf);

void ngx_http_duplex_api_event_object(ngx_duplex_json_t *json,
    ngx_duplex_event_t *event);


#endif /* _NGX_HTTP_DUPLEX_API_EVENT_H_INCLUDED_ */
