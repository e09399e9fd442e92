
/*
 * See the header.
 *
 * Each process finds out for itself, from the same store; one of the node
 * tells of it.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "../core/ngx_duplex_lease.h"
#include "ngx_duplex_group.h"
#include "ngx_duplex_options.h"
#include "ngx_duplex_panic.h"


#define NGX_DUPLEX_DOWN_DECIDED                                               \
    (NGX_DUPLEX_DOWN_CONFIG|NGX_DUPLEX_DOWN_ADMIN|NGX_DUPLEX_DOWN_DRAIN)


typedef struct {
    ngx_uint_t   healthy;
    ngx_uint_t   counted;
} ngx_duplex_panic_count_t;


static void ngx_duplex_panic_count(ngx_duplex_group_t *group,
    ngx_duplex_panic_count_t *count);
static ngx_uint_t ngx_duplex_panic_has_verdict(ngx_duplex_peer_t *peer);
static void ngx_duplex_panic_posted(ngx_event_t *ev);
static void ngx_duplex_panic_log(ngx_duplex_group_t *group);


static ngx_event_t  ngx_duplex_panic_event;


char *
ngx_duplex_panic_set(ngx_conf_t *cf, void *conf)
{
    ngx_int_t              n;
    ngx_str_t             *value;
    ngx_duplex_options_t  *options;

    options = ngx_duplex_options(cf, conf);
    if (options == NULL) {
        return NGX_CONF_ERROR;
    }

    if (options->panic) {
        return "is duplicate";
    }

    value = cf->args->elts;
    n = NGX_ERROR;

    if (value[1].len > 1 && value[1].data[value[1].len - 1] == '%') {
        n = ngx_atoi(value[1].data, value[1].len - 1);
    }

    if (n < 1 || n > 100) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\" in \"duplex_panic\" "
                           "directive: must be 1%% to 100%%", &value[1]);
        return NGX_CONF_ERROR;
    }

    options->panic = n;

    return NGX_CONF_OK;
}


ngx_uint_t
ngx_duplex_panic_bits(ngx_duplex_peer_t *peer, ngx_uint_t bits)
{
    ngx_duplex_options_t  *options;

    options = peer->group->options;

    if (options == NULL || !options->panicking
        || !(bits & NGX_DUPLEX_DOWN_HEALTH)
        || !ngx_duplex_panic_has_verdict(peer))
    {
        return bits;
    }

    return bits & ~NGX_DUPLEX_DOWN_HEALTH;
}


ngx_uint_t
ngx_duplex_panic_update(ngx_duplex_group_t *group)
{
    ngx_uint_t                 panicking;
    ngx_duplex_options_t      *options;
    ngx_duplex_panic_count_t   count;

    options = group->options;

    if (options == NULL || options->panic == 0) {
        return 0;
    }

    ngx_duplex_panic_count(group, &count);

    panicking = (count.healthy * 100 < count.counted * options->panic);

    if (options->panicking == panicking) {
        return 0;
    }

    options->panicking = panicking;

    return 1;
}


static void
ngx_duplex_panic_count(ngx_duplex_group_t *group,
    ngx_duplex_panic_count_t *count)
{
    ngx_uint_t          bits;
    ngx_duplex_peer_t  *peer;

    count->healthy = 0;
    count->counted = 0;

    for (peer = ngx_duplex_peer_first(group);
         peer;
         peer = ngx_duplex_peer_next(peer))
    {
        bits = ngx_duplex_projection_bits(peer);

        if (bits & NGX_DUPLEX_DOWN_DECIDED) {
            continue;
        }

        if (!(bits & NGX_DUPLEX_DOWN_HEALTH)) {
            count->healthy++;
            count->counted++;

        } else if (ngx_duplex_panic_has_verdict(peer)) {
            count->counted++;
        }
    }
}


/* a server that is still being checked is not known to fail */

static ngx_uint_t
ngx_duplex_panic_has_verdict(ngx_duplex_peer_t *peer)
{
    const char  *state;

    state = ngx_duplex_peer_contributed(peer);

    return state == NULL || ngx_strcmp(state, "checking") != 0;
}


void
ngx_duplex_panic_post(ngx_duplex_group_t *group)
{
    ngx_duplex_options_t  *options;

    options = group->options;

    if (options == NULL || options->panic == 0) {
        return;
    }

    options->posted = 1;

    /* the master, which has no event loop, leaves it to the workers */

    if (ngx_posted_events.next == NULL || ngx_duplex_panic_event.posted) {
        return;
    }

    ngx_duplex_panic_event.handler = ngx_duplex_panic_posted;
    ngx_duplex_panic_event.log = ngx_cycle->log;

    ngx_post_event(&ngx_duplex_panic_event, &ngx_posted_events);
}


void
ngx_duplex_panic_start(void)
{
    ngx_uint_t           i;
    ngx_duplex_group_t  *group;

    for (i = 0; (group = ngx_duplex_group(i)) != NULL; i++) {
        if (group->options && group->options->posted) {
            ngx_duplex_panic_post(group);
        }
    }
}


static void
ngx_duplex_panic_posted(ngx_event_t *ev)
{
    ngx_uint_t           i;
    ngx_duplex_peer_t   *peer;
    ngx_duplex_group_t  *group;

    for (i = 0; (group = ngx_duplex_group(i)) != NULL; i++) {

        if (group->options == NULL || !group->options->posted) {
            continue;
        }

        group->options->posted = 0;

        if (!ngx_duplex_panic_update(group)) {
            continue;
        }

        if (ngx_duplex_lease_held()) {
            ngx_duplex_panic_log(group);
        }

        for (peer = ngx_duplex_peer_first(group);
             peer;
             peer = ngx_duplex_peer_next(peer))
        {
            ngx_duplex_peer_project(peer);
        }

        /* projecting has asked for another look, which finds nothing new */
    }
}


static void
ngx_duplex_panic_log(ngx_duplex_group_t *group)
{
    ngx_duplex_panic_count_t  count;

    ngx_duplex_panic_count(group, &count);

    if (group->options->panicking) {
        ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                      "%s \"%V\" is now in panic: %ui of %ui servers are "
                      "healthy, fewer than %ui%%: all are used",
                      group->driver->title, &group->name, count.healthy,
                      count.counted, group->options->panic);
        return;
    }

    ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                  "%s \"%V\" is no longer in panic: %ui of %ui servers are "
                  "healthy", group->driver->title, &group->name,
                  count.healthy, count.counted);
}


void
ngx_duplex_panic_fields(ngx_duplex_group_t *group, ngx_duplex_json_t *json)
{
    ngx_duplex_options_t      *options;
    ngx_duplex_panic_count_t   count;

    options = group->options;

    if (options == NULL || options->panic == 0) {
        return;
    }

    ngx_duplex_panic_count(group, &count);

    ngx_duplex_json_object(json, "panic");
    ngx_duplex_json_boolean(json, "active", options->panicking);
    ngx_duplex_json_integer(json, "threshold", options->panic);
    ngx_duplex_json_integer(json, "healthy", count.healthy);
    ngx_duplex_json_integer(json, "counted", count.counted);
    ngx_duplex_json_object_end(json);
}
