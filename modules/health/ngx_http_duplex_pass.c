
/*
 * What a location passes requests on with.
 *
 * The directives are those of other modules, which stand behind this one:
 * each is handed on, and its parameter is kept.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "ngx_http_duplex_health.h"
#include "ngx_http_duplex_pass.h"


typedef struct {
    ngx_str_t                name;
    ngx_http_duplex_pass_e   type;
} ngx_http_duplex_pass_name_t;


static ngx_module_t *ngx_http_duplex_pass_owner(ngx_conf_t *cf,
    ngx_command_t *cmd, ngx_command_t **stock);


static ngx_http_duplex_pass_name_t  ngx_http_duplex_pass_names[] = {
    { ngx_string("proxy_pass"), ngx_http_duplex_pass_proxy },
    { ngx_string("grpc_pass"), ngx_http_duplex_pass_grpc },
    { ngx_string("fastcgi_pass"), ngx_http_duplex_pass_fastcgi },
    { ngx_string("uwsgi_pass"), ngx_http_duplex_pass_uwsgi },
    { ngx_string("scgi_pass"), ngx_http_duplex_pass_scgi },
    { ngx_string("memcached_pass"), ngx_http_duplex_pass_memcached }
};

#define NGX_HTTP_DUPLEX_PASS_NAMES                                            \
    (sizeof(ngx_http_duplex_pass_names) / sizeof(ngx_http_duplex_pass_name_t))


char *
ngx_http_duplex_pass(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char                     *rv;
    void                     *stock_conf;
    ngx_str_t                *value;
    ngx_uint_t                i;
    ngx_module_t             *module;
    ngx_command_t            *stock;
    ngx_http_duplex_pass_t   *pass;

    module = ngx_http_duplex_pass_owner(cf, cmd, &stock);

    if (module == NULL) {
        return "is not known to this nginx";
    }

    stock_conf = ((ngx_http_conf_ctx_t *) cf->ctx)->loc_conf[module->ctx_index];

    rv = stock->set(cf, stock, stock_conf);

    if (rv != NGX_CONF_OK) {
        return rv;
    }

    pass = (ngx_http_duplex_pass_t *) ((u_char *) conf + cmd->offset);

    for (i = 0; i < NGX_HTTP_DUPLEX_PASS_NAMES; i++) {

        if (ngx_strcmp(ngx_http_duplex_pass_names[i].name.data,
                       cmd->name.data)
            == 0)
        {
            pass->type = ngx_http_duplex_pass_names[i].type;
            break;
        }
    }

    /*
     * The first member of the configuration of a location is its
     * ngx_http_upstream_conf_t in each of these modules, in all versions so
     * far; it is all we use.
     */

    value = cf->args->elts;

    pass->target = value[1];
    pass->module = module;
    pass->upstream = stock_conf;

    return NGX_CONF_OK;
}


/* the next in line for the directive: another of ours, or stock */

static ngx_module_t *
ngx_http_duplex_pass_owner(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_command_t **stock)
{
    ngx_uint_t      i;
    ngx_module_t  **modules;

    modules = cf->cycle->modules;

    for (i = 0; modules[i] != &ngx_http_duplex_health_module; i++) {
        /* void */
    }

    for (i++; modules[i]; i++) {

        if (modules[i]->type != NGX_HTTP_MODULE
            || modules[i]->commands == NULL)
        {
            continue;
        }

        for (*stock = modules[i]->commands; (*stock)->name.len; (*stock)++) {

            if (ngx_strcmp((*stock)->name.data, cmd->name.data) == 0) {
                return modules[i];
            }
        }
    }

    return NULL;
}


ngx_uint_t
ngx_http_duplex_pass_varies(ngx_http_duplex_pass_t *pass)
{
    return pass->type != ngx_http_duplex_pass_none
           && ngx_http_script_variables_count(&pass->target) > 0;
}


ngx_int_t
ngx_http_duplex_pass_variable(ngx_http_duplex_pass_t *pass, ngx_str_t *name)
{
    u_char  *p, *last;

    p = pass->target.data;
    last = p + pass->target.len;

    /* behind "http://" and its like; without it at the beginning */

    while (p < last && *p != '$' && *p != '/') {
        p++;
    }

    if (last - p > 2 && p[0] == '/' && p[1] == '/') {
        p += 2;
    }

    if (p == last || *p++ != '$') {
        return NGX_DECLINED;
    }

    if (p < last && *p == '{') {
        name->data = ++p;
        last = ngx_strlchr(p, last, '}');

        if (last == NULL) {
            return NGX_DECLINED;
        }

        name->len = last - p;

    } else {
        name->data = p;

        while (p < last
               && ((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z')
                   || (*p >= '0' && *p <= '9') || *p == '_'))
        {
            p++;
        }

        name->len = p - name->data;
    }

    return name->len ? NGX_OK : NGX_DECLINED;
}
