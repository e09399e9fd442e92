
/*
 * "keyval": key-value zones of http and stream.
 */


#include <stdlib.h>
#include <string.h>
#include "ctl.h"


static char *ctl_keyval_path(ctl_t *ctl, const char *zone, int *code);
static int ctl_keyval_write(ctl_t *ctl, const char *method, const char *zone,
    json_t *body);


CTL_COMMAND(ctl_keyval_list)
{
    int           i, code;
    char         *path;
    json_t       *all, *zone, *value;
    ctl_table_t  *table;
    const char   *name, *key;
    ctl_answer_t  answer;
    const char   *columns[] = { "ZONE", "KEY", "VALUE" };
    const char   *protocols[] = { "http", "stream" };

    (void) argv;

    all = json_object();
    code = CTL_OK;

    if (argc) {
        path = ctl_keyval_path(ctl, argv[0], &code);

        if (path) {
            code = ctl_ask(ctl, "GET", path, NULL, &answer);
            json_object_set(all, argv[0], answer.json);
            ctl_answer_free(&answer);
            free(path);
        }

    } else {
        for (i = 0; code == CTL_OK && i < 2; i++) {
            path = ctl_format("9/%s/keyvals", protocols[i]);
            code = ctl_try(ctl, "GET", path, NULL, &answer);

            if (code == CTL_OK) {
                json_object_update(all, answer.json);

            } else if (code == CTL_REFUSED && answer.status == 404) {
                code = CTL_OK;

            } else if (code == CTL_REFUSED) {
                (void) ctl_answer_fail(&answer);
            }

            ctl_answer_free(&answer);
            free(path);
        }
    }

    if (code == CTL_OK && !ctl_print_json(ctl, all)) {

        table = ctl_table_new(columns, 3);

        json_object_foreach(all, name, zone) {
            json_object_foreach(zone, key, value) {
                ctl_table_cell(table, "%s", name);
                ctl_table_cell(table, "%s", key);
                ctl_table_cell(table, "%s", ctl_text(value, "value")[0] != '-'
                                            ? ctl_text(value, "value")
                                            : json_string_value(value)
                                            ? json_string_value(value) : "-");
                ctl_table_row(table);
            }
        }

        ctl_table_print(ctl, table);
    }

    json_decref(all);

    return code;
}


CTL_COMMAND(ctl_keyval_get)
{
    int           code;
    char         *path, *key, *query;
    json_t       *value;
    ctl_answer_t  answer;

    (void) argc;

    path = ctl_keyval_path(ctl, argv[0], &code);
    if (path == NULL) {
        return code;
    }

    key = ctl_encode(argv[1]);
    query = ctl_format("%s?key=%s", path, key);

    code = ctl_ask(ctl, "GET", query, NULL, &answer);

    if (code == CTL_OK && !ctl_print_json(ctl, answer.json)) {

        value = json_object_get(answer.json, argv[1]);

        if (json_is_string(value)) {
            fprintf(ctl->out, "%s\n", json_string_value(value));

        } else if (value) {
            fprintf(ctl->out, "%s\n", ctl_text(value, "value"));

        } else {
            code = ctl_fail(CTL_REFUSED, "key \"%s\" not found in \"%s\"",
                            argv[1], argv[0]);
        }
    }

    ctl_answer_free(&answer);
    free(query);
    free(key);
    free(path);

    return code;
}


/* whether it is there or not */

CTL_COMMAND(ctl_keyval_set)
{
    int           code;
    char         *path;
    json_t       *body;
    ctl_answer_t  answer;

    (void) argc;

    body = json_pack("{s:s}", argv[1], argv[2]);
    if (body == NULL) {
        return ctl_fail(CTL_USAGE, "keys and values are UTF-8");
    }

    path = ctl_keyval_path(ctl, argv[0], &code);

    if (path) {
        code = ctl_try(ctl, "POST", path, body, &answer);

        if (code == CTL_REFUSED && answer.status == 409) {
            ctl_answer_free(&answer);
            code = ctl_ask(ctl, "PATCH", path, body, &answer);

        } else if (code == CTL_REFUSED) {
            (void) ctl_answer_fail(&answer);
        }

        ctl_answer_free(&answer);
        free(path);
    }

    json_decref(body);

    return code;
}


CTL_COMMAND(ctl_keyval_delete)
{
    int      code;
    json_t  *body;

    (void) argc;

    body = json_pack("{s:n}", argv[1]);
    code = ctl_keyval_write(ctl, "PATCH", argv[0], body);
    json_decref(body);

    return code;
}


CTL_COMMAND(ctl_keyval_clear)
{
    (void) argc;

    return ctl_keyval_write(ctl, "DELETE", argv[0], NULL);
}


static int
ctl_keyval_write(ctl_t *ctl, const char *method, const char *zone,
    json_t *body)
{
    int           code;
    char         *path;
    ctl_answer_t  answer;

    path = ctl_keyval_path(ctl, zone, &code);
    if (path == NULL) {
        return code;
    }

    code = ctl_ask(ctl, method, path, body, &answer);

    ctl_answer_free(&answer);
    free(path);

    return code;
}


/* "http/zone", "stream/zone" or "zone" in the first that has it */

static char *
ctl_keyval_path(ctl_t *ctl, const char *zone, int *code)
{
    int           i;
    char         *name, *path;
    ctl_answer_t  answer;
    const char   *protocols[] = { "http", "stream" };

    for (i = 0; i < 2; i++) {

        if (strchr(zone, '/')
            && strncmp(zone, protocols[i], strlen(protocols[i])) != 0)
        {
            continue;
        }

        name = ctl_encode(strchr(zone, '/') ? strchr(zone, '/') + 1 : zone);
        path = ctl_format("9/%s/keyvals/%s", protocols[i], name);
        free(name);

        *code = ctl_try(ctl, "GET", path, NULL, &answer);

        if (*code == CTL_OK) {
            ctl_answer_free(&answer);
            return path;
        }

        if (*code == CTL_REFUSED && answer.status != 404) {
            (void) ctl_answer_fail(&answer);
        }

        i = *code == CTL_REFUSED && answer.status == 404 ? i : 2;

        ctl_answer_free(&answer);
        free(path);
    }

    if (i == 2) {
        *code = ctl_fail(CTL_REFUSED, "key-value zone \"%s\" not found: see"
                         " \"duplexctl keyval list\"", zone);
    }

    return NULL;
}
