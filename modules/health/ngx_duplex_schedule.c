
/*
 * The schedule of probes.
 *
 * Every worker has a probe for each server.  The one that holds the lease
 * has a tree of those that wait, by due time, and one timer for the first of
 * them.  There a server is either in the tree or being probed, so never two
 * probes of it at once.
 * What must outlive the worker goes to the records (ngx_duplex_health.c):
 * the start of a probe before it is sent, its result as it comes in.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "../core/ngx_duplex_clock.h"
#include "../core/ngx_duplex_lease.h"
#include "ngx_duplex_schedule.h"


/* probes are started in bunches: one wake-up for all that came due */
#define NGX_DUPLEX_SCHEDULE_TICK       10       /* ms */
#define NGX_DUPLEX_SCHEDULE_BUNCH      16       /* servers */

/*
 * A probe may wait a tenth of such an interval for the beat of the lease,
 * which wakes the process anyway; the timer is for those that cannot.
 */
#define NGX_DUPLEX_SCHEDULE_PATIENT    (4 * NGX_DUPLEX_LEASE_TICK)

#define NGX_DUPLEX_SCHEDULE_IN_FLIGHT  256


typedef struct {
    ngx_queue_t          probes;
    ngx_uint_t           fresh;         /* never probed, since take */

    ngx_rbtree_t         waiting;
    ngx_rbtree_node_t    sentinel;

    ngx_uint_t           in_flight;
    ngx_uint_t           in_flight_max;

    ngx_event_t          timer;
    ngx_connection_t     dumb;          /* for debug logging of the timer */

    unsigned             active:1;      /* between take and drop */
} ngx_duplex_schedule_t;


static void ngx_duplex_schedule_timer_handler(ngx_event_t *ev);
static void ngx_duplex_schedule_run(ngx_uint_t beat);
static void ngx_duplex_schedule_arm(uint64_t now);
static void ngx_duplex_schedule_resume(ngx_duplex_probe_t *probe,
    uint64_t now);
static void ngx_duplex_schedule_requeue(ngx_duplex_probe_t *probe,
    uint64_t now);
static void ngx_duplex_schedule_insert(ngx_duplex_probe_t *probe);
static ngx_msec_t ngx_duplex_schedule_patience(ngx_duplex_probe_t *probe);
static void ngx_duplex_schedule_probe(ngx_duplex_probe_t *probe,
    uint64_t now);
static void ngx_duplex_schedule_judge(ngx_duplex_probe_t *probe,
    ngx_duplex_probe_result_t *result, uint64_t now);
static void ngx_duplex_schedule_log_fault(ngx_duplex_probe_t *probe,
    ngx_duplex_probe_result_t *result);
static void ngx_duplex_schedule_log_change(ngx_duplex_probe_t *probe,
    ngx_duplex_verdict_e was, ngx_duplex_probe_result_t *result,
    uint64_t now);


static ngx_duplex_schedule_t  ngx_duplex_schedule;


void
ngx_duplex_schedule_start(ngx_cycle_t *cycle)
{
    ngx_uint_t              n;
    ngx_duplex_schedule_t  *s;

    s = &ngx_duplex_schedule;

    ngx_memzero(s, sizeof(ngx_duplex_schedule_t));

    ngx_queue_init(&s->probes);
    ngx_rbtree_init(&s->waiting, &s->sentinel, ngx_rbtree_insert_value);

    /* a probe takes two connections; clients need the rest */

    n = ngx_min(NGX_DUPLEX_SCHEDULE_IN_FLIGHT, cycle->connection_n / 8);

    s->in_flight_max = ngx_max(n, 1);

    s->dumb.fd = (ngx_socket_t) -1;

    s->timer.handler = ngx_duplex_schedule_timer_handler;
    s->timer.data = &s->dumb;
    s->timer.log = cycle->log;
    s->timer.cancelable = 1;
}


void
ngx_duplex_schedule_add(ngx_duplex_check_t *check, ngx_duplex_peer_t *peer)
{
    uint64_t                now;
    ngx_duplex_probe_t     *probe;
    ngx_duplex_schedule_t  *s;

    s = &ngx_duplex_schedule;

    /* without memory it is not probed, which the log tells */

    probe = ngx_calloc(sizeof(ngx_duplex_probe_t), ngx_cycle->log);
    if (probe == NULL) {
        return;
    }

    probe->check = check;
    probe->peer = peer;

    ngx_queue_insert_tail(&s->probes, &probe->queue);

    if (s->active) {
        s->fresh = 0;
        now = ngx_duplex_clock_monotonic();

        ngx_duplex_schedule_resume(probe, now);
        ngx_duplex_schedule_arm(now);
    }
}


void
ngx_duplex_schedule_remove(ngx_duplex_peer_t *peer)
{
    ngx_queue_t            *q, *next;
    ngx_duplex_probe_t     *probe;
    ngx_duplex_schedule_t  *s;

    s = &ngx_duplex_schedule;

    for (q = ngx_queue_head(&s->probes);
         q != ngx_queue_sentinel(&s->probes);
         q = next)
    {
        next = ngx_queue_next(q);
        probe = ngx_queue_data(q, ngx_duplex_probe_t, queue);

        if (probe->peer != peer) {
            continue;
        }

        if (probe->running) {
            probe->check->prober->abort(probe);
            s->in_flight--;

        } else if (s->active) {
            ngx_rbtree_delete(&s->waiting, &probe->node);
        }

        ngx_queue_remove(q);
        ngx_free(probe);
    }

    ngx_duplex_schedule_arm(ngx_duplex_clock_monotonic());
}


void
ngx_duplex_schedule_take(void)
{
    uint64_t                now;
    ngx_queue_t            *q;
    ngx_duplex_schedule_t  *s;

    s = &ngx_duplex_schedule;

    if (s->active) {
        return;
    }

    s->active = 1;
    s->fresh = 0;

    ngx_rbtree_init(&s->waiting, &s->sentinel, ngx_rbtree_insert_value);

    now = ngx_duplex_clock_monotonic();

    for (q = ngx_queue_head(&s->probes);
         q != ngx_queue_sentinel(&s->probes);
         q = ngx_queue_next(q))
    {
        ngx_duplex_schedule_resume(
                            ngx_queue_data(q, ngx_duplex_probe_t, queue), now);
    }

    ngx_duplex_schedule_arm(now);
}


void
ngx_duplex_schedule_beat(void)
{
    if (ngx_duplex_schedule.active) {
        ngx_duplex_schedule_run(1);
    }
}


void
ngx_duplex_schedule_drop(void)
{
    ngx_queue_t            *q;
    ngx_duplex_probe_t     *probe;
    ngx_duplex_schedule_t  *s;

    s = &ngx_duplex_schedule;

    if (!s->active) {
        return;
    }

    s->active = 0;

    if (s->timer.timer_set) {
        ngx_del_timer(&s->timer);
    }

    for (q = ngx_queue_head(&s->probes);
         q != ngx_queue_sentinel(&s->probes);
         q = ngx_queue_next(q))
    {
        probe = ngx_queue_data(q, ngx_duplex_probe_t, queue);

        if (probe->running) {
            probe->check->prober->abort(probe);
            probe->running = 0;
            probe->run = NULL;
        }
    }

    s->in_flight = 0;
}


void
ngx_duplex_probe_done(ngx_duplex_probe_t *probe,
    ngx_duplex_probe_result_t *result)
{
    uint64_t                now;
    ngx_duplex_schedule_t  *s;

    s = &ngx_duplex_schedule;

    probe->running = 0;
    probe->run = NULL;
    s->in_flight--;

    /*
     * A worker that was stopped for a while may have lost the lease without
     * knowing it: then the verdict is no longer its to give.
     */

    if (!ngx_duplex_lease_held() || probe->epoch != ngx_duplex_lease_epoch()) {
        return;
    }

    now = ngx_duplex_clock_monotonic();

    if (result->end == ngx_duplex_probe_fault) {
        ngx_duplex_schedule_log_fault(probe, result);

    } else {
        ngx_duplex_schedule_judge(probe, result, now);
    }

    ngx_duplex_schedule_requeue(probe, now);
    ngx_duplex_schedule_arm(now);
}


static void
ngx_duplex_schedule_timer_handler(ngx_event_t *ev)
{
    ngx_duplex_schedule_run(0);
}


static void
ngx_duplex_schedule_run(ngx_uint_t beat)
{
    uint64_t                now;
    ngx_rbtree_node_t      *node;
    ngx_duplex_probe_t     *probe;
    ngx_duplex_schedule_t  *s;

    s = &ngx_duplex_schedule;

    /* drop() follows within a tick of the lease */

    if (!ngx_duplex_lease_held()) {
        return;
    }

    now = ngx_duplex_clock_monotonic();

    while (s->in_flight < s->in_flight_max
           && s->waiting.root != &s->sentinel)
    {
        node = ngx_rbtree_min(s->waiting.root, &s->sentinel);
        probe = ngx_rbtree_data(node, ngx_duplex_probe_t, node);

        if (node->key - (beat ? ngx_duplex_schedule_patience(probe) : 0)
            > now)
        {
            break;
        }

        ngx_rbtree_delete(&s->waiting, node);

        ngx_duplex_schedule_probe(probe, now);
    }

    ngx_duplex_schedule_arm(now);
}


/* at the limit nothing is armed: the end of a probe does it again */

static void
ngx_duplex_schedule_arm(uint64_t now)
{
    ngx_msec_t              delay;
    ngx_rbtree_node_t      *node;
    ngx_duplex_schedule_t  *s;

    s = &ngx_duplex_schedule;

    if (!s->active
        || s->in_flight >= s->in_flight_max
        || s->waiting.root == &s->sentinel)
    {
        return;
    }

    node = ngx_rbtree_min(s->waiting.root, &s->sentinel);

    delay = (node->key > now) ? (ngx_msec_t) (node->key - now) : 0;

    /* ngx_add_timer() does not bring a timer forward by less than 300 ms */

    if (s->timer.timer_set) {
        ngx_del_timer(&s->timer);
    }

    ngx_add_timer(&s->timer, ngx_max(delay, NGX_DUPLEX_SCHEDULE_TICK));
}


/* servers that were never probed begin one bunch a tick */

static void
ngx_duplex_schedule_resume(ngx_duplex_probe_t *probe, uint64_t now)
{
    ngx_msec_t  interval;

    interval = probe->check->policy.interval;

    ngx_duplex_health_probed(probe->peer, &probe->probed);

    probe->verdict.state = ngx_duplex_health_own(probe->peer);
    probe->verdict.failed = probe->probed.failed;
    probe->verdict.passed = probe->probed.passed;

    if (probe->probed.started == 0 || probe->probed.started > now) {
        probe->due = now + ngx_duplex_schedule.fresh++
                           / NGX_DUPLEX_SCHEDULE_BUNCH
                           * NGX_DUPLEX_SCHEDULE_TICK % interval;

    } else {
        probe->due = ngx_max(probe->probed.started + interval, now);
    }

    ngx_duplex_schedule_insert(probe);
}


/*
 * The next due time of an impatient check follows from the last one, so that
 * the rhythm does not drift; a late start must not bring two probes close
 * together, though.  A patient one falls into step with the beat.
 */

static void
ngx_duplex_schedule_requeue(ngx_duplex_probe_t *probe, uint64_t now)
{
    uint64_t    earliest;
    ngx_msec_t  interval;

    interval = probe->check->policy.interval;

    if (ngx_duplex_schedule_patience(probe)) {
        probe->due = probe->probed.started + interval;

    } else {
        earliest = probe->probed.started + interval - interval / 10;
        probe->due = ngx_max(probe->due + interval, earliest);
    }

    probe->due = ngx_max(probe->due, now);

    ngx_duplex_schedule_insert(probe);
}


static void
ngx_duplex_schedule_insert(ngx_duplex_probe_t *probe)
{
    ngx_msec_t  jitter;

    jitter = probe->check->policy.jitter;

    probe->node.key = (ngx_rbtree_key_t) probe->due
                      + ngx_duplex_schedule_patience(probe);

    if (jitter) {
        probe->node.key += (ngx_uint_t) ngx_random() % (jitter + 1);
    }

    ngx_rbtree_insert(&ngx_duplex_schedule.waiting, &probe->node);
}


static ngx_msec_t
ngx_duplex_schedule_patience(ngx_duplex_probe_t *probe)
{
    ngx_msec_t  interval;

    interval = probe->check->policy.interval;

    return interval < NGX_DUPLEX_SCHEDULE_PATIENT ? 0 : interval / 10;
}


static void
ngx_duplex_schedule_probe(ngx_duplex_probe_t *probe, uint64_t now)
{
    probe->running = 1;
    ngx_duplex_schedule.in_flight++;

    probe->epoch = ngx_duplex_lease_epoch();

    /* first the record, then the packet: the next holder must not hurry */

    probe->probed.started = now;
    ngx_duplex_health_save_probed(probe->peer, &probe->probed);

    probe->check->prober->start(probe);
}


static void
ngx_duplex_schedule_judge(ngx_duplex_probe_t *probe,
    ngx_duplex_probe_result_t *result, uint64_t now)
{
    ngx_uint_t                   pass, changed;
    ngx_duplex_verdict_e         was;
    ngx_duplex_check_policy_t   *policy;
    ngx_duplex_probed_record_t  *probed;

    probed = &probe->probed;
    policy = &probe->check->policy;

    probe->faulty = 0;

    was = probe->verdict.state;
    pass = (result->end == ngx_duplex_probe_passed);

    changed = ngx_duplex_verdict_turn(&probe->verdict, pass, policy->fails,
                                      policy->passes);

    probed->failed = probe->verdict.failed;
    probed->passed = probe->verdict.passed;
    probed->last_passed = pass;
    probed->checks++;
    probed->fails += !pass;
    probed->unhealthy += (changed && !pass);

    ngx_duplex_health_save_probed(probe->peer, probed);

    if (!changed) {
        return;
    }

    if (ngx_duplex_health_save_verdict(probe->peer, probe->verdict.state,
                                       result->reason, result->status)
        != NGX_OK)
    {
        /* not in force, which the store has logged: the next probe tries */

        probe->verdict.state = was;
        probed->unhealthy -= !pass;
        return;
    }

    ngx_duplex_schedule_log_change(probe, was, result, now);
}


/* once, until a probe of this server has got through again */

static void
ngx_duplex_schedule_log_fault(ngx_duplex_probe_t *probe,
    ngx_duplex_probe_result_t *result)
{
    if (probe->faulty) {
        return;
    }

    probe->faulty = 1;

    ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                  "peer \"%V\" in upstream \"%V\" could not be probed, "
                  "its verdict stays: %V",
                  &probe->peer->name, &probe->check->group->name,
                  &result->text);
}


static void
ngx_duplex_schedule_log_change(ngx_duplex_probe_t *probe,
    ngx_duplex_verdict_e was, ngx_duplex_probe_result_t *result, uint64_t now)
{
    u_char                     *p, *last, story[512];
    ngx_uint_t                  level;
    ngx_duplex_check_policy_t  *policy;

    policy = &probe->check->policy;

    p = story;
    last = story + sizeof(story);

    switch (result->reason) {

    case ngx_duplex_reason_none:
        if (result->status) {
            p = ngx_slprintf(p, last, "%ui", result->status);

        } else {
            p = ngx_slprintf(p, last, "passed");
        }

        p = ngx_slprintf(p, last, " (%uD of %ui)", probe->verdict.passed,
                         policy->passes);
        break;

    case ngx_duplex_reason_timeout:
        p = ngx_slprintf(p, last, "%s after %uLms%s%V (%uD of %ui)",
                         ngx_duplex_reason_word(result->reason),
                         now - probe->probed.started,
                         result->text.len ? ": " : "", &result->text,
                         probe->verdict.failed, policy->fails);
        break;

    case ngx_duplex_reason_status:
        p = ngx_slprintf(p, last, "%s %ui (%uD of %ui)",
                         ngx_duplex_reason_word(result->reason),
                         result->status, probe->verdict.failed,
                         policy->fails);
        break;

    default:
        p = ngx_slprintf(p, last, "%s: %V (%uD of %ui)",
                         ngx_duplex_reason_word(result->reason),
                         &result->text, probe->verdict.failed,
                         policy->fails);
    }

    /* a server that had traffic all the time has not changed */

    level = (was == ngx_duplex_verdict_checking
             && probe->verdict.state == ngx_duplex_verdict_up
             && !policy->mandatory) ? NGX_LOG_INFO : NGX_LOG_NOTICE;

    ngx_log_error(level, ngx_cycle->log, 0,
                  "peer \"%V\" in upstream \"%V\" is now %s: %*s",
                  &probe->peer->name, &probe->check->group->name,
                  ngx_duplex_verdict_word(probe->verdict.state),
                  (size_t) (p - story), story);
}
