
/*
 * "status_zone" of http{}: counters of servers and locations, the pages that
 * show them, and the phases in which they are counted.
 *
 * A request counts where it ends: in the zone of its server and in that of
 * the location it was last in.  No handler is installed unless something is
 * counted.
 */


#include "../core/ngx_duplex_compat.h"
#include "../core/ngx_duplex_registry.h"
#include "ngx_duplex_responses.h"
#include "ngx_duplex_workers.h"
#include "ngx_http_duplex_status.h"
#include "ngx_http_duplex_status_cache.h"
#include "ngx_http_duplex_status_peer.h"


/* counters of a server's or location's cell */

enum {
    NGX_HTTP_DUPLEX_STATUS_PROCESSING = 0,  /* gauge, of servers */
    NGX_HTTP_DUPLEX_STATUS_REQUESTS = NGX_DUPLEX_GAUGES,    /* that ended */
    NGX_HTTP_DUPLEX_STATUS_DISCARDED,
    NGX_HTTP_DUPLEX_STATUS_RECEIVED,
    NGX_HTTP_DUPLEX_STATUS_SENT,
    NGX_HTTP_DUPLEX_STATUS_HANDSHAKES,
    NGX_HTTP_DUPLEX_STATUS_REUSES,
    NGX_HTTP_DUPLEX_STATUS_RESPONSES,       /* a range */
    NGX_HTTP_DUPLEX_STATUS_END = NGX_HTTP_DUPLEX_STATUS_RESPONSES
                                 + NGX_DUPLEX_RESPONSES
};


static ngx_int_t ngx_http_duplex_status_begin(ngx_http_request_t *r);
static void ngx_http_duplex_status_handshake(ngx_http_request_t *r,
    ngx_duplex_cell_t *cell);
static void ngx_http_duplex_status_end(void *data);
static ngx_int_t ngx_http_duplex_status_log(ngx_http_request_t *r);
static void ngx_http_duplex_status_count(ngx_http_request_t *r,
    ngx_duplex_cell_t *cell);

static void ngx_http_duplex_status_render_server(ngx_duplex_json_t *json,
    ngx_duplex_sum_t *sum, ngx_str_t *name);
static void ngx_http_duplex_status_render_location(ngx_duplex_json_t *json,
    ngx_duplex_sum_t *sum, ngx_str_t *name);

static ngx_int_t ngx_http_duplex_status_preconfiguration(ngx_conf_t *cf);
static ngx_int_t ngx_http_duplex_status_postconfiguration(ngx_conf_t *cf);
static ngx_int_t ngx_http_duplex_status_handler(ngx_conf_t *cf,
    ngx_uint_t phase, ngx_http_handler_pt handler);
static ngx_int_t ngx_http_duplex_status_start(ngx_cycle_t *cycle);
static void *ngx_http_duplex_status_create_main_conf(ngx_conf_t *cf);
static void *ngx_http_duplex_status_create_srv_conf(ngx_conf_t *cf);
static void *ngx_http_duplex_status_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_duplex_status_merge_loc_conf(ngx_conf_t *cf,
    void *parent, void *child);
static char *ngx_http_duplex_status_set(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


static ngx_command_t  ngx_http_duplex_status_commands[] = {

    { ngx_string("status_zone"),
      NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_HTTP_LIF_CONF|NGX_CONF_TAKE1,
      ngx_http_duplex_status_set,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_duplex_status_module_ctx = {
    ngx_http_duplex_status_preconfiguration,   /* preconfiguration */
    ngx_http_duplex_status_postconfiguration,  /* postconfiguration */

    ngx_http_duplex_status_create_main_conf,   /* create main configuration */
    NULL,                                      /* init main configuration */

    ngx_http_duplex_status_create_srv_conf,    /* create server configuration */
    NULL,                                      /* merge server configuration */

    ngx_http_duplex_status_create_loc_conf,    /* create location conf */
    ngx_http_duplex_status_merge_loc_conf      /* merge location conf */
};


ngx_module_t  ngx_http_duplex_status_module = {
    NGX_MODULE_V1,
    &ngx_http_duplex_status_module_ctx,    /* module context */
    ngx_http_duplex_status_commands,       /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


NGX_DUPLEX_NEEDS_CORE;


static ngx_duplex_feature_t  ngx_http_duplex_status_feature = {
    ngx_string("http status"),
    NGX_DUPLEX_LAYER_FEATURE,
    ngx_http_duplex_status_peer_bind,      /* bind */
    NULL,                                  /* commit */
    ngx_http_duplex_status_start,          /* start */
    NULL,                                  /* take */
    NULL,                                  /* beat */
    NULL,                                  /* wake */
    NULL,                                  /* drop */
    NULL                                   /* stop */
};


static ngx_duplex_status_kind_t  ngx_http_duplex_status_servers = {
    ngx_duplex_cell_http_server,
    "ServerZoneNotFound", "server zone not found",
    NGX_DUPLEX_GAUGES, NGX_HTTP_DUPLEX_STATUS_END - NGX_DUPLEX_GAUGES,
    ngx_http_duplex_status_render_server,
    NULL
};

static ngx_duplex_status_kind_t  ngx_http_duplex_status_locations = {
    ngx_duplex_cell_http_location,
    "LocationZoneNotFound", "location zone not found",
    NGX_DUPLEX_GAUGES, NGX_HTTP_DUPLEX_STATUS_END - NGX_DUPLEX_GAUGES,
    ngx_http_duplex_status_render_location,
    NULL
};


static ngx_duplex_page_t  ngx_http_duplex_status_pages[] = {

    { ngx_string("http/server_zones"),
      ngx_duplex_status_all, NULL, NULL, NULL, NULL,
      1, &ngx_http_duplex_status_servers },

    { ngx_string("http/server_zones/*"),
      ngx_duplex_status_one, NULL, NULL, NULL, ngx_duplex_status_reset,
      0, &ngx_http_duplex_status_servers },

    { ngx_string("http/location_zones"),
      ngx_duplex_status_all, NULL, NULL, NULL, NULL,
      1, &ngx_http_duplex_status_locations },

    { ngx_string("http/location_zones/*"),
      ngx_duplex_status_one, NULL, NULL, NULL, ngx_duplex_status_reset,
      0, &ngx_http_duplex_status_locations },

      ngx_duplex_null_page
};


static ngx_int_t
ngx_http_duplex_status_begin(ngx_http_request_t *r)
{
    ngx_duplex_cell_t                  *cell;
    ngx_http_cleanup_t                 *cln;
    ngx_http_duplex_status_srv_conf_t  *sscf;

    if (r != r->main) {
        return NGX_DECLINED;
    }

    cln = ngx_http_cleanup_add(r, 0);
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    sscf = ngx_http_get_module_srv_conf(r, ngx_http_duplex_status_module);

    cell = sscf->zone ? sscf->zone->cell : NULL;

    cln->handler = ngx_http_duplex_status_end;
    cln->data = cell;

    ngx_duplex_workers_request(1);
    ngx_duplex_count(cell, NGX_HTTP_DUPLEX_STATUS_PROCESSING, 1);

#if (NGX_HTTP_SSL)
    if (cell && r->connection->ssl) {
        ngx_http_duplex_status_handshake(r, cell);
    }
#endif

    return NGX_DECLINED;
}


#if (NGX_HTTP_SSL)

/* it was over before the server was known: the first request tells of it */

static void
ngx_http_duplex_status_handshake(ngx_http_request_t *r,
    ngx_duplex_cell_t *cell)
{
    if (r->connection->requests > 1) {
        return;
    }

    ngx_duplex_count(cell, NGX_HTTP_DUPLEX_STATUS_HANDSHAKES, 1);

    if (SSL_session_reused(r->connection->ssl->connection)) {
        ngx_duplex_count(cell, NGX_HTTP_DUPLEX_STATUS_REUSES, 1);
    }
}

#endif


static void
ngx_http_duplex_status_end(void *data)
{
    ngx_duplex_cell_t *cell = data;

    ngx_duplex_workers_request(-1);
    ngx_duplex_count(cell, NGX_HTTP_DUPLEX_STATUS_PROCESSING, -1);
}


static ngx_int_t
ngx_http_duplex_status_log(ngx_http_request_t *r)
{
    ngx_http_duplex_status_srv_conf_t  *sscf;
    ngx_http_duplex_status_loc_conf_t  *slcf;

    if (r != r->main) {
        return NGX_OK;
    }

    sscf = ngx_http_get_module_srv_conf(r, ngx_http_duplex_status_module);

    if (sscf->zone) {
        ngx_http_duplex_status_count(r, sscf->zone->cell);
    }

    slcf = ngx_http_get_module_loc_conf(r, ngx_http_duplex_status_module);

    if (slcf->zone) {
        ngx_http_duplex_status_count(r, slcf->zone->cell);
    }

    ngx_http_duplex_status_cache_count(r);

    return NGX_OK;
}


static void
ngx_http_duplex_status_count(ngx_http_request_t *r, ngx_duplex_cell_t *cell)
{
    ngx_duplex_count(cell, NGX_HTTP_DUPLEX_STATUS_REQUESTS, 1);
    ngx_duplex_count(cell, NGX_HTTP_DUPLEX_STATUS_RECEIVED, r->request_length);
    ngx_duplex_count(cell, NGX_HTTP_DUPLEX_STATUS_SENT, r->connection->sent);

    if (r->header_sent) {
        ngx_duplex_responses_count(cell, NGX_HTTP_DUPLEX_STATUS_RESPONSES,
                                   r->headers_out.status);

    } else {
        ngx_duplex_count(cell, NGX_HTTP_DUPLEX_STATUS_DISCARDED, 1);
    }
}


static void
ngx_http_duplex_status_render_server(ngx_duplex_json_t *json,
    ngx_duplex_sum_t *sum, ngx_str_t *name)
{
    int64_t  processing;

    processing = sum->count[NGX_HTTP_DUPLEX_STATUS_PROCESSING];
    processing = ngx_max(processing, 0);

    sum->count[NGX_HTTP_DUPLEX_STATUS_REQUESTS] += processing;

    ngx_duplex_json_integer(json, "processing", processing);

    ngx_http_duplex_status_render_location(json, sum, name);

    if (sum->count[NGX_HTTP_DUPLEX_STATUS_HANDSHAKES]) {
        ngx_duplex_json_object(json, "ssl");
        ngx_duplex_json_integer(json, "handshakes",
                               sum->count[NGX_HTTP_DUPLEX_STATUS_HANDSHAKES]);
        ngx_duplex_json_integer(json, "session_reuses",
                               sum->count[NGX_HTTP_DUPLEX_STATUS_REUSES]);
        ngx_duplex_json_object_end(json);
    }
}


static void
ngx_http_duplex_status_render_location(ngx_duplex_json_t *json,
    ngx_duplex_sum_t *sum, ngx_str_t *name)
{
    ngx_duplex_json_integer(json, "requests",
                            sum->count[NGX_HTTP_DUPLEX_STATUS_REQUESTS]);

    ngx_duplex_responses_render(json, NGX_HTTP_DUPLEX_STATUS_RESPONSES, sum);

    ngx_duplex_json_integer(json, "discarded",
                            sum->count[NGX_HTTP_DUPLEX_STATUS_DISCARDED]);
    ngx_duplex_json_integer(json, "received",
                            sum->count[NGX_HTTP_DUPLEX_STATUS_RECEIVED]);
    ngx_duplex_json_integer(json, "sent",
                            sum->count[NGX_HTTP_DUPLEX_STATUS_SENT]);
}


static ngx_int_t
ngx_http_duplex_status_preconfiguration(ngx_conf_t *cf)
{
    if (ngx_duplex_register_pages(cf, ngx_http_duplex_status_pages) != NGX_OK
        || ngx_duplex_register_pages(cf, ngx_http_duplex_status_cache_pages)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_duplex_register_feature(cf, &ngx_http_duplex_status_feature);
}


static ngx_int_t
ngx_http_duplex_status_postconfiguration(ngx_conf_t *cf)
{
    ngx_http_duplex_status_main_conf_t  *smcf;

    smcf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_duplex_status_module);

    if (ngx_duplex_counters_wanted(cf)
        && ngx_http_duplex_status_cache_find(cf, &smcf->caches) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (!ngx_duplex_counters_wanted(cf)
        && smcf->servers.nelts == 0
        && smcf->locations.nelts == 0)
    {
        return NGX_OK;
    }

    if (ngx_http_duplex_status_handler(cf, NGX_HTTP_POST_READ_PHASE,
                                       ngx_http_duplex_status_begin)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (smcf->servers.nelts + smcf->locations.nelts + smcf->caches.nelts == 0) {
        return NGX_OK;
    }

    return ngx_http_duplex_status_handler(cf, NGX_HTTP_LOG_PHASE,
                                          ngx_http_duplex_status_log);
}


static ngx_int_t
ngx_http_duplex_status_handler(ngx_conf_t *cf, ngx_uint_t phase,
    ngx_http_handler_pt handler)
{
    ngx_http_handler_pt        *h;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = ngx_array_push(&cmcf->phases[phase].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = handler;

    return NGX_OK;
}


static ngx_int_t
ngx_http_duplex_status_start(ngx_cycle_t *cycle)
{
    ngx_http_duplex_status_main_conf_t  *smcf;

    smcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_duplex_status_module);
    if (smcf == NULL) {
        return NGX_OK;
    }

    ngx_duplex_status_start(&ngx_http_duplex_status_servers, &smcf->servers);
    ngx_duplex_status_start(&ngx_http_duplex_status_locations,
                            &smcf->locations);
    ngx_http_duplex_status_cache_start(&smcf->caches);

    return NGX_OK;
}


static void *
ngx_http_duplex_status_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_duplex_status_main_conf_t  *smcf;

    smcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_duplex_status_main_conf_t));
    if (smcf == NULL) {
        return NULL;
    }

    if (ngx_array_init(&smcf->servers, cf->pool, 4, sizeof(void *)) != NGX_OK
        || ngx_array_init(&smcf->locations, cf->pool, 4, sizeof(void *))
           != NGX_OK
        || ngx_array_init(&smcf->caches, cf->pool, 4, sizeof(void *))
           != NGX_OK)
    {
        return NULL;
    }

    return smcf;
}


static void *
ngx_http_duplex_status_create_srv_conf(ngx_conf_t *cf)
{
    /* the zone is set by ngx_pcalloc(): NULL */

    return ngx_pcalloc(cf->pool, sizeof(ngx_http_duplex_status_srv_conf_t));
}


static void *
ngx_http_duplex_status_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_duplex_status_loc_conf_t  *slcf;

    slcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_duplex_status_loc_conf_t));
    if (slcf == NULL) {
        return NULL;
    }

    slcf->zone = NGX_CONF_UNSET_PTR;

    return slcf;
}


static char *
ngx_http_duplex_status_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child)
{
    ngx_http_duplex_status_loc_conf_t *prev = parent;
    ngx_http_duplex_status_loc_conf_t *conf = child;

    ngx_conf_merge_ptr_value(conf->zone, prev->zone, NULL);

    return NGX_CONF_OK;
}


static char *
ngx_http_duplex_status_set(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_duplex_status_loc_conf_t *slcf = conf;

    ngx_str_t                            *value;
    ngx_uint_t                            in_server;
    ngx_array_t                          *zones;
    ngx_duplex_status_zone_t            **zone;
    ngx_http_duplex_status_srv_conf_t    *sscf;
    ngx_http_duplex_status_main_conf_t   *smcf;

    value = cf->args->elts;

    smcf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_duplex_status_module);

    in_server = (cf->cmd_type == NGX_HTTP_SRV_CONF);

    if (in_server) {
        sscf = ngx_http_conf_get_module_srv_conf(cf,
                                                ngx_http_duplex_status_module);
        zone = &sscf->zone;
        zones = &smcf->servers;

        if (*zone) {
            return "is duplicate";
        }

    } else {
        zone = &slcf->zone;
        zones = &smcf->locations;

        if (*zone != NGX_CONF_UNSET_PTR) {
            return "is duplicate";
        }
    }

    if (!in_server && ngx_strcmp(value[1].data, "off") == 0) {
        *zone = NULL;
        return NGX_CONF_OK;
    }

    *zone = ngx_duplex_status_zone(cf, zones, &value[1]);

    return *zone ? NGX_CONF_OK : NGX_CONF_ERROR;
}
