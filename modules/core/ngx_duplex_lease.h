
/*
 * The lease: which one worker does what must be done once per node (probe,
 * dial other nodes).
 *
 * The holder stamps shared memory with every tick; another worker takes over
 * when the holder is dead, silent for NGX_DUPLEX_LEASE_TTL, or of an older
 * configuration.  A holder that was stopped may finish one piece of work
 * after it lost the lease: whoever publishes results compares epochs first.
 */


#ifndef _NGX_DUPLEX_LEASE_H_INCLUDED_
#define _NGX_DUPLEX_LEASE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_DUPLEX_LEASE_TICK  250      /* ms, in each worker */
#define NGX_DUPLEX_LEASE_TTL   600      /* ms without a stamp */


/* shared memory */
typedef struct {
    ngx_atomic_t  holder;       /* generation << 32 | pid; 0: nobody */
    ngx_atomic_t  stamp;        /* ms, monotonic */
    ngx_atomic_t  epoch;        /* counts the holders */
} ngx_duplex_lease_t;


/* this process holds it, by what shared memory says now */
ngx_uint_t ngx_duplex_lease_held(void);
/* grows with every change of holder; the same for as long as one holds it */
uint64_t ngx_duplex_lease_epoch(void);
/* pid of the holder, 0: nobody */
ngx_pid_t ngx_duplex_lease_holder(void);


/* core only: NGX_OK: held after the call; NGX_DECLINED: another holds it */
ngx_int_t ngx_duplex_lease_tick(ngx_duplex_lease_t *lease,
    uint32_t generation, uint64_t now);
void ngx_duplex_lease_release(ngx_duplex_lease_t *lease, uint32_t generation);


#endif /* _NGX_DUPLEX_LEASE_H_INCLUDED_ */
