
/*
 * Splits in the API: what they are, what came of them, new weights.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_event.h"
#include "../core/ngx_duplex_identity.h"
#include "ngx_duplex_deployment.h"
#include "ngx_duplex_figures.h"
#include "ngx_duplex_split_page.h"


static ngx_uint_t ngx_duplex_split_page_list(ngx_duplex_call_t *call);
static ngx_uint_t ngx_duplex_split_page_get(ngx_duplex_call_t *call);
static ngx_uint_t ngx_duplex_split_page_patch(ngx_duplex_call_t *call);
static void ngx_duplex_split_show(ngx_duplex_json_t *json,
    ngx_duplex_split_t *split);
static void ngx_duplex_split_show_part(ngx_duplex_json_t *json,
    ngx_duplex_split_t *split, ngx_uint_t i);
static ngx_uint_t ngx_duplex_split_read_body(ngx_duplex_call_t *call,
    ngx_duplex_split_t *split, ngx_duplex_split_change_t *change);
static ngx_uint_t ngx_duplex_split_read_weights(ngx_duplex_call_t *call,
    ngx_duplex_split_t *split, ngx_duplex_split_change_t *change,
    json_t *weights);
static ngx_uint_t ngx_duplex_split_read_closed(ngx_duplex_call_t *call,
    ngx_duplex_split_t *split, ngx_duplex_split_change_t *change,
    json_t *closed);


static ngx_duplex_page_t  ngx_duplex_split_page_table[] = {

    { ngx_string("duplex/splits"),
      ngx_duplex_split_page_list, NULL, NULL, NULL, NULL, 1, NULL },

    { ngx_string("duplex/splits/*"),
      ngx_duplex_split_page_get, NULL, ngx_duplex_split_page_patch, NULL,
      NULL, 0, NULL },

      ngx_duplex_null_page
};


ngx_int_t
ngx_duplex_split_pages(ngx_conf_t *cf)
{
    return ngx_duplex_register_pages(cf, ngx_duplex_split_page_table);
}


static ngx_uint_t
ngx_duplex_split_page_list(ngx_duplex_call_t *call)
{
    ngx_uint_t           i;
    ngx_duplex_split_t  *split;

    ngx_duplex_json_object(call->json, NULL);

    for (i = 0; (split = ngx_duplex_split(i)); i++) {
        ngx_duplex_json_object_named(call->json, &split->name);
        ngx_duplex_split_show(call->json, split);
        ngx_duplex_json_object_end(call->json);
    }

    ngx_duplex_json_object_end(call->json);

    return NGX_DUPLEX_CALL_OK;
}


static ngx_uint_t
ngx_duplex_split_page_get(ngx_duplex_call_t *call)
{
    ngx_duplex_split_t  *split;

    split = ngx_duplex_split_find(&call->segment[0]);

    if (split == NULL) {
        return ngx_duplex_call_refuse(call, 404, "SplitNotFound",
                                      "split not found");
    }

    ngx_duplex_json_object(call->json, NULL);
    ngx_duplex_split_show(call->json, split);
    ngx_duplex_json_object_end(call->json);

    return NGX_DUPLEX_CALL_OK;
}


static void
ngx_duplex_split_show(ngx_duplex_json_t *json, ngx_duplex_split_t *split)
{
    ngx_str_t                  text;
    ngx_uint_t                 i;
    ngx_duplex_split_state_t  *state;

    state = ngx_duplex_split_state(split);

    if (split->pending) {
        state = &split->next;
    }

    ngx_duplex_json_string(json, "variable", &split->variable);
    ngx_duplex_json_text(json, "source", state->changed == 0 ? "file"
                                         : state->deployment ? "deployment"
                                         : "api");

    if (split->superseded) {
        ngx_duplex_json_boolean(json, "superseded", 1);
    }

    if (state->changed) {
        ngx_duplex_json_time(json, "changed", state->changed);

        text.len = state->who_len;
        text.data = state->who;
        ngx_duplex_json_string(json, "client", &text);

        text.len = state->why_len;
        text.data = state->why;
        ngx_duplex_json_string(json, "reason", &text);
    }

    ngx_duplex_json_array(json, "groups");

    for (i = 0; i < split->nparts; i++) {
        ngx_duplex_json_object(json, NULL);
        ngx_duplex_split_show_part(json, split, i);
        ngx_duplex_json_object_end(json);
    }

    ngx_duplex_json_array_end(json);
}


static void
ngx_duplex_split_show_part(ngx_duplex_json_t *json, ngx_duplex_split_t *split,
    ngx_uint_t i)
{
    uint64_t                   times[NGX_DUPLEX_FIGURES_BUCKETS];
    ngx_uint_t                 j;
    ngx_duplex_figures_t      *figures;
    ngx_duplex_split_state_t  *state;

    state = split->pending ? &split->next : &split->present;

    ngx_duplex_json_string(json, "upstream", &split->parts[i].group);
    ngx_duplex_json_string(json, "colour", &split->parts[i].colour);
    ngx_duplex_json_decimal(json, "weight", state->weights[i], 2);
    ngx_duplex_json_decimal(json, "configured", split->parts[i].weight, 2);
    ngx_duplex_json_boolean(json, "closed", state->closed >> i & 1);

    figures = ngx_duplex_figures(split, i);

    if (figures == NULL) {
        return;
    }

    for (j = 0; j < NGX_DUPLEX_FIGURES_BUCKETS; j++) {
        times[j] = figures->times[j];
    }

    ngx_duplex_json_integer(json, "requests", figures->requests);
    ngx_duplex_json_integer(json, "failed", figures->failed);
    ngx_duplex_json_integer(json, "bound", figures->bound);
    ngx_duplex_json_integer(json, "p50_ms",
                            ngx_duplex_figures_quantile(times, 500));
    ngx_duplex_json_integer(json, "p99_ms",
                            ngx_duplex_figures_quantile(times, 990));
}


void
ngx_duplex_split_show_weights(ngx_duplex_json_t *json, const char *name,
    ngx_duplex_split_t *split)
{
    u_char                     colour[NGX_DUPLEX_NODE_NAME_MAX + 1];
    ngx_uint_t                 i;
    ngx_duplex_split_state_t  *state;

    state = split->pending ? &split->next : &split->present;

    ngx_duplex_json_object(json, name);

    for (i = 0; i < split->nparts; i++) {
        ngx_sprintf(colour, "%V%Z", &split->parts[i].colour);
        ngx_duplex_json_decimal(json, (char *) colour, state->weights[i], 2);
    }

    ngx_duplex_json_object_end(json);
}


/* {"weights":{"blue":90,"green":10},"closed":["blue"]} */

static ngx_uint_t
ngx_duplex_split_page_patch(ngx_duplex_call_t *call)
{
    ngx_int_t                   rc;
    ngx_uint_t                  status;
    ngx_duplex_split_t         *split;
    ngx_duplex_split_change_t   change;

    split = ngx_duplex_split_find(&call->segment[0]);

    if (split == NULL) {
        return ngx_duplex_call_refuse(call, 404, "SplitNotFound",
                                      "split not found");
    }

    ngx_memzero(&change, sizeof(ngx_duplex_split_change_t));

    if (ngx_duplex_split_reason(call, &change.why, &status) != NGX_OK) {
        return status;
    }

    status = ngx_duplex_split_read_body(call, split, &change);

    if (status != NGX_DUPLEX_CALL_OK) {
        return status;
    }

    if (ngx_duplex_deployment_is_active(split)) {
        return ngx_duplex_call_refuse(call, 409, "DeploymentInProgress",
                                      "a deployment of \"%V\" is in progress",
                                      &split->name);
    }

    change.who = *call->client;

    rc = ngx_duplex_split_change(split, &change);

    if (rc == NGX_ERROR) {
        return ngx_duplex_call_refuse(call, 400, "UpstreamOutOfMemory",
                                      "the store is full");
    }

    if (rc == NGX_OK) {
        ngx_duplex_event("split", &split->name, "weights changed by %V%s%V",
                         call->client, change.why.len ? ": " : "",
                         &change.why);
    }

    call->durable = 1;

    return ngx_duplex_split_page_get(call);
}


static ngx_uint_t
ngx_duplex_split_read_body(ngx_duplex_call_t *call, ngx_duplex_split_t *split,
    ngx_duplex_split_change_t *change)
{
    json_t                    *value;
    ngx_uint_t                 status;
    const char                *name;
    ngx_duplex_split_state_t  *state;

    if (!json_is_object(call->body)) {
        return ngx_duplex_call_refuse(call, 400, "SplitConfFormatError",
                                      "an object is expected");
    }

    state = split->pending ? &split->next : &split->present;

    ngx_memcpy(change->weights, state->weights, sizeof(change->weights));
    change->closed = state->closed;

    json_object_foreach(call->body, name, value) {

        if (ngx_strcmp(name, "weights") == 0) {
            status = ngx_duplex_split_read_weights(call, split, change, value);

        } else if (ngx_strcmp(name, "closed") == 0) {
            status = ngx_duplex_split_read_closed(call, split, change, value);

        } else {
            status = ngx_duplex_call_refuse(call, 400, "SplitConfFormatError",
                                            "unknown parameter \"%s\"", name);
        }

        if (status != NGX_DUPLEX_CALL_OK) {
            return status;
        }
    }

    return NGX_DUPLEX_CALL_OK;
}


/* of those that are not named the first makes up for the difference */

static ngx_uint_t
ngx_duplex_split_read_weights(ngx_duplex_call_t *call,
    ngx_duplex_split_t *split, ngx_duplex_split_change_t *change,
    json_t *weights)
{
    double       number;
    json_t      *value;
    ngx_int_t    part, difference;
    ngx_str_t    word;
    ngx_uint_t   i, named;
    const char  *name;

    if (!json_is_object(weights)) {
        return ngx_duplex_call_refuse(call, 400, "SplitBadWeight",
                                      "\"weights\" must be an object");
    }

    named = 0;

    json_object_foreach(weights, name, value) {

        word.data = (u_char *) name;
        word.len = ngx_strlen(name);

        part = ngx_duplex_split_part(split, &word);

        if (part == NGX_ERROR) {
            return ngx_duplex_call_refuse(call, 400, "SplitBadWeight",
                                          "no \"%V\" in split \"%V\"", &word,
                                          &split->name);
        }

        number = json_is_number(value) ? json_number_value(value) * 100 : -1;

        if (!(number >= 0 && number <= NGX_DUPLEX_SPLIT_SLOTS)) {
            return ngx_duplex_call_refuse(call, 400, "SplitBadWeight",
                                          "weight of \"%V\" must be a number "
                                          "of 0 to 100", &word);
        }

        change->weights[part] = (ngx_uint_t) (number + 0.5);
        named |= 1 << part;
    }

    difference = NGX_DUPLEX_SPLIT_SLOTS;

    for (i = 0; i < split->nparts; i++) {
        difference -= change->weights[i];
    }

    for (i = 0; difference && i < split->nparts; i++) {

        if (!(named & 1 << i)
            && (ngx_int_t) change->weights[i] + difference >= 0)
        {
            change->weights[i] += difference;
            difference = 0;
        }
    }

    if (difference) {
        return ngx_duplex_call_refuse(call, 400, "SplitBadWeight",
                                      "weights do not add up to 100");
    }

    return NGX_DUPLEX_CALL_OK;
}


static ngx_uint_t
ngx_duplex_split_read_closed(ngx_duplex_call_t *call,
    ngx_duplex_split_t *split, ngx_duplex_split_change_t *change,
    json_t *closed)
{
    size_t      i;
    json_t     *value;
    ngx_int_t   part;
    ngx_str_t   word;

    if (!json_is_array(closed)) {
        return ngx_duplex_call_refuse(call, 400, "SplitBadClosed",
                                      "\"closed\" must be an array");
    }

    change->closed = 0;

    json_array_foreach(closed, i, value) {

        word.data = (u_char *) json_string_value(value);
        word.len = json_string_length(value);

        part = word.data ? ngx_duplex_split_part(split, &word) : NGX_ERROR;

        if (part == NGX_ERROR) {
            return ngx_duplex_call_refuse(call, 400, "SplitBadClosed",
                                          "\"closed\" names what is not in "
                                          "split \"%V\"", &split->name);
        }

        change->closed |= 1 << part;
    }

    return NGX_DUPLEX_CALL_OK;
}


ngx_int_t
ngx_duplex_split_reason(ngx_duplex_call_t *call, ngx_str_t *reason,
    ngx_uint_t *status)
{
    ngx_int_t  rc;

    ngx_str_null(reason);

    rc = ngx_duplex_call_arg(call, "reason", reason);

    if (rc == NGX_ERROR) {
        *status = 500;
        return NGX_ERROR;
    }

    if (reason->len > NGX_DUPLEX_SPLIT_WHY_MAX) {
        *status = ngx_duplex_call_refuse(call, 400, "ReasonTooLong",
                                         "\"reason\" has more than %d bytes",
                                         NGX_DUPLEX_SPLIT_WHY_MAX);
        return NGX_ERROR;
    }

    return NGX_OK;
}
