
/*
 * duplexctl: the command line of nginx-duplex.
 *
 * The table below is all there is: usage, help, completion and the test of
 * the man page read it.
 */


#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "ctl.h"


static ctl_command_t *ctl_find(int argc, char **argv);
static int ctl_run(ctl_t *ctl, ctl_command_t *command, int argc, char **argv);
static int ctl_run_watched(ctl_t *ctl, ctl_command_t *command, int argc,
    char **argv);
static void ctl_watch_print(ctl_t *ctl, char *text);
static int ctl_usage(const char *noun);
static int ctl_help(ctl_t *ctl, int argc, char **argv);


ctl_command_t  ctl_commands[] = {

    { "status", NULL, "", 0, 0, "watch",
      "all nodes and groups at a glance", ctl_status },

    { "peer", "list", "[UPSTREAM]", 0, 1, "watch",
      "servers and their state", ctl_peer_list },
    { "peer", "show", "UPSTREAM SERVER", 2, 2, "watch",
      "all that is known of a server", ctl_peer_show },
    { "peer", "explain", "UPSTREAM SERVER", 2, 2, "",
      "who took it out, when and why, on every node", ctl_peer_explain },
    { "peer", "add", "UPSTREAM SERVER [NAME=VALUE ...]", 2, -1, "reason",
      "adds a server on all nodes", ctl_peer_add },
    { "peer", "set", "UPSTREAM SERVER NAME=VALUE ...", 3, -1, "reason",
      "changes weight, max_conns, ...", ctl_peer_set },
    { "peer", "drain", "UPSTREAM SERVER", 2, 2, "reason wait",
      "bound sessions only from now on", ctl_peer_drain },
    { "peer", "undrain", "UPSTREAM SERVER", 2, 2, "reason",
      "takes a drain back", ctl_peer_undrain },
    { "peer", "down", "UPSTREAM SERVER", 2, 2, "reason",
      "no new connections from now on", ctl_peer_down },
    { "peer", "up", "UPSTREAM SERVER", 2, 2, "reason",
      "takes \"down\" back", ctl_peer_up },
    { "peer", "remove", "UPSTREAM SERVER", 2, 2, "reason",
      "removes a server on all nodes", ctl_peer_remove },

    { "node", "list", "", 0, 0, "watch",
      "the nodes, as each of them sees the others", ctl_node_list },
    { "node", "ready", "", 0, 0, "wait",
      "is the first node ready?", ctl_node_ready },

    { "node", "leave", "", 0, 0, "reason wait",
      "the first node gives its address up: maintenance", ctl_node_leave },
    { "node", "return", "", 0, 0, "reason",
      "takes that back", ctl_node_return },

    { "split", "list", "[SPLIT]", 0, 1, "watch",
      "weights of splits, and what came of them", ctl_split_list },
    { "split", "set", "SPLIT COLOUR=PERCENT ...", 2, -1, "reason",
      "sets weights on all nodes, in steps of 0.01", ctl_split_set },

    { "deploy", "start", "SPLIT", 1, 1,
      "to steps every gate min-requests warmup drain-after on-node-loss"
      " reason wait",
      "moves a split to another group, step by step", ctl_deploy_start },
    { "deploy", "status", "[SPLIT]", 0, 1, "watch",
      "where it stands, and what it waits for", ctl_deploy_status },
    { "deploy", "pause", "SPLIT", 1, 1, "reason",
      "holds the present step", ctl_deploy_pause },
    { "deploy", "resume", "SPLIT", 1, 1, "reason wait",
      "goes on", ctl_deploy_resume },
    { "deploy", "promote", "SPLIT", 1, 1, "reason wait",
      "takes the last step now", ctl_deploy_promote },
    { "deploy", "rollback", "SPLIT", 1, 1, "reason",
      "back to where it was, now", ctl_deploy_rollback },
    { "deploy", "history", "SPLIT", 1, 1, "",
      "how the last ones ended", ctl_deploy_history },

    { "session", "list", "[ZONE [SERVER]]", 0, 2, "watch",
      "sessions: how many, or which", ctl_session_list },
    { "session", "find", "ZONE VALUE", 2, 2, "watch",
      "the server of a session", ctl_session_find },
    { "session", "rebind", "ZONE VALUE SERVER", 3, 3, "reason",
      "binds a session to another server", ctl_session_rebind },
    { "session", "drop", "ZONE [VALUE]", 1, 2, "server all",
      "ends a session, those of a server, or all", ctl_session_drop },

    { "keyval", "list", "[ZONE]", 0, 1, "watch",
      "keys and values", ctl_keyval_list },
    { "keyval", "get", "ZONE KEY", 2, 2, "",
      "the value of a key", ctl_keyval_get },
    { "keyval", "set", "ZONE KEY VALUE", 3, 3, "",
      "adds or changes a key on all nodes", ctl_keyval_set },
    { "keyval", "delete", "ZONE KEY", 2, 2, "",
      "deletes a key on all nodes", ctl_keyval_delete },
    { "keyval", "clear", "ZONE", 1, 1, "",
      "deletes all keys of a zone on all nodes", ctl_keyval_clear },

    { "config", "check", "", 0, 0, "",
      "do the nodes have the same files?", ctl_config_check },
    { "events", NULL, "", 0, 0, "follow",
      "what has changed, or changes", ctl_events },
    { "top", NULL, "", 0, 0, "every sort",
      "a live screen of all servers", ctl_top },

    { "check", NULL, "live|ready|peers", 1, 1, "",
      "for keepalived: exit code 0 to 3 within 300 ms", ctl_check },
    { "track", NULL, "FILE", 1, 1, "every fall rise degraded fault on-exit",
      "keeps keepalived's track_file", ctl_track },

    { "complete", NULL, "[WORD ...]", 0, -1, "",
      "for the shells: what may come next", ctl_complete },
    { "help", NULL, "[NOUN]", 0, 1, "",
      "this text, or what a noun can do", ctl_help },

    { NULL, NULL, NULL, 0, 0, NULL, NULL, NULL }
};


int
main(int argc, char **argv)
{
    int             code;
    ctl_t           ctl;
    ctl_command_t  *command;

    memset(&ctl, 0, sizeof(ctl_t));

    setlocale(LC_CTYPE, "");
    signal(SIGPIPE, SIG_IGN);

    ctl.out = stdout;
    ctl.terminal = isatty(STDOUT_FILENO);

    /* what is completed is not ours to understand */

    if (argc > 1 && strcmp(argv[1], "complete") == 0) {
        (void) ctl_conf_load(&ctl);
        code = ctl_complete(&ctl, argc - 2, argv + 2);
        ctl_conf_free(&ctl);
        return code;
    }

    code = ctl_options_parse(&ctl, &argc, argv);
    if (code != CTL_OK) {
        return code;
    }

    if (ctl_option(&ctl, "help") && argc < 2) {
        return ctl_help(&ctl, 0, NULL);
    }

    if (ctl_option(&ctl, "version")) {
        printf("duplexctl %s\n", CTL_VERSION);
        return CTL_OK;
    }

    if (argc < 2) {
        return ctl_usage(NULL);
    }

    if (ctl_option(&ctl, "help")) {
        return ctl_help(&ctl, 1, argv + 1);
    }

    command = ctl_find(argc, argv);
    if (command == NULL) {
        return ctl_usage(argv[1]);
    }

    argc -= command->verb ? 3 : 2;
    argv += command->verb ? 3 : 2;

    if (argc < command->min || (command->max >= 0 && argc > command->max)) {
        return ctl_fail(CTL_USAGE, "usage: duplexctl %s%s%s %s",
                        command->noun, command->verb ? " " : "",
                        command->verb ? command->verb : "", command->args);
    }

    code = ctl_options_check(&ctl, command);

    if (code == CTL_OK) {
        code = ctl_conf_load(&ctl);
    }

    if (code == CTL_OK && ctl_client_init() != CTL_OK) {
        code = ctl_fail(CTL_REFUSED, "libcurl does not start");
    }

    if (code == CTL_OK) {
        code = ctl_run(&ctl, command, argc, argv);
    }

    ctl_conf_free(&ctl);

    if (fflush(stdout) != 0 && code == CTL_OK) {
        return ctl_fail(CTL_REFUSED, "cannot write the answer");
    }

    return code;
}


static ctl_command_t *
ctl_find(int argc, char **argv)
{
    ctl_command_t  *command;

    for (command = ctl_commands; command->noun; command++) {

        if (strcmp(command->noun, argv[1]) != 0) {
            continue;
        }

        if (command->verb == NULL
            || (argc > 2 && strcmp(command->verb, argv[2]) == 0))
        {
            return command;
        }
    }

    return NULL;
}


static int
ctl_run(ctl_t *ctl, ctl_command_t *command, int argc, char **argv)
{
    if (ctl->watch > 0) {
        return ctl_run_watched(ctl, command, argc, argv);
    }

    return command->run(ctl, argc, argv);
}


/* the same again and again, each time as one write: nothing flickers */

static int
ctl_run_watched(ctl_t *ctl, ctl_command_t *command, int argc, char **argv)
{
    int     i, code;
    char   *text;
    size_t  len;

    for ( ;; ) {
        text = NULL;

        for (i = 0; i < ctl->nnodes; i++) {
            ctl->nodes[i].silent = 0;
        }

        ctl->out = open_memstream(&text, &len);
        if (ctl->out == NULL) {
            return ctl_fail(CTL_REFUSED, "out of memory");
        }

        code = command->run(ctl, argc, argv);

        fclose(ctl->out);
        ctl_watch_print(ctl, text);
        free(text);

        /* what cannot be asked at all is not asked again */

        if (code == CTL_USAGE || ferror(stdout)) {
            return code;
        }

        ctl_sleep(ctl->watch);
    }
}


static void
ctl_watch_print(ctl_t *ctl, char *text)
{
    int    row, rows;
    char  *p, *end;

    if (!ctl->terminal) {
        printf("%s\n", text);
        fflush(stdout);
        return;
    }

    printf("\033[H");
    rows = ctl_screen_rows() - 1;

    for (p = text, row = 0; *p && row < rows; p = end + 1, row++) {

        end = strchr(p, '\n');
        if (end == NULL) {
            break;
        }

        printf("%.*s\033[K\n", (int) (end - p), p);
    }

    printf("\033[J");
    fflush(stdout);
}


static int
ctl_usage(const char *noun)
{
    const char     *sep;
    ctl_command_t  *command;

    sep = "";

    for (command = ctl_commands; noun && command->noun; command++) {
        if (strcmp(command->noun, noun) == 0) {

            if (*sep == '\0') {
                fprintf(stderr, "duplexctl: usage: duplexctl %s ", noun);
            }

            fprintf(stderr, "%s%s", sep, command->verb);
            sep = "|";
        }
    }

    if (*sep) {
        fprintf(stderr, " ...; see \"duplexctl help %s\"\n", noun);
        return CTL_USAGE;
    }

    if (noun) {
        return ctl_fail(CTL_USAGE, "unknown command \"%s\";"
                        " see \"duplexctl help\"", noun);
    }

    return ctl_fail(CTL_USAGE, "usage: duplexctl [OPTIONS] NOUN [VERB]"
                    " [ARGUMENT ...]; see \"duplexctl help\"");
}


static int
ctl_help(ctl_t *ctl, int argc, char **argv)
{
    int             n, width;
    const char     *name;
    ctl_command_t  *command;

    name = argc ? argv[0] : NULL;
    n = 0;

    if (name == NULL) {
        printf("usage: duplexctl [OPTIONS] NOUN [VERB] [ARGUMENT ...]\n\n");
    }

    for (command = ctl_commands; command->noun; command++) {

        if (name && strcmp(name, command->noun) != 0) {
            continue;
        }

        width = printf("  %s %s%s%s", command->noun,
                       command->verb ? command->verb : "",
                       command->verb ? " " : "", command->args);

        if (width > 39) {
            printf("\n");
            width = 0;
        }

        printf("%*s%s\n", 40 - width, "", command->help);
        n++;

        if (name) {
            ctl_options_help(stdout, command->options);
        }
    }

    if (n == 0) {
        return ctl_usage(name);
    }

    printf("\nOptions of all commands:\n");
    ctl_options_help(stdout, NULL);
    printf("\nExit codes: 0 done; 1 refused, not found, not ready; 2 isolated"
           " (check);\n3 no node answers; 4 not in time (--wait); 64 wrong"
           " usage.\nThe manual is duplexctl(1).\n");

    (void) ctl;

    return CTL_OK;
}


int
ctl_fail(int code, const char *fmt, ...)
{
    va_list  args;

    fflush(stdout);
    fprintf(stderr, "duplexctl: ");

    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);

    fprintf(stderr, "\n");

    return code;
}


void *
ctl_alloc(size_t size)
{
    void  *p;

    p = calloc(1, size);

    if (p == NULL) {
        exit(ctl_fail(CTL_REFUSED, "out of memory"));
    }

    return p;
}


char *
ctl_copy(const char *text)
{
    return strcpy(ctl_alloc(strlen(text) + 1), text);
}


char *
ctl_format(const char *fmt, ...)
{
    int       n;
    char     *text;
    va_list   args;

    va_start(args, fmt);
    n = vasprintf(&text, fmt, args);
    va_end(args);

    if (n < 0) {
        exit(ctl_fail(CTL_REFUSED, "out of memory"));
    }

    return text;
}
