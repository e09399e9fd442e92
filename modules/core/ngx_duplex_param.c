
/*
 * "name=value" parameters of a directive, by a table.
 *
 * Runs while the configuration is parsed and keeps nothing: the values go
 * into the caller's structure.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_param.h"


static ngx_duplex_param_t *ngx_duplex_param_find(ngx_duplex_param_t *table,
    ngx_str_t *arg, ngx_str_t *value);


ngx_int_t
ngx_duplex_param_parse(ngx_conf_t *cf, ngx_duplex_param_t *table,
    ngx_uint_t first, void *conf)
{
    uint64_t             seen, bit;
    ngx_str_t           *args, value;
    ngx_uint_t           i;
    const char          *reason;
    ngx_duplex_param_t  *param;

    args = cf->args->elts;
    seen = 0;

    for (i = first; i < cf->args->nelts; i++) {

        param = ngx_duplex_param_find(table, &args[i], &value);

        if (param == NULL) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\"", &args[i]);
            return NGX_ERROR;
        }

        bit = (uint64_t) 1 << (param - table);

        if ((seen & bit) && !(param->flags & NGX_DUPLEX_PARAM_MANY)) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "duplicate \"%V\" parameter", &param->name);
            return NGX_ERROR;
        }

        seen |= bit;

        reason = param->set(cf, param, &value, conf);

        if (reason == NULL) {
            continue;
        }

        if (reason != NGX_CONF_ERROR) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid value \"%V\" of \"%V\" parameter: %s",
                               &value, &param->name, reason);
        }

        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_duplex_param_t *
ngx_duplex_param_find(ngx_duplex_param_t *table, ngx_str_t *arg,
    ngx_str_t *value)
{
    size_t               len;
    ngx_duplex_param_t  *param;

    for (param = table; param->name.len; param++) {

        len = param->name.len;

        if (arg->len < len
            || ngx_strncmp(arg->data, param->name.data, len) != 0)
        {
            continue;
        }

        if (param->flags & NGX_DUPLEX_PARAM_FLAG) {
            if (arg->len == len) {
                ngx_str_null(value);
                return param;
            }

            continue;
        }

        if (arg->len > len && arg->data[len] == '=') {
            value->data = arg->data + len + 1;
            value->len = arg->len - len - 1;
            return param;
        }
    }

    return NULL;
}


const char *
ngx_duplex_param_msec(ngx_conf_t *cf, ngx_duplex_param_t *param,
    ngx_str_t *value, void *conf)
{
    const char  *reason;
    ngx_msec_t  *field;

    reason = ngx_duplex_param_msec_or_0(cf, param, value, conf);
    field = (ngx_msec_t *) ((u_char *) conf + param->offset);

    if (reason || *field == 0) {
        return "must be a time above 0";
    }

    return NULL;
}


const char *
ngx_duplex_param_msec_or_0(ngx_conf_t *cf, ngx_duplex_param_t *param,
    ngx_str_t *value, void *conf)
{
    ngx_int_t    msec;
    ngx_msec_t  *field;

    msec = ngx_parse_time(value, 0);

    if (msec == NGX_ERROR) {
        return "must be a time";
    }

    field = (ngx_msec_t *) ((u_char *) conf + param->offset);
    *field = (ngx_msec_t) msec;

    return NULL;
}


const char *
ngx_duplex_param_number(ngx_conf_t *cf, ngx_duplex_param_t *param,
    ngx_str_t *value, void *conf)
{
    ngx_int_t    number;
    ngx_uint_t  *field;

    number = ngx_atoi(value->data, value->len);

    if (number == NGX_ERROR || number == 0) {
        return "must be a number above 0";
    }

    field = (ngx_uint_t *) ((u_char *) conf + param->offset);
    *field = (ngx_uint_t) number;

    return NULL;
}


const char *
ngx_duplex_param_string(ngx_conf_t *cf, ngx_duplex_param_t *param,
    ngx_str_t *value, void *conf)
{
    ngx_str_t  *field;

    if (value->len == 0) {
        return "must not be empty";
    }

    field = (ngx_str_t *) ((u_char *) conf + param->offset);
    *field = *value;

    return NULL;
}


const char *
ngx_duplex_param_flag(ngx_conf_t *cf, ngx_duplex_param_t *param,
    ngx_str_t *value, void *conf)
{
    ngx_uint_t  *field;

    field = (ngx_uint_t *) ((u_char *) conf + param->offset);
    *field = 1;

    return NULL;
}


const char *
ngx_duplex_param_port(ngx_conf_t *cf, ngx_duplex_param_t *param,
    ngx_str_t *value, void *conf)
{
    ngx_int_t   port;
    in_port_t  *field;

    port = ngx_atoi(value->data, value->len);

    if (port < 1 || port > 65535) {
        return "must be a number from 1 to 65535";
    }

    field = (in_port_t *) ((u_char *) conf + param->offset);
    *field = (in_port_t) port;

    return NULL;
}
