
/*
 * The addresses that names have, as records; ngx_duplex_name.h has their
 * bytes.
 *
 * A record of a name that is not in this node's file is kept until another
 * name of its group is answered, and does no harm.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_bytes.h"
#include "../core/ngx_duplex_store.h"
#include "ngx_duplex_admin.h"
#include "ngx_duplex_membership.h"
#include "ngx_duplex_name.h"


#define NGX_DUPLEX_NAME_VERSION  1
#define NGX_DUPLEX_NAME_VALUE    10
#define NGX_DUPLEX_NAME_RECORD                                                \
    (NGX_DUPLEX_ZONE_MAX + NGX_DUPLEX_KEY_MAX + NGX_DUPLEX_NAME_VALUE)


static void ngx_duplex_name_project(ngx_duplex_record_t *rec);


ngx_duplex_kind_t  ngx_duplex_name_kind = {
    NGX_DUPLEX_TAG('r', 's', 'l', 'v'),
    ngx_string("resolved"),
    NGX_DUPLEX_KIND_LOCAL|NGX_DUPLEX_KIND_DURABLE,
    ngx_duplex_name_project
};


static void
ngx_duplex_name_project(ngx_duplex_record_t *rec)
{
    ngx_duplex_group_t  *group;

    group = ngx_duplex_group_by_zone(&rec->zone);

    if (group) {
        ngx_duplex_membership_refresh(group, &rec->key);
    }
}


ngx_int_t
ngx_duplex_name_get(ngx_duplex_group_t *group, ngx_str_t *key,
    ngx_duplex_resolved_t *resolved)
{
    u_char               buf[NGX_DUPLEX_NAME_RECORD];
    ngx_uint_t           version;
    ngx_duplex_bytes_t   b;
    ngx_duplex_record_t  rec;

    rec.kind = ngx_duplex_name_kind.tag;
    rec.zone = group->zone;
    rec.key = *key;

    if (ngx_duplex_store_get(ngx_duplex_store_table(), &rec, buf, sizeof(buf))
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    b.pos = rec.value.data;
    b.last = b.pos + rec.value.len;
    b.failed = 0;

    version = ngx_duplex_bytes_get(&b, 1);

    resolved->id = ngx_duplex_bytes_get(&b, 4);
    resolved->backup = (ngx_duplex_bytes_get(&b, 1) != 0);
    resolved->weight = ngx_duplex_bytes_get(&b, 4);

    if (b.failed
        || version != NGX_DUPLEX_NAME_VERSION
        || resolved->weight > NGX_DUPLEX_WEIGHT_MAX)
    {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


ngx_int_t
ngx_duplex_name_put(ngx_duplex_group_t *group, ngx_str_t *key,
    ngx_duplex_resolved_t *resolved)
{
    u_char               *p, value[NGX_DUPLEX_NAME_VALUE];
    ngx_duplex_record_t   rec;

    ngx_memzero(&rec, sizeof(ngx_duplex_record_t));

    rec.kind = ngx_duplex_name_kind.tag;
    rec.zone = group->zone;
    rec.key = *key;

    if (resolved) {
        p = ngx_duplex_bytes_put(value, NGX_DUPLEX_NAME_VERSION, 1);
        p = ngx_duplex_bytes_put(p, resolved->id, 4);
        p = ngx_duplex_bytes_put(p, resolved->backup, 1);
        p = ngx_duplex_bytes_put(p, resolved->weight, 4);

        rec.value.data = value;
        rec.value.len = p - value;

    } else {
        rec.deleted = 1;
    }

    return ngx_duplex_store_apply(ngx_duplex_store_table(), &rec) == NGX_ERROR
           ? NGX_ERROR : NGX_OK;
}


ngx_int_t
ngx_duplex_name_line(ngx_duplex_group_t *group, ngx_str_t *key,
    ngx_duplex_line_t *line)
{
    ngx_str_t               server;
    ngx_duplex_name_t      *name;
    ngx_duplex_resolved_t   resolved;

    if (group->names == NULL
        || ngx_duplex_line_server(key, &server) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    name = ngx_duplex_name_find(group, &server);

    if (name == NULL || ngx_duplex_name_get(group, key, &resolved) != NGX_OK) {
        return NGX_DECLINED;
    }

    ngx_memzero(line, sizeof(ngx_duplex_line_t));

    line->server = server;
    line->digest = name->digest;
    line->id = resolved.id;
    line->backup = resolved.backup;
    line->set = name->set;

    if (resolved.weight) {
        line->set.weight = resolved.weight;
    }

    return NGX_OK;
}
