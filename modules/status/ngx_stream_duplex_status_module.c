
/*
 * "status_zone" of stream{}: counters of servers, and the pages that show
 * them.  A session counts where it ends.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>
#include "../core/ngx_duplex_compat.h"
#include "../core/ngx_duplex_registry.h"
#include "ngx_stream_duplex_status.h"


/* counters of a server's cell */

enum {
    NGX_STREAM_DUPLEX_STATUS_PROCESSING = 0,    /* gauge */
    NGX_STREAM_DUPLEX_STATUS_CONNECTIONS = NGX_DUPLEX_GAUGES,
    NGX_STREAM_DUPLEX_STATUS_2XX,
    NGX_STREAM_DUPLEX_STATUS_4XX,
    NGX_STREAM_DUPLEX_STATUS_5XX,
    NGX_STREAM_DUPLEX_STATUS_DISCARDED,
    NGX_STREAM_DUPLEX_STATUS_RECEIVED,
    NGX_STREAM_DUPLEX_STATUS_SENT,
    NGX_STREAM_DUPLEX_STATUS_HANDSHAKES,
    NGX_STREAM_DUPLEX_STATUS_REUSES,
    NGX_STREAM_DUPLEX_STATUS_END
};


static ngx_int_t ngx_stream_duplex_status_begin(ngx_stream_session_t *s);
static void ngx_stream_duplex_status_end(void *data);
static ngx_int_t ngx_stream_duplex_status_log(ngx_stream_session_t *s);
static void ngx_stream_duplex_status_count(ngx_stream_session_t *s,
    ngx_duplex_cell_t *cell);
static void ngx_stream_duplex_status_render(ngx_duplex_json_t *json,
    ngx_duplex_sum_t *sum, ngx_str_t *name);

static ngx_int_t ngx_stream_duplex_status_preconfiguration(ngx_conf_t *cf);
static ngx_int_t ngx_stream_duplex_status_postconfiguration(ngx_conf_t *cf);
static ngx_int_t ngx_stream_duplex_status_start(ngx_cycle_t *cycle);
static void *ngx_stream_duplex_status_create_main_conf(ngx_conf_t *cf);
static void *ngx_stream_duplex_status_create_srv_conf(ngx_conf_t *cf);
static char *ngx_stream_duplex_status_set(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


static ngx_command_t  ngx_stream_duplex_status_commands[] = {

    { ngx_string("status_zone"),
      NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_stream_duplex_status_set,
      NGX_STREAM_SRV_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_stream_module_t  ngx_stream_duplex_status_module_ctx = {
    ngx_stream_duplex_status_preconfiguration,   /* preconfiguration */
    ngx_stream_duplex_status_postconfiguration,  /* postconfiguration */

    ngx_stream_duplex_status_create_main_conf,   /* create main conf */
    NULL,                                        /* init main conf */

    ngx_stream_duplex_status_create_srv_conf,    /* create server conf */
    NULL                                         /* merge server conf */
};


ngx_module_t  ngx_stream_duplex_status_module = {
    NGX_MODULE_V1,
    &ngx_stream_duplex_status_module_ctx,  /* module context */
    ngx_stream_duplex_status_commands,     /* module directives */
    NGX_STREAM_MODULE,                     /* module type */
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


static ngx_duplex_feature_t  ngx_stream_duplex_status_feature = {
    ngx_string("stream status"),
    NGX_DUPLEX_LAYER_FEATURE,
    ngx_stream_duplex_status_peer_bind,    /* bind */
    NULL,                                  /* commit */
    ngx_stream_duplex_status_start,        /* start */
    NULL,                                  /* take */
    NULL,                                  /* beat */
    NULL,                                  /* wake */
    NULL,                                  /* drop */
    NULL                                   /* stop */
};


static ngx_duplex_status_kind_t  ngx_stream_duplex_status_servers = {
    ngx_duplex_cell_stream_server,
    "ServerZoneNotFound", "server zone not found",
    NGX_DUPLEX_GAUGES, NGX_STREAM_DUPLEX_STATUS_END - NGX_DUPLEX_GAUGES,
    ngx_stream_duplex_status_render,
    NULL
};


static ngx_duplex_page_t  ngx_stream_duplex_status_pages[] = {

    { ngx_string("stream/server_zones"),
      ngx_duplex_status_all, NULL, NULL, NULL, NULL,
      1, &ngx_stream_duplex_status_servers },

    { ngx_string("stream/server_zones/*"),
      ngx_duplex_status_one, NULL, NULL, NULL, ngx_duplex_status_reset,
      0, &ngx_stream_duplex_status_servers },

      ngx_duplex_null_page
};


static ngx_int_t
ngx_stream_duplex_status_begin(ngx_stream_session_t *s)
{
    ngx_pool_cleanup_t                   *cln;
    ngx_stream_duplex_status_srv_conf_t  *sscf;

    sscf = ngx_stream_get_module_srv_conf(s, ngx_stream_duplex_status_module);

    if (sscf->zone == NULL || sscf->zone->cell == NULL) {
        return NGX_DECLINED;
    }

    cln = ngx_pool_cleanup_add(s->connection->pool, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    cln->handler = ngx_stream_duplex_status_end;
    cln->data = sscf->zone->cell;

    ngx_duplex_count(sscf->zone->cell, NGX_STREAM_DUPLEX_STATUS_PROCESSING, 1);
    ngx_duplex_count(sscf->zone->cell, NGX_STREAM_DUPLEX_STATUS_CONNECTIONS,
                     1);

    return NGX_DECLINED;
}


static void
ngx_stream_duplex_status_end(void *data)
{
    ngx_duplex_cell_t *cell = data;

    ngx_duplex_count(cell, NGX_STREAM_DUPLEX_STATUS_PROCESSING, -1);
}


static ngx_int_t
ngx_stream_duplex_status_log(ngx_stream_session_t *s)
{
    ngx_stream_duplex_status_srv_conf_t  *sscf;

    sscf = ngx_stream_get_module_srv_conf(s, ngx_stream_duplex_status_module);

    if (sscf->zone) {
        ngx_stream_duplex_status_count(s, sscf->zone->cell);
    }

    return NGX_OK;
}


static void
ngx_stream_duplex_status_count(ngx_stream_session_t *s,
    ngx_duplex_cell_t *cell)
{
    switch (s->status / 100) {

    case 2:
        ngx_duplex_count(cell, NGX_STREAM_DUPLEX_STATUS_2XX, 1);
        break;

    case 4:
        ngx_duplex_count(cell, NGX_STREAM_DUPLEX_STATUS_4XX, 1);
        break;

    case 5:
        ngx_duplex_count(cell, NGX_STREAM_DUPLEX_STATUS_5XX, 1);
        break;

    default:
        ngx_duplex_count(cell, NGX_STREAM_DUPLEX_STATUS_DISCARDED, 1);
    }

    ngx_duplex_count(cell, NGX_STREAM_DUPLEX_STATUS_RECEIVED, s->received);
    ngx_duplex_count(cell, NGX_STREAM_DUPLEX_STATUS_SENT, s->connection->sent);

#if (NGX_STREAM_SSL)

    if (s->connection->ssl && s->connection->ssl->handshaked) {

        ngx_duplex_count(cell, NGX_STREAM_DUPLEX_STATUS_HANDSHAKES, 1);

        if (SSL_session_reused(s->connection->ssl->connection)) {
            ngx_duplex_count(cell, NGX_STREAM_DUPLEX_STATUS_REUSES, 1);
        }
    }

#endif
}


static void
ngx_stream_duplex_status_render(ngx_duplex_json_t *json,
    ngx_duplex_sum_t *sum, ngx_str_t *name)
{
    int64_t    processing;
    uint64_t  *count;

    count = sum->count;

    processing = count[NGX_STREAM_DUPLEX_STATUS_PROCESSING];

    ngx_duplex_json_integer(json, "processing", ngx_max(processing, 0));
    ngx_duplex_json_integer(json, "connections",
                            count[NGX_STREAM_DUPLEX_STATUS_CONNECTIONS]);

    ngx_duplex_json_object(json, "sessions");
    ngx_duplex_json_integer(json, "2xx", count[NGX_STREAM_DUPLEX_STATUS_2XX]);
    ngx_duplex_json_integer(json, "4xx", count[NGX_STREAM_DUPLEX_STATUS_4XX]);
    ngx_duplex_json_integer(json, "5xx", count[NGX_STREAM_DUPLEX_STATUS_5XX]);
    ngx_duplex_json_integer(json, "total",
                            count[NGX_STREAM_DUPLEX_STATUS_2XX]
                            + count[NGX_STREAM_DUPLEX_STATUS_4XX]
                            + count[NGX_STREAM_DUPLEX_STATUS_5XX]);
    ngx_duplex_json_object_end(json);

    ngx_duplex_json_integer(json, "discarded",
                            count[NGX_STREAM_DUPLEX_STATUS_DISCARDED]);
    ngx_duplex_json_integer(json, "received",
                            count[NGX_STREAM_DUPLEX_STATUS_RECEIVED]);
    ngx_duplex_json_integer(json, "sent", count[NGX_STREAM_DUPLEX_STATUS_SENT]);

    if (count[NGX_STREAM_DUPLEX_STATUS_HANDSHAKES]) {
        ngx_duplex_json_object(json, "ssl");
        ngx_duplex_json_integer(json, "handshakes",
                                count[NGX_STREAM_DUPLEX_STATUS_HANDSHAKES]);
        ngx_duplex_json_integer(json, "session_reuses",
                                count[NGX_STREAM_DUPLEX_STATUS_REUSES]);
        ngx_duplex_json_object_end(json);
    }
}


static ngx_int_t
ngx_stream_duplex_status_preconfiguration(ngx_conf_t *cf)
{
    if (ngx_duplex_register_pages(cf, ngx_stream_duplex_status_pages) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_duplex_register_feature(cf, &ngx_stream_duplex_status_feature);
}


static ngx_int_t
ngx_stream_duplex_status_postconfiguration(ngx_conf_t *cf)
{
    ngx_stream_handler_pt                 *begin, *end;
    ngx_stream_core_main_conf_t           *cmcf;
    ngx_stream_duplex_status_main_conf_t  *smcf;

    smcf = ngx_stream_conf_get_module_main_conf(cf,
                                              ngx_stream_duplex_status_module);

    if (smcf->servers.nelts == 0) {
        return NGX_OK;
    }

    cmcf = ngx_stream_conf_get_module_main_conf(cf, ngx_stream_core_module);

    begin = ngx_array_push(
                  &cmcf->phases[NGX_STREAM_POST_ACCEPT_PHASE].handlers);
    end = ngx_array_push(&cmcf->phases[NGX_STREAM_LOG_PHASE].handlers);

    if (begin == NULL || end == NULL) {
        return NGX_ERROR;
    }

    *begin = ngx_stream_duplex_status_begin;
    *end = ngx_stream_duplex_status_log;

    return NGX_OK;
}


static ngx_int_t
ngx_stream_duplex_status_start(ngx_cycle_t *cycle)
{
    ngx_stream_duplex_status_main_conf_t  *smcf;

    smcf = ngx_stream_cycle_get_module_main_conf(cycle,
                                              ngx_stream_duplex_status_module);
    if (smcf) {
        ngx_duplex_status_start(&ngx_stream_duplex_status_servers,
                                &smcf->servers);
    }

    return NGX_OK;
}


static void *
ngx_stream_duplex_status_create_main_conf(ngx_conf_t *cf)
{
    ngx_stream_duplex_status_main_conf_t  *smcf;

    smcf = ngx_pcalloc(cf->pool, sizeof(ngx_stream_duplex_status_main_conf_t));
    if (smcf == NULL) {
        return NULL;
    }

    if (ngx_array_init(&smcf->servers, cf->pool, 4, sizeof(void *)) != NGX_OK)
    {
        return NULL;
    }

    return smcf;
}


static void *
ngx_stream_duplex_status_create_srv_conf(ngx_conf_t *cf)
{
    /* all of it is set by ngx_pcalloc(): NULL */

    return ngx_pcalloc(cf->pool, sizeof(ngx_stream_duplex_status_srv_conf_t));
}


static char *
ngx_stream_duplex_status_set(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_stream_duplex_status_srv_conf_t *sscf = conf;

    ngx_str_t                             *value;
    ngx_stream_duplex_status_main_conf_t  *smcf;

    if (sscf->zone) {
        return "is duplicate";
    }

    value = cf->args->elts;

    smcf = ngx_stream_conf_get_module_main_conf(cf,
                                              ngx_stream_duplex_status_module);

    sscf->zone = ngx_duplex_status_zone(cf, &smcf->servers, &value[1]);

    return sscf->zone ? NGX_CONF_OK : NGX_CONF_ERROR;
}
