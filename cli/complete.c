
/*
 * What may come next on a command line: both shells ask here, so that they
 * need no list of their own.  Names of groups and servers come from a node,
 * if it answers at once.
 */


#include <stdlib.h>
#include <string.h>
#include "ctl.h"


#define CTL_COMPLETE_TIMEOUT  300       /* ms */


static void ctl_complete_nouns(const char *prefix);
static void ctl_complete_verbs(const char *noun, const char *prefix);
static void ctl_complete_options(ctl_command_t *command, const char *prefix);
static void ctl_complete_args(ctl_t *ctl, ctl_command_t *command, int nth,
    char **args, const char *prefix);
static void ctl_complete_names(ctl_t *ctl, const char *path,
    const char *prefix);
static void ctl_complete_servers(ctl_t *ctl, const char *group,
    const char *prefix);
static void ctl_complete_word(const char *word, const char *prefix);


/* argv: the words after "duplexctl", the last one unfinished */

CTL_COMMAND(ctl_complete)
{
    int             i, n;
    char           *words[16];
    const char     *prefix;
    ctl_command_t  *command;

    n = 0;
    prefix = argc ? argv[argc - 1] : "";

    for (i = 0; i + 1 < argc && n < 16; i++) {
        if (argv[i][0] != '-') {
            words[n++] = argv[i];
        }
    }

    for (command = ctl_commands; n && command->noun; command++) {
        if (strcmp(command->noun, words[0]) == 0
            && (command->verb == NULL
                || (n > 1 && strcmp(command->verb, words[1]) == 0)))
        {
            break;
        }
    }

    if (prefix[0] == '-') {
        ctl_complete_options(n && command->noun ? command : NULL, prefix);

    } else if (n == 0) {
        ctl_complete_nouns(prefix);

    } else if (command->noun == NULL) {
        ctl_complete_verbs(words[0], prefix);

    } else if (ctl_client_init() == CTL_OK) {
        i = command->verb ? 2 : 1;
        ctl->timeout = CTL_COMPLETE_TIMEOUT;
        ctl_complete_args(ctl, command, n - i, words + i, prefix);
    }

    return CTL_OK;
}


static void
ctl_complete_nouns(const char *prefix)
{
    const char     *last;
    ctl_command_t  *command;

    last = "complete";

    for (command = ctl_commands; command->noun; command++) {

        if (strcmp(command->noun, last) != 0
            && strcmp(command->noun, "complete") != 0)
        {
            ctl_complete_word(command->noun, prefix);
        }

        last = command->noun;
    }
}


static void
ctl_complete_verbs(const char *noun, const char *prefix)
{
    ctl_command_t  *command;

    for (command = ctl_commands; command->noun; command++) {
        if (strcmp(command->noun, noun) == 0 && command->verb) {
            ctl_complete_word(command->verb, prefix);
        }
    }
}


static void
ctl_complete_options(ctl_command_t *command, const char *prefix)
{
    int          i, known;
    char        *word, padded[256];
    const char  *name;

    snprintf(padded, sizeof(padded), " %s ", command ? command->options : "");

    for (i = 0; (name = ctl_option_name(i)); i++) {

        word = ctl_format(" %s ", name);
        known = ctl_option_is_common(name) || strstr(padded, word) != NULL;
        free(word);

        if (known) {
            word = ctl_format("--%s", name);
            ctl_complete_word(word, prefix);
            free(word);
        }
    }
}


/* by what the usage line calls the argument */

static void
ctl_complete_args(ctl_t *ctl, ctl_command_t *command, int nth, char **args,
    const char *prefix)
{
    int          i;
    char        *usage, *word, *save;
    const char  *what;

    usage = ctl_copy(command->args);
    what = "";

    for (i = 0, word = strtok_r(usage, " ", &save); word;
         i++, word = strtok_r(NULL, " ", &save))
    {
        if (i == nth) {
            what = word;
        }
    }

    if (strstr(what, "UPSTREAM")) {
        ctl_complete_names(ctl, "9/http/upstreams?fields=", prefix);
        ctl_complete_names(ctl, "9/stream/upstreams?fields=", prefix);

    } else if (strstr(what, "SPLIT")) {
        ctl_complete_names(ctl, "duplex/splits?fields=", prefix);

    } else if (strstr(what, "ZONE")) {
        ctl_complete_names(ctl, "9/http/keyvals?fields=", prefix);
        ctl_complete_names(ctl, "9/stream/keyvals?fields=", prefix);
        ctl_complete_names(ctl, "duplex/sessions?fields=", prefix);

    } else if (strcmp(what, "SERVER") == 0 && nth > 0) {
        ctl_complete_servers(ctl, args[0], prefix);

    } else if (strcmp(what, "live|ready|peers") == 0) {
        ctl_complete_word("live", prefix);
        ctl_complete_word("ready", prefix);
        ctl_complete_word("peers", prefix);

    } else if (strcmp(what, "[NOUN]") == 0) {
        ctl_complete_nouns(prefix);
    }

    free(usage);
}


static void
ctl_complete_names(ctl_t *ctl, const char *path, const char *prefix)
{
    size_t        i;
    json_t       *name;
    ctl_answer_t  answer;

    ctl_call(ctl, &ctl->nodes[0], "GET", path, NULL, &answer);

    json_array_foreach(answer.json, i, name) {
        ctl_complete_word(json_is_string(name) ? json_string_value(name) : "",
                          prefix);
    }

    ctl_answer_free(&answer);
}


static void
ctl_complete_servers(ctl_t *ctl, const char *group, const char *prefix)
{
    char         *path;
    size_t        i;
    json_t       *peer;
    const char   *name;
    ctl_answer_t  answer;

    name = strrchr(group, '/');
    path = ctl_format("9/%s/upstreams/%s",
                      strncmp(group, "stream/", 7) == 0 ? "stream" : "http",
                      name ? name + 1 : group);

    ctl_call(ctl, &ctl->nodes[0], "GET", path, NULL, &answer);

    json_array_foreach(ctl_member(answer.json, "peers"), i, peer) {
        ctl_complete_word(ctl_text(peer, "server"), prefix);
    }

    ctl_answer_free(&answer);
    free(path);
}


static void
ctl_complete_word(const char *word, const char *prefix)
{
    if (*word && strncmp(word, prefix, strlen(prefix)) == 0) {
        printf("%s\n", word);
    }
}
