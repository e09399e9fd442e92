
/*
 * The upstream groups, and the drivers and contributors that go with them.
 *
 * A list belongs to one cycle and lives in its memory.  It is made while the
 * configuration is read, filled by the drivers when it is bound, and becomes
 * the present one with the commit; from then on it does not change.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_admin.h"
#include "ngx_duplex_group.h"
#include "ngx_duplex_held.h"
#include "ngx_duplex_line.h"
#include "ngx_duplex_membership.h"
#include "ngx_duplex_name.h"
#include "ngx_duplex_stock.h"
#include "ngx_duplex_options.h"
#include "ngx_duplex_override.h"
#include "ngx_duplex_panic.h"
#include "ngx_duplex_slow.h"


typedef struct {
    ngx_cycle_t   *cycle;
    ngx_array_t    groups;           /* ngx_duplex_group_t * */
    ngx_array_t    contributors;     /* ngx_duplex_contributor_t * */
    ngx_array_t    drivers;          /* ngx_duplex_driver_t * */
} ngx_duplex_group_list_t;


static ngx_duplex_group_list_t *ngx_duplex_group_list(ngx_conf_t *cf);
static void ngx_duplex_group_list_cleanup(void *data);
static void ngx_duplex_group_commit(ngx_cycle_t *cycle);
static ngx_duplex_driver_t *ngx_duplex_driver_of(ngx_duplex_group_list_t *list,
    ngx_str_t *protocol);
static ngx_duplex_group_t *ngx_duplex_group_of_zone(
    ngx_duplex_group_list_t *list, ngx_str_t *zone);
static ngx_int_t ngx_duplex_group_start(ngx_cycle_t *cycle);


static ngx_duplex_feature_t  ngx_duplex_group_feature = {
    ngx_string("upstream"),
    NGX_DUPLEX_LAYER_UPSTREAM,
    NULL,                                  /* bind */
    ngx_duplex_group_commit,               /* commit */
    NULL,                                  /* start */
    NULL,                                  /* take */
    NULL,                                  /* beat */
    NULL,                                  /* wake */
    NULL,                                  /* drop */
    NULL                                   /* stop */
};


/* tells of the peers that are there, to features that have started */

static ngx_duplex_feature_t  ngx_duplex_group_last_feature = {
    ngx_string("upstream peers"),
    NGX_DUPLEX_LAYER_LAST,
    NULL,                                  /* bind */
    NULL,                                  /* commit */
    ngx_duplex_group_start,        /* start */
    NULL,                                  /* take */
    NULL,                                  /* beat */
    NULL,                                  /* wake */
    NULL,                                  /* drop */
    NULL                                   /* stop */
};


/* of the cycle being configured, and of the one in force */

static ngx_duplex_group_list_t  *ngx_duplex_group_list_bound;
static ngx_duplex_group_list_t  *ngx_duplex_group_list_present;


ngx_int_t
ngx_duplex_register_driver(ngx_conf_t *cf, ngx_duplex_driver_t *driver)
{
    ngx_duplex_driver_t      **slot;
    ngx_duplex_group_list_t   *list;

    list = ngx_duplex_group_list(cf);
    if (list == NULL) {
        return NGX_ERROR;
    }

    slot = ngx_array_push(&list->drivers);
    if (slot == NULL) {
        return NGX_ERROR;
    }

    *slot = driver;

    /* the first one brings in what they share */

    if (list->drivers.nelts > 1) {
        return NGX_OK;
    }

    if (ngx_duplex_register_kind(cf, &ngx_duplex_admin_kind) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_duplex_register_feature(cf, &ngx_duplex_group_feature) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_duplex_register_facts(cf, ngx_duplex_upstream_facts) != NGX_OK
        || ngx_duplex_options_register(cf) != NGX_OK
        || ngx_duplex_slow_register(cf) != NGX_OK
        || ngx_duplex_override_register(cf) != NGX_OK
        || ngx_duplex_name_register(cf) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_duplex_register_feature(cf, &ngx_duplex_group_last_feature);
}


ngx_int_t
ngx_duplex_register_contributor(ngx_conf_t *cf,
    ngx_duplex_contributor_t *contributor)
{
    ngx_duplex_group_list_t    *list;
    ngx_duplex_contributor_t  **slot;

    list = ngx_duplex_group_list(cf);
    if (list == NULL) {
        return NGX_ERROR;
    }

    slot = ngx_array_push(&list->contributors);
    if (slot == NULL) {
        return NGX_ERROR;
    }

    *slot = contributor;

    return NGX_OK;
}


ngx_duplex_contributor_t *
ngx_duplex_contributor(ngx_uint_t i)
{
    ngx_duplex_group_list_t    *list;
    ngx_duplex_contributor_t  **contributors;

    list = ngx_duplex_group_list_present;

    if (list == NULL || i >= list->contributors.nelts) {
        return NULL;
    }

    contributors = list->contributors.elts;

    return contributors[i];
}


static ngx_duplex_group_list_t *
ngx_duplex_group_list(ngx_conf_t *cf)
{
    ngx_pool_cleanup_t       *cln;
    ngx_duplex_group_list_t  *list;

    list = ngx_duplex_group_list_bound;

    if (list && list->cycle == cf->cycle) {
        return list;
    }

    list = ngx_pcalloc(cf->cycle->pool, sizeof(ngx_duplex_group_list_t));
    if (list == NULL) {
        return NULL;
    }

    list->cycle = cf->cycle;

    if (ngx_array_init(&list->groups, cf->cycle->pool, 16,
                       sizeof(ngx_duplex_group_t *))
        != NGX_OK)
    {
        return NULL;
    }

    if (ngx_array_init(&list->contributors, cf->cycle->pool, 4,
                       sizeof(ngx_duplex_contributor_t *))
        != NGX_OK)
    {
        return NULL;
    }

    if (ngx_array_init(&list->drivers, cf->cycle->pool, 2,
                       sizeof(ngx_duplex_driver_t *))
        != NGX_OK)
    {
        return NULL;
    }

    cln = ngx_pool_cleanup_add(cf->cycle->pool, 0);
    if (cln == NULL) {
        return NULL;
    }

    cln->handler = ngx_duplex_group_list_cleanup;
    cln->data = list;

    ngx_duplex_group_list_bound = list;

    return list;
}


/*
 * A cycle that failed is freed, and the next one may get the same address:
 * the list must not be taken for that one's.
 */

static void
ngx_duplex_group_list_cleanup(void *data)
{
    if (ngx_duplex_group_list_bound == data) {
        ngx_duplex_group_list_bound = NULL;
    }

    if (ngx_duplex_group_list_present == data) {
        ngx_duplex_group_list_present = NULL;
    }
}


static void
ngx_duplex_group_commit(ngx_cycle_t *cycle)
{
    ngx_uint_t                i;
    ngx_duplex_group_t       *group, *old;
    ngx_duplex_group_list_t  *before;

    before = ngx_duplex_group_list_present;
    ngx_duplex_group_list_present = ngx_duplex_group_list_bound;

    for (i = 0; (group = ngx_duplex_group(i)) != NULL; i++) {
        ngx_duplex_membership_commit(group, cycle->pool);
        ngx_duplex_projection_commit(group);

        old = ngx_duplex_group_of_zone(before, &group->zone);

        ngx_duplex_slow_commit(group, old);
    }
}


static ngx_int_t
ngx_duplex_group_start(ngx_cycle_t *cycle)
{
    ngx_duplex_held_start();
    ngx_duplex_membership_start();

    ngx_duplex_panic_start();

    return NGX_OK;
}


void
ngx_duplex_contributors_added(ngx_duplex_peer_t *peer)
{
    ngx_uint_t                 i;
    ngx_duplex_contributor_t  *contributor;

    for (i = 0; (contributor = ngx_duplex_contributor(i)) != NULL; i++) {
        if (contributor->added) {
            contributor->added(peer);
        }
    }
}


void
ngx_duplex_contributors_removed(ngx_duplex_peer_t *peer)
{
    ngx_uint_t                 i;
    ngx_duplex_contributor_t  *contributor;

    for (i = 0; (contributor = ngx_duplex_contributor(i)) != NULL; i++) {
        if (contributor->removed) {
            contributor->removed(peer);
        }
    }
}


ngx_duplex_group_t *
ngx_duplex_group_add(ngx_conf_t *cf, ngx_duplex_driver_t *driver,
    ngx_str_t *name, ngx_str_t *shm, void *conf)
{
    u_char                    *p;
    ngx_core_conf_t           *ccf;
    ngx_duplex_group_t        *group, **slot;
    ngx_duplex_group_list_t   *list;

    list = ngx_duplex_group_list(cf);
    if (list == NULL) {
        return NULL;
    }

    group = ngx_pcalloc(cf->pool, sizeof(ngx_duplex_group_t));
    if (group == NULL) {
        return NULL;
    }

    ngx_rbtree_init(&group->ids, &group->sentinel, ngx_rbtree_insert_value);
    ngx_rbtree_init(&group->hashes, &group->sentinel,
                    ngx_rbtree_insert_value);
    ngx_rbtree_init(&group->by_line, &group->sentinel,
                    ngx_rbtree_insert_value);

    if (ngx_array_init(&group->lines, cf->pool, 8, sizeof(void *)) != NGX_OK) {
        return NULL;
    }

    p = ngx_pnalloc(cf->pool, driver->protocol.len + 1 + name->len);
    if (p == NULL) {
        return NULL;
    }

    ccf = (ngx_core_conf_t *) ngx_get_conf(cf->cycle->conf_ctx,
                                           ngx_core_module);

    group->zone.data = p;
    p = ngx_sprintf(p, "%V:%V", &driver->protocol, name);
    group->zone.len = p - group->zone.data;

    group->driver = driver;
    group->spare = NGX_DUPLEX_SPARE;
    group->workers = ccf->worker_processes;
    group->name = *name;
    group->conf = conf;

    if (shm) {
        group->shm = *shm;
    }

    /* else the store would refuse each record of the group */

    if (shm && group->zone.len > NGX_DUPLEX_ZONE_MAX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "name of upstream \"%V\" is longer than %uz bytes",
                           name, NGX_DUPLEX_ZONE_MAX - driver->protocol.len
                                 - 1);
        return NULL;
    }

    slot = ngx_array_push(&list->groups);
    if (slot == NULL) {
        return NULL;
    }

    *slot = group;

    return group;
}


/* the zone was sized for the servers of the file */

void
ngx_duplex_group_ready(ngx_conf_t *cf, ngx_duplex_group_t *group)
{
    if (group->shm.len) {
        group->driver->reserve(group,
                   ngx_duplex_places_size(group,
                           ngx_duplex_membership_expected(cf, group)));
    }
}


char *
ngx_duplex_spare_set(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_int_t    n;
    ngx_str_t   *value;
    ngx_uint_t  *spare;

    spare = (ngx_uint_t *) ((u_char *) conf + cmd->offset);

    if (*spare != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;

    n = ngx_atoi(value[1].data, value[1].len);

    if (n == NGX_ERROR || n > NGX_DUPLEX_SPARE_MAX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid number of spare places \"%V\": must be 0 "
                           "to %d", &value[1], NGX_DUPLEX_SPARE_MAX);
        return NGX_CONF_ERROR;
    }

    *spare = n;

    return NGX_CONF_OK;
}


ngx_addr_t *
ngx_duplex_placeholder(ngx_conf_t *cf)
{
    ngx_addr_t          *addr;
    struct sockaddr_in  *sin;

    addr = ngx_pcalloc(cf->pool, sizeof(ngx_addr_t));
    sin = ngx_pcalloc(cf->pool, sizeof(struct sockaddr_in));

    if (addr == NULL || sin == NULL) {
        return NULL;
    }

    sin->sin_family = AF_INET;

    addr->sockaddr = (struct sockaddr *) sin;
    addr->socklen = sizeof(struct sockaddr_in);
    ngx_str_set(&addr->name, "0.0.0.0:0");

    return addr;
}


ngx_duplex_group_t *
ngx_duplex_group_bound(ngx_conf_t *cf, void *conf)
{
    ngx_uint_t                i;
    ngx_duplex_group_t      **groups;
    ngx_duplex_group_list_t  *list;

    list = ngx_duplex_group_list(cf);
    if (list == NULL) {
        return NULL;
    }

    groups = list->groups.elts;

    for (i = 0; i < list->groups.nelts; i++) {
        if (groups[i]->conf == conf) {
            return groups[i];
        }
    }

    return NULL;
}


ngx_duplex_driver_t *
ngx_duplex_driver_bound(ngx_conf_t *cf, ngx_str_t *protocol)
{
    return ngx_duplex_driver_of(ngx_duplex_group_list(cf), protocol);
}


ngx_duplex_driver_t *
ngx_duplex_driver_find(ngx_str_t *protocol)
{
    return ngx_duplex_driver_of(ngx_duplex_group_list_present, protocol);
}


static ngx_duplex_driver_t *
ngx_duplex_driver_of(ngx_duplex_group_list_t *list, ngx_str_t *protocol)
{
    ngx_uint_t             i;
    ngx_duplex_driver_t  **drivers;

    if (list == NULL) {
        return NULL;
    }

    drivers = list->drivers.elts;

    for (i = 0; i < list->drivers.nelts; i++) {
        if (drivers[i]->protocol.len == protocol->len
            && ngx_memcmp(drivers[i]->protocol.data, protocol->data,
                          protocol->len)
               == 0)
        {
            return drivers[i];
        }
    }

    return NULL;
}


ngx_duplex_group_t *
ngx_duplex_group(ngx_uint_t i)
{
    ngx_duplex_group_t       **groups;
    ngx_duplex_group_list_t   *list;

    list = ngx_duplex_group_list_present;

    if (list == NULL || i >= list->groups.nelts) {
        return NULL;
    }

    groups = list->groups.elts;

    return groups[i];
}


ngx_duplex_group_t *
ngx_duplex_group_find(ngx_str_t *protocol, ngx_str_t *name)
{
    ngx_uint_t            i;
    ngx_duplex_group_t   *group;
    ngx_duplex_driver_t  *driver;

    driver = ngx_duplex_driver_find(protocol);
    if (driver == NULL) {
        return NULL;
    }

    for (i = 0; (group = ngx_duplex_group(i)) != NULL; i++) {
        if (group->driver == driver
            && group->name.len == name->len
            && ngx_memcmp(group->name.data, name->data, name->len) == 0)
        {
            return group;
        }
    }

    return NULL;
}


ngx_duplex_group_t *
ngx_duplex_group_by_zone(ngx_str_t *zone)
{
    return ngx_duplex_group_of_zone(ngx_duplex_group_list_present, zone);
}


static ngx_duplex_group_t *
ngx_duplex_group_of_zone(ngx_duplex_group_list_t *list, ngx_str_t *zone)
{
    ngx_uint_t            i;
    ngx_duplex_group_t  **groups;

    if (list == NULL) {
        return NULL;
    }

    groups = list->groups.elts;

    for (i = 0; i < list->groups.nelts; i++) {
        if (groups[i]->zone.len == zone->len
            && ngx_memcmp(groups[i]->zone.data, zone->data, zone->len) == 0)
        {
            return groups[i];
        }
    }

    return NULL;
}
