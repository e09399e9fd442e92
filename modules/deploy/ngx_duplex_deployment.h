
/*
 * Deployments: a split moves to another group in steps, by itself, on all
 * nodes together.
 *
 * Every node has two registers for each split, records that no other node
 * writes, so that no two ever meet in one record:
 *
 *   "dply"  what this node decided last, or was told by an operator, with the
 *           plan it belongs to: durable
 *   "dprg"  how far it is, and what its traffic of the present step looks
 *           like: goes out with every beat while a deployment is under way
 *
 * What is in force is a function of all decisions, and so the same wherever
 * they are known: the highest epoch (each word of an operator begins one)
 * counts; within it a rollback goes before a pause, a pause before the end,
 * that before a step; the highest step of the epoch counts.
 *
 * The lowest-named node that is heard and ready drives: it prepares a step,
 * waits for the others to acknowledge it, and sets the weights.  Any node
 * that sees a gate fail rolls back.
 */


#ifndef _NGX_DUPLEX_DEPLOYMENT_H_INCLUDED_
#define _NGX_DUPLEX_DEPLOYMENT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <jansson.h>
#include "../core/ngx_duplex_page.h"
#include "ngx_duplex_figures.h"
#include "ngx_duplex_plan.h"
#include "ngx_duplex_split.h"


#define NGX_DUPLEX_DEPLOYMENT_NODES   16
#define NGX_DUPLEX_DEPLOYMENT_TEXT    256

/* ms without a word after which a node is silent */
#define NGX_DUPLEX_DEPLOYMENT_SILENCE 2000
/* ms that nodes have to join an epoch */
#define NGX_DUPLEX_DEPLOYMENT_JOIN    1000


/* in the order of their strength */
typedef enum {
    ngx_duplex_deployment_step = 0,
    ngx_duplex_deployment_done,
    ngx_duplex_deployment_paused,
    ngx_duplex_deployment_rolled_back
} ngx_duplex_deployment_e;


/* one node's register, as this process knows it */
typedef struct {
    char                     node[64];     /* "": free */
    json_t                  *json;
    uint64_t                 heard;        /* ms, monotonic */
} ngx_duplex_register_t;


/* what is in force; points into registers, good until the next change */
typedef struct {
    uint64_t                 epoch;        /* 0: there was none */
    ngx_duplex_deployment_e  state;
    ngx_uint_t               step;         /* activated */
    ngx_uint_t               prepared;     /* the one to come */
    uint64_t                 since;        /* ms, wall: of the step */
    uint64_t                 ended;        /* ms, wall: of done, rolled back */
    unsigned                 hurry:1;      /* "promote": do not wait */
    const char              *why;
    json_t                  *json;         /* the plan's */
    json_t                  *nodes;        /* that take part; NULL: not yet */
    ngx_duplex_plan_t        plan;
} ngx_duplex_deployment_t;


extern ngx_duplex_kind_t  ngx_duplex_decision_kind;
extern ngx_duplex_kind_t  ngx_duplex_progress_kind;
extern ngx_duplex_kind_t  ngx_duplex_history_kind;


/* for commit, after the splits' */
void ngx_duplex_deployments_commit(void);

/* NGX_DECLINED: there has never been one, or its plan is not ours to carry */
ngx_int_t ngx_duplex_deployment_get(ngx_duplex_split_t *split,
    ngx_duplex_deployment_t *deployment);

ngx_uint_t ngx_duplex_deployment_is_active(ngx_duplex_split_t *split);

/* "running", "done", "paused", "rolled back" */
const char *ngx_duplex_deployment_word(ngx_duplex_deployment_t *deployment);

/* the nodes' progress: NGX_DUPLEX_DEPLOYMENT_NODES of them */
ngx_duplex_register_t *ngx_duplex_deployment_progress(
    ngx_duplex_split_t *split);

/* this node's word from now on; NGX_ERROR: no memory */
typedef struct {
    uint64_t                 epoch;
    ngx_duplex_deployment_e  state;
    ngx_uint_t               step;
    ngx_uint_t               prepared;
    uint64_t                 since;
    ngx_uint_t               hurry;
    json_t                  *plan;         /* borrowed */
    json_t                  *nodes;        /* borrowed, or NULL */
    const char              *why;
} ngx_duplex_decision_t;

ngx_int_t ngx_duplex_deployment_decide(ngx_duplex_split_t *split,
    ngx_duplex_decision_t *decision);

/* the record of kind "kind" of the split, by this name; NGX_ERROR: no memory */
ngx_int_t ngx_duplex_register_write(ngx_duplex_kind_t *kind,
    ngx_duplex_split_t *split, ngx_str_t *name, json_t *json);

/* it has ended like that; the oldest one is forgotten */
void ngx_duplex_history_add(ngx_duplex_split_t *split,
    ngx_duplex_decision_t *decision, const char *word);

/* an operator's word begins a new epoch: one at a time on this node */
void ngx_duplex_deployment_lock(ngx_duplex_split_t *split);
void ngx_duplex_deployment_unlock(void);

/* this node's progress; takes "json" over */
void ngx_duplex_deployment_report(ngx_duplex_split_t *split, json_t *json);

/* brings the weights to what is in force; "who" is written beside them */
ngx_int_t ngx_duplex_deployment_weigh(ngx_duplex_split_t *split,
    ngx_duplex_deployment_t *deployment, const char *why);

/* may this node be given traffic? */
ngx_uint_t ngx_duplex_deployment_ready(void);

/* for bind */
void ngx_duplex_deployments_bind(ngx_conf_t *cf);

/* hooks of the feature */
void ngx_duplex_deployments_take(void);
void ngx_duplex_deployments_beat(void);


/* the nodes' figures of the present step, added up */
typedef struct {
    ngx_uint_t               nodes;
    uint64_t                 requests;
    uint64_t                 failed;
    ngx_uint_t               healthy;      /* where there are fewest */
    uint64_t                 times[NGX_DUPLEX_FIGURES_BUCKETS];
} ngx_duplex_evidence_t;

/* this node's, as it is reported */
json_t *ngx_duplex_evidence_own(ngx_duplex_split_t *split,
    ngx_duplex_plan_t *plan, ngx_uint_t counting);
void ngx_duplex_evidence_add(ngx_duplex_evidence_t *evidence, json_t *report);
/*
 * NGX_OK: all gates hold; NGX_DECLINED: "text" says which one does not;
 * NGX_AGAIN: too little is known, "text" says how little.
 */
ngx_int_t ngx_duplex_evidence_judge(ngx_duplex_evidence_t *evidence,
    ngx_duplex_plan_t *plan, char *text, size_t size);


/* for preconfiguration; NGX_ERROR: no memory */
ngx_int_t ngx_duplex_deployment_pages(ngx_conf_t *cf);


#endif /* _NGX_DUPLEX_DEPLOYMENT_H_INCLUDED_ */
