
/*
 * The record "exist": a server is there, or was; ngx_duplex_admin.h has its
 * bytes.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_bytes.h"
#include "ngx_duplex_admin.h"


static ngx_str_t  ngx_duplex_admin_existence = ngx_string("exist");


ngx_int_t
ngx_duplex_admin_exist(ngx_duplex_group_t *group, ngx_str_t *key,
    ngx_duplex_exist_t *exist)
{
    u_char               buf[NGX_DUPLEX_ADMIN_RECORD];
    ngx_duplex_audit_t   audit;
    ngx_duplex_record_t  rec;

    if (ngx_duplex_admin_get(group, key, &ngx_duplex_admin_existence, &rec,
                             buf, sizeof(buf))
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    return ngx_duplex_admin_decode_exist(&rec.value, exist, &audit);
}


ngx_int_t
ngx_duplex_admin_decode_exist(ngx_str_t *text, ngx_duplex_exist_t *exist,
    ngx_duplex_audit_t *audit)
{
    ngx_str_t               route;
    ngx_uint_t              version;
    ngx_duplex_bytes_t      b;
    ngx_duplex_settings_t  *set;

    ngx_memzero(exist, sizeof(ngx_duplex_exist_t));
    set = &exist->set;

    b.pos = text->data;
    b.last = b.pos + text->len;
    b.failed = 0;

    version = ngx_duplex_bytes_get(&b, 1);

    exist->life = ngx_duplex_bytes_get(&b, 8);
    exist->digest = ngx_duplex_bytes_get(&b, 8);
    exist->exists = ngx_duplex_bytes_get(&b, 1);
    exist->id = ngx_duplex_bytes_get(&b, 4);
    exist->backup = (ngx_duplex_bytes_get(&b, 1) != 0);

    set->state = (ngx_duplex_admin_e) ngx_duplex_bytes_get(&b, 1);
    set->weight = ngx_duplex_bytes_get(&b, 4);
    set->max_conns = ngx_duplex_bytes_get(&b, 4);
    set->max_fails = ngx_duplex_bytes_get(&b, 4);
    set->fail_timeout = ngx_duplex_bytes_get(&b, 4);
    set->slow_start = ngx_duplex_bytes_get(&b, 4);

    ngx_duplex_bytes_get_str(&b, &route);
    ngx_duplex_bytes_get_str(&b, &audit->who);
    ngx_duplex_bytes_get_str(&b, &audit->reason);

    if (b.failed
        || version != NGX_DUPLEX_ADMIN_VERSION
        || route.len > NGX_DUPLEX_ROUTE_MAX)
    {
        return NGX_DECLINED;
    }

    ngx_memcpy(set->route, route.data, route.len);
    set->route_len = route.len;

    return ngx_duplex_admin_check(set);
}


ngx_int_t
ngx_duplex_admin_put_exist(ngx_duplex_group_t *group, ngx_str_t *key,
    ngx_duplex_exist_t *exist, ngx_duplex_audit_t *audit)
{
    u_char                 *p;
    u_char                  value[NGX_DUPLEX_ADMIN_VALUE];
    uint64_t                left;
    ngx_duplex_settings_t  *set;

    set = &exist->set;

    p = ngx_duplex_bytes_put(value, NGX_DUPLEX_ADMIN_VERSION, 1);
    p = ngx_duplex_bytes_put(p, exist->life, 8);
    p = ngx_duplex_bytes_put(p, exist->digest, 8);
    p = ngx_duplex_bytes_put(p, exist->exists, 1);
    p = ngx_duplex_bytes_put(p, exist->id, 4);
    p = ngx_duplex_bytes_put(p, exist->backup, 1);
    p = ngx_duplex_bytes_put(p, set->state, 1);
    p = ngx_duplex_bytes_put(p, set->weight, 4);
    p = ngx_duplex_bytes_put(p, set->max_conns, 4);
    p = ngx_duplex_bytes_put(p, set->max_fails, 4);
    p = ngx_duplex_bytes_put(p, set->fail_timeout, 4);
    p = ngx_duplex_bytes_put(p, set->slow_start, 4);
    *p++ = (u_char) set->route_len;
    p = ngx_duplex_bytes_put_run(p, set->route, set->route_len);
    p = ngx_duplex_admin_put_audit(p, audit);

    /* what a file names must be remembered as long as it does */

    left = (exist->exists || exist->digest) ? 0 : ngx_duplex_tombstone_ttl();

    return ngx_duplex_admin_apply(group, key, &ngx_duplex_admin_existence,
                                  value, p, left);
}
