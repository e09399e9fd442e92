
/*
 * "events": what changes, as it changes.
 */


#include <stdlib.h>
#include <string.h>
#include "ctl.h"


typedef struct {
    ctl_t       *ctl;
    long long    last;          /* id of the last one seen */
    int          heard;
} ctl_events_t;


static int ctl_events_line(const char *text, void *data);
static void ctl_events_show(ctl_t *ctl, json_t *event);


CTL_COMMAND(ctl_events)
{
    int            i;
    char          *path;
    size_t         j;
    json_t        *event;
    ctl_events_t   events;
    ctl_answer_t   answer;

    (void) argc;
    (void) argv;

    if (ctl_option(ctl, "follow") == NULL) {

        i = ctl_ask(ctl, "GET", "duplex/events/recent", NULL, &answer);

        if (i == CTL_OK && !ctl_print_json(ctl, answer.json)) {
            json_array_foreach(answer.json, j, event) {
                ctl_events_show(ctl, event);
            }
        }

        ctl_answer_free(&answer);
        return i;
    }

    memset(&events, 0, sizeof(events));
    events.ctl = ctl;

    for (i = 0; ; i = (i + 1) % ctl->nnodes) {

        /* ids are a node's own */

        events.last = 0;
        events.heard = 0;
        path = ctl_copy("duplex/events");

        ctl_stream(ctl, &ctl->nodes[i], path, ctl_events_line, &events,
                   &answer);
        free(path);

        if (answer.code == CTL_REFUSED || ferror(ctl->out)) {
            i = ctl_answer_fail(&answer);
            ctl_answer_free(&answer);
            return i;
        }

        if (answer.error[0]) {
            (void) ctl_answer_fail(&answer);
        }

        ctl_answer_free(&answer);

        /* it was there: it will be again; it was not: the next one */

        if (i + 1 == ctl->nnodes && !events.heard) {
            return ctl_fail(CTL_UNREACHABLE, "no node has events to tell");
        }

        ctl_sleep(0.5);
    }
}


/* server-sent events: a line "data: {...}" each */

static int
ctl_events_line(const char *text, void *data)
{
    json_t        *event;
    ctl_events_t  *events = data;

    events->heard = 1;

    if (strncmp(text, "data:", 5) != 0) {
        return 0;
    }

    event = json_loads(text + 5, 0, NULL);

    if (events->ctl->json && event) {
        json_dumpf(event, events->ctl->out, JSON_COMPACT);
        fprintf(events->ctl->out, "\n");

    } else if (event) {
        ctl_events_show(events->ctl, event);
    }

    json_decref(event);

    return fflush(events->ctl->out) != 0;
}


static void
ctl_events_show(ctl_t *ctl, json_t *event)
{
    fprintf(ctl->out, "%.23s  %-10s  %s: %s\n", ctl_text(event, "time"),
            ctl_text(event, "type"), ctl_text(event, "subject"),
            ctl_text(event, "text"));
}
