
/*
 * The evidence of a step: what the new group's servers have done on all
 * nodes since the step began to count, and what the gates say to that.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../upstream/ngx_duplex_upstream.h"
#include "ngx_duplex_deployment.h"


static ngx_uint_t ngx_duplex_evidence_healthy(ngx_str_t *group);
static ngx_int_t ngx_duplex_evidence_gate(ngx_duplex_evidence_t *evidence,
    ngx_duplex_plan_t *plan, ngx_duplex_gate_t *gate, char *text,
    size_t size);


json_t *
ngx_duplex_evidence_own(ngx_duplex_split_t *split, ngx_duplex_plan_t *plan,
    ngx_uint_t counting)
{
    json_t                *json, *times;
    uint64_t               n, requests, failed;
    ngx_uint_t             i;
    ngx_duplex_figures_t  *now, *base;

    now = ngx_duplex_figures(split, plan->to);
    base = ngx_duplex_figures_base(split, plan->to);

    times = json_array();
    requests = 0;
    failed = 0;

    if (counting && now && base) {

        requests = now->requests - base->requests;
        failed = now->failed - base->failed;

        for (i = 0; i < NGX_DUPLEX_FIGURES_BUCKETS; i++) {

            n = now->times[i] - base->times[i];

            if (n) {
                json_array_append_new(times,
                          json_pack("[i, I]", (int) i, (json_int_t) n));
            }
        }
    }

    json = json_pack("{s:i, s:I, s:I, s:o}",
                     "healthy", (int) ngx_duplex_evidence_healthy(
                                         &split->parts[plan->to].group),
                     "requests", (json_int_t) requests,
                     "failed", (json_int_t) failed,
                     "times", times);

    return json;
}


static ngx_uint_t
ngx_duplex_evidence_healthy(ngx_str_t *name)
{
    ngx_str_t                  http = ngx_string("http");
    ngx_uint_t                 n;
    ngx_duplex_peer_t         *peer;
    ngx_duplex_group_t        *group;
    ngx_duplex_peer_status_t   status;

    n = 0;
    group = ngx_duplex_group_find(&http, name);

    for (peer = group ? ngx_duplex_peer_first(group) : NULL;
         peer;
         peer = ngx_duplex_peer_next(peer))
    {
        if (ngx_duplex_peer_read(peer, &status) == NGX_OK
            && ngx_strcmp(ngx_duplex_peer_state(peer, &status), "up") == 0)
        {
            n++;
        }
    }

    return n;
}


/* another node's report: what is not a sound number counts as none */

void
ngx_duplex_evidence_add(ngx_duplex_evidence_t *evidence, json_t *report)
{
    size_t       i;
    json_t      *pair;
    json_int_t   bucket, n;
    ngx_uint_t   healthy;

    healthy = json_integer_value(json_object_get(report, "healthy"));

    if (evidence->nodes++ == 0 || healthy < evidence->healthy) {
        evidence->healthy = healthy;
    }

    n = json_integer_value(json_object_get(report, "requests"));
    evidence->requests += n > 0 ? n : 0;

    n = json_integer_value(json_object_get(report, "failed"));
    evidence->failed += n > 0 ? n : 0;

    json_array_foreach(json_object_get(report, "times"), i, pair) {

        bucket = json_integer_value(json_array_get(pair, 0));
        n = json_integer_value(json_array_get(pair, 1));

        if (bucket >= 0 && bucket < NGX_DUPLEX_FIGURES_BUCKETS && n > 0) {
            evidence->times[bucket] += n;
        }
    }
}


ngx_int_t
ngx_duplex_evidence_judge(ngx_duplex_evidence_t *evidence,
    ngx_duplex_plan_t *plan, char *text, size_t size)
{
    ngx_int_t   rc;
    ngx_uint_t  i;

    rc = NGX_OK;

    for (i = 0; i < plan->ngates; i++) {

        rc = ngx_duplex_evidence_gate(evidence, plan, &plan->gates[i], text,
                                      size);
        if (rc == NGX_DECLINED) {
            return NGX_DECLINED;
        }
    }

    if (evidence->requests < plan->min_requests) {
        ngx_snprintf((u_char *) text, size - 1, "%uL of %ui requests%Z",
                     evidence->requests, plan->min_requests);
        return NGX_AGAIN;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_duplex_evidence_gate(ngx_duplex_evidence_t *evidence,
    ngx_duplex_plan_t *plan, ngx_duplex_gate_t *gate, char *text, size_t size)
{
    u_char     *last;
    uint64_t    of, value;

    last = (u_char *) text + size - 1;

    switch (gate->what) {

    case ngx_duplex_gate_healthy:

        if (evidence->healthy >= gate->limit) {
            return NGX_OK;
        }

        ngx_slprintf((u_char *) text, last, "%V failed: %ui healthy%Z",
                     &gate->text, evidence->healthy);
        return NGX_DECLINED;

    case ngx_duplex_gate_failed:

        /* too many already, whatever those are that are missing yet */

        of = ngx_max(evidence->requests, plan->min_requests);

        if (evidence->failed == 0
            || evidence->failed * 10000 < of * gate->limit)
        {
            return NGX_OK;
        }

        ngx_slprintf((u_char *) text, last,
                     "%V failed: %uL of %uL requests%Z", &gate->text,
                     evidence->failed, evidence->requests);
        return NGX_DECLINED;

    default: /* ngx_duplex_gate_quantile */

        if (evidence->requests < plan->min_requests) {
            return NGX_OK;
        }

        value = ngx_duplex_figures_quantile(evidence->times, gate->permille);

        if (value <= gate->limit) {
            return NGX_OK;
        }

        ngx_slprintf((u_char *) text, last,
                     "%V failed: %uLms of %uL requests%Z", &gate->text,
                     value, evidence->requests);
        return NGX_DECLINED;
    }
}
