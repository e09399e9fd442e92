
/*
 * What the probes of one check have in common: the location and its proxy
 * settings as a probe should see them, and the way into the balancer's place.
 *
 * Copies, made when the configuration is bound; the originals serve clients.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "ngx_http_duplex_grpc.h"
#include "ngx_http_duplex_health.h"
#include "ngx_http_duplex_probe.h"


static ngx_http_core_loc_conf_t *ngx_http_duplex_probe_location(
    ngx_conf_t *cf, ngx_http_core_loc_conf_t *clcf);
static ngx_http_upstream_conf_t *ngx_http_duplex_probe_upstream(
    ngx_conf_t *cf, ngx_http_duplex_check_t *check);
static void ngx_http_duplex_probe_variable(ngx_conf_t *cf,
    ngx_http_duplex_check_t *check);


ngx_int_t
ngx_http_duplex_probe_bind(ngx_conf_t *cf, ngx_http_duplex_check_t *check)
{
    u_char                             *p;
    ngx_http_core_loc_conf_t           *clcf;
    ngx_http_duplex_health_srv_conf_t  *hscf;

    clcf = ngx_http_duplex_probe_location(cf, check->clcf);
    check->upstream = ngx_http_duplex_probe_upstream(cf, check);

    if (clcf == NULL || check->upstream == NULL) {
        return NGX_ERROR;
    }

    check->loc_conf = clcf->loc_conf;

    p = ngx_strlchr(check->uri.data, check->uri.data + check->uri.len, '?');

    check->path = check->uri;

    if (p) {
        check->path.len = p - check->uri.data;
        check->args.data = p + 1;
        check->args.len = check->uri.len - check->path.len - 1;
    }

    /* an empty Host is a bad request to any server that speaks HTTP/1.1 */

    check->host = check->cscf->server_name.len ? check->cscf->server_name
                                               : check->us->host;

    check->deadline = check->upstream->connect_timeout
                      + check->upstream->send_timeout
                      + check->upstream->read_timeout;

    if (check->grpc) {
        check->body = NGX_HTTP_DUPLEX_GRPC_BODY;

    } else if (check->match && check->match->body) {
        check->body = NGX_HTTP_DUPLEX_CLIENT_BODY;
    }

    ngx_http_duplex_probe_variable(cf, check);

    hscf = ngx_http_conf_upstream_srv_conf(check->us,
                                           ngx_http_duplex_health_module);

    if (check->us->peer.init != ngx_http_duplex_probe_init_peer) {
        hscf->init = check->us->peer.init;
        check->us->peer.init = ngx_http_duplex_probe_init_peer;
    }

    return NGX_OK;
}


/* the location as a probe sees it: what cares for clients is off */

static ngx_http_core_loc_conf_t *
ngx_http_duplex_probe_location(ngx_conf_t *cf, ngx_http_core_loc_conf_t *clcf)
{
    void                      **loc_conf;
    ngx_http_core_loc_conf_t   *copy;

    loc_conf = ngx_palloc(cf->pool, ngx_http_max_module * sizeof(void *));
    copy = ngx_palloc(cf->pool, sizeof(ngx_http_core_loc_conf_t));

    if (loc_conf == NULL || copy == NULL) {
        return NULL;
    }

    ngx_memcpy(loc_conf, clcf->loc_conf, ngx_http_max_module * sizeof(void *));

    *copy = *clcf;

    copy->loc_conf = loc_conf;
    copy->error_pages = NULL;
    copy->tcp_nodelay = 0;
    copy->send_lowat = 0;
    copy->keepalive_timeout = 0;
    copy->lingering_close = NGX_HTTP_LINGERING_OFF;

    ngx_str_null(&copy->post_action);

    loc_conf[ngx_http_core_module.ctx_index] = copy;

    return copy;
}


/* the same for the settings of the pass: one server, one answer */

static ngx_http_upstream_conf_t *
ngx_http_duplex_probe_upstream(ngx_conf_t *cf, ngx_http_duplex_check_t *check)
{
    ngx_http_upstream_conf_t  *copy;

    copy = ngx_palloc(cf->pool, sizeof(ngx_http_upstream_conf_t));
    if (copy == NULL) {
        return NULL;
    }

    *copy = *check->pass->upstream;

    copy->upstream = check->us;

    /* a kept connection may have ended meanwhile: then once more, anew */

    copy->next_upstream = NGX_HTTP_UPSTREAM_FT_ERROR
                          |NGX_HTTP_UPSTREAM_FT_NON_IDEMPOTENT;
    copy->next_upstream_timeout = 0;
    copy->next_upstream_tries = 0;

    copy->intercept_errors = 0;
    copy->intercept_404 = 0;
    copy->limit_rate = 0;
    copy->max_temp_file_size = 0;
    copy->store = 0;

    copy->ignore_headers |= NGX_HTTP_UPSTREAM_IGN_XA_REDIRECT
                            |NGX_HTTP_UPSTREAM_IGN_XA_EXPIRES
                            |NGX_HTTP_UPSTREAM_IGN_XA_LIMIT_RATE
                            |NGX_HTTP_UPSTREAM_IGN_XA_BUFFERING
                            |NGX_HTTP_UPSTREAM_IGN_XA_CHARSET;

#if (NGX_HTTP_CACHE)
    copy->cache = 0;
#endif

#if (NGX_HTTP_SSL)
    /* each probe shows that a full handshake works */
    copy->ssl_session_reuse = 0;
#endif

    return copy;
}


/*
 * The variable that names the group has this group's name in a probe, even if
 * "set" makes it for clients; the key of memcached is the URI.
 */

static void
ngx_http_duplex_probe_variable(ngx_conf_t *cf, ngx_http_duplex_check_t *check)
{
    ngx_str_t                   name;
    ngx_uint_t                  i;
    ngx_http_variable_t        *v;
    ngx_http_core_main_conf_t  *cmcf;

    check->variable = NGX_ERROR;

    if (check->pass->type == ngx_http_duplex_pass_memcached) {
        ngx_str_set(&name, "memcached_key");
        check->value = check->uri;

    } else if (ngx_http_duplex_pass_variable(check->pass, &name) == NGX_OK) {
        check->value = check->us->host;

    } else {
        return;
    }

    cmcf = check->cscf->ctx->main_conf[ngx_http_core_module.ctx_index];
    v = cmcf->variables.elts;

    for (i = 0; i < cmcf->variables.nelts; i++) {

        if (v[i].name.len == name.len
            && ngx_strncasecmp(v[i].name.data, name.data, name.len) == 0)
        {
            check->variable = i;
            return;
        }
    }
}
