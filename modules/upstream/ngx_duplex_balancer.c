
/*
 * What two stock balancers compute once, where stock does not expect members
 * to change: the points of `hash ... consistent`, the ranges of `random`.
 *
 * Both are of each worker, in stock's own form, and are made again before a
 * request is prepared, if members or weights have changed.  Until then a
 * request finds removed servers there, which are down, and no new ones.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_group.h"
#include "ngx_duplex_stock.h"


#if (NGX_DUPLEX_HAVE_PEER_REFS)


ngx_int_t
ngx_duplex_balancer_refresh(ngx_duplex_group_t *group)
{
    return NGX_OK;
}


#else


#define NGX_DUPLEX_POINTS  160      /* of each unit of weight */


/* stock's */

typedef struct {
    uint32_t              hash;
    ngx_str_t            *server;
} ngx_duplex_point_t;

typedef struct {
    ngx_uint_t            number;
    ngx_duplex_point_t    point[1];
} ngx_duplex_points_t;

typedef struct {
    void                 *peer;
    ngx_uint_t            range;
} ngx_duplex_range_t;


static ngx_int_t ngx_duplex_balancer_ranges(ngx_duplex_group_t *group);
static ngx_int_t ngx_duplex_balancer_points(ngx_duplex_group_t *group);
static size_t ngx_duplex_balancer_size_locked(ngx_duplex_group_t *group);
static void ngx_duplex_balancer_fill_locked(ngx_duplex_group_t *group,
    ngx_duplex_points_t *points);
static ngx_duplex_point_t *ngx_duplex_balancer_hash(ngx_duplex_point_t *point,
    ngx_str_t *server, ngx_uint_t npoints);
static void ngx_duplex_balancer_split(ngx_str_t *server, ngx_str_t *host,
    ngx_str_t *port);
static int ngx_libc_cdecl ngx_duplex_balancer_compare(const void *one,
    const void *two);


ngx_int_t
ngx_duplex_balancer_refresh(ngx_duplex_group_t *group)
{
    ngx_int_t   rc;
    ngx_uint_t  generation;

    generation = *group->generation;

    if (group->seen == generation
        && (group->ranges == NULL || group->own_ranges))
    {
        return NGX_OK;
    }

    rc = NGX_OK;

    if (group->points) {
        rc = ngx_duplex_balancer_points(group);

    } else if (group->ranges) {
        rc = ngx_duplex_balancer_ranges(group);
    }

    if (rc == NGX_OK) {
        group->seen = generation;
    }

    return rc;
}


/* stock looks at as many as the list has places: the rest is never chosen */

static ngx_int_t
ngx_duplex_balancer_ranges(ngx_duplex_group_t *group)
{
    void                       *rr, *peers;
    ngx_uint_t                  i, n, total;
    ngx_duplex_range_t         *ranges;
    const ngx_duplex_layout_t  *l;

    l = group->driver->layout;
    peers = group->lists[0].peers;

    n = ngx_duplex_stock(l, peers, number, ngx_uint_t);

    ranges = ngx_alloc(n * sizeof(ngx_duplex_range_t), ngx_cycle->log);
    if (ranges == NULL) {
        return NGX_ERROR;
    }

    ngx_duplex_stock_rlock(group->driver, peers);

    total = 0;
    rr = ngx_duplex_stock_first(l, peers);

    for (i = 0; i < n; i++) {

        ranges[i].peer = rr ? rr : group->lists[0].dummy;
        ranges[i].range = total;

        if (rr) {
            total += ngx_duplex_stock(l, rr, weight, ngx_int_t);
            rr = ngx_duplex_stock_next(l, rr);
        }
    }

    ngx_duplex_stock_unlock(group->driver, peers);

    if (group->own_ranges) {
        ngx_free(group->own_ranges);
    }

    group->own_ranges = ranges;
    *group->ranges = ranges;

    return NGX_OK;
}


static ngx_int_t
ngx_duplex_balancer_points(ngx_duplex_group_t *group)
{
    void                 *peers;
    size_t                size, room;
    ngx_uint_t            i, j;
    ngx_duplex_points_t  *points;

    peers = group->lists[0].peers;
    points = NULL;
    room = 0;

    for ( ;; ) {

        ngx_duplex_stock_rlock(group->driver, peers);

        size = ngx_duplex_balancer_size_locked(group);

        if (size <= room) {
            ngx_duplex_balancer_fill_locked(group, points);
            ngx_duplex_stock_unlock(group->driver, peers);
            break;
        }

        ngx_duplex_stock_unlock(group->driver, peers);

        if (points) {
            ngx_free(points);
        }

        room = size;

        points = ngx_alloc(room, ngx_cycle->log);
        if (points == NULL) {
            return NGX_ERROR;
        }
    }

    ngx_qsort(points->point, points->number, sizeof(ngx_duplex_point_t),
              ngx_duplex_balancer_compare);

    for (i = 0, j = 1; j < points->number; j++) {
        if (points->point[i].hash != points->point[j].hash) {
            points->point[++i] = points->point[j];
        }
    }

    points->number = i + 1;

    /* the file's stay in the cycle's pool */

    if (group->own_points) {
        ngx_free(group->own_points);
    }

    group->own_points = points;
    *group->points = points;

    return NGX_OK;
}


static size_t
ngx_duplex_balancer_size_locked(ngx_duplex_group_t *group)
{
    void                       *rr, *peers;
    size_t                      size;
    const ngx_duplex_layout_t  *l;

    l = group->driver->layout;
    peers = group->lists[0].peers;

    size = sizeof(ngx_duplex_points_t)
           + ngx_duplex_stock(l, peers, total_weight, ngx_uint_t)
             * NGX_DUPLEX_POINTS * sizeof(ngx_duplex_point_t);

    for (rr = ngx_duplex_stock_first(l, peers);
         rr;
         rr = ngx_duplex_stock_next(l, rr))
    {
        size += sizeof(ngx_str_t)
                + ngx_align(ngx_duplex_stock(l, rr, server, ngx_str_t).len,
                            sizeof(uintptr_t));
    }

    return size;
}


/* texts come behind the points: stock's are in a zone and may change */

static void
ngx_duplex_balancer_fill_locked(ngx_duplex_group_t *group,
    ngx_duplex_points_t *points)
{
    void                       *rr, *peers;
    u_char                     *p;
    ngx_str_t                  *server, *text;
    ngx_uint_t                  n;
    ngx_duplex_point_t         *point;
    const ngx_duplex_layout_t  *l;

    l = group->driver->layout;
    peers = group->lists[0].peers;

    n = ngx_duplex_stock(l, peers, total_weight, ngx_uint_t)
        * NGX_DUPLEX_POINTS;

    point = points->point;
    p = (u_char *) &points->point[n];

    for (rr = ngx_duplex_stock_first(l, peers);
         rr;
         rr = ngx_duplex_stock_next(l, rr))
    {
        text = &ngx_duplex_stock(l, rr, server, ngx_str_t);

        server = (ngx_str_t *) p;
        server->data = p + sizeof(ngx_str_t);
        server->len = text->len;
        ngx_memcpy(server->data, text->data, text->len);

        p = server->data + ngx_align(text->len, sizeof(uintptr_t));

        point = ngx_duplex_balancer_hash(point, server,
                       ngx_duplex_stock(l, rr, weight, ngx_int_t)
                       * NGX_DUPLEX_POINTS);
    }

    points->number = point - points->point;
}


/* as Cache::Memcached::Fast: crc32(HOST \0 PORT PREV_HASH) */

static ngx_duplex_point_t *
ngx_duplex_balancer_hash(ngx_duplex_point_t *point, ngx_str_t *server,
    ngx_uint_t npoints)
{
    u_char      previous[4];
    uint32_t    hash, base;
    ngx_str_t   host, port;

    ngx_duplex_balancer_split(server, &host, &port);

    ngx_crc32_init(base);
    ngx_crc32_update(&base, host.data, host.len);
    ngx_crc32_update(&base, (u_char *) "", 1);
    ngx_crc32_update(&base, port.data, port.len);

    ngx_memzero(previous, 4);

    while (npoints--) {
        hash = base;

        ngx_crc32_update(&hash, previous, 4);
        ngx_crc32_final(hash);

        point->hash = hash;
        point->server = server;
        point++;

        previous[0] = (u_char) (hash & 0xff);
        previous[1] = (u_char) ((hash >> 8) & 0xff);
        previous[2] = (u_char) ((hash >> 16) & 0xff);
        previous[3] = (u_char) ((hash >> 24) & 0xff);
    }

    return point;
}


static void
ngx_duplex_balancer_split(ngx_str_t *server, ngx_str_t *host, ngx_str_t *port)
{
    u_char  *p;
    size_t   len;

    *host = *server;
    port->data = (u_char *) "";
    port->len = 0;

    if (server->len >= 5
        && ngx_strncasecmp(server->data, (u_char *) "unix:", 5) == 0)
    {
        host->data += 5;
        host->len -= 5;
        return;
    }

    for (len = server->len; len; len--) {
        p = &server->data[len - 1];

        if (*p == ':') {
            host->len = len - 1;
            port->data = p + 1;
            port->len = server->len - len;
            return;
        }

        if (*p < '0' || *p > '9') {
            return;
        }
    }
}


static int ngx_libc_cdecl
ngx_duplex_balancer_compare(const void *one, const void *two)
{
    const ngx_duplex_point_t *first = one;
    const ngx_duplex_point_t *second = two;

    if (first->hash < second->hash) {
        return -1;
    }

    return first->hash > second->hash;
}


#endif
