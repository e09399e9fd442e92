
/*
 * duplexctl: what its files share.
 *
 * The tool talks to the API of one node, or of all that it was told of, and
 * includes nothing of modules/.  One file per noun; a verb is a function
 * that asks, and either prints a table for people or the JSON for scripts.
 *
 * A verb says what went wrong itself, once, on stderr, and returns the exit
 * code.  Whatever comes from a node is checked where it is used: a member
 * that is missing, or of another type, is shown as "-".
 */


#ifndef _CTL_H_INCLUDED_
#define _CTL_H_INCLUDED_


#include <jansson.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>


/* exit codes; the man page has them for people */
#define CTL_OK           0
#define CTL_REFUSED      1     /* not found, not allowed, not ready */
#define CTL_ISOLATED     2     /* "check" only */
#define CTL_UNREACHABLE  3     /* no node, or no API, answers */
#define CTL_TIMEOUT      4     /* --wait: it did not happen in time */
#define CTL_USAGE        64

#define CTL_NODES_MAX    8
#define CTL_OPTIONS_MAX  32


typedef struct {
    char        *given;        /* as the user wrote it, for messages */
    char        *url;          /* "http://10.0.0.11:8081/api" */
    char        *socket;       /* path of a unix socket, or NULL */
    int          silent;       /* did not answer before: not asked again */
} ctl_node_t;


typedef struct {
    const char  *name;         /* of a long option */
    const char  *value;        /* "" if it takes none */
} ctl_option_t;


typedef struct {
    ctl_node_t   nodes[CTL_NODES_MAX];
    int          nnodes;

    ctl_option_t options[CTL_OPTIONS_MAX];
    int          noptions;

    const char  *cacert;
    const char  *cert;
    const char  *key;
    char        *user;         /* "name:password" */
    long         timeout;      /* ms, one call */

    int          json;
    int          colour;
    int          terminal;     /* stdout is one */
    double       watch;        /* s between two looks; 0: once */

    FILE        *out;
} ctl_t;


/* what one node answered */
typedef struct {
    ctl_node_t  *node;
    int          code;         /* an exit code */
    long         status;       /* of HTTP; 0: none */
    json_t      *json;         /* NULL: no answer, or one without a body */
    char         error[512];   /* one line without a newline; "": none */
    int          sent;         /* it may have been acted upon */
} ctl_answer_t;


typedef struct {
    const char  *noun;
    const char  *verb;         /* NULL: the noun stands alone */
    const char  *args;         /* for the usage line */
    int          min;
    int          max;          /* -1: any number */
    const char  *options;      /* names, separated by blanks */
    const char  *help;
    int        (*run)(ctl_t *ctl, int argc, char **argv);
} ctl_command_t;


/* duplexctl.c: the table of all commands; ends with a NULL noun */
extern ctl_command_t  ctl_commands[];

/* prints "duplexctl: ..." on stderr; returns "code" */
int ctl_fail(int code, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void *ctl_alloc(size_t size);
char *ctl_copy(const char *text);
char *ctl_format(const char *fmt, ...) __attribute__((format(printf, 1, 2)));


/* ctl_options.c */

/*
 * Takes the options out of argv; what is left are words.
 * CTL_OK or CTL_USAGE, which has been explained.
 */
int ctl_options_parse(ctl_t *ctl, int *argc, char **argv);
/* CTL_USAGE if an option was given that the command does not know */
int ctl_options_check(ctl_t *ctl, ctl_command_t *command);
/* NULL: not given */
const char *ctl_option(ctl_t *ctl, const char *name);
/* the name of the i-th option there is, NULL after the last */
const char *ctl_option_name(int i);
/* 1 if the option is known to every command */
int ctl_option_is_common(const char *name);
void ctl_options_help(FILE *out, const char *names);


/* ctl_conf.c: options, environment, files: fills in what is not set yet */
int ctl_conf_load(ctl_t *ctl);
void ctl_conf_free(ctl_t *ctl);


/* ctl_client.c */

int ctl_client_init(void);
/* one call; everything about it is in "answer", nothing is printed */
void ctl_call(ctl_t *ctl, ctl_node_t *node, const char *method,
    const char *path, json_t *body, ctl_answer_t *answer);
/* GET from all nodes at once; "answers" has CTL_NODES_MAX places */
void ctl_call_all(ctl_t *ctl, const char *path, ctl_answer_t *answers);
/* the same of several pages, all at once: answers[page][node] */
void ctl_call_many(ctl_t *ctl, const char **paths, int npaths,
    ctl_answer_t answers[][CTL_NODES_MAX]);
void ctl_answer_free(ctl_answer_t *answer);
/*
 * GET of something without an end: "line" is called for each line (without
 * its newline) until it answers non-zero.
 */
void ctl_stream(ctl_t *ctl, ctl_node_t *node, const char *path,
    int (*line)(const char *text, void *data), void *data,
    ctl_answer_t *answer);


/* ctl_ask.c */

/*
 * Asks the first node that answers; CTL_OK with "answer->json", or the error
 * has been printed.  A write goes to another node only if it cannot have
 * reached the one before.  The caller frees the answer in any case.
 */
int ctl_ask(ctl_t *ctl, const char *method, const char *path, json_t *body,
    ctl_answer_t *answer);
/* the same, but leaves saying what the API has refused to the caller */
int ctl_try(ctl_t *ctl, const char *method, const char *path, json_t *body,
    ctl_answer_t *answer);
/* prints the error of "answer"; returns its code */
int ctl_answer_fail(ctl_answer_t *answer);
/* "?reason=..." if the option was given, "" otherwise; to be freed */
char *ctl_reason(ctl_t *ctl);
/* percent-encoded, to be freed */
char *ctl_encode(const char *text);
/* prints it if --json was given; 1 if so */
int ctl_print_json(ctl_t *ctl, json_t *json);


/* ctl_json.c: members, whatever was really sent; nothing is to be freed */

json_t *ctl_member(json_t *object, const char *path);
const char *ctl_text(json_t *object, const char *path);    /* "-": none */
json_int_t ctl_integer(json_t *object, const char *path);  /* 0: none */
double ctl_number(json_t *object, const char *path);       /* 0: none */
int ctl_true(json_t *object, const char *path);


/* ctl_table.c */

#define CTL_COLUMNS_MAX  12

typedef struct ctl_table_s  ctl_table_t;

/* "columns" are headings; one that begins with ">" is aligned right */
ctl_table_t *ctl_table_new(const char **columns, int n);
/* ends the row; missing cells are empty */
void ctl_table_cell(ctl_table_t *table, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void ctl_table_row(ctl_table_t *table);
void ctl_table_free(ctl_table_t *table);
/* prints and frees; words like "unhealthy" get their colour */
void ctl_table_print(ctl_t *ctl, ctl_table_t *table);
/* the colour of a state, or "" */
const char *ctl_colour(ctl_t *ctl, const char *word);
const char *ctl_colour_end(ctl_t *ctl);
int ctl_screen_columns(void);
int ctl_screen_rows(void);


/* ctl_value.c: what people write, and how they read it */

/* "1.5s", "200ms", "2m", "1h", "3d"; a number alone is seconds; ms or -1 */
long ctl_parse_time(const char *text);
/* "5" or "0.5%" in units of 0.01 %; -1 */
long ctl_parse_percent(const char *text);
/* into "buf"; returns it */
const char *ctl_show_time(char *buf, size_t size, double ms);
const char *ctl_show_count(char *buf, size_t size, double n);
const char *ctl_show_bytes(char *buf, size_t size, double n);
double ctl_now(void);                   /* s, monotonic */
void ctl_sleep(double s);


/* ctl_progress.c: whatever lasts, on stderr, if that is a terminal */

void ctl_progress(ctl_t *ctl, const char *what, double share,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void ctl_progress_end(ctl_t *ctl);


/* peer.c: servers of a group, for whoever needs them */

/*
 * Finds "http/app", "stream/app" or "app" in the first; the path of its
 * group ("9/http/upstreams/app", to be freed) and the group itself.
 */
int ctl_group_find(ctl_t *ctl, const char *name, char **path,
    ctl_answer_t *answer);
/* 1 if "word" names this peer: its id, address, or text as written */
int ctl_peer_is(json_t *peer, const char *word);


#define CTL_COMMAND(name)  int name(ctl_t *ctl, int argc, char **argv)

CTL_COMMAND(ctl_status);
CTL_COMMAND(ctl_peer_list);
CTL_COMMAND(ctl_peer_show);
CTL_COMMAND(ctl_peer_explain);
CTL_COMMAND(ctl_peer_add);
CTL_COMMAND(ctl_peer_set);
CTL_COMMAND(ctl_peer_remove);
CTL_COMMAND(ctl_peer_drain);
CTL_COMMAND(ctl_peer_undrain);
CTL_COMMAND(ctl_peer_down);
CTL_COMMAND(ctl_peer_up);
CTL_COMMAND(ctl_node_list);
CTL_COMMAND(ctl_node_ready);
CTL_COMMAND(ctl_check);
CTL_COMMAND(ctl_track);
CTL_COMMAND(ctl_complete);
CTL_COMMAND(ctl_node_leave);
CTL_COMMAND(ctl_node_return);
CTL_COMMAND(ctl_deploy_start);
CTL_COMMAND(ctl_deploy_status);
CTL_COMMAND(ctl_deploy_pause);
CTL_COMMAND(ctl_deploy_resume);
CTL_COMMAND(ctl_deploy_promote);
CTL_COMMAND(ctl_deploy_rollback);
CTL_COMMAND(ctl_deploy_history);
CTL_COMMAND(ctl_split_list);
CTL_COMMAND(ctl_split_set);
CTL_COMMAND(ctl_events);
CTL_COMMAND(ctl_keyval_list);
CTL_COMMAND(ctl_keyval_get);
CTL_COMMAND(ctl_keyval_set);
CTL_COMMAND(ctl_keyval_delete);
CTL_COMMAND(ctl_keyval_clear);
CTL_COMMAND(ctl_top);
CTL_COMMAND(ctl_session_list);
CTL_COMMAND(ctl_session_find);
CTL_COMMAND(ctl_session_rebind);
CTL_COMMAND(ctl_session_drop);
CTL_COMMAND(ctl_config_check);


#endif /* _CTL_H_INCLUDED_ */
