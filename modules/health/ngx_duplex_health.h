
/*
 * Health checks: which groups are checked and how, and what the verdicts
 * mean for their peers.
 *
 * A check is of one cycle; a group may have several of them.  Verdicts are
 * records: kind 'vrdt', one for each node, replicated; kind 'prob' is the
 * prober's own memory of each check and stays here.
 * Both outlive reloads and the death of any worker.
 *
 * How a probe is made is the protocol's business: see ngx_duplex_prober_t.
 */


#ifndef _NGX_DUPLEX_HEALTH_H_INCLUDED_
#define _NGX_DUPLEX_HEALTH_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_facts.h"
#include "../core/ngx_duplex_outlook.h"
#include "../upstream/ngx_duplex_upstream.h"
#include "ngx_duplex_probed.h"
#include "ngx_duplex_verdict.h"


typedef struct ngx_duplex_check_s  ngx_duplex_check_t;
typedef struct ngx_duplex_probe_s  ngx_duplex_probe_t;
typedef struct ngx_duplex_vote_s   ngx_duplex_vote_t;


/* how often, and how much it takes */
typedef struct {
    ngx_msec_t                  interval;
    ngx_msec_t                  jitter;
    ngx_uint_t                  fails;
    ngx_uint_t                  passes;
    ngx_uint_t                  mandatory;
    ngx_uint_t                  persistent;     /* is always so here */
} ngx_duplex_check_policy_t;


/*
 * How a protocol probes; static data.  start() leads to exactly one call of
 * ngx_duplex_probe_done(), maybe before it returns, unless abort() comes
 * first; after abort() there is none.
 */
typedef struct {
    void                      (*start)(ngx_duplex_probe_t *probe);
    void                      (*abort)(ngx_duplex_probe_t *probe);
    /* lets go of probe->kept; NULL: keeps nothing from probe to probe */
    void                      (*forget)(ngx_duplex_probe_t *probe);
} ngx_duplex_prober_t;


struct ngx_duplex_check_s {
    ngx_duplex_group_t         *group;
    ngx_duplex_check_policy_t   policy;
    ngx_duplex_prober_t        *prober;
    void                       *conf;           /* the prober's */

    ngx_str_t                   text;           /* for people: "uri=/health" */
    uint32_t                    id;             /* of the text, among equals */
    ngx_duplex_check_t         *next;           /* of the same group */
    ngx_duplex_vote_t          *vote;           /* the first has the group's;
                                                   NULL: no policy */
};


/* what a probe ended with */
typedef enum {
    ngx_duplex_probe_passed = 0,
    ngx_duplex_probe_failed,
    ngx_duplex_probe_fault      /* this node could not probe: no verdict */
} ngx_duplex_probe_end_e;


typedef struct {
    ngx_duplex_probe_end_e      end;
    ngx_duplex_reason_e         reason;         /* if failed */
    ngx_uint_t                  status;         /* of the answer, 0: none */
    ngx_str_t                   text;           /* what came, and what was
                                                   expected; may be empty */
} ngx_duplex_probe_result_t;


/* for preconfiguration of a protocol's object; once or more a cycle */
ngx_int_t ngx_duplex_health_register(ngx_conf_t *cf);

/*
 * For bind.  "prober", "conf" and "text" live as long as the cycle.  The text
 * says what is checked, in the words of the directive: the same text is the
 * same check after a reload, and on another node.
 * NGX_OK, or NGX_ERROR: no memory.
 */
ngx_int_t ngx_duplex_check_add(ngx_conf_t *cf, ngx_duplex_group_t *group,
    ngx_duplex_check_policy_t *policy, ngx_duplex_prober_t *prober,
    void *conf, ngx_str_t *text);

/*
 * For the directive: those of its parameters that say what is checked, or
 * "none" if it has none of them.  NGX_OK, or NGX_ERROR: no memory.
 */
ngx_int_t ngx_duplex_check_text(ngx_conf_t *cf, const char *none,
    ngx_str_t *text);

/* for bind: 1 if the group has a check so far */
ngx_uint_t ngx_duplex_check_bound(ngx_duplex_group_t *group);

/* of the present cycle; the others follow by "next"; NULL: none */
ngx_duplex_check_t *ngx_duplex_check_first(ngx_duplex_group_t *group);
/* of all checks of the group, in whatever order they stand */
uint32_t ngx_duplex_check_digest(ngx_duplex_group_t *group);


void ngx_duplex_health_facts(ngx_duplex_facts_t *facts);

extern ngx_duplex_outlook_t  ngx_duplex_health_outlook;

extern ngx_duplex_kind_t  ngx_duplex_health_verdict_kind;
extern ngx_duplex_kind_t  ngx_duplex_health_probed_kind;


/* this node's verdict, "checking" if it has none */
ngx_duplex_verdict_e ngx_duplex_health_own(ngx_duplex_peer_t *peer);
/* zeroes for a server that was never probed by this check */
void ngx_duplex_health_probed(ngx_duplex_peer_t *peer,
    ngx_duplex_check_t *check, ngx_duplex_probed_t *probed);

/*
 * The i-th of the nodes that have verdicts, and what it found; "since" in ms
 * of the wall clock.  NGX_OK or NGX_DECLINED.  The name lives as long as
 * this turn of the event loop.
 */
ngx_int_t ngx_duplex_health_node(ngx_uint_t i, ngx_str_t *node);
ngx_int_t ngx_duplex_health_verdict(ngx_duplex_peer_t *peer, ngx_str_t *node,
    ngx_duplex_verdict_record_t *verdict, uint64_t *since);

/* for the holder of the lease */
void ngx_duplex_health_save_probed(ngx_duplex_peer_t *peer,
    ngx_duplex_check_t *check, ngx_duplex_probed_t *probed);
/* NGX_OK, or NGX_ERROR: no memory, logged */
ngx_int_t ngx_duplex_health_save_verdict(ngx_duplex_peer_t *peer,
    ngx_duplex_verdict_record_t *verdict);
/* this node no longer has a verdict */
void ngx_duplex_health_forget(ngx_duplex_peer_t *peer);
/* the peer's life is over */
void ngx_duplex_health_bury(ngx_duplex_peer_t *peer);
/* the same for all that are no longer there */
void ngx_duplex_health_prune(void);


#endif /* _NGX_DUPLEX_HEALTH_H_INCLUDED_ */
