
/*
 * The registry of one cycle as core itself sees it, and the one of the
 * present cycle.  For the files of core only.
 */


#ifndef _NGX_DUPLEX_CONF_H_INCLUDED_
#define _NGX_DUPLEX_CONF_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_registry.h"
#include "ngx_duplex_identity.h"
#include "ngx_duplex_clock.h"
#include "ngx_duplex_event.h"
#include "ngx_duplex_lease.h"


#define NGX_DUPLEX_SAVED_ZONES  64


/* at the start of "duplex:store", before the events and the table */
typedef struct {
    ngx_duplex_clock_t      clock;
    ngx_duplex_lease_t      lease;
    uint64_t                incarnation; /* of the node */
    ngx_atomic_t            generation;
    ngx_atomic_t            recovered;  /* repairs that have been logged */
    ngx_atomic_t            saved[NGX_DUPLEX_SAVED_ZONES]; /* snapshots */
} ngx_duplex_shared_t;


typedef struct {
    char                   *name;
    void                   *service;
} ngx_duplex_service_t;


typedef struct ngx_duplex_journal_s  ngx_duplex_journal_t;


typedef struct {
    ngx_str_t               node;       /* duplex_node */
    ngx_str_t               cluster;    /* duplex_cluster */
    size_t                  size;       /* duplex_store_size */
    ngx_msec_t              lifetime;   /* duplex_tombstone_lifetime */
    ngx_uint_t              needed;     /* some directive needs the store */
    ngx_uint_t              kept;       /* its changes should be kept */

    ngx_duplex_journal_t   *journal;    /* duplex_store, NULL: none */
    ngx_msec_t              interval;   /* of its snapshots */

    ngx_array_t             features;   /* ngx_duplex_feature_t *, by layer */
    ngx_array_t             kinds;      /* ngx_duplex_kind_t * */
    ngx_array_t             views;      /* ngx_duplex_view_t * */
    ngx_array_t             pages;      /* ngx_duplex_page_t * */
    ngx_array_t             metrics;    /* ngx_duplex_metrics_pt */
    ngx_array_t             facts;      /* ngx_duplex_facts_pt */
    ngx_array_t             services;   /* ngx_duplex_service_t */

    ngx_duplex_zone_t      *zones;      /* the main one first */
    ngx_duplex_zone_t     **last_zone;

    ngx_duplex_shared_t    *shared;     /* NULL: no store */
    ngx_duplex_events_t    *events;     /* behind it */
    ngx_duplex_identity_t   identity;
} ngx_duplex_conf_t;


/* of the cycle that commit was last called for; NULL before the first */
extern ngx_duplex_conf_t  *ngx_duplex_present;

extern ngx_module_t        ngx_duplex_core_module;


/* "duplex:store"; for init_conf */
ngx_int_t ngx_duplex_zone_add_main(ngx_conf_t *cf, ngx_duplex_conf_t *dcf);

/*
 * For commit: fills fresh zones from the ones of the same name in the old
 * cycle; logs what could not be done, never fails.
 */
void ngx_duplex_zones_carry_over(ngx_cycle_t *cycle, ngx_duplex_conf_t *dcf);

/*
 * A record that was read from a file, given its own time: nobody is told.
 * As ngx_duplex_table_put() answers.
 */
ngx_int_t ngx_duplex_store_restore(ngx_duplex_table_t *table,
    ngx_duplex_record_t *rec);


/* the directive "duplex_store" */
char *ngx_duplex_journal_set(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
/* for init_conf: memory for the journal */
ngx_int_t ngx_duplex_journal_add_zone(ngx_conf_t *cf, ngx_duplex_conf_t *dcf);
/*
 * For commit, before anything is projected: reads the journal if the store
 * is "fresh", and makes it ready; logs what failed, never fails.
 */
void ngx_duplex_journal_load(ngx_cycle_t *cycle, ngx_uint_t fresh);
/* for the holder's tick: no time is given out that is not reserved on disk */
void ngx_duplex_journal_beat(void);


/* the processes' part: ngx_duplex_worker.c */
ngx_int_t ngx_duplex_worker_start(ngx_cycle_t *cycle);
void ngx_duplex_worker_exit(void);
/* derived state is made up to the main table's present head */
void ngx_duplex_worker_seen(uint64_t position);


#endif /* _NGX_DUPLEX_CONF_H_INCLUDED_ */
