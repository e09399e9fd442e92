
/*
 * What the file says of health checks, for whoever compares nodes.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_facts.h"
#include "ngx_duplex_health.h"
#include "ngx_duplex_vote.h"


void
ngx_duplex_health_facts(ngx_duplex_facts_t *facts)
{
    u_char               buf[NGX_DUPLEX_FACT_MAX];
    ngx_str_t            name, policy = ngx_string("duplex_health_policy");
    ngx_uint_t           i;
    ngx_duplex_check_t  *check;
    ngx_duplex_group_t  *group;

    name.data = buf;

    for (i = 0; (group = ngx_duplex_group(i)) != NULL; i++) {

        check = ngx_duplex_check_first(group);

        if (check == NULL) {
            continue;
        }

        ngx_duplex_fact(facts, &group->zone, &policy, "policy=%V plan=%s",
                        ngx_duplex_vote_policy(group),
                        ngx_duplex_vote_is_split(group) ? "split" : "all");

        for ( /* void */ ; check; check = check->next) {

            name.len = ngx_snprintf(buf, sizeof(buf), "health_check %V",
                                    &check->text)
                       - buf;

            ngx_duplex_fact(facts, &group->zone, &name,
                            "interval=%Mms jitter=%Mms fails=%ui passes=%ui "
                            "mandatory=%s",
                            check->policy.interval, check->policy.jitter,
                            check->policy.fails, check->policy.passes,
                            check->policy.mandatory ? "yes" : "no");
        }
    }
}
