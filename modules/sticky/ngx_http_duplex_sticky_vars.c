
/*
 * $sticky_status and $sticky_server: for logs, what became of a request.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "ngx_http_duplex_sticky.h"


static ngx_int_t ngx_http_duplex_sticky_status_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_duplex_sticky_server_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_duplex_sticky_text(ngx_http_variable_value_t *v,
    u_char *data, size_t len);


static ngx_http_variable_t  ngx_http_duplex_sticky_variables[] = {

    { ngx_string("sticky_status"), NULL,
      ngx_http_duplex_sticky_status_variable, 0, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("sticky_server"), NULL,
      ngx_http_duplex_sticky_server_variable, 0, NGX_HTTP_VAR_NOCACHEABLE, 0 },

      ngx_http_null_variable
};


ngx_int_t
ngx_http_duplex_sticky_add_variables(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var, *v;

    for (v = ngx_http_duplex_sticky_variables; v->name.len; v++) {

        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}


ngx_uint_t
ngx_http_duplex_sticky_names_servers(ngx_conf_t *cf)
{
    ngx_uint_t                  i;
    ngx_http_variable_t        *v;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_cycle_get_module_main_conf(cf->cycle,
                                               ngx_http_core_module);
    v = cmcf->variables.elts;

    for (i = 0; i < cmcf->variables.nelts; i++) {
        if (v[i].get_handler == ngx_http_duplex_sticky_server_variable) {
            return 1;
        }
    }

    return 0;
}


static ngx_int_t
ngx_http_duplex_sticky_status_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    const char                *word;
    ngx_http_duplex_sticky_t  *sticky;

    sticky = ngx_http_get_module_ctx(r, ngx_http_duplex_sticky_module);

    if (sticky == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    word = ngx_duplex_sticky_word(ngx_http_duplex_sticky_status(sticky));

    return ngx_http_duplex_sticky_text(v, (u_char *) word, ngx_strlen(word));
}


/* the peer may have gone since it served the request */

static ngx_int_t
ngx_http_duplex_sticky_server_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    u_char                    *p;
    ngx_duplex_peer_t         *peer;
    ngx_http_duplex_sticky_t  *sticky;

    sticky = ngx_http_get_module_ctx(r, ngx_http_duplex_sticky_module);

    peer = (sticky && sticky->served)
           ? ngx_duplex_peer_by_hash(sticky->conf->sticky.group,
                                     sticky->served)
           : NULL;

    if (peer == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    p = ngx_pstrdup(r->pool, &peer->server);
    if (p == NULL) {
        return NGX_ERROR;
    }

    return ngx_http_duplex_sticky_text(v, p, peer->server.len);
}


static ngx_int_t
ngx_http_duplex_sticky_text(ngx_http_variable_value_t *v, u_char *data,
    size_t len)
{
    v->data = data;
    v->len = len;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}
