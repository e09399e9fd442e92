
/*
 * The JSON writer: one value, written front to back into a chain of buffers.
 *
 * Everything lives in the pool given at creation; one writer has one user at
 * a time.  An error (no memory, a misplaced end) is remembered, what follows
 * it is swallowed, and finish() tells.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_json.h"


#define NGX_DUPLEX_JSON_DEPTH   32
#define NGX_DUPLEX_JSON_BUFFER  1024        /* the first; each next doubles */
#define NGX_DUPLEX_JSON_LARGE   65536


struct ngx_duplex_json_s {
    ngx_pool_t    *pool;
    ngx_chain_t   *chain;
    ngx_chain_t  **last;
    ngx_buf_t     *buf;
    size_t         size;                    /* of the next buffer */
    off_t          length;

    ngx_uint_t     depth;
    u_char         end[NGX_DUPLEX_JSON_DEPTH];      /* "}" or "]" */

    ngx_str_t     *fields;                  /* only these members ... */
    ngx_uint_t     nfields;
    ngx_uint_t     level;                   /* ... of objects this deep */
    ngx_uint_t     hidden;                  /* depth of the hidden value */

    unsigned       names:1;                 /* of the top's members only */
    unsigned       comma:1;                 /* a value stands before */
    unsigned       failed:1;
};


static ngx_uint_t ngx_duplex_json_begin(ngx_duplex_json_t *json,
    const u_char *name, size_t len);
static ngx_uint_t ngx_duplex_json_wanted(ngx_duplex_json_t *json,
    const u_char *name, size_t len);
static void ngx_duplex_json_open(ngx_duplex_json_t *json, const u_char *name,
    size_t len, u_char start, u_char end);
static void ngx_duplex_json_close(ngx_duplex_json_t *json, u_char end);
static void ngx_duplex_json_quote(ngx_duplex_json_t *json, const u_char *p,
    size_t len);
static size_t ngx_duplex_json_escape(u_char *out, u_char ch);
static size_t ngx_duplex_json_utf8(const u_char *p, const u_char *last);
static void ngx_duplex_json_write(ngx_duplex_json_t *json, const void *data,
    size_t len);


#define ngx_duplex_json_len(name)                                             \
    ((name) ? ngx_strlen(name) : 0)


ngx_duplex_json_t *
ngx_duplex_json_create(ngx_pool_t *pool)
{
    ngx_duplex_json_t  *json;

    json = ngx_pcalloc(pool, sizeof(ngx_duplex_json_t));
    if (json == NULL) {
        return NULL;
    }

    json->pool = pool;
    json->last = &json->chain;
    json->size = NGX_DUPLEX_JSON_BUFFER;

    return json;
}


void
ngx_duplex_json_restrict(ngx_duplex_json_t *json, ngx_uint_t level,
    ngx_str_t *fields, ngx_uint_t n)
{
    json->level = level;
    json->fields = fields;
    json->nfields = n;
}


void
ngx_duplex_json_names(ngx_duplex_json_t *json)
{
    json->names = 1;
}


void
ngx_duplex_json_object(ngx_duplex_json_t *json, const char *name)
{
    ngx_duplex_json_open(json, (const u_char *) name,
                         ngx_duplex_json_len(name), '{', '}');
}


void
ngx_duplex_json_object_named(ngx_duplex_json_t *json, ngx_str_t *name)
{
    static const u_char  empty[] = "";

    ngx_duplex_json_open(json, name->len ? name->data : empty, name->len,
                         '{', '}');
}


void
ngx_duplex_json_object_end(ngx_duplex_json_t *json)
{
    ngx_duplex_json_close(json, '}');
}


void
ngx_duplex_json_array(ngx_duplex_json_t *json, const char *name)
{
    ngx_duplex_json_open(json, (const u_char *) name,
                         ngx_duplex_json_len(name), '[', ']');
}


void
ngx_duplex_json_array_end(ngx_duplex_json_t *json)
{
    ngx_duplex_json_close(json, ']');
}


void
ngx_duplex_json_string(ngx_duplex_json_t *json, const char *name,
    ngx_str_t *value)
{
    if (ngx_duplex_json_begin(json, (const u_char *) name,
                              ngx_duplex_json_len(name)))
    {
        ngx_duplex_json_quote(json, value->data, value->len);
    }
}


void
ngx_duplex_json_string_named(ngx_duplex_json_t *json, ngx_str_t *name,
    ngx_str_t *value)
{
    static const u_char  empty[] = "";

    if (ngx_duplex_json_begin(json, name->len ? name->data : empty, name->len))
    {
        ngx_duplex_json_quote(json, value->data, value->len);
    }
}


void
ngx_duplex_json_text(ngx_duplex_json_t *json, const char *name,
    const char *value)
{
    if (ngx_duplex_json_begin(json, (const u_char *) name,
                              ngx_duplex_json_len(name)))
    {
        ngx_duplex_json_quote(json, (const u_char *) value,
                              ngx_strlen(value));
    }
}


void
ngx_duplex_json_integer(ngx_duplex_json_t *json, const char *name,
    int64_t value)
{
    u_char  *p, text[NGX_INT64_LEN];

    if (ngx_duplex_json_begin(json, (const u_char *) name,
                              ngx_duplex_json_len(name)))
    {
        p = ngx_snprintf(text, sizeof(text), "%L", value);
        ngx_duplex_json_write(json, text, p - text);
    }
}


void
ngx_duplex_json_decimal(ngx_duplex_json_t *json, const char *name,
    int64_t value, ngx_uint_t places)
{
    u_char      *p, text[NGX_INT64_LEN + 3];
    uint64_t     whole;
    ngx_uint_t   i, unit;

    for ( /* void */ ; places && value % 10 == 0; places--) {
        value /= 10;
    }

    for (i = 0, unit = 1; i < places; i++) {
        unit *= 10;
    }

    whole = value < 0 ? -value : value;

    if (ngx_duplex_json_begin(json, (const u_char *) name,
                              ngx_duplex_json_len(name)))
    {
        p = ngx_sprintf(text, "%s%uL", value < 0 ? "-" : "", whole / unit);

        if (places) {
            *p++ = '.';

            for (unit /= 10; unit; unit /= 10) {
                *p++ = (u_char) ('0' + whole / unit % 10);
            }
        }

        ngx_duplex_json_write(json, text, p - text);
    }
}


void
ngx_duplex_json_boolean(ngx_duplex_json_t *json, const char *name,
    ngx_uint_t value)
{
    if (ngx_duplex_json_begin(json, (const u_char *) name,
                              ngx_duplex_json_len(name)))
    {
        ngx_duplex_json_write(json, value ? "true" : "false", value ? 4 : 5);
    }
}


void
ngx_duplex_json_time(ngx_duplex_json_t *json, const char *name, uint64_t ms)
{
    u_char    *p, text[sizeof("\"1970-01-01T00:00:00.000Z\"") + 8];
    ngx_tm_t   tm;

    if (!ngx_duplex_json_begin(json, (const u_char *) name,
                               ngx_duplex_json_len(name)))
    {
        return;
    }

    ngx_gmtime((time_t) (ms / 1000), &tm);

    p = ngx_snprintf(text, sizeof(text),
                     "\"%4d-%02d-%02dT%02d:%02d:%02d.%03dZ\"",
                     tm.ngx_tm_year, tm.ngx_tm_mon, tm.ngx_tm_mday,
                     tm.ngx_tm_hour, tm.ngx_tm_min, tm.ngx_tm_sec,
                     (int) (ms % 1000));

    ngx_duplex_json_write(json, text, p - text);
}


void
ngx_duplex_json_hex(ngx_duplex_json_t *json, const char *name, uint64_t value)
{
    u_char  *p, text[sizeof("\"0123456789abcdef\"")];

    if (ngx_duplex_json_begin(json, (const u_char *) name,
                              ngx_duplex_json_len(name)))
    {
        p = ngx_snprintf(text, sizeof(text), "\"%016xL\"", value);
        ngx_duplex_json_write(json, text, p - text);
    }
}


ngx_uint_t
ngx_duplex_json_reopen(ngx_duplex_json_t *json)
{
    if (json->depth || json->length < 2 || json->buf->last[-1] != '}') {
        return 0;
    }

    json->buf->last--;
    json->length--;
    json->end[json->depth++] = '}';
    json->comma = (json->length > 1);

    return 1;
}


ngx_uint_t
ngx_duplex_json_is_empty(ngx_duplex_json_t *json)
{
    return json->length == 0 && json->depth == 0 && !json->failed;
}


ngx_chain_t *
ngx_duplex_json_finish(ngx_duplex_json_t *json, off_t *length)
{
    if (json->failed || json->depth || json->length == 0) {
        return NULL;
    }

    *length = json->length;

    return json->chain;
}


/* the name of a value, if it has one; 0: nothing may be written */

static ngx_uint_t
ngx_duplex_json_begin(ngx_duplex_json_t *json, const u_char *name, size_t len)
{
    ngx_uint_t  member;

    if (json->hidden || json->failed) {
        return 0;
    }

    member = (json->depth && json->end[json->depth - 1] == '}');

    if (member != (name != NULL) || (json->depth == 0 && json->length)) {
        json->failed = 1;
        return 0;
    }

    if (member && !ngx_duplex_json_wanted(json, name, len)) {
        return 0;
    }

    if (json->comma) {
        ngx_duplex_json_write(json, ",", 1);
    }

    json->comma = 1;

    if (!member) {
        return 1;
    }

    ngx_duplex_json_quote(json, name, len);

    if (json->names && json->depth == 1) {
        return 0;
    }

    ngx_duplex_json_write(json, ":", 1);

    return 1;
}


static ngx_uint_t
ngx_duplex_json_wanted(ngx_duplex_json_t *json, const u_char *name, size_t len)
{
    ngx_uint_t  i, level;

    level = json->level + (json->end[0] == ']');

    if (json->fields == NULL || json->depth != level) {
        return 1;
    }

    for (i = 0; i < json->nfields; i++) {
        if (json->fields[i].len == len
            && ngx_strncmp(json->fields[i].data, name, len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


static void
ngx_duplex_json_open(ngx_duplex_json_t *json, const u_char *name, size_t len,
    u_char start, u_char end)
{
    ngx_uint_t  hide;

    if (json->depth == NGX_DUPLEX_JSON_DEPTH) {
        json->failed = 1;
    }

    hide = !ngx_duplex_json_begin(json, name, len);

    if (json->failed) {
        return;
    }

    if (json->names && json->depth == 0 && start == '{') {
        start = '[';
    }

    json->end[json->depth++] = end;

    if (!hide) {
        ngx_duplex_json_write(json, &start, 1);
        json->comma = 0;

    } else if (json->hidden == 0) {
        json->hidden = json->depth;
    }
}


static void
ngx_duplex_json_close(ngx_duplex_json_t *json, u_char end)
{
    if (json->failed) {
        return;
    }

    if (json->depth == 0 || json->end[json->depth - 1] != end) {
        json->failed = 1;
        return;
    }

    if (json->hidden == 0) {

        if (json->names && json->depth == 1) {
            end = ']';
        }

        ngx_duplex_json_write(json, &end, 1);
        json->comma = 1;

    } else if (json->hidden == json->depth) {
        json->hidden = 0;
    }

    json->depth--;
}


static void
ngx_duplex_json_quote(ngx_duplex_json_t *json, const u_char *p, size_t len)
{
    size_t         n;
    u_char         escaped[sizeof("\\u0000")];
    const u_char  *start, *last;

    ngx_duplex_json_write(json, "\"", 1);

    start = p;
    last = p + len;

    while (p < last) {

        n = ngx_duplex_json_utf8(p, last);

        if (n && *p >= 0x20 && *p != '"' && *p != '\\') {
            p += n;
            continue;
        }

        ngx_duplex_json_write(json, start, p - start);

        if (n) {
            n = ngx_duplex_json_escape(escaped, *p);
            ngx_duplex_json_write(json, escaped, n);

        } else {
            ngx_duplex_json_write(json, "\xef\xbf\xbd", 3);
        }

        start = ++p;
    }

    ngx_duplex_json_write(json, start, p - start);
    ngx_duplex_json_write(json, "\"", 1);
}


static size_t
ngx_duplex_json_escape(u_char *out, u_char ch)
{
    u_char  *p;

    p = out;
    *p++ = '\\';

    switch (ch) {

    case '"':
    case '\\':
        *p++ = ch;
        break;

    case '\n':
        *p++ = 'n';
        break;

    case '\r':
        *p++ = 'r';
        break;

    case '\t':
        *p++ = 't';
        break;

    default:
        p = ngx_sprintf(p, "u%04xd", (int) ch);
    }

    return p - out;
}


/*
 * The length of the character at "p", 0 if it is none: no overlong forms, no
 * surrogates, nothing above U+10FFFF (The Unicode Standard, table 3-7).
 */

static size_t
ngx_duplex_json_utf8(const u_char *p, const u_char *last)
{
    size_t  i, n;
    u_char  low, high;

    low = 0x80;
    high = 0xbf;

    if (p[0] < 0x80) {
        return 1;

    } else if (p[0] >= 0xc2 && p[0] <= 0xdf) {
        n = 2;

    } else if (p[0] >= 0xe0 && p[0] <= 0xef) {
        n = 3;
        low = (p[0] == 0xe0) ? 0xa0 : low;
        high = (p[0] == 0xed) ? 0x9f : high;

    } else if (p[0] >= 0xf0 && p[0] <= 0xf4) {
        n = 4;
        low = (p[0] == 0xf0) ? 0x90 : low;
        high = (p[0] == 0xf4) ? 0x8f : high;

    } else {
        return 0;
    }

    if ((size_t) (last - p) < n || p[1] < low || p[1] > high) {
        return 0;
    }

    for (i = 2; i < n; i++) {
        if (p[i] < 0x80 || p[i] > 0xbf) {
            return 0;
        }
    }

    return n;
}


static void
ngx_duplex_json_write(ngx_duplex_json_t *json, const void *data, size_t len)
{
    size_t         n;
    ngx_chain_t   *cl;
    const u_char  *p;

    p = data;

    while (len && !json->failed) {

        if (json->buf == NULL || json->buf->last == json->buf->end) {

            cl = ngx_alloc_chain_link(json->pool);
            json->buf = ngx_create_temp_buf(json->pool, json->size);

            if (cl == NULL || json->buf == NULL) {
                json->failed = 1;
                return;
            }

            cl->buf = json->buf;
            cl->next = NULL;

            *json->last = cl;
            json->last = &cl->next;

            json->size = ngx_min(json->size * 2, NGX_DUPLEX_JSON_LARGE);
        }

        n = ngx_min(len, (size_t) (json->buf->end - json->buf->last));

        json->buf->last = ngx_cpymem(json->buf->last, p, n);
        json->length += n;

        p += n;
        len -= n;
    }
}
