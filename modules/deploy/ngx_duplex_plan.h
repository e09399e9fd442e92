
/*
 * The plan of a deployment: where to, in which steps, and what must hold.
 *
 * A plan is a JSON object, the same in the API, in the store and on the
 * wire:
 *
 *     {"to":"green","steps":[1,10,50,100],"every":"60s","warmup":"30s",
 *      "gate":"healthy>=2,5xx<1%,p99<300ms","min_requests":200,
 *      "on_node_loss":"hold","drain_after":"1h"}
 *
 * and, added when it is started, "id", "base" (the weights before, by
 * upstream), "started" (ms), "client" and "reason".
 */


#ifndef _NGX_DUPLEX_PLAN_H_INCLUDED_
#define _NGX_DUPLEX_PLAN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <jansson.h>
#include "ngx_duplex_split.h"


#define NGX_DUPLEX_PLAN_STEPS  32
#define NGX_DUPLEX_PLAN_GATES  8


typedef enum {
    ngx_duplex_gate_healthy = 0,    /* servers of the new group that are up */
    ngx_duplex_gate_failed,         /* 5xx, of 10,000 requests */
    ngx_duplex_gate_quantile        /* of response times */
} ngx_duplex_gate_e;

typedef struct {
    ngx_duplex_gate_e  what;
    ngx_uint_t         permille;    /* of a quantile */
    uint64_t           limit;       /* servers; of 10,000; ms */
    ngx_str_t          text;        /* "p99<300ms" */
} ngx_duplex_gate_t;


/* strings point into the JSON it was read from */
typedef struct {
    uint64_t           id;
    ngx_uint_t         to;          /* a part of the split */
    ngx_uint_t         steps[NGX_DUPLEX_PLAN_STEPS];     /* of 10,000 */
    ngx_uint_t         nsteps;
    ngx_msec_t         every;
    ngx_msec_t         warmup;
    ngx_msec_t         drain_after; /* NGX_CONF_UNSET_MSEC: never */
    ngx_uint_t         min_requests;
    ngx_duplex_gate_t  gates[NGX_DUPLEX_PLAN_GATES];
    ngx_uint_t         ngates;
    ngx_uint_t         base[NGX_DUPLEX_SPLIT_PARTS];
    unsigned           goes_on:1;   /* "on_node_loss":"continue" */
} ngx_duplex_plan_t;


/* NULL, or what is wrong with it; "name" is then the member */
const char *ngx_duplex_plan_read(ngx_duplex_split_t *split, json_t *json,
    ngx_duplex_plan_t *plan, const char **name);

/* the weights after "k" steps; 0: those before */
void ngx_duplex_plan_weights(ngx_duplex_split_t *split,
    ngx_duplex_plan_t *plan, ngx_uint_t k, ngx_uint_t *weights);


#endif /* _NGX_DUPLEX_PLAN_H_INCLUDED_ */
