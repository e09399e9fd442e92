
/*
 * "check": may this node hold an address?  For keepalived, so it ends within
 * 300 ms whatever happens, says one line, and asks what the node knows
 * already: nothing is probed for it.
 *
 *     0  yes
 *     1  not ready: others may be better
 *     2  isolated: it must not
 *     3  nginx does not answer
 */


#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <fcntl.h>
#include <unistd.h>
#include "ctl.h"


#define CTL_CHECK_TIMEOUT  250          /* ms, what is asked */
#define CTL_CHECK_END      290          /* ms, whatever it is that hangs */


typedef enum {
    ctl_track_ok = 0,
    ctl_track_degraded,
    ctl_track_fault
} ctl_track_e;


static int ctl_check_ready(ctl_t *ctl, int live, char *text, size_t size);
static int ctl_check_peers(ctl_t *ctl, char *text, size_t size);
static void ctl_check_overdue(int signo);
static int ctl_track_number(ctl_t *ctl, const char *name, long usual, long min,
    long max, long *number);
static int ctl_track_write(const char *path, long number);
static void ctl_track_stop(int signo);


static const char  *ctl_track_words[] = { "ok", "degraded", "fault" };

static volatile sig_atomic_t  ctl_track_stopped;


CTL_COMMAND(ctl_check)
{
    int               code;
    char              text[512];
    struct itimerval  end;

    (void) argc;

    signal(SIGALRM, ctl_check_overdue);

    memset(&end, 0, sizeof(end));
    end.it_value.tv_usec = CTL_CHECK_END * 1000;
    setitimer(ITIMER_REAL, &end, NULL);

    if (ctl->timeout > CTL_CHECK_TIMEOUT) {
        ctl->timeout = CTL_CHECK_TIMEOUT;
    }

    if (strcmp(argv[0], "peers") == 0) {
        code = ctl_check_peers(ctl, text, sizeof(text));

    } else if (strcmp(argv[0], "live") == 0
               || strcmp(argv[0], "ready") == 0)
    {
        code = ctl_check_ready(ctl, argv[0][0] == 'l', text, sizeof(text));

    } else {
        return ctl_fail(CTL_USAGE, "unknown check \"%s\": live, ready or"
                        " peers", argv[0]);
    }

    fprintf(ctl->out, "%s\n", text);

    return code;
}


static void
ctl_check_overdue(int signo)
{
    static const char  text[] = "no answer in time\n";

    (void) signo;

    if (write(STDOUT_FILENO, text, sizeof(text) - 1) < 0) {
        _exit(CTL_UNREACHABLE);
    }

    _exit(CTL_UNREACHABLE);
}


static int
ctl_check_ready(ctl_t *ctl, int live, char *text, size_t size)
{
    int           code;
    const char   *state;
    ctl_answer_t  answer;

    ctl_call(ctl, &ctl->nodes[0], "GET", "duplex/ready", NULL, &answer);

    state = ctl_text(answer.json, "state");

    if (answer.code != CTL_OK) {
        code = CTL_UNREACHABLE;

    } else if (strcmp(state, "isolated") == 0
               || ctl_true(answer.json, "isolated"))
    {
        code = CTL_ISOLATED;

    } else {
        code = live || ctl_true(answer.json, "ready") ? CTL_OK : CTL_REFUSED;
    }

    if (answer.code != CTL_OK) {
        snprintf(text, size, "%s", answer.error);

    } else {
        snprintf(text, size, "%s: %s", state, ctl_text(answer.json, "reason"));
    }

    ctl_answer_free(&answer);

    return code;
}


/* is every other node online? */

static int
ctl_check_peers(ctl_t *ctl, char *text, size_t size)
{
    int           code;
    size_t        i, n, up;
    json_t       *node;
    ctl_answer_t  answer;

    ctl_call(ctl, &ctl->nodes[0], "GET", "duplex/nodes", NULL, &answer);

    if (answer.code != CTL_OK) {
        snprintf(text, size, "%s", answer.error);
        ctl_answer_free(&answer);
        return CTL_UNREACHABLE;
    }

    n = json_array_size(answer.json);
    up = 0;

    json_array_foreach(answer.json, i, node) {
        up += strcmp(ctl_text(node, "state"), "online") == 0;
    }

    snprintf(text, size, "%d of %d other nodes online", (int) up, (int) n);

    code = up == n ? CTL_OK : CTL_REFUSED;

    ctl_answer_free(&answer);

    return code;
}


/*
 * "track": the same for keepalived's track_file, which moves an address
 * sooner than any script can, and which a dead nginx cannot write itself.
 */

CTL_COMMAND(ctl_track)
{
    int          seen, now, in_row, code, last;
    char         text[512];
    long         every, fall, rise, degraded, fault, on_exit, number;
    double       next;
    const char  *value;
    struct sigaction  action;

    (void) argc;

    value = ctl_option(ctl, "every");
    every = value ? ctl_parse_time(value) : 100;

    if (ctl_track_number(ctl, "fall", 2, 1, 1000, &fall) != CTL_OK
        || ctl_track_number(ctl, "rise", 2, 1, 1000, &rise) != CTL_OK
        || ctl_track_number(ctl, "degraded", -60, -254, 254, &degraded)
           != CTL_OK
        || ctl_track_number(ctl, "fault", -254, -254, 254, &fault) != CTL_OK
        || ctl_track_number(ctl, "on-exit", degraded, -254, 254, &on_exit)
           != CTL_OK)
    {
        return CTL_USAGE;
    }

    if (ctl->timeout > CTL_CHECK_TIMEOUT) {
        ctl->timeout = CTL_CHECK_TIMEOUT;
    }

    memset(&action, 0, sizeof(action));
    action.sa_handler = ctl_track_stop;
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);

    /* as long as nothing is known, others may be better */

    seen = -1;
    last = ctl_track_degraded;
    in_row = 0;

    code = ctl_track_write(argv[0], degraded);

    while (code == CTL_OK && !ctl_track_stopped) {

        next = ctl_now() + every / 1000.0;

        switch (ctl_check_ready(ctl, 0, text, sizeof(text))) {

        case CTL_OK:
            now = ctl_track_ok;
            break;

        case CTL_REFUSED:
            now = ctl_track_degraded;
            break;

        default:
            now = ctl_track_fault;
        }

        in_row = now == seen ? in_row + 1 : 1;
        seen = now;

        if (now != last && in_row >= (now > last ? fall : rise)) {

            last = now;
            number = now == ctl_track_ok ? 0
                     : now == ctl_track_fault ? fault : degraded;

            code = ctl_track_write(argv[0], number);
            fprintf(ctl->out, "%s (%ld): %s\n", ctl_track_words[now], number,
                    text);
            fflush(ctl->out);
        }

        ctl_sleep(next - ctl_now());
    }

    if (code == CTL_OK) {
        code = ctl_track_write(argv[0], on_exit);
        fprintf(ctl->out, "ended (%ld): nobody watches this node now\n",
                on_exit);
    }

    return code;
}


static int
ctl_track_number(ctl_t *ctl, const char *name, long usual, long min, long max,
    long *number)
{
    char        *end;
    const char  *value;

    *number = usual;

    value = ctl_option(ctl, name);
    if (value == NULL) {
        return CTL_OK;
    }

    *number = strtol(value, &end, 10);

    if (end == value || *end || *number < min || *number > max) {
        return ctl_fail(CTL_USAGE, "invalid value \"%s\" of --%s:"
                        " %ld to %ld", value, name, min, max);
    }

    return CTL_OK;
}


/*
 * One write of a fixed length, so that no reader finds half a number; the
 * file stays the same one, as keepalived may not look for another.
 */

static int
ctl_track_write(const char *path, long number)
{
    int   fd, n;
    char  text[16];

    n = snprintf(text, sizeof(text), "%ld", number);
    memset(text + n, '\n', 8 - n);

    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

    if (fd == -1 || pwrite(fd, text, 8, 0) != 8 || ftruncate(fd, 8) == -1) {
        n = errno;

        if (fd != -1) {
            close(fd);
        }

        return ctl_fail(CTL_REFUSED, "%s: %s", path, strerror(n));
    }

    close(fd);

    return CTL_OK;
}


static void
ctl_track_stop(int signo)
{
    (void) signo;
    ctl_track_stopped = 1;
}
