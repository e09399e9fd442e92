
/*
 * Counters of HTTP responses by status: a range of counters of a cell, and
 * how they look in the API.
 */


#ifndef _NGX_DUPLEX_RESPONSES_H_INCLUDED_
#define _NGX_DUPLEX_RESPONSES_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_json.h"
#include "ngx_duplex_counters.h"


#define NGX_DUPLEX_RESPONSES_CLASSES  5                     /* 1xx to 5xx */
#define NGX_DUPLEX_RESPONSES_CODES    37                    /* known ones */
#define NGX_DUPLEX_RESPONSES                                                  \
    (NGX_DUPLEX_RESPONSES_CLASSES + NGX_DUPLEX_RESPONSES_CODES)


/* "1xx" to "5xx" */
extern const char  *ngx_duplex_responses_classes[NGX_DUPLEX_RESPONSES_CLASSES];

/* counts a response; the range begins at counter "first" */
void ngx_duplex_responses_count(ngx_duplex_cell_t *cell, ngx_uint_t first,
    ngx_uint_t status);

/* "responses": 1xx to 5xx, codes, total */
void ngx_duplex_responses_render(ngx_duplex_json_t *json, ngx_uint_t first,
    ngx_duplex_sum_t *sum);


#endif /* _NGX_DUPLEX_RESPONSES_H_INCLUDED_ */
