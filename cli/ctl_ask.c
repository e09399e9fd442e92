
/*
 * Asking the API: which node, and what is said when it does not go well.
 */


#include <stdlib.h>
#include <string.h>
#include "ctl.h"


int
ctl_ask(ctl_t *ctl, const char *method, const char *path, json_t *body,
    ctl_answer_t *answer)
{
    (void) ctl_try(ctl, method, path, body, answer);

    /* of nodes that do not answer it has spoken */

    if (answer->code == CTL_REFUSED) {
        return ctl_answer_fail(answer);
    }

    return answer->code;
}


int
ctl_try(ctl_t *ctl, const char *method, const char *path, json_t *body,
    ctl_answer_t *answer)
{
    int  i, asked;

    for (i = 0, asked = 0; i < ctl->nnodes; i++) {
        asked += !ctl->nodes[i].silent;
    }

    for (i = 0; i < ctl->nnodes; i++) {

        if (ctl->nodes[i].silent && asked) {
            continue;
        }

        ctl_call(ctl, &ctl->nodes[i], method, path, body, answer);

        ctl->nodes[i].silent = answer->code == CTL_UNREACHABLE;

        if (!ctl->nodes[i].silent) {
            break;
        }

        (void) ctl_answer_fail(answer);

        if (strcmp(method, "GET") != 0 && answer->sent) {
            (void) ctl_fail(CTL_UNREACHABLE, "the change may have been made"
                            " there: look before trying again");
            break;
        }

        if (i + 1 < ctl->nnodes) {
            ctl_answer_free(answer);
        }
    }

    return answer->code;
}


int
ctl_answer_fail(ctl_answer_t *answer)
{
    return ctl_fail(answer->code, "%s: %s", answer->node->given,
                    answer->error);
}


char *
ctl_reason(ctl_t *ctl)
{
    char        *encoded, *query;
    const char  *reason;

    reason = ctl_option(ctl, "reason");
    if (reason == NULL) {
        return ctl_copy("");
    }

    encoded = ctl_encode(reason);
    query = ctl_format("?reason=%s", encoded);
    free(encoded);

    return query;
}


char *
ctl_encode(const char *text)
{
    char        *encoded, *p;
    const char  *plain;

    plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
            "0123456789-._~";

    encoded = ctl_alloc(3 * strlen(text) + 1);
    p = encoded;

    for ( /* void */ ; *text; text++) {

        if (strchr(plain, *text)) {
            *p++ = *text;

        } else {
            p += sprintf(p, "%%%02X", (unsigned char) *text);
        }
    }

    return encoded;
}


int
ctl_print_json(ctl_t *ctl, json_t *json)
{
    if (!ctl->json) {
        return 0;
    }

    if (json) {
        json_dumpf(json, ctl->out, JSON_INDENT(2) | JSON_PRESERVE_ORDER
                                   | JSON_ENCODE_ANY);
        fprintf(ctl->out, "\n");
    }

    return 1;
}
