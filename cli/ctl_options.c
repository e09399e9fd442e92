
/*
 * Options: one table for all commands, so that an option means the same
 * everywhere and may stand anywhere.
 */


#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "ctl.h"


typedef struct {
    char         letter;        /* 0: none */
    const char  *name;
    const char  *value;         /* NULL: takes none; "[X]": may do without */
    int          common;        /* known to all commands */
    const char  *help;
} ctl_known_t;


static ctl_known_t *ctl_option_find(const char *name, size_t len, char letter);
static int ctl_option_add(ctl_t *ctl, ctl_known_t *known, const char *value);
static int ctl_option_takes(const char *names, const char *name);


static ctl_known_t  ctl_known[] = {

    { 'n', "node", "URL", 1, "a node's API; again for each further node" },
    { 'j', "json", NULL, 1, "JSON instead of tables" },
    { 't', "timeout", "TIME", 1, "of one call, 5s by default" },
    { 0, "cacert", "FILE", 1, "who may have signed the nodes' certificates" },
    { 0, "cert", "FILE", 1, "a client certificate" },
    { 0, "key", "FILE", 1, "and its key" },
    { 0, "user-file", "FILE", 1, "\"name:password\" for basic auth" },
    { 0, "config", "FILE", 1, "instead of the usual two" },
    { 0, "color", "WHEN", 1, "auto, always or never" },
    { 'h', "help", NULL, 1, "what a command can do" },
    { 0, "version", NULL, 1, "the version of this tool" },

    { 'w', "watch", "[TIME]", 0, "again every TIME, 1s by default" },
    { 'r', "reason", "TEXT", 0, "shown wherever the change is shown" },
    { 0, "wait", "[TIME]", 0, "until it is done, 30s by default" },
    { 0, "every", "TIME", 0, "between two looks, or two steps" },
    { 0, "fall", "N", 0, "looks in a row before it is worse, 2" },
    { 0, "rise", "N", 0, "looks in a row before it is better, 2" },
    { 0, "degraded", "NUMBER", 0, "what to write if not ready, -60" },
    { 0, "fault", "NUMBER", 0, "what to write if not live, -254" },
    { 0, "on-exit", "NUMBER", 0, "what to write at the end, as degraded" },

    { 0, "to", "COLOUR", 0, "the group that is to have everything" },
    { 0, "steps", "N,...", 0, "its percentages, 100 by default" },
    { 0, "gate", "CONDITIONS", 0, "such as healthy>=2,5xx<1%,p99<300ms" },
    { 0, "min-requests", "N", 0, "fewer in a step: it is held" },
    { 0, "warmup", "TIME", 0, "not counted at the beginning of a step" },
    { 0, "drain-after", "TIME", 0, "then the old groups' clients are freed" },
    { 0, "on-node-loss", "WHAT", 0, "hold (the default) or continue" },
    { 'f', "follow", NULL, 0, "go on with what comes" },
    { 0, "sort", "BY", 0, "traffic, latency, errors, connections, ..." },

    { 0, "server", "SERVER", 0, "all sessions of this server" },
    { 0, "all", NULL, 0, "all sessions of the zone" },

    { 0, NULL, NULL, 0, NULL }
};


int
ctl_options_parse(ctl_t *ctl, int *argc, char **argv)
{
    int           i, j, words;
    char         *arg, *value;
    ctl_known_t  *known;

    words = 1;

    for (i = 1; i < *argc; i++) {
        arg = argv[i];

        if (strcmp(arg, "--") == 0) {
            for (j = i + 1; j < *argc; j++) {
                argv[words++] = argv[j];
            }

            break;
        }

        if (arg[0] != '-' || arg[1] == '\0') {
            argv[words++] = arg;
            continue;
        }

        value = NULL;

        if (arg[1] == '-') {
            value = strchr(arg, '=');
            known = ctl_option_find(arg + 2, value ? (size_t) (value - arg - 2)
                                                   : strlen(arg + 2), 0);
            value = value ? value + 1 : NULL;

        } else {
            known = ctl_option_find(NULL, 0, arg[1]);
            value = arg[2] ? arg + 2 : NULL;
        }

        if (known == NULL) {
            return ctl_fail(CTL_USAGE, "unknown option \"%s\";"
                            " see \"duplexctl help\"", arg);
        }

        if (known->value == NULL && value) {
            return ctl_fail(CTL_USAGE, "option \"--%s\" takes no value",
                            known->name);
        }

        if (known->value && known->value[0] != '[' && value == NULL) {

            if (i + 1 == *argc) {
                return ctl_fail(CTL_USAGE, "option \"--%s\" needs a value: %s",
                                known->name, known->value);
            }

            value = argv[++i];
        }

        if (ctl_option_add(ctl, known, value ? value : "") != CTL_OK) {
            return CTL_USAGE;
        }
    }

    *argc = words;
    argv[words] = NULL;

    return CTL_OK;
}


static ctl_known_t *
ctl_option_find(const char *name, size_t len, char letter)
{
    ctl_known_t  *known;

    for (known = ctl_known; known->name; known++) {

        if (name ? (strlen(known->name) == len
                    && strncmp(known->name, name, len) == 0)
                 : known->letter == letter)
        {
            return known;
        }
    }

    return NULL;
}


static int
ctl_option_add(ctl_t *ctl, ctl_known_t *known, const char *value)
{
    long  ms;

    if (ctl->noptions == CTL_OPTIONS_MAX) {
        return ctl_fail(CTL_USAGE, "more than %d options", CTL_OPTIONS_MAX);
    }

    ctl->options[ctl->noptions].name = known->name;
    ctl->options[ctl->noptions].value = value;
    ctl->noptions++;

    if (known->value && strstr(known->value, "TIME") && *value) {

        ms = ctl_parse_time(value);
        if (ms <= 0) {
            return ctl_fail(CTL_USAGE, "invalid time \"%s\" of --%s:"
                            " write 200ms, 5s, 2m", value, known->name);
        }
    }

    if (strcmp(known->name, "json") == 0) {
        ctl->json = 1;

    } else if (strcmp(known->name, "watch") == 0) {
        ctl->watch = *value ? ctl_parse_time(value) / 1000.0 : 1;
    }

    return CTL_OK;
}


int
ctl_options_check(ctl_t *ctl, ctl_command_t *command)
{
    int  i;

    for (i = 0; i < ctl->noptions; i++) {

        if (ctl_option_is_common(ctl->options[i].name)
            || ctl_option_takes(command->options, ctl->options[i].name))
        {
            continue;
        }

        return ctl_fail(CTL_USAGE, "\"%s%s%s\" has no option \"--%s\";"
                        " see \"duplexctl help %s\"", command->noun,
                        command->verb ? " " : "",
                        command->verb ? command->verb : "",
                        ctl->options[i].name, command->noun);
    }

    return CTL_OK;
}


int
ctl_option_is_common(const char *name)
{
    ctl_known_t  *known;

    known = ctl_option_find(name, strlen(name), 0);

    return known && known->common;
}


static int
ctl_option_takes(const char *names, const char *name)
{
    size_t       len;
    const char  *p;

    len = strlen(name);

    for (p = strstr(names, name); p; p = strstr(p + 1, name)) {

        if ((p == names || p[-1] == ' ') && (p[len] == ' ' || p[len] == '\0'))
        {
            return 1;
        }
    }

    return 0;
}


/* the last one counts */

const char *
ctl_option(ctl_t *ctl, const char *name)
{
    int  i;

    for (i = ctl->noptions - 1; i >= 0; i--) {
        if (strcmp(ctl->options[i].name, name) == 0) {
            return ctl->options[i].value;
        }
    }

    return NULL;
}


const char *
ctl_option_name(int i)
{
    return ctl_known[i].name;
}


/* of the named options, or of those that are known to all commands */

void
ctl_options_help(FILE *out, const char *names)
{
    int           width;
    ctl_known_t  *known;

    for (known = ctl_known; known->name; known++) {

        if (names ? !ctl_option_takes(names, known->name) : !known->common) {
            continue;
        }

        width = fprintf(out, "    ");

        if (known->letter) {
            width += fprintf(out, "-%c, ", known->letter);
        }

        width += fprintf(out, "--%s", known->name);

        if (known->value) {
            width += known->value[0] == '['
                     ? fprintf(out, "[=%s", known->value + 1)
                     : fprintf(out, "=%s", known->value);
        }

        fprintf(out, "%*s%s\n", width < 30 ? 30 - width : 1, "", known->help);
    }
}
