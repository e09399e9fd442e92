
/*
 * See the header.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_status_zone.h"


static ngx_duplex_status_zone_t *ngx_duplex_status_find(ngx_array_t *zones,
    ngx_str_t *name);


ngx_duplex_status_zone_t *
ngx_duplex_status_zone(ngx_conf_t *cf, ngx_array_t *zones, ngx_str_t *name)
{
    ngx_duplex_status_zone_t  *zone, **slot;

    if (name->len == 0
        || ngx_strlchr(name->data, name->data + name->len, '/'))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid zone name \"%V\": must not be empty or "
                           "contain \"/\"", name);
        return NULL;
    }

    zone = ngx_duplex_status_find(zones, name);

    if (zone) {
        return zone;
    }

    zone = ngx_pcalloc(cf->pool, sizeof(ngx_duplex_status_zone_t));
    if (zone == NULL) {
        return NULL;
    }

    zone->name = *name;

    slot = ngx_array_push(zones);
    if (slot == NULL) {
        return NULL;
    }

    *slot = zone;

    return ngx_duplex_counters_reserve(cf, 1) == NGX_OK ? zone : NULL;
}


void
ngx_duplex_status_start(ngx_duplex_status_kind_t *kind, ngx_array_t *zones)
{
    ngx_uint_t                  i;
    ngx_duplex_status_zone_t  **zone;

    kind->zones = zones;
    zone = zones->elts;

    for (i = 0; i < zones->nelts; i++) {
        zone[i]->cell = ngx_duplex_cell(kind->kind, &zone[i]->name);
    }
}


ngx_uint_t
ngx_duplex_status_all(ngx_duplex_call_t *call)
{
    ngx_uint_t                  i;
    ngx_duplex_sum_t            sum;
    ngx_duplex_status_kind_t   *kind;
    ngx_duplex_status_zone_t  **zone;

    kind = call->page->data;

    ngx_duplex_json_object(call->json, NULL);

    zone = kind->zones->elts;

    for (i = 0; i < kind->zones->nelts; i++) {

        ngx_duplex_cell_sum(zone[i]->cell, &sum);

        ngx_duplex_json_object_named(call->json, &zone[i]->name);
        kind->render(call->json, &sum, &zone[i]->name);
        ngx_duplex_json_object_end(call->json);
    }

    ngx_duplex_json_object_end(call->json);

    return NGX_DUPLEX_CALL_OK;
}


ngx_uint_t
ngx_duplex_status_one(ngx_duplex_call_t *call)
{
    ngx_duplex_sum_t           sum;
    ngx_duplex_status_kind_t  *kind;
    ngx_duplex_status_zone_t  *zone;

    kind = call->page->data;
    zone = ngx_duplex_status_find(kind->zones, &call->segment[0]);

    if (zone == NULL) {
        return ngx_duplex_call_refuse(call, 404, kind->code, "%s", kind->text);
    }

    ngx_duplex_cell_sum(zone->cell, &sum);

    ngx_duplex_json_object(call->json, NULL);
    kind->render(call->json, &sum, &zone->name);
    ngx_duplex_json_object_end(call->json);

    return NGX_DUPLEX_CALL_OK;
}


ngx_uint_t
ngx_duplex_status_reset(ngx_duplex_call_t *call)
{
    ngx_duplex_status_kind_t  *kind;
    ngx_duplex_status_zone_t  *zone;

    kind = call->page->data;
    zone = ngx_duplex_status_find(kind->zones, &call->segment[0]);

    if (zone == NULL) {
        return ngx_duplex_call_refuse(call, 404, kind->code, "%s", kind->text);
    }

    ngx_duplex_cell_reset(zone->cell, kind->first, kind->n);

    return NGX_DUPLEX_CALL_NO_CONTENT;
}


static ngx_duplex_status_zone_t *
ngx_duplex_status_find(ngx_array_t *zones, ngx_str_t *name)
{
    ngx_uint_t                  i;
    ngx_duplex_status_zone_t  **zone;

    zone = zones->elts;

    for (i = 0; i < zones->nelts; i++) {
        if (zone[i]->name.len == name->len
            && ngx_memcmp(zone[i]->name.data, name->data, name->len) == 0)
        {
            return zone[i];
        }
    }

    return NULL;
}
