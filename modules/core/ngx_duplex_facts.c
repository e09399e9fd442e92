
/*
 * Facts of the configuration, see the header; and those of core itself.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_conf.h"
#include "ngx_duplex_facts.h"


static void ngx_duplex_facts_zones(ngx_duplex_facts_t *facts);
static void ngx_duplex_facts_copy(ngx_duplex_facts_t *facts, ngx_str_t *dst,
    const u_char *data, size_t len);
static int ngx_libc_cdecl ngx_duplex_facts_compare(const void *one,
    const void *two);


ngx_int_t
ngx_duplex_facts_all(ngx_duplex_facts_t *facts, ngx_pool_t *pool)
{
    ngx_uint_t            i;
    ngx_duplex_facts_pt  *tell;

    facts->pool = pool;
    facts->failed = 0;

    if (ngx_array_init(&facts->list, pool, 64, sizeof(ngx_duplex_fact_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_duplex_facts_zones(facts);

    tell = ngx_duplex_present->facts.elts;

    for (i = 0; i < ngx_duplex_present->facts.nelts; i++) {
        tell[i](facts);
    }

    if (facts->failed) {
        return NGX_ERROR;
    }

    ngx_qsort(facts->list.elts, facts->list.nelts, sizeof(ngx_duplex_fact_t),
              ngx_duplex_facts_compare);

    return NGX_OK;
}


static void
ngx_duplex_facts_zones(ngx_duplex_facts_t *facts)
{
    u_char              buf[sizeof("zone:") + 255];
    ngx_str_t           zone, name = ngx_string("zone");
    ngx_duplex_zone_t  *z;

    for (z = ngx_duplex_present->zones; z; z = z->next) {

        zone.data = buf;
        zone.len = ngx_snprintf(buf, sizeof(buf), "zone:%V", &z->name) - buf;

        /* of a zone that is not sent, the size is the node's own business */

        if (z->flags & NGX_DUPLEX_TABLE_LOCAL) {
            ngx_duplex_fact(facts, &zone, &name, "sync=off");

        } else {
            ngx_duplex_fact(facts, &zone, &name, "sync=on size=%uz", z->size);
        }
    }
}


void
ngx_duplex_fact(ngx_duplex_facts_t *facts, ngx_str_t *zone, ngx_str_t *name,
    const char *fmt, ...)
{
    u_char              buf[NGX_DUPLEX_FACT_MAX], *last;
    va_list             args;
    ngx_duplex_fact_t  *fact;

    fact = ngx_array_push(&facts->list);
    if (fact == NULL) {
        facts->failed = 1;
        return;
    }

    va_start(args, fmt);
    last = ngx_vslprintf(buf, buf + sizeof(buf), fmt, args);
    va_end(args);

    ngx_duplex_facts_copy(facts, &fact->zone, zone->data, zone->len);
    ngx_duplex_facts_copy(facts, &fact->name, name->data, name->len);
    ngx_duplex_facts_copy(facts, &fact->value, buf, last - buf);
}


/* they are parted by tabs and line feeds where they are compared */

static void
ngx_duplex_facts_copy(ngx_duplex_facts_t *facts, ngx_str_t *dst,
    const u_char *data, size_t len)
{
    size_t  i;

    dst->len = len;
    dst->data = ngx_pnalloc(facts->pool, len + 1);

    if (dst->data == NULL) {
        dst->len = 0;
        facts->failed = 1;
        return;
    }

    for (i = 0; i < len; i++) {
        dst->data[i] = (data[i] == '\t' || data[i] == '\n') ? ' ' : data[i];
    }
}


static int ngx_libc_cdecl
ngx_duplex_facts_compare(const void *one, const void *two)
{
    ngx_int_t                 rc;
    const ngx_duplex_fact_t  *a = one;
    const ngx_duplex_fact_t  *b = two;

    rc = ngx_memn2cmp(a->zone.data, b->zone.data, a->zone.len, b->zone.len);

    if (rc) {
        return (int) rc;
    }

    return (int) ngx_memn2cmp(a->name.data, b->name.data, a->name.len,
                              b->name.len);
}
