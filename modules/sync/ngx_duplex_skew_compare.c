
/*
 * Two nodes' words on one zone, line by line and token by token.  Pure.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_skew.h"


#define NGX_DUPLEX_SKEW_NAME_MAX  1280


/* a line, or a token of one */
typedef struct {
    ngx_str_t  name;
    ngx_str_t  value;
} ngx_duplex_skew_pair_t;


static ngx_uint_t ngx_duplex_skew_next(ngx_str_t *rest, u_char part,
    u_char end, ngx_duplex_skew_pair_t *pair);
static ngx_uint_t ngx_duplex_skew_find(ngx_str_t *lines, ngx_str_t *name,
    ngx_duplex_skew_pair_t *line);
static void ngx_duplex_skew_narrow(ngx_duplex_skew_pair_t *here,
    ngx_duplex_skew_pair_t *there, ngx_duplex_difference_t *difference,
    ngx_duplex_skew_visit_pt visit, void *data);
static ngx_uint_t ngx_duplex_skew_alike(ngx_str_t *here, ngx_str_t *there);


void
ngx_duplex_skew_compare(ngx_str_t *here, ngx_str_t *there,
    ngx_duplex_difference_t *difference, ngx_duplex_skew_visit_pt visit,
    void *data)
{
    ngx_str_t               rest;
    ngx_duplex_skew_pair_t  one, two;

    rest = *here;

    while (ngx_duplex_skew_next(&rest, '\t', '\n', &one)) {

        if (!ngx_duplex_skew_find(there, &one.name, &two)) {
            difference->name = one.name;
            difference->here = one.value;
            ngx_str_null(&difference->there);

            visit(difference, data);

        } else if (!ngx_duplex_skew_same(&one.value, &two.value)) {
            ngx_duplex_skew_narrow(&one, &two, difference, visit, data);
        }
    }

    rest = *there;

    while (ngx_duplex_skew_next(&rest, '\t', '\n', &two)) {

        if (!ngx_duplex_skew_find(here, &two.name, &one)) {
            difference->name = two.name;
            ngx_str_null(&difference->here);
            difference->there = two.value;

            visit(difference, data);
        }
    }
}


/* 0: nothing is left; what has no value has an empty one */

static ngx_uint_t
ngx_duplex_skew_next(ngx_str_t *rest, u_char part, u_char end,
    ngx_duplex_skew_pair_t *pair)
{
    u_char  *p, *last;

    if (rest->len == 0) {
        return 0;
    }

    last = rest->data + rest->len;

    for (p = rest->data; p < last && *p != part && *p != end; p++) {
        /* void */
    }

    pair->name.data = rest->data;
    pair->name.len = p - rest->data;

    if (p < last && *p == part) {
        p++;
    }

    pair->value.data = p;

    while (p < last && *p != end) {
        p++;
    }

    pair->value.len = p - pair->value.data;

    if (p < last) {
        p++;
    }

    rest->data = p;
    rest->len = last - p;

    return 1;
}


static ngx_uint_t
ngx_duplex_skew_find(ngx_str_t *lines, ngx_str_t *name,
    ngx_duplex_skew_pair_t *line)
{
    ngx_str_t  rest;

    rest = *lines;

    while (ngx_duplex_skew_next(&rest, '\t', '\n', line)) {
        if (ngx_duplex_skew_same(&line->name, name)) {
            return 1;
        }
    }

    return 0;
}


/* "weight=1 max_conns=0" on both sides: only what differs of it */

static void
ngx_duplex_skew_narrow(ngx_duplex_skew_pair_t *here,
    ngx_duplex_skew_pair_t *there, ngx_duplex_difference_t *difference,
    ngx_duplex_skew_visit_pt visit, void *data)
{
    u_char                  name[NGX_DUPLEX_SKEW_NAME_MAX];
    ngx_str_t               left, right;
    ngx_duplex_skew_pair_t  one, two;

    if (!ngx_duplex_skew_alike(&here->value, &there->value)) {
        difference->name = here->name;
        difference->here = here->value;
        difference->there = there->value;

        visit(difference, data);
        return;
    }

    left = here->value;
    right = there->value;

    while (ngx_duplex_skew_next(&left, '=', ' ', &one)
           && ngx_duplex_skew_next(&right, '=', ' ', &two))
    {
        if (ngx_duplex_skew_same(&one.value, &two.value)) {
            continue;
        }

        difference->name.data = name;
        difference->name.len = ngx_snprintf(name, NGX_DUPLEX_SKEW_NAME_MAX,
                                            "%V %V", &here->name, &one.name)
                               - name;
        difference->here = one.value;
        difference->there = two.value;

        visit(difference, data);
    }
}


/* the same names in the same order */

static ngx_uint_t
ngx_duplex_skew_alike(ngx_str_t *here, ngx_str_t *there)
{
    ngx_str_t               left, right;
    ngx_uint_t              more;
    ngx_duplex_skew_pair_t  one, two;

    left = *here;
    right = *there;

    for ( ;; ) {

        more = ngx_duplex_skew_next(&left, '=', ' ', &one);

        if (more != ngx_duplex_skew_next(&right, '=', ' ', &two)) {
            return 0;
        }

        if (!more) {
            return 1;
        }

        if (!ngx_duplex_skew_same(&one.name, &two.name)) {
            return 0;
        }
    }
}
