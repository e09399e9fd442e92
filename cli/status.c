
/*
 * "status": all nodes at a glance, side by side.
 */


#include <string.h>
#include "ctl.h"


static int ctl_status_json(ctl_t *ctl, ctl_answer_t answers[][CTL_NODES_MAX]);
static void ctl_status_nodes(ctl_t *ctl,
    ctl_answer_t answers[][CTL_NODES_MAX]);
static void ctl_status_links(char *buf, size_t size, json_t *nodes);
static void ctl_status_groups(ctl_t *ctl,
    ctl_answer_t answers[][CTL_NODES_MAX], int which);
static void ctl_status_group(char *buf, size_t size, json_t *group);


/* what is asked of each node, all at the same time */
enum {
    ctl_status_node = 0,
    ctl_status_ready,
    ctl_status_others,
    ctl_status_http,
    ctl_status_stream,
    ctl_status_n
};

static const char  *ctl_status_paths[ctl_status_n] = {
    "duplex/node",
    "duplex/ready",
    "duplex/nodes",
    "9/http/upstreams",
    "9/stream/upstreams"
};

static const char  *ctl_status_names[ctl_status_n] = {
    "node", "ready", "nodes", "http", "stream"
};


CTL_COMMAND(ctl_status)
{
    int           i, j, answered, code;
    ctl_answer_t  answers[ctl_status_n][CTL_NODES_MAX];

    (void) argc;
    (void) argv;

    ctl_call_many(ctl, ctl_status_paths, ctl_status_n, answers);

    answered = 0;

    for (i = 0; i < ctl->nnodes; i++) {
        answered += answers[ctl_status_node][i].code == CTL_OK;
    }

    if (ctl->json) {
        (void) ctl_status_json(ctl, answers);

    } else {
        ctl_status_nodes(ctl, answers);
        ctl_status_groups(ctl, answers, ctl_status_http);
        ctl_status_groups(ctl, answers, ctl_status_stream);
    }

    code = CTL_OK;

    for (i = 0; i < ctl->nnodes; i++) {

        if (answers[ctl_status_node][i].code != CTL_OK) {
            code = ctl_answer_fail(&answers[ctl_status_node][i]);
        }

        for (j = 0; j < ctl_status_n; j++) {
            ctl_answer_free(&answers[j][i]);
        }
    }

    /* one of two is what this command is for, too */

    return answered ? CTL_OK : code;
}


static int
ctl_status_json(ctl_t *ctl, ctl_answer_t answers[][CTL_NODES_MAX])
{
    int      i, j;
    json_t  *all, *node;

    all = json_object();

    for (i = 0; i < ctl->nnodes; i++) {

        node = json_object();

        for (j = 0; j < ctl_status_n; j++) {
            if (answers[j][i].code == CTL_OK) {
                json_object_set(node, ctl_status_names[j],
                                answers[j][i].json);
            }
        }

        if (answers[ctl_status_node][i].code != CTL_OK) {
            json_object_set_new(node, "error",
                          json_string(answers[ctl_status_node][i].error));
        }

        json_object_set_new(all, ctl->nodes[i].given, node);
    }

    i = ctl_print_json(ctl, all);
    json_decref(all);

    return i;
}


static void
ctl_status_nodes(ctl_t *ctl, ctl_answer_t answers[][CTL_NODES_MAX])
{
    int           i;
    char          links[256];
    json_t       *node, *ready;
    ctl_table_t  *table;
    const char   *columns[] = { "NODE", "STATE", "REASON", "LINKS",
                                "NGINX", ">GENERATION" };

    table = ctl_table_new(columns, 6);

    for (i = 0; i < ctl->nnodes; i++) {

        node = answers[ctl_status_node][i].json;
        ready = answers[ctl_status_ready][i].json;

        if (answers[ctl_status_node][i].code != CTL_OK) {
            ctl_table_cell(table, "%s", ctl->nodes[i].given);
            ctl_table_cell(table, "unreachable");
            ctl_table_row(table);
            continue;
        }

        ctl_status_links(links, sizeof(links),
                         answers[ctl_status_others][i].json);

        ctl_table_cell(table, "%s", ctl_text(node, "name"));
        ctl_table_cell(table, "%s", ctl_text(ready, "state"));
        ctl_table_cell(table, "%s", ctl_text(ready, "reason"));
        ctl_table_cell(table, "%s", links);
        ctl_table_cell(table, "%s", ctl_text(node, "nginx"));
        ctl_table_cell(table, "%d", (int) ctl_integer(node, "generation"));
        ctl_table_row(table);
    }

    ctl_table_print(ctl, table);
}


/* "b online", "b online (12 pending), c down" */

static void
ctl_status_links(char *buf, size_t size, json_t *nodes)
{
    int          pending;
    size_t       i, len;
    json_t      *node;
    const char  *name;

    snprintf(buf, size, "-");
    len = 0;

    json_array_foreach(nodes, i, node) {

        name = ctl_text(node, "name");
        pending = (int) ctl_integer(node, "pending");

        len += snprintf(buf + len, size - len, "%s%s %s", i ? ", " : "",
                        strcmp(name, "-") ? name : ctl_text(node, "address"),
                        ctl_text(node, "state"));

        if (pending && len < size) {
            len += snprintf(buf + len, size - len, " (%d pending)", pending);
        }

        if (len >= size) {
            return;
        }
    }
}


static void
ctl_status_groups(ctl_t *ctl, ctl_answer_t answers[][CTL_NODES_MAX],
    int which)
{
    int           i;
    char          text[256];
    json_t       *names, *group;
    const char   *name, *columns[CTL_NODES_MAX + 1];
    ctl_table_t  *table;

    names = json_object();

    columns[0] = which == ctl_status_http ? "HTTP" : "STREAM";

    for (i = 0; i < ctl->nnodes; i++) {

        columns[i + 1] = ctl_text(answers[ctl_status_node][i].json, "name");

        if (answers[which][i].code == CTL_OK) {
            json_object_update(names, answers[which][i].json);
        }
    }

    if (json_object_size(names)) {
        fprintf(ctl->out, "\n");
        table = ctl_table_new(columns, ctl->nnodes + 1);

        json_object_foreach(names, name, group) {

            ctl_table_cell(table, "%s", name);

            for (i = 0; i < ctl->nnodes; i++) {

                group = json_object_get(answers[which][i].json, name);
                ctl_status_group(text, sizeof(text), group);
                ctl_table_cell(table, "%s", text);
            }

            ctl_table_row(table);
        }

        ctl_table_print(ctl, table);
    }

    json_decref(names);
}


/* "up: 3 of 4, 1 draining" */

static void
ctl_status_group(char *buf, size_t size, json_t *group)
{
    int          n[7], all;
    size_t       i, j, len;
    json_t      *peer;
    const char  *state;
    const char  *states[] = { "up", "draining", "down", "unhealthy",
                              "checking", "unavail" };

    if (group == NULL) {
        snprintf(buf, size, "-");
        return;
    }

    memset(n, 0, sizeof(n));
    all = 0;

    json_array_foreach(ctl_member(group, "peers"), i, peer) {

        state = ctl_text(peer, "state");
        all++;

        for (j = 0; j < 6; j++) {
            n[j] += strcmp(state, states[j]) == 0;
        }
    }

    len = snprintf(buf, size, "%s: %d of %d",
                   n[0] ? "up" : all ? "unhealthy" : "empty", n[0], all);

    for (j = 1; j < 6 && len < size; j++) {
        if (n[j]) {
            len += snprintf(buf + len, size - len, ", %d %s", n[j],
                            states[j]);
        }
    }
}
