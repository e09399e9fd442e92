
/*
 * See the header.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_conf.h"
#include "ngx_duplex_metrics.h"


#define NGX_DUPLEX_METRICS_BUFFER  65536


typedef struct {
    ngx_duplex_metrics_more_pt   more;
    void                        *data;
} ngx_duplex_metrics_later_t;


struct ngx_duplex_metrics_s {
    ngx_pool_t    *pool;
    ngx_chain_t   *chain;
    ngx_chain_t  **last;
    ngx_buf_t     *buf;
    off_t          length;

    ngx_array_t    later;               /* ngx_duplex_metrics_later_t */
    ngx_uint_t     next;                /* of those */

    unsigned       labelled:1;          /* the open sample has a label */
    unsigned       failed:1;
};


static void ngx_duplex_metrics_name(ngx_duplex_metrics_t *metrics,
    const char *name);
static void ngx_duplex_metrics_value(ngx_duplex_metrics_t *metrics,
    u_char *text, size_t len);
static void ngx_duplex_metrics_write(ngx_duplex_metrics_t *metrics,
    const void *data, size_t len);
static void ngx_duplex_metrics_string(ngx_duplex_metrics_t *metrics,
    const char *text);


ngx_duplex_metrics_t *
ngx_duplex_metrics_create(ngx_pool_t *pool)
{
    ngx_duplex_metrics_t  *metrics;

    metrics = ngx_pcalloc(pool, sizeof(ngx_duplex_metrics_t));
    if (metrics == NULL) {
        return NULL;
    }

    if (ngx_array_init(&metrics->later, pool, 2,
                       sizeof(ngx_duplex_metrics_later_t))
        != NGX_OK)
    {
        return NULL;
    }

    metrics->pool = pool;
    metrics->last = &metrics->chain;

    return metrics;
}


ngx_pool_t *
ngx_duplex_metrics_pool(ngx_duplex_metrics_t *metrics)
{
    return metrics->pool;
}


void
ngx_duplex_metrics_family(ngx_duplex_metrics_t *metrics, const char *name,
    const char *type, const char *help)
{
    ngx_duplex_metrics_string(metrics, "# HELP ");
    ngx_duplex_metrics_string(metrics, name);
    ngx_duplex_metrics_string(metrics, " ");
    ngx_duplex_metrics_string(metrics, help);
    ngx_duplex_metrics_string(metrics, "\n# TYPE ");
    ngx_duplex_metrics_string(metrics, name);
    ngx_duplex_metrics_string(metrics, " ");
    ngx_duplex_metrics_string(metrics, type);
    ngx_duplex_metrics_string(metrics, "\n");
}


void
ngx_duplex_metrics_continue(ngx_duplex_metrics_t *metrics,
    ngx_duplex_metrics_more_pt more, void *data)
{
    ngx_duplex_metrics_later_t  *later;

    later = ngx_array_push(&metrics->later);
    if (later == NULL) {
        metrics->failed = 1;
        return;
    }

    later->more = more;
    later->data = data;
}


void
ngx_duplex_metrics_begin(ngx_duplex_metrics_t *metrics, const char *name)
{
    ngx_duplex_metrics_string(metrics, name);
    metrics->labelled = 0;
}


void
ngx_duplex_metrics_label(ngx_duplex_metrics_t *metrics, const char *name,
    ngx_str_t *value)
{
    u_char  *p, *start, *last;

    ngx_duplex_metrics_name(metrics, name);

    last = value->data + value->len;

    for (p = value->data, start = p; p < last; p++) {

        if (*p != '"' && *p != '\\' && *p != '\n') {
            continue;
        }

        ngx_duplex_metrics_write(metrics, start, p - start);
        ngx_duplex_metrics_string(metrics, *p == '\n' ? "\\n" : "\\");

        start = (*p == '\n') ? p + 1 : p;
    }

    ngx_duplex_metrics_write(metrics, start, p - start);
    ngx_duplex_metrics_string(metrics, "\"");
}


size_t
ngx_duplex_metrics_escape(u_char *dst, ngx_str_t *value)
{
    size_t   len;
    u_char  *p, *last;

    len = 0;
    last = value->data + value->len;

    for (p = value->data; p < last; p++) {

        if (*p == '"' || *p == '\\' || *p == '\n') {

            if (dst) {
                dst[len] = '\\';
            }

            len++;
        }

        if (dst) {
            dst[len] = (*p == '\n') ? 'n' : *p;
        }

        len++;
    }

    return len;
}


void
ngx_duplex_metrics_text(ngx_duplex_metrics_t *metrics, const char *name,
    const char *value)
{
    ngx_duplex_metrics_name(metrics, name);
    ngx_duplex_metrics_string(metrics, value);
    ngx_duplex_metrics_string(metrics, "\"");
}


static void
ngx_duplex_metrics_name(ngx_duplex_metrics_t *metrics, const char *name)
{
    ngx_duplex_metrics_string(metrics, metrics->labelled ? "," : "{");
    ngx_duplex_metrics_string(metrics, name);
    ngx_duplex_metrics_string(metrics, "=\"");

    metrics->labelled = 1;
}


void
ngx_duplex_metrics_labels(ngx_duplex_metrics_t *metrics, ngx_str_t *labels)
{
    ngx_duplex_metrics_string(metrics, "{");
    ngx_duplex_metrics_write(metrics, labels->data, labels->len);

    metrics->labelled = 1;
}


void
ngx_duplex_metrics_integer(ngx_duplex_metrics_t *metrics, int64_t value)
{
    u_char  text[NGX_INT64_LEN + 2];

    ngx_duplex_metrics_value(metrics, text,
                             ngx_sprintf(text, "%L\n", value) - text);
}


void
ngx_duplex_metrics_seconds(ngx_duplex_metrics_t *metrics, uint64_t ms)
{
    u_char  text[NGX_INT64_LEN + 6];

    ngx_duplex_metrics_value(metrics, text,
                             ngx_sprintf(text, "%uL.%03uL\n", ms / 1000,
                                         ms % 1000)
                             - text);
}


static void
ngx_duplex_metrics_value(ngx_duplex_metrics_t *metrics, u_char *text,
    size_t len)
{
    ngx_duplex_metrics_string(metrics, metrics->labelled ? "} " : " ");
    ngx_duplex_metrics_write(metrics, text, len);
}


void
ngx_duplex_metrics_all(ngx_duplex_metrics_t *metrics)
{
    ngx_uint_t              i;
    ngx_duplex_metrics_pt  *write;

    write = ngx_duplex_present->metrics.elts;

    for (i = 0; i < ngx_duplex_present->metrics.nelts; i++) {
        write[i](metrics);
    }
}


ngx_int_t
ngx_duplex_metrics_more(ngx_duplex_metrics_t *metrics)
{
    ngx_duplex_metrics_later_t  *later;

    later = metrics->later.elts;

    if (metrics->next < metrics->later.nelts
        && later[metrics->next].more(metrics, later[metrics->next].data)
           == NGX_OK)
    {
        metrics->next++;
    }

    if (metrics->failed) {
        return NGX_ERROR;
    }

    return metrics->next < metrics->later.nelts ? NGX_AGAIN : NGX_OK;
}


ngx_chain_t *
ngx_duplex_metrics_take(ngx_duplex_metrics_t *metrics, off_t *length)
{
    ngx_chain_t  *chain;

    chain = metrics->chain;
    *length = metrics->length;

    metrics->chain = NULL;
    metrics->last = &metrics->chain;
    metrics->buf = NULL;
    metrics->length = 0;

    return chain;
}


static void
ngx_duplex_metrics_string(ngx_duplex_metrics_t *metrics, const char *text)
{
    ngx_duplex_metrics_write(metrics, text, ngx_strlen(text));
}


static void
ngx_duplex_metrics_write(ngx_duplex_metrics_t *metrics, const void *data,
    size_t len)
{
    size_t         n;
    ngx_chain_t   *cl;
    const u_char  *p;

    p = data;

    while (len && !metrics->failed) {

        if (metrics->buf == NULL || metrics->buf->last == metrics->buf->end) {

            cl = ngx_alloc_chain_link(metrics->pool);
            metrics->buf = ngx_create_temp_buf(metrics->pool,
                                               NGX_DUPLEX_METRICS_BUFFER);

            if (cl == NULL || metrics->buf == NULL) {
                metrics->failed = 1;
                return;
            }

            cl->buf = metrics->buf;
            cl->next = NULL;

            *metrics->last = cl;
            metrics->last = &cl->next;
        }

        n = ngx_min(len, (size_t) (metrics->buf->end - metrics->buf->last));

        metrics->buf->last = ngx_cpymem(metrics->buf->last, p, n);
        metrics->length += n;

        p += n;
        len -= n;
    }
}
