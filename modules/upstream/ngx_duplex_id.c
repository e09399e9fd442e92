
/*
 * The ids that servers have in the API.
 *
 * Those of the file have the first ones, in its order; who is added gets the
 * smallest that nobody has or had.  An id is a part of what the nodes tell
 * each other: if two have come by the same, the earlier life keeps it, and
 * whoever finds that out tells which one the other has from then on.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_identity.h"
#include "ngx_duplex_admin.h"
#include "ngx_duplex_group.h"
#include "ngx_duplex_id.h"
#include "ngx_duplex_line.h"
#include "ngx_duplex_membership.h"


static void ngx_duplex_ids_cleanup(void *data);


void
ngx_duplex_ids_commit(ngx_duplex_group_t *group, ngx_pool_t *pool)
{
    ngx_uint_t            i;
    ngx_duplex_line_t   **line;
    ngx_pool_cleanup_t   *cln;

    cln = ngx_pool_cleanup_add(pool, 0);
    if (cln) {
        cln->handler = ngx_duplex_ids_cleanup;
        cln->data = group;
    }

    line = group->lines.elts;

    for (i = 0; i < group->lines.nelts; i++) {
        ngx_duplex_id_use(group, line[i]->id);
    }
}


static void
ngx_duplex_ids_cleanup(void *data)
{
    ngx_duplex_group_t *group = data;

    if (group->used) {
        ngx_free(group->used);
        group->used = NULL;
        group->nused = 0;
    }
}


/* of two with one id the earlier life keeps it, a line's before all */

ngx_uint_t
ngx_duplex_id_claim(ngx_duplex_peer_t *peer, ngx_uint_t id)
{
    ngx_uint_t           free;
    ngx_duplex_peer_t   *other;
    ngx_duplex_group_t  *group;

    group = peer->group;

    ngx_duplex_id_use(group, id);

    other = ngx_duplex_peer_by_id(group, id);

    if (other == NULL) {
        return id;
    }

    free = ngx_duplex_id_next(group);

    ngx_duplex_id_use(group, free);

    if (other->life <= peer->life) {
        return free;
    }

    ngx_duplex_peer_delete(other);
    ngx_duplex_peer_insert(other, free);
    ngx_duplex_id_tell(other);

    return id;
}


/* the others on this node and elsewhere come to the same, or are told */

void
ngx_duplex_id_tell(ngx_duplex_peer_t *peer)
{
    ngx_duplex_audit_t  audit;

    if (peer->id == peer->said
        || peer->life == 0
        || !ngx_duplex_membership_is_started()
        || ngx_duplex_superseded())
    {
        return;
    }

    ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                  "peer \"%V\" in %s \"%V\" has id %ui from now on: %ui is "
                  "another's", &peer->name, peer->group->driver->title,
                  &peer->group->name, peer->id, peer->said);

    peer->said = peer->id;

    ngx_memzero(&audit, sizeof(ngx_duplex_audit_t));

    (void) ngx_duplex_admin_put(peer, NGX_DUPLEX_SET_ID, NULL, peer->id,
                                &audit);
}


void
ngx_duplex_id_use(ngx_duplex_group_t *group, ngx_uint_t id)
{
    u_char      *used;
    ngx_uint_t   n;

    if (id > NGX_DUPLEX_ID_MAX) {
        return;
    }

    if (id >= group->nused) {

        n = ngx_max(id + 1, 2 * group->nused);

        used = ngx_calloc(n, ngx_cycle->log);
        if (used == NULL) {
            return;
        }

        if (group->used) {
            ngx_memcpy(used, group->used, group->nused);
            ngx_free(group->used);
        }

        group->used = used;
        group->nused = n;
    }

    group->used[id] = 1;
}


ngx_uint_t
ngx_duplex_id_next(ngx_duplex_group_t *group)
{
    ngx_uint_t  id;

    for (id = 0; id < group->nused && group->used[id]; id++) {
        /* void */
    }

    while (ngx_duplex_peer_by_id(group, id)) {
        id++;
    }

    return id;
}


/* another worker may be about to give out the same one */

ngx_uint_t
ngx_duplex_id_take(ngx_duplex_group_t *group)
{
    ngx_uint_t     id;
    ngx_atomic_t  *last, was;

    id = ngx_duplex_id_next(group);

    if (group->last_id == NULL) {
        return id;
    }

    last = group->last_id;

    do {
        was = *last;
        id = ngx_max(id, was);

    } while (!ngx_atomic_cmp_set(last, was, id + 1));

    return id;
}
