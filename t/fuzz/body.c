
/*
 * links: modules/api/ngx_duplex_body.c modules/core/ngx_duplex_page.c
 *
 * Fuzzer of bodies: what is accepted is JSON, no deeper than it may be, and
 * the same after it was written and read again; what a page compares with a
 * word or a number is taken from it as pages do.
 */


#include "fuzz.h"
#include "../../modules/api/ngx_duplex_body.h"
#include "../../modules/core/ngx_duplex_conf.h"
#include "../../modules/core/ngx_duplex_page.h"


ngx_duplex_conf_t  *ngx_duplex_present;


void
fuzz_init(void)
{
}


static ngx_uint_t
depth(json_t *value)
{
    size_t       i;
    json_t      *inner;
    ngx_uint_t   n, most;
    const char  *key;

    most = 0;

    json_object_foreach(value, key, inner) {
        n = depth(inner);
        most = ngx_max(n, most);
    }

    json_array_foreach(value, i, inner) {
        n = depth(inner);
        most = ngx_max(n, most);
    }

    return most + (json_is_object(value) || json_is_array(value));
}


static void
refuse(ngx_pool_t *pool, const char *key)
{
    ngx_duplex_call_t  call;

    ngx_memzero(&call, sizeof(ngx_duplex_call_t));

    call.pool = pool;

    (void) ngx_duplex_call_refuse(&call, 400, "UpstreamConfFormatError",
                                  "unknown parameter \"%s\"", key);

    must(call.text.len <= NGX_DUPLEX_CALL_TEXT_MAX);
}


void
fuzz_one(u_char *data, size_t len, ngx_pool_t *pool)
{
    char         error[JSON_ERROR_TEXT_LENGTH], *text;
    json_t      *value, *again, *inner;
    ngx_str_t    body, copy;
    const char  *key;

    body.data = data;
    body.len = len;

    value = ngx_duplex_body_parse(&body, error);

    if (value == NULL) {
        must(ngx_strlen(error) > 0
             && ngx_strlen(error) < JSON_ERROR_TEXT_LENGTH);
        return;
    }

    must(depth(value) <= NGX_DUPLEX_BODY_DEPTH);

    text = json_dumps(value, JSON_COMPACT|JSON_ENCODE_ANY);

    must(text != NULL);

    copy.data = (u_char *) text;
    copy.len = ngx_strlen(text);

    again = ngx_duplex_body_parse(&copy, error);

    must(again != NULL && json_equal(value, again));

    json_object_foreach(value, key, inner) {
        refuse(pool, key);
    }

    json_decref(again);
    json_decref(value);
    free(text);
}
