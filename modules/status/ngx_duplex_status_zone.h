
/*
 * Status zones: the names that "status_zone" gives, one list for each kind of
 * thing, and the pages that show them.
 */


#ifndef _NGX_DUPLEX_STATUS_ZONE_H_INCLUDED_
#define _NGX_DUPLEX_STATUS_ZONE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_page.h"
#include "ngx_duplex_counters.h"


typedef struct {
    ngx_str_t            name;
    ngx_duplex_cell_t   *cell;          /* from start on; may be NULL */
} ngx_duplex_status_zone_t;


/* how zones of one kind are called and shown; static data */
typedef struct {
    ngx_duplex_cell_e    kind;
    const char          *code;          /* "ServerZoneNotFound" */
    const char          *text;          /* "server zone not found" */
    ngx_uint_t           first;         /* counters that DELETE sets to 0 */
    ngx_uint_t           n;
    void               (*render)(ngx_duplex_json_t *json,
                             ngx_duplex_sum_t *sum, ngx_str_t *name);
    ngx_array_t         *zones;         /* of the cycle in force, in it */
} ngx_duplex_status_kind_t;


/* the zone of this name in "zones", added if there is none; NULL: no
   memory, or the name is no good, which is logged */
ngx_duplex_status_zone_t *ngx_duplex_status_zone(ngx_conf_t *cf,
    ngx_array_t *zones, ngx_str_t *name);

/* for start: finds the cells of all zones, which are then what is shown */
void ngx_duplex_status_start(ngx_duplex_status_kind_t *kind,
    ngx_array_t *zones);

/* page functions; the page's data is its kind */
ngx_uint_t ngx_duplex_status_all(ngx_duplex_call_t *call);
ngx_uint_t ngx_duplex_status_one(ngx_duplex_call_t *call);
ngx_uint_t ngx_duplex_status_reset(ngx_duplex_call_t *call);


#endif /* _NGX_DUPLEX_STATUS_ZONE_H_INCLUDED_ */
