
/*
 * A mutex in shared memory that notices the death of its holder.
 *
 * A POSIX robust process-shared mutex: the kernel marks it when the holder
 * dies (kill -9 included), and the next one to lock is told so and repairs
 * what the lock protects before it goes on.
 */


#ifndef _NGX_DUPLEX_LOCK_H_INCLUDED_
#define _NGX_DUPLEX_LOCK_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <pthread.h>


typedef struct {
    pthread_mutex_t  mutex;
} ngx_duplex_lock_t;


/* once, when the memory is fresh; NGX_ERROR is logged */
ngx_int_t ngx_duplex_lock_create(ngx_duplex_lock_t *lock, ngx_log_t *log);

/*
 * NGX_OK, or NGX_DECLINED if the previous holder died inside: the lock is
 * held in both cases, after NGX_DECLINED the caller must repair the data.
 * Sections are short; no allocation, no logging, no callback that locks.
 */
ngx_int_t ngx_duplex_lock(ngx_duplex_lock_t *lock);
void ngx_duplex_unlock(ngx_duplex_lock_t *lock);


#endif /* _NGX_DUPLEX_LOCK_H_INCLUDED_ */
