
/*
 * The other nodes, in shared memory ("duplex:sync"), so that every worker of
 * every generation sees the same and a reload forgets nothing.
 *
 * Each node has two halves.  "dialled" is one address of the list and is
 * written by the lease holder only; "accepted" is one node that has dialled
 * us and is written by the worker that serves its newest link.  All other
 * processes only read, without a lock: a torn read shows in one answer of
 * the API and nowhere else.
 */


#ifndef _NGX_DUPLEX_NODES_H_INCLUDED_
#define _NGX_DUPLEX_NODES_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_identity.h"
#include "../core/ngx_duplex_store.h"
#include "ngx_duplex_seen.h"
#include "ngx_duplex_sync_conf.h"


#define NGX_DUPLEX_NODES_MAX    16
#define NGX_DUPLEX_TABLES_MAX   64      /* that are replicated */

#define NGX_DUPLEX_COMPLAINTS_MAX  64
#define NGX_DUPLEX_SKEW_MAX     64      /* differences that were told */

#define NGX_DUPLEX_ADDRESS_MAX  127     /* "unix:" and any path fit */
#define NGX_DUPLEX_ERROR_MAX    127


typedef enum {
    ngx_duplex_dial_unused = 0,
    ngx_duplex_dial_down,           /* will be dialled again */
    ngx_duplex_dial_connecting,
    ngx_duplex_dial_handshake,
    ngx_duplex_dial_syncing,        /* sending what the node has missed */
    ngx_duplex_dial_online,
    ngx_duplex_dial_self,           /* the address is our own */
    ngx_duplex_dial_refused         /* reached, and does not want us */
} ngx_duplex_dial_e;

const char *ngx_duplex_dial_text(ngx_uint_t state);


/* zero-terminated strings; what does not fit is cut */

typedef struct {
    char          text[NGX_DUPLEX_ADDRESS_MAX + 1];
} ngx_duplex_address_t;

typedef struct {
    uint64_t      bytes_in;
    uint64_t      bytes_out;
    uint64_t      messages_in;
    uint64_t      messages_out;
} ngx_duplex_traffic_t;


/* how far a table has come on one node */
typedef struct {
    uint64_t      table;            /* ngx_duplex_hash() of its name, 0: free */
    uint64_t      theirs;           /* incarnation of the writer's table */
    uint64_t      ours;             /* incarnation of our table */
    uint64_t      position;         /* in the writer's log */
    uint64_t      check;            /* of these three */
} ngx_duplex_mark_t;


/* what the log said last of a node, so that it says it once */
typedef enum {
    ngx_duplex_told_nothing = 0,
    ngx_duplex_told_online,
    ngx_duplex_told_lost
} ngx_duplex_told_e;


typedef struct {
    ngx_duplex_address_t  address;  /* as in the list, resolved */
    ngx_sockaddr_t        sockaddr; /* the same */
    socklen_t             socklen;
    ngx_uint_t            state;    /* ngx_duplex_dial_e */
    ngx_uint_t            told;     /* ngx_duplex_told_e */
    ngx_atomic_t          owed;     /* all records, again */
    ngx_uint_t            tried;    /* one attempt is over, however it ended */

    uint64_t              id;       /* 0: never spoken to */
    uint64_t              incarnation;
    char                  name[NGX_DUPLEX_NODE_NAME_MAX + 1];

    uint64_t              heard;    /* ms, monotonic */
    uint64_t              connects;
    uint64_t              walks;    /* tables sent from one end to the other */
    uint64_t              resumes;  /* tables gone on with where they were */
    uint64_t              records;  /* sent */
    uint64_t              differences;  /* of its configuration from ours */
    uint64_t              behind;   /* ms, monotonic: since when; 0: not */
    ngx_duplex_traffic_t  traffic;
    char                  error[NGX_DUPLEX_ERROR_MAX + 1];

    /* acknowledged; "ours" is the writer's here and "theirs" is not used */
    ngx_duplex_mark_t     marks[NGX_DUPLEX_TABLES_MAX];
} ngx_duplex_dialled_t;


typedef struct {
    ngx_atomic_t          id;       /* 0: free */
    ngx_atomic_t          link;     /* serial of the newest link */
    ngx_atomic_t          open;     /* that link stands */
    ngx_atomic_t          synced;   /* it has sent all it had, once */
    ngx_atomic_t          away;     /* for longer than deletions last; until
                                       it has sent all it has */

    uint64_t              incarnation;
    char                  name[NGX_DUPLEX_NODE_NAME_MAX + 1];
    ngx_duplex_address_t  address;  /* where it came from */

    uint64_t              heard;    /* ms, monotonic */
    uint64_t              echo;     /* ms, monotonic: when it last heard us */
    uint64_t              progress; /* ms, monotonic: last change received */
    uint64_t              records;  /* received */
    uint64_t              changed;  /* of them, new to us */
    uint64_t              skipped;  /* of kinds that are local here */
    uint64_t              refused;  /* for want of memory */
    uint64_t              stale;    /* of them, older than what was here */
    uint64_t              unknown;  /* of them, of kinds nobody here knows */
    ngx_atomic_t          rejected; /* links ended for a frame of it */
    ngx_duplex_traffic_t  traffic;

    /* applied; any worker resumes from here */
    ngx_duplex_mark_t     marks[NGX_DUPLEX_TABLES_MAX];
} ngx_duplex_accepted_t;


typedef enum {
    ngx_duplex_ready_starting = 0,  /* no listed node was heard yet */
    ngx_duplex_ready_syncing,
    ngx_duplex_ready_ready,
    ngx_duplex_ready_leaving,
    ngx_duplex_ready_cut,           /* shown only, as is the next */
    ngx_duplex_ready_isolated
} ngx_duplex_ready_e;


typedef struct {
    ngx_atomic_t           ready;       /* ngx_duplex_ready_e */
    ngx_atomic_t           ready_why;   /* ngx_duplex_ready_why_e */
    ngx_atomic_t           left;        /* by the administrator's word */
    ngx_atomic_t           standing;    /* ngx_duplex_standing_e */
    uint64_t               born;        /* ms, monotonic: memory was fresh */
    ngx_atomic_t           links;       /* serial of the last accepted one */
    ngx_atomic_t           generation;  /* of the present configuration */
    ngx_atomic_t           resolved;    /* nodes were found by name once */
    ngx_atomic_t           waiting;     /* for acks, until: ms, monotonic */

    ngx_duplex_dialled_t   dialled[NGX_DUPLEX_NODES_MAX];
    ngx_duplex_accepted_t  accepted[NGX_DUPLEX_NODES_MAX];

    ngx_duplex_seen_all_t  seen;

    /* ngx_duplex_skew.c: hashes of what was told; the lease holder's */
    uint64_t               skewed[NGX_DUPLEX_SKEW_MAX];

    /* ngx_duplex_admission.c: hash of a client << 32 | second of the line */
    ngx_atomic_t           complaints[NGX_DUPLEX_COMPLAINTS_MAX];
} ngx_duplex_nodes_t;


/* for bind: the zone; NGX_ERROR is logged */
ngx_int_t ngx_duplex_nodes_add(ngx_conf_t *cf);

/* for commit: makes them the present ones, or none */
void ngx_duplex_nodes_commit(ngx_cycle_t *cycle);

/* NULL: there is no zone_sync */
ngx_duplex_nodes_t *ngx_duplex_nodes(void);


/* holder only: the half of this address; made if there is none, NULL: full */
ngx_duplex_dialled_t *ngx_duplex_nodes_dial(ngx_addr_t *addr);
/* whether one of them has the address of this one, whatever the port */
ngx_uint_t ngx_duplex_nodes_dials(struct sockaddr *sockaddr,
    socklen_t socklen);

/* the position in the log of the zone that the node has acknowledged */
uint64_t ngx_duplex_dialled_acked(ngx_duplex_dialled_t *node,
    ngx_duplex_zone_t *zone);

/* the half of a node that has dialled us; NULL: 16 are known and connected */
ngx_duplex_accepted_t *ngx_duplex_nodes_accept(uint64_t id);
/* NULL: it never did */
ngx_duplex_accepted_t *ngx_duplex_nodes_accepted(uint64_t id);

/* heard at most "within" ms ago on a link that stands */
ngx_uint_t ngx_duplex_accepted_alive(ngx_duplex_accepted_t *node,
    uint64_t now, uint64_t within);


/* the mark of a table, made if there is none; NULL: 64 are known */
ngx_duplex_mark_t *ngx_duplex_mark_find(ngx_duplex_mark_t *marks,
    uint64_t table);
/* as long as both incarnations are these; otherwise 0 */
uint64_t ngx_duplex_mark_get(ngx_duplex_mark_t *mark, uint64_t theirs,
    uint64_t ours);
/*
 * A node that was restarted, or is upgraded, may have links of two
 * incarnations in two workers: a mark that both write at once, or that a
 * death left half written, counts as 0.
 */
void ngx_duplex_mark_set(ngx_duplex_mark_t *mark, uint64_t theirs,
    uint64_t ours, uint64_t position);


#endif /* _NGX_DUPLEX_NODES_H_INCLUDED_ */
