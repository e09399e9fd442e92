
/*
 * Metrics in the text format of Prometheus, and those who offer some.
 *
 *     ngx_duplex_metrics_family(m, "x_total", "counter", "What it counts.");
 *     ngx_duplex_metrics_begin(m, "x_total");
 *     ngx_duplex_metrics_label(m, "zone", &name);
 *     ngx_duplex_metrics_integer(m, n);
 */


#ifndef _NGX_DUPLEX_METRICS_H_INCLUDED_
#define _NGX_DUPLEX_METRICS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


typedef struct ngx_duplex_metrics_s  ngx_duplex_metrics_t;

/* writes families, each whole; reads shared state only, never blocks */
typedef void (*ngx_duplex_metrics_pt)(ngx_duplex_metrics_t *metrics);


/* for parsing only; NGX_ERROR: no memory */
ngx_int_t ngx_duplex_register_metrics(ngx_conf_t *cf,
    ngx_duplex_metrics_pt write);


/* NULL: no memory; everything lives in "pool" */
ngx_duplex_metrics_t *ngx_duplex_metrics_create(ngx_pool_t *pool);

/* where a family's writer may keep what it needs until its end */
ngx_pool_t *ngx_duplex_metrics_pool(ngx_duplex_metrics_t *metrics);

void ngx_duplex_metrics_family(ngx_duplex_metrics_t *metrics,
    const char *name, const char *type, const char *help);

/*
 * A writer that has more to say than one turn of the event loop should take:
 * "more" is called once a turn, after all writers, until it answers NGX_OK,
 * not NGX_AGAIN.  Its data are in the pool, and nothing of them may go.
 */
typedef ngx_int_t (*ngx_duplex_metrics_more_pt)(
    ngx_duplex_metrics_t *metrics, void *data);

void ngx_duplex_metrics_continue(ngx_duplex_metrics_t *metrics,
    ngx_duplex_metrics_more_pt more, void *data);

/* one sample: its name, its labels, and one of the two values */
void ngx_duplex_metrics_begin(ngx_duplex_metrics_t *metrics, const char *name);
void ngx_duplex_metrics_label(ngx_duplex_metrics_t *metrics, const char *name,
    ngx_str_t *value);
void ngx_duplex_metrics_text(ngx_duplex_metrics_t *metrics, const char *name,
    const char *value);
/* a value as it stands in labels, into "dst" if that is not NULL: its length */
size_t ngx_duplex_metrics_escape(u_char *dst, ngx_str_t *value);
/* several at once, "a=\"b\",c=\"d\"", in place of the first */
void ngx_duplex_metrics_labels(ngx_duplex_metrics_t *metrics,
    ngx_str_t *labels);
void ngx_duplex_metrics_integer(ngx_duplex_metrics_t *metrics, int64_t value);
/* ms, written as seconds */
void ngx_duplex_metrics_seconds(ngx_duplex_metrics_t *metrics, uint64_t ms);

/* calls all that are registered; for commit and later */
void ngx_duplex_metrics_all(ngx_duplex_metrics_t *metrics);
/* the next turn: NGX_OK: that was all; NGX_AGAIN; NGX_ERROR: no memory */
ngx_int_t ngx_duplex_metrics_more(ngx_duplex_metrics_t *metrics);

/* what was written since the last time; NULL: nothing */
ngx_chain_t *ngx_duplex_metrics_take(ngx_duplex_metrics_t *metrics,
    off_t *length);


#endif /* _NGX_DUPLEX_METRICS_H_INCLUDED_ */
