
/*
 * Stock's lists of peers: where their words are, and the places in them.
 *
 * http and stream have structures of their own with the same words in them,
 * and these grow with nginx: a table of offsets, made by the compiler, is
 * all that is particular to a protocol here.
 *
 * A place is a stock peer that was allocated when the configuration was
 * loaded and lives as long as the zone.  While no server has it, it is not in
 * the list, so a request never looks at it; while a request still uses it, it
 * is not given to another server.  So nothing is allocated at run time, and
 * whoever still holds a pointer to a removed peer points at a stock peer.
 */


#ifndef _NGX_DUPLEX_STOCK_H_INCLUDED_
#define _NGX_DUPLEX_STOCK_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_compat.h"
#include "ngx_duplex_upstream.h"


#define NGX_DUPLEX_SERVER_MAX  256      /* bytes of "server" of one added */

#define NGX_DUPLEX_TAG_DUMMY   1        /* in the place of an identity */


typedef struct ngx_duplex_layout_s  ngx_duplex_layout_t;

struct ngx_duplex_layout_s {
    size_t    list_size;
    size_t    number;
    size_t    shpool;
    size_t    rwlock;
    size_t    total_weight;
    size_t    tries;
    size_t    title;
    size_t    backups;
    size_t    first;
#if (NGX_DUPLEX_HAVE_PEER_REFS)
    size_t    config;
#endif

    size_t    peer_size;
    size_t    sockaddr;
    size_t    socklen;
    size_t    name;
    size_t    server;
    size_t    current_weight;
    size_t    effective_weight;
    size_t    weight;
    size_t    conns;
    size_t    max_conns;
    size_t    fails;
    size_t    accessed;
    size_t    checked;
    size_t    max_fails;
    size_t    fail_timeout;
    size_t    tag;
    size_t    slow;
    size_t    down;
    size_t    ssl_session;
    size_t    ssl_session_len;
    size_t    lock;
    size_t    next;
    size_t    id;
    size_t    held;
    size_t    sid;                      /* 0: there is none */
#if (NGX_DUPLEX_HAVE_PEER_REFS)
    size_t    refs;
#endif
};


#if (NGX_DUPLEX_HAVE_PEER_REFS)
#define NGX_DUPLEX_LAYOUT_CONFIG(list)    offsetof(list, config),
#define NGX_DUPLEX_LAYOUT_REFS(type)      , offsetof(type, refs)
#else
#define NGX_DUPLEX_LAYOUT_CONFIG(list)
#define NGX_DUPLEX_LAYOUT_REFS(type)
#endif

/*
 * Four words of a peer are stock's and not used by it: start_time has the
 * hash of the server's identity (0: it is in no list), spare[0] its id,
 * spare[1] the row of held.h, slow_start how far its slow start is.
 */

#define NGX_DUPLEX_LAYOUT(list, type, sid)                                    \
    { sizeof(list), offsetof(list, number), offsetof(list, shpool),           \
      offsetof(list, rwlock), offsetof(list, total_weight),                   \
      offsetof(list, tries), offsetof(list, name), offsetof(list, next),      \
      offsetof(list, peer),                                                   \
      NGX_DUPLEX_LAYOUT_CONFIG(list)                                          \
      sizeof(type), offsetof(type, sockaddr), offsetof(type, socklen),        \
      offsetof(type, name), offsetof(type, server),                           \
      offsetof(type, current_weight), offsetof(type, effective_weight),       \
      offsetof(type, weight), offsetof(type, conns),                          \
      offsetof(type, max_conns), offsetof(type, fails),                       \
      offsetof(type, accessed), offsetof(type, checked),                      \
      offsetof(type, max_fails), offsetof(type, fail_timeout),                \
      offsetof(type, start_time), offsetof(type, slow_start),                 \
      offsetof(type, down),                                                   \
      offsetof(type, ssl_session), offsetof(type, ssl_session_len),           \
      offsetof(type, lock), offsetof(type, next), offsetof(type, spare),      \
      offsetof(type, spare) + sizeof(uint64_t), sid                           \
      NGX_DUPLEX_LAYOUT_REFS(type) }


/* a word of a list or of a peer: ngx_duplex_stock(l, peers, tries, int) */
#define ngx_duplex_stock(l, p, word, type)                                    \
    (*(type *) ((u_char *) (p) + (l)->word))

#define ngx_duplex_stock_tag(l, rr)    ngx_duplex_stock(l, rr, tag, ngx_msec_t)
#define ngx_duplex_stock_next(l, rr)   ngx_duplex_stock(l, rr, next, void *)
#define ngx_duplex_stock_first(l, p)   ngx_duplex_stock(l, p, first, void *)


struct ngx_duplex_place_s {
    void     *peer;                     /* stock's */
    size_t    room;                     /* for the text of its "server" */
};


void ngx_duplex_stock_rlock(ngx_duplex_driver_t *driver, void *peers);
void ngx_duplex_stock_wlock(ngx_duplex_driver_t *driver, void *peers);
void ngx_duplex_stock_unlock(ngx_duplex_driver_t *driver, void *peers);

/*
 * Who writes what he has read in the store takes the lock "as of" his look
 * at it, which he took before he read.  NGX_OK; NGX_AGAIN: the store has
 * changed since, nothing is held, he has to read again.  So nobody writes an
 * older state over one that was answered.  A look of 0 is good for ever.
 */
uint64_t ngx_duplex_stock_look(void);
ngx_int_t ngx_duplex_stock_wlock_as_of(ngx_duplex_driver_t *driver,
    void *peers, uint64_t look);

/* so often somebody looks before he writes what he has */
#define NGX_DUPLEX_STOCK_LOOKS  4

/* the stock peer in this list; NULL: it is not there */
void *ngx_duplex_stock_find_locked(ngx_duplex_peer_t *peer, void *peers);


/*
 * For commit: the stock peers get their identities; and the group gets its
 * places, "more" besides the spare ones.  Both log what could not be done.
 */
void ngx_duplex_places_bind(ngx_duplex_group_t *group);
void ngx_duplex_places_commit(ngx_duplex_group_t *group, ngx_uint_t more);

/* the same for lists of this worker's own: a group without a zone */
void ngx_duplex_places_identify(ngx_duplex_group_t *group, void *peers);

/* for bind: bytes that places take in the zone */
size_t ngx_duplex_places_size(ngx_duplex_group_t *group, ngx_uint_t more);

/*
 * Puts the peer into its list, with these bits, and takes it out again.
 * NGX_OK; NGX_DECLINED: it was so already; NGX_ERROR: there is no free place;
 * NGX_AGAIN: see wlock_as_of().
 */
ngx_int_t ngx_duplex_place_add(ngx_duplex_peer_t *peer, ngx_uint_t down,
    uint64_t look);
ngx_int_t ngx_duplex_place_remove(ngx_duplex_peer_t *peer, uint64_t look);

/*
 * Writes what is in force into the stock peer, as place_add() does.
 * NGX_OK or NGX_AGAIN.
 */
ngx_int_t ngx_duplex_place_set(ngx_duplex_peer_t *peer, uint64_t look);

/* how many places there are for servers with so long a text */
ngx_uint_t ngx_duplex_place_free(ngx_duplex_group_t *group, ngx_uint_t backup,
    size_t len);


/*
 * What `hash ... consistent` and `random` of some nginx versions have
 * computed in this worker, made again if members or weights have changed.
 */
ngx_int_t ngx_duplex_balancer_refresh(ngx_duplex_group_t *group);


#endif /* _NGX_DUPLEX_STOCK_H_INCLUDED_ */
