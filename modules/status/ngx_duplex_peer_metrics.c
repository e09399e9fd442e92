
/*
 * Metrics of peers, see the header.
 *
 * All peers are read once, then written family by family.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_peer_counters.h"
#include "ngx_duplex_peer_metrics.h"


typedef struct {
    ngx_duplex_peer_t         *peer;
    ngx_duplex_peer_status_t   status;
    const char                *state;
    ngx_duplex_sum_t           sum;
} ngx_duplex_peer_sample_t;


static ngx_array_t *ngx_duplex_peer_metrics_read(ngx_pool_t *pool);
static void ngx_duplex_peer_metrics_states(ngx_duplex_metrics_t *m,
    ngx_array_t *samples);
static void ngx_duplex_peer_metrics_active(ngx_duplex_metrics_t *m,
    ngx_array_t *samples);
static void ngx_duplex_peer_metrics_counter(ngx_duplex_metrics_t *m,
    ngx_array_t *samples, ngx_uint_t i, const char *name, const char *help);
static void ngx_duplex_peer_metrics_responses(ngx_duplex_metrics_t *m,
    ngx_array_t *samples);
static void ngx_duplex_peer_metrics_downtime(ngx_duplex_metrics_t *m,
    ngx_array_t *samples);
static void ngx_duplex_peer_metrics_times(ngx_duplex_metrics_t *m,
    ngx_array_t *samples);
static void ngx_duplex_peer_metrics_begin(ngx_duplex_metrics_t *m,
    const char *name, ngx_duplex_peer_t *peer);


static const char  *ngx_duplex_peer_states[] = {
    "up", "draining", "down", "unavail", "checking", "unhealthy", NULL
};


void
ngx_duplex_peer_metrics(ngx_duplex_metrics_t *m)
{
    ngx_array_t  *samples;

    samples = ngx_duplex_peer_metrics_read(ngx_duplex_metrics_pool(m));

    if (samples == NULL || samples->nelts == 0) {
        return;
    }

    ngx_duplex_peer_metrics_states(m, samples);
    ngx_duplex_peer_metrics_active(m, samples);

    ngx_duplex_peer_metrics_counter(m, samples, NGX_DUPLEX_PEER_REQUESTS,
        "nginx_duplex_server_requests_total",
        "Requests (stream: connections) that were given to the server.");

    ngx_duplex_peer_metrics_responses(m, samples);

    ngx_duplex_peer_metrics_counter(m, samples, NGX_DUPLEX_PEER_SENT,
        "nginx_duplex_server_sent_bytes_total",
        "Bytes that were sent to the server.");
    ngx_duplex_peer_metrics_counter(m, samples, NGX_DUPLEX_PEER_RECEIVED,
        "nginx_duplex_server_received_bytes_total",
        "Bytes that came from the server.");
    ngx_duplex_peer_metrics_counter(m, samples, NGX_DUPLEX_PEER_FAILS,
        "nginx_duplex_server_fails_total",
        "Attempts that failed.");
    ngx_duplex_peer_metrics_counter(m, samples, NGX_DUPLEX_PEER_UNAVAIL,
        "nginx_duplex_server_unavail_total",
        "Times the server came into quarantine after max_fails.");

    ngx_duplex_peer_metrics_downtime(m, samples);
    ngx_duplex_peer_metrics_times(m, samples);
}


static ngx_array_t *
ngx_duplex_peer_metrics_read(ngx_pool_t *pool)
{
    ngx_uint_t                 i, n;
    ngx_array_t               *samples;
    ngx_duplex_peer_t         *peer;
    ngx_duplex_group_t        *group;
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

            if (ngx_duplex_peer_read(peer, &sample->status) != NGX_OK) {
                samples->nelts--;
                continue;
            }

            sample->peer = peer;
            sample->state = ngx_duplex_peer_state(peer, &sample->status);

            ngx_duplex_peer_counters_sum(peer, &sample->sum);
        }
    }

    return samples;
}


static void
ngx_duplex_peer_metrics_states(ngx_duplex_metrics_t *m, ngx_array_t *samples)
{
    ngx_uint_t                 i, k;
    ngx_duplex_peer_sample_t  *sample;

    ngx_duplex_metrics_family(m, "nginx_duplex_server_up", "gauge",
                              "1 if the server may be selected.");

    sample = samples->elts;

    for (i = 0; i < samples->nelts; i++) {
        ngx_duplex_peer_metrics_begin(m, "nginx_duplex_server_up",
                                      sample[i].peer);
        ngx_duplex_metrics_integer(m, ngx_strcmp(sample[i].state, "up") == 0);
    }

    ngx_duplex_metrics_family(m, "nginx_duplex_server_state", "gauge",
                              "1 for the state that the server is in.");

    for (i = 0; i < samples->nelts; i++) {
        for (k = 0; ngx_duplex_peer_states[k]; k++) {
            ngx_duplex_peer_metrics_begin(m, "nginx_duplex_server_state",
                                          sample[i].peer);
            ngx_duplex_metrics_text(m, "state", ngx_duplex_peer_states[k]);
            ngx_duplex_metrics_integer(m, ngx_strcmp(sample[i].state,
                                              ngx_duplex_peer_states[k]) == 0);
        }
    }
}


static void
ngx_duplex_peer_metrics_active(ngx_duplex_metrics_t *m, ngx_array_t *samples)
{
    ngx_uint_t                 i;
    ngx_duplex_peer_sample_t  *sample;

    ngx_duplex_metrics_family(m, "nginx_duplex_server_active_connections",
                              "gauge", "Connections to the server now.");

    sample = samples->elts;

    for (i = 0; i < samples->nelts; i++) {
        ngx_duplex_peer_metrics_begin(m,
                                      "nginx_duplex_server_active_connections",
                                      sample[i].peer);
        ngx_duplex_metrics_integer(m, sample[i].status.conns);
    }
}


static void
ngx_duplex_peer_metrics_counter(ngx_duplex_metrics_t *m, ngx_array_t *samples,
    ngx_uint_t counter, const char *name, const char *help)
{
    ngx_uint_t                 i;
    ngx_duplex_peer_sample_t  *sample;

    ngx_duplex_metrics_family(m, name, "counter", help);

    sample = samples->elts;

    for (i = 0; i < samples->nelts; i++) {
        ngx_duplex_peer_metrics_begin(m, name, sample[i].peer);
        ngx_duplex_metrics_integer(m, sample[i].sum.count[counter]);
    }
}


static void
ngx_duplex_peer_metrics_responses(ngx_duplex_metrics_t *m,
    ngx_array_t *samples)
{
    ngx_uint_t                 i, k;
    ngx_duplex_peer_sample_t  *sample;

    ngx_duplex_metrics_family(m, "nginx_duplex_server_responses_total",
                              "counter",
                              "Responses of the server, by class of status.");

    sample = samples->elts;

    for (i = 0; i < samples->nelts; i++) {

        if (!sample[i].peer->group->driver->sessions) {
            continue;
        }

        for (k = 0; k < NGX_DUPLEX_RESPONSES_CLASSES; k++) {
            ngx_duplex_peer_metrics_begin(m,
                                          "nginx_duplex_server_responses_total",
                                          sample[i].peer);
            ngx_duplex_metrics_text(m, "code",
                                    ngx_duplex_responses_classes[k]);
            ngx_duplex_metrics_integer(m,
                           sample[i].sum.count[NGX_DUPLEX_PEER_RESPONSES + k]);
        }
    }
}


static void
ngx_duplex_peer_metrics_downtime(ngx_duplex_metrics_t *m, ngx_array_t *samples)
{
    ngx_uint_t                 i;
    ngx_duplex_peer_sample_t  *sample;

    ngx_duplex_metrics_family(m, "nginx_duplex_server_downtime_seconds_total",
                              "counter", "Time the server was unavail, "
                              "checking or unhealthy.");

    sample = samples->elts;

    for (i = 0; i < samples->nelts; i++) {
        ngx_duplex_peer_metrics_begin(m,
                                  "nginx_duplex_server_downtime_seconds_total",
                                  sample[i].peer);
        ngx_duplex_metrics_seconds(m,
                         ngx_duplex_peer_counters_downtime(&sample[i].sum));
    }
}


/* buckets are cumulative here */

static void
ngx_duplex_peer_metrics_times(ngx_duplex_metrics_t *m, ngx_array_t *samples)
{
    u_char                     text[NGX_INT64_LEN];
    uint64_t                   n, *count;
    ngx_str_t                  le;
    ngx_uint_t                 i, k;
    ngx_duplex_peer_sample_t  *sample;

    ngx_duplex_metrics_family(m, "nginx_duplex_server_response_seconds",
                              "histogram", "Times of responses.");

    sample = samples->elts;
    le.data = text;

    for (i = 0; i < samples->nelts; i++) {

        count = sample[i].sum.count;
        n = 0;

        for (k = 0; k < NGX_DUPLEX_PEER_BUCKETS; k++) {

            n += count[NGX_DUPLEX_PEER_HIST + k];

            le.len = (k < NGX_DUPLEX_PEER_BUCKETS - 1
                      ? ngx_sprintf(text, "%uL.%03uL",
                                 (uint64_t) ngx_duplex_peer_buckets[k] / 1000,
                                 (uint64_t) ngx_duplex_peer_buckets[k] % 1000)
                      : ngx_sprintf(text, "+Inf"))
                     - text;

            ngx_duplex_peer_metrics_begin(m,
                                  "nginx_duplex_server_response_seconds_bucket",
                                  sample[i].peer);
            ngx_duplex_metrics_label(m, "le", &le);
            ngx_duplex_metrics_integer(m, n);
        }

        ngx_duplex_peer_metrics_begin(m,
                                     "nginx_duplex_server_response_seconds_sum",
                                     sample[i].peer);
        ngx_duplex_metrics_seconds(m, count[NGX_DUPLEX_PEER_HIST_SUM]);

        ngx_duplex_peer_metrics_begin(m,
                                   "nginx_duplex_server_response_seconds_count",
                                   sample[i].peer);
        ngx_duplex_metrics_integer(m, n);
    }
}


static void
ngx_duplex_peer_metrics_begin(ngx_duplex_metrics_t *m, const char *name,
    ngx_duplex_peer_t *peer)
{
    u_char     text[NGX_INT_T_LEN];
    ngx_str_t  id;

    id.data = text;
    id.len = ngx_sprintf(text, "%ui", peer->id) - text;

    ngx_duplex_metrics_begin(m, name);
    ngx_duplex_metrics_label(m, "protocol", &peer->group->driver->protocol);
    ngx_duplex_metrics_label(m, "upstream", &peer->group->name);
    ngx_duplex_metrics_label(m, "server", &peer->name);
    ngx_duplex_metrics_label(m, "id", &id);
}
