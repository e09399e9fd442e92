
/*
 * Metrics of peers, see the header.
 *
 * All peers are read at once, into copies that need no peer any more; then
 * they are written family by family, some thousand lines each turn.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_peer_counters.h"
#include "ngx_duplex_peer_metrics.h"


#define NGX_DUPLEX_PEER_METRICS_LINES  2000     /* of a turn, at least */


typedef struct {
    ngx_str_t                  labels;
    const char                *state;
    ngx_uint_t                 conns;
    ngx_uint_t                 responses;       /* it has them: http */
    ngx_duplex_sum_t           sum;
} ngx_duplex_peer_sample_t;


typedef struct ngx_duplex_peer_family_s  ngx_duplex_peer_family_t;

struct ngx_duplex_peer_family_s {
    const char                *name;
    const char                *type;
    const char                *help;

    /* the number of lines it has written */
    ngx_uint_t               (*write)(ngx_duplex_metrics_t *m,
                                   ngx_duplex_peer_family_t *family,
                                   ngx_duplex_peer_sample_t *sample);
    ngx_uint_t                 counter;
};


/* where the writing is */
typedef struct {
    ngx_array_t               *samples;
    ngx_uint_t                 sample;
    ngx_uint_t                 family;
} ngx_duplex_peer_metrics_t;


static ngx_array_t *ngx_duplex_peer_metrics_read(ngx_pool_t *pool);
static ngx_int_t ngx_duplex_peer_metrics_labels(ngx_pool_t *pool,
    ngx_duplex_peer_t *peer, ngx_str_t *labels);
static ngx_int_t ngx_duplex_peer_metrics_more(ngx_duplex_metrics_t *m,
    void *data);

static ngx_uint_t ngx_duplex_peer_metrics_up(ngx_duplex_metrics_t *m,
    ngx_duplex_peer_family_t *family, ngx_duplex_peer_sample_t *sample);
static ngx_uint_t ngx_duplex_peer_metrics_states(ngx_duplex_metrics_t *m,
    ngx_duplex_peer_family_t *family, ngx_duplex_peer_sample_t *sample);
static ngx_uint_t ngx_duplex_peer_metrics_active(ngx_duplex_metrics_t *m,
    ngx_duplex_peer_family_t *family, ngx_duplex_peer_sample_t *sample);
static ngx_uint_t ngx_duplex_peer_metrics_counter(ngx_duplex_metrics_t *m,
    ngx_duplex_peer_family_t *family, ngx_duplex_peer_sample_t *sample);
static ngx_uint_t ngx_duplex_peer_metrics_responses(ngx_duplex_metrics_t *m,
    ngx_duplex_peer_family_t *family, ngx_duplex_peer_sample_t *sample);
static ngx_uint_t ngx_duplex_peer_metrics_downtime(ngx_duplex_metrics_t *m,
    ngx_duplex_peer_family_t *family, ngx_duplex_peer_sample_t *sample);
static ngx_uint_t ngx_duplex_peer_metrics_times(ngx_duplex_metrics_t *m,
    ngx_duplex_peer_family_t *family, ngx_duplex_peer_sample_t *sample);


static const char  *ngx_duplex_peer_states[] = {
    "up", "draining", "down", "unavail", "checking", "unhealthy", NULL
};


static ngx_duplex_peer_family_t  ngx_duplex_peer_families[] = {

    { "nginx_duplex_server_up", "gauge",
      "1 if the server may be selected.",
      ngx_duplex_peer_metrics_up, 0 },

    { "nginx_duplex_server_state", "gauge",
      "1 for the state that the server is in.",
      ngx_duplex_peer_metrics_states, 0 },

    { "nginx_duplex_server_active_connections", "gauge",
      "Connections to the server now.",
      ngx_duplex_peer_metrics_active, 0 },

    { "nginx_duplex_server_requests_total", "counter",
      "Requests (stream: connections) that were given to the server.",
      ngx_duplex_peer_metrics_counter, NGX_DUPLEX_PEER_REQUESTS },

    { "nginx_duplex_server_responses_total", "counter",
      "Responses of the server, by class of status.",
      ngx_duplex_peer_metrics_responses, NGX_DUPLEX_PEER_RESPONSES },

    { "nginx_duplex_server_sent_bytes_total", "counter",
      "Bytes that were sent to the server.",
      ngx_duplex_peer_metrics_counter, NGX_DUPLEX_PEER_SENT },

    { "nginx_duplex_server_received_bytes_total", "counter",
      "Bytes that came from the server.",
      ngx_duplex_peer_metrics_counter, NGX_DUPLEX_PEER_RECEIVED },

    { "nginx_duplex_server_fails_total", "counter",
      "Attempts that failed.",
      ngx_duplex_peer_metrics_counter, NGX_DUPLEX_PEER_FAILS },

    { "nginx_duplex_server_unavail_total", "counter",
      "Times the server came into quarantine after max_fails.",
      ngx_duplex_peer_metrics_counter, NGX_DUPLEX_PEER_UNAVAIL },

    { "nginx_duplex_server_downtime_seconds_total", "counter",
      "Time the server was unavail, checking or unhealthy.",
      ngx_duplex_peer_metrics_downtime, 0 },

    { "nginx_duplex_server_response_seconds", "histogram",
      "Times of responses.",
      ngx_duplex_peer_metrics_times, 0 },

    { NULL, NULL, NULL, NULL, 0 }
};


void
ngx_duplex_peer_metrics(ngx_duplex_metrics_t *m)
{
    ngx_pool_t                 *pool;
    ngx_duplex_peer_metrics_t  *writing;

    pool = ngx_duplex_metrics_pool(m);

    writing = ngx_pcalloc(pool, sizeof(ngx_duplex_peer_metrics_t));
    if (writing == NULL) {
        return;
    }

    writing->samples = ngx_duplex_peer_metrics_read(pool);

    if (writing->samples && writing->samples->nelts) {
        ngx_duplex_metrics_continue(m, ngx_duplex_peer_metrics_more, writing);
    }
}


static ngx_int_t
ngx_duplex_peer_metrics_more(ngx_duplex_metrics_t *m, void *data)
{
    ngx_duplex_peer_metrics_t *writing = data;

    ngx_uint_t                 lines;
    ngx_duplex_peer_family_t  *family;
    ngx_duplex_peer_sample_t  *sample;

    lines = 0;
    sample = writing->samples->elts;

    for ( ;; ) {
        family = &ngx_duplex_peer_families[writing->family];

        if (family->name == NULL) {
            return NGX_OK;
        }

        if (lines >= NGX_DUPLEX_PEER_METRICS_LINES) {
            return NGX_AGAIN;
        }

        if (writing->sample == 0) {
            ngx_duplex_metrics_family(m, family->name, family->type,
                                      family->help);
        }

        lines += family->write(m, family, &sample[writing->sample]);

        if (++writing->sample == writing->samples->nelts) {
            writing->sample = 0;
            writing->family++;
        }
    }
}


static ngx_array_t *
ngx_duplex_peer_metrics_read(ngx_pool_t *pool)
{
    ngx_uint_t                 i, n;
    ngx_array_t               *samples;
    ngx_duplex_peer_t         *peer;
    ngx_duplex_group_t        *group;
    ngx_duplex_peer_status_t   status;
    ngx_duplex_peer_sample_t  *sample;

    n = 1;

    for (i = 0; (group = ngx_duplex_group(i)) != NULL; i++) {
        n += group->npeers;
    }

    samples = ngx_array_create(pool, n, sizeof(ngx_duplex_peer_sample_t));
    if (samples == NULL) {
        return NULL;
    }

    for (i = 0; (group = ngx_duplex_group(i)) != NULL; i++) {

        if (group->shm.len == 0) {
            continue;
        }

        for (peer = ngx_duplex_peer_first(group);
             peer;
             peer = ngx_duplex_peer_next(peer))
        {
            sample = ngx_array_push(samples);
            if (sample == NULL) {
                return NULL;
            }

            if (ngx_duplex_peer_read(peer, &status) != NGX_OK) {
                samples->nelts--;
                continue;
            }

            if (ngx_duplex_peer_metrics_labels(pool, peer, &sample->labels)
                != NGX_OK)
            {
                return NULL;
            }

            sample->state = ngx_duplex_peer_state(peer, &status);
            sample->conns = status.conns;
            sample->responses = group->driver->sessions;

            ngx_duplex_peer_counters_sum(peer, &sample->sum);
        }
    }

    return samples;
}


/* the same for all lines of a peer */

static ngx_int_t
ngx_duplex_peer_metrics_labels(ngx_pool_t *pool, ngx_duplex_peer_t *peer,
    ngx_str_t *labels)
{
    size_t               len;
    u_char              *p;
    ngx_uint_t           i;
    ngx_str_t           *text[3];
    static const char   *name[3] = { "protocol", "upstream", "server" };

    text[0] = &peer->group->driver->protocol;
    text[1] = &peer->group->name;
    text[2] = &peer->name;

    len = sizeof("id=\"\"") - 1 + NGX_INT_T_LEN;

    for (i = 0; i < 3; i++) {
        len += ngx_strlen(name[i]) + sizeof("=\"\",") - 1
               + ngx_duplex_metrics_escape(NULL, text[i]);
    }

    p = ngx_pnalloc(pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    labels->data = p;

    for (i = 0; i < 3; i++) {
        p = ngx_sprintf(p, "%s=\"", name[i]);
        p += ngx_duplex_metrics_escape(p, text[i]);
        *p++ = '"';
        *p++ = ',';
    }

    labels->len = ngx_sprintf(p, "id=\"%ui\"", peer->id) - labels->data;

    return NGX_OK;
}


static ngx_uint_t
ngx_duplex_peer_metrics_up(ngx_duplex_metrics_t *m,
    ngx_duplex_peer_family_t *family, ngx_duplex_peer_sample_t *sample)
{
    ngx_duplex_metrics_begin(m, family->name);
    ngx_duplex_metrics_labels(m, &sample->labels);
    ngx_duplex_metrics_integer(m, ngx_strcmp(sample->state, "up") == 0);

    return 1;
}


static ngx_uint_t
ngx_duplex_peer_metrics_states(ngx_duplex_metrics_t *m,
    ngx_duplex_peer_family_t *family, ngx_duplex_peer_sample_t *sample)
{
    ngx_uint_t   i;
    const char  *state;

    for (i = 0; (state = ngx_duplex_peer_states[i]) != NULL; i++) {
        ngx_duplex_metrics_begin(m, family->name);
        ngx_duplex_metrics_labels(m, &sample->labels);
        ngx_duplex_metrics_text(m, "state", state);
        ngx_duplex_metrics_integer(m, ngx_strcmp(sample->state, state) == 0);
    }

    return i;
}


static ngx_uint_t
ngx_duplex_peer_metrics_active(ngx_duplex_metrics_t *m,
    ngx_duplex_peer_family_t *family, ngx_duplex_peer_sample_t *sample)
{
    ngx_duplex_metrics_begin(m, family->name);
    ngx_duplex_metrics_labels(m, &sample->labels);
    ngx_duplex_metrics_integer(m, sample->conns);

    return 1;
}


static ngx_uint_t
ngx_duplex_peer_metrics_counter(ngx_duplex_metrics_t *m,
    ngx_duplex_peer_family_t *family, ngx_duplex_peer_sample_t *sample)
{
    ngx_duplex_metrics_begin(m, family->name);
    ngx_duplex_metrics_labels(m, &sample->labels);
    ngx_duplex_metrics_integer(m, sample->sum.count[family->counter]);

    return 1;
}


static ngx_uint_t
ngx_duplex_peer_metrics_responses(ngx_duplex_metrics_t *m,
    ngx_duplex_peer_family_t *family, ngx_duplex_peer_sample_t *sample)
{
    ngx_uint_t  i;

    if (!sample->responses) {
        return 0;
    }

    for (i = 0; i < NGX_DUPLEX_RESPONSES_CLASSES; i++) {
        ngx_duplex_metrics_begin(m, family->name);
        ngx_duplex_metrics_labels(m, &sample->labels);
        ngx_duplex_metrics_text(m, "code", ngx_duplex_responses_classes[i]);
        ngx_duplex_metrics_integer(m, sample->sum.count[family->counter + i]);
    }

    return i;
}


static ngx_uint_t
ngx_duplex_peer_metrics_downtime(ngx_duplex_metrics_t *m,
    ngx_duplex_peer_family_t *family, ngx_duplex_peer_sample_t *sample)
{
    ngx_duplex_metrics_begin(m, family->name);
    ngx_duplex_metrics_labels(m, &sample->labels);
    ngx_duplex_metrics_seconds(m,
                               ngx_duplex_peer_counters_downtime(&sample->sum));

    return 1;
}


/* buckets are cumulative here */

static ngx_uint_t
ngx_duplex_peer_metrics_times(ngx_duplex_metrics_t *m,
    ngx_duplex_peer_family_t *family, ngx_duplex_peer_sample_t *sample)
{
    u_char       text[NGX_INT64_LEN];
    uint64_t     n, *count;
    ngx_str_t    le;
    ngx_uint_t   i;

    count = sample->sum.count;
    n = 0;
    le.data = text;

    for (i = 0; i < NGX_DUPLEX_PEER_BUCKETS; i++) {

        n += count[NGX_DUPLEX_PEER_HIST + i];

        le.len = (i < NGX_DUPLEX_PEER_BUCKETS - 1
                  ? ngx_sprintf(text, "%uL.%03uL",
                                (uint64_t) ngx_duplex_peer_buckets[i] / 1000,
                                (uint64_t) ngx_duplex_peer_buckets[i] % 1000)
                  : ngx_sprintf(text, "+Inf"))
                 - text;

        ngx_duplex_metrics_begin(m,
                                "nginx_duplex_server_response_seconds_bucket");
        ngx_duplex_metrics_labels(m, &sample->labels);
        ngx_duplex_metrics_label(m, "le", &le);
        ngx_duplex_metrics_integer(m, n);
    }

    ngx_duplex_metrics_begin(m, "nginx_duplex_server_response_seconds_sum");
    ngx_duplex_metrics_labels(m, &sample->labels);
    ngx_duplex_metrics_seconds(m, count[NGX_DUPLEX_PEER_HIST_SUM]);

    ngx_duplex_metrics_begin(m, "nginx_duplex_server_response_seconds_count");
    ngx_duplex_metrics_labels(m, &sample->labels);
    ngx_duplex_metrics_integer(m, n);

    return i + 2;
}
