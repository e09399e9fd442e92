
/*
 * See the header.
 *
 * A request knows the address of its peer only: a small table of this process
 * leads from group and address to the cell.  It is emptied whenever a peer
 * comes or goes, and fills itself again.
 *
 * Whether a peer is out is looked at by one worker in turns (a quarantine
 * ends without anybody being told), and whenever the API shows it.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_peer_counters.h"
#include "ngx_duplex_peer_metrics.h"


#define NGX_DUPLEX_PEER_TABLE     4096      /* entries, a power of two */
#define NGX_DUPLEX_PEER_LOOKS     200       /* peers that a beat looks at */
#define NGX_DUPLEX_PEER_AVERAGE   20        /* samples */
#define NGX_DUPLEX_PEER_UNIT      1000      /* of averages: parts of 1 ms */


static ngx_duplex_cell_t *ngx_duplex_peer_counters_cell(
    ngx_duplex_peer_t *peer);
static ngx_duplex_peer_entry_t *ngx_duplex_peer_counters_place(
    ngx_duplex_group_t *group, ngx_str_t *name);
static void ngx_duplex_peer_counters_changed(ngx_duplex_peer_t *peer);
static void ngx_duplex_peer_counters_beat(void);
static void ngx_duplex_peer_counters_look(ngx_duplex_peer_t *peer,
    ngx_duplex_cell_t *cell);
static void ngx_duplex_peer_counters_fields(ngx_duplex_peer_t *peer,
    ngx_duplex_json_t *json);
static void ngx_duplex_peer_counters_times(ngx_duplex_json_t *json,
    ngx_duplex_sum_t *sum, ngx_uint_t http);
static void ngx_duplex_peer_counters_average(ngx_duplex_json_t *json,
    const char *name, ngx_duplex_sum_t *sum, ngx_uint_t word);
static uint64_t ngx_duplex_peer_counters_now(void);


static ngx_duplex_contributor_t  ngx_duplex_peer_counters_contributor = {
    NULL,                                  /* bits */
    NULL,                                  /* state */
    ngx_duplex_peer_counters_fields,       /* fields */
    ngx_duplex_peer_counters_changed,      /* added */
    ngx_duplex_peer_counters_changed       /* removed */
};


static ngx_duplex_feature_t  ngx_duplex_peer_counters_feature = {
    ngx_string("peer counters"),
    NGX_DUPLEX_LAYER_FEATURE,
    NULL,                                  /* bind */
    NULL,                                  /* commit */
    NULL,                                  /* start */
    NULL,                                  /* take */
    ngx_duplex_peer_counters_beat,         /* beat */
    NULL,                                  /* wake */
    NULL,                                  /* drop */
    NULL                                   /* stop */
};


const ngx_msec_t  ngx_duplex_peer_buckets[NGX_DUPLEX_PEER_BUCKETS - 1] = {
    5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10000
};

static const char  *ngx_duplex_peer_bucket_names[] = {
    "5", "10", "25", "50", "75", "100", "250", "500", "750", "1000", "2500",
    "5000", "7500", "10000", "inf"
};


static ngx_duplex_peer_entry_t  ngx_duplex_peer_table[NGX_DUPLEX_PEER_TABLE];

/* where the next beat goes on */
static ngx_uint_t               ngx_duplex_peer_looked;


ngx_int_t
ngx_duplex_peer_counters_register(ngx_conf_t *cf)
{
    if (ngx_duplex_register_contributor(cf,
                                        &ngx_duplex_peer_counters_contributor)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ngx_duplex_register_metrics(cf, ngx_duplex_peer_metrics) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_duplex_register_feature(cf, &ngx_duplex_peer_counters_feature);
}


ngx_duplex_peer_entry_t *
ngx_duplex_peer_counters_find(ngx_duplex_group_t *group, ngx_str_t *name)
{
    ngx_duplex_peer_t        *peer;
    ngx_duplex_peer_entry_t  *entry;

    entry = ngx_duplex_peer_counters_place(group, name);

    if (entry->group == group
        && entry->peer->name.len == name->len
        && ngx_memcmp(entry->peer->name.data, name->data, name->len) == 0)
    {
        return entry->cell ? entry : NULL;
    }

    for (peer = ngx_duplex_peer_first(group);
         peer;
         peer = ngx_duplex_peer_next(peer))
    {
        if (peer->name.len == name->len
            && ngx_memcmp(peer->name.data, name->data, name->len) == 0)
        {
            entry->group = group;
            entry->peer = peer;
            entry->cell = ngx_duplex_peer_counters_cell(peer);

            return entry->cell ? entry : NULL;
        }
    }

    return NULL;
}


static ngx_duplex_cell_t *
ngx_duplex_peer_counters_cell(ngx_duplex_peer_t *peer)
{
    ngx_str_t          name;
    ngx_duplex_cell_e  kind;

    name.data = (u_char *) &peer->hash;
    name.len = sizeof(peer->hash);

    kind = peer->group->driver->sessions ? ngx_duplex_cell_http_peer
                                         : ngx_duplex_cell_stream_peer;

    return ngx_duplex_cell(kind, &name);
}


/* the end of an address is what differs */

static ngx_duplex_peer_entry_t *
ngx_duplex_peer_counters_place(ngx_duplex_group_t *group, ngx_str_t *name)
{
    size_t    i;
    uint32_t  hash;

    hash = (uint32_t) ((uintptr_t) group >> 4);

    for (i = name->len > 12 ? name->len - 12 : 0; i < name->len; i++) {
        hash = hash * 31 + name->data[i];
    }

    return &ngx_duplex_peer_table[hash & (NGX_DUPLEX_PEER_TABLE - 1)];
}


static void
ngx_duplex_peer_counters_changed(ngx_duplex_peer_t *peer)
{
    ngx_memzero(ngx_duplex_peer_table, sizeof(ngx_duplex_peer_table));
}


void
ngx_duplex_peer_counters_select(ngx_duplex_cell_t *cell)
{
    ngx_duplex_count(cell, NGX_DUPLEX_PEER_REQUESTS, 1);

    *ngx_duplex_cell_word(cell, NGX_DUPLEX_PEER_SELECTED)
                                           = ngx_duplex_peer_counters_now();
}


void
ngx_duplex_peer_counters_time(ngx_duplex_cell_t *cell, ngx_uint_t word,
    ngx_msec_t ms)
{
    int64_t        sample, average;
    ngx_atomic_t  *value;

    value = ngx_duplex_cell_word(cell, word);

    sample = (int64_t) ms * NGX_DUPLEX_PEER_UNIT + 1;
    average = *value;

    *value = average ? average + (sample - average) / NGX_DUPLEX_PEER_AVERAGE
                     : sample;
}


void
ngx_duplex_peer_counters_response_time(ngx_duplex_cell_t *cell, ngx_msec_t ms)
{
    ngx_uint_t  i;

    ngx_duplex_peer_counters_time(cell, NGX_DUPLEX_PEER_RESPONSE_TIME, ms);

    for (i = 0; i < NGX_DUPLEX_PEER_BUCKETS - 1; i++) {
        if (ms <= ngx_duplex_peer_buckets[i]) {
            break;
        }
    }

    ngx_duplex_count(cell, NGX_DUPLEX_PEER_HIST + i, 1);
    ngx_duplex_count(cell, NGX_DUPLEX_PEER_HIST_COUNT, 1);
    ngx_duplex_count(cell, NGX_DUPLEX_PEER_HIST_SUM, ms);
}


void
ngx_duplex_peer_counters_sum(ngx_duplex_peer_t *peer, ngx_duplex_sum_t *sum)
{
    ngx_duplex_cell_sum(ngx_duplex_peer_counters_cell(peer), sum);
}


uint64_t
ngx_duplex_peer_counters_downtime(ngx_duplex_sum_t *sum)
{
    uint64_t  now, downtime;

    now = ngx_duplex_peer_counters_now();
    downtime = sum->count[NGX_DUPLEX_PEER_DOWNTIME];

    if (sum->count[NGX_DUPLEX_PEER_OUT]
        && now > sum->count[NGX_DUPLEX_PEER_DOWNSTART])
    {
        downtime += now - sum->count[NGX_DUPLEX_PEER_DOWNSTART];
    }

    return downtime;
}


void
ngx_duplex_peer_counters_reset(ngx_duplex_group_t *group)
{
    ngx_duplex_peer_t  *peer;

    for (peer = ngx_duplex_peer_first(group);
         peer;
         peer = ngx_duplex_peer_next(peer))
    {
        ngx_duplex_cell_reset(ngx_duplex_peer_counters_cell(peer),
                              NGX_DUPLEX_GAUGES,
                              NGX_DUPLEX_PEER_DOWNSTART - NGX_DUPLEX_GAUGES);
    }
}


static void
ngx_duplex_peer_counters_beat(void)
{
    ngx_uint_t           i, n, from;
    ngx_duplex_cell_t   *cell;
    ngx_duplex_peer_t   *peer;
    ngx_duplex_group_t  *group;

    n = 0;
    from = ngx_duplex_peer_looked;

    for (i = 0; (group = ngx_duplex_group(i)) != NULL; i++) {

        if (group->shm.len == 0) {
            continue;
        }

        for (peer = ngx_duplex_peer_first(group);
             peer;
             peer = ngx_duplex_peer_next(peer))
        {
            if (n++ < from) {
                continue;
            }

            if (n > from + NGX_DUPLEX_PEER_LOOKS) {
                ngx_duplex_peer_looked = n - 1;
                return;
            }

            cell = ngx_duplex_peer_counters_cell(peer);

            if (cell) {
                ngx_duplex_peer_counters_look(peer, cell);
            }
        }
    }

    ngx_duplex_peer_looked = 0;
}


/* one process at a time: the one that changes the word */

static void
ngx_duplex_peer_counters_look(ngx_duplex_peer_t *peer, ngx_duplex_cell_t *cell)
{
    uint64_t                   now;
    const char                *state;
    ngx_uint_t                 out;
    ngx_atomic_t              *word, *start;
    ngx_duplex_peer_status_t   status;

    if (ngx_duplex_peer_read(peer, &status) != NGX_OK) {
        return;
    }

    state = ngx_duplex_peer_state(peer, &status);

    out = (ngx_strcmp(state, "unavail") == 0
           || ngx_strcmp(state, "unhealthy") == 0
           || ngx_strcmp(state, "checking") == 0);

    word = ngx_duplex_cell_word(cell, NGX_DUPLEX_PEER_OUT);

    if (*word == out || !ngx_atomic_cmp_set(word, !out, out)) {
        return;
    }

    now = ngx_duplex_peer_counters_now();
    start = ngx_duplex_cell_word(cell, NGX_DUPLEX_PEER_DOWNSTART);

    if (out) {
        *start = now;
        return;
    }

    if (now > *start) {
        (void) ngx_atomic_fetch_add(
                   ngx_duplex_cell_word(cell, NGX_DUPLEX_PEER_DOWNTIME),
                   now - *start);
    }
}


static void
ngx_duplex_peer_counters_fields(ngx_duplex_peer_t *peer,
    ngx_duplex_json_t *json)
{
    ngx_uint_t          http;
    ngx_duplex_sum_t    sum;
    ngx_duplex_cell_t  *cell;

    cell = ngx_duplex_peer_counters_cell(peer);
    if (cell == NULL) {
        return;
    }

    ngx_duplex_peer_counters_look(peer, cell);
    ngx_duplex_cell_sum(cell, &sum);

    http = peer->group->driver->sessions;

    ngx_duplex_json_integer(json, http ? "requests" : "connections",
                            sum.count[NGX_DUPLEX_PEER_REQUESTS]);

    if (http) {
        ngx_duplex_responses_render(json, NGX_DUPLEX_PEER_RESPONSES, &sum);
    }

    ngx_duplex_json_integer(json, "sent", sum.count[NGX_DUPLEX_PEER_SENT]);
    ngx_duplex_json_integer(json, "received",
                            sum.count[NGX_DUPLEX_PEER_RECEIVED]);
    ngx_duplex_json_integer(json, "fails", sum.count[NGX_DUPLEX_PEER_FAILS]);
    ngx_duplex_json_integer(json, "unavail",
                            sum.count[NGX_DUPLEX_PEER_UNAVAIL]);

    ngx_duplex_json_integer(json, "downtime",
                            ngx_duplex_peer_counters_downtime(&sum));

    if (sum.count[NGX_DUPLEX_PEER_DOWNSTART]) {
        ngx_duplex_json_time(json, "downstart",
                             sum.count[NGX_DUPLEX_PEER_DOWNSTART]);
    }

    if (sum.count[NGX_DUPLEX_PEER_SELECTED]) {
        ngx_duplex_json_time(json, "selected",
                             sum.count[NGX_DUPLEX_PEER_SELECTED]);
    }

    ngx_duplex_peer_counters_times(json, &sum, http);
}


static void
ngx_duplex_peer_counters_times(ngx_duplex_json_t *json, ngx_duplex_sum_t *sum,
    ngx_uint_t http)
{
    ngx_uint_t  i;

    if (!http) {
        ngx_duplex_peer_counters_average(json, "connect_time", sum,
                                         NGX_DUPLEX_PEER_CONNECT_TIME);
    }

    ngx_duplex_peer_counters_average(json,
                                     http ? "header_time" : "first_byte_time",
                                     sum, NGX_DUPLEX_PEER_FIRST_TIME);
    ngx_duplex_peer_counters_average(json, "response_time", sum,
                                     NGX_DUPLEX_PEER_RESPONSE_TIME);

    if (!http || sum->count[NGX_DUPLEX_PEER_HIST_COUNT] == 0) {
        return;
    }

    ngx_duplex_json_object(json, "response_time_hist");
    ngx_duplex_json_integer(json, "count",
                            sum->count[NGX_DUPLEX_PEER_HIST_COUNT]);
    ngx_duplex_json_integer(json, "sum", sum->count[NGX_DUPLEX_PEER_HIST_SUM]);

    ngx_duplex_json_object(json, "buckets");

    for (i = 0; i < NGX_DUPLEX_PEER_BUCKETS; i++) {
        ngx_duplex_json_integer(json, ngx_duplex_peer_bucket_names[i],
                                sum->count[NGX_DUPLEX_PEER_HIST + i]);
    }

    ngx_duplex_json_object_end(json);
    ngx_duplex_json_object_end(json);
}


static void
ngx_duplex_peer_counters_average(ngx_duplex_json_t *json, const char *name,
    ngx_duplex_sum_t *sum, ngx_uint_t word)
{
    if (sum->count[word]) {
        ngx_duplex_json_integer(json, name, (sum->count[word]
                                             + NGX_DUPLEX_PEER_UNIT / 2)
                                            / NGX_DUPLEX_PEER_UNIT);
    }
}


static uint64_t
ngx_duplex_peer_counters_now(void)
{
    ngx_time_t  *tp;

    tp = ngx_timeofday();

    return (uint64_t) tp->sec * 1000 + tp->msec;
}
