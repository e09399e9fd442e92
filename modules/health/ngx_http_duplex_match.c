
/*
 * The blocks `match NAME { ... }` of http{}: from the file into tests.
 *
 * How an answer is tested: ngx_http_duplex_match_answer.c.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "ngx_http_duplex_match.h"


/* nargs includes the name; "args" are those after it */
typedef char *(*ngx_http_duplex_match_set_pt)(ngx_conf_t *cf,
    ngx_http_duplex_match_t *match, ngx_str_t *args, ngx_uint_t nargs);

typedef struct {
    ngx_str_t                      name;
    ngx_http_duplex_match_set_pt   set;
} ngx_http_duplex_match_line_t;


static char *ngx_http_duplex_match_line(ngx_conf_t *cf, ngx_command_t *dummy,
    void *conf);
static char *ngx_http_duplex_match_status(ngx_conf_t *cf,
    ngx_http_duplex_match_t *match, ngx_str_t *args, ngx_uint_t nargs);
static char *ngx_http_duplex_match_range(ngx_conf_t *cf,
    ngx_http_duplex_match_t *match, ngx_str_t *text);
static char *ngx_http_duplex_match_header(ngx_conf_t *cf,
    ngx_http_duplex_match_t *match, ngx_str_t *args, ngx_uint_t nargs);
static char *ngx_http_duplex_match_body(ngx_conf_t *cf,
    ngx_http_duplex_match_t *match, ngx_str_t *args, ngx_uint_t nargs);
static char *ngx_http_duplex_match_require(ngx_conf_t *cf,
    ngx_http_duplex_match_t *match, ngx_str_t *args, ngx_uint_t nargs);
static ngx_uint_t ngx_http_duplex_match_is_regex(ngx_str_t *op);
static char *ngx_http_duplex_match_compile(ngx_conf_t *cf,
    ngx_http_duplex_match_test_t *test);


static ngx_http_duplex_match_line_t  ngx_http_duplex_match_lines[] = {
    { ngx_string("status"), ngx_http_duplex_match_status },
    { ngx_string("header"), ngx_http_duplex_match_header },
    { ngx_string("body"), ngx_http_duplex_match_body },
    { ngx_string("require"), ngx_http_duplex_match_require }
};


char *
ngx_http_duplex_match(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char                      *rv;
    ngx_str_t                 *value;
    ngx_conf_t                 save;
    ngx_array_t               *matches;
    ngx_http_duplex_match_t   *match, **slot;

    value = cf->args->elts;
    matches = (ngx_array_t *) ((u_char *) conf + cmd->offset);

    if (value[1].len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid name \"%V\" of \"match\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    if (ngx_http_duplex_match_find(matches, &value[1])) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "duplicate match \"%V\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    match = ngx_pcalloc(cf->pool, sizeof(ngx_http_duplex_match_t));
    slot = ngx_array_push(matches);

    if (match == NULL || slot == NULL) {
        return NGX_CONF_ERROR;
    }

    match->name = value[1];
    *slot = match;

    if (ngx_array_init(&match->ranges, cf->pool, 4,
                       sizeof(ngx_http_duplex_match_range_t))
            != NGX_OK
        || ngx_array_init(&match->headers, cf->pool, 4,
                          sizeof(ngx_http_duplex_match_test_t))
            != NGX_OK
        || ngx_array_init(&match->require, cf->pool, 4,
                          sizeof(ngx_http_duplex_match_require_t))
            != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    save = *cf;
    cf->handler = ngx_http_duplex_match_line;
    cf->handler_conf = (void *) match;

    rv = ngx_conf_parse(cf, NULL);

    *cf = save;

    return rv;
}


static char *
ngx_http_duplex_match_line(ngx_conf_t *cf, ngx_command_t *dummy, void *conf)
{
    char                          *rv;
    ngx_str_t                     *value;
    ngx_uint_t                     i, n;
    ngx_http_duplex_match_line_t  *line;

    value = cf->args->elts;
    n = sizeof(ngx_http_duplex_match_lines)
        / sizeof(ngx_http_duplex_match_line_t);

    for (i = 0; i < n; i++) {
        line = &ngx_http_duplex_match_lines[i];

        if (ngx_strcmp(value[0].data, line->name.data) != 0) {
            continue;
        }

        rv = cf->args->nelts == 1
             ? "has no parameters"
             : line->set(cf, conf, &value[1], cf->args->nelts - 1);

        if (rv == NGX_CONF_OK || rv == NGX_CONF_ERROR) {
            return rv;
        }

        /* a handler of a block is expected to have said it itself */

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V\" %s", &value[0], rv);
        return NGX_CONF_ERROR;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "unknown directive \"%V\"",
                       &value[0]);

    return NGX_CONF_ERROR;
}


/* "200", "200-399 404", "! 500-599", "!500" */

static char *
ngx_http_duplex_match_status(ngx_conf_t *cf, ngx_http_duplex_match_t *match,
    ngx_str_t *args, ngx_uint_t nargs)
{
    char        *rv;
    size_t       len;
    u_char      *p;
    ngx_uint_t   i;

    if (match->status.len) {
        return "is duplicate";
    }

    len = 0;

    for (i = 0; i < nargs; i++) {
        len += args[i].len + 1;
    }

    p = ngx_pnalloc(cf->pool, len);
    if (p == NULL) {
        return NGX_CONF_ERROR;
    }

    match->status.data = p;

    for (i = 0; i < nargs; i++) {
        p = ngx_cpymem(p, args[i].data, args[i].len);
        *p++ = ' ';
    }

    match->status.len = len - 1;

    if (args[0].len && args[0].data[0] == '!') {
        match->other = 1;

        args[0].data++;
        args[0].len--;

        if (args[0].len == 0) {
            args++;
            nargs--;
        }
    }

    if (nargs == 0) {
        return "has no code after \"!\"";
    }

    for (i = 0; i < nargs; i++) {
        rv = ngx_http_duplex_match_range(cf, match, &args[i]);

        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_duplex_match_range(ngx_conf_t *cf, ngx_http_duplex_match_t *match,
    ngx_str_t *text)
{
    u_char                         *p, *last;
    ngx_int_t                       from, to;
    ngx_http_duplex_match_range_t  *range;

    last = text->data + text->len;
    p = ngx_strlchr(text->data, last, '-');

    if (p) {
        from = ngx_atoi(text->data, p - text->data);
        to = ngx_atoi(p + 1, last - p - 1);

    } else {
        from = ngx_atoi(text->data, text->len);
        to = from;
    }

    if (from < 100 || to > 999 || from > to) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid status \"%V\": must be a code from 100 "
                           "to 999, or a range of them", text);
        return NGX_CONF_ERROR;
    }

    range = ngx_array_push(&match->ranges);
    if (range == NULL) {
        return NGX_CONF_ERROR;
    }

    range->from = from;
    range->to = to;

    return NGX_CONF_OK;
}


/* "H", "! H", "H = v", "H != v", "H ~ re", "H !~ re" */

static char *
ngx_http_duplex_match_header(ngx_conf_t *cf, ngx_http_duplex_match_t *match,
    ngx_str_t *args, ngx_uint_t nargs)
{
    ngx_http_duplex_match_test_t  *test;

    test = ngx_array_push(&match->headers);
    if (test == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(test, sizeof(ngx_http_duplex_match_test_t));

    ngx_str_set(&test->op, "");

    switch (nargs) {

    case 1:
        test->name = args[0];
        break;

    case 2:
        if (args[0].len != 1 || args[0].data[0] != '!') {
            return "takes \"NAME\", \"! NAME\", or \"NAME OPERATOR VALUE\"";
        }

        test->op = args[0];
        test->name = args[1];
        break;

    case 3:
        test->name = args[0];
        test->op = args[1];
        test->value = args[2];

        if (ngx_http_duplex_match_is_regex(&test->op)) {
            break;
        }

        if (ngx_strcmp(test->op.data, "=") == 0
            || ngx_strcmp(test->op.data, "!=") == 0)
        {
            break;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid operator \"%V\" of \"header\": must be "
                           "\"=\", \"!=\", \"~\" or \"!~\"", &test->op);
        return NGX_CONF_ERROR;

    default:
        return "takes \"NAME\", \"! NAME\", or \"NAME OPERATOR VALUE\"";
    }

    if (test->name.len == 0) {
        return "has an empty name";
    }

    return ngx_http_duplex_match_compile(cf, test);
}


static char *
ngx_http_duplex_match_body(ngx_conf_t *cf, ngx_http_duplex_match_t *match,
    ngx_str_t *args, ngx_uint_t nargs)
{
    if (match->body) {
        return "is duplicate";
    }

    if (nargs != 2 || !ngx_http_duplex_match_is_regex(&args[0])) {
        return "takes \"~\" or \"!~\" and a regular expression";
    }

    match->body = ngx_pcalloc(cf->pool, sizeof(ngx_http_duplex_match_test_t));
    if (match->body == NULL) {
        return NGX_CONF_ERROR;
    }

    match->body->op = args[0];
    match->body->value = args[1];

    return ngx_http_duplex_match_compile(cf, match->body);
}


static char *
ngx_http_duplex_match_require(ngx_conf_t *cf, ngx_http_duplex_match_t *match,
    ngx_str_t *args, ngx_uint_t nargs)
{
    ngx_uint_t                        i;
    ngx_http_duplex_match_require_t  *require;

    for (i = 0; i < nargs; i++) {

        if (args[i].len < 2 || args[i].data[0] != '$') {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid variable name \"%V\"", &args[i]);
            return NGX_CONF_ERROR;
        }

        require = ngx_array_push(&match->require);
        if (require == NULL) {
            return NGX_CONF_ERROR;
        }

        require->name.data = args[i].data + 1;
        require->name.len = args[i].len - 1;

        require->index = ngx_http_get_variable_index(cf, &require->name);

        if (require->index == NGX_ERROR) {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static ngx_uint_t
ngx_http_duplex_match_is_regex(ngx_str_t *op)
{
    return ngx_strcmp(op->data, "~") == 0 || ngx_strcmp(op->data, "!~") == 0
           || ngx_strcmp(op->data, "~*") == 0
           || ngx_strcmp(op->data, "!~*") == 0;
}


static char *
ngx_http_duplex_match_compile(ngx_conf_t *cf,
    ngx_http_duplex_match_test_t *test)
{
#if (NGX_PCRE)
    u_char               errstr[NGX_MAX_CONF_ERRSTR];
    ngx_regex_compile_t  rc;
#endif

    if (!ngx_http_duplex_match_is_regex(&test->op)) {
        return NGX_CONF_OK;
    }

#if (NGX_PCRE)

    ngx_memzero(&rc, sizeof(ngx_regex_compile_t));

    rc.pattern = test->value;
    rc.pool = cf->pool;
    rc.err.len = NGX_MAX_CONF_ERRSTR;
    rc.err.data = errstr;

    if (test->op.data[test->op.len - 1] == '*') {
        rc.options = NGX_REGEX_CASELESS;
    }

    if (ngx_regex_compile(&rc) != NGX_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%V", &rc.err);
        return NGX_CONF_ERROR;
    }

    test->regex = rc.regex;

    return NGX_CONF_OK;

#else

    return "needs an nginx with the PCRE library for regular expressions";

#endif
}


ngx_http_duplex_match_t *
ngx_http_duplex_match_find(ngx_array_t *matches, ngx_str_t *name)
{
    ngx_uint_t                 i;
    ngx_http_duplex_match_t  **match;

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
