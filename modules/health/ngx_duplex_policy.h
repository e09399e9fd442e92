
/*
 * What the verdicts of several nodes come to, and which of them probes a
 * server.  Pure: no store, no clock, no log.
 */


#ifndef _NGX_DUPLEX_POLICY_H_INCLUDED_
#define _NGX_DUPLEX_POLICY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_verdict.h"


/* duplex_health_policy: when is a server out */
typedef enum {
    ngx_duplex_policy_own = 0,      /* this node says so */
    ngx_duplex_policy_any,          /* any node says so */
    ngx_duplex_policy_all           /* all nodes say so */
} ngx_duplex_policy_e;

/* duplex_health_plan: who probes a server */
typedef enum {
    ngx_duplex_plan_all = 0,        /* each node */
    ngx_duplex_plan_split           /* one of them */
} ngx_duplex_plan_e;

extern ngx_conf_enum_t  ngx_duplex_policy_words[];
extern ngx_conf_enum_t  ngx_duplex_plan_words[];


/* nodes that have a verdict on a server, and may vote */
typedef struct {
    ngx_uint_t             up;
    ngx_uint_t             unhealthy;
} ngx_duplex_ballot_t;


/* "own" is for who does not ask others: it is no policy here */
ngx_duplex_verdict_e ngx_duplex_policy_count(ngx_uint_t policy,
    ngx_duplex_ballot_t *ballot);

/*
 * A node's claim on a server: the highest probes it.  All nodes that see the
 * same nodes come to the same, and a node more or less moves few servers.
 */
uint64_t ngx_duplex_policy_claim(uint64_t node, uint64_t peer);


/*
 * A node's word that it is there and probes a group, renewed once an
 * interval; it expires by itself.
 */
typedef struct {
    uint64_t               incarnation;
    uint32_t               digest;      /* of its checks of the group */
    unsigned               opinion:1;   /* it is ready to have one */
    unsigned               sighted:1;   /* of all its servers, one is up */
} ngx_duplex_voice_t;

#define NGX_DUPLEX_VOICE_LEN  14

void ngx_duplex_voice_encode(ngx_duplex_voice_t *voice, u_char *buf);
/* NGX_OK, or NGX_ERROR: not such a record; another node may have sent it */
ngx_int_t ngx_duplex_voice_decode(ngx_duplex_voice_t *voice,
    ngx_str_t *value);


#endif /* _NGX_DUPLEX_POLICY_H_INCLUDED_ */
