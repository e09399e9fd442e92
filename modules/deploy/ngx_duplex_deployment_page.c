
/*
 * Deployments in the API: duplex/deployments.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_clock.h"
#include "../core/ngx_duplex_identity.h"
#include "ngx_duplex_deployment.h"
#include "ngx_duplex_deployment_show.h"
#include "ngx_duplex_split_page.h"


static ngx_uint_t ngx_duplex_deployment_page_list(ngx_duplex_call_t *call);
static ngx_uint_t ngx_duplex_deployment_page_get(ngx_duplex_call_t *call);
static ngx_uint_t ngx_duplex_deployment_page_post(ngx_duplex_call_t *call);
static ngx_uint_t ngx_duplex_deployment_page_patch(ngx_duplex_call_t *call);
static ngx_uint_t ngx_duplex_deployment_page_history(ngx_duplex_call_t *call);
static ngx_int_t ngx_duplex_deployment_history_visit(ngx_duplex_record_t *rec,
    void *data);
static ngx_uint_t ngx_duplex_deployment_start(ngx_duplex_call_t *call,
    ngx_duplex_split_t *split, json_t *plan);
static ngx_uint_t ngx_duplex_deployment_act(ngx_duplex_call_t *call,
    ngx_duplex_split_t *split, const char *action, const char *why);
static ngx_uint_t ngx_duplex_deployment_said(ngx_duplex_call_t *call,
    ngx_duplex_split_t *split, ngx_duplex_decision_t *decision);
static const char *ngx_duplex_deployment_why(ngx_duplex_call_t *call,
    ngx_str_t *reason);


static ngx_duplex_page_t  ngx_duplex_deployment_page_table[] = {

    { ngx_string("duplex/deployments"),
      ngx_duplex_deployment_page_list, ngx_duplex_deployment_page_post, NULL,
      NULL, NULL, 1, NULL },

    { ngx_string("duplex/deployments/*"),
      ngx_duplex_deployment_page_get, NULL, ngx_duplex_deployment_page_patch,
      NULL, NULL, 0, NULL },

    { ngx_string("duplex/deployments/*/history"),
      ngx_duplex_deployment_page_history, NULL, NULL, NULL, NULL, 0, NULL },

      ngx_duplex_null_page
};


ngx_int_t
ngx_duplex_deployment_pages(ngx_conf_t *cf)
{
    return ngx_duplex_register_pages(cf, ngx_duplex_deployment_page_table);
}


static ngx_uint_t
ngx_duplex_deployment_page_list(ngx_duplex_call_t *call)
{
    ngx_uint_t                i;
    ngx_duplex_split_t       *split;
    ngx_duplex_deployment_t   deployment;

    ngx_duplex_json_object(call->json, NULL);

    for (i = 0; (split = ngx_duplex_split(i)); i++) {

        if (ngx_duplex_deployment_get(split, &deployment) == NGX_OK) {
            ngx_duplex_json_object_named(call->json, &split->name);
            ngx_duplex_deployment_show(call->json, split, &deployment);
            ngx_duplex_json_object_end(call->json);
        }
    }

    ngx_duplex_json_object_end(call->json);

    return NGX_DUPLEX_CALL_OK;
}


static ngx_uint_t
ngx_duplex_deployment_page_get(ngx_duplex_call_t *call)
{
    ngx_duplex_split_t       *split;
    ngx_duplex_deployment_t   deployment;

    split = ngx_duplex_split_find(&call->segment[0]);

    if (split == NULL) {
        return ngx_duplex_call_refuse(call, 404, "SplitNotFound",
                                      "split not found");
    }

    if (ngx_duplex_deployment_get(split, &deployment) != NGX_OK) {
        return ngx_duplex_call_refuse(call, 404, "DeploymentNotFound",
                                      "there has been no deployment of \"%V\"",
                                      &split->name);
    }

    ngx_duplex_json_object(call->json, NULL);
    ngx_duplex_deployment_show(call->json, split, &deployment);
    ngx_duplex_json_object_end(call->json);

    return NGX_DUPLEX_CALL_OK;
}


/* {"split":"app","to":"green",...} */

static ngx_uint_t
ngx_duplex_deployment_page_post(ngx_duplex_call_t *call)
{
    json_t              *value, *plan;
    ngx_str_t            name;
    ngx_uint_t           status;
    ngx_duplex_split_t  *split;

    value = json_object_get(call->body, "split");

    if (!json_is_string(value)) {
        return ngx_duplex_call_refuse(call, 400, "DeploymentFormatError",
                                      "\"split\" is missing");
    }

    name.data = (u_char *) json_string_value(value);
    name.len = json_string_length(value);

    split = ngx_duplex_split_find(&name);

    if (split == NULL) {
        return ngx_duplex_call_refuse(call, 404, "SplitNotFound",
                                      "split \"%V\" not found", &name);
    }

    plan = json_copy(call->body);

    if (plan == NULL) {
        return 500;
    }

    json_object_del(plan, "split");

    status = ngx_duplex_deployment_start(call, split, plan);

    json_decref(plan);

    return status;
}


static ngx_uint_t
ngx_duplex_deployment_start(ngx_duplex_call_t *call, ngx_duplex_split_t *split,
    json_t *json)
{
    char                       group[NGX_DUPLEX_SPLIT_NAME_MAX * 4];
    json_t                    *base;
    uint64_t                   now;
    ngx_str_t                  reason;
    ngx_uint_t                 i, status;
    const char                *name, *wrong;
    ngx_duplex_plan_t          plan;
    ngx_duplex_decision_t      decision;
    ngx_duplex_deployment_t    deployment;
    ngx_duplex_split_state_t  *state;

    static const char         *ours[] = { "id", "base", "started", "client",
                                          "reason", NULL };

    if (ngx_duplex_split_reason(call, &reason, &status) != NGX_OK) {
        return status;
    }

    wrong = ngx_duplex_plan_read(split, json, &plan, &name);

    for (i = 0; wrong == NULL && ours[i]; i++) {
        if (json_object_get(json, ours[i])) {
            name = ours[i];
            wrong = "unknown parameter";
        }
    }

    if (wrong) {
        return ngx_duplex_call_refuse(call, 400, "DeploymentFormatError",
                                      "\"%s\" %s", name, wrong);
    }

    state = split->pending ? &split->next : &split->present;

    if (state->weights[plan.to] == NGX_DUPLEX_SPLIT_SLOTS) {
        return ngx_duplex_call_refuse(call, 409, "DeploymentDone",
                                      "\"%V\" has all of \"%V\" already",
                                      &split->parts[plan.to].colour,
                                      &split->name);
    }

    now = ngx_duplex_clock_wall();
    base = json_object();

    ngx_memzero(group, sizeof(group));

    for (i = 0; i < split->nparts; i++) {
        ngx_snprintf((u_char *) group, sizeof(group) - 1, "%V%Z",
                     &split->parts[i].group);
        json_object_set_new(base, group, json_integer(state->weights[i]));
    }

    json_object_set_new(json, "base", base);
    json_object_set_new(json, "id", json_integer(now * 16
                                     + ngx_duplex_identity()->id % 16));
    json_object_set_new(json, "started", json_integer(now));
    json_object_set_new(json, "client",
                        json_stringn((char *) call->client->data,
                                     call->client->len));
    json_object_set_new(json, "reason",
                        json_stringn((char *) reason.data, reason.len));

    ngx_memzero(&decision, sizeof(ngx_duplex_decision_t));

    decision.state = ngx_duplex_deployment_step;
    decision.plan = json;
    decision.why = "";

    ngx_duplex_deployment_lock(split);

    if (ngx_duplex_deployment_is_active(split)) {
        ngx_duplex_deployment_unlock();
        return ngx_duplex_call_refuse(call, 409, "DeploymentInProgress",
                                      "a deployment of \"%V\" is in progress",
                                      &split->name);
    }

    (void) ngx_duplex_deployment_get(split, &deployment);

    decision.epoch = deployment.epoch + 1;

    status = ngx_duplex_deployment_said(call, split, &decision);

    ngx_duplex_deployment_unlock();

    return status == NGX_DUPLEX_CALL_OK ? NGX_DUPLEX_CALL_CREATED : status;
}


/* {"action":"pause"} */

static ngx_uint_t
ngx_duplex_deployment_page_patch(ngx_duplex_call_t *call)
{
    ngx_str_t            reason;
    ngx_uint_t           status;
    const char          *action, *why;
    ngx_duplex_split_t  *split;

    split = ngx_duplex_split_find(&call->segment[0]);

    if (split == NULL) {
        return ngx_duplex_call_refuse(call, 404, "SplitNotFound",
                                      "split not found");
    }

    if (ngx_duplex_split_reason(call, &reason, &status) != NGX_OK) {
        return status;
    }

    action = json_string_value(json_object_get(call->body, "action"));

    if (action == NULL || json_object_size(call->body) != 1) {
        return ngx_duplex_call_refuse(call, 400, "DeploymentFormatError",
                                      "\"action\" is expected, and nothing "
                                      "else");
    }

    why = ngx_duplex_deployment_why(call, &reason);

    if (why == NULL) {
        return 500;
    }

    ngx_duplex_deployment_lock(split);
    status = ngx_duplex_deployment_act(call, split, action, why);
    ngx_duplex_deployment_unlock();

    return status;
}


static ngx_uint_t
ngx_duplex_deployment_act(ngx_duplex_call_t *call, ngx_duplex_split_t *split,
    const char *action, const char *why)
{
    ngx_uint_t                status, ended;
    ngx_duplex_decision_t     decision;
    ngx_duplex_deployment_t   deployment;

    if (ngx_duplex_deployment_get(split, &deployment) != NGX_OK) {
        return ngx_duplex_call_refuse(call, 404, "DeploymentNotFound",
                                      "there has been no deployment of \"%V\"",
                                      &split->name);
    }

    ngx_memzero(&decision, sizeof(ngx_duplex_decision_t));

    decision.epoch = deployment.epoch + 1;
    decision.step = deployment.step;
    decision.prepared = deployment.step;
    decision.since = deployment.since;
    decision.plan = deployment.json;
    decision.why = why;

    ended = deployment.state == ngx_duplex_deployment_done
            || deployment.state == ngx_duplex_deployment_rolled_back;

    if (ngx_strcmp(action, "pause") == 0) {
        decision.state = ngx_duplex_deployment_paused;

    } else if (ngx_strcmp(action, "resume") == 0) {
        decision.state = ngx_duplex_deployment_step;

    } else if (ngx_strcmp(action, "promote") == 0) {
        decision.state = ngx_duplex_deployment_step;
        decision.hurry = 1;

    } else if (ngx_strcmp(action, "rollback") == 0) {

        /* what is done can be undone */

        decision.state = ngx_duplex_deployment_rolled_back;
        ended = deployment.state == ngx_duplex_deployment_rolled_back;

    } else {
        return ngx_duplex_call_refuse(call, 400, "DeploymentFormatError",
                                      "\"action\" must be \"pause\", "
                                      "\"resume\", \"promote\" or "
                                      "\"rollback\"");
    }

    if (ended) {
        return ngx_duplex_call_refuse(call, 409, "DeploymentEnded",
                                      "the deployment of \"%V\" is %s",
                                      &split->name,
                                      ngx_duplex_deployment_word(&deployment));
    }

    json_incref(decision.plan);

    status = ngx_duplex_deployment_said(call, split, &decision);

    json_decref(decision.plan);

    return status;
}


static ngx_uint_t
ngx_duplex_deployment_said(ngx_duplex_call_t *call, ngx_duplex_split_t *split,
    ngx_duplex_decision_t *decision)
{
    ngx_duplex_deployment_t  deployment;

    if (ngx_duplex_deployment_decide(split, decision) != NGX_OK
        || ngx_duplex_deployment_get(split, &deployment) != NGX_OK)
    {
        return ngx_duplex_call_refuse(call, 400, "UpstreamOutOfMemory",
                                      "the store is full");
    }

    if (deployment.state == ngx_duplex_deployment_rolled_back) {
        (void) ngx_duplex_deployment_weigh(split, &deployment, decision->why);
    }

    call->durable = 1;

    ngx_duplex_json_object(call->json, NULL);
    ngx_duplex_deployment_show(call->json, split, &deployment);
    ngx_duplex_json_object_end(call->json);

    return NGX_DUPLEX_CALL_OK;
}


/* "127.0.0.1: reason", ends with a zero */

static const char *
ngx_duplex_deployment_why(ngx_duplex_call_t *call, ngx_str_t *reason)
{
    u_char  *text;

    text = ngx_pnalloc(call->pool, call->client->len + reason->len + 3);

    if (text) {
        ngx_sprintf(text, "%V%s%V%Z", call->client,
                    reason->len ? ": " : "", reason);
    }

    return (char *) text;
}


static ngx_uint_t
ngx_duplex_deployment_page_history(ngx_duplex_call_t *call)
{
    ngx_duplex_split_t  *split;

    split = ngx_duplex_split_find(&call->segment[0]);

    if (split == NULL) {
        return ngx_duplex_call_refuse(call, 404, "SplitNotFound",
                                      "split not found");
    }

    ngx_duplex_json_array(call->json, NULL);

    (void) ngx_duplex_store_walk(ngx_duplex_store_table(),
                                 ngx_duplex_history_kind.tag, &split->name,
                                 ngx_duplex_deployment_history_visit, call);

    ngx_duplex_json_array_end(call->json);

    return NGX_DUPLEX_CALL_OK;
}


static ngx_int_t
ngx_duplex_deployment_history_visit(ngx_duplex_record_t *rec, void *data)
{
    ngx_duplex_call_t  *call = data;

    int                  i;
    json_t              *json;
    const char          *text;
    json_error_t         error;
    ngx_duplex_split_t  *split;

    static const char   *texts[] = { "state", "why", "node" };

    split = ngx_duplex_split_find(&call->segment[0]);
    json = json_loadb((char *) rec->value.data, rec->value.len, 0, &error);

    ngx_duplex_json_object(call->json, NULL);

    for (i = 0; i < 3; i++) {
        text = json_string_value(json_object_get(json, texts[i]));
        ngx_duplex_json_text(call->json, texts[i], text ? text : "");
    }

    ngx_duplex_json_integer(call->json, "step",
                    json_integer_value(json_object_get(json, "step")));
    ngx_duplex_json_time(call->json, "ended", (uint64_t)
                    json_integer_value(json_object_get(json, "ended")));
    ngx_duplex_deployment_show_plan(call->json, split,
                                    json_object_get(json, "plan"));

    ngx_duplex_json_object_end(call->json);

    json_decref(json);

    return NGX_OK;
}
