
/*
 * "top": a live screen of all servers of all nodes, by traffic, latency or
 * state.
 *
 * What nodes count is added up, states are shown side by side where they
 * differ.  The screen is written as a whole, once for each look or key, with
 * the few escapes that every terminal knows; it fits into what is there.
 */


#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include "ctl.h"


#define CTL_TOP_FILTER  64


typedef struct {
    char         group[64];
    char         server[64];
    char         state[32];
    double       conns;
    double       requests;     /* counted, of all nodes */
    double       failed;
    double       latency;      /* ms, the worst node's */
    double       rate;
    double       failing;
} ctl_top_row_t;

typedef struct {
    ctl_t         *ctl;
    ctl_top_row_t *rows;
    size_t         n;
    ctl_top_row_t *before;
    size_t         nbefore;
    double         looked;     /* s, monotonic */
    double         period;     /* s, between the last two looks */
    int            sort;
    int            reverse;
    int            typing;     /* the filter is being typed */
    int            help;
    int            heard;
    char           filter[CTL_TOP_FILTER];
    char           nodes[256];
} ctl_top_t;


static void ctl_top_look(ctl_top_t *top);
static void ctl_top_add(ctl_top_t *top, const char *protocol,
    const char *group, json_t *peer);
static void ctl_top_rates(ctl_top_t *top);
static int ctl_top_compare(const void *one, const void *two);
static void ctl_top_draw(ctl_top_t *top);
static void ctl_top_row(ctl_top_t *top, FILE *out, ctl_top_row_t *row,
    int wide);
static int ctl_top_key(ctl_top_t *top, int key);
static int ctl_top_terminal(int on);
static void ctl_top_end(int signo);
static void ctl_top_resized(int signo);


/* what qsort() has no argument for */
static ctl_top_t      *ctl_top_sorted;

static struct termios  ctl_top_saved;
static int             ctl_top_changed;

static const char  *ctl_top_sorts[] = {
    "traffic", "latency", "errors", "connections", "state", "name"
};

enum { ctl_top_nsorts = 6 };


CTL_COMMAND(ctl_top)
{
    int            code, key;
    char           byte;
    double         every, left;
    ctl_top_t      top;
    const char    *value;
    struct pollfd  in;
    struct sigaction  action;

    (void) argc;
    (void) argv;

    if (!ctl->terminal || !isatty(STDIN_FILENO)) {
        return ctl_fail(CTL_USAGE, "\"top\" needs a terminal: use"
                        " \"duplexctl peer list --watch\" instead");
    }

    value = ctl_option(ctl, "every");
    every = value ? ctl_parse_time(value) / 1000.0 : 1;

    memset(&top, 0, sizeof(top));
    top.ctl = ctl;

    value = ctl_option(ctl, "sort");

    while (value && strcmp(value, ctl_top_sorts[top.sort]) != 0) {

        if (++top.sort == ctl_top_nsorts) {
            return ctl_fail(CTL_USAGE, "invalid value \"%s\" of --sort:"
                            " traffic, latency, errors, connections, state"
                            " or name", value);
        }
    }

    memset(&action, 0, sizeof(action));
    action.sa_handler = ctl_top_end;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    action.sa_handler = ctl_top_resized;
    sigaction(SIGWINCH, &action, NULL);

    if (ctl_top_terminal(1) != CTL_OK) {
        return ctl_fail(CTL_REFUSED, "the terminal cannot be set: %s",
                        strerror(errno));
    }

    in.fd = STDIN_FILENO;
    in.events = POLLIN;
    key = 0;

    while (key != 'q') {

        if (ctl_now() >= top.looked + every) {
            ctl_top_look(&top);
        }

        ctl_top_draw(&top);

        left = top.looked + every - ctl_now();
        key = 0;

        if (poll(&in, 1, left > 0 ? (int) (left * 1000) + 1 : 0) == 1) {

            if (read(STDIN_FILENO, &byte, 1) != 1) {
                break;
            }

            key = ctl_top_key(&top, byte);
        }
    }

    code = top.heard ? CTL_OK : CTL_UNREACHABLE;

    (void) ctl_top_terminal(0);

    free(top.rows);
    free(top.before);

    return code;
}


static void
ctl_top_look(ctl_top_t *top)
{
    int            i, page;
    size_t         j, len;
    json_t        *group, *peer;
    double         now;
    const char    *name;
    ctl_answer_t   answers[3][CTL_NODES_MAX];

    static const char  *paths[] = { "duplex/ready", "9/http/upstreams",
                                    "9/stream/upstreams" };

    free(top->before);

    top->before = top->rows;
    top->nbefore = top->n;
    top->rows = NULL;
    top->n = 0;
    top->heard = 0;

    now = ctl_now();
    ctl_call_many(top->ctl, paths, 3, answers);

    top->period = now - top->looked;
    top->looked = now;

    for (i = 0, len = 0; i < top->ctl->nnodes; i++) {

        top->heard += answers[0][i].code == CTL_OK;

        if (len < sizeof(top->nodes)) {
            len += snprintf(top->nodes + len, sizeof(top->nodes) - len,
                            "%s%s %s", len ? ", " : "",
                            top->ctl->nodes[i].given,
                            answers[0][i].code == CTL_OK
                            ? ctl_text(answers[0][i].json, "state")
                            : "unreachable");
        }

        for (page = 1; page < 3; page++) {
            json_object_foreach(answers[page][i].json, name, group) {
                json_array_foreach(ctl_member(group, "peers"), j, peer) {
                    ctl_top_add(top, page == 1 ? "" : "stream/", name, peer);
                }
            }
        }

        for (page = 0; page < 3; page++) {
            ctl_answer_free(&answers[page][i]);
        }
    }

    ctl_top_rates(top);
}


static void
ctl_top_add(ctl_top_t *top, const char *protocol, const char *group,
    json_t *peer)
{
    char           name[64];
    double         latency;
    size_t         i;
    const char    *server, *state;
    ctl_top_row_t *row;

    server = ctl_text(peer, "server");
    state = ctl_text(peer, "state");
    snprintf(name, sizeof(name), "%s%s", protocol, group);

    for (i = 0; i < top->n; i++) {
        if (strcmp(top->rows[i].server, server) == 0
            && strcmp(top->rows[i].group, name) == 0)
        {
            break;
        }
    }

    if (i == top->n) {

        /* in powers of two */

        if ((top->n & (top->n - 1)) == 0) {
            row = realloc(top->rows, (top->n ? 2 * top->n : 1)
                                     * sizeof(ctl_top_row_t));
            if (row == NULL) {
                return;
            }

            top->rows = row;
        }

        row = &top->rows[top->n++];
        memset(row, 0, sizeof(ctl_top_row_t));
        snprintf(row->group, sizeof(row->group), "%s", name);
        snprintf(row->server, sizeof(row->server), "%s", server);
        snprintf(row->state, sizeof(row->state), "%s", state);
    }

    row = &top->rows[i];

    if (strstr(row->state, state) == NULL) {
        strncat(row->state, "/", sizeof(row->state) - strlen(row->state) - 1);
        strncat(row->state, state,
                sizeof(row->state) - strlen(row->state) - 1);
    }

    row->conns += ctl_number(peer, "active");
    row->requests += ctl_number(peer, "requests")
                     + ctl_number(peer, "connections");
    row->failed += ctl_number(peer, "responses.5xx");

    latency = ctl_number(peer, "response_time");
    row->latency = latency > row->latency ? latency : row->latency;
}


static void
ctl_top_rates(ctl_top_t *top)
{
    size_t          i, j;
    ctl_top_row_t  *row, *was;

    for (i = 0; i < top->n; i++) {

        row = &top->rows[i];

        for (j = 0; j < top->nbefore; j++) {

            /* most stand where they stood */

            was = &top->before[(i + j) % top->nbefore];

            if (strcmp(was->server, row->server) == 0
                && strcmp(was->group, row->group) == 0)
            {
                if (row->requests >= was->requests && top->period > 0) {
                    row->rate = (row->requests - was->requests) / top->period;
                    row->failing = (row->failed - was->failed) / top->period;
                }

                break;
            }
        }
    }
}


static int
ctl_top_compare(const void *one, const void *two)
{
    int                   rc;
    double                d;
    const ctl_top_row_t  *a = one, *b = two;

    switch (ctl_top_sorted->sort) {
    case 0:
        d = b->rate - a->rate;
        break;
    case 1:
        d = b->latency - a->latency;
        break;
    case 2:
        d = b->failing - a->failing;
        break;
    case 3:
        d = b->conns - a->conns;
        break;
    case 4:
        d = (strcmp(a->state, "up") == 0) - (strcmp(b->state, "up") == 0);
        break;
    default:
        d = 0;
    }

    rc = d > 0 ? 1 : d < 0 ? -1 : 0;
    rc = rc ? rc : strcmp(a->group, b->group);
    rc = rc ? rc : strcmp(a->server, b->server);

    return ctl_top_sorted->reverse ? -rc : rc;
}


static void
ctl_top_draw(ctl_top_t *top)
{
    int      columns, rows, shown;
    char    *text;
    FILE    *out;
    size_t   i, len;
    double   rate, failing;

    columns = ctl_screen_columns();
    rows = ctl_screen_rows();

    ctl_top_sorted = top;
    qsort(top->rows, top->n, sizeof(ctl_top_row_t), ctl_top_compare);

    rate = 0;
    failing = 0;

    for (i = 0; i < top->n; i++) {
        rate += top->rows[i].rate;
        failing += top->rows[i].failing;
    }

    out = open_memstream(&text, &len);
    if (out == NULL) {
        return;
    }

    fprintf(out, "\033[H%.*s\033[K\r\n", columns - 1, top->nodes);
    fprintf(out, "%zu servers, %.0f requests/s, %.0f errors/s, by %s%s"
            "\033[K\r\n", top->n, rate, failing, ctl_top_sorts[top->sort],
            top->reverse ? " (reversed)" : "");

    if (top->typing || top->filter[0]) {
        fprintf(out, "filter: %s%s\033[K\r\n", top->filter,
                top->typing ? "_" : "");
    } else {
        fprintf(out, "%.*s\033[K\r\n", columns - 1, top->help
                ? "s next order  r reverse  / filter  q quit"
                : "h help");
    }

    fprintf(out, "\033[7m%-18s %-*s %-10s %6s %8s %6s %8s\033[K\033[0m\r\n",
            "UPSTREAM", columns < 100 ? 16 : 24, "SERVER", "STATE", "CONNS",
            "REQ/S", "5XX/S", "LATENCY");

    for (i = 0, shown = 0; i < top->n && shown < rows - 5; i++) {

        if (top->filter[0]
            && strstr(top->rows[i].group, top->filter) == NULL
            && strstr(top->rows[i].server, top->filter) == NULL
            && strstr(top->rows[i].state, top->filter) == NULL)
        {
            continue;
        }

        ctl_top_row(top, out, &top->rows[i], columns >= 100);
        shown++;
    }

    fprintf(out, "\033[J");
    fclose(out);

    if (write(STDOUT_FILENO, text, len) < 0) {
        top->heard = 0;
    }

    free(text);
}


static void
ctl_top_row(ctl_top_t *top, FILE *out, ctl_top_row_t *row, int wide)
{
    char         latency[32];
    const char  *colour;

    colour = ctl_colour(top->ctl, row->state);

    if (row->latency > 0) {
        ctl_show_time(latency, sizeof(latency), row->latency);

    } else {
        snprintf(latency, sizeof(latency), "-");
    }

    fprintf(out, "%-18.18s %-*.*s %s%-10.10s%s %6.0f %8.1f %6.1f %8s"
            "\033[K\r\n", row->group, wide ? 24 : 16, wide ? 24 : 16,
            row->server, colour, row->state,
            *colour ? ctl_colour_end(top->ctl) : "", row->conns, row->rate,
            row->failing, latency);
}


/* what is left to do with it: 'q' or nothing */

static int
ctl_top_key(ctl_top_t *top, int key)
{
    size_t  len;

    len = strlen(top->filter);

    if (top->typing) {

        if (key == '\n' || key == '\r') {
            top->typing = 0;

        } else if (key == 27) {
            top->typing = 0;
            top->filter[0] = '\0';

        } else if ((key == 127 || key == 8) && len) {
            top->filter[len - 1] = '\0';

        } else if (key > ' ' && key < 127 && len + 1 < CTL_TOP_FILTER) {
            top->filter[len] = (char) key;
            top->filter[len + 1] = '\0';
        }

        return 0;
    }

    switch (key) {
    case 's':
        top->sort = (top->sort + 1) % ctl_top_nsorts;
        break;
    case 'r':
        top->reverse = !top->reverse;
        break;
    case '/':
        top->typing = 1;
        top->filter[0] = '\0';
        break;
    case 'h':
        top->help = !top->help;
        break;
    case 4:
    case 'q':
        return 'q';
    }

    return 0;
}


/* keys one by one and another screen, or all as it was */

static int
ctl_top_terminal(int on)
{
    static const char  enter[] = "\033[?1049h\033[?25l";
    static const char  leave[] = "\033[?25h\033[?1049l";
    struct termios     raw;

    if (!on) {
        if (ctl_top_changed) {
            tcsetattr(STDIN_FILENO, TCSADRAIN, &ctl_top_saved);
            ctl_top_changed = 0;
        }

        return write(STDOUT_FILENO, leave, sizeof(leave) - 1) < 0
               ? CTL_REFUSED : CTL_OK;
    }

    if (tcgetattr(STDIN_FILENO, &ctl_top_saved) != 0) {
        return CTL_REFUSED;
    }

    raw = ctl_top_saved;
    raw.c_lflag &= ~(ICANON | ECHO);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;

    if (tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) != 0) {
        return CTL_REFUSED;
    }

    ctl_top_changed = 1;

    return write(STDOUT_FILENO, enter, sizeof(enter) - 1) < 0
           ? CTL_REFUSED : CTL_OK;
}


static void
ctl_top_end(int signo)
{
    (void) ctl_top_terminal(0);
    _exit(128 + signo);
}


/* it is enough that poll() ends: the screen is drawn again */

static void
ctl_top_resized(int signo)
{
    (void) signo;
}
