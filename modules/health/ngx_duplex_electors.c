
/*
 * The other nodes that may vote on a group, and the voice of this one.
 *
 * Every worker keeps what it heard in its own memory; the holder of the
 * lease speaks.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "../core/ngx_duplex_clock.h"
#include "../core/ngx_duplex_lease.h"
#include "ngx_duplex_electors.h"


/*
 * A voice counts for three intervals; not less than this, so that a worker
 * may die and another take over without the node falling silent.
 */
#define NGX_DUPLEX_ELECTORS_INTERVALS  3
#define NGX_DUPLEX_ELECTORS_PATIENCE   1500     /* ms */


static ngx_duplex_elector_t *ngx_duplex_electors_find(
    ngx_duplex_electors_t *electors, ngx_str_t *name, uint64_t now);


/* what the store has of this node by now */

void
ngx_duplex_electors_hear(ngx_duplex_electors_t *electors, ngx_str_t *name)
{
    u_char                   buf[NGX_DUPLEX_RECORD_MAX];
    uint64_t                 now;
    ngx_duplex_voice_t       voice;
    ngx_duplex_record_t      rec;
    ngx_duplex_elector_t  *node;

    rec.kind = NGX_DUPLEX_ELECTORS_VOICE;
    rec.zone = electors->group->zone;
    rec.key = *name;

    if (ngx_duplex_node_name_check(name) != NGX_OK
        || ngx_duplex_store_get(ngx_duplex_store_table(), &rec, buf,
                                sizeof(buf))
           != NGX_OK
        || ngx_duplex_voice_decode(&voice, &rec.value) != NGX_OK)
    {
        return;
    }

    if (ngx_duplex_node_id(name) == ngx_duplex_identity()->id) {
        electors->own = voice;
        return;
    }

    now = ngx_duplex_clock_monotonic();
    node = ngx_duplex_electors_find(electors, name, now);

    /* a voice without an end would count for ever */

    if (node && rec.expire) {
        node->voice = voice;
        node->until = rec.expire;
    }
}


/* NULL: there are too many */

static ngx_duplex_elector_t *
ngx_duplex_electors_find(ngx_duplex_electors_t *electors, ngx_str_t *name,
    uint64_t now)
{
    uint64_t                 id;
    ngx_uint_t               i;
    ngx_duplex_elector_t  *node, *free;

    id = ngx_duplex_node_id(name);
    free = NULL;

    for (i = 0; i < NGX_DUPLEX_ELECTORS_MAX; i++) {
        node = &electors->nodes[i];

        if (node->id == id) {
            return node;
        }

        if (free == NULL || (free->id && node->until < free->until)) {
            free = node;
        }
    }

    if (free->id && free->until > now) {
        return NULL;
    }

    free->id = id;
    free->name.data = free->data;
    free->name.len = name->len;
    ngx_memcpy(free->data, name->data, name->len);

    return free;
}


void
ngx_duplex_electors_speak(ngx_duplex_electors_t *electors, ngx_uint_t opinion,
    ngx_uint_t sighted, uint64_t now)
{
    u_char               value[NGX_DUPLEX_VOICE_LEN];
    ngx_duplex_record_t  rec;

    /* the beat is not as exact as an interval may be */

    if (now + NGX_DUPLEX_LEASE_TICK / 2
            < electors->spoken + electors->interval
        && electors->own.opinion == opinion
        && electors->own.sighted == sighted)
    {
        return;
    }

    electors->spoken = now;

    electors->own.opinion = opinion;
    electors->own.sighted = sighted;

    electors->own.incarnation = ngx_duplex_identity()->incarnation;
    electors->own.digest = ngx_duplex_check_digest(electors->group);

    ngx_duplex_voice_encode(&electors->own, value);

    ngx_memzero(&rec, sizeof(ngx_duplex_record_t));

    rec.kind = NGX_DUPLEX_ELECTORS_VOICE;
    rec.zone = electors->group->zone;
    rec.key = ngx_duplex_identity()->name;
    rec.value.len = NGX_DUPLEX_VOICE_LEN;
    rec.value.data = value;
    rec.expire = now + ngx_max(NGX_DUPLEX_ELECTORS_INTERVALS
                               * electors->interval,
                               NGX_DUPLEX_ELECTORS_PATIENCE);

    (void) ngx_duplex_store_apply(ngx_duplex_store_table(), &rec);
}


/*
 * It was heard within its time, is ready, has the same checks as we, and is
 * not cut off: it sees one server up, or we see none, either.
 */

ngx_uint_t
ngx_duplex_elector_votes(ngx_duplex_electors_t *electors,
    ngx_duplex_elector_t *node, uint64_t now)
{
    return node->id
           && node->until > now
           && node->voice.opinion
           && (node->voice.sighted || !electors->own.sighted)
           && node->voice.digest == ngx_duplex_check_digest(electors->group);
}


ngx_duplex_elector_t *
ngx_duplex_elector_next(ngx_duplex_electors_t *electors,
    ngx_duplex_elector_t *node, uint64_t now)
{
    ngx_duplex_elector_t  *last;

    last = electors->nodes + NGX_DUPLEX_ELECTORS_MAX;

    for (node = node ? node + 1 : electors->nodes; node < last; node++) {
        if (ngx_duplex_elector_votes(electors, node, now)) {
            return node;
        }
    }

    return NULL;
}
