
/*
 * "slow_start": what the configuration says of it.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_slow.h"


#define NGX_DUPLEX_SLOW_PARAM  "slow_start="


ngx_int_t
ngx_duplex_slow_take(ngx_conf_t *cf, ngx_array_t *args, ngx_uint_t able,
    ngx_msec_t *time)
{
    ngx_str_t   *value, text;
    ngx_int_t    ms;
    ngx_uint_t   i, n;

    *time = 0;

    value = args->elts;
    n = 0;

    for (i = 0; i < args->nelts; i++) {

        /* the first two are the directive's name and the address */

        if (i < 2
            || ngx_strncmp(value[i].data, NGX_DUPLEX_SLOW_PARAM,
                           sizeof(NGX_DUPLEX_SLOW_PARAM) - 1)
               != 0)
        {
            value[n++] = value[i];
            continue;
        }

        if (!able) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "balancing method does not support "
                               "parameter \"%V\"", &value[i]);
            return NGX_ERROR;
        }

        text.data = value[i].data + sizeof(NGX_DUPLEX_SLOW_PARAM) - 1;
        text.len = value[i].len - (sizeof(NGX_DUPLEX_SLOW_PARAM) - 1);

        ms = ngx_parse_time(&text, 0);

        if (ms == NGX_ERROR || text.len == 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\"", &value[i]);
            return NGX_ERROR;
        }

        *time = ms;
    }

    args->nelts = n;

    if (*time) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "\"slow_start\" is not in force yet: the server "
                           "gets its whole share at once");
    }

    return NGX_OK;
}
