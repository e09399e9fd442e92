
/*
 * Directives that are handed on; see the header.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_delegate.h"


#define NGX_DUPLEX_DELEGATE_ARGS  8     /* that nginx can count exactly */


static ngx_uint_t ngx_duplex_delegate_fits(ngx_command_t *cmd, ngx_uint_t n);
static char *ngx_duplex_delegate_set(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_module_t *module, ngx_array_t *args);


char *
ngx_duplex_delegate(ngx_conf_t *cf, ngx_module_t *self, ngx_array_t *args)
{
    ngx_str_t      *name;
    ngx_uint_t      i;
    ngx_command_t  *cmd;
    ngx_module_t  **modules;

    name = args->elts;
    modules = cf->cycle->modules;

    for (i = 0; modules[i]; i++) {

        if (modules[i] == self || modules[i]->type != self->type) {
            continue;
        }

        for (cmd = modules[i]->commands; cmd && cmd->name.len; cmd++) {

            if (cmd->name.len != name->len
                || ngx_memcmp(cmd->name.data, name->data, name->len) != 0
                || !(cmd->type & cf->cmd_type))
            {
                continue;
            }

            if (!ngx_duplex_delegate_fits(cmd, args->nelts)) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "invalid number of arguments in \"%V\" "
                                   "directive", name);
                return NGX_CONF_ERROR;
            }

            return ngx_duplex_delegate_set(cf, cmd, modules[i], args);
        }
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "unknown directive \"%V\"", name);

    return NGX_CONF_ERROR;
}


/* as ngx_conf_handler() counts, for directives without a block */

static ngx_uint_t
ngx_duplex_delegate_fits(ngx_command_t *cmd, ngx_uint_t n)
{
    if (cmd->type & NGX_CONF_ANY) {
        return 1;
    }

    if (cmd->type & NGX_CONF_FLAG) {
        return n == 2;
    }

    if (cmd->type & NGX_CONF_1MORE) {
        return n >= 2;
    }

    if (cmd->type & NGX_CONF_2MORE) {
        return n >= 3;
    }

    return n <= NGX_DUPLEX_DELEGATE_ARGS
           && (cmd->type & (NGX_CONF_NOARGS << (n - 1)));
}


static char *
ngx_duplex_delegate_set(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_module_t *module, ngx_array_t *args)
{
    char         *rv;
    void         *conf, **confs;
    ngx_array_t  *own_args;

    conf = NULL;
    confs = *(void **) ((u_char *) cf->ctx + cmd->conf);

    if (confs) {
        conf = confs[module->ctx_index];
    }

    own_args = cf->args;
    cf->args = args;

    rv = cmd->set(cf, cmd, conf);

    cf->args = own_args;

    return rv;
}


ngx_array_t *
ngx_duplex_delegate_without(ngx_conf_t *cf, ngx_uint_t first,
    const char *word, const char *why)
{
    size_t        len;
    ngx_str_t    *value, *arg;
    ngx_uint_t    i;
    ngx_array_t  *args;

    args = ngx_array_create(cf->pool, cf->args->nelts, sizeof(ngx_str_t));
    if (args == NULL) {
        return NULL;
    }

    len = ngx_strlen(word);
    value = cf->args->elts;

    for (i = 0; i < cf->args->nelts; i++) {

        if (i >= first
            && ngx_strncmp(value[i].data, word, len) == 0
            && (word[len - 1] == '=' || value[i].len == len))
        {
            ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                               "parameter \"%V\" of \"%V\" is without "
                               "effect: %s", &value[i], &value[0], why);
            continue;
        }

        arg = ngx_array_push(args);
        if (arg == NULL) {
            return NULL;
        }

        *arg = value[i];
    }

    return args;
}
