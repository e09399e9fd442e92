
/*
 * "keyval_zone" and "keyval" of http{}: a variable that is looked up in a
 * key-value zone, and that writes to it when it is set.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "../core/ngx_duplex_compat.h"
#include "ngx_duplex_keyval.h"
#include "ngx_duplex_keyval_page.h"


typedef struct {
    ngx_http_complex_value_t   key;
    ngx_duplex_keyval_t      *keyval;
} ngx_http_duplex_keyval_variable_t;


static ngx_int_t ngx_http_duplex_keyval_get(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static void ngx_http_duplex_keyval_set(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_duplex_keyval_preconfiguration(ngx_conf_t *cf);
static char *ngx_http_duplex_keyval_zone(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_duplex_keyval(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


static ngx_command_t  ngx_http_duplex_keyval_commands[] = {

    { ngx_string("keyval_zone"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_duplex_keyval_zone,
      0,
      0,
      NULL },

    { ngx_string("keyval"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE3,
      ngx_http_duplex_keyval,
      0,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_duplex_keyval_module_ctx = {
    ngx_http_duplex_keyval_preconfiguration, /* preconfiguration */
    NULL,                                  /* postconfiguration */

    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    NULL,                                  /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_http_duplex_keyval_module = {
    NGX_MODULE_V1,
    &ngx_http_duplex_keyval_module_ctx,     /* module context */
    ngx_http_duplex_keyval_commands,        /* module directives */
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


static ngx_int_t
ngx_http_duplex_keyval_get(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data)
{
    ngx_http_duplex_keyval_variable_t *variable =
                                  (ngx_http_duplex_keyval_variable_t *) data;

    u_char     buf[NGX_DUPLEX_RECORD_MAX];
    ngx_str_t  key, value;

    if (ngx_http_complex_value(r, &variable->key, &key) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_duplex_keyval_search(variable->keyval, &key, &value, buf)
        != NGX_OK)
    {
        v->not_found = 1;
        return NGX_OK;
    }

    v->data = ngx_pstrdup(r->pool, &value);
    if (v->data == NULL) {
        return NGX_ERROR;
    }

    v->len = value.len;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}


/* what cannot be written is logged by the store; the session goes on */

static void
ngx_http_duplex_keyval_set(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data)
{
    ngx_http_duplex_keyval_variable_t *variable =
                                  (ngx_http_duplex_keyval_variable_t *) data;

    u_char     text[NGX_DUPLEX_KEYVAL_TEXT];
    ngx_str_t  key, canonical, value;

    if (ngx_http_complex_value(r, &variable->key, &key) != NGX_OK) {
        return;
    }

    value.data = v->data;
    value.len = v->len;

    if (ngx_duplex_keyval_key(variable->keyval, &key, &canonical, text)
        != NGX_OK
        || ngx_duplex_keyval_put(variable->keyval, &canonical, &value, 0)
           != NGX_OK)
    {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "key \"%V\" could not be set in keyval zone \"%V\"",
                      &key, &variable->keyval->name);
    }
}


static ngx_int_t
ngx_http_duplex_keyval_preconfiguration(ngx_conf_t *cf)
{
    if (ngx_duplex_keyval_register(cf) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_duplex_register_pages(cf, ngx_duplex_keyval_http_pages);
}


static char *
ngx_http_duplex_keyval_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    return ngx_duplex_keyval_declare(cf, "http");
}


static char *
ngx_http_duplex_keyval(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t                          *value, name;
    ngx_http_variable_t                *v;
    ngx_http_duplex_keyval_variable_t  *variable;
    ngx_http_compile_complex_value_t    ccv;

    value = cf->args->elts;

    if (value[2].len < 2 || value[2].data[0] != '$') {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid variable name \"%V\"", &value[2]);
        return NGX_CONF_ERROR;
    }

    variable = ngx_pcalloc(cf->pool, sizeof(ngx_http_duplex_keyval_variable_t));
    if (variable == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = &value[1];
    ccv.complex_value = &variable->key;

    if (ngx_http_compile_complex_value(&ccv) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    variable->keyval = ngx_duplex_keyval_use(cf, "http", &value[3]);
    if (variable->keyval == NULL) {
        return NGX_CONF_ERROR;
    }

    name.data = value[2].data + 1;
    name.len = value[2].len - 1;

    v = ngx_http_add_variable(cf, &name, NGX_HTTP_VAR_CHANGEABLE);
    if (v == NULL) {
        return NGX_CONF_ERROR;
    }

    if (v->get_handler) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "variable \"%V\" is already defined", &value[2]);
        return NGX_CONF_ERROR;
    }

    v->get_handler = ngx_http_duplex_keyval_get;
    v->set_handler = ngx_http_duplex_keyval_set;
    v->data = (uintptr_t) variable;

    return NGX_CONF_OK;
}
