
/*
 * "peer": changing servers.  One change to one node: it is in force on all.
 */


#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "ctl.h"


static int ctl_peer_change(ctl_t *ctl, char **argv, const char *method,
    json_t *body);
static int ctl_peer_change_one(ctl_t *ctl, const char *group, json_t *peer,
    const char *method, json_t *body);
static int ctl_peer_values(json_t *body, int argc, char **argv);
static int ctl_peer_wait(ctl_t *ctl, char **argv);
static double ctl_peer_bound(ctl_t *ctl, const char *path, const char *word,
    int *code);


CTL_COMMAND(ctl_peer_drain)
{
    int      code;
    json_t  *body;

    (void) argc;

    body = json_pack("{s:b}", "drain", 1);
    code = ctl_peer_change(ctl, argv, "PATCH", body);
    json_decref(body);

    if (code == CTL_OK && ctl_option(ctl, "wait")) {
        code = ctl_peer_wait(ctl, argv);
    }

    return code;
}


CTL_COMMAND(ctl_peer_undrain)
{
    int      code;
    json_t  *body;

    (void) argc;

    body = json_pack("{s:b}", "drain", 0);
    code = ctl_peer_change(ctl, argv, "PATCH", body);
    json_decref(body);

    return code;
}


CTL_COMMAND(ctl_peer_down)
{
    int      code;
    json_t  *body;

    (void) argc;

    body = json_pack("{s:b}", "down", 1);
    code = ctl_peer_change(ctl, argv, "PATCH", body);
    json_decref(body);

    return code;
}


CTL_COMMAND(ctl_peer_up)
{
    int      code;
    json_t  *body;

    (void) argc;

    body = json_pack("{s:b}", "down", 0);
    code = ctl_peer_change(ctl, argv, "PATCH", body);
    json_decref(body);

    return code;
}


CTL_COMMAND(ctl_peer_set)
{
    int      code;
    json_t  *body;

    body = json_object();
    code = ctl_peer_values(body, argc - 2, argv + 2);

    if (code == CTL_OK) {
        code = ctl_peer_change(ctl, argv, "PATCH", body);
    }

    json_decref(body);

    return code;
}


CTL_COMMAND(ctl_peer_remove)
{
    (void) argc;

    return ctl_peer_change(ctl, argv, "DELETE", NULL);
}


CTL_COMMAND(ctl_peer_add)
{
    int           code;
    char         *path, *reason, *servers;
    json_t       *body;
    ctl_answer_t  answer;

    body = json_pack("{s:s}", "server", argv[1]);

    if (body == NULL) {
        return ctl_fail(CTL_USAGE, "invalid server \"%s\"", argv[1]);
    }

    code = ctl_peer_values(body, argc - 2, argv + 2);
    path = NULL;

    if (code == CTL_OK) {
        code = ctl_group_find(ctl, argv[0], &path, &answer);
        ctl_answer_free(&answer);
    }

    if (code == CTL_OK) {
        reason = ctl_reason(ctl);
        servers = ctl_format("%s/servers%s", path, reason);

        code = ctl_ask(ctl, "POST", servers, body, &answer);

        if (code == CTL_OK && !ctl_print_json(ctl, answer.json)) {
            fprintf(ctl->out, "%s added, id %d\n",
                    ctl_text(answer.json, "server"),
                    (int) ctl_integer(answer.json, "id"));
        }

        ctl_answer_free(&answer);
        free(servers);
        free(reason);
    }

    free(path);
    json_decref(body);

    return code;
}


/* NAME=VALUE of a server's object, as the API wants them */

static int
ctl_peer_values(json_t *body, int argc, char **argv)
{
    int           i, j;
    char         *value, *end;
    json_t       *json;
    long          n;
    const char   *numbers[] = { "weight", "max_conns", "max_fails", NULL };
    const char   *texts[] = { "fail_timeout", "slow_start", "route", "server",
                              "service", NULL };
    const char   *flags[] = { "down", "backup", "drain", NULL };

    for (i = 0; i < argc; i++) {

        value = strchr(argv[i], '=');
        json = NULL;

        if (value) {
            *value++ = '\0';
        }

        for (j = 0; numbers[j]; j++) {

            if (value == NULL || strcmp(argv[i], numbers[j]) != 0) {
                continue;
            }

            errno = 0;
            n = strtol(value, &end, 10);

            if (*value < '0' || *value > '9' || *end || errno) {
                return ctl_fail(CTL_USAGE, "invalid value \"%s\" of \"%s\":"
                                " must be a number", value, argv[i]);
            }

            json = json_integer(n);
        }

        for (j = 0; texts[j]; j++) {
            if (value && strcmp(argv[i], texts[j]) == 0) {
                json = json_string(value);
            }
        }

        for (j = 0; flags[j]; j++) {

            if (strcmp(argv[i], flags[j]) != 0) {
                continue;
            }

            if (value == NULL || strcmp(value, "true") == 0) {
                json = json_true();

            } else if (strcmp(value, "false") == 0) {
                json = json_false();
            }
        }

        if (json == NULL) {
            return ctl_fail(CTL_USAGE, "invalid setting \"%s%s%s\": weight,"
                            " max_conns, max_fails, fail_timeout, slow_start,"
                            " route, server and service want a value; down,"
                            " drain, backup stand alone", argv[i],
                            value ? "=" : "", value ? value : "");
        }

        json_object_set_new(body, argv[i], json);
    }

    return CTL_OK;
}


/* of several lines with one address all are meant */

static int
ctl_peer_change(ctl_t *ctl, char **argv, const char *method, json_t *body)
{
    int           n, code;
    char         *path;
    size_t        i;
    json_t       *peer;
    ctl_answer_t  answer;

    code = ctl_group_find(ctl, argv[0], &path, &answer);
    n = 0;

    if (code == CTL_OK) {
        json_array_foreach(ctl_member(answer.json, "peers"), i, peer) {

            if (!ctl_peer_is(peer, argv[1])) {
                continue;
            }

            n++;
            code = ctl_peer_change_one(ctl, path, peer, method, body);

            if (code != CTL_OK) {
                break;
            }
        }

        if (n == 0) {
            code = ctl_fail(CTL_REFUSED, "peer \"%s\" not found in \"%s\":"
                            " see \"duplexctl peer list %s\"", argv[1],
                            argv[0], argv[0]);
        }
    }

    free(path);
    ctl_answer_free(&answer);

    return code;
}


static int
ctl_peer_change_one(ctl_t *ctl, const char *group, json_t *peer,
    const char *method, json_t *body)
{
    int           code;
    char         *path, *reason;
    json_t       *now;
    const char   *word;
    ctl_answer_t  answer;

    reason = ctl_reason(ctl);
    path = ctl_format("%s/servers/%d%s", group,
                      (int) ctl_integer(peer, "id"), reason);

    code = ctl_ask(ctl, method, path, body, &answer);
    now = answer.json;

    if (code == CTL_OK && !ctl_print_json(ctl, now)) {

        word = strcmp(method, "DELETE") == 0 ? "removed"
               : ctl_true(now, "down") ? "down"
               : ctl_true(now, "drain") ? "draining"
               : "up";

        fprintf(ctl->out, "%s %s\n", ctl_text(peer, "server"), word);
    }

    ctl_answer_free(&answer);
    free(reason);
    free(path);

    return code;
}


/* until nothing is bound to it any more, on any node */

static int
ctl_peer_wait(ctl_t *ctl, char **argv)
{
    int           code;
    char         *path;
    double        now, until, bound, most;
    const char   *limit;
    ctl_answer_t  answer;

    code = ctl_group_find(ctl, argv[0], &path, &answer);
    ctl_answer_free(&answer);

    if (code != CTL_OK) {
        free(path);
        return code;
    }

    limit = ctl_option(ctl, "wait");
    until = ctl_now() + (*limit ? ctl_parse_time(limit) / 1000.0 : 30);
    most = 0;

    for ( ;; ) {
        bound = ctl_peer_bound(ctl, path, argv[1], &code);
        now = ctl_now();

        if (code != CTL_OK || bound == 0) {
            break;
        }

        if (now >= until) {
            ctl_progress_end(ctl);
            code = ctl_fail(CTL_TIMEOUT, "\"%s\" still has %.0f bound"
                            " connections and sessions: it goes on draining;"
                            " wait again, or \"duplexctl peer down\"",
                            argv[1], bound);
            break;
        }

        most = bound > most ? bound : most;
        ctl_progress(ctl, argv[1], 1 - bound / most, "%.0f bound", bound);
        ctl_sleep(0.2);
    }

    ctl_progress_end(ctl);
    free(path);

    if (code == CTL_OK && !ctl->json) {
        fprintf(ctl->out, "%s drained\n", argv[1]);
    }

    return code;
}


/*
 * Connections are counted by each node; sessions are the same on all of
 * them.  A node that is silent counts for nothing: it serves nobody, either.
 */

static double
ctl_peer_bound(ctl_t *ctl, const char *path, const char *word, int *code)
{
    int            i, heard;
    double         active, sessions, n;
    size_t         j;
    json_t        *peer;
    ctl_answer_t   answers[CTL_NODES_MAX];

    ctl_call_all(ctl, path, answers);

    active = 0;
    sessions = 0;
    heard = 0;

    for (i = 0; i < ctl->nnodes; i++) {

        heard += answers[i].code == CTL_OK;

        json_array_foreach(ctl_member(answers[i].json, "peers"), j, peer) {

            if (!ctl_peer_is(peer, word)) {
                continue;
            }

            active += ctl_number(peer, "active");
            n = ctl_number(peer, "sessions");
            sessions = n > sessions ? n : sessions;
        }
    }

    *code = heard ? CTL_OK : ctl_answer_fail(&answers[0]);

    for (i = 0; i < ctl->nnodes; i++) {
        ctl_answer_free(&answers[i]);
    }

    return active + sessions;
}
