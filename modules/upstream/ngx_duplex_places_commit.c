
/*
 * The places of a new configuration: stock has just copied its peers into
 * the zone, no worker uses them yet, and lists may still grow.
 *
 * All memory for servers that come later is taken here, in one piece a list.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_group.h"
#include "ngx_duplex_held.h"
#include "ngx_duplex_line.h"
#include "ngx_duplex_slow.h"
#include "ngx_duplex_stock.h"


/* texts and address of a place, behind its stock peer */
#define NGX_DUPLEX_PLACE_TEXTS                                                \
    (sizeof(ngx_sockaddr_t) + NGX_SOCKADDR_STRLEN + NGX_DUPLEX_SERVER_MAX     \
     + NGX_DUPLEX_ROUTE_MAX + 4 * NGX_ALIGNMENT)


static ngx_int_t ngx_duplex_places_list(ngx_duplex_group_t *group,
    ngx_uint_t backup, void *peers, ngx_uint_t more);
static ngx_uint_t ngx_duplex_places_match(ngx_duplex_group_t *group,
    ngx_uint_t backup, void *peers);
static void *ngx_duplex_places_backups(ngx_duplex_group_t *group, void *peers);
static void ngx_duplex_places_make(const ngx_duplex_layout_t *l, u_char *p);
static size_t ngx_duplex_place_size(ngx_duplex_group_t *group);


size_t
ngx_duplex_places_size(ngx_duplex_group_t *group, ngx_uint_t more)
{
    size_t  list;

    /* the dummy, and what whole pages and small things take */

    list = (group->spare + more + 1)
           * ngx_duplex_place_size(group) + 3 * ngx_pagesize;

    if (group->backups) {
        list *= 2;
    }

    /* rows for the servers of the file, in one piece for each list */

    return list + (group->lines.nelts + 2) * ngx_duplex_held_size(group)
           + 2 * ngx_pagesize;
}


void
ngx_duplex_places_bind(ngx_duplex_group_t *group)
{
    void                 *peers, *backups;
    ngx_duplex_driver_t  *driver;

    driver = group->driver;

    peers = driver->peers(group);
    if (peers == NULL) {
        return;
    }

    backups = ngx_duplex_stock(driver->layout, peers, backups, void *);

    /* a third party's list is left alone */

    if (!ngx_duplex_places_match(group, 0, peers)
        || (backups && !ngx_duplex_places_match(group, 1, backups)))
    {
        ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                      "peers of %s \"%V\" are not those of its \"server\" "
                      "lines, they cannot be changed at run time",
                      driver->title, &group->name);
        return;
    }

    group->lists[0].peers = peers;
    group->lists[1].peers = backups;
}


void
ngx_duplex_places_identify(ngx_duplex_group_t *group, void *peers)
{
    void  *backups;

    backups = ngx_duplex_stock(group->driver->layout, peers, backups, void *);

    (void) ngx_duplex_places_match(group, 0, peers);

    if (backups) {
        (void) ngx_duplex_places_match(group, 1, backups);
    }
}


void
ngx_duplex_places_commit(ngx_duplex_group_t *group, ngx_uint_t more)
{
    void                       *peers, *backups;
    ngx_uint_t                 *words, *generation; /* last id, scales */
    ngx_slab_pool_t            *shpool;
    ngx_duplex_driver_t        *driver;
    const ngx_duplex_layout_t  *l;

    driver = group->driver;
    l = driver->layout;

    peers = group->lists[0].peers;
    if (peers == NULL) {
        return;
    }

    backups = group->lists[1].peers;

    shpool = ngx_duplex_stock(l, peers, shpool, ngx_slab_pool_t *);

    words = ngx_slab_calloc(shpool, 4 * sizeof(ngx_uint_t));
    generation = words;

#if (NGX_DUPLEX_HAVE_PEER_REFS)
    generation = ngx_duplex_stock(l, peers, config, ngx_uint_t *);
#endif

    if (backups == NULL && group->backups) {
        backups = ngx_duplex_places_backups(group, peers);
    }

    if (words == NULL
        || generation == NULL
        || ngx_duplex_places_list(group, 0, peers, more) != NGX_OK
        || (backups
            && ngx_duplex_places_list(group, 1, backups, more) != NGX_OK))
    {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "zone \"%V\" has no memory for places in %s \"%V\"",
                      &group->shm, driver->title, &group->name);
        group->lists[0].peers = NULL;
        group->lists[1].peers = NULL;
        return;
    }

    group->last_id = (ngx_atomic_t *) &words[1];
    group->scales = &words[2];
    group->generation = generation;
    group->seen = *generation;

    ngx_duplex_slow_scale(group);

    driver->plural(peers);

    if (backups) {
        ngx_duplex_stock(l, peers, backups, void *) = backups;
    }
}


static ngx_int_t
ngx_duplex_places_list(ngx_duplex_group_t *group, ngx_uint_t backup,
    void *peers, ngx_uint_t more)
{
    void                       *rr;
    size_t                      size;
    u_char                     *block, *rows;
    ngx_uint_t                  i, n, k;
    ngx_duplex_list_t          *list;
    const ngx_duplex_layout_t  *l;

    l = group->driver->layout;
    list = &group->lists[backup];

    n = group->spare + more;
    size = ngx_duplex_place_size(group);

    block = ngx_slab_calloc(ngx_duplex_stock(l, peers, shpool,
                                             ngx_slab_pool_t *),
                            (n + 1) * size);
    if (block == NULL) {
        return NGX_ERROR;
    }

    for (rr = ngx_duplex_stock_first(l, peers), k = 0;
         rr;
         rr = ngx_duplex_stock_next(l, rr))
    {
        k++;
    }

    rows = ngx_slab_calloc(ngx_duplex_stock(l, peers, shpool,
                                            ngx_slab_pool_t *),
                           (k + 1) * ngx_duplex_held_size(group));
    if (rows == NULL) {
        return NGX_ERROR;
    }

    n += k;

    list->places = ngx_palloc(ngx_duplex_member_pool(),
                              n * sizeof(ngx_duplex_place_t));
    if (list->places == NULL) {
        return NGX_ERROR;
    }

    i = 0;
    list->dummy = NULL;

    for (rr = ngx_duplex_stock_first(l, peers);
         rr;
         rr = ngx_duplex_stock_next(l, rr))
    {
        if (ngx_duplex_stock_tag(l, rr) == NGX_DUPLEX_TAG_DUMMY) {
            list->dummy = rr;
            continue;
        }

        list->places[i].peer = rr;
        list->places[i].room = ngx_duplex_stock(l, rr, server, ngx_str_t).len;
        i++;

        ngx_duplex_stock(l, rr, held, uint64_t) = (uintptr_t) rows;
        rows += ngx_duplex_held_size(group);
    }

    if (list->dummy == NULL) {
        list->dummy = block;
        ngx_duplex_places_make(l, block);
        ngx_duplex_stock(l, block, down, ngx_uint_t) = NGX_DUPLEX_DOWN_CONFIG;
        ngx_duplex_stock(l, block, weight, ngx_int_t) = 1;
        block += size;
    }

    if (ngx_duplex_stock_first(l, peers) == NULL) {
        ngx_duplex_stock_first(l, peers) = list->dummy;
        ngx_duplex_stock_tag(l, list->dummy) = NGX_DUPLEX_TAG_DUMMY;
        ngx_duplex_stock(l, peers, total_weight, ngx_uint_t) = 1;
#if (NGX_DUPLEX_HAVE_PEER_REFS)
        ngx_duplex_stock(l, peers, number, ngx_uint_t) = 1;
#endif
    }

    for (n = group->spare + more; n; n--) {
        ngx_duplex_places_make(l, block);
        list->places[i].peer = block;
        list->places[i].room = NGX_DUPLEX_SERVER_MAX;
        block += size;
        i++;
    }

    list->nplaces = i;
    list->peers = peers;

    /*
     * Where stock does not expect lists to change, it takes this number for
     * the size of what it keeps about them: it stays as it is now.
     */

#if !(NGX_DUPLEX_HAVE_PEER_REFS)
    ngx_duplex_stock(l, peers, number, ngx_uint_t) = i + 1;
#endif

    return NGX_OK;
}


/* stock keeps the order of the file; what is left over is our placeholder */

static ngx_uint_t
ngx_duplex_places_match(ngx_duplex_group_t *group, ngx_uint_t backup,
    void *peers)
{
    void                       *rr;
    ngx_str_t                  *name;
    ngx_uint_t                  i, n;
    ngx_duplex_line_t         **line;
    const ngx_duplex_layout_t  *l;

    l = group->driver->layout;
    line = group->lines.elts;
    n = 0;
    rr = ngx_duplex_stock_first(l, peers);

    for (i = 0; i < group->lines.nelts; i++) {

        if (line[i]->backup != backup) {
            continue;
        }

        if (rr == NULL) {
            return 0;
        }

        name = &ngx_duplex_stock(l, rr, name, ngx_str_t);

        if (name->len != line[i]->name.len
            || ngx_memcmp(name->data, line[i]->name.data, name->len) != 0)
        {
            return 0;
        }

        ngx_duplex_stock_tag(l, rr) = (ngx_msec_t) line[i]->hash;
        ngx_duplex_stock(l, rr, id, uint64_t) = line[i]->id;

        rr = ngx_duplex_stock_next(l, rr);
        n++;
    }

    if (rr == NULL) {
        return 1;
    }

    if (n || backup || ngx_duplex_stock_next(l, rr)) {
        return 0;
    }

    ngx_duplex_stock_tag(l, rr) = NGX_DUPLEX_TAG_DUMMY;

    return 1;
}


/* stock makes no list of backups where the file has none */

static void *
ngx_duplex_places_backups(ngx_duplex_group_t *group, void *peers)
{
    void                       *backups;
    const ngx_duplex_layout_t  *l;

    l = group->driver->layout;

    backups = ngx_slab_calloc(ngx_duplex_stock(l, peers, shpool,
                                               ngx_slab_pool_t *),
                              l->list_size);
    if (backups == NULL) {
        return NULL;
    }

    ngx_duplex_stock(l, backups, shpool, ngx_slab_pool_t *)
        = ngx_duplex_stock(l, peers, shpool, ngx_slab_pool_t *);
    ngx_duplex_stock(l, backups, title, ngx_str_t *)
        = ngx_duplex_stock(l, peers, title, ngx_str_t *);
#if (NGX_DUPLEX_HAVE_PEER_REFS)
    ngx_duplex_stock(l, backups, config, ngx_uint_t *)
        = ngx_duplex_stock(l, peers, config, ngx_uint_t *);
#endif

    return backups;
}


static void
ngx_duplex_places_make(const ngx_duplex_layout_t *l, u_char *p)
{
    void  *rr;

    rr = p;

    p += ngx_align(l->peer_size, NGX_ALIGNMENT);
    ngx_duplex_stock(l, rr, sockaddr, void *) = p;
    ngx_duplex_stock(l, rr, socklen, socklen_t) = sizeof(struct sockaddr_in);
    ((struct sockaddr *) p)->sa_family = AF_INET;

    p += ngx_align(sizeof(ngx_sockaddr_t), NGX_ALIGNMENT);
    ngx_duplex_stock(l, rr, name, ngx_str_t).data = p;

    p += ngx_align(NGX_SOCKADDR_STRLEN, NGX_ALIGNMENT);
    ngx_duplex_stock(l, rr, server, ngx_str_t).data = p;

    p += NGX_DUPLEX_SERVER_MAX;

    if (l->sid) {
        ngx_duplex_stock(l, rr, sid, ngx_str_t).data = p;
    }

    p = ngx_align_ptr(p + NGX_DUPLEX_ROUTE_MAX, NGX_ALIGNMENT);
    ngx_duplex_stock(l, rr, held, uint64_t) = (uintptr_t) p;
}


static size_t
ngx_duplex_place_size(ngx_duplex_group_t *group)
{
    return ngx_align(group->driver->layout->peer_size + NGX_DUPLEX_PLACE_TEXTS
                     + ngx_duplex_held_size(group), NGX_ALIGNMENT);
}
