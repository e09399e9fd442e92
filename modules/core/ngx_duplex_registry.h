
/*
 * The registry: what the loaded features offer to core and to each other,
 * rebuilt for every cycle, so that core, store, sync and API name no feature
 * and no feature object links against another.
 *
 * The life of a configuration:
 *
 *     preconfiguration   features register themselves, kinds, views, drivers
 *     directives         setters record what was written, start nothing
 *     bind(cf)           everything is parsed: names are bound, or refused
 *     commit(cycle)      may not fail: the new cycle is now the present one;
 *                        nothing of the old cycle has been freed yet
 *     start(cycle)       in each worker
 *     take/beat/drop     in the one worker that holds the lease
 *     stop()             in each worker, at once when it is told to leave;
 *                        later only project() of kinds is still called
 *
 * Calls go through features in the order of their layers (a feature of layer
 * 2 may rely on layer 1 having been called); stop and drop run backwards.
 *
 * commit and later are not called in `nginx -t`, nor in helper processes
 * such as the cache manager.
 */


#ifndef _NGX_DUPLEX_REGISTRY_H_INCLUDED_
#define _NGX_DUPLEX_REGISTRY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_store.h"
#include "ngx_duplex_json.h"


#define NGX_DUPLEX_LAYER_CORE      0
#define NGX_DUPLEX_LAYER_UPSTREAM  1
#define NGX_DUPLEX_LAYER_FEATURE   2    /* health, sticky, keyval, ... */
#define NGX_DUPLEX_LAYER_SYNC      3
#define NGX_DUPLEX_LAYER_API       4
#define NGX_DUPLEX_LAYER_LAST      5    /* when all others have been called */


/* static data of the feature's object; NULL where it has nothing to do */
typedef struct {
    ngx_str_t    name;                          /* "http health" */
    ngx_uint_t   layer;

    ngx_int_t  (*bind)(ngx_conf_t *cf);         /* NGX_ERROR is logged */
    void       (*commit)(ngx_cycle_t *cycle);
    ngx_int_t  (*start)(ngx_cycle_t *cycle);    /* NGX_ERROR: worker exits */

    void       (*take)(void);                   /* this worker got the lease */
    void       (*beat)(void);                   /* every 250 ms, holder only */
    void       (*wake)(void);   /* there is something to ship; holder only */
    void       (*drop)(void);                   /* it has lost or gave it up */

    void       (*stop)(void);
} ngx_duplex_feature_t;


/* a page of the API: GET PREFIX/VERSION/path or PREFIX/duplex/path */
typedef struct {
    ngx_str_t    path;                          /* "stream/zone_sync" */
    /* writes one JSON value; reads shared state only, never blocks */
    void       (*render)(ngx_duplex_json_t *json);
} ngx_duplex_view_t;


/* all registering functions: NGX_OK or NGX_ERROR (logged); for parsing only */

ngx_int_t ngx_duplex_register_feature(ngx_conf_t *cf,
    ngx_duplex_feature_t *feature);
ngx_int_t ngx_duplex_register_kind(ngx_conf_t *cf, ngx_duplex_kind_t *kind);
ngx_int_t ngx_duplex_register_view(ngx_conf_t *cf, ngx_duplex_view_t *view);

/*
 * Named services between features: "http upstream" -> a struct of functions
 * that the two sides know from a header.  find answers NULL if the object
 * that offers it is not loaded; the caller refuses the configuration and
 * names that object.  Registered in preconfiguration, found after that.
 */
ngx_int_t ngx_duplex_register_service(ngx_conf_t *cf, const char *name,
    void *service);
void *ngx_duplex_find_service(ngx_conf_t *cf, const char *name);

/*
 * A directive needs the store: without such a call there is no shared
 * memory, no timer and no wake-up.
 */
void ngx_duplex_need_store(ngx_conf_t *cf);


/* of the present cycle; for commit and later */
ngx_duplex_kind_t *ngx_duplex_find_kind(uint32_t tag);
ngx_duplex_view_t *ngx_duplex_find_view(ngx_str_t *path);
/* the i-th view, NULL after the last */
ngx_duplex_view_t *ngx_duplex_view(ngx_uint_t i);


#endif /* _NGX_DUPLEX_REGISTRY_H_INCLUDED_ */
