
/*
 * The directives of synchronisation, and the stream server that accepts
 * links:
 *
 *     server {
 *         listen 10.0.0.11:9000;
 *         zone_sync;
 *         zone_sync_server 10.0.0.11:9000;
 *         zone_sync_server 10.0.0.12:9000;
 *     }
 *
 * Directives record; everything else is in the neutral files, which know
 * connections but neither sessions nor servers.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>
#include "../core/ngx_duplex_compat.h"
#include "../core/ngx_duplex_readiness.h"
#include "../core/ngx_duplex_journal.h"
#include "../core/ngx_duplex_registry.h"
#include "ngx_duplex_applied.h"
#include "ngx_duplex_digest.h"
#include "ngx_duplex_frame.h"
#include "ngx_duplex_nodes.h"
#include "ngx_duplex_ready.h"
#include "ngx_duplex_receiver.h"
#include "ngx_duplex_senders.h"
#include "ngx_duplex_skew.h"
#include "ngx_duplex_sync.h"
#include "ngx_duplex_sync_metrics.h"
#include "ngx_duplex_sync_view.h"
#include "ngx_stream_duplex_sync_conf.h"


/* two of the largest frames */
#define NGX_STREAM_DUPLEX_SYNC_OUT_MIN      (2 * 65536)

/* heartbeats come every 250 ms, and some of them late */
#define NGX_STREAM_DUPLEX_SYNC_TIMEOUT_MIN  500


NGX_DUPLEX_NEEDS_CORE;


typedef struct {
    ngx_stream_duplex_sync_srv_conf_t  *server; /* NULL: no zone_sync */
    ngx_stream_core_srv_conf_t         *core;   /* of the same server */
    ngx_duplex_sync_conf_t              conf;
} ngx_stream_duplex_sync_main_conf_t;


static void ngx_stream_duplex_sync_handler(ngx_stream_session_t *s);
static void ngx_stream_duplex_sync_done(ngx_connection_t *c);
static char *ngx_stream_duplex_sync(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static ngx_int_t ngx_stream_duplex_sync_preconfiguration(ngx_conf_t *cf);
static ngx_int_t ngx_stream_duplex_sync_bind(ngx_conf_t *cf);
static void ngx_stream_duplex_sync_commit(ngx_cycle_t *cycle);
static void *ngx_stream_duplex_sync_create_main_conf(ngx_conf_t *cf);
static void *ngx_stream_duplex_sync_create_srv_conf(ngx_conf_t *cf);
static char *ngx_stream_duplex_sync_merge_srv_conf(ngx_conf_t *cf,
    void *parent, void *child);


static ngx_conf_bitmask_t  ngx_stream_duplex_sync_ssl_protocols[] = {
    { ngx_string("SSLv2"), NGX_SSL_SSLv2 },
    { ngx_string("SSLv3"), NGX_SSL_SSLv3 },
    { ngx_string("TLSv1"), NGX_SSL_TLSv1 },
    { ngx_string("TLSv1.1"), NGX_SSL_TLSv1_1 },
    { ngx_string("TLSv1.2"), NGX_SSL_TLSv1_2 },
    { ngx_string("TLSv1.3"), NGX_SSL_TLSv1_3 },
    { ngx_null_string, 0 }
};


static ngx_command_t  ngx_stream_duplex_sync_commands[] = {

    { ngx_string("zone_sync"),
      NGX_STREAM_SRV_CONF|NGX_CONF_NOARGS,
      ngx_stream_duplex_sync,
      NGX_STREAM_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("zone_sync_server"),
      NGX_STREAM_SRV_CONF|NGX_CONF_TAKE12,
      ngx_stream_duplex_sync_server,
      NGX_STREAM_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("zone_sync_connect_timeout"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_stream_duplex_sync_msec,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_duplex_sync_srv_conf_t, connect_timeout),
      NULL },

    { ngx_string("zone_sync_connect_retry_interval"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_stream_duplex_sync_msec,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_duplex_sync_srv_conf_t, retry_interval),
      NULL },

    { ngx_string("zone_sync_timeout"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_stream_duplex_sync_msec,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_duplex_sync_srv_conf_t, timeout),
      NULL },

    { ngx_string("zone_sync_interval"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_stream_duplex_sync_msec,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_duplex_sync_srv_conf_t, interval),
      NULL },

    { ngx_string("zone_sync_buffers"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_TAKE2,
      ngx_stream_duplex_sync_buffers,
      NGX_STREAM_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("zone_sync_recv_buffer_size"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_stream_duplex_sync_size,
      NGX_STREAM_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("duplex_witness"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_1MORE,
      ngx_stream_duplex_sync_witness,
      NGX_STREAM_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("duplex_ready_timeout"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_stream_duplex_sync_msec,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_duplex_sync_srv_conf_t, ready_timeout),
      NULL },

    { ngx_string("zone_sync_secret"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_duplex_sync_srv_conf_t, secret),
      NULL },

    { ngx_string("zone_sync_require_auth"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_duplex_sync_srv_conf_t, require_auth),
      NULL },

    { ngx_string("zone_sync_ssl"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_duplex_sync_srv_conf_t, ssl.enable),
      NULL },

    { ngx_string("zone_sync_ssl_certificate"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_duplex_sync_srv_conf_t, ssl.certificate),
      NULL },

    { ngx_string("zone_sync_ssl_certificate_key"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_duplex_sync_srv_conf_t, ssl.certificate_key),
      NULL },

    { ngx_string("zone_sync_ssl_password_file"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_stream_duplex_sync_ssl_password_file,
      NGX_STREAM_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("zone_sync_ssl_ciphers"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_duplex_sync_srv_conf_t, ssl.ciphers),
      NULL },

    { ngx_string("zone_sync_ssl_protocols"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_1MORE,
      ngx_conf_set_bitmask_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_duplex_sync_srv_conf_t, ssl.protocols),
      &ngx_stream_duplex_sync_ssl_protocols },

    { ngx_string("zone_sync_ssl_conf_command"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_TAKE2,
      ngx_conf_set_keyval_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_duplex_sync_srv_conf_t, ssl.commands),
      NULL },

    { ngx_string("zone_sync_ssl_verify"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_duplex_sync_srv_conf_t, ssl.verify),
      NULL },

    { ngx_string("zone_sync_ssl_verify_depth"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_duplex_sync_srv_conf_t, ssl.verify_depth),
      NULL },

    { ngx_string("zone_sync_ssl_trusted_certificate"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_duplex_sync_srv_conf_t, ssl.trusted_certificate),
      NULL },

    { ngx_string("zone_sync_ssl_crl"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_duplex_sync_srv_conf_t, ssl.crl),
      NULL },

    { ngx_string("zone_sync_ssl_name"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_duplex_sync_srv_conf_t, ssl.name),
      NULL },

    { ngx_string("zone_sync_ssl_server_name"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_duplex_sync_srv_conf_t, ssl.server_name),
      NULL },

      ngx_null_command
};


static ngx_stream_module_t  ngx_stream_duplex_sync_module_ctx = {
    ngx_stream_duplex_sync_preconfiguration,   /* preconfiguration */
    NULL,                                      /* postconfiguration */

    ngx_stream_duplex_sync_create_main_conf,   /* create main configuration */
    NULL,                                      /* init main configuration */

    ngx_stream_duplex_sync_create_srv_conf,    /* create server configuration */
    ngx_stream_duplex_sync_merge_srv_conf      /* merge server configuration */
};


ngx_module_t  ngx_stream_duplex_sync_module = {
    NGX_MODULE_V1,
    &ngx_stream_duplex_sync_module_ctx,        /* module context */
    ngx_stream_duplex_sync_commands,           /* module directives */
    NGX_STREAM_MODULE,                         /* module type */
    NULL,                                      /* init master */
    NULL,                                      /* init module */
    NULL,                                      /* init process */
    NULL,                                      /* init thread */
    NULL,                                      /* exit thread */
    NULL,                                      /* exit process */
    NULL,                                      /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_duplex_feature_t  ngx_stream_duplex_sync_feature = {
    ngx_string("stream sync"),
    NGX_DUPLEX_LAYER_SYNC,
    ngx_stream_duplex_sync_bind,
    ngx_stream_duplex_sync_commit,
    ngx_duplex_sync_start,
    ngx_duplex_sync_take,
    ngx_duplex_sync_beat,
    ngx_duplex_senders_wake,
    ngx_duplex_sync_drop,
    ngx_duplex_sync_stop
};


static ngx_duplex_view_t  ngx_stream_duplex_sync_views[] = {
    { ngx_string("stream/zone_sync"), ngx_duplex_sync_view_render },
    { ngx_string("duplex/nodes"), ngx_duplex_sync_view_render_nodes },
    { ngx_string("duplex/digests"), ngx_duplex_digest_render },
    { ngx_string("duplex/skew"), ngx_duplex_skew_render },
    { ngx_string("duplex/ready"), ngx_duplex_ready_render }
};


static ngx_duplex_readiness_t  ngx_stream_duplex_sync_readiness = {
    ngx_duplex_ready,
    ngx_duplex_live,
    ngx_duplex_ready_take_out
};


static void
ngx_stream_duplex_sync_handler(ngx_stream_session_t *s)
{
    ngx_int_t          rc;
    ngx_connection_t  *c;

    c = s->connection;

    c->log->action = "synchronising";

    rc = ngx_duplex_receiver_accept(c, c->buffer, ngx_stream_duplex_sync_done);

    if (rc != NGX_OK) {
        ngx_stream_finalize_session(s, rc == NGX_DECLINED
                                       ? NGX_STREAM_FORBIDDEN
                                       : NGX_STREAM_INTERNAL_SERVER_ERROR);
    }
}


static void
ngx_stream_duplex_sync_done(ngx_connection_t *c)
{
    ngx_stream_finalize_session(c->data, NGX_STREAM_OK);
}


static char *
ngx_stream_duplex_sync(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_stream_duplex_sync_srv_conf_t  *sscf = conf;

    ngx_stream_core_srv_conf_t          *cscf;
    ngx_stream_duplex_sync_main_conf_t  *smcf;

    if (sscf->enable) {
        return "is duplicate";
    }

    smcf = ngx_stream_conf_get_module_main_conf(cf,
                                                ngx_stream_duplex_sync_module);

    if (smcf->server) {
        return "is allowed in one server only";
    }

    cscf = ngx_stream_conf_get_module_srv_conf(cf, ngx_stream_core_module);

    if (cscf->handler) {
        return "conflicts with another directive that serves connections";
    }

    cscf->handler = ngx_stream_duplex_sync_handler;

    sscf->enable = 1;
    smcf->server = sscf;
    smcf->core = cscf;

    ngx_duplex_need_store(cf);
    ngx_duplex_journal_want(cf);

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_stream_duplex_sync_preconfiguration(ngx_conf_t *cf)
{
    ngx_uint_t  i;

    for (i = 0; i < sizeof(ngx_stream_duplex_sync_views)
                    / sizeof(ngx_duplex_view_t); i++)
    {
        if (ngx_duplex_register_view(cf, &ngx_stream_duplex_sync_views[i])
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    if (ngx_duplex_register_service(cf, NGX_DUPLEX_READINESS,
                                    &ngx_stream_duplex_sync_readiness)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ngx_duplex_register_service(cf, NGX_DUPLEX_ACKED,
                                    &ngx_duplex_applied_service)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ngx_duplex_register_kind(cf, &ngx_duplex_skew_kind) != NGX_OK
        || ngx_duplex_register_kind(cf, &ngx_duplex_seen_kind) != NGX_OK
        || ngx_duplex_register_metrics(cf, ngx_duplex_sync_metrics) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_duplex_register_feature(cf, &ngx_stream_duplex_sync_feature);
}


static ngx_int_t
ngx_stream_duplex_sync_bind(ngx_conf_t *cf)
{
    ngx_stream_duplex_sync_main_conf_t  *smcf;

    smcf = ngx_stream_cycle_get_module_main_conf(cf->cycle,
                                                 ngx_stream_duplex_sync_module);

    if (smcf == NULL || smcf->server == NULL) {
        return NGX_OK;
    }

    if (ngx_stream_duplex_sync_check_listen(cf, smcf->core, smcf->server)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    smcf->conf.outlook = ngx_duplex_find_service(cf, NGX_DUPLEX_OUTLOOK);

    return ngx_duplex_nodes_add(cf);
}


static void
ngx_stream_duplex_sync_commit(ngx_cycle_t *cycle)
{
    ngx_stream_duplex_sync_main_conf_t  *smcf;

    smcf = ngx_stream_cycle_get_module_main_conf(cycle,
                                                 ngx_stream_duplex_sync_module);

    ngx_duplex_sync_commit(cycle, smcf && smcf->server ? &smcf->conf : NULL);
}


static void *
ngx_stream_duplex_sync_create_main_conf(ngx_conf_t *cf)
{
    return ngx_pcalloc(cf->pool, sizeof(ngx_stream_duplex_sync_main_conf_t));
}


static void *
ngx_stream_duplex_sync_create_srv_conf(ngx_conf_t *cf)
{
    ngx_stream_duplex_sync_srv_conf_t  *sscf;

    sscf = ngx_pcalloc(cf->pool, sizeof(ngx_stream_duplex_sync_srv_conf_t));
    if (sscf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     sscf->enable = 0;
     *     sscf->listed = NULL;
     *     sscf->buffers = { 0, 0 };
     *     sscf->secret = { 0, NULL };
     */

    sscf->connect_timeout = NGX_CONF_UNSET_MSEC;
    sscf->retry_interval = NGX_CONF_UNSET_MSEC;
    sscf->timeout = NGX_CONF_UNSET_MSEC;
    sscf->interval = NGX_CONF_UNSET_MSEC;
    sscf->recv_buffer_size = NGX_CONF_UNSET_SIZE;
    sscf->require_auth = NGX_CONF_UNSET;
    sscf->witnesses = NGX_CONF_UNSET_PTR;
    sscf->ready_timeout = NGX_CONF_UNSET_MSEC;

    ngx_stream_duplex_sync_ssl_unset(&sscf->ssl);

    return sscf;
}


static char *
ngx_stream_duplex_sync_merge_srv_conf(ngx_conf_t *cf, void *parent,
    void *child)
{
    ngx_stream_duplex_sync_srv_conf_t  *prev = parent;
    ngx_stream_duplex_sync_srv_conf_t  *conf = child;

    ngx_duplex_sync_conf_t              *sync;
    ngx_stream_core_srv_conf_t          *cscf;
    ngx_stream_duplex_sync_main_conf_t  *smcf;

    ngx_conf_merge_msec_value(conf->connect_timeout, prev->connect_timeout,
                              250);
    ngx_conf_merge_msec_value(conf->retry_interval, prev->retry_interval, 250);
    ngx_conf_merge_msec_value(conf->timeout, prev->timeout, 1000);
    ngx_conf_merge_msec_value(conf->interval, prev->interval, 1000);
    ngx_conf_merge_bufs_value(conf->buffers, prev->buffers, 8, 16384);
    ngx_conf_merge_size_value(conf->recv_buffer_size, prev->recv_buffer_size,
                              2 * 65536);

    ngx_conf_merge_ptr_value(conf->witnesses, prev->witnesses, NULL);
    ngx_conf_merge_msec_value(conf->ready_timeout, prev->ready_timeout, 30000);
    ngx_conf_merge_str_value(conf->secret, prev->secret, "");
    ngx_conf_merge_value(conf->require_auth, prev->require_auth, 0);

    ngx_stream_duplex_sync_ssl_merge(&prev->ssl, &conf->ssl);

    if (!conf->enable) {

        if (conf->listed || conf->resolve) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"zone_sync_server\" without \"zone_sync\" "
                               "in the same server");
            return NGX_CONF_ERROR;
        }

        return NGX_CONF_OK;
    }

    /* stock proxy_pass and return take the server over without a word */

    cscf = ngx_stream_conf_get_module_srv_conf(cf, ngx_stream_core_module);

    if (cscf->handler != ngx_stream_duplex_sync_handler) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"zone_sync\" conflicts with another directive that "
                      "serves connections in %s:%ui",
                      cscf->file_name, cscf->line);
        return NGX_CONF_ERROR;
    }

    smcf = ngx_stream_conf_get_module_main_conf(cf,
                                                ngx_stream_duplex_sync_module);
    sync = &smcf->conf;

    if (conf->listed) {
        sync->listed = *conf->listed;
    }

    if (conf->resolve
        && ngx_stream_duplex_sync_resolver(cf, cscf, conf->resolve) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    sync->resolve = conf->resolve;

    sync->connect_timeout = conf->connect_timeout;
    sync->retry_interval = conf->retry_interval;
    sync->timeout = ngx_max(conf->timeout, NGX_STREAM_DUPLEX_SYNC_TIMEOUT_MIN);
    sync->ready_timeout = conf->ready_timeout;

    if (conf->witnesses) {
        sync->witnesses = *conf->witnesses;
    }

    sync->out_size = ngx_max(conf->buffers.num * conf->buffers.size,
                             NGX_STREAM_DUPLEX_SYNC_OUT_MIN);
    sync->in_size = ngx_max(conf->recv_buffer_size, NGX_DUPLEX_FRAME_MAX_SIZE);

    if (conf->secret.len) {

        sync->secret = ngx_pcalloc(cf->pool, sizeof(ngx_duplex_secret_t));

        if (sync->secret == NULL
            || ngx_duplex_secret_read(cf, &conf->secret, sync->secret)
               != NGX_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    if (ngx_stream_duplex_sync_ssl_create(cf, &conf->ssl, &sync->tls)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}
