
/*
 * Membership: from file and store to the peers of this process and the places
 * in stock's lists.
 *
 * Every worker of every generation does it for itself; stock's lists are
 * shared by the workers of one, so whoever writes them looks at the store
 * again, and the last to write has written what stands there.  In commit the
 * bits of `down` are left to those who commit after us.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "../core/ngx_duplex_identity.h"
#include "ngx_duplex_admin.h"
#include "ngx_duplex_group.h"
#include "ngx_duplex_id.h"
#include "ngx_duplex_line.h"
#include "ngx_duplex_membership.h"
#include "ngx_duplex_name.h"
#include "ngx_duplex_state.h"
#include "ngx_duplex_stock.h"


#define NGX_DUPLEX_MEMBERSHIP_TURNS  16
#define NGX_DUPLEX_MEMBERSHIP_RETRY  250        /* ms, for want of places */


/* what one server should be; compared as bytes */
typedef struct {
    uint64_t                life;
    uint64_t                digest;
    ngx_uint_t              exists;
    ngx_uint_t              id;
    ngx_uint_t              backup;
    ngx_duplex_settings_t   file;
    ngx_duplex_settings_t   set;
} ngx_duplex_wanted_t;


static void ngx_duplex_membership_read(ngx_duplex_group_t *group,
    ngx_str_t *key, ngx_duplex_line_t *line, ngx_duplex_wanted_t *wanted);
static ngx_int_t ngx_duplex_membership_settle(ngx_duplex_group_t *group,
    ngx_str_t *key, ngx_duplex_line_t *line, ngx_duplex_wanted_t *wanted,
    uint64_t look);
static ngx_int_t ngx_duplex_membership_create(ngx_duplex_group_t *group,
    ngx_str_t *key, ngx_duplex_line_t *line, ngx_duplex_wanted_t *wanted,
    uint64_t look);
static ngx_int_t ngx_duplex_membership_place(ngx_duplex_peer_t *peer,
    uint64_t look);
static ngx_int_t ngx_duplex_membership_drop(ngx_duplex_peer_t *peer,
    uint64_t look);
static void ngx_duplex_membership_bury(ngx_duplex_peer_t *peer);
static void ngx_duplex_membership_free(ngx_event_t *ev);
static void ngx_duplex_membership_retry(ngx_event_t *ev);


static ngx_pool_t         *ngx_duplex_membership_pool;     /* in commit */
static ngx_uint_t          ngx_duplex_membership_started;

static ngx_duplex_peer_t  *ngx_duplex_membership_graves;
static ngx_event_t         ngx_duplex_membership_funeral;
static ngx_event_t         ngx_duplex_membership_timer;
static ngx_connection_t    ngx_duplex_membership_dumb;


ngx_uint_t
ngx_duplex_membership_is_started(void)
{
    return ngx_duplex_membership_started;
}


void
ngx_duplex_membership_begin(ngx_pool_t *pool)
{
    ngx_duplex_membership_pool = pool;
}


ngx_pool_t *
ngx_duplex_member_pool(void)
{
    return ngx_duplex_membership_pool;
}


void
ngx_duplex_membership_refresh(ngx_duplex_group_t *group, ngx_str_t *key)
{
    uint64_t              look;
    ngx_uint_t            i;
    ngx_duplex_line_t    *line;
    ngx_duplex_wanted_t   wanted, again;

    if (group->shm.len == 0 || key->len > NGX_DUPLEX_KEY_MAX) {
        return;
    }

    line = ngx_duplex_line_find(group, ngx_duplex_line_hash(group, key));

    for (i = 0; i < NGX_DUPLEX_MEMBERSHIP_TURNS; i++) {

        look = (i < NGX_DUPLEX_STOCK_LOOKS) ? ngx_duplex_stock_look() : 0;

        ngx_duplex_membership_read(group, key, line, &wanted);

        if (ngx_duplex_membership_settle(group, key, line, &wanted, look)
            == NGX_AGAIN)
        {
            continue;
        }

        ngx_duplex_membership_read(group, key, line, &again);

        if (ngx_memcmp(&wanted, &again, sizeof(ngx_duplex_wanted_t)) == 0) {
            break;
        }
    }

    if (ngx_duplex_membership_started) {
        ngx_duplex_state_changed(group);
    }
}


/*
 * The file's line counts, unless something else was said against this very
 * line.  What was added is there whatever the file says.
 */

static void
ngx_duplex_membership_read(ngx_duplex_group_t *group, ngx_str_t *key,
    ngx_duplex_line_t *line, ngx_duplex_wanted_t *wanted)
{
    ngx_uint_t          known;
    ngx_duplex_line_t   resolved;
    ngx_duplex_exist_t  exist;

    ngx_memzero(wanted, sizeof(ngx_duplex_wanted_t));

    known = (ngx_duplex_admin_exist(group, key, &exist) == NGX_OK);

    if (known) {
        ngx_duplex_id_use(group, exist.id);
    }

    if (line == NULL
        && ngx_duplex_name_line(group, key, &resolved) == NGX_OK)
    {
        ngx_duplex_id_use(group, resolved.id);
        line = &resolved;
    }

    /* a state file's line is what was said here before */

    if (line
        && !(known && (exist.digest == line->digest || group->state.len)))
    {
        wanted->exists = 1;
        wanted->digest = line->digest;
        wanted->id = line->id;
        wanted->backup = line->backup;
        wanted->file = line->set;

    } else if (known && exist.exists) {
        wanted->exists = 1;
        wanted->life = exist.life;
        wanted->digest = line ? line->digest : 0;
        wanted->id = exist.id;
        wanted->backup = exist.backup;
        wanted->file = exist.set;

    } else {
        return;
    }

    wanted->set = wanted->file;

    (void) ngx_duplex_admin_overlay(group, key, wanted->life, wanted->digest,
                                    &wanted->set, &wanted->id);
}


static ngx_int_t
ngx_duplex_membership_settle(ngx_duplex_group_t *group, ngx_str_t *key,
    ngx_duplex_line_t *line, ngx_duplex_wanted_t *wanted, uint64_t look)
{
    ngx_duplex_peer_t  *peer;

    peer = ngx_duplex_peer_by_key(group, key);

    if (peer
        && (!wanted->exists
            || peer->life != wanted->life
            || peer->backup != wanted->backup))
    {
        if (ngx_duplex_membership_drop(peer, look) == NGX_AGAIN) {
            return NGX_AGAIN;
        }

        peer = NULL;
    }

    if (!wanted->exists) {
        return NGX_OK;
    }

    if (peer == NULL) {
        return ngx_duplex_membership_create(group, key, line, wanted, look);
    }

    if (peer->said != wanted->id) {
        peer->said = wanted->id;

        if (wanted->id != peer->id
            && ngx_duplex_peer_by_id(group, wanted->id) == NULL)
        {
            ngx_duplex_peer_delete(peer);
            ngx_duplex_peer_insert(peer, wanted->id);
        }
    }

    peer->file = wanted->file;
    ngx_duplex_peer_set(peer, &wanted->set);

    if (ngx_duplex_membership_place(peer, look) == NGX_AGAIN) {
        return NGX_AGAIN;
    }

    if (ngx_duplex_membership_started) {
        ngx_duplex_peer_project(peer);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_duplex_membership_create(ngx_duplex_group_t *group, ngx_str_t *key,
    ngx_duplex_line_t *line, ngx_duplex_wanted_t *wanted, uint64_t look)
{
    ngx_int_t           rc;
    ngx_pool_t         *temp;
    ngx_duplex_line_t   parsed;
    ngx_duplex_peer_t  *peer, *other;

    rc = NGX_ERROR;
    temp = NULL;

    if (line) {
        parsed = *line;

    } else {
        temp = ngx_create_pool(1024, ngx_cycle->log);

        if (temp == NULL
            || ngx_duplex_line_parse(group, key, temp, &parsed) != NGX_OK)
        {
            goto done;
        }
    }

    parsed.backup = wanted->backup;
    parsed.set = wanted->file;

    peer = ngx_duplex_peer_create(group, &parsed, ngx_duplex_membership_pool);
    if (peer == NULL) {
        goto done;
    }

    peer->life = wanted->life;
    peer->digest = wanted->digest;
    peer->said = wanted->id;

    ngx_duplex_peer_set(peer, &wanted->set);
    ngx_duplex_peer_insert(peer, ngx_duplex_id_claim(peer, wanted->id));

    group->unplaced++;

    rc = ngx_duplex_membership_place(peer, look);

    /* from two on, failures count */

    if (group->npeers == 2) {
        other = ngx_duplex_peer_first(group);

        if (other == peer) {
            other = ngx_duplex_peer_next(peer);
        }

        ngx_duplex_membership_refresh(group, &other->key);
    }

    if (ngx_duplex_membership_started) {
        ngx_duplex_peer_project(peer);
        ngx_duplex_contributors_added(peer);
        ngx_duplex_id_tell(peer);
    }

done:

    if (temp) {
        ngx_destroy_pool(temp);
    }

    return rc;
}


static ngx_int_t
ngx_duplex_membership_place(ngx_duplex_peer_t *peer, uint64_t look)
{
    ngx_int_t  rc;

    if (peer->placed) {
        return ngx_duplex_place_set(peer, look);
    }

    rc = ngx_duplex_place_add(peer, ngx_duplex_projection_bits(peer), look);

    if (rc == NGX_AGAIN) {
        return NGX_AGAIN;
    }

    if (rc == NGX_ERROR) {

        if (!peer->warned) {
            peer->warned = 1;
            ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                          "there is no place for peer \"%V\" in %s \"%V\": "
                          "a reload makes more, see \"duplex_spare\"",
                          &peer->name, peer->group->driver->title,
                          &peer->group->name);
        }

        if (ngx_duplex_membership_started
            && !ngx_duplex_membership_timer.timer_set
            && !ngx_exiting)
        {
            ngx_add_timer(&ngx_duplex_membership_timer,
                          NGX_DUPLEX_MEMBERSHIP_RETRY);
        }

        return NGX_ERROR;
    }

    peer->placed = 1;
    peer->group->unplaced--;

    if (rc == NGX_DECLINED) {

        /* another worker was faster, maybe with what was said before */

        return ngx_duplex_place_set(peer, look);
    }

    if (ngx_duplex_membership_started && !ngx_duplex_superseded()) {
        ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                      "peer \"%V\" in %s \"%V\" was added with id %ui",
                      &peer->name, peer->group->driver->title,
                      &peer->group->name, peer->id);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_duplex_membership_drop(ngx_duplex_peer_t *peer, uint64_t look)
{
    ngx_int_t            rc;
    ngx_duplex_group_t  *group;

    group = peer->group;

    rc = ngx_duplex_place_remove(peer, look);

    if (rc == NGX_AGAIN) {
        return NGX_AGAIN;
    }

    if (rc == NGX_OK
        && ngx_duplex_membership_started
        && !ngx_duplex_superseded())
    {
        ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                      "peer \"%V\" in %s \"%V\" was removed",
                      &peer->name, group->driver->title, &group->name);
    }

    if (!peer->placed) {
        group->unplaced--;
    }

    if (ngx_duplex_membership_started) {
        ngx_duplex_contributors_removed(peer);
    }

    ngx_duplex_peer_delete(peer);

    if (group->npeers == 1) {
        ngx_duplex_membership_refresh(group,
                                      &ngx_duplex_peer_first(group)->key);
    }

    ngx_duplex_membership_bury(peer);

    return NGX_OK;
}


/* whoever found it in this turn of the event loop may still look at it */

static void
ngx_duplex_membership_bury(ngx_duplex_peer_t *peer)
{
    if (peer->pool == NULL) {
        return;
    }

    peer->grave = ngx_duplex_membership_graves;
    ngx_duplex_membership_graves = peer;

    ngx_duplex_membership_funeral.handler = ngx_duplex_membership_free;
    ngx_duplex_membership_funeral.data = &ngx_duplex_membership_dumb;
    ngx_duplex_membership_funeral.log = ngx_cycle->log;

    ngx_post_event(&ngx_duplex_membership_funeral, &ngx_posted_next_events);
}


static void
ngx_duplex_membership_free(ngx_event_t *ev)
{
    ngx_duplex_peer_t  *peer;

    while (ngx_duplex_membership_graves) {
        peer = ngx_duplex_membership_graves;
        ngx_duplex_membership_graves = peer->grave;

        ngx_destroy_pool(peer->pool);
    }
}


/* a place becomes free when the last request leaves it: nobody tells */

static void
ngx_duplex_membership_retry(ngx_event_t *ev)
{
    ngx_uint_t           i, waiting;
    ngx_duplex_peer_t   *peer, *next;
    ngx_duplex_group_t  *group;

    waiting = 0;

    for (i = 0; (group = ngx_duplex_group(i)) != NULL; i++) {

        if (group->unplaced == 0) {
            continue;
        }

        for (peer = ngx_duplex_peer_first(group); peer; peer = next) {
            next = ngx_duplex_peer_next(peer);

            if (!peer->placed) {
                ngx_duplex_membership_refresh(group, &peer->key);
            }
        }

        waiting += group->unplaced;
    }

    if (waiting && !ev->timer_set && !ngx_exiting) {
        ngx_add_timer(ev, NGX_DUPLEX_MEMBERSHIP_RETRY);
    }
}


void
ngx_duplex_membership_start(void)
{
    ngx_uint_t           i;
    ngx_duplex_peer_t   *peer;
    ngx_duplex_group_t  *group;

    ngx_duplex_membership_started = 1;

    ngx_duplex_membership_dumb.fd = (ngx_socket_t) -1;

    ngx_duplex_membership_timer.handler = ngx_duplex_membership_retry;
    ngx_duplex_membership_timer.data = &ngx_duplex_membership_dumb;
    ngx_duplex_membership_timer.log = ngx_cycle->log;
    ngx_duplex_membership_timer.cancelable = 1;

    for (i = 0; (group = ngx_duplex_group(i)) != NULL; i++) {

        for (peer = ngx_duplex_peer_first(group);
             peer;
             peer = ngx_duplex_peer_next(peer))
        {
            ngx_duplex_contributors_added(peer);
        }

        if (group->unplaced && !ngx_duplex_membership_timer.timer_set) {
            ngx_add_timer(&ngx_duplex_membership_timer,
                          NGX_DUPLEX_MEMBERSHIP_RETRY);
        }
    }
}
