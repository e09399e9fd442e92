
/*
 * The block of duplex_split, as it is written in the file.
 */


#include "ngx_http_duplex_deploy.h"
#include "../core/ngx_duplex_journal.h"
#include "../core/ngx_duplex_param.h"


static char *ngx_http_duplex_split_line(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_duplex_split_key(ngx_conf_t *cf,
    ngx_http_duplex_split_t *http);
static char *ngx_http_duplex_split_sticky(ngx_conf_t *cf,
    ngx_http_duplex_split_t *http);
static char *ngx_http_duplex_split_part(ngx_conf_t *cf,
    ngx_duplex_split_t *split);
static ngx_int_t ngx_http_duplex_split_weight(ngx_str_t *value);
static char *ngx_http_duplex_split_check(ngx_conf_t *cf,
    ngx_http_duplex_split_t *http);


static ngx_duplex_param_t  ngx_http_duplex_split_cookie_params[] = {

    { ngx_string("expires"), 0, ngx_duplex_param_msec,
      offsetof(ngx_http_duplex_split_t, expires) },

    { ngx_string("domain"), 0, ngx_duplex_param_string,
      offsetof(ngx_http_duplex_split_t, domain) },

    { ngx_string("path"), 0, ngx_duplex_param_string,
      offsetof(ngx_http_duplex_split_t, path) },

    { ngx_string("secure"), NGX_DUPLEX_PARAM_FLAG, ngx_duplex_param_flag,
      offsetof(ngx_http_duplex_split_t, secure) },

    { ngx_string("httponly"), NGX_DUPLEX_PARAM_FLAG, ngx_duplex_param_flag,
      offsetof(ngx_http_duplex_split_t, httponly) },

    ngx_duplex_null_param
};


char *
ngx_http_duplex_split(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_duplex_deploy_main_conf_t  *dmcf = conf;

    char                     *rv;
    ngx_str_t                *value, name;
    ngx_conf_t                save;
    ngx_uint_t                i;
    ngx_duplex_split_t       *split, **slot;
    ngx_http_variable_t      *var;
    ngx_http_duplex_split_t  *http, **http_slot;

    value = cf->args->elts;

    if (value[1].len < 2 || value[1].data[0] != '$') {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid variable name \"%V\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    if (ngx_duplex_node_name_check(&value[2]) != NGX_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid name \"%V\" of a split: must be 1 to 63 "
                           "letters, digits, \".\", \"-\" and \"_\"",
                           &value[2]);
        return NGX_CONF_ERROR;
    }

    slot = dmcf->splits.elts;

    for (i = 0; i < dmcf->splits.nelts; i++) {
        if (slot[i]->name.len == value[2].len
            && ngx_memcmp(slot[i]->name.data, value[2].data, value[2].len)
               == 0)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "duplicate split \"%V\"", &value[2]);
            return NGX_CONF_ERROR;
        }
    }

    if (i == NGX_DUPLEX_SPLITS_MAX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "more than %d splits",
                           NGX_DUPLEX_SPLITS_MAX);
        return NGX_CONF_ERROR;
    }

    split = ngx_pcalloc(cf->pool, sizeof(ngx_duplex_split_t));
    http = ngx_pcalloc(cf->pool, sizeof(ngx_http_duplex_split_t));
    slot = ngx_array_push(&dmcf->splits);
    http_slot = ngx_array_push(&dmcf->https);

    if (split == NULL || http == NULL || slot == NULL || http_slot == NULL) {
        return NGX_CONF_ERROR;
    }

    *slot = split;
    *http_slot = http;

    split->name = value[2];
    split->variable.data = value[1].data + 1;
    split->variable.len = value[1].len - 1;

    http->split = split;
    http->file = cf->conf_file->file.name;
    http->line = cf->conf_file->line;

    name = split->variable;

    var = ngx_http_add_variable(cf, &name, 0);
    if (var == NULL) {
        return NGX_CONF_ERROR;
    }

    if (var->get_handler) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "variable \"$%V\" is set by something else, too",
                           &split->variable);
        return NGX_CONF_ERROR;
    }

    var->get_handler = ngx_http_duplex_split_variable;
    var->data = (uintptr_t) http;

    http->index = ngx_http_get_variable_index(cf, &name);
    if (http->index == NGX_ERROR) {
        return NGX_CONF_ERROR;
    }

    save = *cf;
    cf->handler = ngx_http_duplex_split_line;
    cf->handler_conf = (void *) http;

    rv = ngx_conf_parse(cf, NULL);

    *cf = save;

    if (rv != NGX_CONF_OK) {
        return rv;
    }

    ngx_duplex_need_store(cf);
    ngx_duplex_journal_want(cf);

    return ngx_http_duplex_split_check(cf, http);
}


static char *
ngx_http_duplex_split_line(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_duplex_split_t  *http = conf;

    ngx_str_t  *value;

    value = cf->args->elts;

    if (ngx_strcmp(value[0].data, "key") == 0) {
        return ngx_http_duplex_split_key(cf, http);
    }

    if (ngx_strcmp(value[0].data, "sticky") == 0) {
        return ngx_http_duplex_split_sticky(cf, http);
    }

    return ngx_http_duplex_split_part(cf, http->split);
}


static char *
ngx_http_duplex_split_key(ngx_conf_t *cf, ngx_http_duplex_split_t *http)
{
    ngx_str_t                         *value;
    ngx_http_compile_complex_value_t   ccv;

    value = cf->args->elts;

    if (cf->args->nelts != 2) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid number of arguments in \"key\"");
        return NGX_CONF_ERROR;
    }

    if (http->key.value.data) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"key\" is duplicate");
        return NGX_CONF_ERROR;
    }

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = &value[1];
    ccv.complex_value = &http->key;

    if (ngx_http_compile_complex_value(&ccv) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if (http->key.lengths == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"key\" without a variable is the same for all: "
                           "\"%V\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_duplex_split_sticky(ngx_conf_t *cf, ngx_http_duplex_split_t *http)
{
    ngx_str_t                         *value, name;
    ngx_http_compile_complex_value_t   ccv;

    value = cf->args->elts;

    if (cf->args->nelts < 3 || ngx_strcmp(value[1].data, "cookie") != 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"sticky\" of a split knows \"cookie NAME\" only");
        return NGX_CONF_ERROR;
    }

    if (http->cookie.len) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"sticky\" is duplicate");
        return NGX_CONF_ERROR;
    }

    if (ngx_duplex_node_name_check(&value[2]) != NGX_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid cookie name \"%V\"", &value[2]);
        return NGX_CONF_ERROR;
    }

    http->cookie = value[2];

    name.data = ngx_pnalloc(cf->pool, sizeof("$cookie_") + http->cookie.len);
    if (name.data == NULL) {
        return NGX_CONF_ERROR;
    }

    name.len = ngx_sprintf(name.data, "$cookie_%V%Z", &http->cookie)
               - name.data - 1;

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = &name;
    ccv.complex_value = &http->has;

    if (ngx_http_compile_complex_value(&ccv) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if (ngx_duplex_param_parse(cf, ngx_http_duplex_split_cookie_params, 3,
                               http)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_duplex_split_part(ngx_conf_t *cf, ngx_duplex_split_t *split)
{
    ngx_int_t                 weight;
    ngx_str_t                *value;
    ngx_duplex_split_part_t  *part;

    value = cf->args->elts;

    if (cf->args->nelts < 2 || cf->args->nelts > 3) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid line \"%V\" of a split: must be "
                           "\"UPSTREAM WEIGHT [as=NAME]\"", &value[0]);
        return NGX_CONF_ERROR;
    }

    weight = ngx_http_duplex_split_weight(&value[1]);

    if (weight == NGX_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid weight \"%V\": must be 0 to 100 percent "
                           "with at most two decimals", &value[1]);
        return NGX_CONF_ERROR;
    }

    if (split->nparts == NGX_DUPLEX_SPLIT_PARTS) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "more than %d upstreams in a split",
                           NGX_DUPLEX_SPLIT_PARTS);
        return NGX_CONF_ERROR;
    }

    part = &split->parts[split->nparts];

    part->group = value[0];
    part->colour = value[0];
    part->weight = weight;

    if (cf->args->nelts == 3) {

        if (ngx_strncmp(value[2].data, "as=", 3) != 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\"", &value[2]);
            return NGX_CONF_ERROR;
        }

        part->colour.data = value[2].data + 3;
        part->colour.len = value[2].len - 3;
    }

    if (ngx_duplex_node_name_check(&part->colour) != NGX_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid name \"%V\" in a split: must be 1 to 63 "
                           "letters, digits, \".\", \"-\" and \"_\"; "
                           "\"as=\" gives it another", &part->colour);
        return NGX_CONF_ERROR;
    }

    if (ngx_duplex_split_part(split, &part->group) != NGX_ERROR
        || ngx_duplex_split_part(split, &part->colour) != NGX_ERROR)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "duplicate \"%V\" in a split", &value[0]);
        return NGX_CONF_ERROR;
    }

    split->nparts++;

    return NGX_CONF_OK;
}


/* "12.5" or "12.5%": of 10,000 */

static ngx_int_t
ngx_http_duplex_split_weight(ngx_str_t *value)
{
    ngx_int_t  weight;
    ngx_str_t  number;

    number = *value;

    if (number.len && number.data[number.len - 1] == '%') {
        number.len--;
    }

    weight = ngx_atofp(number.data, number.len, 2);

    return weight <= NGX_DUPLEX_SPLIT_SLOTS ? weight : NGX_ERROR;
}


static char *
ngx_http_duplex_split_check(ngx_conf_t *cf, ngx_http_duplex_split_t *http)
{
    ngx_str_t                          key = ngx_string("$remote_addr");
    ngx_uint_t                         i, sum;
    ngx_duplex_split_t                *split;
    ngx_http_compile_complex_value_t   ccv;

    split = http->split;
    sum = 0;

    for (i = 0; i < split->nparts; i++) {
        sum += split->parts[i].weight;
    }

    if (split->nparts < 2) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "split \"%V\" needs at least two upstreams",
                           &split->name);
        return NGX_CONF_ERROR;
    }

    if (sum != NGX_DUPLEX_SPLIT_SLOTS) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "weights of split \"%V\" add up to %ui.%02ui "
                           "percent, not to 100",
                           &split->name, sum / 100, sum % 100);
        return NGX_CONF_ERROR;
    }

    ngx_duplex_split_digest(split);

    if (http->key.value.data) {
        return NGX_CONF_OK;
    }

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = &key;
    ccv.complex_value = &http->key;

    if (ngx_http_compile_complex_value(&ccv) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}
