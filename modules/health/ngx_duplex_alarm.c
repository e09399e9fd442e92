
/*
 * An alarm: a record of kind 'alrm' that lives for a second and stays on this
 * node.  The store wakes all workers; the one that holds the lease probes.
 *
 * A server that fails a thousand requests a second makes a few alarms only.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "../core/ngx_duplex_clock.h"
#include "ngx_duplex_alarm.h"
#include "ngx_duplex_schedule.h"


#define NGX_DUPLEX_ALARM          NGX_DUPLEX_TAG('a', 'l', 'r', 'm')

#define NGX_DUPLEX_ALARM_LIFE     1000      /* ms */
#define NGX_DUPLEX_ALARM_QUIET    50        /* ms after one of a server */
#define NGX_DUPLEX_ALARM_RECENT   64        /* servers, a power of two */


/* of this process: who had an alarm lately */
typedef struct {
    uint64_t       hash;
    ngx_msec_t     time;
} ngx_duplex_alarm_recent_t;


static ngx_uint_t ngx_duplex_alarm_is_recent(uint64_t hash);
static void ngx_duplex_alarm_project(ngx_duplex_record_t *rec);


ngx_duplex_kind_t  ngx_duplex_alarm_kind = {
    NGX_DUPLEX_ALARM,
    ngx_string("alarm"),
    NGX_DUPLEX_KIND_LOCAL,
    ngx_duplex_alarm_project
};


static ngx_duplex_alarm_recent_t
                              ngx_duplex_alarms[NGX_DUPLEX_ALARM_RECENT];


void
ngx_duplex_alarm(ngx_duplex_group_t *group, ngx_str_t *name)
{
    u_char               value[1];
    ngx_duplex_peer_t   *peer;
    ngx_duplex_record_t  rec;

    for (peer = ngx_duplex_peer_first(group);
         peer;
         peer = ngx_duplex_peer_next(peer))
    {
        if (peer->name.len == name->len
            && ngx_memcmp(peer->name.data, name->data, name->len) == 0)
        {
            break;
        }
    }

    if (peer == NULL || ngx_duplex_alarm_is_recent(peer->hash)) {
        return;
    }

    ngx_memzero(&rec, sizeof(ngx_duplex_record_t));

    value[0] = 1;

    rec.kind = NGX_DUPLEX_ALARM;
    rec.zone = group->zone;
    rec.key = peer->key;
    rec.value.len = sizeof(value);
    rec.value.data = value;
    rec.expire = ngx_duplex_clock_monotonic() + NGX_DUPLEX_ALARM_LIFE;

    (void) ngx_duplex_store_apply(ngx_duplex_store_table(), &rec);
}


static ngx_uint_t
ngx_duplex_alarm_is_recent(uint64_t hash)
{
    ngx_duplex_alarm_recent_t  *recent;

    recent = &ngx_duplex_alarms[hash & (NGX_DUPLEX_ALARM_RECENT - 1)];

    if (recent->hash == hash
        && ngx_current_msec - recent->time < NGX_DUPLEX_ALARM_QUIET)
    {
        return 1;
    }

    recent->hash = hash;
    recent->time = ngx_current_msec;

    return 0;
}


static void
ngx_duplex_alarm_project(ngx_duplex_record_t *rec)
{
    ngx_duplex_peer_t   *peer;
    ngx_duplex_group_t  *group;

    if (rec->deleted) {
        return;
    }

    group = ngx_duplex_group_by_zone(&rec->zone);
    peer = group ? ngx_duplex_peer_by_key(group, &rec->key) : NULL;

    /* does nothing where the probes are not made */

    if (peer) {
        ngx_duplex_schedule_hurry(peer);
    }
}
