
/*
 * See the header.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_conf.h"
#include "ngx_duplex_journal_file.h"
#include "ngx_duplex_wake.h"


static ngx_int_t ngx_duplex_store_wins(const ngx_duplex_record_t *old,
    const ngx_duplex_record_t *next);
static void ngx_duplex_store_refused(ngx_duplex_table_t *table,
    ngx_duplex_record_t *rec);
static ngx_duplex_source_t *ngx_duplex_store_source(ngx_duplex_table_t *table);
static ngx_duplex_zone_t *ngx_duplex_store_zone_of(ngx_duplex_table_t *table);
static ngx_uint_t ngx_duplex_store_is_local(ngx_duplex_table_t *table,
    ngx_duplex_kind_t *kind);


ngx_duplex_zone_t *
ngx_duplex_store_zones(void)
{
    return ngx_duplex_present ? ngx_duplex_present->zones : NULL;
}


ngx_duplex_zone_t *
ngx_duplex_store_zone(ngx_str_t *name)
{
    ngx_duplex_zone_t  *zone;

    for (zone = ngx_duplex_store_zones(); zone; zone = zone->next) {
        if (zone->name.len == name->len
            && ngx_strncmp(zone->name.data, name->data, name->len) == 0)
        {
            return zone;
        }
    }

    return NULL;
}


ngx_duplex_table_t *
ngx_duplex_store_table(void)
{
    ngx_duplex_zone_t  *zone;

    zone = ngx_duplex_store_zones();

    return zone ? zone->table : NULL;
}


uint64_t
ngx_duplex_tombstone_ttl(void)
{
    return ngx_duplex_present->lifetime;
}


ngx_duplex_clock_t *
ngx_duplex_store_clock(void)
{
    return &ngx_duplex_present->shared->clock;
}


ngx_int_t
ngx_duplex_store_apply(ngx_duplex_table_t *table, ngx_duplex_record_t *rec)
{
    uint64_t            now;
    ngx_int_t           rc;
    ngx_uint_t          local;
    ngx_duplex_kind_t  *kind;

    if (table == NULL) {
        return NGX_ERROR;
    }

    now = ngx_duplex_clock_monotonic();
    local = (rec->node == 0);

    if (local) {
        rec->time = ngx_duplex_clock_next(&ngx_duplex_present->shared->clock);
        rec->node = ngx_duplex_present->identity.id;
        rec->via = 0;
    }

    if (rec->deleted) {
        ngx_str_null(&rec->value);

        if (rec->expire == 0) {
            rec->expire = now + ngx_duplex_tombstone_ttl();
        }
    }

    rc = ngx_duplex_store_source(table)->put(table, rec,
                                             ngx_duplex_store_wins, now);

    if (rc != NGX_OK) {

        if (rc == NGX_ERROR && local) {
            ngx_duplex_store_refused(table, rec);
        }

        return rc;
    }

    kind = ngx_duplex_find_kind(rec->kind);

    if (kind && (kind->flags & NGX_DUPLEX_KIND_DURABLE)) {
        (void) ngx_duplex_journal_append(0);
    }

    if (kind && kind->project) {
        kind->project(rec);
        ngx_duplex_wake(ngx_duplex_wake_workers);
    }

    if (!ngx_duplex_store_is_local(table, kind)) {
        ngx_duplex_wake(ngx_duplex_wake_holder);
    }

    return NGX_OK;
}


ngx_int_t
ngx_duplex_store_restore(ngx_duplex_table_t *table, ngx_duplex_record_t *rec)
{
    return ngx_duplex_store_source(table)->put(table, rec,
                                               ngx_duplex_store_wins,
                                               ngx_duplex_clock_monotonic());
}


ngx_int_t
ngx_duplex_store_get(ngx_duplex_table_t *table, ngx_duplex_record_t *rec,
    u_char *buf, size_t size)
{
    ngx_int_t  rc;

    if (table == NULL) {
        return NGX_DECLINED;
    }

    rc = ngx_duplex_store_source(table)->get(table, rec, buf, size,
                                             ngx_duplex_clock_monotonic());

    if (rc == NGX_OK && rec->deleted) {
        return NGX_DECLINED;
    }

    return rc;
}


ngx_int_t
ngx_duplex_store_walk(ngx_duplex_table_t *table, uint32_t kind,
    ngx_str_t *zone, ngx_duplex_store_visit_pt visit, void *data)
{
    u_char                buf[NGX_DUPLEX_RECORD_MAX];
    uint32_t              cursor;
    uint64_t              now;
    ngx_int_t             rc;
    ngx_duplex_record_t   rec;
    ngx_duplex_source_t  *source;

    if (table == NULL) {
        return NGX_OK;
    }

    source = ngx_duplex_store_source(table);

    cursor = 0;
    now = ngx_duplex_clock_monotonic();

    while (source->scan(table, &cursor, &rec, buf, now) == NGX_OK) {

        if (rec.deleted || rec.kind != kind) {
            continue;
        }

        if (zone
            && (rec.zone.len != zone->len
                || ngx_memcmp(rec.zone.data, zone->data, zone->len) != 0))
        {
            continue;
        }

        rc = visit(&rec, data);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_duplex_store_wins(const ngx_duplex_record_t *old,
    const ngx_duplex_record_t *next)
{
    if (next->time != old->time) {
        return next->time > old->time;
    }

    /*
     * A tie is broken by node id, so that all nodes keep the same record.
     * It may not be the later one: clocks differ, and we accept it.
     */

    return next->node > old->node;
}


static void
ngx_duplex_store_refused(ngx_duplex_table_t *table, ngx_duplex_record_t *rec)
{
    static time_t       last;
    ngx_duplex_kind_t  *kind;
    ngx_duplex_zone_t  *zone;

    if (last == ngx_time()) {
        return;
    }

    last = ngx_time();

    kind = ngx_duplex_find_kind(rec->kind);
    zone = ngx_duplex_store_zone_of(table);

    if (zone && zone != ngx_duplex_store_zones()) {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "%s was refused: zone \"%V\" has no memory left",
                      kind ? (char *) kind->name.data : "record", &zone->name);
        return;
    }

    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                  "%s in \"%V\" was refused: the store has no memory left, "
                  "see \"duplex_store_size\"",
                  kind ? (char *) kind->name.data : "record", &rec->zone);
}


/* how any table of the present cycle is read and written */

static ngx_duplex_source_t *
ngx_duplex_store_source(ngx_duplex_table_t *table)
{
    ngx_duplex_zone_t  *zone;

    zone = ngx_duplex_store_zone_of(table);

    return zone ? zone->source : &ngx_duplex_table_source;
}


static ngx_duplex_zone_t *
ngx_duplex_store_zone_of(ngx_duplex_table_t *table)
{
    ngx_duplex_zone_t  *zone;

    for (zone = ngx_duplex_store_zones(); zone; zone = zone->next) {
        if (zone->table == table) {
            return zone;
        }
    }

    return NULL;
}


static ngx_uint_t
ngx_duplex_store_is_local(ngx_duplex_table_t *table, ngx_duplex_kind_t *kind)
{
    ngx_duplex_zone_t  *zone;

    if (kind && (kind->flags & NGX_DUPLEX_KIND_LOCAL)) {
        return 1;
    }

    zone = ngx_duplex_store_zone_of(table);

    return zone && (zone->flags & NGX_DUPLEX_TABLE_LOCAL);
}
