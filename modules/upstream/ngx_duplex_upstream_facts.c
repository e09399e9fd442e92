
/*
 * What the file says of upstream groups, for whoever compares nodes.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_facts.h"
#include "ngx_duplex_group.h"
#include "ngx_duplex_line.h"


static void ngx_duplex_upstream_facts_line(ngx_duplex_facts_t *facts,
    ngx_duplex_group_t *group, ngx_duplex_line_t *line);


void
ngx_duplex_upstream_facts(ngx_duplex_facts_t *facts)
{
    ngx_str_t             name = ngx_string("upstream");
    ngx_uint_t            i, k;
    ngx_duplex_line_t   **lines;
    ngx_duplex_group_t   *group;

    for (i = 0; (group = ngx_duplex_group(i)) != NULL; i++) {

        ngx_duplex_fact(facts, &group->zone, &name, "zone=%s",
                        group->shm.len ? "yes" : "no");

        lines = group->lines.elts;

        for (k = 0; k < group->lines.nelts; k++) {
            ngx_duplex_upstream_facts_line(facts, group, lines[k]);
        }
    }
}


static void
ngx_duplex_upstream_facts_line(ngx_duplex_facts_t *facts,
    ngx_duplex_group_t *group, ngx_duplex_line_t *line)
{
    u_char                  buf[NGX_DUPLEX_KEY_MAX], *p, *last;
    ngx_str_t               name, route;
    ngx_duplex_settings_t  *set;

    set = &line->set;

    last = buf + sizeof(buf);
    p = ngx_slprintf(buf, last, "server %V", &line->server);

    if (line->name.len != line->server.len
        || ngx_memcmp(line->name.data, line->server.data, line->name.len) != 0)
    {
        p = ngx_slprintf(p, last, " %V", &line->name);
    }

    if (line->ordinal) {
        p = ngx_slprintf(p, last, " #%ui", line->ordinal + 1);
    }

    name.data = buf;
    name.len = p - buf;

    route.data = set->route;
    route.len = set->route_len;

    ngx_duplex_fact(facts, &group->zone, &name,
                    "weight=%ui max_conns=%ui max_fails=%ui fail_timeout=%Ts "
                    "slow_start=%Mms backup=%s state=%s route=%V",
                    set->weight, set->max_conns, set->max_fails,
                    set->fail_timeout, set->slow_start,
                    line->backup ? "yes" : "no",
                    set->state == ngx_duplex_admin_down ? "down"
                    : set->state == ngx_duplex_admin_drain ? "drain" : "up",
                    &route);
}
