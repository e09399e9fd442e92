
/*
 * "peer": looking at the servers of upstream groups.
 */


#include <stdlib.h>
#include <string.h>
#include "ctl.h"


#define ctl_columns(a)  (int) (sizeof(a) / sizeof(a[0]))


static json_t *ctl_groups(ctl_t *ctl, int *code);
static void ctl_peer_rows(ctl_table_t *table, const char *group,
    json_t *peers);
static const char *ctl_peer_why(json_t *peer);
static void ctl_show_object(ctl_t *ctl, json_t *object, int depth);
static json_t *ctl_peers_named(json_t *group, const char *word);


CTL_COMMAND(ctl_peer_list)
{
    int            code;
    char          *path, *title;
    json_t        *groups, *protocol, *group;
    ctl_table_t   *table;
    const char    *name, *group_name;
    ctl_answer_t   answer;
    const char    *columns[] = { "UPSTREAM", "SERVER", "STATE", ">WEIGHT",
                                 ">CONNS", ">REQUESTS", "WHY" };

    if (argc == 1) {
        code = ctl_group_find(ctl, argv[0], &path, &answer);

        if (code == CTL_OK && !ctl_print_json(ctl, answer.json)) {
            table = ctl_table_new(columns, ctl_columns(columns));
            ctl_peer_rows(table, argv[0], ctl_member(answer.json, "peers"));
            ctl_table_print(ctl, table);
        }

        free(path);
        ctl_answer_free(&answer);
        return code;
    }

    groups = ctl_groups(ctl, &code);
    if (groups == NULL) {
        return code;
    }

    if (!ctl_print_json(ctl, groups)) {

        table = ctl_table_new(columns, ctl_columns(columns));

        json_object_foreach(groups, name, protocol) {
            json_object_foreach(protocol, group_name, group) {
                title = ctl_format("%s/%s", name, group_name);
                ctl_peer_rows(table, title, ctl_member(group, "peers"));
                free(title);
            }
        }

        ctl_table_print(ctl, table);
    }

    json_decref(groups);

    return CTL_OK;
}


/* {"http":{"app":{...}},"stream":{}}; a node may be without one of the two */

static json_t *
ctl_groups(ctl_t *ctl, int *code)
{
    int           i;
    char         *path;
    json_t       *groups;
    ctl_answer_t  answer;
    const char   *protocols[] = { "http", "stream" };

    groups = json_object();

    for (i = 0; i < 2; i++) {

        path = ctl_format("9/%s/upstreams", protocols[i]);
        *code = ctl_try(ctl, "GET", path, NULL, &answer);
        free(path);

        if (*code == CTL_OK) {
            json_object_set(groups, protocols[i], answer.json);

        } else if (*code != CTL_REFUSED || answer.status != 404) {

            if (*code == CTL_REFUSED) {
                (void) ctl_answer_fail(&answer);
            }

            ctl_answer_free(&answer);
            json_decref(groups);
            return NULL;
        }

        ctl_answer_free(&answer);
    }

    return groups;
}


static void
ctl_peer_rows(ctl_table_t *table, const char *group, json_t *peers)
{
    char     number[32];
    size_t   i;
    json_t  *peer;

    json_array_foreach(peers, i, peer) {
        ctl_table_cell(table, "%s", group);
        ctl_table_cell(table, "%s%s", ctl_text(peer, "server"),
                       ctl_true(peer, "backup") ? " (backup)" : "");
        ctl_table_cell(table, "%s", ctl_text(peer, "state"));
        ctl_table_cell(table, "%d", (int) ctl_integer(peer, "weight"));
        ctl_table_cell(table, "%d", (int) ctl_integer(peer, "active"));
        ctl_table_cell(table, "%s", ctl_member(peer, "requests")
                       ? ctl_show_count(number, sizeof(number),
                                        ctl_number(peer, "requests"))
                       : ctl_member(peer, "connections")
                       ? ctl_show_count(number, sizeof(number),
                                        ctl_number(peer, "connections"))
                       : "-");
        ctl_table_cell(table, "%s", ctl_peer_why(peer));
        ctl_table_row(table);
    }
}


/* the first that says it: the administrator, then the check */

static const char *
ctl_peer_why(json_t *peer)
{
    int          i;
    const char  *text;
    const char  *paths[] = { "admin.reason", "reason",
                             "health_checks.reason", "health_checks.error" };

    if (strcmp(ctl_text(peer, "state"), "up") == 0) {
        return "";
    }

    for (i = 0; i < ctl_columns(paths); i++) {

        text = ctl_text(peer, paths[i]);
        if (strcmp(text, "-") != 0) {
            return text;
        }
    }

    return "";
}


CTL_COMMAND(ctl_peer_show)
{
    int           code;
    char         *path;
    size_t        i;
    json_t       *peers, *peer;
    ctl_answer_t  answer;

    (void) argc;

    code = ctl_group_find(ctl, argv[0], &path, &answer);

    if (code == CTL_OK) {
        peers = ctl_peers_named(answer.json, argv[1]);

        if (json_array_size(peers) == 0) {
            code = ctl_fail(CTL_REFUSED, "peer \"%s\" not found in \"%s\":"
                            " see \"duplexctl peer list %s\"", argv[1],
                            argv[0], argv[0]);

        } else if (!ctl_print_json(ctl, peers)) {
            json_array_foreach(peers, i, peer) {
                ctl_show_object(ctl, peer, 0);
            }
        }

        json_decref(peers);
    }

    free(path);
    ctl_answer_free(&answer);

    return code;
}


static void
ctl_show_object(ctl_t *ctl, json_t *object, int depth)
{
    char        *text;
    json_t      *value;
    const char  *name;

    json_object_foreach(object, name, value) {

        fprintf(ctl->out, "%*s%-*s", 2 * depth, "", 26 - 2 * depth, name);

        if (json_is_object(value) && json_object_size(value)) {
            fprintf(ctl->out, "\n");
            ctl_show_object(ctl, value, depth + 1);

        } else if (json_is_string(value)) {
            text = (char *) ctl_text(object, name);
            fprintf(ctl->out, "%s%s%s\n", ctl_colour(ctl, text), text,
                    ctl_colour_end(ctl));

        } else {
            text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
            fprintf(ctl->out, "%s\n", text ? text : "-");
            free(text);
        }
    }
}


/*
 * Every node's own words about the peer: what one cannot see another can.
 */

CTL_COMMAND(ctl_peer_explain)
{
    int           i, code, asked;
    char         *path, *group, *server, *query;
    json_t       *all;
    ctl_answer_t  answer, answers[CTL_NODES_MAX];

    (void) argc;

    code = ctl_group_find(ctl, argv[0], &path, &answer);
    ctl_answer_free(&answer);

    if (code != CTL_OK) {
        free(path);
        return code;
    }

    /* "9/http/upstreams/app" */

    group = ctl_encode(strrchr(path, '/') + 1);
    server = ctl_encode(argv[1]);
    query = ctl_format("duplex/explain/peer?protocol=%s&upstream=%s&server=%s",
                       strncmp(path, "9/http", 6) == 0 ? "http" : "stream",
                       group, server);

    ctl_call_all(ctl, query, answers);

    all = json_object();
    asked = 0;

    for (i = 0; i < ctl->nnodes; i++) {

        if (answers[i].code == CTL_OK) {
            asked++;
            json_object_set(all, answers[i].node->given, answers[i].json);

        } else {
            code = ctl_answer_fail(&answers[i]);
        }
    }

    if (asked && !ctl_print_json(ctl, all)) {

        for (i = 0; i < ctl->nnodes; i++) {

            if (answers[i].code == CTL_OK) {
                fprintf(ctl->out, "%s\n", answers[i].node->given);
                ctl_show_object(ctl, answers[i].json, 1);
            }
        }
    }

    for (i = 0; i < ctl->nnodes; i++) {
        ctl_answer_free(&answers[i]);
    }

    json_decref(all);
    free(path);
    free(group);
    free(server);
    free(query);

    return asked ? CTL_OK : code;
}


int
ctl_group_find(ctl_t *ctl, const char *name, char **path,
    ctl_answer_t *answer)
{
    int           i, code, n;
    char         *encoded, *tried;
    const char   *protocols[] = { "http", "stream" };
    const char   *plain;
    size_t        len;
    ctl_answer_t  one;

    *path = NULL;
    memset(answer, 0, sizeof(ctl_answer_t));
    n = 0;

    for (i = 0; i < 2; i++) {

        len = strlen(protocols[i]);
        plain = name;

        if (strchr(name, '/')) {
            if (strncmp(name, protocols[i], len) != 0 || name[len] != '/') {
                continue;
            }

            plain = name + len + 1;
        }

        encoded = ctl_encode(plain);
        tried = ctl_format("9/%s/upstreams/%s", protocols[i], encoded);
        free(encoded);

        code = ctl_try(ctl, "GET", tried, NULL, &one);

        if (code == CTL_OK && n == 0) {
            *answer = one;
            *path = tried;
            n++;
            continue;
        }

        free(tried);

        if (code == CTL_OK) {
            ctl_answer_free(&one);
            n++;

        } else if (one.status == 404 && code == CTL_REFUSED) {
            ctl_answer_free(&one);

        } else {
            if (code == CTL_REFUSED) {
                (void) ctl_answer_fail(&one);
            }

            ctl_answer_free(&one);
            return code;
        }
    }

    if (n == 0) {
        return ctl_fail(CTL_REFUSED, "upstream \"%s\" not found:"
                        " see \"duplexctl peer list\" (a group needs a"
                        " \"zone\")", name);
    }

    if (n == 2) {
        return ctl_fail(CTL_REFUSED, "upstream \"%s\" is in http and in"
                        " stream: say \"http/%s\" or \"stream/%s\"", name,
                        name, name);
    }

    return CTL_OK;
}


static json_t *
ctl_peers_named(json_t *group, const char *word)
{
    size_t   i;
    json_t  *peers, *peer;

    peers = json_array();

    json_array_foreach(ctl_member(group, "peers"), i, peer) {
        if (ctl_peer_is(peer, word)) {
            json_array_append(peers, peer);
        }
    }

    return peers;
}


int
ctl_peer_is(json_t *peer, const char *word)
{
    char  id[24];

    snprintf(id, sizeof(id), "%d", (int) ctl_integer(peer, "id"));

    return strcmp(ctl_text(peer, "server"), word) == 0
           || strcmp(ctl_text(peer, "name"), word) == 0
           || strcmp(id, word) == 0;
}
