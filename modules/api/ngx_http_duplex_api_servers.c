
/*
 * The servers of a group: listed, added to, and replaced as a whole.
 */


#include "../upstream/ngx_duplex_name.h"
#include "ngx_http_duplex_api_server.h"
#include "ngx_http_duplex_api_fields.h"
#include "ngx_http_duplex_api_upstreams.h"


/* what PUT wants one server to be */
typedef struct {
    ngx_duplex_member_t   member;
    uint64_t              present;      /* hash of the peer; 0: a new one */
} ngx_http_duplex_api_wanted_t;


static ngx_uint_t ngx_http_duplex_api_servers_read(ngx_duplex_call_t *call,
    ngx_duplex_group_t *group, ngx_array_t *wanted);
static ngx_uint_t ngx_http_duplex_api_servers_fit(ngx_duplex_call_t *call,
    ngx_duplex_group_t *group, ngx_array_t *wanted);
static ngx_uint_t ngx_http_duplex_api_servers_change(ngx_duplex_call_t *call,
    ngx_duplex_group_t *group, ngx_array_t *wanted, ngx_duplex_audit_t *audit);
static ngx_duplex_peer_t *ngx_http_duplex_api_servers_at(
    ngx_duplex_group_t *group, ngx_duplex_member_t *member);
static ngx_uint_t ngx_http_duplex_api_servers_keep(ngx_array_t *wanted,
    ngx_duplex_peer_t *peer);


ngx_uint_t
ngx_http_duplex_api_servers(ngx_duplex_call_t *call)
{
    ngx_uint_t           status;
    ngx_duplex_group_t  *group;

    group = ngx_http_duplex_api_upstream_find(call, &status);
    if (group == NULL) {
        return status;
    }

    ngx_http_duplex_api_server_list(call->json, group, NULL);
    ngx_http_duplex_api_server_etag(call, group);

    return NGX_HTTP_OK;
}


ngx_uint_t
ngx_http_duplex_api_servers_post(ngx_duplex_call_t *call)
{
    ngx_uint_t            mask, moved, status;
    ngx_duplex_peer_t    *peer;
    ngx_duplex_audit_t    audit;
    ngx_duplex_group_t   *group;
    ngx_duplex_member_t   member;
    ngx_duplex_member_e   why;

    group = ngx_http_duplex_api_upstream_find(call, &status);
    if (group == NULL) {
        return status;
    }

    status = ngx_http_duplex_api_server_prepare(call, group, &audit);

    if (status != NGX_HTTP_OK) {
        return status;
    }

    status = ngx_http_duplex_api_fields_read(call, group, NULL, call->body,
                                             &member, &mask, &moved);

    if (status != NGX_HTTP_OK) {
        return status;
    }

    if (ngx_http_duplex_api_server_dry(call)) {

        if (ngx_http_duplex_api_servers_at(group, &member)) {
            return ngx_http_duplex_api_server_refuse(call, group, &member,
                                                     ngx_duplex_member_exists);
        }

        ngx_http_duplex_api_server_object(call->json, group,
                                          ngx_duplex_member_next_id(group),
                                          &member);
        return NGX_HTTP_OK;
    }

    why = ngx_duplex_member_add(group, &member, &audit, &peer);

    status = ngx_http_duplex_api_server_refuse(call, group, &member, why);

    if (status != NGX_HTTP_OK) {
        return status;
    }

    call->durable = 1;
    ngx_duplex_group_save(group);

    if (peer) {
        member.set = peer->set;
        ngx_http_duplex_api_server_object(call->json, group, peer->id,
                                          &member);
    }

    ngx_http_duplex_api_server_etag(call, group);

    return NGX_DUPLEX_CALL_CREATED;
}


/* all is checked before anything is changed */

ngx_uint_t
ngx_http_duplex_api_servers_put(ngx_duplex_call_t *call)
{
    ngx_uint_t           status;
    ngx_array_t          wanted;
    ngx_duplex_audit_t   audit;
    ngx_duplex_group_t  *group;

    group = ngx_http_duplex_api_upstream_find(call, &status);
    if (group == NULL) {
        return status;
    }

    status = ngx_http_duplex_api_server_prepare(call, group, &audit);

    if (status != NGX_HTTP_OK) {
        return status;
    }

    if (ngx_array_init(&wanted, call->pool, 16,
                       sizeof(ngx_http_duplex_api_wanted_t))
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    status = ngx_http_duplex_api_servers_read(call, group, &wanted);

    if (status == NGX_HTTP_OK) {
        status = ngx_http_duplex_api_servers_fit(call, group, &wanted);
    }

    if (status == NGX_HTTP_OK && !ngx_http_duplex_api_server_dry(call)) {
        status = ngx_http_duplex_api_servers_change(call, group, &wanted,
                                                    &audit);
        call->durable = 1;
        ngx_duplex_group_save(group);
    }

    if (status != NGX_HTTP_OK) {
        return status;
    }

    ngx_http_duplex_api_server_list(call->json, group, NULL);
    ngx_http_duplex_api_server_etag(call, group);

    return NGX_HTTP_OK;
}


static ngx_uint_t
ngx_http_duplex_api_servers_read(ngx_duplex_call_t *call,
    ngx_duplex_group_t *group, ngx_array_t *wanted)
{
    size_t                         i;
    json_t                        *value;
    ngx_uint_t                     j, mask, moved, status;
    ngx_duplex_peer_t             *peer;
    ngx_duplex_member_t            member;
    ngx_http_duplex_api_wanted_t  *want;

    if (!json_is_array(call->body)) {
        return ngx_duplex_call_refuse(call, NGX_HTTP_BAD_REQUEST,
                                      "UpstreamConfFormatError",
                                      "body is not a list of servers");
    }

    json_array_foreach(call->body, i, value) {

        status = ngx_http_duplex_api_fields_read(call, group, NULL, value,
                                                 &member, &mask, &moved);

        if (status != NGX_HTTP_OK) {
            return status;
        }

        peer = ngx_http_duplex_api_servers_at(group, &member);
        want = wanted->elts;

        for (j = 0; j < wanted->nelts; j++) {

            if (want[j].member.name.len == member.name.len
                && ngx_memcmp(want[j].member.name.data, member.name.data,
                              member.name.len)
                   == 0)
            {
                return ngx_http_duplex_api_server_refuse(call, group, &member,
                                                     ngx_duplex_member_exists);
            }
        }

        want = ngx_array_push(wanted);
        if (want == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        want->member = member;
        want->present = (peer && peer->backup == member.backup) ? peer->hash
                                                                : 0;
    }

    return NGX_HTTP_OK;
}


/* who goes may leave a place that is still in use */

static ngx_uint_t
ngx_http_duplex_api_servers_fit(ngx_duplex_call_t *call,
    ngx_duplex_group_t *group, ngx_array_t *wanted)
{
    ngx_uint_t                     i, n[2];
    ngx_http_duplex_api_wanted_t  *want;

    n[0] = 0;
    n[1] = 0;

    want = wanted->elts;

    for (i = 0; i < wanted->nelts; i++) {
        if (want[i].present == 0) {
            n[want[i].member.backup != 0]++;
        }
    }

    return ngx_http_duplex_api_server_refuse(call, group, NULL,
                         ngx_duplex_member_fit(group, n[0], n[1],
                                               wanted->nelts + group->npeers));
}


static ngx_uint_t
ngx_http_duplex_api_servers_change(ngx_duplex_call_t *call,
    ngx_duplex_group_t *group, ngx_array_t *wanted, ngx_duplex_audit_t *audit)
{
    ngx_uint_t                     i;
    ngx_duplex_peer_t             *peer, *next;
    ngx_duplex_member_e            why;
    ngx_http_duplex_api_wanted_t  *want;

    why = ngx_duplex_member_done;
    want = wanted->elts;

    for (peer = ngx_duplex_peer_first(group);
         peer && why <= ngx_duplex_member_same;
         peer = next)
    {
        next = ngx_duplex_peer_next(peer);

        if (!ngx_http_duplex_api_servers_keep(wanted, peer)) {
            why = ngx_duplex_member_remove(peer, audit);
        }
    }

    for (i = 0; i < wanted->nelts && why <= ngx_duplex_member_same; i++) {

        peer = want[i].present
               ? ngx_duplex_peer_by_hash(group, want[i].present) : NULL;

        why = peer ? ngx_duplex_member_modify(peer, &want[i].member.set,
                                              NGX_DUPLEX_SET_ALL, audit)
                   : ngx_duplex_member_add(group, &want[i].member, audit,
                                           NULL);
    }

    return ngx_http_duplex_api_server_refuse(call, group, NULL, why);
}


static ngx_duplex_peer_t *
ngx_http_duplex_api_servers_at(ngx_duplex_group_t *group,
    ngx_duplex_member_t *member)
{
    ngx_duplex_peer_t  *peer;

    for (peer = ngx_duplex_peer_first(group);
         peer;
         peer = ngx_duplex_peer_next(peer))
    {
        if (peer->name.len == member->name.len
            && ngx_memcmp(peer->name.data, member->name.data,
                          peer->name.len)
               == 0)
        {
            return peer;
        }
    }

    return NULL;
}


static ngx_uint_t
ngx_http_duplex_api_servers_keep(ngx_array_t *wanted, ngx_duplex_peer_t *peer)
{
    ngx_uint_t                     i;
    ngx_http_duplex_api_wanted_t  *want;

    want = wanted->elts;

    for (i = 0; i < wanted->nelts; i++) {
        if (want[i].present == peer->hash) {
            return 1;
        }
    }

    /* an address stays as long as its name has it */

    return ngx_duplex_name_of(peer) != NULL;
}
