
/*
 * Why a server is in or out, in the words of this node: its state, the
 * verdicts of all nodes, and for each check the last results.
 *
 * Reads records only.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_identity.h"
#include "ngx_duplex_explain.h"
#include "ngx_duplex_health.h"


#define NGX_DUPLEX_EXPLAIN_NOT_FOUND  404
#define NGX_DUPLEX_EXPLAIN_BAD        400


static ngx_uint_t ngx_duplex_explain_get(ngx_duplex_call_t *call);
static ngx_duplex_peer_t *ngx_duplex_explain_find(ngx_duplex_group_t *group,
    ngx_str_t *server);
static void ngx_duplex_explain_peer(ngx_duplex_json_t *json,
    ngx_duplex_peer_t *peer);
static void ngx_duplex_explain_check(ngx_duplex_json_t *json,
    ngx_duplex_peer_t *peer, ngx_duplex_check_t *check);
static void ngx_duplex_explain_results(ngx_duplex_json_t *json,
    ngx_duplex_probed_t *probed);


ngx_duplex_page_t  ngx_duplex_explain_page = {
    ngx_string("duplex/explain/peer"),
    ngx_duplex_explain_get,                /* get */
    NULL,                                  /* post */
    NULL,                                  /* patch */
    NULL,                                  /* put */
    NULL,                                  /* del */
    0,                                     /* collection */
    NULL                                   /* data */
};


static ngx_uint_t
ngx_duplex_explain_get(ngx_duplex_call_t *call)
{
    ngx_int_t            rc;
    ngx_str_t            protocol, upstream, server;
    ngx_duplex_peer_t   *peer;
    ngx_duplex_group_t  *group;

    rc = ngx_duplex_call_arg(call, "protocol", &protocol);

    if (rc == NGX_DECLINED) {
        ngx_str_set(&protocol, "http");
    }

    if (rc == NGX_ERROR
        || ngx_duplex_call_arg(call, "upstream", &upstream) != NGX_OK
        || ngx_duplex_call_arg(call, "server", &server) != NGX_OK)
    {
        return ngx_duplex_call_refuse(call, NGX_DUPLEX_EXPLAIN_BAD,
                                      "ExplainArguments",
                                      "\"upstream\" and \"server\" must be "
                                      "given as arguments");
    }

    group = ngx_duplex_group_find(&protocol, &upstream);

    if (group == NULL) {
        return ngx_duplex_call_refuse(call, NGX_DUPLEX_EXPLAIN_NOT_FOUND,
                                      "UpstreamNotFound",
                                      "upstream not found");
    }

    peer = ngx_duplex_explain_find(group, &server);

    if (peer == NULL) {
        return ngx_duplex_call_refuse(call, NGX_DUPLEX_EXPLAIN_NOT_FOUND,
                                      "UpstreamServerNotFound",
                                      "server not found");
    }

    ngx_duplex_explain_peer(call->json, peer);

    return NGX_DUPLEX_CALL_OK;
}


/* by address, as it was written, or by id */

static ngx_duplex_peer_t *
ngx_duplex_explain_find(ngx_duplex_group_t *group, ngx_str_t *server)
{
    ngx_int_t           id;
    ngx_duplex_peer_t  *peer;

    for (peer = ngx_duplex_peer_first(group);
         peer;
         peer = ngx_duplex_peer_next(peer))
    {
        if ((peer->name.len == server->len
             && ngx_memcmp(peer->name.data, server->data, server->len) == 0)
            || (peer->server.len == server->len
                && ngx_memcmp(peer->server.data, server->data, server->len)
                   == 0))
        {
            return peer;
        }
    }

    id = ngx_atoi(server->data, server->len);

    return id == NGX_ERROR ? NULL : ngx_duplex_peer_by_id(group, id);
}


static void
ngx_duplex_explain_peer(ngx_duplex_json_t *json, ngx_duplex_peer_t *peer)
{
    ngx_duplex_check_t        *check;
    ngx_duplex_peer_status_t   status;

    ngx_duplex_json_object(json, NULL);

    ngx_duplex_json_string(json, "node", &ngx_duplex_identity()->name);
    ngx_duplex_json_string(json, "protocol", &peer->group->driver->protocol);
    ngx_duplex_json_string(json, "upstream", &peer->group->name);
    ngx_duplex_json_integer(json, "id", peer->id);
    ngx_duplex_json_string(json, "server", &peer->name);
    ngx_duplex_json_string(json, "name", &peer->server);

    if (ngx_duplex_peer_read(peer, &status) == NGX_OK) {
        ngx_duplex_json_text(json, "state",
                             ngx_duplex_peer_state(peer, &status));
        ngx_duplex_json_integer(json, "active", status.conns);
    }

    ngx_duplex_peer_fields(peer, json);

    ngx_duplex_json_array(json, "checks");

    for (check = ngx_duplex_check_first(peer->group);
         check;
         check = check->next)
    {
        ngx_duplex_explain_check(json, peer, check);
    }

    ngx_duplex_json_array_end(json);
    ngx_duplex_json_object_end(json);
}


static void
ngx_duplex_explain_check(ngx_duplex_json_t *json, ngx_duplex_peer_t *peer,
    ngx_duplex_check_t *check)
{
    ngx_str_t            text;
    ngx_duplex_probed_t  probed;

    ngx_duplex_health_probed(peer, check, &probed);

    ngx_duplex_json_object(json, NULL);

    ngx_duplex_json_string(json, "check", &check->text);
    ngx_duplex_json_text(json, "state", ngx_duplex_verdict_word(probed.state));
    ngx_duplex_json_integer(json, "interval", check->policy.interval);
    ngx_duplex_json_integer(json, "failed", probed.failed);
    ngx_duplex_json_integer(json, "of_fails", check->policy.fails);
    ngx_duplex_json_integer(json, "passed", probed.passed);
    ngx_duplex_json_integer(json, "of_passes", check->policy.passes);
    ngx_duplex_json_integer(json, "checks", probed.checks);
    ngx_duplex_json_integer(json, "fails", probed.fails);
    ngx_duplex_json_integer(json, "faults", probed.faults);

    if (probed.text_len) {
        text.data = probed.text;
        text.len = probed.text_len;

        ngx_duplex_json_string(json, "last_failure", &text);
    }

    ngx_duplex_explain_results(json, &probed);

    ngx_duplex_json_object_end(json);
}


/* the latest first; times are of the starts */

static void
ngx_duplex_explain_results(ngx_duplex_json_t *json,
    ngx_duplex_probed_t *probed)
{
    uint64_t                     time;
    ngx_uint_t                   i;
    ngx_duplex_probed_result_t  *result;

    ngx_duplex_json_array(json, "results");

    time = probed->time;

    for (i = 0; i < probed->nresults; i++) {
        result = &probed->results[i];

        time -= result->ago;

        ngx_duplex_json_object(json, NULL);
        ngx_duplex_json_time(json, "time", time);
        ngx_duplex_json_integer(json, "duration", result->duration);
        ngx_duplex_json_boolean(json, "passed",
                                result->reason == ngx_duplex_reason_none);
        ngx_duplex_json_text(json, "reason",
                             ngx_duplex_reason_word(result->reason));

        if (result->status) {
            ngx_duplex_json_integer(json, "status", result->status);
        }

        ngx_duplex_json_object_end(json);
    }

    ngx_duplex_json_array_end(json);
}
