
/*
 * A neutral view of upstream groups: what the suite knows of a group and its
 * peers, whatever the protocol.
 *
 * Groups and peers are of one cycle.  A peer's identity is its group, the
 * server as written, its address and its ordinal among equal ones; records
 * of the store use that, so they outlive reloads.
 *
 * The word `down` of a stock peer is a set of bits, one per owner.  It is a
 * projection: ngx_duplex_peer_project() writes it again whenever something
 * that contributes to it has changed.
 */


#ifndef _NGX_DUPLEX_UPSTREAM_H_INCLUDED_
#define _NGX_DUPLEX_UPSTREAM_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_registry.h"


/* bits of `down`; all stock balancers skip a peer that has any */
#define NGX_DUPLEX_DOWN_CONFIG    1     /* "down" in the file */
#define NGX_DUPLEX_DOWN_HEALTH    2     /* unhealthy, or not checked yet */
#define NGX_DUPLEX_DOWN_ADMIN     4     /* API */
#define NGX_DUPLEX_DOWN_DRAIN     8     /* sticky sessions only; stock's own */


typedef struct ngx_duplex_driver_s  ngx_duplex_driver_t;
typedef struct ngx_duplex_group_s   ngx_duplex_group_t;
typedef struct ngx_duplex_peer_s    ngx_duplex_peer_t;


struct ngx_duplex_peer_s {
    ngx_duplex_group_t  *group;
    ngx_uint_t           id;            /* in the API; file order from 0 */

    ngx_str_t            server;        /* as written: "be1.example:8080" */
    ngx_str_t            name;          /* address: "10.0.0.7:8080" */
    ngx_uint_t           ordinal;       /* among equal lines, from 0 */
    ngx_str_t            key;           /* the identity as a record's key */
    uint64_t             hash;          /* ngx_duplex_hash() of zone and key */

    struct sockaddr     *sockaddr;      /* cycle memory, not the stock peer's */
    socklen_t            socklen;

    ngx_uint_t           configured;    /* NGX_DUPLEX_DOWN_CONFIG, _DRAIN */
    ngx_str_t            route;         /* "route="; empty: none */
    ngx_str_t            sid;           /* the route, or MD5 of the address */
    unsigned             backup:1;

    ngx_rbtree_node_t    by_id;         /* the group's */
    ngx_rbtree_node_t    by_hash;       /* the same */
};


struct ngx_duplex_group_s {
    ngx_duplex_driver_t *driver;
    ngx_str_t            name;          /* "app" */
    ngx_str_t            zone;          /* zone of its records: "http:app" */
    ngx_str_t            shm;           /* its `zone` directive; empty: none */
    void                *conf;          /* the driver's */

    ngx_uint_t           npeers;
    ngx_rbtree_t         ids;           /* its peers, each in both */
    ngx_rbtree_t         hashes;
    ngx_rbtree_node_t    sentinel;
};


/* what a stock peer holds right now, copied under its lock */
typedef struct {
    ngx_uint_t   weight;
    ngx_uint_t   max_conns;
    ngx_uint_t   max_fails;
    time_t       fail_timeout;          /* s */
    ngx_uint_t   conns;                 /* active */
    ngx_uint_t   down;                  /* the bits */
    unsigned     unavail:1;             /* max_fails reached, in quarantine */
} ngx_duplex_peer_status_t;


/*
 * The words of a stock peer that all protocols have, where they are: stock's
 * own memory, good for as long as its lock is held.
 */
typedef struct {
    void        *peers;                 /* the driver's: the list, */
    void        *peer;                  /* the peer, */
    unsigned     write:1;               /* and how they are locked */

    unsigned     single:1;              /* nothing else is in the list */
    ngx_uint_t  *tries;                 /* of the list */

    ngx_uint_t  *down;
    ngx_uint_t  *fails;
    time_t      *accessed;
    time_t      *checked;
    ngx_int_t   *effective_weight;
    ngx_int_t   *current_weight;

    ngx_int_t    weight;
    ngx_uint_t   max_conns;
    ngx_uint_t   max_fails;
    time_t       fail_timeout;
    ngx_uint_t   conns;
} ngx_duplex_stock_peer_t;


/* one per protocol; static data */
struct ngx_duplex_driver_s {
    ngx_str_t    protocol;              /* "http" */
    const char  *title;                 /* "upstream": a group in messages */
    unsigned     sessions:1;            /* it has "route" and draining */

    /*
     * Finds the stock peer, fills in "stock", and holds its lock until
     * unlock: for reading, or for writing, too.  In between: no allocation,
     * no logging, no callback.
     * NGX_DECLINED: no such peer, or the group has no zone; nothing is held.
     */
    ngx_int_t  (*lock)(ngx_duplex_peer_t *peer, ngx_uint_t write,
                   ngx_duplex_stock_peer_t *stock);
    void       (*unlock)(ngx_duplex_stock_peer_t *stock);
};


/* a "server" line: each of its addresses is a peer */
typedef struct {
    ngx_str_t    name;                  /* as written */
    ngx_addr_t  *addrs;
    ngx_uint_t   naddrs;
    ngx_uint_t   configured;            /* NGX_DUPLEX_DOWN_CONFIG, _DRAIN */
    ngx_str_t    route;
    ngx_uint_t   backup;
} ngx_duplex_server_t;


/* how another feature takes part; static data */
typedef struct {
    /* bits it owns, 0 if it has nothing against the peer */
    ngx_uint_t   (*bits)(ngx_duplex_peer_t *peer);
    /* "unhealthy", "checking", or NULL */
    const char  *(*state)(ngx_duplex_peer_t *peer);
    /* members of the peer's object in the API */
    void         (*fields)(ngx_duplex_peer_t *peer, ngx_duplex_json_t *json);

    /*
     * In every worker: after all features have started, for each peer that
     * is there, later for each that comes.  From then on its pointer may be
     * kept until removed() returns.  NULL: is not interested.
     */
    void         (*added)(ngx_duplex_peer_t *peer);
    void         (*removed)(ngx_duplex_peer_t *peer);
} ngx_duplex_contributor_t;


/* for preconfiguration; NGX_ERROR: no memory */
ngx_int_t ngx_duplex_register_contributor(ngx_conf_t *cf,
    ngx_duplex_contributor_t *contributor);
/* for preconfiguration; brings with it what is neutral here */
ngx_int_t ngx_duplex_register_driver(ngx_conf_t *cf,
    ngx_duplex_driver_t *driver);

/* for a driver's bind; NULL: no memory */
ngx_duplex_group_t *ngx_duplex_group_add(ngx_conf_t *cf,
    ngx_duplex_driver_t *driver, ngx_str_t *name, ngx_str_t *shm, void *conf);
/* what "server" points at must live as long as the cycle */
ngx_int_t ngx_duplex_server_add(ngx_conf_t *cf, ngx_duplex_group_t *group,
    ngx_duplex_server_t *server);

/* 1 if it is this server at this address, whatever the ordinal */
ngx_uint_t ngx_duplex_peer_is(ngx_duplex_peer_t *peer, ngx_str_t *server,
    ngx_str_t *name);
/*
 * Stock peers have no identity but server and address: of equal ones the
 * n-th in a stock list (primaries or backups) is the n-th of the file there.
 * The rank of a peer, from 0; and the peer of that rank, NULL: none.
 */
ngx_uint_t ngx_duplex_peer_rank(ngx_duplex_peer_t *peer);
ngx_duplex_peer_t *ngx_duplex_peer_of_rank(ngx_duplex_group_t *group,
    ngx_uint_t backup, ngx_str_t *server, ngx_str_t *name, ngx_uint_t rank);

/* the groups being bound, for bind of later layers; NULL: none with "conf" */
ngx_duplex_group_t *ngx_duplex_group_bound(ngx_conf_t *cf, void *conf);

/* of the present cycle, for commit and later; NULL: is not loaded */
ngx_duplex_driver_t *ngx_duplex_driver_find(ngx_str_t *protocol);
/* the same, for bind of later layers */
ngx_duplex_driver_t *ngx_duplex_driver_bound(ngx_conf_t *cf,
    ngx_str_t *protocol);

/*
 * Of the present cycle, for commit and later.
 * The i-th group (NULL after the last), by protocol and name, by zone.
 */
ngx_duplex_group_t *ngx_duplex_group(ngx_uint_t i);
ngx_duplex_group_t *ngx_duplex_group_find(ngx_str_t *protocol,
    ngx_str_t *name);
ngx_duplex_group_t *ngx_duplex_group_by_zone(ngx_str_t *zone);

/*
 * The peers of a group in the order of their ids, NULL after the last.  They
 * come and go: a pointer is good for this turn of the event loop, and as
 * long as the peer's contributor may keep it.  Who needs it longer keeps
 * peer->hash and finds the peer again.
 */
ngx_duplex_peer_t *ngx_duplex_peer_first(ngx_duplex_group_t *group);
ngx_duplex_peer_t *ngx_duplex_peer_next(ngx_duplex_peer_t *peer);

/* NULL: none */
ngx_duplex_peer_t *ngx_duplex_peer_by_id(ngx_duplex_group_t *group,
    ngx_uint_t id);
ngx_duplex_peer_t *ngx_duplex_peer_by_key(ngx_duplex_group_t *group,
    ngx_str_t *key);
ngx_duplex_peer_t *ngx_duplex_peer_by_hash(ngx_duplex_group_t *group,
    uint64_t hash);


/*
 * Brings `down` of the stock peer up to date with file, administrator and
 * contributors.  Idempotent; any process, any time after commit.
 */
void ngx_duplex_peer_project(ngx_duplex_peer_t *peer);

/* NGX_OK, or NGX_DECLINED: no such stock peer, or the group has no zone */
ngx_int_t ngx_duplex_peer_read(ngx_duplex_peer_t *peer,
    ngx_duplex_peer_status_t *status);

/* max_fails failures, the last of them within fail_timeout (s) */
ngx_uint_t ngx_duplex_peer_quarantined(ngx_uint_t max_fails, ngx_uint_t fails,
    time_t checked, time_t fail_timeout);

/* "down", "unhealthy", "checking", "draining", "unavail" or "up" */
const char *ngx_duplex_peer_state(ngx_duplex_peer_t *peer,
    ngx_duplex_peer_status_t *status);

/* writes the members of all contributors into the peer's open object */
void ngx_duplex_peer_fields(ngx_duplex_peer_t *peer, ngx_duplex_json_t *json);


/* the administrator's word on a peer: one field, overrides the file's */
typedef enum {
    ngx_duplex_admin_none = 0,          /* nothing said: the file counts */
    ngx_duplex_admin_up = 1,            /* the numbers are on the wire */
    ngx_duplex_admin_down = 2,
    ngx_duplex_admin_drain = 3
} ngx_duplex_admin_e;

ngx_duplex_admin_e ngx_duplex_peer_admin(ngx_duplex_peer_t *peer);

/*
 * Applies it: replicated, in force here on return.
 * NGX_OK, NGX_DECLINED: is so already; NGX_ERROR: store out of memory.
 */
ngx_int_t ngx_duplex_peer_admin_set(ngx_duplex_peer_t *peer,
    ngx_duplex_admin_e admin);


#endif /* _NGX_DUPLEX_UPSTREAM_H_INCLUDED_ */
