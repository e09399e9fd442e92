
/*
 * "queue" in upstream{}: the directive, "$upstream_queue_time", and whether
 * a server is free.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "../core/ngx_duplex_param.h"
#include "ngx_http_duplex_queue.h"
#include "ngx_http_duplex_upstream_conf.h"


static ngx_uint_t ngx_http_duplex_queue_is_free(ngx_duplex_queue_t *queue);
static ngx_uint_t ngx_http_duplex_queue_list_is_free(
    ngx_http_upstream_rr_peers_t *peers);
static ngx_int_t ngx_http_duplex_queue_time(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);


static ngx_duplex_param_t  ngx_http_duplex_queue_params[] = {

    { ngx_string("timeout"), 0, ngx_duplex_param_msec,
      offsetof(ngx_duplex_queue_t, timeout) },

      ngx_duplex_null_param
};


static ngx_http_variable_t  ngx_http_duplex_queue_variable = {
    ngx_string("upstream_queue_time"), NULL, ngx_http_duplex_queue_time, 0,
    NGX_HTTP_VAR_NOCACHEABLE, 0
};


char *
ngx_http_duplex_queue(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_duplex_upstream_srv_conf_t  *uscf = conf;

    ngx_int_t                      n;
    ngx_str_t                     *value;
    ngx_http_upstream_srv_conf_t  *us;

    if (uscf->queue) {
        return "is duplicate";
    }

    value = cf->args->elts;

    n = ngx_atoi(value[1].data, value[1].len);

    if (n == NGX_ERROR || n == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\" in \"queue\" directive: "
                           "must be a number above 0", &value[1]);
        return NGX_CONF_ERROR;
    }

    us = ngx_http_conf_get_module_srv_conf(cf, ngx_http_upstream_module);

    uscf->queue = ngx_duplex_queue_add(cf, &us->host, us);
    if (uscf->queue == NULL) {
        return NGX_CONF_ERROR;
    }

    uscf->queue->max = n;
    uscf->queue->timeout = 60000;
    uscf->queue->serve = ngx_http_duplex_queue_serve;
    uscf->queue->is_free = ngx_http_duplex_queue_is_free;

    if (ngx_duplex_param_parse(cf, ngx_http_duplex_queue_params, 2,
                               uscf->queue)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


ngx_int_t
ngx_http_duplex_queue_register(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var;

    var = ngx_http_add_variable(cf, &ngx_http_duplex_queue_variable.name,
                                ngx_http_duplex_queue_variable.flags);
    if (var == NULL) {
        return NGX_ERROR;
    }

    var->get_handler = ngx_http_duplex_queue_variable.get_handler;

    return ngx_duplex_queue_register(cf);
}


/* 1 if a server could be selected, or if only the balancer knows */

static ngx_uint_t
ngx_http_duplex_queue_is_free(ngx_duplex_queue_t *queue)
{
    ngx_http_upstream_rr_peers_t  *peers;
    ngx_http_upstream_srv_conf_t  *us;

    us = queue->conf;

    if (!queue->stock) {
        return 1;
    }

    for (peers = us->peer.data; peers; peers = peers->next) {
        if (ngx_http_duplex_queue_list_is_free(peers)) {
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
ngx_http_duplex_queue_list_is_free(ngx_http_upstream_rr_peers_t *peers)
{
    ngx_http_upstream_rr_peer_t  *rr;

    ngx_http_upstream_rr_peers_rlock(peers);

    for (rr = peers->peer; rr; rr = rr->next) {

        if (rr->down
            || (rr->max_conns && rr->conns >= rr->max_conns)
            || (!peers->single
                && ngx_duplex_peer_quarantined(rr->max_fails, rr->fails,
                                               rr->checked,
                                               rr->fail_timeout)))
        {
            continue;
        }

        break;
    }

    ngx_http_upstream_rr_peers_unlock(peers);

    return rr != NULL;
}


/* "0.123", "0.000" if it did not wait, nothing without a queue */

static ngx_int_t
ngx_http_duplex_queue_time(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    u_char      *p;
    ngx_msec_t   ms;

    if (ngx_http_duplex_queue_waited(r, &ms) != NGX_OK) {
        v->not_found = 1;
        return NGX_OK;
    }

    p = ngx_pnalloc(r->pool, NGX_TIME_T_LEN + 4);
    if (p == NULL) {
        return NGX_ERROR;
    }

    v->data = p;
    v->len = ngx_sprintf(p, "%T.%03M", (time_t) ms / 1000, ms % 1000) - p;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}
