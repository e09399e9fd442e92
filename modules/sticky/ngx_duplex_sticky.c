
/*
 * See the header; the names of peers are in ngx_duplex_sid.c.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_page.h"
#include "ngx_duplex_session.h"
#include "ngx_duplex_session_page.h"
#include "ngx_duplex_session_void.h"
#include "ngx_duplex_sticky.h"
#include "ngx_duplex_sticky_counters.h"
#include "ngx_duplex_sticky_explain.h"


#define NGX_DUPLEX_STICKY          "sticky"
#define NGX_DUPLEX_STICKY_COUNT    1000     /* ms that a count is good for */


static void ngx_duplex_sticky_fields(ngx_duplex_peer_t *peer,
    ngx_duplex_json_t *json);
static ngx_uint_t ngx_duplex_sticky_show(ngx_duplex_call_t *call);
static void ngx_duplex_sticky_count_sessions(
    ngx_duplex_sticky_group_t *sticky);


static ngx_duplex_contributor_t  ngx_duplex_sticky_contributor = {
    NULL,                                  /* bits */
    NULL,                                  /* state */
    ngx_duplex_sticky_fields,              /* fields */
    ngx_duplex_sids_added,               /* added */
    ngx_duplex_sids_removed              /* removed */
};


static ngx_duplex_feature_t  ngx_duplex_sticky_feature = {
    ngx_string("sticky"),
    NGX_DUPLEX_LAYER_FEATURE,
    NULL,                                  /* bind */
    ngx_duplex_session_void_commit,        /* commit */
    NULL,                                  /* start */
    NULL,                                  /* take */
    NULL,                                  /* beat */
    NULL,                                  /* wake */
    NULL,                                  /* drop */
    NULL                                   /* stop */
};


static ngx_duplex_page_t  ngx_duplex_sticky_page = {
    ngx_string("duplex/sticky"),
    ngx_duplex_sticky_show, NULL, NULL, NULL, NULL, 1, NULL
};


/* of this worker */
static ngx_duplex_sticky_group_t  *ngx_duplex_sticky_first;

static const char  *ngx_duplex_sticky_words[] = {
    "new", "hit", "rebound", "miss", "forged"
};


ngx_int_t
ngx_duplex_sticky_register(ngx_conf_t *cf)
{
    if (ngx_duplex_find_service(cf, NGX_DUPLEX_STICKY)) {
        return NGX_OK;
    }

    if (ngx_duplex_register_service(cf, NGX_DUPLEX_STICKY,
                                    &ngx_duplex_sticky_contributor)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ngx_duplex_register_kind(cf, &ngx_duplex_session_kind) != NGX_OK
        || ngx_duplex_register_kind(cf, &ngx_duplex_session_void_kind)
           != NGX_OK
        || ngx_duplex_register_feature(cf, &ngx_duplex_sticky_feature)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_duplex_register_contributor(cf, &ngx_duplex_sticky_contributor);
}


ngx_int_t
ngx_duplex_sticky_bind(ngx_conf_t *cf, ngx_duplex_sticky_group_t *sticky,
    ngx_duplex_group_t *group)
{
    sticky->group = group;

    if (ngx_duplex_sticky_offer(cf, &ngx_duplex_sticky_page) != NGX_OK
        || ngx_duplex_sticky_offer(cf, &ngx_duplex_sticky_explain_page)
           != NGX_OK
        || (sticky->zone && ngx_duplex_session_pages(cf) != NGX_OK))
    {
        return NGX_ERROR;
    }

    return ngx_duplex_sticky_add_counters(cf, &sticky->counters_zone);
}


ngx_int_t
ngx_duplex_sticky_offer(ngx_conf_t *cf, ngx_duplex_page_t *page)
{
    const char  *path;

    path = (char *) page->path.data;

    if (ngx_duplex_find_service(cf, path)) {
        return NGX_OK;
    }

    if (ngx_duplex_register_service(cf, path, page) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_duplex_register_page(cf, page);
}


void
ngx_duplex_sticky_start(ngx_duplex_sticky_group_t *sticky)
{
    ngx_rbtree_init(&sticky->sids, &sticky->sentinel, ngx_rbtree_insert_value);

    sticky->counters = ngx_duplex_sticky_counters(sticky->counters_zone,
                                                  sticky->group);

    sticky->next = ngx_duplex_sticky_first;
    ngx_duplex_sticky_first = sticky;
}


ngx_duplex_sticky_group_t *
ngx_duplex_sticky_groups(void)
{
    return ngx_duplex_sticky_first;
}


ngx_duplex_sticky_group_t *
ngx_duplex_sticky_of(ngx_duplex_group_t *group)
{
    ngx_duplex_sticky_group_t  *sticky;

    for (sticky = ngx_duplex_sticky_first; sticky; sticky = sticky->next) {
        if (sticky->group == group) {
            return sticky;
        }
    }

    return NULL;
}


void
ngx_duplex_sticky_count(ngx_duplex_sticky_group_t *sticky,
    ngx_duplex_sticky_status_e status)
{
    if (sticky->counters) {
        (void) ngx_atomic_fetch_add(&sticky->counters[status], 1);
    }
}


ngx_uint_t
ngx_duplex_sticky_sessions(ngx_duplex_sticky_group_t *sticky,
    ngx_duplex_peer_t *peer)
{
    ngx_duplex_sid_t  *sid;

    if (sticky->counted_at == 0
        || ngx_current_msec - sticky->counted_at >= NGX_DUPLEX_STICKY_COUNT)
    {
        ngx_duplex_sticky_count_sessions(sticky);
    }

    sid = ngx_duplex_sid_of(sticky, peer);

    return sid ? sid->sessions : 0;
}


/* without memory the last figures stay */

static void
ngx_duplex_sticky_count_sessions(ngx_duplex_sticky_group_t *sticky)
{
    uint64_t           *hashes;
    ngx_uint_t          i, n, *counts;
    ngx_duplex_sid_t   *sid;
    ngx_duplex_peer_t  *peer;

    n = sticky->group->npeers;

    hashes = ngx_alloc(n * sizeof(uint64_t) + n * sizeof(ngx_uint_t),
                       ngx_cycle->log);
    if (hashes == NULL) {
        return;
    }

    counts = (ngx_uint_t *) (hashes + n);

    for (i = 0, peer = ngx_duplex_peer_first(sticky->group);
         peer && i < n;
         i++, peer = ngx_duplex_peer_next(peer))
    {
        hashes[i] = peer->hash;
    }

    ngx_duplex_dense_count(sticky->zone->table, hashes, counts, i,
                           ngx_current_msec);

    while (i) {
        peer = ngx_duplex_peer_by_hash(sticky->group, hashes[--i]);
        sid = ngx_duplex_sid_of(sticky, peer);

        if (sid) {
            sid->sessions = counts[i];
        }
    }

    ngx_free(hashes);

    sticky->counted_at = ngx_current_msec;
}


static void
ngx_duplex_sticky_fields(ngx_duplex_peer_t *peer, ngx_duplex_json_t *json)
{
    ngx_duplex_sticky_group_t  *sticky;

    sticky = ngx_duplex_sticky_of(peer->group);

    if (sticky && sticky->zone) {
        ngx_duplex_json_integer(json, "sessions",
                                ngx_duplex_sticky_sessions(sticky, peer));
    }
}


static ngx_uint_t
ngx_duplex_sticky_show(ngx_duplex_call_t *call)
{
    ngx_uint_t                  i;
    ngx_duplex_json_t          *json;
    ngx_duplex_sticky_group_t  *sticky;

    json = call->json;

    ngx_duplex_json_object(json, NULL);

    for (sticky = ngx_duplex_sticky_first; sticky; sticky = sticky->next) {

        if (sticky->counters == NULL) {
            continue;
        }

        ngx_duplex_json_object_named(json, &sticky->group->zone);

        for (i = 0; i < ngx_duplex_sticky_last; i++) {
            ngx_duplex_json_integer(json, ngx_duplex_sticky_words[i],
                                    sticky->counters[i]);
        }

        ngx_duplex_json_object_end(json);
    }

    ngx_duplex_json_object_end(json);

    return NGX_DUPLEX_CALL_OK;
}


const char *
ngx_duplex_sticky_word(ngx_uint_t status)
{
    return ngx_duplex_sticky_words[status];
}
