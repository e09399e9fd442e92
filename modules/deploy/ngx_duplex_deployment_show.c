
/*
 * A deployment as the API shows it.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_clock.h"
#include "ngx_duplex_deployment_show.h"
#include "ngx_duplex_split_page.h"


static void ngx_duplex_deployment_show_nodes(ngx_duplex_json_t *json,
    ngx_duplex_split_t *split, ngx_duplex_deployment_t *deployment);
static ngx_int_t ngx_duplex_deployment_by_name(const void *one,
    const void *two);


void
ngx_duplex_deployment_show(ngx_duplex_json_t *json, ngx_duplex_split_t *split,
    ngx_duplex_deployment_t *deployment)
{
    ngx_duplex_plan_t  *plan;

    plan = &deployment->plan;

    ngx_duplex_json_text(json, "state",
                         ngx_duplex_deployment_word(deployment));
    ngx_duplex_json_text(json, "why", deployment->why);
    ngx_duplex_json_integer(json, "step", deployment->step);
    ngx_duplex_json_integer(json, "of", plan->nsteps);
    ngx_duplex_json_integer(json, "epoch", deployment->epoch);

    if (deployment->since) {
        ngx_duplex_json_time(json, "since", deployment->since);
    }

    if (deployment->state == ngx_duplex_deployment_step
        && deployment->step)
    {
        ngx_duplex_json_time(json, "next", deployment->since + plan->every);

    } else if (deployment->state != ngx_duplex_deployment_step) {
        ngx_duplex_json_time(json, "changed", deployment->ended);
    }

    ngx_duplex_split_show_weights(json, "weights", split);
    ngx_duplex_deployment_show_plan(json, split, deployment->json);
    ngx_duplex_deployment_show_nodes(json, split, deployment);
}


void
ngx_duplex_deployment_show_plan(ngx_duplex_json_t *json,
    ngx_duplex_split_t *split, json_t *object)
{
    ngx_uint_t          i;
    const char         *name, *text;
    ngx_duplex_plan_t   plan;

    static const char  *texts[] = { "every", "warmup", "gate", "drain_after",
                                    "on_node_loss", "client", "reason", NULL };

    if (ngx_duplex_plan_read(split, object, &plan, &name)) {
        return;
    }

    ngx_duplex_json_object(json, "plan");

    ngx_duplex_json_hex(json, "id", plan.id);
    ngx_duplex_json_string(json, "to", &split->parts[plan.to].colour);
    ngx_duplex_json_time(json, "started", (uint64_t) json_integer_value(
                                        json_object_get(object, "started")));
    ngx_duplex_json_array(json, "steps");

    for (i = 0; i < plan.nsteps; i++) {
        ngx_duplex_json_decimal(json, NULL, plan.steps[i], 2);
    }

    ngx_duplex_json_array_end(json);

    ngx_duplex_json_integer(json, "min_requests", plan.min_requests);

    for (i = 0; texts[i]; i++) {

        text = json_string_value(json_object_get(object, texts[i]));

        if (text) {
            ngx_duplex_json_text(json, texts[i], text);
        }
    }

    ngx_duplex_json_object_end(json);
}


/* what each node says of the present step */

static void
ngx_duplex_deployment_show_nodes(ngx_duplex_json_t *json,
    ngx_duplex_split_t *split, ngx_duplex_deployment_t *deployment)
{
    json_t                 *report;
    uint64_t                now;
    ngx_uint_t              i;
    const char             *hold;
    ngx_duplex_register_t   progress[NGX_DUPLEX_DEPLOYMENT_NODES];
    ngx_duplex_evidence_t   evidence;

    now = ngx_duplex_clock_monotonic();

    ngx_memcpy(progress, ngx_duplex_deployment_progress(split),
               sizeof(progress));
    ngx_sort(progress, NGX_DUPLEX_DEPLOYMENT_NODES,
             sizeof(ngx_duplex_register_t), ngx_duplex_deployment_by_name);

    ngx_duplex_json_array(json, "nodes");

    for (i = 0; i < NGX_DUPLEX_DEPLOYMENT_NODES; i++) {

        report = progress[i].json;

        if (report == NULL) {
            continue;
        }

        ngx_memzero(&evidence, sizeof(ngx_duplex_evidence_t));
        ngx_duplex_evidence_add(&evidence, report);

        hold = json_string_value(json_object_get(report, "hold"));

        ngx_duplex_json_object(json, NULL);
        ngx_duplex_json_text(json, "name", progress[i].node);
        ngx_duplex_json_integer(json, "heard_ms", now > progress[i].heard
                                                  ? now - progress[i].heard
                                                  : 0);
        ngx_duplex_json_integer(json, "step", json_integer_value(
                                         json_object_get(report, "step")));
        ngx_duplex_json_boolean(json, "ready", json_is_true(
                                         json_object_get(report, "ready")));
        ngx_duplex_json_text(json, "hold", hold ? hold : "");
        ngx_duplex_json_integer(json, "healthy", evidence.healthy);
        ngx_duplex_json_integer(json, "requests", evidence.requests);
        ngx_duplex_json_integer(json, "failed", evidence.failed);
        ngx_duplex_json_integer(json, "p99_ms",
                        ngx_duplex_figures_quantile(evidence.times, 990));
        ngx_duplex_json_object_end(json);
    }

    ngx_duplex_json_array_end(json);
}


static ngx_int_t
ngx_duplex_deployment_by_name(const void *one, const void *two)
{
    const ngx_duplex_register_t  *a = one, *b = two;

    return ngx_strcmp(a->node, b->node);
}
