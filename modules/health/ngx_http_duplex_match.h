
/*
 * The blocks `match NAME { ... }` of http{}: what a good answer looks like.
 */


#ifndef _NGX_HTTP_DUPLEX_MATCH_H_INCLUDED_
#define _NGX_HTTP_DUPLEX_MATCH_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "ngx_duplex_health.h"


typedef struct {
    ngx_uint_t        from;
    ngx_uint_t        to;
} ngx_http_duplex_match_range_t;


typedef struct {
    ngx_str_t         name;
    ngx_str_t         op;           /* "", "!", "=", "!=", "~", "!~", ... */
    ngx_str_t         value;
#if (NGX_PCRE)
    ngx_regex_t      *regex;        /* of "~" and its like */
#endif
} ngx_http_duplex_match_test_t;


typedef struct {
    ngx_int_t         index;        /* of the variable */
    ngx_str_t         name;
} ngx_http_duplex_match_require_t;


typedef struct {
    ngx_str_t         name;

    ngx_str_t         status;       /* as it was written; empty: any */
    ngx_array_t       ranges;       /* ngx_http_duplex_match_range_t */
    ngx_uint_t        other;        /* none of the ranges */

    ngx_array_t       headers;      /* ngx_http_duplex_match_test_t */
    ngx_http_duplex_match_test_t
                     *body;         /* NULL: any */
    ngx_array_t       require;      /* ngx_http_duplex_match_require_t */
} ngx_http_duplex_match_t;


/*
 * The directive; at cmd->offset of "conf" is an array of
 * ngx_http_duplex_match_t *.
 */
char *ngx_http_duplex_match(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* NULL: none of this name in "matches" */
ngx_http_duplex_match_t *ngx_http_duplex_match_find(ngx_array_t *matches,
    ngx_str_t *name);

/*
 * The first test that the answer to "r" fails, "none" if it passes all; then
 * what was expected and what came is written to "text", of "size" bytes, and
 * text->data must be there already.
 */
ngx_duplex_reason_e ngx_http_duplex_match_answer(
    ngx_http_duplex_match_t *match, ngx_http_request_t *r, ngx_str_t *body,
    ngx_str_t *text, size_t size);


#endif /* _NGX_HTTP_DUPLEX_MATCH_H_INCLUDED_ */
