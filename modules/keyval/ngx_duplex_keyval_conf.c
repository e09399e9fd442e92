
/*
 * The key-value zones of a configuration: "keyval_zone", and who uses them.
 *
 * http and stream have zones of their own; a name is of one shared memory
 * zone and so of one of the two.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_param.h"
#include "ngx_duplex_keyval.h"
#include "ngx_duplex_keyval_page.h"
#include "ngx_duplex_keyval_state.h"


typedef struct {
    ngx_cycle_t   *cycle;
    ngx_array_t    keyvals;             /* ngx_duplex_keyval_t * */
} ngx_duplex_keyval_list_t;


typedef struct {
    ngx_str_t                  name;
    size_t                     size;
    ngx_str_t                  state;
    ngx_msec_t                 timeout;
    ngx_duplex_keyval_type_e   type;
    ngx_uint_t                 sync;
} ngx_duplex_keyval_args_t;


static ngx_duplex_keyval_list_t *ngx_duplex_keyval_list(ngx_conf_t *cf);
static void ngx_duplex_keyval_cleanup(void *data);
static ngx_duplex_keyval_t *ngx_duplex_keyval_add(ngx_conf_t *cf,
    const char *protocol, ngx_str_t *name);
static ngx_duplex_keyval_t *ngx_duplex_keyval_find(
    ngx_duplex_keyval_list_t *list, const char *protocol, size_t len,
    ngx_str_t *name);
static ngx_int_t ngx_duplex_keyval_bind(ngx_conf_t *cf);
static void ngx_duplex_keyval_commit(ngx_cycle_t *cycle);
static const char *ngx_duplex_keyval_set_zone(ngx_conf_t *cf,
    ngx_duplex_param_t *param, ngx_str_t *value, void *conf);
static const char *ngx_duplex_keyval_set_type(ngx_conf_t *cf,
    ngx_duplex_param_t *param, ngx_str_t *value, void *conf);


static ngx_duplex_param_t  ngx_duplex_keyval_params[] = {

    { ngx_string("zone"), 0, ngx_duplex_keyval_set_zone, 0 },

    { ngx_string("state"), 0, ngx_duplex_param_string,
      offsetof(ngx_duplex_keyval_args_t, state) },

    { ngx_string("timeout"), 0, ngx_duplex_param_msec,
      offsetof(ngx_duplex_keyval_args_t, timeout) },

    { ngx_string("type"), 0, ngx_duplex_keyval_set_type, 0 },

    { ngx_string("sync"), NGX_DUPLEX_PARAM_FLAG, ngx_duplex_param_flag,
      offsetof(ngx_duplex_keyval_args_t, sync) },

      ngx_duplex_null_param
};


static ngx_duplex_feature_t  ngx_duplex_keyval_feature = {
    ngx_string("keyval"),
    NGX_DUPLEX_LAYER_FEATURE,
    ngx_duplex_keyval_bind,                /* bind */
    ngx_duplex_keyval_commit,              /* commit */
    NULL,                                  /* start */
    NULL,                                  /* take */
    ngx_duplex_keyval_state_beat,          /* beat */
    NULL,                                  /* wake */
    ngx_duplex_keyval_state_drop,          /* drop */
    NULL                                   /* stop */
};


/* of the cycle being configured, and of the one in force */

static ngx_duplex_keyval_list_t  *ngx_duplex_keyval_bound;
static ngx_duplex_keyval_list_t  *ngx_duplex_keyval_present;


ngx_int_t
ngx_duplex_keyval_register(ngx_conf_t *cf)
{
    return ngx_duplex_keyval_list(cf) ? NGX_OK : NGX_ERROR;
}


static ngx_duplex_keyval_list_t *
ngx_duplex_keyval_list(ngx_conf_t *cf)
{
    ngx_pool_cleanup_t        *cln;
    ngx_duplex_keyval_list_t  *list;

    list = ngx_duplex_keyval_bound;

    if (list && list->cycle == cf->cycle) {
        return list;
    }

    cln = ngx_pool_cleanup_add(cf->cycle->pool,
                               sizeof(ngx_duplex_keyval_list_t));
    if (cln == NULL) {
        return NULL;
    }

    list = cln->data;
    list->cycle = cf->cycle;

    if (ngx_array_init(&list->keyvals, cf->cycle->pool, 4, sizeof(void *))
        != NGX_OK)
    {
        return NULL;
    }

    cln->handler = ngx_duplex_keyval_cleanup;

    ngx_duplex_keyval_bound = list;

    if (ngx_duplex_register_kind(cf, &ngx_duplex_keyval_kind) != NGX_OK
        || ngx_duplex_register_feature(cf, &ngx_duplex_keyval_feature)
           != NGX_OK)
    {
        return NULL;
    }

    return list;
}


static void
ngx_duplex_keyval_cleanup(void *data)
{
    if (ngx_duplex_keyval_bound == data) {
        ngx_duplex_keyval_bound = NULL;
    }

    if (ngx_duplex_keyval_present == data) {
        ngx_duplex_keyval_present = NULL;
    }
}


char *
ngx_duplex_keyval_declare(ngx_conf_t *cf, const char *protocol)
{
    ngx_uint_t                 flags;
    ngx_duplex_keyval_t       *keyval;
    ngx_duplex_keyval_args_t   args;

    ngx_memzero(&args, sizeof(ngx_duplex_keyval_args_t));

    if (ngx_duplex_param_parse(cf, ngx_duplex_keyval_params, 1, &args)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (args.size == 0) {
        return "must have the \"zone\" parameter";
    }

    keyval = ngx_duplex_keyval_add(cf, protocol, &args.name);
    if (keyval == NULL) {
        return NGX_CONF_ERROR;
    }

    if (keyval->size) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "keyval zone \"%V\" is duplicate", &args.name);
        return NGX_CONF_ERROR;
    }

    keyval->size = args.size;
    keyval->timeout = args.timeout;
    keyval->type = args.type;
    keyval->sync = args.sync;
    keyval->state = args.state;

    if (keyval->state.len
        && ngx_conf_full_name(cf->cycle, &keyval->state, 0) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    flags = (keyval->sync ? 0 : NGX_DUPLEX_TABLE_LOCAL)
            | (keyval->timeout ? NGX_DUPLEX_TABLE_EVICTS : 0);

    keyval->zone = ngx_duplex_zone_add(cf, &keyval->name, keyval->size,
                                       &ngx_duplex_keyval_kind, flags, keyval);

    return keyval->zone ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static const char *
ngx_duplex_keyval_set_zone(ngx_conf_t *cf, ngx_duplex_param_t *param,
    ngx_str_t *value, void *conf)
{
    ngx_duplex_keyval_args_t *args = conf;

    u_char     *colon;
    ssize_t     size;
    ngx_str_t   text;

    colon = ngx_strlchr(value->data, value->data + value->len, ':');

    if (colon == NULL || colon == value->data) {
        return "must be a name and a size";
    }

    args->name.data = value->data;
    args->name.len = colon - value->data;

    if (ngx_strlchr(value->data, colon, '/')) {
        return "must not contain \"/\"";
    }

    text.data = colon + 1;
    text.len = value->data + value->len - text.data;

    size = ngx_parse_size(&text);

    if (size == NGX_ERROR || size == 0) {
        return "must be a name and a size";
    }

    args->size = size;

    return NULL;
}


static const char *
ngx_duplex_keyval_set_type(ngx_conf_t *cf, ngx_duplex_param_t *param,
    ngx_str_t *value, void *conf)
{
    ngx_duplex_keyval_args_t *args = conf;

    if (ngx_strcmp(value->data, "string") == 0) {
        args->type = ngx_duplex_keyval_string;

    } else if (ngx_strcmp(value->data, "ip") == 0) {
        args->type = ngx_duplex_keyval_ip;

    } else if (ngx_strcmp(value->data, "prefix") == 0) {
        args->type = ngx_duplex_keyval_prefix;

    } else {
        return "must be \"string\", \"ip\" or \"prefix\"";
    }

    return NULL;
}


ngx_duplex_keyval_t *
ngx_duplex_keyval_use(ngx_conf_t *cf, const char *protocol, ngx_str_t *arg)
{
    ngx_str_t  name;

    if (arg->len <= 5 || ngx_strncmp(arg->data, "zone=", 5) != 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\"", arg);
        return NULL;
    }

    name.data = arg->data + 5;
    name.len = arg->len - 5;

    return ngx_duplex_keyval_add(cf, protocol, &name);
}


static ngx_duplex_keyval_t *
ngx_duplex_keyval_add(ngx_conf_t *cf, const char *protocol, ngx_str_t *name)
{
    ngx_duplex_keyval_t       *keyval, **slot;
    ngx_duplex_keyval_list_t  *list;

    list = ngx_duplex_keyval_list(cf);
    if (list == NULL) {
        return NULL;
    }

    keyval = ngx_duplex_keyval_find(list, protocol, ngx_strlen(protocol),
                                    name);
    if (keyval) {
        return keyval;
    }

    keyval = ngx_pcalloc(cf->pool, sizeof(ngx_duplex_keyval_t));
    if (keyval == NULL) {
        return NULL;
    }

    keyval->protocol.data = (u_char *) protocol;
    keyval->protocol.len = ngx_strlen(protocol);
    keyval->name = *name;
    keyval->file = cf->conf_file->file.name.data;
    keyval->line = cf->conf_file->line;

    slot = ngx_array_push(&list->keyvals);
    if (slot == NULL) {
        return NULL;
    }

    *slot = keyval;

    return keyval;
}


static ngx_duplex_keyval_t *
ngx_duplex_keyval_find(ngx_duplex_keyval_list_t *list, const char *protocol,
    size_t len, ngx_str_t *name)
{
    ngx_uint_t             i;
    ngx_duplex_keyval_t  **keyval;

    keyval = list->keyvals.elts;

    for (i = 0; i < list->keyvals.nelts; i++) {
        if (keyval[i]->name.len == name->len
            && ngx_memcmp(keyval[i]->name.data, name->data, name->len) == 0
            && keyval[i]->protocol.len == len
            && ngx_memcmp(keyval[i]->protocol.data, protocol, len) == 0)
        {
            return keyval[i];
        }
    }

    return NULL;
}


static ngx_int_t
ngx_duplex_keyval_bind(ngx_conf_t *cf)
{
    ngx_uint_t                  i;
    ngx_duplex_keyval_t       **keyval;
    ngx_duplex_keyval_list_t   *list;

    list = ngx_duplex_keyval_list(cf);
    if (list == NULL) {
        return NGX_ERROR;
    }

    keyval = list->keyvals.elts;

    for (i = 0; i < list->keyvals.nelts; i++) {
        if (keyval[i]->zone == NULL) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "keyval zone \"%V\" is not defined by "
                               "\"keyval_zone\", in %s:%ui",
                               &keyval[i]->name, keyval[i]->file,
                               keyval[i]->line);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static void
ngx_duplex_keyval_commit(ngx_cycle_t *cycle)
{
    ngx_uint_t            i;
    ngx_duplex_keyval_t  *keyval;

    ngx_duplex_keyval_present = ngx_duplex_keyval_bound;

    for (i = 0; (keyval = ngx_duplex_keyval(i)) != NULL; i++) {
        ngx_duplex_keyval_state_load(keyval, cycle);
    }
}


ngx_duplex_keyval_t *
ngx_duplex_keyval(ngx_uint_t i)
{
    ngx_duplex_keyval_t       **keyval;
    ngx_duplex_keyval_list_t   *list;

    list = ngx_duplex_keyval_present;

    if (list == NULL || i >= list->keyvals.nelts) {
        return NULL;
    }

    keyval = list->keyvals.elts;

    return keyval[i];
}


ngx_duplex_keyval_t *
ngx_duplex_keyval_by_name(ngx_str_t *protocol, ngx_str_t *name)
{
    if (ngx_duplex_keyval_present == NULL) {
        return NULL;
    }

    return ngx_duplex_keyval_find(ngx_duplex_keyval_present,
                                  (char *) protocol->data, protocol->len, name);
}
