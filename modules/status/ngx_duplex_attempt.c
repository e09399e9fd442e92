
/*
 * See the header.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_attempt.h"


typedef struct {
    ngx_duplex_group_t              *group;
    ngx_str_t                        name;      /* of the peer chosen */
    ngx_duplex_attempt_pt            count;
    void                            *count_data;

    void                            *data;
    ngx_event_get_peer_pt            get;
    ngx_event_free_peer_pt           free;
    ngx_event_notify_peer_pt         notify;
    ngx_event_set_peer_session_pt    set_session;
    ngx_event_save_peer_session_pt   save_session;
} ngx_duplex_attempt_t;


static ngx_int_t ngx_duplex_attempt_get(ngx_peer_connection_t *pc, void *data);
static void ngx_duplex_attempt_free(ngx_peer_connection_t *pc, void *data,
    ngx_uint_t state);
static ngx_uint_t ngx_duplex_attempt_is_out(ngx_duplex_peer_t *peer);
static void ngx_duplex_attempt_notify(ngx_peer_connection_t *pc, void *data,
    ngx_uint_t type);
static ngx_int_t ngx_duplex_attempt_set_session(ngx_peer_connection_t *pc,
    void *data);
static void ngx_duplex_attempt_save_session(ngx_peer_connection_t *pc,
    void *data);


ngx_int_t
ngx_duplex_attempt_watch(ngx_peer_connection_t *pc, ngx_pool_t *pool,
    ngx_duplex_group_t *group, ngx_duplex_attempt_pt count, void *data)
{
    ngx_duplex_attempt_t  *attempt;

    attempt = ngx_palloc(pool, sizeof(ngx_duplex_attempt_t));
    if (attempt == NULL) {
        return NGX_ERROR;
    }

    attempt->group = group;
    attempt->name.len = 0;
    attempt->count = count;
    attempt->count_data = data;

    attempt->data = pc->data;
    attempt->get = pc->get;
    attempt->free = pc->free;
    attempt->notify = pc->notify;
    attempt->set_session = pc->set_session;
    attempt->save_session = pc->save_session;

    pc->data = attempt;
    pc->get = ngx_duplex_attempt_get;
    pc->free = ngx_duplex_attempt_free;

    if (pc->notify) {
        pc->notify = ngx_duplex_attempt_notify;
    }

    if (pc->set_session) {
        pc->set_session = ngx_duplex_attempt_set_session;
    }

    if (pc->save_session) {
        pc->save_session = ngx_duplex_attempt_save_session;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_duplex_attempt_get(ngx_peer_connection_t *pc, void *data)
{
    ngx_duplex_attempt_t *attempt = data;

    ngx_int_t                 rc;
    ngx_duplex_peer_entry_t  *entry;

    rc = attempt->get(pc, attempt->data);

    attempt->name.len = 0;

    if ((rc != NGX_OK && rc != NGX_DONE) || pc->name == NULL) {
        return rc;
    }

    entry = ngx_duplex_peer_counters_find(attempt->group, pc->name);

    if (entry) {
        attempt->name = *pc->name;
        ngx_duplex_peer_counters_select(entry->cell);
    }

    return rc;
}


static void
ngx_duplex_attempt_free(ngx_peer_connection_t *pc, void *data,
    ngx_uint_t state)
{
    ngx_duplex_attempt_t *attempt = data;

    ngx_uint_t                failed, out;
    ngx_duplex_peer_t        *peer;
    ngx_duplex_cell_t        *cell;
    ngx_duplex_peer_entry_t  *entry;

    entry = attempt->name.len ? ngx_duplex_peer_counters_find(attempt->group,
                                                              &attempt->name)
                              : NULL;

    if (entry == NULL) {
        attempt->free(pc, attempt->data, state);
        return;
    }

    peer = entry->peer;
    cell = entry->cell;

    attempt->count(cell, attempt->count_data);

    failed = state & NGX_PEER_FAILED;
    out = failed ? ngx_duplex_attempt_is_out(peer) : 0;

    attempt->free(pc, attempt->data, state);

    if (!failed) {
        return;
    }

    ngx_duplex_count(cell, NGX_DUPLEX_PEER_FAILS, 1);

    if (!out && ngx_duplex_attempt_is_out(peer)) {
        ngx_duplex_count(cell, NGX_DUPLEX_PEER_UNAVAIL, 1);
    }
}


static ngx_uint_t
ngx_duplex_attempt_is_out(ngx_duplex_peer_t *peer)
{
    ngx_duplex_peer_status_t  status;

    return ngx_duplex_peer_read(peer, &status) == NGX_OK && status.unavail;
}


static void
ngx_duplex_attempt_notify(ngx_peer_connection_t *pc, void *data,
    ngx_uint_t type)
{
    ngx_duplex_attempt_t *attempt = data;

    attempt->notify(pc, attempt->data, type);
}


static ngx_int_t
ngx_duplex_attempt_set_session(ngx_peer_connection_t *pc, void *data)
{
    ngx_duplex_attempt_t *attempt = data;

    return attempt->set_session(pc, attempt->data);
}


static void
ngx_duplex_attempt_save_session(ngx_peer_connection_t *pc, void *data)
{
    ngx_duplex_attempt_t *attempt = data;

    attempt->save_session(pc, attempt->data);
}
