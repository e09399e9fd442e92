
/*
 * links: modules/core/ngx_duplex_json.c
 *
 * The JSON writer: what it writes is JSON, whatever it is given.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../../modules/core/ngx_duplex_json.h"
#include "unit.h"


#define LONG  200000


static ngx_pool_t  *pool;


static void
is_text(const char *got, const char *expected, const char *what)
{
    ngx_str_t  text;

    text.data = (u_char *) got;
    text.len = ngx_strlen(got);

    is_str(&text, expected, "%s", what);
}


/* the text written so far, or "(none)" */

static char *
finish(ngx_duplex_json_t *json)
{
    off_t         length, n;
    u_char       *text;
    ngx_chain_t  *cl;

    cl = ngx_duplex_json_finish(json, &length);

    if (cl == NULL) {
        return "(none)";
    }

    text = ngx_pcalloc(pool, length + 1);

    for (n = 0; cl; cl = cl->next) {
        ngx_memcpy(text + n, cl->buf->pos, ngx_buf_size(cl->buf));
        n += ngx_buf_size(cl->buf);
    }

    return (n == length) ? (char *) text : "(wrong length)";
}


static char *
quoted(const char *data, size_t len)
{
    ngx_str_t           value;
    ngx_duplex_json_t  *json;

    value.data = (u_char *) data;
    value.len = len;

    json = ngx_duplex_json_create(pool);
    ngx_duplex_json_string(json, NULL, &value);

    return finish(json);
}

#define quoted_text(s)  quoted(s, sizeof(s) - 1)


static void
test_values(void)
{
    ngx_str_t           name = ngx_string("a\"b");
    ngx_duplex_json_t  *json;

    json = ngx_duplex_json_create(pool);

    ngx_duplex_json_object(json, NULL);
    ngx_duplex_json_integer(json, "min", -INT64_MAX);
    ngx_duplex_json_integer(json, "max", INT64_MAX);
    ngx_duplex_json_boolean(json, "yes", 7);
    ngx_duplex_json_boolean(json, "no", 0);
    ngx_duplex_json_time(json, "time", 1700000000042ULL);
    ngx_duplex_json_hex(json, "hex", 0xabcULL);
    ngx_duplex_json_array(json, "list");
    ngx_duplex_json_text(json, NULL, "x");
    ngx_duplex_json_object(json, NULL);
    ngx_duplex_json_object_end(json);
    ngx_duplex_json_array(json, NULL);
    ngx_duplex_json_array_end(json);
    ngx_duplex_json_array_end(json);
    ngx_duplex_json_object_named(json, &name);
    ngx_duplex_json_text(json, "", "");
    ngx_duplex_json_object_end(json);
    ngx_duplex_json_object_end(json);

    is_text(finish(json),
            "{\"min\":-9223372036854775807,\"max\":9223372036854775807,"
            "\"yes\":true,\"no\":false,"
            "\"time\":\"2023-11-14T22:13:20.042Z\","
            "\"hex\":\"0000000000000abc\","
            "\"list\":[\"x\",{},[]],\"a\\\"b\":{\"\":\"\"}}",
            "values of all types");
}


static void
test_strings(void)
{
    is_text(quoted_text(""), "\"\"", "an empty string");
    is_text(quoted_text("a\"\\/\n\r\t\b\x01\x1f\x7f"),
            "\"a\\\"\\\\/\\n\\r\\t\\u0008\\u0001\\u001f\x7f\"",
            "quotes and control characters are escaped");
    is_text(quoted("a\0b", 3), "\"a\\u0000b\"", "a zero byte is escaped");
    is_text(quoted_text("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"),
            "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"",
            "characters of 2, 3 and 4 bytes are left as they are");

#define BAD  "\xef\xbf\xbd"

    is_text(quoted_text("\xff" "a\x80" "b"), "\"" BAD "a" BAD "b\"",
            "stray bytes are replaced");
    is_text(quoted_text("\xc0\xaf"), "\"" BAD BAD "\"", "overlong, 2 bytes");
    is_text(quoted_text("\xe0\x80\x80"), "\"" BAD BAD BAD "\"",
            "overlong, 3 bytes");
    is_text(quoted_text("\xf0\x80\x80\x80"), "\"" BAD BAD BAD BAD "\"",
            "overlong, 4 bytes");
    is_text(quoted_text("\xed\xa0\x80"), "\"" BAD BAD BAD "\"",
            "a surrogate");
    is_text(quoted_text("\xf4\x90\x80\x80"), "\"" BAD BAD BAD BAD "\"",
            "above U+10FFFF");
    is_text(quoted_text("\xe2\x82"), "\"" BAD BAD "\"",
            "a character cut off at the end");
    is_text(quoted_text("\xe2\x82\""), "\"" BAD BAD "\\\"\"",
            "a cut character does not hide the quote behind it");
    is_text(quoted_text("\xf0\x9f\x98\n"), "\"" BAD BAD BAD "\\n\"",
            "a cut character does not hide the control behind it");
}


/* escapes and characters fall on every offset of the buffers' borders */

static void
test_long(void)
{
    char       *out;
    u_char     *in, *expected, *p;
    ngx_uint_t  i, shift, good;

    in = ngx_palloc(pool, LONG + 8);
    expected = ngx_palloc(pool, 3 * LONG + 64);
    good = 1;

    for (shift = 0; shift < 7; shift++) {

        ngx_memset(in, 'a', shift);

        for (i = shift; i + 4 < LONG; i += 4) {
            ngx_memcpy(in + i, "\xe2\x82\xac\x01", 4);
        }

        p = expected;
        *p++ = '"';
        p = ngx_cpymem(p, in, shift);

        while (i > shift) {
            p = ngx_cpymem(p, "\xe2\x82\xac\\u0001", 9);
            i -= 4;
        }

        *p++ = '"';
        *p = '\0';

        out = quoted((char *) in, shift + (LONG - 1 - shift) / 4 * 4);

        if (ngx_strcmp(out, expected) != 0) {
            good = 0;
        }
    }

    ok(good, "long strings over the borders of buffers");
}


static void
test_nesting(void)
{
    ngx_uint_t          i;
    ngx_duplex_json_t  *json;

    json = ngx_duplex_json_create(pool);
    is_text(finish(json), "(none)", "nothing is no value");

    json = ngx_duplex_json_create(pool);
    ngx_duplex_json_array(json, NULL);
    is_text(finish(json), "(none)", "an array left open");

    json = ngx_duplex_json_create(pool);
    ngx_duplex_json_array(json, NULL);
    ngx_duplex_json_object_end(json);
    is_text(finish(json), "(none)", "an array closed as an object");

    json = ngx_duplex_json_create(pool);
    ngx_duplex_json_object_end(json);
    is_text(finish(json), "(none)", "an end without a beginning");

    json = ngx_duplex_json_create(pool);
    ngx_duplex_json_integer(json, NULL, 1);
    ngx_duplex_json_integer(json, NULL, 2);
    is_text(finish(json), "(none)", "two values at the top");

    json = ngx_duplex_json_create(pool);
    ngx_duplex_json_object(json, NULL);
    ngx_duplex_json_integer(json, NULL, 1);
    ngx_duplex_json_object_end(json);
    is_text(finish(json), "(none)", "a member without a name");

    json = ngx_duplex_json_create(pool);
    ngx_duplex_json_array(json, NULL);
    ngx_duplex_json_integer(json, "a", 1);
    ngx_duplex_json_array_end(json);
    is_text(finish(json), "(none)", "a name in an array");

    json = ngx_duplex_json_create(pool);

    for (i = 0; i < 32; i++) {
        ngx_duplex_json_array(json, NULL);
    }

    for (i = 0; i < 32; i++) {
        ngx_duplex_json_array_end(json);
    }

    ok(ngx_strlen(finish(json)) == 64, "32 levels");

    json = ngx_duplex_json_create(pool);

    for (i = 0; i < 33; i++) {
        ngx_duplex_json_array(json, NULL);
    }

    for (i = 0; i < 33; i++) {
        ngx_duplex_json_array_end(json);
    }

    is_text(finish(json), "(none)", "33 levels");
}


static char *
restricted(ngx_uint_t level, ngx_str_t *fields, ngx_uint_t n)
{
    ngx_duplex_json_t  *json;

    json = ngx_duplex_json_create(pool);
    ngx_duplex_json_restrict(json, level, fields, n);

    ngx_duplex_json_object(json, NULL);
    ngx_duplex_json_array(json, "list");
    ngx_duplex_json_object(json, NULL);
    ngx_duplex_json_integer(json, "id", 1);
    ngx_duplex_json_object_end(json);
    ngx_duplex_json_array_end(json);
    ngx_duplex_json_object(json, "app");
    ngx_duplex_json_integer(json, "id", 2);
    ngx_duplex_json_integer(json, "idle", 3);
    ngx_duplex_json_object_end(json);
    ngx_duplex_json_integer(json, "id", 4);
    ngx_duplex_json_object_end(json);

    return finish(json);
}


static char *
restricted_array(ngx_str_t *fields, ngx_uint_t n)
{
    ngx_duplex_json_t  *json;

    json = ngx_duplex_json_create(pool);
    ngx_duplex_json_restrict(json, 1, fields, n);

    ngx_duplex_json_array(json, NULL);
    ngx_duplex_json_object(json, NULL);
    ngx_duplex_json_integer(json, "id", 1);
    ngx_duplex_json_integer(json, "idle", 2);
    ngx_duplex_json_object_end(json);
    ngx_duplex_json_integer(json, NULL, 3);
    ngx_duplex_json_array_end(json);

    return finish(json);
}


static void
test_restrict(void)
{
    ngx_str_t  id[] = { ngx_string("x"), ngx_string("id") };
    ngx_str_t  list[] = { ngx_string("list") };

    is_text(restricted(1, id, 2), "{\"id\":4}", "one member");
    is_text(restricted(1, list, 1), "{\"list\":[{\"id\":1}]}",
            "one member with all that is in it");
    is_text(restricted(1, id, 1), "{}", "no such member");
    is_text(restricted(2, id, 2),
            "{\"list\":[{\"id\":1}],\"app\":{\"id\":2},\"id\":4}",
            "members of the objects in an object");
    is_text(restricted_array(id, 2), "[{\"id\":1},3]",
            "members of the objects in an array");
}


int
main(void)
{
    pool = ngx_create_pool(4096, ngx_cycle->log);

    test_values();
    test_strings();
    test_long();
    test_nesting();
    test_restrict();

    ngx_destroy_pool(pool);

    return done_testing();
}
