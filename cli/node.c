
/*
 * "node": the nodes, and what each of them sees of the others.
 */


#include <stdlib.h>
#include <string.h>
#include "ctl.h"


static int ctl_node_set(ctl_t *ctl, int leaving);
static int ctl_node_drained(ctl_t *ctl);


CTL_COMMAND(ctl_node_list)
{
    int            i, code, answered;
    char           seen[32], sent[32], got[32];
    size_t         j;
    json_t        *all, *other;
    ctl_table_t   *table;
    ctl_answer_t   node[CTL_NODES_MAX], others[CTL_NODES_MAX];
    const char    *columns[] = { "NODE", "SEES", "ADDRESS", "STATE",
                                 ">PENDING", ">HEARD", ">SENT", ">RECEIVED",
                                 "ERROR" };

    (void) argc;
    (void) argv;

    ctl_call_all(ctl, "duplex/node", node);
    ctl_call_all(ctl, "duplex/nodes", others);

    all = json_object();
    table = ctl_table_new(columns, 9);
    code = CTL_OK;
    answered = 0;

    for (i = 0; i < ctl->nnodes; i++) {

        if (node[i].code != CTL_OK || others[i].code != CTL_OK) {
            code = ctl_answer_fail(node[i].code ? &node[i] : &others[i]);
            continue;
        }

        answered++;
        json_object_set(all, ctl_text(node[i].json, "name"), others[i].json);

        json_array_foreach(others[i].json, j, other) {
            ctl_table_cell(table, "%s", ctl_text(node[i].json, "name"));
            ctl_table_cell(table, "%s", ctl_text(other, "name"));
            ctl_table_cell(table, "%s", ctl_text(other, "address"));
            ctl_table_cell(table, "%s", ctl_text(other, "state"));
            ctl_table_cell(table, "%d", (int) ctl_integer(other, "pending"));
            ctl_table_cell(table, "%s", ctl_member(other, "last_seen_ms")
                           ? ctl_show_time(seen, sizeof(seen),
                                           ctl_number(other, "last_seen_ms"))
                           : "-");
            ctl_table_cell(table, "%s", ctl_show_bytes(sent, sizeof(sent),
                                       ctl_number(other, "out.bytes_out")));
            ctl_table_cell(table, "%s", ctl_show_bytes(got, sizeof(got),
                                       ctl_number(other, "in.bytes_in")));
            ctl_table_cell(table, "%s", ctl_text(other, "error"));
            ctl_table_row(table);
        }
    }

    if (answered && !ctl_print_json(ctl, all)) {
        ctl_table_print(ctl, table);

    } else {
        ctl_table_free(table);
    }

    for (i = 0; i < ctl->nnodes; i++) {
        ctl_answer_free(&node[i]);
        ctl_answer_free(&others[i]);
    }

    json_decref(all);

    return answered ? CTL_OK : code;
}


/* of the first node: to be asked on the node itself */

CTL_COMMAND(ctl_node_ready)
{
    int            code;
    double         until;
    const char    *wait;
    ctl_answer_t   answer;

    (void) argc;
    (void) argv;

    wait = ctl_option(ctl, "wait");
    until = ctl_now() + (wait == NULL ? 0
                         : *wait ? ctl_parse_time(wait) / 1000.0 : 30);

    for ( ;; ) {
        ctl_call(ctl, &ctl->nodes[0], "GET", "duplex/ready", NULL, &answer);

        code = answer.code != CTL_OK ? answer.code
               : ctl_true(answer.json, "ready") ? CTL_OK
               : CTL_REFUSED;

        if (code == CTL_OK || ctl_now() >= until) {
            break;
        }

        ctl_answer_free(&answer);
        ctl_sleep(0.1);
    }

    if (answer.code != CTL_OK) {
        code = ctl_answer_fail(&answer);

    } else if (!ctl_print_json(ctl, answer.json)) {
        fprintf(ctl->out, "%s: %s\n", ctl_text(answer.json, "state"),
                ctl_text(answer.json, "reason"));
    }

    ctl_answer_free(&answer);

    return code != CTL_OK && wait ? CTL_TIMEOUT : code;
}


/*
 * Planned maintenance, to be said on the node itself: it is not ready from
 * now on, so addresses go to the other one, but it still serves.
 */

CTL_COMMAND(ctl_node_leave)
{
    int  code;

    (void) argc;
    (void) argv;

    code = ctl_node_set(ctl, 1);

    return code == CTL_OK && ctl_option(ctl, "wait") ? ctl_node_drained(ctl)
                                                     : code;
}


CTL_COMMAND(ctl_node_return)
{
    (void) argc;
    (void) argv;

    return ctl_node_set(ctl, 0);
}


static int
ctl_node_set(ctl_t *ctl, int leaving)
{
    char         *reason, *path;
    json_t       *body;
    ctl_answer_t  answer;

    reason = ctl_reason(ctl);
    path = ctl_format("duplex/node%s", reason);
    body = json_pack("{s:b}", "leaving", leaving);

    ctl_call(ctl, &ctl->nodes[0], "PATCH", path, body, &answer);

    json_decref(body);
    free(path);
    free(reason);

    if (answer.code != CTL_OK) {
        (void) ctl_answer_fail(&answer);

    } else if (!ctl_print_json(ctl, answer.json)) {
        fprintf(ctl->out, "%s\n", leaving ? "leaving: not ready any more"
                                          : "back: ready as it can be");
    }

    ctl_answer_free(&answer);

    return answer.code;
}


/* until no request is under way but ours */

static int
ctl_node_drained(ctl_t *ctl)
{
    double         until, active, most;
    const char    *limit;
    ctl_answer_t   answer;

    limit = ctl_option(ctl, "wait");
    until = ctl_now() + (*limit ? ctl_parse_time(limit) / 1000.0 : 30);
    most = 1;

    for ( ;; ) {
        ctl_call(ctl, &ctl->nodes[0], "GET", "9/http/requests", NULL, &answer);

        if (answer.code != CTL_OK) {
            ctl_progress_end(ctl);
            return ctl_answer_fail(&answer);
        }

        active = ctl_number(answer.json, "current") - 1;
        most = active > most ? active : most;
        ctl_answer_free(&answer);

        if (active <= 0) {
            ctl_progress_end(ctl);
            return CTL_OK;
        }

        if (ctl_now() >= until) {
            ctl_progress_end(ctl);
            return ctl_fail(CTL_TIMEOUT, "%.0f requests are under way:"
                            " they may be cut, or wait again", active);
        }

        ctl_progress(ctl, "leaving", 1 - active / most, "%.0f requests",
                     active);
        ctl_sleep(0.2);
    }
}
