
/*
 * Where a request would go, and why: the server that a cookie, a route or
 * another key is bound to, and whether it would be served there.
 *
 * It looks as a request does, but takes nothing, prolongs nothing and counts
 * nothing.  Whom a balancer would choose depends on all that it did before,
 * so that is not foretold: the answer names who may be chosen.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_identity.h"
#include "ngx_duplex_session.h"
#include "ngx_duplex_sticky.h"
#include "ngx_duplex_sticky_explain.h"


typedef struct {
    ngx_duplex_sticky_group_t   *sticky;
    ngx_str_t                    value;
    ngx_duplex_session_t         session;

    ngx_duplex_sticky_status_e   status;
    ngx_duplex_peer_t           *peer;      /* NULL: the balancer chooses */
    const char                  *state;     /* of the peer it is bound to */
    const char                  *why;
} ngx_duplex_sticky_explain_t;


static ngx_uint_t ngx_duplex_sticky_explain_get(ngx_duplex_call_t *call);
static void ngx_duplex_sticky_explain_session(
    ngx_duplex_sticky_explain_t *explain);
static void ngx_duplex_sticky_explain_sid(
    ngx_duplex_sticky_explain_t *explain);
static ngx_uint_t ngx_duplex_sticky_explain_peer(
    ngx_duplex_sticky_explain_t *explain, ngx_duplex_peer_t *peer);
static const char *ngx_duplex_sticky_explain_state(ngx_duplex_peer_t *peer);
static ngx_uint_t ngx_duplex_sticky_explain_serves(const char *state);
static void ngx_duplex_sticky_explain_show(ngx_duplex_json_t *json,
    ngx_duplex_sticky_explain_t *explain);
static void ngx_duplex_sticky_explain_candidates(ngx_duplex_json_t *json,
    ngx_duplex_group_t *group);


ngx_duplex_page_t  ngx_duplex_sticky_explain_page = {
    ngx_string("duplex/explain/request"),
    ngx_duplex_sticky_explain_get,         /* get */
    NULL,                                  /* post */
    NULL,                                  /* patch */
    NULL,                                  /* put */
    NULL,                                  /* del */
    0,                                     /* collection */
    NULL                                   /* data */
};


static ngx_uint_t
ngx_duplex_sticky_explain_get(ngx_duplex_call_t *call)
{
    ngx_int_t                     rc;
    ngx_str_t                     protocol, upstream;
    ngx_duplex_group_t           *group;
    ngx_duplex_sticky_explain_t   explain;

    ngx_memzero(&explain, sizeof(ngx_duplex_sticky_explain_t));

    rc = ngx_duplex_call_arg(call, "protocol", &protocol);

    if (rc == NGX_DECLINED) {
        ngx_str_set(&protocol, "http");
    }

    if (rc == NGX_ERROR
        || ngx_duplex_call_arg(call, "upstream", &upstream) != NGX_OK)
    {
        return ngx_duplex_call_refuse(call, 400, "ExplainArguments",
                                      "\"upstream\" must be given as argument");
    }

    group = ngx_duplex_group_find(&protocol, &upstream);

    if (group == NULL) {
        return ngx_duplex_call_refuse(call, 404, "UpstreamNotFound",
                                      "upstream not found");
    }

    explain.sticky = ngx_duplex_sticky_of(group);

    if (explain.sticky == NULL) {
        return ngx_duplex_call_refuse(call, 400, "UpstreamNotSticky",
                                      "upstream \"%V\" has no \"sticky\": its "
                                      "balancer alone chooses", &upstream);
    }

    rc = ngx_duplex_call_arg(call, "value", &explain.value);

    if (rc == NGX_ERROR) {
        return 500;
    }

    if (rc == NGX_DECLINED || explain.value.len == 0) {
        explain.status = ngx_duplex_sticky_new;
        explain.why = "the request names nothing";

    } else if (explain.sticky->zone) {
        ngx_duplex_sticky_explain_session(&explain);

    } else {
        ngx_duplex_sticky_explain_sid(&explain);
    }

    ngx_duplex_sticky_explain_show(call->json, &explain);

    return NGX_DUPLEX_CALL_OK;
}


static void
ngx_duplex_sticky_explain_session(ngx_duplex_sticky_explain_t *explain)
{
    ngx_duplex_peer_t          *peer;
    ngx_duplex_sticky_group_t  *sticky;

    sticky = explain->sticky;
    explain->status = ngx_duplex_sticky_miss;

    ngx_duplex_session_name(&explain->session, &sticky->hash_key,
                            &explain->value);

    if (ngx_duplex_session_find(sticky->zone, &explain->session) != NGX_OK) {
        explain->why = "there is no such session";
        return;
    }

    peer = ngx_duplex_peer_by_hash(sticky->group, explain->session.server);

    if (peer == NULL) {
        explain->why = "its session is bound to a server that is not in this "
                       "node's group";
        return;
    }

    explain->why = ngx_duplex_sticky_explain_peer(explain, peer)
                   ? "its session is bound to this server"
                   : "its session is bound to a server that takes no request";
}


/* a name may belong to several peers: the first that serves is taken */

static void
ngx_duplex_sticky_explain_sid(ngx_duplex_sticky_explain_t *explain)
{
    ngx_uint_t         forged;
    ngx_duplex_sid_t  *sid;

    sid = ngx_duplex_sid_find(explain->sticky, &explain->value, &forged);

    if (sid == NULL) {
        explain->status = forged ? ngx_duplex_sticky_forged
                                 : ngx_duplex_sticky_miss;
        explain->why = forged ? "its signature is not good"
                              : "it names no server of this group";
        return;
    }

    for ( /* void */ ; sid; sid = ngx_duplex_sid_next(explain->sticky, sid)) {

        if (ngx_duplex_sticky_explain_peer(explain, sid->peer)) {
            explain->why = "it names this server";
            return;
        }
    }

    explain->why = "it names a server that takes no request";
}


/* 1: it would be served there */

static ngx_uint_t
ngx_duplex_sticky_explain_peer(ngx_duplex_sticky_explain_t *explain,
    ngx_duplex_peer_t *peer)
{
    explain->peer = peer;
    explain->state = ngx_duplex_sticky_explain_state(peer);

    if (ngx_duplex_sticky_explain_serves(explain->state)) {
        explain->status = ngx_duplex_sticky_hit;
        return 1;
    }

    explain->status = ngx_duplex_sticky_rebound;

    return 0;
}


static const char *
ngx_duplex_sticky_explain_state(ngx_duplex_peer_t *peer)
{
    ngx_duplex_peer_status_t  status;

    if (ngx_duplex_peer_read(peer, &status) != NGX_OK) {
        return "down";
    }

    if (peer->set.max_conns && status.conns >= peer->set.max_conns
        && ngx_strcmp(ngx_duplex_peer_state(peer, &status), "up") == 0)
    {
        return "busy";
    }

    return ngx_duplex_peer_state(peer, &status);
}


/* who is bound to a draining server is still served there */

static ngx_uint_t
ngx_duplex_sticky_explain_serves(const char *state)
{
    return ngx_strcmp(state, "up") == 0 || ngx_strcmp(state, "draining") == 0;
}


static void
ngx_duplex_sticky_explain_show(ngx_duplex_json_t *json,
    ngx_duplex_sticky_explain_t *explain)
{
    ngx_duplex_group_t  *group;

    group = explain->sticky->group;

    ngx_duplex_json_object(json, NULL);

    ngx_duplex_json_string(json, "node", &ngx_duplex_identity()->name);
    ngx_duplex_json_string(json, "protocol", &group->driver->protocol);
    ngx_duplex_json_string(json, "upstream", &group->name);
    ngx_duplex_json_text(json, "status",
                         ngx_duplex_sticky_word(explain->status));
    ngx_duplex_json_text(json, "why", explain->why);

    if (explain->peer) {
        ngx_duplex_json_integer(json, "server_id", explain->peer->id);
        ngx_duplex_json_string(json, "server", &explain->peer->name);
        ngx_duplex_json_text(json, "state", explain->state);
    }

    if (explain->peer && explain->sticky->zone) {
        ngx_duplex_json_integer(json, "expires_in", explain->session.left);
    }

    if (explain->status != ngx_duplex_sticky_hit) {
        ngx_duplex_sticky_explain_candidates(json, group);
    }

    ngx_duplex_json_object_end(json);
}


/* of whom the balancer chooses: the backups only if no other is there */

static void
ngx_duplex_sticky_explain_candidates(ngx_duplex_json_t *json,
    ngx_duplex_group_t *group)
{
    ngx_uint_t          backup, found;
    ngx_duplex_peer_t  *peer;

    ngx_duplex_json_array(json, "candidates");

    found = 0;

    for (backup = 0; backup < 2 && !found; backup++) {

        for (peer = ngx_duplex_peer_first(group);
             peer;
             peer = ngx_duplex_peer_next(peer))
        {
            if (peer->backup == backup
                && ngx_strcmp(ngx_duplex_sticky_explain_state(peer), "up")
                   == 0)
            {
                ngx_duplex_json_string(json, NULL, &peer->name);
                found = 1;
            }
        }
    }

    ngx_duplex_json_array_end(json);
}
