
/*
 * Health checks: the checks of a cycle, and what they and the verdicts mean
 * for a peer.
 *
 * The checks live in the pool of their cycle and are read by every process.
 * The verdicts are records of the store: ngx_duplex_health_store.c.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_registry.h"
#include "ngx_duplex_health.h"
#include "ngx_duplex_schedule.h"


#define NGX_DUPLEX_HEALTH           "health"

typedef struct {
    ngx_array_t           checks;       /* ngx_duplex_check_t * */
} ngx_duplex_health_t;


static void ngx_duplex_health_commit(ngx_cycle_t *cycle);
static ngx_int_t ngx_duplex_health_start(ngx_cycle_t *cycle);
static void ngx_duplex_health_take(void);

static ngx_uint_t ngx_duplex_health_bits(ngx_duplex_peer_t *peer);
static const char *ngx_duplex_health_state(ngx_duplex_peer_t *peer);
static void ngx_duplex_health_fields(ngx_duplex_peer_t *peer,
    ngx_duplex_json_t *json);
static void ngx_duplex_health_added(ngx_duplex_peer_t *peer);
static ngx_duplex_check_t *ngx_duplex_health_check(ngx_duplex_group_t *group);


static ngx_duplex_feature_t  ngx_duplex_health_feature = {
    ngx_string("health"),
    NGX_DUPLEX_LAYER_FEATURE,
    NULL,                                  /* bind */
    ngx_duplex_health_commit,              /* commit */
    ngx_duplex_health_start,               /* start */
    ngx_duplex_health_take,                /* take */
    ngx_duplex_schedule_beat,              /* beat */
    NULL,                                  /* wake */
    ngx_duplex_schedule_drop,              /* drop */
    NULL                                   /* stop */
};


static ngx_duplex_contributor_t  ngx_duplex_health_contributor = {
    ngx_duplex_health_bits,
    ngx_duplex_health_state,
    ngx_duplex_health_fields,
    ngx_duplex_health_added,
    ngx_duplex_schedule_remove
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
        || ngx_duplex_register_feature(cf, &ngx_duplex_health_feature)
            != NGX_OK
        || ngx_duplex_register_kind(cf, &ngx_duplex_health_verdict_kind)
            != NGX_OK
        || ngx_duplex_register_kind(cf, &ngx_duplex_health_probed_kind)
            != NGX_OK
        || ngx_duplex_register_contributor(cf, &ngx_duplex_health_contributor)
            != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_duplex_health_parsed = health;

    return NGX_OK;
}


ngx_int_t
ngx_duplex_check_add(ngx_conf_t *cf, ngx_duplex_group_t *group,
    ngx_duplex_check_policy_t *policy, ngx_duplex_prober_t *prober,
    void *conf)
{
    ngx_uint_t             i;
    ngx_duplex_check_t    *check, **checks;
    ngx_duplex_health_t   *health;

    health = ngx_duplex_find_service(cf, NGX_DUPLEX_HEALTH);
    checks = health->checks.elts;

    for (i = 0; i < health->checks.nelts; i++) {
        if (checks[i]->group == group) {
            return NGX_DECLINED;
        }
    }

    check = ngx_palloc(cf->pool, sizeof(ngx_duplex_check_t));
    if (check == NULL) {
        return NGX_ERROR;
    }

    check->group = group;
    check->policy = *policy;
    check->prober = prober;
    check->conf = conf;

    checks = ngx_array_push(&health->checks);
    if (checks == NULL) {
        return NGX_ERROR;
    }

    *checks = check;

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

    check = ngx_duplex_health_check(peer->group);

    if (check) {
        ngx_duplex_schedule_add(check, peer);
    }
}


static void
ngx_duplex_health_take(void)
{
    ngx_duplex_health_prune();
    ngx_duplex_schedule_take();
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

    check = ngx_duplex_health_check(peer->group);

    if (check == NULL) {
        return NULL;
    }

    state = ngx_duplex_health_own(peer);

    if (state == ngx_duplex_verdict_unhealthy
        || (state == ngx_duplex_verdict_checking && check->policy.mandatory))
    {
        return ngx_duplex_verdict_word(state);
    }

    return NULL;
}


static void
ngx_duplex_health_fields(ngx_duplex_peer_t *peer, ngx_duplex_json_t *json)
{
    uint64_t                     since;
    ngx_str_t                    node;
    ngx_uint_t                   i;
    ngx_duplex_probed_record_t   probed;
    ngx_duplex_verdict_record_t  verdict;

    ngx_duplex_health_probed(peer, &probed);

    ngx_duplex_json_object(json, "health_checks");
    ngx_duplex_json_integer(json, "checks", probed.checks);
    ngx_duplex_json_integer(json, "fails", probed.fails);
    ngx_duplex_json_integer(json, "unhealthy", probed.unhealthy);

    if (probed.checks) {
        ngx_duplex_json_boolean(json, "last_passed", probed.last_passed);
    }

    ngx_duplex_json_object_end(json);

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
        ngx_duplex_json_object_end(json);
    }

    ngx_duplex_json_array_end(json);
}


static ngx_duplex_check_t *
ngx_duplex_health_check(ngx_duplex_group_t *group)
{
    ngx_uint_t            i;
    ngx_duplex_check_t  **checks;

    if (ngx_duplex_health_present == NULL) {
        return NULL;
    }

    checks = ngx_duplex_health_present->checks.elts;

    for (i = 0; i < ngx_duplex_health_present->checks.nelts; i++) {
        if (checks[i]->group == group) {
            return checks[i];
        }
    }

    return NULL;
}
