
/*
 * One server of a group, shown, changed and removed; and what the pages of
 * servers share.
 */


#include <ngx_md5.h>
#include "../upstream/ngx_duplex_name.h"
#include "ngx_http_duplex_api_server.h"
#include "ngx_http_duplex_api_fields.h"
#include "ngx_http_duplex_api_upstreams.h"


static ngx_duplex_peer_t *ngx_http_duplex_api_server_find(
    ngx_duplex_call_t *call, ngx_uint_t *status);
static void ngx_http_duplex_api_server_member(ngx_duplex_peer_t *peer,
    ngx_duplex_member_t *member);
static void ngx_http_duplex_api_server_time(ngx_duplex_json_t *json,
    const char *name, ngx_msec_t ms);


ngx_uint_t
ngx_http_duplex_api_server(ngx_duplex_call_t *call)
{
    ngx_uint_t            status;
    ngx_duplex_peer_t    *peer;
    ngx_duplex_member_t   member;

    peer = ngx_http_duplex_api_server_find(call, &status);
    if (peer == NULL) {
        return status;
    }

    ngx_http_duplex_api_server_member(peer, &member);
    ngx_http_duplex_api_server_object(call->json, peer->group, peer->id,
                                      &member);
    ngx_http_duplex_api_server_etag(call, peer->group);

    return NGX_HTTP_OK;
}


ngx_uint_t
ngx_http_duplex_api_server_patch(ngx_duplex_call_t *call)
{
    ngx_uint_t            id, mask, moved, status;
    ngx_duplex_peer_t    *peer;
    ngx_duplex_group_t   *group;
    ngx_duplex_audit_t    audit;
    ngx_duplex_member_t   member;
    ngx_duplex_member_e   why;

    peer = ngx_http_duplex_api_server_find(call, &status);
    if (peer == NULL) {
        return status;
    }

    group = peer->group;
    id = peer->id;

    status = ngx_http_duplex_api_server_prepare(call, group, &audit);

    if (status != NGX_HTTP_OK) {
        return status;
    }

    status = ngx_http_duplex_api_fields_read(call, group, peer, call->body,
                                             &member, &mask, &moved);

    if (status != NGX_HTTP_OK) {
        return status;
    }

    if (ngx_http_duplex_api_server_dry(call)) {
        ngx_http_duplex_api_server_object(call->json, group, id, &member);
        return NGX_HTTP_OK;
    }

    why = moved ? ngx_duplex_member_replace(peer, &member, &audit, NULL)
                : ngx_duplex_member_modify(peer, &member.set, mask, &audit);

    status = ngx_http_duplex_api_server_refuse(call, group, &member, why);

    if (status != NGX_HTTP_OK) {
        return status;
    }

    call->durable = 1;
    ngx_duplex_group_save(group);

    /* what is there now, and not what was asked for, is the answer */

    return ngx_http_duplex_api_server(call);
}


ngx_uint_t
ngx_http_duplex_api_server_delete(ngx_duplex_call_t *call)
{
    ngx_uint_t            status;
    ngx_duplex_peer_t    *peer;
    ngx_duplex_group_t   *group;
    ngx_duplex_audit_t    audit;

    peer = ngx_http_duplex_api_server_find(call, &status);
    if (peer == NULL) {
        return status;
    }

    group = peer->group;

    status = ngx_http_duplex_api_server_prepare(call, group, &audit);

    if (status != NGX_HTTP_OK) {
        return status;
    }

    if (ngx_http_duplex_api_server_dry(call)) {
        ngx_http_duplex_api_server_list(call->json, group, peer);
        return NGX_HTTP_OK;
    }

    status = ngx_http_duplex_api_server_refuse(call, group, NULL,
                                   ngx_duplex_member_remove(peer, &audit));

    if (status != NGX_HTTP_OK) {
        return status;
    }

    call->durable = 1;
    ngx_duplex_group_save(group);

    ngx_http_duplex_api_server_list(call->json, group, NULL);
    ngx_http_duplex_api_server_etag(call, group);

    return NGX_HTTP_OK;
}


static ngx_duplex_peer_t *
ngx_http_duplex_api_server_find(ngx_duplex_call_t *call, ngx_uint_t *status)
{
    ngx_int_t            id;
    ngx_str_t           *text;
    ngx_duplex_peer_t   *peer;
    ngx_duplex_group_t  *group;

    group = ngx_http_duplex_api_upstream_find(call, status);
    if (group == NULL) {
        return NULL;
    }

    text = &call->segment[1];

    id = ngx_atoi(text->data, text->len);

    if (id == NGX_ERROR) {
        *status = ngx_duplex_call_refuse(call, NGX_HTTP_BAD_REQUEST,
                                         "UpstreamBadServerId",
                                         "server ID \"%V\" is not a number",
                                         text);
        return NULL;
    }

    peer = ngx_duplex_peer_by_id(group, id);

    if (peer == NULL) {
        *status = ngx_duplex_call_refuse(call, NGX_HTTP_NOT_FOUND,
                                         "UpstreamServerNotFound",
                                         "server with ID \"%V\" does not "
                                         "exist", text);
    }

    return peer;
}


static void
ngx_http_duplex_api_server_member(ngx_duplex_peer_t *peer,
    ngx_duplex_member_t *member)
{
    member->server = peer->server;
    member->name = peer->name;
    member->backup = peer->backup;
    member->set = peer->set;
}


void
ngx_http_duplex_api_server_object(ngx_duplex_json_t *json,
    ngx_duplex_group_t *group, ngx_uint_t id, ngx_duplex_member_t *member)
{
    ngx_str_t               route;
    ngx_duplex_name_t      *name;
    ngx_duplex_settings_t  *set;

    set = &member->set;

    ngx_duplex_json_object(json, NULL);

    ngx_duplex_json_integer(json, "id", id);
    ngx_duplex_json_string(json, "server", &member->name);
    ngx_duplex_json_integer(json, "weight", set->weight);
    ngx_duplex_json_integer(json, "max_conns", set->max_conns);
    ngx_duplex_json_integer(json, "max_fails", set->max_fails);
    ngx_http_duplex_api_server_time(json, "fail_timeout",
                                    (ngx_msec_t) set->fail_timeout * 1000);
    ngx_http_duplex_api_server_time(json, "slow_start", set->slow_start);

    if (group->driver->sessions) {
        route.data = set->route;
        route.len = set->route_len;
        ngx_duplex_json_string(json, "route", &route);
    }

    ngx_duplex_json_boolean(json, "backup", member->backup);
    ngx_duplex_json_boolean(json, "down",
                            set->state == ngx_duplex_admin_down);

    if (set->state == ngx_duplex_admin_drain) {
        ngx_duplex_json_boolean(json, "drain", 1);
    }

    name = ngx_duplex_name_find(group, &member->server);

    if (name) {
        ngx_duplex_json_string(json, "host", &name->host);
    }

    if (name && name->service.len) {
        ngx_duplex_json_string(json, "service", &name->service);
    }

    ngx_duplex_json_object_end(json);
}


static void
ngx_http_duplex_api_server_time(ngx_duplex_json_t *json, const char *name,
    ngx_msec_t ms)
{
    u_char  text[NGX_INT64_LEN + sizeof("ms")];

    if (ms % 1000) {
        ngx_sprintf(text, "%Mms%Z", ms);

    } else {
        ngx_sprintf(text, "%Ms%Z", ms / 1000);
    }

    ngx_duplex_json_text(json, name, (char *) text);
}


void
ngx_http_duplex_api_server_list(ngx_duplex_json_t *json,
    ngx_duplex_group_t *group, ngx_duplex_peer_t *omit)
{
    ngx_duplex_peer_t    *peer;
    ngx_duplex_member_t   member;

    ngx_duplex_json_array(json, NULL);

    for (peer = ngx_duplex_peer_first(group);
         peer;
         peer = ngx_duplex_peer_next(peer))
    {
        if (peer != omit) {
            ngx_http_duplex_api_server_member(peer, &member);
            ngx_http_duplex_api_server_object(json, group, peer->id, &member);
        }
    }

    ngx_duplex_json_array_end(json);
}


ngx_uint_t
ngx_http_duplex_api_server_prepare(ngx_duplex_call_t *call,
    ngx_duplex_group_t *group, ngx_duplex_audit_t *audit)
{
    ngx_int_t  rc;

    ngx_memzero(audit, sizeof(ngx_duplex_audit_t));

    audit->who = *call->client;

    rc = ngx_duplex_call_arg(call, "reason", &audit->reason);

    if (rc == NGX_ERROR) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (audit->reason.len > NGX_DUPLEX_REASON_MAX) {
        return ngx_duplex_call_refuse(call, NGX_HTTP_BAD_REQUEST,
                                      "UpstreamConfFormatError",
                                      "reason is longer than %d bytes",
                                      NGX_DUPLEX_REASON_MAX);
    }

    ngx_http_duplex_api_server_etag(call, group);

    if (call->if_match.len == 0
        || (call->if_match.len == 1 && call->if_match.data[0] == '*')
        || (call->if_match.len == call->etag.len
            && ngx_memcmp(call->if_match.data, call->etag.data,
                          call->etag.len)
               == 0))
    {
        return NGX_HTTP_OK;
    }

    return ngx_duplex_call_refuse(call, NGX_HTTP_PRECONDITION_FAILED,
                                  "PreconditionFailed",
                                  "upstream \"%V\" has changed", &group->name);
}


ngx_uint_t
ngx_http_duplex_api_server_dry(ngx_duplex_call_t *call)
{
    ngx_str_t  value;

    return ngx_duplex_call_arg(call, "dry_run", &value) == NGX_OK
           && !(value.len == 1 && value.data[0] == '0');
}


void
ngx_http_duplex_api_server_etag(ngx_duplex_call_t *call,
    ngx_duplex_group_t *group)
{
    u_char              digest[16];
    ngx_md5_t           md5;
    ngx_duplex_peer_t  *peer;

    ngx_md5_init(&md5);

    for (peer = ngx_duplex_peer_first(group);
         peer;
         peer = ngx_duplex_peer_next(peer))
    {
        ngx_md5_update(&md5, &peer->id, sizeof(ngx_uint_t));
        ngx_md5_update(&md5, &peer->hash, sizeof(uint64_t));
        ngx_md5_update(&md5, &peer->life, sizeof(uint64_t));
        ngx_md5_update(&md5, &peer->set, sizeof(ngx_duplex_settings_t));
    }

    ngx_md5_final(digest, &md5);

    call->etag.data = ngx_pnalloc(call->pool, 2 + 2 * sizeof(digest));
    if (call->etag.data == NULL) {
        call->etag.len = 0;
        return;
    }

    call->etag.data[0] = '"';
    (void) ngx_hex_dump(call->etag.data + 1, digest, sizeof(digest));
    call->etag.data[1 + 2 * sizeof(digest)] = '"';
    call->etag.len = 2 + 2 * sizeof(digest);
}


ngx_uint_t
ngx_http_duplex_api_server_refuse(ngx_duplex_call_t *call,
    ngx_duplex_group_t *group, ngx_duplex_member_t *member,
    ngx_duplex_member_e why)
{
    switch (why) {

    case ngx_duplex_member_done:
    case ngx_duplex_member_same:
        return NGX_HTTP_OK;

    case ngx_duplex_member_exists:
        return ngx_duplex_call_refuse(call, NGX_HTTP_CONFLICT, "EntryExists",
                                      "entry already exists");

    case ngx_duplex_member_resolved:
        return ngx_duplex_call_refuse(call, NGX_HTTP_BAD_REQUEST,
                                      "UpstreamServerImmutable",
                                      call->body
                                      ? "server \"%V\" address is immutable"
                                      : "server \"%V\" not removable",
                                      &call->segment[1]);

    case ngx_duplex_member_service:
        return ngx_duplex_call_refuse(call, NGX_HTTP_BAD_REQUEST,
                                      "UpstreamServerWeightImmutable",
                                      "server \"%V\" weight is immutable",
                                      &call->segment[1]);

    case ngx_duplex_member_bad_address:
        return ngx_duplex_call_refuse(call, NGX_HTTP_BAD_REQUEST,
                                      "UpstreamBadAddress",
                                      "invalid \"server\" argument");

    case ngx_duplex_member_no_place:
        return ngx_duplex_call_refuse(call, NGX_HTTP_BAD_REQUEST,
                                      "UpstreamOutOfMemory",
                                      "upstream \"%V\" memory exhausted: "
                                      "there are no spare places, a reload "
                                      "makes more (\"duplex_spare\")",
                                      &group->name);

    default: /* ngx_duplex_member_no_memory */
        return ngx_duplex_call_refuse(call, NGX_HTTP_BAD_REQUEST,
                                      "UpstreamOutOfMemory",
                                      "upstream \"%V\" memory exhausted: "
                                      "\"duplex_store_size\" is too small",
                                      &group->name);
    }
}
