
/*
 * From the result of one probe to the verdict on its server: the memory of
 * its check, the state of that check, what all checks of the server come to,
 * and the one line and event that tell of a change.
 *
 * Owns nothing; writes records.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "../core/ngx_duplex_clock.h"
#include "../core/ngx_duplex_event.h"
#include "ngx_duplex_judge.h"


#define NGX_DUPLEX_JUDGE_STORY    512
#define NGX_DUPLEX_JUDGE_SUBJECT  (NGX_DUPLEX_EVENT_DATA_MAX / 2)


static void ngx_duplex_judge_fault(ngx_duplex_probe_t *probe,
    ngx_duplex_probe_result_t *result, ngx_duplex_probed_t *probed);
static ngx_duplex_verdict_e ngx_duplex_judge_all(ngx_duplex_probe_t *probe,
    ngx_duplex_verdict_e was);
static void ngx_duplex_judge_tell(ngx_duplex_probe_t *probe,
    ngx_duplex_verdict_record_t *verdict, ngx_duplex_verdict_e was,
    ngx_duplex_probe_result_t *result, uint64_t now);
static u_char *ngx_duplex_judge_story(ngx_duplex_probe_t *probe,
    ngx_duplex_probe_result_t *result, uint64_t now, u_char *p, u_char *last);


void
ngx_duplex_judge(ngx_duplex_probe_t *probe, ngx_duplex_probe_result_t *result,
    uint64_t now)
{
    ngx_uint_t                    pass, told;
    ngx_duplex_probed_t           probed;
    ngx_duplex_verdict_e          was;
    ngx_duplex_check_policy_t    *policy;
    ngx_duplex_probed_result_t    last;
    ngx_duplex_verdict_record_t   verdict;

    ngx_duplex_health_probed(probe->peer, probe->check, &probed);

    if (result->end == ngx_duplex_probe_fault) {
        ngx_duplex_judge_fault(probe, result, &probed);
        return;
    }

    probe->faulty = 0;

    policy = &probe->check->policy;
    pass = (result->end == ngx_duplex_probe_passed);

    (void) ngx_duplex_verdict_turn(&probe->verdict, pass, policy->fails,
                                   policy->passes);

    was = ngx_duplex_health_own(probe->peer);

    verdict.state = ngx_duplex_judge_all(probe, was);
    verdict.reason = result->reason;
    verdict.status = result->status;
    verdict.check = probe->check->id;

    last.duration = (uint32_t) (now - probe->started);
    last.reason = result->reason;
    last.status = result->status;

    ngx_duplex_probed_add(&probed, ngx_duplex_clock_wall() - last.duration,
                          &last, &result->text);

    probed.started = probe->started;
    probed.state = probe->verdict.state;
    probed.failed = probe->verdict.failed;
    probed.passed = probe->verdict.passed;
    probed.checks++;
    probed.fails += !pass;

    /*
     * Not in force if there is no memory for it, which the store has logged:
     * the next probe tries again.
     */

    told = (verdict.state != was
            && ngx_duplex_health_save_verdict(probe->peer, &verdict)
               == NGX_OK);

    probed.unhealthy += (told
                         && verdict.state == ngx_duplex_verdict_unhealthy);

    ngx_duplex_health_save_probed(probe->peer, probe->check, &probed);

    if (told) {
        ngx_duplex_judge_tell(probe, &verdict, was, result, now);
    }
}


/* logged once, until a probe of this server has got through again */

static void
ngx_duplex_judge_fault(ngx_duplex_probe_t *probe,
    ngx_duplex_probe_result_t *result, ngx_duplex_probed_t *probed)
{
    probed->faults++;

    ngx_duplex_health_save_probed(probe->peer, probe->check, probed);

    if (probe->faulty) {
        return;
    }

    probe->faulty = 1;

    ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                  "peer \"%V\" in %s \"%V\" could not be probed, "
                  "its verdict stays: %V",
                  &probe->peer->name, probe->check->group->driver->title,
                  &probe->check->group->name, &result->text);
}


/* the other checks of the server stand in their records */

static ngx_duplex_verdict_e
ngx_duplex_judge_all(ngx_duplex_probe_t *probe, ngx_duplex_verdict_e was)
{
    ngx_uint_t             n, up, unhealthy;
    ngx_duplex_check_t    *check;
    ngx_duplex_probed_t    probed;
    ngx_duplex_verdict_e   state;

    n = 0;
    up = 0;
    unhealthy = 0;

    for (check = ngx_duplex_check_first(probe->peer->group);
         check;
         check = check->next)
    {
        if (check == probe->check) {
            state = probe->verdict.state;

        } else {
            ngx_duplex_health_probed(probe->peer, check, &probed);
            state = probed.state;
        }

        n++;
        up += (state == ngx_duplex_verdict_up);
        unhealthy += (state == ngx_duplex_verdict_unhealthy);
    }

    return ngx_duplex_verdict_of(was, up, unhealthy, n);
}


static void
ngx_duplex_judge_tell(ngx_duplex_probe_t *probe,
    ngx_duplex_verdict_record_t *verdict, ngx_duplex_verdict_e was,
    ngx_duplex_probe_result_t *result, uint64_t now)
{
    u_char               story[NGX_DUPLEX_JUDGE_STORY];
    u_char               subject[NGX_DUPLEX_JUDGE_SUBJECT];
    ngx_str_t            text, about;
    ngx_uint_t           level;
    const char          *word;
    ngx_duplex_check_t  *check;

    check = probe->check;
    word = ngx_duplex_verdict_word(verdict->state);

    text.data = story;
    text.len = ngx_duplex_judge_story(probe, result, now, story,
                                      story + sizeof(story))
               - story;

    /* a server that had traffic all the time has not changed */

    level = (was == ngx_duplex_verdict_checking
             && verdict->state == ngx_duplex_verdict_up
             && !check->policy.mandatory) ? NGX_LOG_INFO : NGX_LOG_NOTICE;

    ngx_log_error(level, ngx_cycle->log, 0,
                  "peer \"%V\" in %s \"%V\" is now %s: %V",
                  &probe->peer->name, check->group->driver->title,
                  &check->group->name, word, &text);

    about.data = subject;
    about.len = ngx_snprintf(subject, sizeof(subject), "%V %V",
                             &check->group->zone, &probe->peer->name)
                - subject;

    ngx_duplex_event("verdict", &about, "now %s: %V", word, &text);
}


/* "timeout after 2000ms (3 of 3)", and of which check if there are several */

static u_char *
ngx_duplex_judge_story(ngx_duplex_probe_t *probe,
    ngx_duplex_probe_result_t *result, uint64_t now, u_char *p, u_char *last)
{
    uint32_t             n;
    ngx_uint_t           of;
    ngx_duplex_check_t  *check;

    check = probe->check;

    if (result->end == ngx_duplex_probe_passed) {
        n = probe->verdict.passed;
        of = check->policy.passes;

        if (result->status) {
            p = ngx_slprintf(p, last, "%ui", result->status);

        } else {
            p = ngx_slprintf(p, last, "passed");
        }

    } else {
        n = probe->verdict.failed;
        of = check->policy.fails;

        p = ngx_slprintf(p, last, "%s",
                         ngx_duplex_reason_word(result->reason));

        if (result->reason == ngx_duplex_reason_timeout) {
            p = ngx_slprintf(p, last, " after %uLms", now - probe->started);

        } else if (result->reason == ngx_duplex_reason_status) {
            p = ngx_slprintf(p, last, " %ui", result->status);
        }

        if (result->text.len) {
            p = ngx_slprintf(p, last, ": %V", &result->text);
        }
    }

    p = ngx_slprintf(p, last, " (%uD of %ui)", n, of);

    if (ngx_duplex_check_first(check->group)->next) {
        p = ngx_slprintf(p, last, " of check \"%V\"", &check->text);
    }

    return p;
}
