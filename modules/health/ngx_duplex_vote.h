
/*
 * Votes: what the verdicts of all nodes come to for a group that has
 * duplex_health_policy.
 *
 * A group without a policy has no votes, and none of this costs anything.
 */


#ifndef _NGX_DUPLEX_VOTE_H_INCLUDED_
#define _NGX_DUPLEX_VOTE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_health.h"
#include "ngx_duplex_policy.h"


/* of a group, as the directives of both protocols set it */
typedef struct {
    ngx_uint_t      policy;         /* ngx_duplex_policy_e, or unset */
    ngx_uint_t      plan;           /* ngx_duplex_plan_e, or unset */
} ngx_duplex_vote_conf_t;


/* for preconfiguration, once a cycle */
ngx_int_t ngx_duplex_vote_register(ngx_conf_t *cf);
/* for bind, when the checks are; "file" and "line" of the group, for errors */
ngx_int_t ngx_duplex_vote_add(ngx_conf_t *cf, ngx_duplex_group_t *group,
    ngx_duplex_vote_conf_t *conf, u_char *file, ngx_uint_t line);
/* for commit, when the checks are the present ones */
void ngx_duplex_vote_commit(void);
/* in the holder of the lease: speaks, and listens for silence */
void ngx_duplex_vote_beat(void);

/* the verdict that counts here; without a policy it is this node's */
ngx_duplex_verdict_e ngx_duplex_vote_result(ngx_duplex_peer_t *peer);
/* 1 if the node's verdict is part of that */
ngx_uint_t ngx_duplex_vote_counts(ngx_duplex_group_t *group, ngx_str_t *node);
/* 1 if nodes that vote have different verdicts */
ngx_uint_t ngx_duplex_vote_disputed(ngx_duplex_peer_t *peer);
/* something that it depends on has changed: logs what that means */
void ngx_duplex_vote_changed(ngx_duplex_peer_t *peer);

/*
 * For the plan "split".  The node that probes it, as this one sees it;
 * NGX_OK: this node, also without such a plan; NGX_DECLINED: "node" is
 * another, its name lives as long as the cycle.
 */
ngx_int_t ngx_duplex_vote_prober(ngx_duplex_peer_t *peer, ngx_str_t *node);
/* "own", "any" or "all" */
ngx_str_t *ngx_duplex_vote_policy(ngx_duplex_group_t *group);
/* 1 if the group has such a plan */
ngx_uint_t ngx_duplex_vote_is_split(ngx_duplex_group_t *group);


#endif /* _NGX_DUPLEX_VOTE_H_INCLUDED_ */
