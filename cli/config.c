
/*
 * "config": do the nodes have the same files?
 *
 * What the API shows of a file is compared: groups, servers, splits.  A
 * change at run time is the same on all nodes, so whatever differs stands in
 * their files, or has not reached one of them yet.
 */


#include <stdlib.h>
#include <string.h>
#include "ctl.h"


typedef struct {
    ctl_t       *ctl;
    const char  *first;         /* names of the two nodes */
    const char  *second;
    ctl_table_t *table;
    json_t      *json;
    int          n;
} ctl_differences_t;


static void ctl_config_groups(ctl_differences_t *found, const char *protocol,
    json_t *first, json_t *second);
static void ctl_config_peers(ctl_differences_t *found, const char *group,
    json_t *first, json_t *second);
static json_t *ctl_config_peer(json_t *group, json_t *wanted);
static void ctl_config_splits(ctl_differences_t *found, json_t *first,
    json_t *second);
static void ctl_config_found(ctl_differences_t *found, const char *what,
    const char *first, const char *second);
static void ctl_config_value(json_t *object, const char *name, char *buf,
    size_t size);


enum {
    ctl_config_node = 0,
    ctl_config_http,
    ctl_config_stream,
    ctl_config_split,
    ctl_config_n
};

static const char  *ctl_config_pages[ctl_config_n] = {
    "duplex/node",
    "9/http/upstreams",
    "9/stream/upstreams",
    "duplex/splits"
};

static const char  *ctl_config_fields[] = {
    "weight", "max_conns", "backup", NULL
};


CTL_COMMAND(ctl_config_check)
{
    int                 i, j, code;
    ctl_answer_t        answers[ctl_config_n][CTL_NODES_MAX];
    ctl_differences_t   found;
    const char         *columns[] = { "WHAT", "NODE", "HAS", "NODE", "HAS" };

    (void) argc;
    (void) argv;

    if (ctl->nnodes < 2) {
        return ctl_fail(CTL_USAGE, "two nodes are compared: name them with"
                        " --node, or in duplexctl.conf");
    }

    ctl_call_many(ctl, ctl_config_pages, ctl_config_n, answers);

    memset(&found, 0, sizeof(found));
    found.ctl = ctl;
    found.table = ctl_table_new(columns, 5);
    found.json = json_array();

    code = CTL_OK;

    for (i = 0; i < ctl->nnodes; i++) {
        if (answers[ctl_config_node][i].code != CTL_OK) {
            code = ctl_answer_fail(&answers[ctl_config_node][i]);
        }

        /* a node may be without stream, or without splits */

        for (j = ctl_config_http; j < ctl_config_n; j++) {
            if (answers[j][i].code != CTL_OK) {
                ctl_answer_free(&answers[j][i]);
            }
        }
    }

    for (i = 1; code == CTL_OK && i < ctl->nnodes; i++) {

        found.first = ctl_text(answers[ctl_config_node][0].json, "name");
        found.second = ctl_text(answers[ctl_config_node][i].json, "name");

        ctl_config_groups(&found, "http", answers[ctl_config_http][0].json,
                          answers[ctl_config_http][i].json);
        ctl_config_groups(&found, "stream", answers[ctl_config_stream][0].json,
                          answers[ctl_config_stream][i].json);
        ctl_config_splits(&found, answers[ctl_config_split][0].json,
                          answers[ctl_config_split][i].json);
    }

    if (code == CTL_OK && !ctl_print_json(ctl, found.json)) {

        if (found.n == 0) {
            fprintf(ctl->out, "no difference\n");

        } else {
            ctl_table_print(ctl, found.table);
            found.table = NULL;
        }
    }

    if (found.table) {
        ctl_table_free(found.table);
    }

    for (i = 0; i < ctl_config_n; i++) {
        for (j = 0; j < ctl->nnodes; j++) {
            ctl_answer_free(&answers[i][j]);
        }
    }

    json_decref(found.json);

    return code == CTL_OK && found.n ? CTL_REFUSED : code;
}


static void
ctl_config_groups(ctl_differences_t *found, const char *protocol,
    json_t *first, json_t *second)
{
    char        *what;
    json_t      *group, *names;
    const char  *name;

    names = json_object();
    json_object_update(names, json_is_object(second) ? second : NULL);
    json_object_update(names, json_is_object(first) ? first : NULL);

    json_object_foreach(names, name, group) {

        what = ctl_format("%s/%s", protocol, name);

        if (json_object_get(first, name) == NULL
            || json_object_get(second, name) == NULL)
        {
            ctl_config_found(found, what,
                             json_object_get(first, name) ? "yes" : "no",
                             json_object_get(second, name) ? "yes" : "no");
        } else {
            ctl_config_peers(found, what, json_object_get(first, name),
                             json_object_get(second, name));
        }

        free(what);
    }

    json_decref(names);
}


static void
ctl_config_peers(ctl_differences_t *found, const char *group, json_t *first,
    json_t *second)
{
    int      i;
    char     here[64], there[64], *what;
    size_t   j;
    json_t  *peer, *other;

    json_array_foreach(ctl_member(first, "peers"), j, peer) {

        other = ctl_config_peer(second, peer);

        if (other == NULL) {
            what = ctl_format("%s %s", group, ctl_text(peer, "server"));
            ctl_config_found(found, what, "yes", "no");
            free(what);
            continue;
        }

        for (i = 0; ctl_config_fields[i]; i++) {

            ctl_config_value(peer, ctl_config_fields[i], here, sizeof(here));
            ctl_config_value(other, ctl_config_fields[i], there,
                             sizeof(there));

            if (strcmp(here, there) != 0) {
                what = ctl_format("%s %s %s", group, ctl_text(peer, "server"),
                                  ctl_config_fields[i]);
                ctl_config_found(found, what, here, there);
                free(what);
            }
        }
    }

    json_array_foreach(ctl_member(second, "peers"), j, peer) {
        if (ctl_config_peer(first, peer) == NULL) {
            what = ctl_format("%s %s", group, ctl_text(peer, "server"));
            ctl_config_found(found, what, "no", "yes");
            free(what);
        }
    }
}


static json_t *
ctl_config_peer(json_t *group, json_t *wanted)
{
    size_t   i;
    json_t  *peer;

    json_array_foreach(ctl_member(group, "peers"), i, peer) {

        if (strcmp(ctl_text(peer, "server"), ctl_text(wanted, "server")) == 0
            && strcmp(ctl_text(peer, "name"), ctl_text(wanted, "name")) == 0
            && ctl_integer(peer, "id") == ctl_integer(wanted, "id"))
        {
            return peer;
        }
    }

    return NULL;
}


static void
ctl_config_splits(ctl_differences_t *found, json_t *first, json_t *second)
{
    char         here[64], there[64], *what;
    size_t       i;
    json_t      *split, *group, *groups;
    const char  *name;

    json_object_foreach(first, name, split) {

        groups = ctl_member(json_object_get(second, name), "groups");

        if (groups == NULL) {
            what = ctl_format("split %s", name);
            ctl_config_found(found, what, "yes", "no");
            free(what);
            continue;
        }

        json_array_foreach(ctl_member(split, "groups"), i, group) {

            snprintf(here, sizeof(here), "%s %g%%",
                     ctl_text(group, "upstream"),
                     ctl_number(group, "configured"));
            snprintf(there, sizeof(there), "%s %g%%",
                     ctl_text(json_array_get(groups, i), "upstream"),
                     ctl_number(json_array_get(groups, i), "configured"));

            if (strcmp(here, there) != 0) {
                what = ctl_format("split %s", name);
                ctl_config_found(found, what, here, there);
                free(what);
            }
        }
    }

    json_object_foreach(second, name, split) {
        if (json_object_get(first, name) == NULL) {
            what = ctl_format("split %s", name);
            ctl_config_found(found, what, "no", "yes");
            free(what);
        }
    }
}


static void
ctl_config_found(ctl_differences_t *found, const char *what,
    const char *first, const char *second)
{
    found->n++;

    ctl_table_cell(found->table, "%s", what);
    ctl_table_cell(found->table, "%s", found->first);
    ctl_table_cell(found->table, "%s", first);
    ctl_table_cell(found->table, "%s", found->second);
    ctl_table_cell(found->table, "%s", second);
    ctl_table_row(found->table);

    json_array_append_new(found->json,
                          json_pack("{s:s, s:{s:s, s:s}}", "what", what,
                                    "nodes", found->first, first,
                                    found->second, second));
}


static void
ctl_config_value(json_t *object, const char *name, char *buf, size_t size)
{
    char    *text;
    json_t  *value;

    value = ctl_member(object, name);
    text = value ? json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;

    snprintf(buf, size, "%s", text ? text : "-");
    free(text);
}
