
/*
 * Membership of a new configuration: how many places it needs, and who is a
 * member before the first worker starts.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_identity.h"
#include "../core/ngx_duplex_journal.h"
#include "ngx_duplex_admin.h"
#include "ngx_duplex_group.h"
#include "ngx_duplex_id.h"
#include "ngx_duplex_line.h"
#include "ngx_duplex_membership.h"
#include "ngx_duplex_name.h"
#include "ngx_duplex_stock.h"


/* keys of the journal, each maybe many times */
typedef struct {
    ngx_duplex_group_t     *group;
    ngx_array_t            *keys;       /* uint64_t */
} ngx_duplex_expected_t;


static ngx_int_t ngx_duplex_membership_visit(ngx_duplex_record_t *rec,
    void *data);
static ngx_int_t ngx_duplex_membership_visit_name(ngx_duplex_record_t *rec,
    void *data);
static void ngx_duplex_membership_warn(ngx_duplex_group_t *group);
static void ngx_duplex_membership_peek(ngx_duplex_record_t *rec, void *data);
static int ngx_libc_cdecl ngx_duplex_membership_compare(const void *one,
    const void *two);
static ngx_int_t ngx_duplex_membership_count(ngx_duplex_record_t *rec,
    void *data);
static ngx_int_t ngx_duplex_membership_count_name(ngx_duplex_record_t *rec,
    void *data);


void
ngx_duplex_membership_commit(ngx_duplex_group_t *group, ngx_pool_t *pool)
{
    ngx_uint_t  i;

    ngx_duplex_places_bind(group);

    if (group->shm.len == 0 || ngx_duplex_store_table() == NULL) {
        return;
    }

    ngx_duplex_ids_commit(group, pool);

    ngx_duplex_membership_begin(pool);

    ngx_duplex_places_commit(group, ngx_duplex_membership_added(group));

    /* an id may be free only when the one that has it now got its own */

    for (i = 0; i < 2; i++) {
        (void) ngx_duplex_store_walk(ngx_duplex_store_table(),
                                     ngx_duplex_admin_kind.tag, &group->zone,
                                     ngx_duplex_membership_visit, group);
        (void) ngx_duplex_store_walk(ngx_duplex_store_table(),
                                     ngx_duplex_name_kind.tag, &group->zone,
                                     ngx_duplex_membership_visit_name, group);
    }

    ngx_duplex_membership_warn(group);

    ngx_duplex_membership_begin(NULL);
}


static ngx_int_t
ngx_duplex_membership_visit(ngx_duplex_record_t *rec, void *data)
{
    ngx_duplex_group_t *group = data;

    ngx_str_t  key, field;

    if (ngx_duplex_admin_split(&rec->key, &key, &field) == NGX_OK) {
        ngx_duplex_membership_refresh(group, &key);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_duplex_membership_visit_name(ngx_duplex_record_t *rec, void *data)
{
    ngx_duplex_membership_refresh(data, &rec->key);

    return NGX_OK;
}


static void
ngx_duplex_membership_warn(ngx_duplex_group_t *group)
{
    ngx_uint_t            i;
    ngx_duplex_line_t   **line;

    line = group->lines.elts;

    for (i = 0; i < group->lines.nelts; i++) {

        if (ngx_duplex_peer_by_key(group, &line[i]->key) == NULL) {
            ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                          "server \"%V\" of %s \"%V\" is in the file, but "
                          "was removed at run time: it stays out",
                          &line[i]->server, group->driver->title,
                          &group->name);
        }
    }
}


ngx_uint_t
ngx_duplex_membership_added(ngx_duplex_group_t *group)
{
    ngx_uint_t  n;

    n = 0;

    (void) ngx_duplex_store_walk(ngx_duplex_store_table(),
                                 ngx_duplex_admin_kind.tag, &group->zone,
                                 ngx_duplex_membership_count, &n);
    (void) ngx_duplex_store_walk(ngx_duplex_store_table(),
                                 ngx_duplex_name_kind.tag, &group->zone,
                                 ngx_duplex_membership_count_name, &n);

    return n;
}


ngx_uint_t
ngx_duplex_membership_expected(ngx_conf_t *cf, ngx_duplex_group_t *group)
{
    ngx_uint_t                  i, n;
    ngx_array_t                 keys;
    ngx_duplex_expected_t       expected;
    uint64_t                   *hash;

    if (ngx_duplex_store_table()) {
        return ngx_duplex_membership_added(group);
    }

    if (ngx_array_init(&keys, cf->temp_pool, 16, sizeof(uint64_t)) != NGX_OK) {
        return 0;
    }

    expected.group = group;
    expected.keys = &keys;

    ngx_duplex_journal_peek(cf, ngx_duplex_membership_peek, &expected);

    ngx_qsort(keys.elts, keys.nelts, sizeof(uint64_t),
              ngx_duplex_membership_compare);

    hash = keys.elts;

    for (i = 0, n = 0; i < keys.nelts; i++) {
        if (i == 0 || hash[i] != hash[i - 1]) {
            n++;
        }
    }

    return n;
}


static void
ngx_duplex_membership_peek(ngx_duplex_record_t *rec, void *data)
{
    ngx_duplex_expected_t *expected = data;

    uint64_t    *hash;
    ngx_str_t   *zone;
    ngx_uint_t   n;

    n = 0;
    zone = &expected->group->zone;

    if (rec->zone.len != zone->len
        || ngx_memcmp(rec->zone.data, zone->data, zone->len) != 0)
    {
        return;
    }

    if (rec->kind == ngx_duplex_admin_kind.tag) {
        (void) ngx_duplex_membership_count(rec, &n);

    } else if (rec->kind == ngx_duplex_name_kind.tag) {
        (void) ngx_duplex_membership_count_name(rec, &n);
    }

    if (n == 0) {
        return;
    }

    hash = ngx_array_push(expected->keys);

    if (hash) {
        *hash = ngx_duplex_hash(rec->key.data, rec->key.len);
    }
}


static int ngx_libc_cdecl
ngx_duplex_membership_compare(const void *one, const void *two)
{
    const uint64_t *first = one;
    const uint64_t *second = two;

    return (*first > *second) - (*first < *second);
}


/* a few too many: removed ones, and what the file names by now */

static ngx_int_t
ngx_duplex_membership_count(ngx_duplex_record_t *rec, void *data)
{
    ngx_uint_t *n = data;

    ngx_str_t  key, field;

    if (ngx_duplex_admin_split(&rec->key, &key, &field) == NGX_OK
        && field.len == 5
        && ngx_strncmp(field.data, "exist", 5) == 0
        && rec->value.len > 17
        && rec->value.data[17])
    {
        (*n)++;
    }

    return NGX_OK;
}


/* the same: of names that the file may have no more */

static ngx_int_t
ngx_duplex_membership_count_name(ngx_duplex_record_t *rec, void *data)
{
    ngx_uint_t *n = data;

    (*n)++;

    return NGX_OK;
}
