
/*
 * Digests; see the header.
 *
 * Of every live record of a kind that is replicated: kind, zone, key, value,
 * time and node.  The sum of the records' hashes is the digest, so the order
 * in which they came does not matter.  When a record ends, where it stands
 * and whom it came from are each node's own.
 *
 * All records are read: it takes about 0.2 s for a million.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_clock.h"
#include "../core/ngx_duplex_registry.h"
#include "../core/ngx_duplex_source.h"
#include "ngx_duplex_digest.h"
#include "ngx_duplex_feed.h"


#define NGX_DUPLEX_DIGEST_GROUPS  256


/* of the records with one zone in the main table */
typedef struct {
    u_char      zone[NGX_DUPLEX_ZONE_MAX];
    size_t      len;
    uint64_t    records;
    uint64_t    digest;
} ngx_duplex_digest_group_t;


static void ngx_duplex_digest_zone(ngx_duplex_json_t *json,
    ngx_duplex_zone_t *zone);
static void ngx_duplex_digest_count(ngx_duplex_record_t *rec, uint64_t hash);
static uint64_t ngx_duplex_digest_record(ngx_duplex_record_t *rec);
static uint64_t ngx_duplex_digest_mix(uint64_t hash, const void *data,
    size_t len);


static ngx_duplex_digest_group_t
    ngx_duplex_digest_groups[NGX_DUPLEX_DIGEST_GROUPS];
static ngx_uint_t  ngx_duplex_digest_ngroups;

/* of the one record that is being read */
static u_char      ngx_duplex_digest_buf[NGX_DUPLEX_RECORD_MAX];


void
ngx_duplex_digest_render(ngx_duplex_json_t *json)
{
    ngx_str_t                   name;
    ngx_uint_t                  i;
    ngx_duplex_zone_t          *zone;
    ngx_duplex_digest_group_t  *group;

    ngx_duplex_digest_ngroups = 0;

    ngx_duplex_json_object(json, NULL);
    ngx_duplex_json_object(json, "zones");

    for (zone = ngx_duplex_store_zones(); zone; zone = zone->next) {
        if (ngx_duplex_feed_wants(zone)) {
            ngx_duplex_digest_zone(json, zone);
        }
    }

    ngx_duplex_json_object_end(json);
    ngx_duplex_json_object(json, "groups");

    for (i = 0; i < ngx_duplex_digest_ngroups; i++) {

        group = &ngx_duplex_digest_groups[i];

        name.data = group->zone;
        name.len = group->len;

        ngx_duplex_json_object_named(json, &name);
        ngx_duplex_json_integer(json, "records", group->records);
        ngx_duplex_json_hex(json, "digest", group->digest);
        ngx_duplex_json_object_end(json);
    }

    ngx_duplex_json_object_end(json);
    ngx_duplex_json_object_end(json);
}


static void
ngx_duplex_digest_zone(ngx_duplex_json_t *json, ngx_duplex_zone_t *zone)
{
    uint32_t              cursor;
    uint64_t              now, hash, digest, records;
    ngx_duplex_kind_t    *kind;
    ngx_duplex_record_t   rec;

    cursor = 0;
    digest = 0;
    records = 0;
    now = ngx_duplex_clock_monotonic();

    while (zone->source->scan(zone->table, &cursor, &rec,
                              ngx_duplex_digest_buf, now)
           == NGX_OK)
    {
        kind = ngx_duplex_find_kind(rec.kind);

        if (rec.deleted || (kind && (kind->flags & NGX_DUPLEX_KIND_LOCAL))) {
            continue;
        }

        hash = ngx_duplex_digest_record(&rec);

        digest += hash;
        records++;

        if (zone->kind == 0) {
            ngx_duplex_digest_count(&rec, hash);
        }
    }

    ngx_duplex_json_object_named(json, &zone->name);
    ngx_duplex_json_integer(json, "records", records);
    ngx_duplex_json_hex(json, "digest", digest);
    ngx_duplex_json_object_end(json);
}


static void
ngx_duplex_digest_count(ngx_duplex_record_t *rec, uint64_t hash)
{
    ngx_uint_t                  i;
    ngx_duplex_digest_group_t  *group;

    for (i = 0; i < ngx_duplex_digest_ngroups; i++) {

        group = &ngx_duplex_digest_groups[i];

        if (group->len == rec->zone.len
            && ngx_memcmp(group->zone, rec->zone.data, rec->zone.len) == 0)
        {
            break;
        }
    }

    if (i == NGX_DUPLEX_DIGEST_GROUPS) {
        return;
    }

    group = &ngx_duplex_digest_groups[i];

    if (i == ngx_duplex_digest_ngroups) {
        ngx_duplex_digest_ngroups++;

        ngx_memcpy(group->zone, rec->zone.data, rec->zone.len);
        group->len = rec->zone.len;
        group->records = 0;
        group->digest = 0;
    }

    group->records++;
    group->digest += hash;
}


static uint64_t
ngx_duplex_digest_record(ngx_duplex_record_t *rec)
{
    uint64_t  hash, fixed[5];

    fixed[0] = rec->kind;
    fixed[1] = rec->zone.len << 32 | rec->key.len;
    fixed[2] = rec->value.len;
    fixed[3] = rec->time;
    fixed[4] = rec->node;

    hash = ngx_duplex_digest_mix(14695981039346656037ULL, fixed,
                                 sizeof(fixed));
    hash = ngx_duplex_digest_mix(hash, rec->zone.data, rec->zone.len);
    hash = ngx_duplex_digest_mix(hash, rec->key.data, rec->key.len);

    return ngx_duplex_digest_mix(hash, rec->value.data, rec->value.len);
}


/* FNV-1a, by words as long as there are whole ones, and a last stir */

static uint64_t
ngx_duplex_digest_mix(uint64_t hash, const void *data, size_t len)
{
    uint64_t       word;
    const u_char  *p;

    for (p = data; len; len -= ngx_min(len, 8), p += 8) {

        word = 0;
        ngx_memcpy(&word, p, ngx_min(len, 8));

        hash = (hash ^ word) * 1099511628211ULL;
        hash ^= hash >> 29;
    }

    return hash * 0xbf58476d1ce4e5b9ULL ^ hash >> 32;
}
