
/*
 * Slow start: the weight of a server that has recovered grows from nothing
 * to its own over "slow_start".
 *
 * Stock weights are small integers, so in a list with slow start all of them
 * are NGX_DUPLEX_SLOW_SCALE times what the file says: from the start on, or
 * from when a server is given slow start by the API.  A word of each stock
 * peer, shared by the workers, says how far it is; the holder of the lease
 * moves weights, whoever marks a server as up begins.
 */


#ifndef _NGX_DUPLEX_SLOW_H_INCLUDED_
#define _NGX_DUPLEX_SLOW_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_upstream.h"


#define NGX_DUPLEX_SLOW_SCALE  100


/* of a "server" line, for its handler; NGX_ERROR is logged */
ngx_int_t ngx_duplex_slow_parse(ngx_conf_t *cf, ngx_str_t *param,
    ngx_uint_t allowed, ngx_msec_t *slow_start);

/* for preconfiguration, once */
ngx_int_t ngx_duplex_slow_register(ngx_conf_t *cf);

/*
 * For bind, when the group has all its lines.  NGX_ERROR is logged: its
 * balancer cannot do it ("allowed" is 0).
 */
ngx_int_t ngx_duplex_slow_bind(ngx_conf_t *cf, ngx_duplex_group_t *group,
    ngx_uint_t allowed);

/*
 * For commit, when `down` is written: who grows in the lists that are left
 * behind ("old", NULL: there are none) goes on growing, and nobody else does.
 */
void ngx_duplex_slow_commit(ngx_duplex_group_t *group,
    ngx_duplex_group_t *old);

/* for the places of a new list: all its weights are as stock has made them */
void ngx_duplex_slow_scale(ngx_duplex_group_t *group);

/* under the lock of its list, before its weight is written */
void ngx_duplex_slow_prepare_locked(ngx_duplex_peer_t *peer, void *peers);

/* the weight of the peer in stock's list, when it does not grow; locked */
#define ngx_duplex_slow_full(peer)                                            \
    ((ngx_int_t) ((peer)->set.weight * (peer)->group->scales[(peer)->backup]))

/* under the lock of the list: the peer has just become available */
void ngx_duplex_slow_begin_locked(ngx_duplex_peer_t *peer, void *rr,
    void *peers);


#endif /* _NGX_DUPLEX_SLOW_H_INCLUDED_ */
