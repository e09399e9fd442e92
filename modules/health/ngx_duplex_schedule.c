
/*
 * The schedule of probes.
 *
 * Every worker has a probe for each server and check.  The one that holds
 * the lease has a tree of those that wait, by due time, and one timer for the
 * first of them.  There each is either in the tree or under way, so never two
 * of them at once.
 * What must outlive the worker goes to records (ngx_duplex_health_store.c):
 * the start of a probe before it is sent, its result as it comes in
 * (ngx_duplex_judge.c).
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "../core/ngx_duplex_clock.h"
#include "../core/ngx_duplex_lease.h"
#include "ngx_duplex_judge.h"
#include "ngx_duplex_schedule.h"
#include "ngx_duplex_share.h"
#include "ngx_duplex_vote.h"


/* probes are started in bunches: one wake-up for all that came due */
#define NGX_DUPLEX_SCHEDULE_TICK       10       /* ms */
#define NGX_DUPLEX_SCHEDULE_BUNCH      16       /* servers */

/*
 * A probe may wait a tenth of such an interval for the beat of the lease,
 * which wakes the process anyway; the timer is for those that cannot.
 */
#define NGX_DUPLEX_SCHEDULE_PATIENT    (4 * NGX_DUPLEX_LEASE_TICK)

#define NGX_DUPLEX_SCHEDULE_IN_FLIGHT  256

/* at most, after an alarm: else a tenth of the interval */
#define NGX_DUPLEX_SCHEDULE_RESPITE    1000     /* ms */


typedef struct {
    ngx_rbtree_t         probes;        /* by peer */
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
static ngx_msec_t ngx_duplex_schedule_respite(ngx_duplex_probe_t *probe);
static void ngx_duplex_schedule_forget(ngx_duplex_probe_t *probe);


static ngx_duplex_schedule_t  ngx_duplex_schedule;


void
ngx_duplex_schedule_start(ngx_cycle_t *cycle)
{
    ngx_uint_t              n;
    ngx_duplex_schedule_t  *s;

    s = &ngx_duplex_schedule;

    ngx_memzero(s, sizeof(ngx_duplex_schedule_t));

    ngx_rbtree_init(&s->probes, &s->sentinel, ngx_rbtree_insert_value);
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

    probe->by_peer.key = (ngx_rbtree_key_t) peer;

    ngx_rbtree_insert(&s->probes, &probe->by_peer);

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
    ngx_duplex_probe_t     *probe;
    ngx_duplex_schedule_t  *s;

    s = &ngx_duplex_schedule;

    while ((probe = ngx_duplex_schedule_find(peer)) != NULL) {

        if (probe->running) {
            probe->check->prober->abort(probe);
            s->in_flight--;

        } else if (s->active) {
            ngx_rbtree_delete(&s->waiting, &probe->node);
        }

        ngx_duplex_schedule_forget(probe);

        ngx_rbtree_delete(&s->probes, &probe->by_peer);
        ngx_free(probe);
    }

    ngx_duplex_schedule_arm(ngx_duplex_clock_monotonic());
}


void
ngx_duplex_schedule_hurry(ngx_duplex_peer_t *peer)
{
    uint64_t                now;
    ngx_duplex_probe_t     *probe;
    ngx_duplex_schedule_t  *s;

    s = &ngx_duplex_schedule;

    if (!s->active) {
        return;
    }

    now = ngx_duplex_clock_monotonic();
    probe = ngx_duplex_schedule_find(peer);

    while (probe && probe->peer == peer) {

        if (!probe->running) {
            ngx_rbtree_delete(&s->waiting, &probe->node);

            probe->due = ngx_max(probe->started
                                 + ngx_duplex_schedule_respite(probe), now);
            probe->node.key = (ngx_rbtree_key_t) probe->due;

            ngx_rbtree_insert(&s->waiting, &probe->node);
        }

        probe = ngx_duplex_schedule_next(probe);
    }

    ngx_duplex_schedule_run(0);
}


ngx_duplex_probe_t *
ngx_duplex_schedule_next(ngx_duplex_probe_t *probe)
{
    ngx_rbtree_t       *probes;
    ngx_rbtree_node_t  *node;

    probes = &ngx_duplex_schedule.probes;

    if (probe) {
        node = ngx_rbtree_next(probes, &probe->by_peer);

    } else if (probes->root != probes->sentinel) {
        node = ngx_rbtree_min(probes->root, probes->sentinel);

    } else {
        node = NULL;
    }

    return node ? ngx_rbtree_data(node, ngx_duplex_probe_t, by_peer) : NULL;
}


ngx_duplex_probe_t *
ngx_duplex_schedule_find(ngx_duplex_peer_t *peer)
{
    ngx_rbtree_key_t    key;
    ngx_rbtree_node_t  *node, *found, *sentinel;

    key = (ngx_rbtree_key_t) peer;
    node = ngx_duplex_schedule.probes.root;
    sentinel = &ngx_duplex_schedule.sentinel;
    found = NULL;

    while (node != sentinel) {

        if (node->key < key) {
            node = node->right;
            continue;
        }

        if (node->key == key) {
            found = node;
        }

        node = node->left;
    }

    return found ? ngx_rbtree_data(found, ngx_duplex_probe_t, by_peer) : NULL;
}


/* what a prober kept for the next probe */

static void
ngx_duplex_schedule_forget(ngx_duplex_probe_t *probe)
{
    if (probe->kept) {
        probe->check->prober->forget(probe);
    }
}


void
ngx_duplex_schedule_take(void)
{
    uint64_t                now;
    ngx_duplex_probe_t     *probe;
    ngx_duplex_schedule_t  *s;

    s = &ngx_duplex_schedule;

    if (s->active) {
        return;
    }

    s->active = 1;
    s->fresh = 0;

    ngx_rbtree_init(&s->waiting, &s->sentinel, ngx_rbtree_insert_value);

    now = ngx_duplex_clock_monotonic();

    probe = NULL;

    while ((probe = ngx_duplex_schedule_next(probe))) {
        ngx_duplex_schedule_resume(probe, now);
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

    probe = NULL;

    while ((probe = ngx_duplex_schedule_next(probe))) {

        if (probe->running) {
            probe->check->prober->abort(probe);
            probe->running = 0;
            probe->run = NULL;
        }

        ngx_duplex_schedule_forget(probe);
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

    ngx_duplex_judge(probe, result, now);

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

        if (!ngx_duplex_share_is_ours(probe)) {
            probe->started = now;
            ngx_duplex_schedule_requeue(probe, now);
            continue;
        }

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
    ngx_msec_t           interval;
    ngx_duplex_probed_t  probed;

    interval = probe->check->policy.interval;

    ngx_duplex_health_probed(probe->peer, probe->check, &probed);

    probe->started = probed.started;
    probe->verdict.state = probed.state;
    probe->verdict.failed = probed.failed;
    probe->verdict.passed = probed.passed;

    /* it may have been another node's in the meantime */

    probe->away = (ngx_duplex_vote_is_split(probe->peer->group)
                   && ngx_duplex_health_own(probe->peer)
                      == ngx_duplex_verdict_checking);

    if (probe->started == 0 || probe->started > now) {
        probe->due = now + ngx_duplex_schedule.fresh++
                           / NGX_DUPLEX_SCHEDULE_BUNCH
                           * NGX_DUPLEX_SCHEDULE_TICK % interval;

    } else {
        probe->due = ngx_max(probe->started + interval, now);
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
        probe->due = probe->started + interval;

    } else {
        earliest = probe->started + interval - interval / 10;
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
    ngx_duplex_probed_t  probed;

    probe->running = 1;
    ngx_duplex_schedule.in_flight++;

    probe->epoch = ngx_duplex_lease_epoch();
    probe->started = now;

    /* first the record, then the packet: the next holder must not hurry */

    ngx_duplex_health_probed(probe->peer, probe->check, &probed);
    probed.started = now;
    ngx_duplex_health_save_probed(probe->peer, probe->check, &probed);

    probe->check->prober->start(probe);
}


/* between two probes, however many alarms there are */

static ngx_msec_t
ngx_duplex_schedule_respite(ngx_duplex_probe_t *probe)
{
    return ngx_min(probe->check->policy.interval / 10,
                   NGX_DUPLEX_SCHEDULE_RESPITE);
}
