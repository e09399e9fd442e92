
/*
 * Driving a deployment: what the lease holder of each node does in a beat.
 *
 *     report      epoch, step and figures of this node
 *     judge       the gates, by all nodes' figures; a failed one ends it
 *     look        whether a node that takes part has fallen silent
 *     go on       the driver only: prepare a step, then activate it
 *
 * A decision is written before the weights: whoever drives next finds them
 * behind it and brings them up, and no key goes back and forth.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_clock.h"
#include "../core/ngx_duplex_identity.h"
#include "ngx_duplex_deployment.h"


/* a beat that comes so late (ms) says nothing about others' silence */
#define NGX_DUPLEX_DRIVE_LATE  1000

/* others may still be told of the end, or of a pause (ms) */
#define NGX_DUPLEX_DRIVE_SETTLE  2000


/* of this process, by split */
typedef struct {
    uint64_t                 epoch;
    uint64_t                 joined;       /* ms, monotonic */
    char                     hold[NGX_DUPLEX_DEPLOYMENT_TEXT];
} ngx_duplex_drive_t;


static void ngx_duplex_drive_split(ngx_duplex_split_t *split, uint64_t now);
static void ngx_duplex_drive_settle(ngx_duplex_split_t *split,
    ngx_duplex_deployment_t *deployment);
static void ngx_duplex_drive_report(ngx_duplex_split_t *split,
    ngx_duplex_deployment_t *deployment, ngx_duplex_drive_t *drive);
static ngx_int_t ngx_duplex_drive_judge(ngx_duplex_split_t *split,
    ngx_duplex_deployment_t *deployment, uint64_t now, char *text);
static ngx_int_t ngx_duplex_drive_listen(ngx_duplex_split_t *split,
    ngx_duplex_deployment_t *deployment, uint64_t now);
static void ngx_duplex_drive_go_on(ngx_duplex_split_t *split,
    ngx_duplex_deployment_t *deployment, ngx_duplex_drive_t *drive,
    ngx_int_t judged, char *text, uint64_t now);
static ngx_uint_t ngx_duplex_drive_acknowledged(ngx_duplex_split_t *split,
    ngx_duplex_deployment_t *deployment, ngx_uint_t next, uint64_t now,
    ngx_duplex_drive_t *drive);
static ngx_uint_t ngx_duplex_drive_is_driver(ngx_duplex_split_t *split,
    ngx_duplex_deployment_t *deployment, uint64_t now);
static json_t *ngx_duplex_drive_nodes(ngx_duplex_split_t *split,
    ngx_duplex_deployment_t *deployment, uint64_t now);
static ngx_uint_t ngx_duplex_drive_hears(ngx_duplex_register_t *reg,
    ngx_duplex_deployment_t *deployment, uint64_t now);
static void ngx_duplex_drive_decide(ngx_duplex_split_t *split,
    ngx_duplex_deployment_t *deployment, ngx_duplex_deployment_e state,
    const char *why, json_t *nodes);


static ngx_duplex_drive_t  ngx_duplex_drives[NGX_DUPLEX_SPLITS_MAX];

/* since when this process can have heard the others; ms, monotonic */
static uint64_t            ngx_duplex_drive_took;
static uint64_t            ngx_duplex_drive_beat;


void
ngx_duplex_deployments_take(void)
{
    ngx_memzero(ngx_duplex_drives, sizeof(ngx_duplex_drives));

    ngx_duplex_drive_took = ngx_duplex_clock_monotonic();
    ngx_duplex_drive_beat = ngx_duplex_drive_took;
}


void
ngx_duplex_deployments_beat(void)
{
    uint64_t             now;
    ngx_uint_t           i;
    ngx_duplex_split_t  *split;

    now = ngx_duplex_clock_monotonic();

    if (now - ngx_duplex_drive_beat > NGX_DUPLEX_DRIVE_LATE) {
        ngx_duplex_drive_took = now;
    }

    ngx_duplex_drive_beat = now;

    for (i = 0; (split = ngx_duplex_split(i)); i++) {
        ngx_duplex_drive_split(split, now);
    }
}


static void
ngx_duplex_drive_split(ngx_duplex_split_t *split, uint64_t now)
{
    char                      text[NGX_DUPLEX_DEPLOYMENT_TEXT];
    ngx_int_t                 judged;
    ngx_duplex_drive_t       *drive;
    ngx_duplex_deployment_t   deployment;

    if (ngx_duplex_deployment_get(split, &deployment) != NGX_OK) {
        return;
    }

    if (deployment.state == ngx_duplex_deployment_done
        || deployment.state == ngx_duplex_deployment_rolled_back)
    {
        if (ngx_duplex_clock_wall()
            > deployment.ended + NGX_DUPLEX_DRIVE_SETTLE)
        {
            ngx_duplex_drive_settle(split, &deployment);
        }

        return;
    }

    drive = &ngx_duplex_drives[split->id];

    if (drive->epoch != deployment.epoch) {
        drive->epoch = deployment.epoch;
        drive->joined = now;
        ngx_memzero(drive->hold, sizeof(drive->hold));
    }

    ngx_duplex_drive_report(split, &deployment, drive);

    ngx_memzero(text, sizeof(text));
    judged = ngx_duplex_drive_judge(split, &deployment, now, text);

    if (judged == NGX_DECLINED && deployment.step) {
        ngx_duplex_drive_decide(split, &deployment,
                                ngx_duplex_deployment_rolled_back, text, NULL);
        return;
    }

    if (deployment.state == ngx_duplex_deployment_paused) {

        if (deployment.step
            && now > drive->joined + NGX_DUPLEX_DRIVE_SETTLE)
        {
            ngx_duplex_drive_settle(split, &deployment);
        }

        return;
    }

    if (ngx_duplex_drive_listen(split, &deployment, now) != NGX_OK) {
        return;
    }

    if (now - drive->joined >= NGX_DUPLEX_DEPLOYMENT_JOIN
        && ngx_duplex_drive_is_driver(split, &deployment, now))
    {
        ngx_duplex_drive_go_on(split, &deployment, drive, judged, text, now);
    }
}


/*
 * It is over, or paused.  What two sides of a cut did to the weights meanwhile
 * is put right, unless somebody has set them by hand since.
 */

static void
ngx_duplex_drive_settle(ngx_duplex_split_t *split,
    ngx_duplex_deployment_t *deployment)
{
    ngx_duplex_split_state_t  *state;

    state = split->pending ? &split->next : &split->present;

    if (state->deployment == deployment->plan.id) {
        (void) ngx_duplex_deployment_weigh(split, deployment,
                                           deployment->why);
    }
}


static void
ngx_duplex_drive_report(ngx_duplex_split_t *split,
    ngx_duplex_deployment_t *deployment, ngx_duplex_drive_t *drive)
{
    json_t     *json;
    uint64_t    begins;
    ngx_uint_t  counting;

    begins = deployment->since + deployment->plan.warmup;
    counting = deployment->step && ngx_duplex_clock_wall() >= begins;

    if (counting) {
        ngx_duplex_figures_mark(split, deployment->plan.to,
                                deployment->plan.id * 64 + deployment->step);
    }

    json = ngx_duplex_evidence_own(split, &deployment->plan, counting);

    if (json == NULL) {
        return;
    }

    json_object_set_new(json, "epoch", json_integer(deployment->epoch));
    json_object_set_new(json, "step", json_integer(deployment->step));
    json_object_set_new(json, "prepared", json_integer(deployment->prepared));
    json_object_set_new(json, "digest", json_integer(split->digest >> 1));
    json_object_set_new(json, "ready",
                        json_boolean(ngx_duplex_deployment_ready()));
    json_object_set_new(json, "hold", json_string(drive->hold));

    ngx_duplex_deployment_report(split, json);
}


static ngx_int_t
ngx_duplex_drive_judge(ngx_duplex_split_t *split,
    ngx_duplex_deployment_t *deployment, uint64_t now, char *text)
{
    ngx_uint_t              i;
    ngx_duplex_register_t  *progress;
    ngx_duplex_evidence_t   evidence;

    ngx_memzero(&evidence, sizeof(ngx_duplex_evidence_t));

    progress = ngx_duplex_deployment_progress(split);

    for (i = 0; i < NGX_DUPLEX_DEPLOYMENT_NODES; i++) {

        if (ngx_duplex_drive_hears(&progress[i], deployment, now)
            && (ngx_uint_t) json_integer_value(
                            json_object_get(progress[i].json, "step"))
               == deployment->step)
        {
            ngx_duplex_evidence_add(&evidence, progress[i].json);
        }
    }

    return ngx_duplex_evidence_judge(&evidence, &deployment->plan, text,
                                     NGX_DUPLEX_DEPLOYMENT_TEXT);
}


/* NGX_OK: all that take part are heard, or need not be */

static ngx_int_t
ngx_duplex_drive_listen(ngx_duplex_split_t *split,
    ngx_duplex_deployment_t *deployment, uint64_t now)
{
    char                    text[NGX_DUPLEX_DEPLOYMENT_TEXT];
    size_t                  i;
    json_t                 *name;
    uint64_t                heard;
    ngx_uint_t              j;
    const char             *word;
    ngx_duplex_drive_t     *drive;
    ngx_duplex_register_t  *progress;

    if (deployment->plan.goes_on) {
        return NGX_OK;
    }

    drive = &ngx_duplex_drives[split->id];
    progress = ngx_duplex_deployment_progress(split);

    json_array_foreach(deployment->nodes, i, name) {

        word = json_string_value(name);
        heard = ngx_max(ngx_duplex_drive_took, drive->joined);

        for (j = 0; word && j < NGX_DUPLEX_DEPLOYMENT_NODES; j++) {
            if (ngx_strcmp(progress[j].node, word) == 0) {
                heard = ngx_max(heard, progress[j].heard);
            }
        }

        if (word && now > heard + NGX_DUPLEX_DEPLOYMENT_SILENCE) {
            ngx_snprintf((u_char *) text, sizeof(text) - 1,
                         "node %s silent%Z", word);
            ngx_duplex_drive_decide(split, deployment,
                                    ngx_duplex_deployment_paused, text,
                                    deployment->nodes);
            return NGX_DECLINED;
        }
    }

    return NGX_OK;
}


static void
ngx_duplex_drive_go_on(ngx_duplex_split_t *split,
    ngx_duplex_deployment_t *deployment, ngx_duplex_drive_t *drive,
    ngx_int_t judged, char *text, uint64_t now)
{
    json_t              *nodes;
    ngx_uint_t           next;
    ngx_duplex_plan_t   *plan;

    plan = &deployment->plan;

    if (deployment->step) {
        (void) ngx_duplex_deployment_weigh(split, deployment, "");

        if (!deployment->hurry
            && ngx_duplex_clock_wall() < deployment->since + plan->every)
        {
            drive->hold[0] = '\0';
            return;
        }
    }

    /* before the first step nothing can have been counted */

    if (judged == NGX_DECLINED
        || (judged == NGX_AGAIN && deployment->step && !deployment->hurry))
    {
        ngx_cpystrn((u_char *) drive->hold, (u_char *) text,
                    sizeof(drive->hold));
        return;
    }

    drive->hold[0] = '\0';

    if (deployment->step == plan->nsteps) {
        ngx_duplex_drive_decide(split, deployment, ngx_duplex_deployment_done,
                                "", deployment->nodes);
        return;
    }

    next = deployment->hurry ? plan->nsteps : deployment->step + 1;

    nodes = deployment->nodes ? json_incref(deployment->nodes)
                              : ngx_duplex_drive_nodes(split, deployment, now);

    if (deployment->prepared < next) {
        deployment->prepared = next;
        ngx_duplex_drive_decide(split, deployment, ngx_duplex_deployment_step,
                                "", nodes);

    } else if (ngx_duplex_drive_acknowledged(split, deployment, next, now,
                                             drive))
    {
        deployment->step = next;
        deployment->hurry = 0;
        deployment->since = ngx_duplex_clock_wall()
                            + NGX_DUPLEX_SPLIT_DELAY;
        ngx_duplex_drive_decide(split, deployment, ngx_duplex_deployment_step,
                                "", nodes);
    }

    json_decref(nodes);
}


/* all that are heard are ready for the step, and have the same file */

static ngx_uint_t
ngx_duplex_drive_acknowledged(ngx_duplex_split_t *split,
    ngx_duplex_deployment_t *deployment, ngx_uint_t next, uint64_t now,
    ngx_duplex_drive_t *drive)
{
    json_t                 *json;
    ngx_uint_t              i;
    ngx_duplex_register_t  *progress;

    progress = ngx_duplex_deployment_progress(split);

    for (i = 0; i < NGX_DUPLEX_DEPLOYMENT_NODES; i++) {

        if (!ngx_duplex_drive_hears(&progress[i], deployment, now)) {
            continue;
        }

        json = progress[i].json;

        if ((uint64_t) json_integer_value(json_object_get(json, "digest"))
            != split->digest >> 1)
        {
            ngx_snprintf((u_char *) drive->hold, sizeof(drive->hold) - 1,
                         "node %s has other lines of this split in its "
                         "file%Z", progress[i].node);
            return 0;
        }

        if ((ngx_uint_t) json_integer_value(json_object_get(json, "prepared"))
            < next)
        {
            ngx_snprintf((u_char *) drive->hold, sizeof(drive->hold) - 1,
                         "waiting for node %s%Z", progress[i].node);
            return 0;
        }
    }

    drive->hold[0] = '\0';

    return 1;
}


/* nobody that is ready has a lower name */

static ngx_uint_t
ngx_duplex_drive_is_driver(ngx_duplex_split_t *split,
    ngx_duplex_deployment_t *deployment, uint64_t now)
{
    ngx_str_t              *name;
    ngx_uint_t              i;
    ngx_duplex_register_t  *progress;

    name = &ngx_duplex_identity()->name;
    progress = ngx_duplex_deployment_progress(split);

    for (i = 0; i < NGX_DUPLEX_DEPLOYMENT_NODES; i++) {

        if (ngx_duplex_drive_hears(&progress[i], deployment, now)
            && json_is_true(json_object_get(progress[i].json, "ready"))
            && ngx_memn2cmp((u_char *) progress[i].node, name->data,
                            ngx_strlen(progress[i].node), name->len)
               < 0)
        {
            return 0;
        }
    }

    return ngx_duplex_deployment_ready();
}


static json_t *
ngx_duplex_drive_nodes(ngx_duplex_split_t *split,
    ngx_duplex_deployment_t *deployment, uint64_t now)
{
    json_t                 *nodes;
    ngx_uint_t              i;
    ngx_duplex_register_t  *progress;

    nodes = json_array();
    progress = ngx_duplex_deployment_progress(split);

    for (i = 0; i < NGX_DUPLEX_DEPLOYMENT_NODES; i++) {
        if (ngx_duplex_drive_hears(&progress[i], deployment, now)) {
            json_array_append_new(nodes, json_string(progress[i].node));
        }
    }

    return nodes;
}


/* it has joined the epoch, and was heard of late */

static ngx_uint_t
ngx_duplex_drive_hears(ngx_duplex_register_t *reg,
    ngx_duplex_deployment_t *deployment, uint64_t now)
{
    return reg->json
           && (uint64_t) json_integer_value(json_object_get(reg->json,
                                                            "epoch"))
              == deployment->epoch
           && now <= reg->heard + NGX_DUPLEX_DEPLOYMENT_SILENCE;
}


static void
ngx_duplex_drive_decide(ngx_duplex_split_t *split,
    ngx_duplex_deployment_t *deployment, ngx_duplex_deployment_e state,
    const char *why, json_t *nodes)
{
    ngx_duplex_decision_t  decision;

    ngx_memzero(&decision, sizeof(ngx_duplex_decision_t));

    decision.epoch = deployment->epoch;
    decision.state = state;
    decision.step = deployment->step;
    decision.prepared = deployment->prepared;
    decision.since = deployment->since;
    decision.hurry = deployment->hurry;
    decision.plan = deployment->json;
    decision.nodes = nodes;
    decision.why = why;

    /* the register that "deployment" points into may be the one written */

    json_incref(decision.plan);
    json_incref(decision.nodes);

    if (ngx_duplex_deployment_decide(split, &decision) == NGX_OK) {

        deployment->state = state;
        deployment->ended = ngx_duplex_clock_wall();

        if (deployment->step) {
            (void) ngx_duplex_deployment_weigh(split, deployment, why);
        }
    }

    json_decref(decision.nodes);
    json_decref(decision.plan);
}
