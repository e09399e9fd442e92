
/*
 * See the header: a robust process-shared mutex of the C library.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_lock.h"


ngx_int_t
ngx_duplex_lock_create(ngx_duplex_lock_t *lock, ngx_log_t *log)
{
    int                  err;
    pthread_mutexattr_t  attr;

    err = pthread_mutexattr_init(&attr);
    if (err) {
        ngx_log_error(NGX_LOG_EMERG, log, err,
                      "pthread_mutexattr_init() failed");
        return NGX_ERROR;
    }

    err = pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);

    if (err == 0) {
        err = pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    }

    if (err == 0) {
        err = pthread_mutex_init(&lock->mutex, &attr);
    }

    (void) pthread_mutexattr_destroy(&attr);

    if (err) {
        ngx_log_error(NGX_LOG_EMERG, log, err,
                      "robust shared mutex could not be made");
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_int_t
ngx_duplex_lock(ngx_duplex_lock_t *lock)
{
    int  err;

    err = pthread_mutex_lock(&lock->mutex);

    if (err == 0) {
        return NGX_OK;
    }

    if (err == EOWNERDEAD) {

        /*
         * Should this process die during the repair, the next one is told
         * the same: the kernel marks the mutex at any death of its holder.
         */

        (void) pthread_mutex_consistent(&lock->mutex);

        return NGX_DECLINED;
    }

    /* no other error is possible while the memory of the mutex is sound */

    abort();
}


void
ngx_duplex_unlock(ngx_duplex_lock_t *lock)
{
    (void) pthread_mutex_unlock(&lock->mutex);
}
