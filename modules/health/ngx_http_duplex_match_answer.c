
/*
 * An answer against the tests of a `match` block of http{}.
 *
 * All headers are seen, also those that clients are not shown; a header that
 * came several times is each of its values: one that is wanted is enough, one
 * that is not wanted is too much.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "ngx_http_duplex_match.h"


/* of a value that is quoted to people */
#define NGX_HTTP_DUPLEX_MATCH_QUOTE  60


static ngx_uint_t ngx_http_duplex_match_has_status(
    ngx_http_duplex_match_t *match, ngx_uint_t status);
static ngx_uint_t ngx_http_duplex_match_has_header(
    ngx_http_duplex_match_test_t *test, ngx_http_request_t *r,
    ngx_str_t *got);
static ngx_uint_t ngx_http_duplex_match_text(
    ngx_http_duplex_match_test_t *test, ngx_str_t *text);
static ngx_int_t ngx_http_duplex_match_is_set(ngx_http_request_t *r,
    ngx_http_duplex_match_require_t *require);
static void ngx_http_duplex_match_cut(ngx_str_t *text);


ngx_duplex_reason_e
ngx_http_duplex_match_answer(ngx_http_duplex_match_t *match,
    ngx_http_request_t *r, ngx_str_t *body, ngx_str_t *text, size_t size)
{
    u_char                           *last;
    ngx_str_t                         got;
    ngx_uint_t                        i;
    ngx_http_duplex_match_test_t     *test;
    ngx_http_duplex_match_require_t  *require;

    last = text->data + size;

    if (!ngx_http_duplex_match_has_status(match,
                                          r->upstream->headers_in.status_n))
    {
        text->len = ngx_slprintf(text->data, last, "expected \"%V\"",
                                 &match->status)
                    - text->data;
        return ngx_duplex_reason_status;
    }

    test = match->headers.elts;

    for (i = 0; i < match->headers.nelts; i++) {

        if (ngx_http_duplex_match_has_header(&test[i], r, &got)) {
            continue;
        }

        if (test[i].op.len == 0) {
            last = ngx_slprintf(text->data, last, "expected \"%V\", there is "
                                "none", &test[i].name);

        } else if (test[i].value.data == NULL) {
            last = ngx_slprintf(text->data, last, "expected no \"%V\", got "
                                "\"%V\"", &test[i].name, &got);

        } else {
            last = ngx_slprintf(text->data, last, "expected \"%V %V %V\", "
                                "got %s%V%s", &test[i].name, &test[i].op,
                                &test[i].value, got.data ? "\"" : "none",
                                &got, got.data ? "\"" : "");
        }

        text->len = last - text->data;
        return ngx_duplex_reason_header;
    }

    test = match->body;

    if (test && !ngx_http_duplex_match_text(test, body)) {
        got = *body;
        ngx_http_duplex_match_cut(&got);

        text->len = ngx_slprintf(text->data, last, "expected \"%V %V\", got "
                                 "%uz bytes: \"%V\"", &test->op, &test->value,
                                 body->len, &got)
                    - text->data;
        return ngx_duplex_reason_body;
    }

    require = match->require.elts;

    for (i = 0; i < match->require.nelts; i++) {

        if (!ngx_http_duplex_match_is_set(r, &require[i])) {
            text->len = ngx_slprintf(text->data, last, "\"$%V\" is empty or "
                                     "\"0\"", &require[i].name)
                        - text->data;
            return ngx_duplex_reason_require;
        }
    }

    return ngx_duplex_reason_none;
}


static ngx_uint_t
ngx_http_duplex_match_has_status(ngx_http_duplex_match_t *match,
    ngx_uint_t status)
{
    ngx_uint_t                      i;
    ngx_http_duplex_match_range_t  *range;

    if (match->status.len == 0) {
        return 1;
    }

    range = match->ranges.elts;

    for (i = 0; i < match->ranges.nelts; i++) {
        if (status >= range[i].from && status <= range[i].to) {
            return !match->other;
        }
    }

    return match->other;
}


/* "got": its value, or the first that is not wanted; NULL: there is none */

static ngx_uint_t
ngx_http_duplex_match_has_header(ngx_http_duplex_match_test_t *test,
    ngx_http_request_t *r, ngx_str_t *got)
{
    ngx_uint_t        i, not, passed;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    ngx_str_null(got);

    not = (test->op.len && test->op.data[0] == '!');
    passed = 0;

    part = &r->upstream->headers_in.headers.part;
    h = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                break;
            }

            part = part->next;
            h = part->elts;
            i = 0;
        }

        if (h[i].hash == 0
            || h[i].key.len != test->name.len
            || ngx_strncasecmp(h[i].key.data, test->name.data, h[i].key.len)
               != 0)
        {
            continue;
        }

        *got = h[i].value;
        ngx_http_duplex_match_cut(got);

        passed = ngx_http_duplex_match_text(test, &h[i].value);

        if (passed != not) {

            /* one that is wanted, or one that is not: the rest is the same */

            return passed;
        }
    }

    if (got->data == NULL) {
        return test->value.data == NULL && not;
    }

    return passed;
}


/* whether one value is what the test wants; one that is there at all, too */

static ngx_uint_t
ngx_http_duplex_match_text(ngx_http_duplex_match_test_t *test, ngx_str_t *text)
{
    ngx_uint_t  not, equal;

    not = (test->op.len && test->op.data[0] == '!');

#if (NGX_PCRE)

    if (test->regex) {
        return (ngx_regex_exec(test->regex, text, NULL, 0) >= 0) != not;
    }

#endif

    equal = (test->value.data == NULL
             || (test->value.len == text->len
                 && ngx_memcmp(test->value.data, text->data, text->len)
                    == 0));

    return equal != not;
}


static ngx_int_t
ngx_http_duplex_match_is_set(ngx_http_request_t *r,
    ngx_http_duplex_match_require_t *require)
{
    ngx_http_variable_value_t  *v;

    v = ngx_http_get_flushed_variable(r, require->index);

    return v && !v->not_found && v->len
           && !(v->len == 1 && v->data[0] == '0');
}


/* one line of text, and not too much of it */

static void
ngx_http_duplex_match_cut(ngx_str_t *text)
{
    size_t  n;

    for (n = 0; n < text->len && n < NGX_HTTP_DUPLEX_MATCH_QUOTE; n++) {
        if (text->data[n] < ' ' || text->data[n] == 0x7f) {
            break;
        }
    }

    text->len = n;
}
