
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


#define NGX_DUPLEX_SPARE          64        /* duplex_spare, by default */
#define NGX_DUPLEX_SPARE_MAX      65536
#define NGX_DUPLEX_ID_MAX         1000000   /* no server gets a higher id */


typedef struct ngx_duplex_driver_s  ngx_duplex_driver_t;
typedef struct ngx_duplex_group_s   ngx_duplex_group_t;
typedef struct ngx_duplex_peer_s    ngx_duplex_peer_t;
typedef struct ngx_duplex_options_s ngx_duplex_options_t;


/* the administrator's word on a peer: one field, overrides the file's */
typedef enum {
    ngx_duplex_admin_none = 0,          /* nothing said: the file counts */
    ngx_duplex_admin_up = 1,            /* the numbers are on the wire */
    ngx_duplex_admin_down = 2,
    ngx_duplex_admin_drain = 3
} ngx_duplex_admin_e;


#define NGX_DUPLEX_ROUTE_MAX  32

/* what can be said of a server, and changed while it lives; has no gaps */
typedef struct {
    ngx_uint_t           state;         /* ngx_duplex_admin_e, never "none" */
    ngx_uint_t           weight;
    ngx_uint_t           max_conns;
    ngx_uint_t           max_fails;
    time_t               fail_timeout;  /* s */
    ngx_msec_t           slow_start;
    size_t               route_len;     /* 0: none */
    u_char               route[NGX_DUPLEX_ROUTE_MAX];
} ngx_duplex_settings_t;


struct ngx_duplex_peer_s {
    ngx_duplex_group_t     *group;
    ngx_uint_t              id;         /* in the API */

    ngx_str_t               server;     /* as written: "be1.example:8080" */
    ngx_str_t               name;       /* address: "10.0.0.7:8080" */
    ngx_uint_t              ordinal;    /* among equal lines, from 0 */
    ngx_str_t               key;        /* the identity as a record's key */
    uint64_t                hash;       /* ngx_duplex_hash() of zone and key */

    struct sockaddr        *sockaddr;   /* not the stock peer's */
    socklen_t               socklen;
    unsigned                backup:1;

    uint64_t                life;       /* time it was added; 0: by the file */
    uint64_t                digest;     /* of its line; 0: not in the file */
    ngx_duplex_settings_t   file;       /* as in the file, or when added */
    ngx_duplex_settings_t   set;        /* in force */
    ngx_str_t               sid;        /* the route, or MD5 of the address */

    /* of the files of this folder only */

    void                   *stock;      /* where it was seen last */
    ngx_rbtree_node_t       by_id;
    ngx_rbtree_node_t       by_hash;
    ngx_pool_t             *pool;       /* its own; NULL: the cycle's */
    ngx_duplex_peer_t      *grave;      /* the next to be freed */
    u_char                  digits[NGX_DUPLEX_ROUTE_MAX];   /* of sid */
    ngx_uint_t              said;       /* its id, as records have it */
    unsigned                placed:1;   /* it has a place in the stock list */
    unsigned                warned:1;   /* that there is none */
};


/* a list of stock peers (primaries, backups) and its places; see stock.h */
typedef struct ngx_duplex_place_s   ngx_duplex_place_t;
typedef struct ngx_duplex_line_s    ngx_duplex_line_t;

typedef struct {
    void                   *peers;      /* stock's; NULL: there is no list */
    void                   *dummy;      /* stands in it when it is empty */
    ngx_duplex_place_t     *places;
    ngx_uint_t              nplaces;
} ngx_duplex_list_t;


struct ngx_duplex_group_s {
    ngx_duplex_driver_t    *driver;
    ngx_str_t               name;       /* "app" */
    ngx_str_t               zone;       /* zone of its records: "http:app" */
    ngx_str_t               shm;        /* its `zone` directive; or empty */
    void                   *conf;       /* the driver's */
    ngx_duplex_options_t   *options;    /* NULL: all are the default */

    ngx_uint_t              npeers;
    ngx_rbtree_t            ids;        /* its peers, each in both */
    ngx_rbtree_t            hashes;
    ngx_rbtree_node_t       sentinel;

    /* of the files of this folder only */

    ngx_array_t             lines;      /* ngx_duplex_line_t *, file order */
    ngx_rbtree_t            by_line;    /* the same, by identity's hash */

    ngx_array_t            *names;      /* see name.h; NULL: there are none */
    ngx_resolver_t         *resolver;   /* of these names */
    ngx_msec_t              resolver_timeout;

    ngx_uint_t              backups;    /* the balancer knows backups */
    ngx_uint_t              spare;      /* duplex_spare */
    ngx_uint_t              workers;    /* processes at a time */
    ngx_uint_t              unplaced;   /* peers for whom there is no room */

    ngx_str_t               state;      /* its state file; or empty */
    ngx_uint_t              unsaved;    /* it is behind, as far as we know */
    ngx_uint_t              slow;       /* "server" knows "slow_start" */
    ngx_uint_t             *scales;     /* shared: of weights; see slow.h */

    u_char                 *used;       /* ids that were given out */
    ngx_uint_t              nused;

    ngx_duplex_list_t       lists[2];   /* primaries, backups */
    ngx_uint_t             *generation; /* shared: of lists and weights */
    ngx_atomic_t           *last_id;    /* shared: the one to be given next */
    ngx_uint_t              seen;       /* the caches below are as of this */
    void                  **points;     /* hash's, where that needs us */
    void                  **ranges;     /* random's, the same */
    void                   *own_points; /* what we have put there */
    void                   *own_ranges;
};


/* what a stock peer holds right now, copied under its lock */
typedef struct {
    ngx_uint_t   conns;                 /* active */
    ngx_uint_t   down;                  /* the bits */
    unsigned     unavail:1;             /* max_fails reached, in quarantine */
} ngx_duplex_peer_status_t;


/* one per protocol; static data */
struct ngx_duplex_driver_s {
    ngx_str_t                   protocol;   /* "http" */
    const char                 *title;      /* "upstream", in messages */
    unsigned                    sessions:1; /* it has "route" and draining */

    const struct ngx_duplex_layout_s  *layout;  /* of stock's structures */

    /*
     * The group's stock list of primaries, for commit and later; NULL if it
     * has no zone: the list is the worker's own then, and a third party's
     * balancer may keep something else in its place.
     */
    void                     *(*peers)(ngx_duplex_group_t *group);
    /* the flag "single" of a stock list */
    ngx_uint_t                (*single)(void *peers);
    void                      (*plural)(void *peers);   /* clears it */
    /* reserves so many bytes more for the group's zone; for bind */
    void                      (*reserve)(ngx_duplex_group_t *group,
                                   size_t size);
};


/* a "server" line: each of its addresses is a peer */
typedef struct {
    ngx_str_t               name;       /* as written */
    ngx_addr_t             *addrs;
    ngx_uint_t              naddrs;
    ngx_uint_t              backup;
    ngx_duplex_settings_t   set;
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

/* for a driver's bind; NULL: no memory; NGX_DUPLEX_SPARE is its "spare" */
ngx_duplex_group_t *ngx_duplex_group_add(ngx_conf_t *cf,
    ngx_duplex_driver_t *driver, ngx_str_t *name, ngx_str_t *shm, void *conf);
/* when the driver has filled it in, all its servers included */
void ngx_duplex_group_ready(ngx_conf_t *cf, ngx_duplex_group_t *group);
/* an address to stand in a group that has no server; NULL: no memory */
ngx_addr_t *ngx_duplex_placeholder(ngx_conf_t *cf);
/* the directive "duplex_spare": an ngx_uint_t at the command's offset */
char *ngx_duplex_spare_set(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
/* what "server" points at must live as long as the cycle */
ngx_int_t ngx_duplex_server_add(ngx_conf_t *cf, ngx_duplex_group_t *group,
    ngx_duplex_server_t *server);

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

/* what this worker has changed is in its state file on return */
void ngx_duplex_group_save(ngx_duplex_group_t *group);

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

/* NGX_OK, or NGX_DECLINED: it has no place, or the group has no zone */
ngx_int_t ngx_duplex_peer_read(ngx_duplex_peer_t *peer,
    ngx_duplex_peer_status_t *status);

/* servers that are gone and still serve, and the places there are */
ngx_uint_t ngx_duplex_group_zombies(ngx_duplex_group_t *group);

/* max_fails failures, the last of them within fail_timeout (s) */
ngx_uint_t ngx_duplex_peer_quarantined(ngx_uint_t max_fails, ngx_uint_t fails,
    time_t checked, time_t fail_timeout);

/* "down", "unhealthy", "checking", "draining", "unavail" or "up" */
const char *ngx_duplex_peer_state(ngx_duplex_peer_t *peer,
    ngx_duplex_peer_status_t *status);

/* writes the members of all contributors into the peer's open object */
void ngx_duplex_peer_fields(ngx_duplex_peer_t *peer, ngx_duplex_json_t *json);


#endif /* _NGX_DUPLEX_UPSTREAM_H_INCLUDED_ */
