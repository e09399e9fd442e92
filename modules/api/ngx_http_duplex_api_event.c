
/*
 * An event as a JSON object, and the list of those that are still there.
 */


#include "ngx_http_duplex_api_event.h"


static ngx_uint_t ngx_http_duplex_api_event_recent(ngx_duplex_call_t *call);


static ngx_duplex_page_t  ngx_http_duplex_api_event_page = {
    ngx_string("duplex/events/recent"), ngx_http_duplex_api_event_recent,
    NULL, NULL, NULL, NULL, 0, NULL
};


ngx_int_t
ngx_http_duplex_api_event_register(ngx_conf_t *cf)
{
    return ngx_duplex_register_page(cf, &ngx_http_duplex_api_event_page);
}


void
ngx_http_duplex_api_event_object(ngx_duplex_json_t *json,
    ngx_duplex_event_t *event)
{
    ngx_duplex_json_object(json, NULL);
    ngx_duplex_json_integer(json, "id", event->id);
    ngx_duplex_json_time(json, "time", event->time);
    ngx_duplex_json_string(json, "type", &event->type);
    ngx_duplex_json_string(json, "subject", &event->subject);
    ngx_duplex_json_string(json, "text", &event->text);
    ngx_duplex_json_object_end(json);
}


static ngx_uint_t
ngx_http_duplex_api_event_recent(ngx_duplex_call_t *call)
{
    uint64_t            id;
    ngx_int_t           rc;
    ngx_duplex_event_t  event;

    id = 0;

    ngx_duplex_json_array(call->json, NULL);

    for ( ;; ) {
        rc = ngx_duplex_event_next(&id, &event);

        if (rc == NGX_DONE) {
            break;
        }

        if (rc == NGX_OK) {
            ngx_http_duplex_api_event_object(call->json, &event);
        }
    }

    ngx_duplex_json_array_end(call->json);

    return NGX_HTTP_OK;
}
