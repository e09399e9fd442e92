
/*
 * Decisions and progress: the registers, and what follows from them.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_clock.h"
#include "../core/ngx_duplex_event.h"
#include "../core/ngx_duplex_identity.h"
#include "../core/ngx_duplex_readiness.h"
#include "ngx_duplex_deployment.h"


typedef struct {
    ngx_duplex_register_t  decisions[NGX_DUPLEX_DEPLOYMENT_NODES];
    ngx_duplex_register_t  progress[NGX_DUPLEX_DEPLOYMENT_NODES];
} ngx_duplex_registers_t;


static void ngx_duplex_decision_project(ngx_duplex_record_t *rec);
static void ngx_duplex_progress_project(ngx_duplex_record_t *rec);
static ngx_int_t ngx_duplex_decision_visit(ngx_duplex_record_t *rec,
    void *data);
static void ngx_duplex_register_read(ngx_duplex_record_t *rec,
    ngx_uint_t progress);
static ngx_duplex_register_t *ngx_duplex_register_find(
    ngx_duplex_register_t *registers, ngx_str_t *node);
static ngx_uint_t ngx_duplex_decision_state(json_t *json);
static void ngx_duplex_deployment_tell(ngx_duplex_split_t *split,
    ngx_duplex_decision_t *decision);


#define ngx_duplex_number(json, name)                                         \
    ((uint64_t) json_integer_value(json_object_get(json, name)))


ngx_duplex_kind_t  ngx_duplex_decision_kind = {
    NGX_DUPLEX_TAG('d', 'p', 'l', 'y'),
    ngx_string("deployment"),
    NGX_DUPLEX_KIND_DURABLE,
    ngx_duplex_decision_project
};

ngx_duplex_kind_t  ngx_duplex_progress_kind = {
    NGX_DUPLEX_TAG('d', 'p', 'r', 'g'),
    ngx_string("deployment progress"),
    0,
    ngx_duplex_progress_project
};

static const char *const  ngx_duplex_deployment_words[] = {
    "running",
    "done",
    "paused",
    "rolled back"
};


/* of this process, by split */
static ngx_duplex_registers_t  ngx_duplex_registers[NGX_DUPLEX_SPLITS_MAX];

static ngx_duplex_readiness_t  *ngx_duplex_deployment_readiness;


void
ngx_duplex_deployments_bind(ngx_conf_t *cf)
{
    ngx_duplex_deployment_readiness = ngx_duplex_find_service(cf,
                                                     NGX_DUPLEX_READINESS);
}


ngx_uint_t
ngx_duplex_deployment_ready(void)
{
    return ngx_duplex_deployment_readiness == NULL
           || ngx_duplex_deployment_readiness->ready();
}


/*
 * Other workers' words may not have come to this process yet: with the lock
 * held its own node's register is read again.
 */

void
ngx_duplex_deployment_lock(ngx_duplex_split_t *split)
{
    ngx_duplex_record_t  rec;

    ngx_duplex_figures_lock();

    ngx_memzero(&rec, sizeof(ngx_duplex_record_t));

    rec.kind = ngx_duplex_decision_kind.tag;
    rec.zone = split->name;
    rec.key = ngx_duplex_identity()->name;

    ngx_duplex_register_read(&rec, 0);
}


void
ngx_duplex_deployment_unlock(void)
{
    ngx_duplex_figures_unlock();
}


void
ngx_duplex_deployments_commit(void)
{
    ngx_uint_t  i, j;

    for (i = 0; i < NGX_DUPLEX_SPLITS_MAX; i++) {
        for (j = 0; j < NGX_DUPLEX_DEPLOYMENT_NODES; j++) {
            json_decref(ngx_duplex_registers[i].decisions[j].json);
            json_decref(ngx_duplex_registers[i].progress[j].json);
        }
    }

    ngx_memzero(ngx_duplex_registers, sizeof(ngx_duplex_registers));

    if (ngx_duplex_split(0) == NULL || ngx_duplex_store_table() == NULL) {
        return;
    }

    (void) ngx_duplex_store_walk(ngx_duplex_store_table(),
                                 ngx_duplex_decision_kind.tag, NULL,
                                 ngx_duplex_decision_visit, NULL);
}


static ngx_int_t
ngx_duplex_decision_visit(ngx_duplex_record_t *rec, void *data)
{
    ngx_duplex_register_read(rec, 0);

    return NGX_OK;
}


static void
ngx_duplex_decision_project(ngx_duplex_record_t *rec)
{
    ngx_duplex_register_read(rec, 0);
}


static void
ngx_duplex_progress_project(ngx_duplex_record_t *rec)
{
    ngx_duplex_register_read(rec, 1);
}


/* the zone is the split's name, the key the node's */

static void
ngx_duplex_register_read(ngx_duplex_record_t *changed, ngx_uint_t progress)
{
    json_t                 *json;
    json_error_t            error;
    ngx_duplex_split_t     *split;
    ngx_duplex_record_t     rec;
    ngx_duplex_register_t  *reg;
    static u_char           buf[NGX_DUPLEX_RECORD_MAX];

    split = ngx_duplex_split_find(&changed->zone);
    if (split == NULL) {
        return;
    }

    rec = *changed;
    json = NULL;

    if (ngx_duplex_store_get(ngx_duplex_store_table(), &rec, buf, sizeof(buf))
        == NGX_OK)
    {
        json = json_loadb((char *) rec.value.data, rec.value.len, 0, &error);
    }

    reg = ngx_duplex_register_find(
              progress ? ngx_duplex_registers[split->id].progress
                       : ngx_duplex_registers[split->id].decisions, &rec.key);

    if (reg == NULL) {
        json_decref(json);
        return;
    }

    json_decref(reg->json);
    reg->json = json;
    reg->heard = ngx_duplex_clock_monotonic();
}


static ngx_duplex_register_t *
ngx_duplex_register_find(ngx_duplex_register_t *registers, ngx_str_t *node)
{
    ngx_uint_t  i;

    if (node->len == 0 || node->len >= sizeof(registers->node)) {
        return NULL;
    }

    for (i = 0; i < NGX_DUPLEX_DEPLOYMENT_NODES; i++) {

        if (registers[i].node[0] == '\0') {
            ngx_memcpy(registers[i].node, node->data, node->len);
            return &registers[i];
        }

        if (ngx_strlen(registers[i].node) == node->len
            && ngx_memcmp(registers[i].node, node->data, node->len) == 0)
        {
            return &registers[i];
        }
    }

    return NULL;
}


ngx_int_t
ngx_duplex_register_write(ngx_duplex_kind_t *kind, ngx_duplex_split_t *split,
    ngx_str_t *name, json_t *json)
{
    char                 *text;
    ngx_int_t             rc;
    ngx_duplex_record_t   rec;

    text = json_dumps(json, JSON_COMPACT);
    if (text == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(&rec, sizeof(ngx_duplex_record_t));

    rec.kind = kind->tag;
    rec.zone = split->name;
    rec.key = *name;
    rec.value.data = (u_char *) text;
    rec.value.len = ngx_strlen(text);

    rc = ngx_duplex_store_apply(ngx_duplex_store_table(), &rec);

    free(text);

    return rc == NGX_ERROR ? NGX_ERROR : NGX_OK;
}


ngx_int_t
ngx_duplex_deployment_get(ngx_duplex_split_t *split,
    ngx_duplex_deployment_t *deployment)
{
    json_t                 *json, *best;
    uint64_t                epoch;
    ngx_uint_t              i, state, step, hurry;
    const char             *name;
    ngx_duplex_register_t  *decisions;

    ngx_memzero(deployment, sizeof(ngx_duplex_deployment_t));

    decisions = ngx_duplex_registers[split->id].decisions;
    best = NULL;
    hurry = NGX_DUPLEX_PLAN_STEPS + 1;

    for (i = 0; i < NGX_DUPLEX_DEPLOYMENT_NODES; i++) {

        json = decisions[i].json;
        epoch = ngx_duplex_number(json, "epoch");

        if (json == NULL || epoch < deployment->epoch) {
            continue;
        }

        if (epoch > deployment->epoch) {
            ngx_memzero(deployment, sizeof(ngx_duplex_deployment_t));
            deployment->epoch = epoch;
            best = NULL;
            hurry = NGX_DUPLEX_PLAN_STEPS + 1;
        }

        state = ngx_duplex_decision_state(json);
        step = ngx_duplex_number(json, "step");

        if (step > deployment->step || deployment->since == 0) {
            deployment->step = step;
            deployment->since = ngx_duplex_number(json, "since");
        }

        deployment->prepared = ngx_max(deployment->prepared,
                                       ngx_duplex_number(json, "prepared"));

        if (json_is_array(json_object_get(json, "nodes"))) {
            deployment->nodes = json_object_get(json, "nodes");
        }

        if (json_is_true(json_object_get(json, "hurry"))) {
            hurry = step;
        }

        /* of two starts at once the later one, wherever one asks */

        if (best == NULL || state > deployment->state
            || (state == deployment->state
                && ngx_duplex_number(json, "time")
                   > ngx_duplex_number(best, "time")))
        {
            best = json;
            deployment->state = state;
        }
    }

    if (best == NULL) {
        return NGX_DECLINED;
    }

    /* until the step is taken that it was said for */

    deployment->hurry = deployment->step == hurry;
    deployment->json = json_object_get(best, "plan");
    deployment->why = json_string_value(json_object_get(best, "why"));
    deployment->why = deployment->why ? deployment->why : "";
    deployment->ended = ngx_duplex_number(best, "time");

    if (ngx_duplex_plan_read(split, deployment->json, &deployment->plan, &name)
        || deployment->plan.id == 0
        || deployment->step > deployment->plan.nsteps)
    {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


/* an unknown word is of a later version: nothing is done */

static ngx_uint_t
ngx_duplex_decision_state(json_t *json)
{
    ngx_uint_t   i;
    const char  *word;

    word = json_string_value(json_object_get(json, "state"));

    for (i = 0; word && i <= ngx_duplex_deployment_rolled_back; i++) {
        if (ngx_strcmp(word, ngx_duplex_deployment_words[i]) == 0) {
            return i;
        }
    }

    return ngx_duplex_deployment_paused;
}


ngx_uint_t
ngx_duplex_deployment_is_active(ngx_duplex_split_t *split)
{
    ngx_duplex_deployment_t  deployment;

    return ngx_duplex_deployment_get(split, &deployment) == NGX_OK
           && (deployment.state == ngx_duplex_deployment_step
               || deployment.state == ngx_duplex_deployment_paused);
}


const char *
ngx_duplex_deployment_word(ngx_duplex_deployment_t *deployment)
{
    return ngx_duplex_deployment_words[deployment->state];
}


ngx_duplex_register_t *
ngx_duplex_deployment_progress(ngx_duplex_split_t *split)
{
    return ngx_duplex_registers[split->id].progress;
}


ngx_int_t
ngx_duplex_deployment_decide(ngx_duplex_split_t *split,
    ngx_duplex_decision_t *decision)
{
    json_t     *json;
    ngx_int_t   rc;

    json = json_pack("{s:I, s:s, s:i, s:i, s:I, s:I, s:b, s:s, s:O, s:O*}",
                     "epoch", (json_int_t) decision->epoch,
                     "state", ngx_duplex_deployment_words[decision->state],
                     "step", (int) decision->step,
                     "prepared", (int) decision->prepared,
                     "since", (json_int_t) decision->since,
                     "time", (json_int_t) ngx_duplex_clock_wall(),
                     "hurry", (int) decision->hurry,
                     "why", decision->why ? decision->why : "",
                     "plan", decision->plan,
                     "nodes", decision->nodes);

    if (json == NULL) {
        return NGX_ERROR;
    }

    rc = ngx_duplex_register_write(&ngx_duplex_decision_kind, split,
                                   &ngx_duplex_identity()->name, json);
    json_decref(json);

    if (rc == NGX_OK) {
        ngx_duplex_deployment_tell(split, decision);

        if (decision->state == ngx_duplex_deployment_done
            || decision->state == ngx_duplex_deployment_rolled_back)
        {
            ngx_duplex_history_add(split, decision,
                        ngx_duplex_deployment_words[decision->state]);
        }
    }

    return rc;
}


static void
ngx_duplex_deployment_tell(ngx_duplex_split_t *split,
    ngx_duplex_decision_t *decision)
{
    const char         *word, *name;
    ngx_duplex_plan_t   plan;

    if (decision->state == ngx_duplex_deployment_step
        && decision->prepared > decision->step)
    {
        /* getting ready for it is nothing to speak of */
        return;
    }

    if (ngx_duplex_plan_read(split, decision->plan, &plan, &name)) {
        return;
    }

    word = ngx_duplex_deployment_words[decision->state];

    ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                  "deployment of \"%V\" to \"%V\" is now %s, step %ui of %ui"
                  "%s%s", &split->name, &split->parts[plan.to].colour, word,
                  decision->step, plan.nsteps,
                  decision->why && *decision->why ? ": " : "",
                  decision->why ? decision->why : "");

    ngx_duplex_event("deployment", &split->name,
                     "to \"%V\" is now %s, step %ui of %ui%s%s",
                     &split->parts[plan.to].colour, word, decision->step,
                     plan.nsteps,
                     decision->why && *decision->why ? ": " : "",
                     decision->why ? decision->why : "");
}


void
ngx_duplex_deployment_report(ngx_duplex_split_t *split, json_t *json)
{
    if (json) {
        (void) ngx_duplex_register_write(&ngx_duplex_progress_kind, split,
                                         &ngx_duplex_identity()->name, json);
    }

    json_decref(json);
}


/* rolled back: those that the new group had are nobody's any more */

ngx_int_t
ngx_duplex_deployment_weigh(ngx_duplex_split_t *split,
    ngx_duplex_deployment_t *deployment, const char *why)
{
    ngx_str_t                  who = ngx_string("deployment");
    ngx_uint_t                 i;
    ngx_duplex_plan_t         *plan;
    ngx_duplex_split_state_t  *state;
    ngx_duplex_split_change_t  change;

    plan = &deployment->plan;
    state = split->pending ? &split->next : &split->present;

    ngx_memzero(&change, sizeof(ngx_duplex_split_change_t));

    change.who = who;
    change.why.data = (u_char *) why;
    change.why.len = ngx_strlen(why);
    change.deployment = plan->id;
    change.closed = state->closed & ~(1 << plan->to);

    if (deployment->state == ngx_duplex_deployment_rolled_back) {

        ngx_duplex_plan_weights(split, plan, 0, change.weights);

        if (plan->base[plan->to] == 0) {
            change.closed |= 1 << plan->to;
        }

    } else {
        ngx_duplex_plan_weights(split, plan, deployment->step, change.weights);
    }

    if (deployment->state == ngx_duplex_deployment_done
        && plan->drain_after != NGX_CONF_UNSET_MSEC
        && ngx_duplex_clock_wall() >= deployment->ended + plan->drain_after)
    {
        for (i = 0; i < split->nparts; i++) {
            if (change.weights[i] == 0) {
                change.closed |= 1 << i;
            }
        }
    }

    return ngx_duplex_split_change(split, &change);
}
