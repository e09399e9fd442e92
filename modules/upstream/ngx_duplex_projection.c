
/*
 * The projection: from file, administrator and contributors to the word
 * `down` of a stock peer.
 *
 * Owns nothing.  Any process may project a peer at any time after commit.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_identity.h"
#include "ngx_duplex_admin.h"
#include "ngx_duplex_bound.h"
#include "ngx_duplex_group.h"
#include "ngx_duplex_panic.h"
#include "ngx_duplex_stock.h"


/* who is selectable, leaving out health: what people decide */
#define NGX_DUPLEX_DOWN_DECIDED                                               \
    (NGX_DUPLEX_DOWN_CONFIG|NGX_DUPLEX_DOWN_ADMIN|NGX_DUPLEX_DOWN_DRAIN)


static ngx_int_t ngx_duplex_projection_write(ngx_duplex_peer_t *peer,
    ngx_uint_t *was, ngx_uint_t *bits);
static ngx_int_t ngx_duplex_projection_mark(ngx_duplex_peer_t *peer,
    ngx_uint_t *was, ngx_uint_t *bits);
static void ngx_duplex_projection_log(ngx_duplex_peer_t *peer,
    ngx_uint_t was, ngx_uint_t bits);


void
ngx_duplex_projection_commit(ngx_duplex_group_t *group)
{
    ngx_uint_t          was, bits;
    ngx_duplex_peer_t  *peer;

    (void) ngx_duplex_panic_update(group);

    for (peer = ngx_duplex_peer_first(group);
         peer;
         peer = ngx_duplex_peer_next(peer))
    {
        (void) ngx_duplex_projection_write(peer, &was, &bits);
    }
}


void
ngx_duplex_peer_project(ngx_duplex_peer_t *peer)
{
    ngx_uint_t  was, bits;

    if (peer->group->shm.len == 0) {
        return;
    }

    if (ngx_duplex_projection_write(peer, &was, &bits) != NGX_OK) {
        return;
    }

    /* whoever found the change, each worker has sessions of its own */

    if (bits & ~NGX_DUPLEX_DOWN_DRAIN) {
        ngx_duplex_bound_end(peer);
    }

    ngx_duplex_panic_post(peer->group);

    /*
     * Whoever finds the change not made yet tells of it, so a node tells
     * once.  Workers of an earlier configuration have stock peers of their
     * own, and keep silent.
     */

    if (((was ^ bits) & NGX_DUPLEX_DOWN_DECIDED) && !ngx_duplex_superseded()) {
        ngx_duplex_projection_log(peer, was, bits);
    }
}


/*
 * Not all that bits are made of is in the store, and under a flood of changes
 * a look is never the last one: whoever writes looks again.
 */

static ngx_int_t
ngx_duplex_projection_write(ngx_duplex_peer_t *peer, ngx_uint_t *was,
    ngx_uint_t *bits)
{
    ngx_int_t   rc;
    ngx_uint_t  again, before;

    rc = ngx_duplex_projection_mark(peer, was, bits);

    while (rc == NGX_OK) {
        again = ngx_duplex_panic_bits(peer, ngx_duplex_projection_bits(peer));

        if (again == *bits) {
            break;
        }

        rc = ngx_duplex_projection_mark(peer, &before, bits);
    }

    return rc;
}


static ngx_int_t
ngx_duplex_projection_mark(ngx_duplex_peer_t *peer, ngx_uint_t *was,
    ngx_uint_t *bits)
{
    uint64_t    look;
    ngx_int_t   rc;
    ngx_uint_t  i;

    i = 0;

    do {
        look = (i++ < NGX_DUPLEX_STOCK_LOOKS) ? ngx_duplex_stock_look() : 0;

        *bits = ngx_duplex_panic_bits(peer, ngx_duplex_projection_bits(peer));

        rc = ngx_duplex_peer_mark(peer, *bits, look, was);

    } while (rc == NGX_AGAIN);

    return rc;
}


ngx_uint_t
ngx_duplex_projection_bits(ngx_duplex_peer_t *peer)
{
    ngx_uint_t                 i, bits;
    ngx_duplex_contributor_t  *contributor;

    switch (ngx_duplex_peer_admin(peer)) {

    case ngx_duplex_admin_up:
        bits = 0;
        break;

    case ngx_duplex_admin_down:
        bits = NGX_DUPLEX_DOWN_ADMIN;
        break;

    case ngx_duplex_admin_drain:
        bits = NGX_DUPLEX_DOWN_DRAIN;
        break;

    default: /* ngx_duplex_admin_none */
        bits = ngx_duplex_state_bits(peer->file.state);
    }

    for (i = 0; (contributor = ngx_duplex_contributor(i)) != NULL; i++) {
        if (contributor->bits) {
            bits |= contributor->bits(peer);
        }
    }

    return bits;
}


ngx_uint_t
ngx_duplex_state_bits(ngx_duplex_admin_e state)
{
    switch (state) {

    case ngx_duplex_admin_down:
        return NGX_DUPLEX_DOWN_CONFIG;

    case ngx_duplex_admin_drain:
        return NGX_DUPLEX_DOWN_DRAIN;

    default:
        return 0;
    }
}


static void
ngx_duplex_projection_log(ngx_duplex_peer_t *peer, ngx_uint_t was,
    ngx_uint_t bits)
{
    u_char               buf[2 * NGX_DUPLEX_REASON_MAX];
    size_t               i;
    uint64_t             when;
    const char          *state, *reason, *rest;
    ngx_duplex_audit_t   audit;

    if (bits & (NGX_DUPLEX_DOWN_CONFIG|NGX_DUPLEX_DOWN_ADMIN)) {
        state = "now down";

    } else if (bits & NGX_DUPLEX_DOWN_DRAIN) {
        state = "now draining";

    } else if (bits == 0) {
        state = "now up";

    } else if (was & (NGX_DUPLEX_DOWN_CONFIG|NGX_DUPLEX_DOWN_ADMIN)) {
        state = "no longer down";

    } else {
        state = "no longer draining";
    }

    reason = (ngx_duplex_peer_admin(peer) == ngx_duplex_admin_none
              && peer->life == 0)
             ? "configuration" : "administrator";

    if (ngx_duplex_peer_admin(peer) == ngx_duplex_admin_none
        || ngx_duplex_admin_last(peer, NGX_DUPLEX_SET_STATE, &audit, &when,
                                 buf, sizeof(buf))
           != NGX_OK)
    {
        ngx_str_null(&audit.reason);
    }

    /* a line of the log is one line, whatever somebody has written */

    for (i = 0; i < audit.reason.len; i++) {
        if (audit.reason.data[i] < ' ' || audit.reason.data[i] == 0x7f) {
            audit.reason.data[i] = ' ';
        }
    }

    rest = ngx_duplex_peer_contributed(peer);

    ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                  "peer \"%V\" in %s \"%V\" is %s: %s%s%V%s%s%s",
                  &peer->name, peer->group->driver->title,
                  &peer->group->name, state, reason,
                  audit.reason.len ? " (" : "", &audit.reason,
                  audit.reason.len ? ")" : "",
                  rest ? ", still " : "", rest ? rest : "");
}


const char *
ngx_duplex_peer_contributed(ngx_duplex_peer_t *peer)
{
    ngx_uint_t                 i;
    const char                *state;
    ngx_duplex_contributor_t  *contributor;

    for (i = 0; (contributor = ngx_duplex_contributor(i)) != NULL; i++) {
        state = contributor->state ? contributor->state(peer) : NULL;

        if (state) {
            return state;
        }
    }

    return NULL;
}


const char *
ngx_duplex_peer_state(ngx_duplex_peer_t *peer, ngx_duplex_peer_status_t *status)
{
    const char  *state;

    if (status->down & (NGX_DUPLEX_DOWN_CONFIG|NGX_DUPLEX_DOWN_ADMIN)) {
        return "down";
    }

    state = ngx_duplex_peer_contributed(peer);

    if (state) {
        return state;
    }

    if (status->down & NGX_DUPLEX_DOWN_HEALTH) {

        /* the contributor's word is about to be projected */

        return "unhealthy";
    }

    if (status->down & NGX_DUPLEX_DOWN_DRAIN) {
        return "draining";
    }

    return status->unavail ? "unavail" : "up";
}


void
ngx_duplex_peer_fields(ngx_duplex_peer_t *peer, ngx_duplex_json_t *json)
{
    ngx_uint_t                 i;
    ngx_duplex_contributor_t  *contributor;

    for (i = 0; (contributor = ngx_duplex_contributor(i)) != NULL; i++) {
        if (contributor->fields) {
            contributor->fields(peer, json);
        }
    }
}
