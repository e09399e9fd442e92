
/*
 * Isolation and verdicts; see the header.
 *
 * Since when verdicts do not count is a record of this node's, so that all
 * its workers hear of it and a reload forgets nothing; whether they do not
 * count is what readiness says at the moment.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_bytes.h"
#include "../core/ngx_duplex_clock.h"
#include "../core/ngx_duplex_identity.h"
#include "../core/ngx_duplex_readiness.h"
#include "ngx_duplex_freeze.h"


#define NGX_DUPLEX_FREEZE  NGX_DUPLEX_TAG('f', 'r', 'z', 'e')

/* servers fail one after the other: as late as their checks find out, ms */
#define NGX_DUPLEX_FREEZE_WINDOW  30000


static void ngx_duplex_freeze_project(ngx_duplex_record_t *rec);
static void ngx_duplex_freeze_read(void);
static uint64_t ngx_duplex_freeze_latest(void);


ngx_duplex_kind_t  ngx_duplex_freeze_kind = {
    NGX_DUPLEX_FREEZE,
    ngx_string("freeze"),
    NGX_DUPLEX_KIND_LOCAL,
    ngx_duplex_freeze_project
};


/* being parsed, and of the present cycle; NULL: is never isolated */
static ngx_duplex_readiness_t  *ngx_duplex_freeze_parsed;
static ngx_duplex_readiness_t  *ngx_duplex_freeze_readiness;

/* ms, the store's clock; 0: nothing is frozen */
static uint64_t                 ngx_duplex_freeze_since;


void
ngx_duplex_freeze_bind(ngx_conf_t *cf)
{
    ngx_duplex_freeze_parsed = ngx_duplex_find_service(cf,
                                                       NGX_DUPLEX_READINESS);
}


void
ngx_duplex_freeze_commit(void)
{
    ngx_duplex_freeze_readiness = ngx_duplex_freeze_parsed;

    ngx_duplex_freeze_read();
}


void
ngx_duplex_freeze_set(ngx_uint_t frozen, uint64_t silence)
{
    u_char               value[8];
    uint64_t             since, latest, now;
    ngx_duplex_record_t  rec;

    ngx_memzero(&rec, sizeof(ngx_duplex_record_t));

    rec.kind = NGX_DUPLEX_FREEZE;
    rec.key = ngx_duplex_identity()->name;
    rec.deleted = !frozen;

    if (frozen) {
        latest = ngx_duplex_freeze_latest();
        latest -= ngx_min(latest, NGX_DUPLEX_FREEZE_WINDOW - 1);

        /* verdicts carry the time of the store, which may be ahead */

        now = ngx_max(ngx_duplex_clock_wall(),
                      ngx_duplex_clock_ms(ngx_duplex_store_clock()->last));

        since = ngx_max(now - ngx_min(now, silence), latest);

        rec.value.data = value;
        rec.value.len = ngx_duplex_bytes_put(value, since, 8) - value;

    } else {
        rec.expire = ngx_duplex_clock_monotonic() + 1000;
    }

    (void) ngx_duplex_store_apply(ngx_duplex_store_table(), &rec);
}


ngx_int_t
ngx_duplex_freeze_verdict(ngx_duplex_peer_t *peer, ngx_duplex_verdict_e *state)
{
    uint64_t                     since;
    ngx_duplex_verdict_record_t  verdict;

    if (ngx_duplex_freeze_since == 0 || ngx_duplex_freeze_readiness == NULL
        || ngx_duplex_freeze_readiness->live())
    {
        return NGX_DECLINED;
    }

    *state = ngx_duplex_verdict_checking;

    if (ngx_duplex_health_verdict(peer, &ngx_duplex_identity()->name, &verdict,
                                  &since)
        == NGX_OK)
    {
        *state = (verdict.state == ngx_duplex_verdict_unhealthy
                  && since >= ngx_duplex_freeze_since)
                 ? ngx_duplex_verdict_up : verdict.state;
    }

    return NGX_OK;
}


static void
ngx_duplex_freeze_project(ngx_duplex_record_t *rec)
{
    ngx_uint_t           i;
    ngx_duplex_peer_t   *peer;
    ngx_duplex_group_t  *group;

    ngx_duplex_freeze_read();

    for (i = 0; (group = ngx_duplex_group(i)) != NULL; i++) {

        if (ngx_duplex_check_first(group) == NULL) {
            continue;
        }

        for (peer = ngx_duplex_peer_first(group);
             peer;
             peer = ngx_duplex_peer_next(peer))
        {
            ngx_duplex_peer_project(peer);
        }
    }
}


static void
ngx_duplex_freeze_read(void)
{
    u_char               buf[NGX_DUPLEX_KEY_MAX];
    ngx_duplex_bytes_t   b;
    ngx_duplex_record_t  rec;

    ngx_duplex_freeze_since = 0;

    ngx_memzero(&rec, sizeof(ngx_duplex_record_t));

    rec.kind = NGX_DUPLEX_FREEZE;
    rec.key = ngx_duplex_identity()->name;

    if (ngx_duplex_store_get(ngx_duplex_store_table(), &rec, buf, sizeof(buf))
        != NGX_OK)
    {
        return;
    }

    b.pos = rec.value.data;
    b.last = rec.value.data + rec.value.len;
    b.failed = 0;

    ngx_duplex_freeze_since = ngx_duplex_bytes_get(&b, 8);
}


/* when the last of its servers failed: ms, the store's clock */

static uint64_t
ngx_duplex_freeze_latest(void)
{
    uint64_t                      since, latest;
    ngx_uint_t                    i;
    ngx_duplex_peer_t            *peer;
    ngx_duplex_group_t           *group;
    ngx_duplex_verdict_record_t   verdict;

    latest = 0;

    for (i = 0; (group = ngx_duplex_group(i)) != NULL; i++) {

        for (peer = ngx_duplex_peer_first(group);
             peer;
             peer = ngx_duplex_peer_next(peer))
        {
            if (ngx_duplex_health_verdict(peer, &ngx_duplex_identity()->name,
                                          &verdict, &since)
                == NGX_OK)
            {
                latest = ngx_max(latest, since);
            }
        }
    }

    return latest;
}
