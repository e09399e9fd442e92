
/*
 * "name=value" parameters of a directive, by a table: one set of messages
 * for the whole suite, and one place where a test finds every parameter.
 *
 *     static ngx_duplex_param_t  ngx_http_duplex_health_params[] = {
 *         { ngx_string("interval"), 0, ngx_duplex_param_msec,
 *           offsetof(ngx_duplex_check_t, interval) },
 *         { ngx_string("mandatory"), NGX_DUPLEX_PARAM_FLAG,
 *           ngx_duplex_param_flag, offsetof(ngx_duplex_check_t, mandatory) },
 *         ngx_duplex_null_param
 *     };
 */


#ifndef _NGX_DUPLEX_PARAM_H_INCLUDED_
#define _NGX_DUPLEX_PARAM_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_DUPLEX_PARAM_FLAG  1    /* stands alone, without "=" */
#define NGX_DUPLEX_PARAM_MANY  2    /* may be given more than once */


typedef struct ngx_duplex_param_s  ngx_duplex_param_t;

/*
 * "value" is what stands after "=".  Answers NULL, or the reason why it is
 * refused ("must be a number above 0"), or NGX_CONF_ERROR when the setter
 * has logged a message of its own.
 */
typedef const char *(*ngx_duplex_param_set_pt)(ngx_conf_t *cf,
    ngx_duplex_param_t *param, ngx_str_t *value, void *conf);

struct ngx_duplex_param_s {
    ngx_str_t                name;
    ngx_uint_t               flags;
    ngx_duplex_param_set_pt  set;
    ngx_uint_t               offset;    /* of the field in "conf" */
};

#define ngx_duplex_null_param  { ngx_null_string, 0, NULL, 0 }


/*
 * Sets all of cf->args from the "first" on.  At most 64 parameters a table.
 * NGX_ERROR after one of these messages:
 *
 *     invalid parameter "colour=red"
 *     duplicate "interval" parameter
 *     invalid value "x" of "interval" parameter: must be a time above 0
 */
ngx_int_t ngx_duplex_param_parse(ngx_conf_t *cf, ngx_duplex_param_t *table,
    ngx_uint_t first, void *conf);

/* setters */
const char *ngx_duplex_param_msec(ngx_conf_t *cf, ngx_duplex_param_t *param,
    ngx_str_t *value, void *conf);      /* ngx_msec_t, above 0 */
const char *ngx_duplex_param_msec_or_0(ngx_conf_t *cf,
    ngx_duplex_param_t *param, ngx_str_t *value, void *conf);
const char *ngx_duplex_param_number(ngx_conf_t *cf, ngx_duplex_param_t *param,
    ngx_str_t *value, void *conf);      /* ngx_uint_t, above 0 */
const char *ngx_duplex_param_string(ngx_conf_t *cf, ngx_duplex_param_t *param,
    ngx_str_t *value, void *conf);      /* ngx_str_t, not empty */
const char *ngx_duplex_param_flag(ngx_conf_t *cf, ngx_duplex_param_t *param,
    ngx_str_t *value, void *conf);      /* ngx_uint_t, set to 1 */
const char *ngx_duplex_param_port(ngx_conf_t *cf, ngx_duplex_param_t *param,
    ngx_str_t *value, void *conf);      /* in_port_t, 1 to 65535 */


#endif /* _NGX_DUPLEX_PARAM_H_INCLUDED_ */
