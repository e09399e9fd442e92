
/*
 * Health checks: the checks of a cycle, and what they and the verdicts mean
 * for a peer.
 *
 * The checks live in the pool of their cycle and are read by every process.
 * The verdicts are records of the store: ngx_duplex_health_store.c.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_facts.h"
#include "../core/ngx_duplex_identity.h"
#include "../core/ngx_duplex_lease.h"
#include "../core/ngx_duplex_page.h"
#include "../core/ngx_duplex_registry.h"
#include "ngx_duplex_alarm.h"
#include "ngx_duplex_explain.h"
#include "ngx_duplex_freeze.h"
#include "ngx_duplex_health.h"
#include "ngx_duplex_schedule.h"
#include "ngx_duplex_vote.h"


#define NGX_DUPLEX_HEALTH           "health"

typedef struct {
    ngx_array_t           checks;       /* ngx_duplex_check_t *: each group's
                                           first; the others follow it */
} ngx_duplex_health_t;


static ngx_int_t ngx_duplex_health_bind(ngx_conf_t *cf);
static void ngx_duplex_health_commit(ngx_cycle_t *cycle);
static ngx_int_t ngx_duplex_health_start(ngx_cycle_t *cycle);
static void ngx_duplex_health_take(void);
static void ngx_duplex_health_beat(void);

static ngx_uint_t ngx_duplex_health_bits(ngx_duplex_peer_t *peer);
static const char *ngx_duplex_health_state(ngx_duplex_peer_t *peer);
static void ngx_duplex_health_fields(ngx_duplex_peer_t *peer,
    ngx_duplex_json_t *json);
static void ngx_duplex_health_added(ngx_duplex_peer_t *peer);
static void ngx_duplex_health_removed(ngx_duplex_peer_t *peer);
static void ngx_duplex_health_counters(ngx_duplex_peer_t *peer,
    ngx_duplex_json_t *json);
static ngx_duplex_check_t **ngx_duplex_health_slot(ngx_duplex_health_t *health,
    ngx_duplex_group_t *group);


static ngx_duplex_feature_t  ngx_duplex_health_feature = {
    ngx_string("health"),
    NGX_DUPLEX_LAYER_FEATURE,
    ngx_duplex_health_bind,                /* bind */
    ngx_duplex_health_commit,              /* commit */
    ngx_duplex_health_start,               /* start */
    ngx_duplex_health_take,                /* take */
    ngx_duplex_health_beat,                /* beat */
    NULL,                                  /* wake */
    ngx_duplex_schedule_drop,              /* drop */
    NULL                                   /* stop */
};


static ngx_duplex_contributor_t  ngx_duplex_health_contributor = {
    ngx_duplex_health_bits,
    ngx_duplex_health_state,
    ngx_duplex_health_fields,
    ngx_duplex_health_added,
    ngx_duplex_health_removed
};


/* being parsed, and of the present cycle */
static ngx_duplex_health_t  *ngx_duplex_health_parsed;
static ngx_duplex_health_t  *ngx_duplex_health_present;


ngx_int_t
ngx_duplex_health_register(ngx_conf_t *cf)
{
    ngx_duplex_health_t  *health;

    /* http and stream both come by */

    if (ngx_duplex_find_service(cf, NGX_DUPLEX_HEALTH)) {
        return NGX_OK;
    }

    health = ngx_pcalloc(cf->pool, sizeof(ngx_duplex_health_t));
    if (health == NULL) {
        return NGX_ERROR;
    }

    if (ngx_array_init(&health->checks, cf->pool, 4,
                       sizeof(ngx_duplex_check_t *))
            != NGX_OK
        || ngx_duplex_register_service(cf, NGX_DUPLEX_HEALTH, health)
            != NGX_OK
        || ngx_duplex_register_service(cf, NGX_DUPLEX_OUTLOOK,
                                       &ngx_duplex_health_outlook)
            != NGX_OK
        || ngx_duplex_register_feature(cf, &ngx_duplex_health_feature)
            != NGX_OK
        || ngx_duplex_register_kind(cf, &ngx_duplex_health_verdict_kind)
            != NGX_OK
        || ngx_duplex_register_kind(cf, &ngx_duplex_health_probed_kind)
            != NGX_OK
        || ngx_duplex_register_contributor(cf, &ngx_duplex_health_contributor)
            != NGX_OK
        || ngx_duplex_register_kind(cf, &ngx_duplex_alarm_kind) != NGX_OK
        || ngx_duplex_register_kind(cf, &ngx_duplex_freeze_kind) != NGX_OK
        || ngx_duplex_register_facts(cf, ngx_duplex_health_facts) != NGX_OK
        || ngx_duplex_register_page(cf, &ngx_duplex_explain_page) != NGX_OK
        || ngx_duplex_vote_register(cf) != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_duplex_health_parsed = health;

    return NGX_OK;
}


/*
 * The text may be the same in two locations with different settings; the
 * ordinal tells them apart as long as their order stays.
 */

ngx_int_t
ngx_duplex_check_add(ngx_conf_t *cf, ngx_duplex_group_t *group,
    ngx_duplex_check_policy_t *policy, ngx_duplex_prober_t *prober,
    void *conf, ngx_str_t *text)
{
    ngx_uint_t             equal;
    ngx_duplex_check_t    *check, **slot, **last;
    ngx_duplex_health_t   *health;

    health = ngx_duplex_find_service(cf, NGX_DUPLEX_HEALTH);

    check = ngx_pcalloc(cf->pool, sizeof(ngx_duplex_check_t));
    if (check == NULL) {
        return NGX_ERROR;
    }

    check->group = group;
    check->policy = *policy;
    check->prober = prober;
    check->conf = conf;
    check->text = *text;

    slot = ngx_duplex_health_slot(health, group);

    if (slot == NULL) {
        slot = ngx_array_push(&health->checks);
        if (slot == NULL) {
            return NGX_ERROR;
        }

        *slot = NULL;
    }

    equal = 0;

    for (last = slot; *last; last = &(*last)->next) {
        equal += ((*last)->text.len == text->len
                  && ngx_memcmp((*last)->text.data, text->data, text->len)
                     == 0);
    }

    check->id = ngx_crc32_long(text->data, text->len) + (uint32_t) equal;

    *last = check;

    return NGX_OK;
}


/* not when and how often, and what is made of it */

ngx_int_t
ngx_duplex_check_text(ngx_conf_t *cf, const char *none, ngx_str_t *text)
{
    size_t       len;
    u_char      *p;
    ngx_str_t   *value;
    ngx_uint_t   i, n;

    static const char  *what[] = {
        "udp", "uri=", "match=", "port=", "type=", "grpc_"
    };

    value = cf->args->elts;
    len = ngx_strlen(none);

    for (i = 1; i < cf->args->nelts; i++) {
        len += value[i].len + 1;
    }

    p = ngx_pnalloc(cf->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    text->data = p;

    for (i = 1; i < cf->args->nelts; i++) {

        for (n = 0; n < sizeof(what) / sizeof(char *); n++) {

            if (ngx_strncmp(value[i].data, what[n], ngx_strlen(what[n])) == 0)
            {

                if (p != text->data) {
                    *p++ = ' ';
                }

                p = ngx_cpymem(p, value[i].data, value[i].len);
            }
        }
    }

    if (p == text->data) {
        p = ngx_cpymem(p, none, ngx_strlen(none));
    }

    text->len = p - text->data;

    return NGX_OK;
}


/* where the group's first check stands; NULL: it has none */

static ngx_duplex_check_t **
ngx_duplex_health_slot(ngx_duplex_health_t *health, ngx_duplex_group_t *group)
{
    ngx_uint_t            i;
    ngx_duplex_check_t  **checks;

    checks = health->checks.elts;

    for (i = 0; i < health->checks.nelts; i++) {
        if (checks[i]->group == group) {
            return &checks[i];
        }
    }

    return NULL;
}


ngx_uint_t
ngx_duplex_check_bound(ngx_duplex_group_t *group)
{
    return ngx_duplex_health_slot(ngx_duplex_health_parsed, group) != NULL;
}


ngx_duplex_check_t *
ngx_duplex_check_first(ngx_duplex_group_t *group)
{
    ngx_duplex_check_t  **slot;

    if (ngx_duplex_health_present == NULL) {
        return NULL;
    }

    slot = ngx_duplex_health_slot(ngx_duplex_health_present, group);

    return slot ? *slot : NULL;
}


uint32_t
ngx_duplex_check_digest(ngx_duplex_group_t *group)
{
    uint32_t             digest;
    ngx_duplex_check_t  *check;

    digest = 0;

    for (check = ngx_duplex_check_first(group); check; check = check->next) {
        digest += check->id;
    }

    return digest;
}


static ngx_int_t
ngx_duplex_health_bind(ngx_conf_t *cf)
{
    ngx_duplex_freeze_bind(cf);

    return NGX_OK;
}


/*
 * Peers were projected when the upstream feature committed, before the
 * checks of this cycle counted.
 */

static void
ngx_duplex_health_commit(ngx_cycle_t *cycle)
{
    ngx_uint_t            i;
    ngx_duplex_peer_t    *peer;
    ngx_duplex_check_t  **checks;

    ngx_duplex_health_present = ngx_duplex_health_parsed;

    ngx_duplex_freeze_commit();
    ngx_duplex_vote_commit();

    checks = ngx_duplex_health_present->checks.elts;

    for (i = 0; i < ngx_duplex_health_present->checks.nelts; i++) {

        for (peer = ngx_duplex_peer_first(checks[i]->group);
             peer;
             peer = ngx_duplex_peer_next(peer))
        {
            ngx_duplex_peer_project(peer);
        }
    }
}


static ngx_int_t
ngx_duplex_health_start(ngx_cycle_t *cycle)
{
    ngx_duplex_schedule_start(cycle);

    return NGX_OK;
}


static void
ngx_duplex_health_added(ngx_duplex_peer_t *peer)
{
    ngx_duplex_check_t  *check;

    for (check = ngx_duplex_check_first(peer->group);
         check;
         check = check->next)
    {
        ngx_duplex_schedule_add(check, peer);
    }
}


static void
ngx_duplex_health_removed(ngx_duplex_peer_t *peer)
{
    ngx_duplex_schedule_remove(peer);

    if (ngx_duplex_lease_held() && !ngx_duplex_superseded()) {
        ngx_duplex_health_bury(peer);
    }
}


static void
ngx_duplex_health_take(void)
{
    ngx_duplex_health_prune();
    ngx_duplex_schedule_take();
}


static void
ngx_duplex_health_beat(void)
{
    ngx_duplex_schedule_beat();
    ngx_duplex_vote_beat();
}


static ngx_uint_t
ngx_duplex_health_bits(ngx_duplex_peer_t *peer)
{
    return ngx_duplex_health_state(peer) ? NGX_DUPLEX_DOWN_HEALTH : 0;
}


/* a verdict counts only where this configuration has a check */

static const char *
ngx_duplex_health_state(ngx_duplex_peer_t *peer)
{
    ngx_duplex_check_t    *check;
    ngx_duplex_verdict_e   state;

    check = ngx_duplex_check_first(peer->group);

    if (check == NULL) {
        return NULL;
    }

    state = ngx_duplex_vote_result(peer);

    if (state == ngx_duplex_verdict_unhealthy) {
        return ngx_duplex_verdict_word(state);
    }

    for ( /* void */ ; check; check = check->next) {

        if (state == ngx_duplex_verdict_checking && check->policy.mandatory) {
            return ngx_duplex_verdict_word(state);
        }
    }

    return NULL;
}


static void
ngx_duplex_health_fields(ngx_duplex_peer_t *peer, ngx_duplex_json_t *json)
{
    uint64_t                     since;
    ngx_str_t                    node;
    ngx_uint_t                   i;
    ngx_duplex_verdict_record_t  verdict;

    ngx_duplex_health_counters(peer, json);

    ngx_duplex_json_array(json, "verdicts");

    for (i = 0; ngx_duplex_health_node(i, &node) == NGX_OK; i++) {

        if (ngx_duplex_health_verdict(peer, &node, &verdict, &since) != NGX_OK)
        {
            continue;
        }

        ngx_duplex_json_object(json, NULL);
        ngx_duplex_json_string(json, "node", &node);
        ngx_duplex_json_text(json, "state",
                             ngx_duplex_verdict_word(verdict.state));
        ngx_duplex_json_text(json, "reason",
                             ngx_duplex_reason_word(verdict.reason));
        ngx_duplex_json_time(json, "since", since);
        ngx_duplex_json_boolean(json, "counts",
                                ngx_duplex_vote_counts(peer->group, &node));
        ngx_duplex_json_object_end(json);
    }

    ngx_duplex_json_array_end(json);

    if (ngx_duplex_vote_disputed(peer)) {
        ngx_duplex_json_boolean(json, "disputed", 1);
    }
}


/* of all checks together; the last of them says whether it passed */

static void
ngx_duplex_health_counters(ngx_duplex_peer_t *peer, ngx_duplex_json_t *json)
{
    uint64_t              checks, fails, unhealthy, time;
    ngx_uint_t            passed;
    ngx_duplex_check_t   *check;
    ngx_duplex_probed_t   probed;

    checks = 0;
    fails = 0;
    unhealthy = 0;
    time = 0;
    passed = 0;

    for (check = ngx_duplex_check_first(peer->group);
         check;
         check = check->next)
    {
        ngx_duplex_health_probed(peer, check, &probed);

        checks += probed.checks;
        fails += probed.fails;
        unhealthy += probed.unhealthy;

        if (probed.nresults && probed.time >= time) {
            time = probed.time;
            passed = (probed.results[0].reason == ngx_duplex_reason_none);
        }
    }

    ngx_duplex_json_object(json, "health_checks");
    ngx_duplex_json_integer(json, "checks", checks);
    ngx_duplex_json_integer(json, "fails", fails);
    ngx_duplex_json_integer(json, "unhealthy", unhealthy);

    if (checks) {
        ngx_duplex_json_boolean(json, "last_passed", passed);
    }

    ngx_duplex_json_object_end(json);
}
