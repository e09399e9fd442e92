
/*
 * See the header.  The parser goes as deep as the text does: how deep that
 * is, is found out first.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_body.h"


static ngx_uint_t ngx_duplex_body_is_deep(ngx_str_t *text);


json_t *
ngx_duplex_body_parse(ngx_str_t *text, char error[JSON_ERROR_TEXT_LENGTH])
{
    json_t        *value;
    json_error_t   err;

    if (ngx_duplex_body_is_deep(text)) {
        ngx_sprintf((u_char *) error,
                    "the depth of objects and arrays is above %d%Z",
                    NGX_DUPLEX_BODY_DEPTH);
        return NULL;
    }

    value = json_loadb((char *) text->data, text->len, JSON_REJECT_DUPLICATES,
                       &err);
    if (value == NULL) {
        ngx_memcpy(error, err.text, JSON_ERROR_TEXT_LENGTH);
    }

    return value;
}


static ngx_uint_t
ngx_duplex_body_is_deep(ngx_str_t *text)
{
    u_char      *p, *last;
    ngx_uint_t   depth, quoted;

    depth = 0;
    quoted = 0;

    last = text->data + text->len;

    for (p = text->data; p < last; p++) {

        if (quoted && *p == '\\') {
            p++;

        } else if (*p == '"') {
            quoted = !quoted;

        } else if (quoted) {
            continue;

        } else if (*p == '[' || *p == '{') {

            if (++depth > NGX_DUPLEX_BODY_DEPTH) {
                return 1;
            }

        } else if ((*p == ']' || *p == '}') && depth) {
            depth--;
        }
    }

    return 0;
}
