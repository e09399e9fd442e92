
/*
 * The blocks `match NAME { send ...; expect ...; }` of stream{}.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>
#include "ngx_stream_duplex_match.h"


static char *ngx_stream_duplex_match_line(ngx_conf_t *cf,
    ngx_command_t *dummy, void *conf);
static char *ngx_stream_duplex_match_set(ngx_conf_t *cf,
    ngx_duplex_dialog_t *dialog, ngx_str_t *args, ngx_uint_t nargs);


char *
ngx_stream_duplex_match(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char                        *rv;
    ngx_str_t                   *value;
    ngx_conf_t                   save;
    ngx_array_t                 *matches;
    ngx_duplex_dialog_t         *dialog;
    ngx_stream_duplex_match_t   *match, **slot;

    value = cf->args->elts;
    matches = (ngx_array_t *) ((u_char *) conf + cmd->offset);

    if (value[1].len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid name \"%V\" of \"match\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    if (ngx_stream_duplex_match_find(matches, &value[1])) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "duplicate match \"%V\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    match = ngx_pcalloc(cf->pool, sizeof(ngx_stream_duplex_match_t));
    slot = ngx_array_push(matches);

    if (match == NULL || slot == NULL) {
        return NGX_CONF_ERROR;
    }

    match->name = value[1];
    *slot = match;

    dialog = &match->dialog;

    save = *cf;
    cf->handler = ngx_stream_duplex_match_line;
    cf->handler_conf = (void *) dialog;

    rv = ngx_conf_parse(cf, NULL);

    *cf = save;

    if (rv != NGX_CONF_OK) {
        return rv;
    }

    if (dialog->send.len == 0 && !ngx_duplex_dialog_expects(dialog)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "match \"%V\" has neither \"send\" nor \"expect\"",
                           &match->name);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_stream_duplex_match_line(ngx_conf_t *cf, ngx_command_t *dummy, void *conf)
{
    char       *rv;
    ngx_str_t  *value;

    value = cf->args->elts;

    rv = ngx_stream_duplex_match_set(cf, conf, value, cf->args->nelts);

    if (rv == NGX_CONF_OK || rv == NGX_CONF_ERROR) {
        return rv;
    }

    /* a handler of a block is expected to have said it itself */

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V\" %s", &value[0], rv);

    return NGX_CONF_ERROR;
}


static char *
ngx_stream_duplex_match_set(ngx_conf_t *cf, ngx_duplex_dialog_t *dialog,
    ngx_str_t *args, ngx_uint_t nargs)
{
    if (ngx_strcmp(args[0].data, "send") == 0) {

        if (nargs != 2) {
            return "takes one string";
        }

        return ngx_duplex_dialog_set_send(cf, dialog, &args[1]);
    }

    if (ngx_strcmp(args[0].data, "expect") == 0) {

        if (nargs != 2 && nargs != 3) {
            return "takes a string, or \"~\" or \"~*\" and a regular "
                   "expression";
        }

        return ngx_duplex_dialog_set_expect(cf, dialog, &args[1], nargs - 1);
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "unknown directive \"%V\"",
                       &args[0]);

    return NGX_CONF_ERROR;
}


ngx_stream_duplex_match_t *
ngx_stream_duplex_match_find(ngx_array_t *matches, ngx_str_t *name)
{
    ngx_uint_t                   i;
    ngx_stream_duplex_match_t  **match;

    match = matches->elts;

    for (i = 0; i < matches->nelts; i++) {

        if (match[i]->name.len == name->len
            && ngx_memcmp(match[i]->name.data, name->data, name->len) == 0)
        {
            return match[i];
        }
    }

    return NULL;
}
