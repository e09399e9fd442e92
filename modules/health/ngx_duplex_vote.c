
/*
 * Votes: what the verdicts of all nodes come to, by the policy of the group.
 *
 * Computed from records and voices whenever it is asked for.  The holder of
 * the lease sees to it that a node that falls silent is noticed, and logs
 * what the nodes do not agree on.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "../core/ngx_duplex_clock.h"
#include "../core/ngx_duplex_event.h"
#include "../core/ngx_duplex_identity.h"
#include "../core/ngx_duplex_lease.h"
#include "../core/ngx_duplex_readiness.h"
#include "ngx_duplex_electors.h"
#include "ngx_duplex_freeze.h"
#include "ngx_duplex_schedule.h"
#include "ngx_duplex_share.h"
#include "ngx_duplex_vote.h"


#define NGX_DUPLEX_VOTE_STORY  512


struct ngx_duplex_vote_s {
    ngx_duplex_electors_t     electors;
    ngx_duplex_vote_conf_t    conf;
    uint64_t                  sum;      /* of the ids of those who vote, when
                                           the group was projected last */
};


typedef struct {
    ngx_array_t               votes;    /* ngx_duplex_vote_t * */
    ngx_duplex_readiness_t   *readiness;    /* NULL: always ready */
} ngx_duplex_votes_t;


static ngx_int_t ngx_duplex_vote_recall(ngx_duplex_record_t *rec, void *data);
static void ngx_duplex_vote_project(ngx_duplex_record_t *rec);
static void ngx_duplex_vote_elect(ngx_duplex_vote_t *vote, uint64_t now);
static ngx_int_t ngx_duplex_vote_of(ngx_duplex_elector_t *node,
    ngx_duplex_peer_t *peer, ngx_duplex_verdict_record_t *verdict,
    uint64_t *since);
static ngx_duplex_verdict_e ngx_duplex_vote_count(ngx_duplex_vote_t *vote,
    ngx_duplex_peer_t *peer, ngx_duplex_ballot_t *ballot);
static ngx_duplex_verdict_e ngx_duplex_vote_last(ngx_duplex_vote_t *vote,
    ngx_duplex_peer_t *peer);
static u_char *ngx_duplex_vote_story(ngx_duplex_vote_t *vote,
    ngx_duplex_peer_t *peer, u_char *p, u_char *last);
static ngx_duplex_vote_t *ngx_duplex_vote_find(ngx_duplex_group_t *group);


static ngx_duplex_kind_t  ngx_duplex_vote_kind = {
    NGX_DUPLEX_ELECTORS_VOICE,
    ngx_string("voice"),
    0,
    ngx_duplex_vote_project
};


/* being parsed, and of the present cycle */
static ngx_duplex_votes_t  *ngx_duplex_votes_parsed;
static ngx_duplex_votes_t  *ngx_duplex_votes_present;


ngx_int_t
ngx_duplex_vote_register(ngx_conf_t *cf)
{
    ngx_duplex_votes_t  *votes;

    votes = ngx_pcalloc(cf->pool, sizeof(ngx_duplex_votes_t));
    if (votes == NULL) {
        return NGX_ERROR;
    }

    if (ngx_array_init(&votes->votes, cf->pool, 4,
                       sizeof(ngx_duplex_vote_t *))
            != NGX_OK
        || ngx_duplex_register_kind(cf, &ngx_duplex_vote_kind)
            != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_duplex_votes_parsed = votes;

    return NGX_OK;
}


ngx_int_t
ngx_duplex_vote_add(ngx_conf_t *cf, ngx_duplex_group_t *group,
    ngx_duplex_vote_conf_t *conf, u_char *file, ngx_uint_t line)
{
    ngx_duplex_vote_t   *vote, **slot;
    ngx_duplex_votes_t  *votes;

    votes = ngx_duplex_votes_parsed;

    if (conf->policy == NGX_CONF_UNSET_UINT) {
        conf->policy = ngx_duplex_policy_own;
    }

    if (conf->plan == NGX_CONF_UNSET_UINT) {
        conf->plan = ngx_duplex_plan_all;
    }

    if (conf->policy == ngx_duplex_policy_own) {

        if (conf->plan == ngx_duplex_plan_all) {
            return NGX_OK;
        }

        /* no node would know of the servers that another one probes */

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"duplex_health_plan split\" requires "
                           "\"duplex_health_policy\" \"any\" or \"all\" "
                           "in %s \"%V\", in %s:%ui",
                           group->driver->title, &group->name, file, line);
        return NGX_ERROR;
    }

    if (!ngx_duplex_check_bound(group)) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "\"duplex_health_policy\" has no effect, there is "
                           "no \"health_check\" of %s \"%V\", in %s:%ui",
                           group->driver->title, &group->name, file, line);
        return NGX_OK;
    }

    vote = ngx_pcalloc(cf->pool, sizeof(ngx_duplex_vote_t));
    slot = ngx_array_push(&votes->votes);

    if (vote == NULL || slot == NULL) {
        return NGX_ERROR;
    }

    vote->electors.group = group;
    vote->conf = *conf;

    *slot = vote;

    votes->readiness = ngx_duplex_find_service(cf, NGX_DUPLEX_READINESS);

    return NGX_OK;
}


void
ngx_duplex_vote_commit(void)
{
    ngx_uint_t            i;
    ngx_duplex_vote_t   **votes;
    ngx_duplex_check_t   *first, *check;

    ngx_duplex_votes_present = ngx_duplex_votes_parsed;

    votes = ngx_duplex_votes_present->votes.elts;

    for (i = 0; i < ngx_duplex_votes_present->votes.nelts; i++) {

        first = ngx_duplex_check_first(votes[i]->electors.group);

        /* nothing is checked, there is nothing to vote on */

        if (first == NULL) {
            continue;
        }

        first->vote = votes[i];

        votes[i]->electors.interval = first->policy.interval;

        for (check = first->next; check; check = check->next) {
            votes[i]->electors.interval = ngx_min(votes[i]->electors.interval,
                                         check->policy.interval);
        }
    }

    if (i) {
        (void) ngx_duplex_store_walk(ngx_duplex_store_table(),
                                     NGX_DUPLEX_ELECTORS_VOICE, NULL,
                                     ngx_duplex_vote_recall, NULL);
    }
}


/* a reload makes nobody silent; peers are projected by who commits */

static ngx_int_t
ngx_duplex_vote_recall(ngx_duplex_record_t *rec, void *data)
{
    ngx_duplex_vote_t   *vote;
    ngx_duplex_group_t  *group;

    group = ngx_duplex_group_by_zone(&rec->zone);
    vote = group ? ngx_duplex_vote_find(group) : NULL;

    if (vote) {
        ngx_duplex_electors_hear(&vote->electors, &rec->key);
    }

    return NGX_OK;
}


static void
ngx_duplex_vote_project(ngx_duplex_record_t *rec)
{
    ngx_duplex_vote_t   *vote;
    ngx_duplex_group_t  *group;

    group = ngx_duplex_group_by_zone(&rec->zone);
    vote = group ? ngx_duplex_vote_find(group) : NULL;

    if (vote) {
        ngx_duplex_electors_hear(&vote->electors, &rec->key);
        ngx_duplex_vote_elect(vote, ngx_duplex_clock_monotonic());
    }
}


void
ngx_duplex_vote_beat(void)
{
    uint64_t             now;
    ngx_uint_t           i, opinion, sighted;
    ngx_duplex_vote_t   *vote, **votes;
    ngx_duplex_votes_t  *present;

    present = ngx_duplex_votes_present;
    votes = present->votes.elts;

    if (present->votes.nelts == 0) {
        return;
    }

    now = ngx_duplex_clock_monotonic();

    opinion = present->readiness ? present->readiness->ready() : 1;
    sighted = ngx_duplex_share_is_sighted();

    for (i = 0; i < present->votes.nelts; i++) {
        vote = votes[i];

        /* nothing is checked */

        if (vote->electors.interval == 0) {
            continue;
        }

        ngx_duplex_electors_speak(&vote->electors, opinion, sighted, now);
        ngx_duplex_vote_elect(vote, now);
    }
}


/* looks who may vote, and projects the group if that has changed */

static void
ngx_duplex_vote_elect(ngx_duplex_vote_t *vote, uint64_t now)
{
    uint64_t               sum;
    ngx_duplex_peer_t     *peer;
    ngx_duplex_elector_t  *node;

    sum = 0;
    node = NULL;

    while ((node = ngx_duplex_elector_next(&vote->electors, node, now))) {
        sum += node->id;
    }

    if (sum == vote->sum) {
        return;
    }

    vote->sum = sum;

    for (peer = ngx_duplex_peer_first(vote->electors.group);
         peer;
         peer = ngx_duplex_peer_next(peer))
    {
        ngx_duplex_peer_project(peer);
        ngx_duplex_vote_changed(peer);
    }
}


ngx_duplex_verdict_e
ngx_duplex_vote_result(ngx_duplex_peer_t *peer)
{
    ngx_duplex_vote_t     *vote;
    ngx_duplex_ballot_t    ballot;
    ngx_duplex_verdict_e   state;

    if (ngx_duplex_freeze_verdict(peer, &state) == NGX_OK) {
        return state;
    }

    vote = ngx_duplex_vote_find(peer->group);

    if (vote == NULL) {
        return ngx_duplex_health_own(peer);
    }

    state = ngx_duplex_vote_count(vote, peer, &ballot);

    if (state == ngx_duplex_verdict_checking
        && vote->conf.plan == ngx_duplex_plan_split)
    {
        /* its prober is gone, and the next one has not come to it yet */

        return ngx_duplex_vote_last(vote, peer);
    }

    return state;
}


/* this node's own verdict always counts */

static ngx_duplex_verdict_e
ngx_duplex_vote_count(ngx_duplex_vote_t *vote, ngx_duplex_peer_t *peer,
    ngx_duplex_ballot_t *ballot)
{
    uint64_t                      now, since;
    ngx_duplex_verdict_e          own;
    ngx_duplex_elector_t         *node;
    ngx_duplex_verdict_record_t   verdict;

    now = ngx_duplex_clock_monotonic();
    own = ngx_duplex_health_own(peer);

    ballot->up = (own == ngx_duplex_verdict_up);
    ballot->unhealthy = (own == ngx_duplex_verdict_unhealthy);

    node = NULL;

    while ((node = ngx_duplex_elector_next(&vote->electors, node, now))) {

        if (ngx_duplex_vote_of(node, peer, &verdict, &since) == NGX_OK) {
            ballot->up += (verdict.state == ngx_duplex_verdict_up);
            ballot->unhealthy += (verdict.state
                                  == ngx_duplex_verdict_unhealthy);
        }
    }

    return ngx_duplex_policy_count(vote->conf.policy, ballot);
}


/* a verdict of a former life of the node is none */

static ngx_int_t
ngx_duplex_vote_of(ngx_duplex_elector_t *node, ngx_duplex_peer_t *peer,
    ngx_duplex_verdict_record_t *verdict, uint64_t *since)
{
    if (ngx_duplex_health_verdict(peer, &node->name, verdict, since) != NGX_OK
        || verdict->incarnation != node->voice.incarnation)
    {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


/* the latest of all that ever voted */

static ngx_duplex_verdict_e
ngx_duplex_vote_last(ngx_duplex_vote_t *vote, ngx_duplex_peer_t *peer)
{
    uint64_t                      since, latest;
    ngx_uint_t                    i;
    ngx_duplex_verdict_e          state;
    ngx_duplex_elector_t         *node;
    ngx_duplex_verdict_record_t   verdict;

    latest = 0;
    state = ngx_duplex_verdict_checking;

    for (i = 0; i < NGX_DUPLEX_ELECTORS_MAX; i++) {
        node = &vote->electors.nodes[i];

        if (node->id
            && ngx_duplex_vote_of(node, peer, &verdict, &since) == NGX_OK
            && since > latest)
        {
            latest = since;
            state = verdict.state;
        }
    }

    return state;
}


ngx_uint_t
ngx_duplex_vote_counts(ngx_duplex_group_t *group, ngx_str_t *node)
{
    uint64_t               id, now;
    ngx_duplex_vote_t     *vote;
    ngx_duplex_elector_t  *elector;

    id = ngx_duplex_node_id(node);

    if (id == ngx_duplex_identity()->id) {
        return 1;
    }

    vote = ngx_duplex_vote_find(group);

    if (vote == NULL) {
        return 0;
    }

    now = ngx_duplex_clock_monotonic();
    elector = NULL;

    while ((elector = ngx_duplex_elector_next(&vote->electors, elector, now)))
    {
        if (elector->id == id) {
            return 1;
        }
    }

    return 0;
}


ngx_uint_t
ngx_duplex_vote_disputed(ngx_duplex_peer_t *peer)
{
    ngx_duplex_vote_t    *vote;
    ngx_duplex_ballot_t   ballot;

    vote = ngx_duplex_vote_find(peer->group);

    if (vote == NULL) {
        return 0;
    }

    (void) ngx_duplex_vote_count(vote, peer, &ballot);

    return ballot.up && ballot.unhealthy;
}


/* the holder of the lease tells, once until it changes again */

void
ngx_duplex_vote_changed(ngx_duplex_peer_t *peer)
{
    u_char               story[NGX_DUPLEX_VOTE_STORY], *last;
    ngx_uint_t           disputed;
    ngx_duplex_vote_t   *vote;
    ngx_duplex_probe_t  *probe;

    vote = ngx_duplex_vote_find(peer->group);

    if (vote == NULL || !ngx_duplex_lease_held()) {
        return;
    }

    probe = ngx_duplex_schedule_find(peer);
    disputed = ngx_duplex_vote_disputed(peer);

    if (probe == NULL || probe->disputed == disputed) {
        return;
    }

    probe->disputed = disputed;

    last = ngx_duplex_vote_story(vote, peer, story, story + sizeof(story));

    ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                  "nodes %s on peer \"%V\" in %s \"%V\": %*s",
                  disputed ? "disagree" : "no longer disagree", &peer->name,
                  peer->group->driver->title, &peer->group->name,
                  (size_t) (last - story), story);

    ngx_duplex_event("dispute", &peer->group->zone, "%V: %*s", &peer->name,
                     (size_t) (last - story), story);
}


/* a up, b unhealthy (timeout); by policy "any" it is unhealthy */

static u_char *
ngx_duplex_vote_story(ngx_duplex_vote_t *vote, ngx_duplex_peer_t *peer,
    u_char *p, u_char *last)
{
    uint64_t                      now, since;
    ngx_duplex_elector_t         *node;
    ngx_duplex_verdict_record_t   verdict;

    now = ngx_duplex_clock_monotonic();

    p = ngx_slprintf(p, last, "%V %s", &ngx_duplex_identity()->name,
                     ngx_duplex_verdict_word(ngx_duplex_health_own(peer)));

    node = NULL;

    while ((node = ngx_duplex_elector_next(&vote->electors, node, now))) {

        if (ngx_duplex_vote_of(node, peer, &verdict, &since) == NGX_OK) {
            p = ngx_slprintf(p, last, ", %V %s", &node->name,
                             ngx_duplex_verdict_word(verdict.state));
        }
    }

    return ngx_slprintf(p, last, "; by policy \"%V\" it is %s",
                     &ngx_duplex_policy_words[vote->conf.policy].name,
                     ngx_duplex_verdict_word(ngx_duplex_vote_result(peer)));
}


ngx_int_t
ngx_duplex_vote_prober(ngx_duplex_peer_t *peer, ngx_str_t *name)
{
    uint64_t               now, claim, highest;
    ngx_int_t              rc;
    ngx_duplex_vote_t     *vote;
    ngx_duplex_elector_t  *node;

    if (!ngx_duplex_vote_is_split(peer->group)) {
        return NGX_OK;
    }

    vote = ngx_duplex_vote_find(peer->group);
    now = ngx_duplex_clock_monotonic();

    rc = NGX_OK;
    highest = ngx_duplex_policy_claim(ngx_duplex_identity()->id, peer->hash);

    node = NULL;

    while ((node = ngx_duplex_elector_next(&vote->electors, node, now))) {

        claim = ngx_duplex_policy_claim(node->id, peer->hash);

        if (claim > highest) {
            highest = claim;
            *name = node->name;
            rc = NGX_DECLINED;
        }
    }

    return rc;
}


ngx_uint_t
ngx_duplex_vote_is_split(ngx_duplex_group_t *group)
{
    ngx_duplex_vote_t  *vote;

    vote = ngx_duplex_vote_find(group);

    return vote && vote->conf.plan == ngx_duplex_plan_split;
}


ngx_str_t *
ngx_duplex_vote_policy(ngx_duplex_group_t *group)
{
    ngx_duplex_vote_t  *vote;

    vote = ngx_duplex_vote_find(group);

    return &ngx_duplex_policy_words[vote ? vote->conf.policy
                                         : ngx_duplex_policy_own].name;
}


/* NULL: the group has no policy, or no check */

static ngx_duplex_vote_t *
ngx_duplex_vote_find(ngx_duplex_group_t *group)
{
    ngx_duplex_check_t  *check;

    check = ngx_duplex_check_first(group);

    return check ? check->vote : NULL;
}
