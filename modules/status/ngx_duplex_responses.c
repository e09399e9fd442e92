
/*
 * See the header.  A status that is not in the table counts in its class
 * only, and is left out of "codes".
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_responses.h"


static uint16_t  ngx_duplex_responses_codes[NGX_DUPLEX_RESPONSES_CODES] = {
    100, 101, 103,
    200, 201, 202, 204, 206, 207,
    301, 302, 303, 304, 307, 308,
    400, 401, 402, 403, 404, 405, 408, 409, 410, 412, 413, 414, 416, 422, 429,
    444, 499,
    500, 501, 502, 503, 504
};


const char  *ngx_duplex_responses_classes[NGX_DUPLEX_RESPONSES_CLASSES] = {
    "1xx", "2xx", "3xx", "4xx", "5xx"
};


/* 0 if the status has no counter of its own, else its place from 1 */
static u_char       ngx_duplex_responses_place[600];


void
ngx_duplex_responses_count(ngx_duplex_cell_t *cell, ngx_uint_t first,
    ngx_uint_t status)
{
    ngx_uint_t  i;

    if (status < 100 || status > 599) {
        return;
    }

    if (ngx_duplex_responses_place[100] == 0) {
        for (i = 0; i < NGX_DUPLEX_RESPONSES_CODES; i++) {
            ngx_duplex_responses_place[ngx_duplex_responses_codes[i]] = i + 1;
        }
    }

    ngx_duplex_count(cell, first + status / 100 - 1, 1);

    i = ngx_duplex_responses_place[status];

    if (i) {
        ngx_duplex_count(cell, first + NGX_DUPLEX_RESPONSES_CLASSES + i - 1, 1);
    }
}


void
ngx_duplex_responses_render(ngx_duplex_json_t *json, ngx_uint_t first,
    ngx_duplex_sum_t *sum)
{
    u_char       code[4];
    uint64_t     total, n;
    ngx_uint_t   i;

    total = 0;

    ngx_duplex_json_object(json, "responses");

    for (i = 0; i < NGX_DUPLEX_RESPONSES_CLASSES; i++) {
        n = sum->count[first + i];
        total += n;
        ngx_duplex_json_integer(json, ngx_duplex_responses_classes[i], n);
    }

    ngx_duplex_json_object(json, "codes");

    for (i = 0; i < NGX_DUPLEX_RESPONSES_CODES; i++) {

        n = sum->count[first + NGX_DUPLEX_RESPONSES_CLASSES + i];

        if (n) {
            ngx_sprintf(code, "%d%Z", (int) ngx_duplex_responses_codes[i]);
            ngx_duplex_json_integer(json, (char *) code, n);
        }
    }

    ngx_duplex_json_object_end(json);

    ngx_duplex_json_integer(json, "total", total);

    ngx_duplex_json_object_end(json);
}
