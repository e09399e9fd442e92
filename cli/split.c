
/*
 * "split": how traffic is split between groups.
 */


#include <stdlib.h>
#include <string.h>
#include "ctl.h"


static void ctl_split_rows(ctl_table_t *table, const char *name,
    json_t *split);


static const char  *ctl_split_columns[] = {
    "SPLIT", "COLOUR", "UPSTREAM", ">WEIGHT", ">FILE", ">REQUESTS", ">5XX",
    ">BOUND", ">P50", ">P99", "NOTE"
};


CTL_COMMAND(ctl_split_list)
{
    int           code;
    char         *name, *path;
    json_t       *split;
    const char   *word;
    ctl_table_t  *table;
    ctl_answer_t  answer;

    name = argc ? ctl_encode(argv[0]) : ctl_copy("");
    path = ctl_format("duplex/splits%s%s", argc ? "/" : "", name);
    code = ctl_ask(ctl, "GET", path, NULL, &answer);

    if (code == CTL_OK && !ctl_print_json(ctl, answer.json)) {

        table = ctl_table_new(ctl_split_columns, 11);

        if (argc) {
            ctl_split_rows(table, argv[0], answer.json);

        } else {
            json_object_foreach(answer.json, word, split) {
                ctl_split_rows(table, word, split);
            }
        }

        ctl_table_print(ctl, table);
    }

    ctl_answer_free(&answer);
    free(path);
    free(name);

    return code;
}


static void
ctl_split_rows(ctl_table_t *table, const char *name, json_t *split)
{
    char     text[32];
    size_t   i;
    json_t  *group;

    json_array_foreach(ctl_member(split, "groups"), i, group) {
        ctl_table_cell(table, "%s", name);
        ctl_table_cell(table, "%s", ctl_text(group, "colour"));
        ctl_table_cell(table, "%s", ctl_text(group, "upstream"));
        ctl_table_cell(table, "%g%%", ctl_number(group, "weight"));
        ctl_table_cell(table, "%g%%", ctl_number(group, "configured"));
        ctl_table_cell(table, "%s", ctl_show_count(text, sizeof(text),
                                          ctl_number(group, "requests")));
        ctl_table_cell(table, "%s", ctl_show_count(text, sizeof(text),
                                          ctl_number(group, "failed")));
        ctl_table_cell(table, "%s", ctl_show_count(text, sizeof(text),
                                          ctl_number(group, "bound")));
        ctl_table_cell(table, "%s", ctl_show_time(text, sizeof(text),
                                          ctl_number(group, "p50_ms")));
        ctl_table_cell(table, "%s", ctl_show_time(text, sizeof(text),
                                          ctl_number(group, "p99_ms")));
        ctl_table_cell(table, "%s", ctl_true(group, "closed") ? "closed"
                                    : ctl_true(split, "superseded")
                                    ? "the file has changed" : "");
        ctl_table_row(table);
    }
}


CTL_COMMAND(ctl_split_set)
{
    int           i, code;
    char         *name, *reason, *path, *value;
    long          weight;
    json_t       *body, *weights;
    ctl_table_t  *table;
    ctl_answer_t  answer;

    weights = json_object();

    for (i = 1; i < argc; i++) {

        value = strchr(argv[i], '=');
        weight = value ? ctl_parse_percent(value + 1) : -1;

        if (weight < 0) {
            json_decref(weights);
            return ctl_fail(CTL_USAGE, "invalid weight \"%s\": write"
                            " green=10 or green=0.5%%", argv[i]);
        }

        *value = '\0';
        json_object_set_new(weights, argv[i], json_real(weight / 100.0));
    }

    body = json_pack("{s:o, s:[]}", "weights", weights, "closed");
    name = ctl_encode(argv[0]);
    reason = ctl_reason(ctl);
    path = ctl_format("duplex/splits/%s%s", name, reason);

    code = ctl_ask(ctl, "PATCH", path, body, &answer);

    if (code == CTL_OK && !ctl_print_json(ctl, answer.json)) {
        table = ctl_table_new(ctl_split_columns, 11);
        ctl_split_rows(table, argv[0], answer.json);
        ctl_table_print(ctl, table);
    }

    ctl_answer_free(&answer);
    json_decref(body);
    free(path);
    free(reason);
    free(name);

    return code;
}
