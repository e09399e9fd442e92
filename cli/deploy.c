
/*
 * "deploy": a split moves to another group, step by step.
 *
 * The nodes do it; this only tells them, and looks.
 */


#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "ctl.h"


static json_t *ctl_deploy_plan(ctl_t *ctl, const char *split, int *code);
static json_t *ctl_deploy_steps(const char *text);
static int ctl_deploy_nodes_are_there(ctl_t *ctl);
static int ctl_deploy_act(ctl_t *ctl, const char *split, const char *action);
static int ctl_deploy_wait(ctl_t *ctl, const char *split);
static void ctl_deploy_show(ctl_t *ctl, const char *split, json_t *object);
static const char *ctl_deploy_next(json_t *object, char *buf, size_t size);
static void ctl_deploy_weights(json_t *weights, char *buf, size_t size);


CTL_COMMAND(ctl_deploy_start)
{
    int           code;
    char         *reason, *path;
    json_t       *plan;
    ctl_answer_t  answer;

    (void) argc;

    plan = ctl_deploy_plan(ctl, argv[0], &code);
    if (plan == NULL) {
        return code;
    }

    if (ctl_option(ctl, "on-node-loss") == NULL) {

        code = ctl_deploy_nodes_are_there(ctl);
        if (code != CTL_OK) {
            json_decref(plan);
            return code;
        }
    }

    reason = ctl_reason(ctl);
    path = ctl_format("duplex/deployments%s", reason);

    code = ctl_ask(ctl, "POST", path, plan, &answer);

    if (code == CTL_OK && ctl_option(ctl, "wait") == NULL
        && !ctl_print_json(ctl, answer.json))
    {
        fprintf(ctl->out, "deployment of \"%s\" to \"%s\" started, step by"
                " step in the nodes; see \"duplexctl deploy status %s\"\n",
                argv[0], ctl_option(ctl, "to"), argv[0]);
    }

    ctl_answer_free(&answer);
    json_decref(plan);
    free(reason);
    free(path);

    if (code == CTL_OK && ctl_option(ctl, "wait")) {
        code = ctl_deploy_wait(ctl, argv[0]);
    }

    return code;
}


static json_t *
ctl_deploy_plan(ctl_t *ctl, const char *split, int *code)
{
    int          i;
    char        *end;
    long         n;
    json_t      *plan, *steps;
    const char  *value;

    static const char  *texts[][2] = {
        { "every", "every" }, { "gate", "gate" }, { "warmup", "warmup" },
        { "drain-after", "drain_after" }, { "on-node-loss", "on_node_loss" },
        { NULL, NULL }
    };

    value = ctl_option(ctl, "to");

    if (value == NULL) {
        *code = ctl_fail(CTL_USAGE, "--to=COLOUR is missing: see"
                         " \"duplexctl split list %s\"", split);
        return NULL;
    }

    plan = json_pack("{s:s, s:s}", "split", split, "to", value);

    if (plan == NULL) {
        *code = ctl_fail(CTL_USAGE, "names are UTF-8");
        return NULL;
    }

    for (i = 0; texts[i][0]; i++) {

        value = ctl_option(ctl, texts[i][0]);
        if (value) {
            json_object_set_new(plan, texts[i][1], json_string(value));
        }
    }

    value = ctl_option(ctl, "steps");

    if (value) {
        steps = ctl_deploy_steps(value);

        if (steps == NULL) {
            *code = ctl_fail(CTL_USAGE, "invalid steps \"%s\": write"
                             " percentages that go up to 100, such as"
                             " 1,10,50,100", value);
            json_decref(plan);
            return NULL;
        }

        json_object_set_new(plan, "steps", steps);
    }

    value = ctl_option(ctl, "min-requests");

    if (value) {
        n = strtol(value, &end, 10);

        if (*value < '0' || *value > '9' || *end) {
            *code = ctl_fail(CTL_USAGE, "invalid value \"%s\" of"
                             " --min-requests: must be a number", value);
            json_decref(plan);
            return NULL;
        }

        json_object_set_new(plan, "min_requests", json_integer(n));
    }

    return plan;
}


static json_t *
ctl_deploy_steps(const char *text)
{
    char    *copy, *word, *save;
    long     n, last;
    json_t  *steps;

    copy = ctl_copy(text);
    steps = json_array();
    last = 0;

    for (word = strtok_r(copy, ",", &save); word;
         word = strtok_r(NULL, ",", &save))
    {
        n = ctl_parse_percent(word);

        if (n <= last) {
            last = 0;
            break;
        }

        last = n;
        json_array_append_new(steps, json_real(n / 100.0));
    }

    free(copy);

    if (last != 10000) {
        json_decref(steps);
        return NULL;
    }

    return steps;
}


/* a deployment without one of the nodes is what nobody wants by accident */

static int
ctl_deploy_nodes_are_there(ctl_t *ctl)
{
    int           code;
    size_t        i;
    json_t       *node;
    ctl_answer_t  answer;

    code = ctl_ask(ctl, "GET", "duplex/nodes", NULL, &answer);

    json_array_foreach(answer.json, i, node) {

        if (code == CTL_OK
            && strcmp(ctl_text(node, "state"), "online") != 0)
        {
            code = ctl_fail(CTL_REFUSED, "node %s is %s: with"
                            " --on-node-loss=continue it goes on without",
                            ctl_text(node, "name"), ctl_text(node, "state"));
        }
    }

    ctl_answer_free(&answer);

    return code;
}


CTL_COMMAND(ctl_deploy_pause)
{
    (void) argc;

    return ctl_deploy_act(ctl, argv[0], "pause");
}


CTL_COMMAND(ctl_deploy_resume)
{
    (void) argc;

    return ctl_deploy_act(ctl, argv[0], "resume");
}


CTL_COMMAND(ctl_deploy_promote)
{
    (void) argc;

    return ctl_deploy_act(ctl, argv[0], "promote");
}


CTL_COMMAND(ctl_deploy_rollback)
{
    (void) argc;

    return ctl_deploy_act(ctl, argv[0], "rollback");
}


static int
ctl_deploy_act(ctl_t *ctl, const char *split, const char *action)
{
    int           code;
    char         *name, *reason, *path;
    json_t       *body;
    ctl_answer_t  answer;

    name = ctl_encode(split);
    reason = ctl_reason(ctl);
    path = ctl_format("duplex/deployments/%s%s", name, reason);
    body = json_pack("{s:s}", "action", action);

    code = ctl_ask(ctl, "PATCH", path, body, &answer);

    if (code == CTL_OK && !ctl_print_json(ctl, answer.json)) {
        ctl_deploy_show(ctl, split, answer.json);
    }

    ctl_answer_free(&answer);
    json_decref(body);
    free(path);
    free(reason);
    free(name);

    if (code == CTL_OK && ctl_option(ctl, "wait")) {
        code = ctl_deploy_wait(ctl, split);
    }

    return code;
}


/* until it has ended, or waits for somebody */

static int
ctl_deploy_wait(ctl_t *ctl, const char *split)
{
    int           code;
    char         *name, *path;
    double        until, share;
    const char   *limit, *state;
    ctl_answer_t  answer;

    name = ctl_encode(split);
    path = ctl_format("duplex/deployments/%s", name);
    limit = ctl_option(ctl, "wait");
    until = *limit ? ctl_now() + ctl_parse_time(limit) / 1000.0 : 1e12;

    for ( ;; ) {
        code = ctl_ask(ctl, "GET", path, NULL, &answer);
        state = ctl_text(answer.json, "state");

        if (code != CTL_OK || strcmp(state, "running") != 0) {
            break;
        }

        if (ctl_now() >= until) {
            ctl_progress_end(ctl);
            code = ctl_fail(CTL_TIMEOUT, "the deployment of \"%s\" is still"
                            " running: it goes on", split);
            break;
        }

        share = ctl_number(answer.json, "of") > 0
                ? ctl_number(answer.json, "step")
                  / (ctl_number(answer.json, "of") + 1)
                : 0;

        ctl_progress(ctl, split, share, "step %d of %d",
                     (int) ctl_integer(answer.json, "step"),
                     (int) ctl_integer(answer.json, "of"));

        ctl_answer_free(&answer);
        ctl_sleep(0.5);
    }

    ctl_progress_end(ctl);

    if (code == CTL_OK) {

        if (!ctl_print_json(ctl, answer.json)) {
            ctl_deploy_show(ctl, split, answer.json);
        }

        code = strcmp(ctl_text(answer.json, "state"), "done") == 0
               ? CTL_OK : CTL_REFUSED;
    }

    ctl_answer_free(&answer);
    free(path);
    free(name);

    return code;
}


CTL_COMMAND(ctl_deploy_status)
{
    int           code;
    char         *name, *path;
    json_t       *object;
    const char   *split;
    ctl_answer_t  answer;

    if (argc == 1) {
        name = ctl_encode(argv[0]);
        path = ctl_format("duplex/deployments/%s", name);
        code = ctl_ask(ctl, "GET", path, NULL, &answer);

        if (code == CTL_OK && !ctl_print_json(ctl, answer.json)) {
            ctl_deploy_show(ctl, argv[0], answer.json);
        }

        free(path);
        free(name);

    } else {
        code = ctl_ask(ctl, "GET", "duplex/deployments", NULL, &answer);

        if (code == CTL_OK && !ctl_print_json(ctl, answer.json)) {

            json_object_foreach(answer.json, split, object) {
                ctl_deploy_show(ctl, split, object);
            }

            if (json_object_size(answer.json) == 0) {
                fprintf(ctl->out, "there has been no deployment\n");
            }
        }
    }

    ctl_answer_free(&answer);

    return code;
}


static void
ctl_deploy_show(ctl_t *ctl, const char *split, json_t *object)
{
    char          text[512];
    size_t        i;
    json_t       *node;
    ctl_table_t  *table;
    const char   *state, *why, *next;
    const char   *columns[] = { "NODE", ">STEP", ">HEALTHY", ">REQUESTS",
                                ">5XX", ">P99", ">HEARD", "WAITS FOR" };

    state = ctl_text(object, "state");
    why = ctl_text(object, "why");

    fprintf(ctl->out, "%s to %s: %s%s%s, step %d of %d", split,
            ctl_text(object, "plan.to"), ctl_colour(ctl, state), state,
            *ctl_colour(ctl, state) ? ctl_colour_end(ctl) : "",
            (int) ctl_integer(object, "step"),
            (int) ctl_integer(object, "of"));

    ctl_deploy_weights(ctl_member(object, "weights"), text, sizeof(text));
    fprintf(ctl->out, " (%s)", text);

    next = ctl_deploy_next(object, text, sizeof(text));
    fprintf(ctl->out, "%s%s%s%s\n", strcmp(why, "-") ? ": " : "",
            strcmp(why, "-") ? why : "", *next ? ", " : "", next);

    table = ctl_table_new(columns, 8);

    json_array_foreach(ctl_member(object, "nodes"), i, node) {
        ctl_table_cell(table, "%s", ctl_text(node, "name"));
        ctl_table_cell(table, "%d", (int) ctl_integer(node, "step"));
        ctl_table_cell(table, "%d", (int) ctl_integer(node, "healthy"));
        ctl_table_cell(table, "%ld", (long) ctl_integer(node, "requests"));
        ctl_table_cell(table, "%ld", (long) ctl_integer(node, "failed"));
        ctl_table_cell(table, "%s", ctl_show_time(text, sizeof(text),
                                          ctl_number(node, "p99_ms")));
        ctl_table_cell(table, "%s", ctl_show_time(text, sizeof(text),
                                          ctl_number(node, "heard_ms")));
        ctl_table_cell(table, "%s", strcmp(ctl_text(node, "hold"), "-")
                                    ? ctl_text(node, "hold") : "");
        ctl_table_row(table);
    }

    ctl_table_print(ctl, table);
}


/* "next in 12s" */

static const char *
ctl_deploy_next(json_t *object, char *buf, size_t size)
{
    char       left[32];
    double     s;
    struct tm  tm;

    memset(&tm, 0, sizeof(tm));

    if (strptime(ctl_text(object, "next"), "%Y-%m-%dT%H:%M:%S", &tm) == NULL)
    {
        return "";
    }

    s = difftime(timegm(&tm), time(NULL));

    if (s <= 0) {
        return "";
    }

    snprintf(buf, size, "next in %s", ctl_show_time(left, sizeof(left),
                                                    s * 1000));
    return buf;
}


static void
ctl_deploy_weights(json_t *weights, char *buf, size_t size)
{
    size_t       len;
    json_t      *weight;
    const char  *colour;

    len = 0;
    buf[0] = '\0';

    json_object_foreach(weights, colour, weight) {

        len += snprintf(buf + len, size - len, "%s%s %g%%", len ? ", " : "",
                        colour, json_number_value(weight));
        if (len >= size) {
            return;
        }
    }
}


CTL_COMMAND(ctl_deploy_history)
{
    int           code;
    char         *name, *path;
    size_t        i;
    json_t       *one;
    ctl_table_t  *table;
    ctl_answer_t  answer;
    const char   *columns[] = { "STARTED", "ENDED", "TO", "STATE", ">STEP",
                                "WHY" };

    (void) argc;

    name = ctl_encode(argv[0]);
    path = ctl_format("duplex/deployments/%s/history", name);
    code = ctl_ask(ctl, "GET", path, NULL, &answer);

    if (code == CTL_OK && !ctl_print_json(ctl, answer.json)) {

        table = ctl_table_new(columns, 6);

        json_array_foreach(answer.json, i, one) {
            ctl_table_cell(table, "%.19s", ctl_text(one, "plan.started"));
            ctl_table_cell(table, "%.19s", ctl_text(one, "ended"));
            ctl_table_cell(table, "%s", ctl_text(one, "plan.to"));
            ctl_table_cell(table, "%s", ctl_text(one, "state"));
            ctl_table_cell(table, "%d", (int) ctl_integer(one, "step"));
            ctl_table_cell(table, "%s", ctl_text(one, "why"));
            ctl_table_row(table);
        }

        ctl_table_print(ctl, table);
    }

    ctl_answer_free(&answer);
    free(path);
    free(name);

    return code;
}
