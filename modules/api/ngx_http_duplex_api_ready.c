
/*
 * Readiness.  The words are the view "duplex/ready" of the feature that
 * knows other nodes; the status code is its service's answer.
 */


#include "ngx_http_duplex_api_answer.h"
#include "ngx_http_duplex_api_ready.h"
#include "../core/ngx_duplex_registry.h"


static ngx_uint_t ngx_http_duplex_api_ready(ngx_duplex_call_t *call);
static void ngx_http_duplex_api_ready_alone(ngx_duplex_json_t *json);


/* where no feature has a word on it */

static ngx_duplex_page_t  ngx_http_duplex_api_ready_page = {
    ngx_string("duplex/ready"), ngx_http_duplex_api_ready,
    NULL, NULL, NULL, NULL, 0, NULL
};


ngx_int_t
ngx_http_duplex_api_ready_register(ngx_conf_t *cf)
{
    return ngx_duplex_register_page(cf, &ngx_http_duplex_api_ready_page);
}


static ngx_uint_t
ngx_http_duplex_api_ready(ngx_duplex_call_t *call)
{
    ngx_http_duplex_api_ready_alone(call->json);

    return NGX_HTTP_OK;
}


ngx_int_t
ngx_http_duplex_api_ready_send(ngx_http_request_t *r, ngx_uint_t ok)
{
    ngx_str_t           path = ngx_string("duplex/ready");
    ngx_duplex_json_t  *json;
    ngx_duplex_view_t  *view;

    json = ngx_duplex_json_create(r->pool);
    if (json == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    view = ngx_duplex_find_view(&path);

    if (view) {
        view->render(json);

    } else {
        ngx_http_duplex_api_ready_alone(json);
    }

    return ngx_http_duplex_api_send(r, ok ? NGX_HTTP_OK
                                          : NGX_HTTP_SERVICE_UNAVAILABLE,
                                    json);
}


ngx_uint_t
ngx_http_duplex_api_ready_patch(ngx_duplex_call_t *call)
{
    json_t                  *leaving;
    ngx_duplex_readiness_t  *readiness;

    readiness = ngx_http_duplex_api_readiness(
                                     ngx_http_duplex_api_of(call)->request);

    if (readiness == NULL) {
        return ngx_duplex_call_refuse(call, NGX_HTTP_BAD_REQUEST,
                                      "NodeAlone",
                                      "the node has no others: no feature "
                                      "knows when it is ready");
    }

    leaving = json_object_get(call->body, "leaving");

    if (!json_is_boolean(leaving) || json_object_size(call->body) != 1) {
        return ngx_duplex_call_refuse(call, NGX_HTTP_BAD_REQUEST,
                                      "NodeFormatError",
                                      "must be an object with \"leaving\", "
                                      "true or false");
    }

    readiness->leave(json_is_true(leaving) ? 1 : 0);

    return NGX_HTTP_NO_CONTENT;
}


static void
ngx_http_duplex_api_ready_alone(ngx_duplex_json_t *json)
{
    ngx_duplex_json_object(json, NULL);
    ngx_duplex_json_boolean(json, "ready", 1);
    ngx_duplex_json_boolean(json, "live", 1);
    ngx_duplex_json_text(json, "state", "ready");
    ngx_duplex_json_text(json, "reason", "no nodes listed");
    ngx_duplex_json_object_end(json);
}
