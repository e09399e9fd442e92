
/*
 * See the header.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_absent.h"
#include "../core/ngx_duplex_page.h"
#include "../upstream/ngx_duplex_upstream.h"


typedef struct {
    const char  *code;
    const char  *text;
} ngx_duplex_absent_t;


static ngx_uint_t ngx_duplex_absent_all(ngx_duplex_call_t *call);
static ngx_uint_t ngx_duplex_absent_one(ngx_duplex_call_t *call);


static ngx_duplex_absent_t  ngx_duplex_absent_servers = {
    "ServerZoneNotFound", "server zone not found"
};

static ngx_duplex_absent_t  ngx_duplex_absent_locations = {
    "LocationZoneNotFound", "location zone not found"
};

static ngx_duplex_absent_t  ngx_duplex_absent_caches = {
    "CacheNotFound", "cache not found"
};

static ngx_duplex_absent_t  ngx_duplex_absent_conns = {
    "LimitConnNotFound", "limit_conn not found"
};

static ngx_duplex_absent_t  ngx_duplex_absent_reqs = {
    "LimitReqNotFound", "limit_req not found"
};

static ngx_duplex_absent_t  ngx_duplex_absent_keyvals = {
    "KeyvalNotFound", "keyval not found"
};

static ngx_duplex_absent_t  ngx_duplex_absent_resolvers = {
    "ResolverZoneNotFound", "resolver zone not found"
};


#define ngx_duplex_absent_pages(path, absent)                                 \
    { ngx_string(path), ngx_duplex_absent_all, NULL, NULL, NULL, NULL, 1,     \
      NULL },                                                                 \
    { ngx_string(path "/*"), ngx_duplex_absent_one, NULL, NULL, NULL, NULL,   \
      0, absent }


static ngx_duplex_page_t  ngx_duplex_absent_always[] = {

    { ngx_string("ssl"), ngx_duplex_absent_all,
      NULL, NULL, NULL, NULL, 0, NULL },

    ngx_duplex_absent_pages("resolvers", &ngx_duplex_absent_resolvers),
    ngx_duplex_absent_pages("http/server_zones", &ngx_duplex_absent_servers),
    ngx_duplex_absent_pages("http/location_zones",
                            &ngx_duplex_absent_locations),
    ngx_duplex_absent_pages("http/caches", &ngx_duplex_absent_caches),
    ngx_duplex_absent_pages("http/limit_conns", &ngx_duplex_absent_conns),
    ngx_duplex_absent_pages("http/limit_reqs", &ngx_duplex_absent_reqs),
    ngx_duplex_absent_pages("http/keyvals", &ngx_duplex_absent_keyvals),

    ngx_duplex_null_page
};


/* where there is no stream{}, a client wants to hear that it is not there */

static ngx_duplex_page_t  ngx_duplex_absent_stream[] = {

    ngx_duplex_absent_pages("stream/server_zones", &ngx_duplex_absent_servers),
    ngx_duplex_absent_pages("stream/limit_conns", &ngx_duplex_absent_conns),
    ngx_duplex_absent_pages("stream/keyvals", &ngx_duplex_absent_keyvals),

    ngx_duplex_null_page
};


ngx_int_t
ngx_duplex_absent_register(ngx_conf_t *cf)
{
    ngx_str_t  stream = ngx_string("stream");

    if (ngx_duplex_register_pages(cf, ngx_duplex_absent_always) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_duplex_driver_bound(cf, &stream) == NULL) {
        return NGX_OK;
    }

    return ngx_duplex_register_pages(cf, ngx_duplex_absent_stream);
}


static ngx_uint_t
ngx_duplex_absent_all(ngx_duplex_call_t *call)
{
    ngx_duplex_json_object(call->json, NULL);
    ngx_duplex_json_object_end(call->json);

    return NGX_DUPLEX_CALL_OK;
}


static ngx_uint_t
ngx_duplex_absent_one(ngx_duplex_call_t *call)
{
    ngx_duplex_absent_t  *absent;

    absent = call->page->data;

    return ngx_duplex_call_refuse(call, 404, absent->code, "%s", absent->text);
}
