
/*
 * "session": who is bound to which server, in tables of "sticky learn".
 *
 * A session is named by its value, as the cookie has it.
 */


#include <stdlib.h>
#include <string.h>
#include "ctl.h"


#define CTL_SESSION_PAGE  1000


static int ctl_session_zones(ctl_t *ctl);
static void ctl_session_rows(ctl_table_t *table, json_t *session);
static char *ctl_session_path(const char *zone, const char *name,
    const char *value);


static const char  *ctl_session_columns[] = {
    "ID", "SERVER", ">EXPIRES IN", "CHANGED"
};


/* tables; or the sessions of one, of a server if it is named */

CTL_COMMAND(ctl_session_list)
{
    int           code;
    char         *path, *more;
    size_t        i;
    json_t       *all, *session;
    ctl_table_t  *table;
    ctl_answer_t  answer;
    long          cursor;

    if (argc == 0) {
        return ctl_session_zones(ctl);
    }

    path = ctl_session_path(argv[0], "server", argc > 1 ? argv[1] : NULL);
    all = json_array();
    cursor = 0;

    do {
        more = ctl_format("%s%slimit=%d&cursor=%ld", path,
                          strchr(path, '?') ? "&" : "?", CTL_SESSION_PAGE,
                          cursor);
        code = ctl_ask(ctl, "GET", more, NULL, &answer);
        free(more);

        json_array_extend(all, ctl_member(answer.json, "sessions"));
        cursor = ctl_member(answer.json, "cursor")
                 ? (long) ctl_integer(answer.json, "cursor") : 0;

        ctl_answer_free(&answer);

    } while (code == CTL_OK && cursor > 0);

    if (code == CTL_OK && !ctl_print_json(ctl, all)) {

        table = ctl_table_new(ctl_session_columns, 4);

        json_array_foreach(all, i, session) {
            ctl_session_rows(table, session);
        }

        ctl_table_print(ctl, table);
    }

    json_decref(all);
    free(path);

    return code;
}


static int
ctl_session_zones(ctl_t *ctl)
{
    int           code;
    size_t        i;
    json_t       *zone, *server;
    const char   *name;
    ctl_table_t  *table;
    ctl_answer_t  answer;
    const char   *columns[] = { "ZONE", "UPSTREAM", "SERVER", ">SESSIONS" };

    code = ctl_ask(ctl, "GET", "duplex/sessions", NULL, &answer);

    if (code == CTL_OK && !ctl_print_json(ctl, answer.json)) {

        table = ctl_table_new(columns, 4);

        json_object_foreach(answer.json, name, zone) {
            json_array_foreach(ctl_member(zone, "servers"), i, server) {
                ctl_table_cell(table, "%s", name);
                ctl_table_cell(table, "%s", ctl_text(zone, "upstream"));
                ctl_table_cell(table, "%s", ctl_text(server, "server"));
                ctl_table_cell(table, "%ld",
                               (long) ctl_integer(server, "sessions"));
                ctl_table_row(table);
            }
        }

        ctl_table_print(ctl, table);
    }

    ctl_answer_free(&answer);

    return code;
}


static void
ctl_session_rows(ctl_table_t *table, json_t *session)
{
    char         text[32];
    const char  *server;

    server = ctl_text(session, "server");

    ctl_table_cell(table, "%s", ctl_text(session, "id"));
    ctl_table_cell(table, "%s", strcmp(server, "-") ? server
                                : "not in this node's file");
    ctl_table_cell(table, "%s", ctl_show_time(text, sizeof(text),
                                       ctl_number(session, "expires_in")));
    ctl_table_cell(table, "%.19s", ctl_text(session, "changed"));
    ctl_table_row(table);
}


CTL_COMMAND(ctl_session_find)
{
    int           code;
    char         *path;
    ctl_table_t  *table;
    ctl_answer_t  answer;

    (void) argc;

    path = ctl_session_path(argv[0], "value", argv[1]);
    code = ctl_ask(ctl, "GET", path, NULL, &answer);

    if (code == CTL_OK && !ctl_print_json(ctl, answer.json)) {
        table = ctl_table_new(ctl_session_columns, 4);
        ctl_session_rows(table, answer.json);
        ctl_table_print(ctl, table);
    }

    ctl_answer_free(&answer);
    free(path);

    return code;
}


CTL_COMMAND(ctl_session_rebind)
{
    int           code;
    char         *path;
    json_t       *body;
    ctl_answer_t  answer;

    (void) argc;

    path = ctl_session_path(argv[0], "value", argv[1]);
    body = json_pack("{s:s}", "server", argv[2]);

    code = body ? ctl_ask(ctl, "PATCH", path, body, &answer)
                : ctl_fail(CTL_USAGE, "names are UTF-8");

    if (code == CTL_OK && !ctl_print_json(ctl, answer.json)) {
        fprintf(ctl->out, "%s is bound to %s now\n", argv[1], argv[2]);
    }

    if (body) {
        ctl_answer_free(&answer);
    }

    json_decref(body);
    free(path);

    return code;
}


/* one by its value, those of a server, or all of a table */

CTL_COMMAND(ctl_session_drop)
{
    int           code;
    char         *path;
    const char   *server;
    ctl_answer_t  answer;

    server = ctl_option(ctl, "server");

    if ((argc == 2) + (server != NULL) + (ctl_option(ctl, "all") != NULL)
        != 1)
    {
        return ctl_fail(CTL_USAGE, "name a session by its value, or say"
                        " --server=SERVER or --all");
    }

    path = argc == 2 ? ctl_session_path(argv[0], "value", argv[1])
                     : ctl_session_path(argv[0], "server", server);

    code = ctl_ask(ctl, "DELETE", path, NULL, &answer);

    if (code == CTL_OK) {
        (void) ctl_print_json(ctl, answer.json);
    }

    ctl_answer_free(&answer);
    free(path);

    return code;
}


static char *
ctl_session_path(const char *zone, const char *name, const char *value)
{
    char  *path, *encoded_zone, *encoded;

    encoded_zone = ctl_encode(zone);
    encoded = value ? ctl_encode(value) : NULL;

    path = ctl_format("duplex/sessions/%s%s%s%s%s", encoded_zone,
                      value ? "?" : "", value ? name : "", value ? "=" : "",
                      value ? encoded : "");

    free(encoded);
    free(encoded_zone);

    return path;
}
