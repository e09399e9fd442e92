
/*
 * Waiting for the disk: one fdatasync() under way in each process, for all
 * that was appended until it began; whoever comes later waits for the next.
 *
 * It runs in nginx's default thread pool; an nginx without threads, and one
 * whose pool takes no more, waits for the disk at the spot.  Obsolete
 * segments go when their successor and its name are on disk.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_duplex_journal_file.h"

#if (NGX_THREADS)
#include <ngx_thread_pool.h>
#endif


#define NGX_DUPLEX_JOURNAL_PATIENCE  60000      /* ms, for the disk */

/*
 * Hybrid time that is reserved on disk before it comes: by the wall clock,
 * and of a clock that is ahead of it, which only counts changes.
 */

#define NGX_DUPLEX_JOURNAL_AHEAD     ((uint64_t) 10000 << 16)
#define NGX_DUPLEX_JOURNAL_COUNTED   ((uint64_t) 250 << 16)


/* all that a thread needs; it calls nothing of nginx */
typedef struct {
    ngx_fd_t     fd;
    ngx_uint_t   link;                      /* the directory, too */
    u_char       dir[NGX_MAX_PATH];
    uint64_t     segment;
    uint64_t     ticket;

    uint64_t     obsolete[NGX_DUPLEX_JOURNAL_OBSOLETE];
    u_char       path[NGX_DUPLEX_JOURNAL_OBSOLETE][NGX_MAX_PATH];

    const char  *what;                      /* failed; NULL: nothing did */
    ngx_err_t    err;
} ngx_duplex_journal_job_t;


static ngx_int_t ngx_duplex_journal_prepare(ngx_duplex_journal_job_t *job);
static void ngx_duplex_journal_work(void *data, ngx_log_t *log);
static ngx_int_t ngx_duplex_journal_sync_directory(u_char *dir);
static ngx_int_t ngx_duplex_journal_settle(ngx_duplex_journal_job_t *job);
static void ngx_duplex_journal_start(void);
static void ngx_duplex_journal_done(ngx_event_t *ev);
static void ngx_duplex_journal_finish(ngx_int_t rc, uint64_t ticket);
static void ngx_duplex_journal_too_slow(ngx_event_t *ev);


static ngx_duplex_journal_job_t  ngx_duplex_journal_job;
static ngx_uint_t                ngx_duplex_journal_busy;

/* debug logging wants a connection behind a timer */
static ngx_connection_t          ngx_duplex_journal_conn;
static ngx_event_t               ngx_duplex_journal_timer;
static ngx_queue_t               ngx_duplex_journal_waits;

#if (NGX_THREADS)
static ngx_thread_task_t         ngx_duplex_journal_task;
#else
static ngx_event_t               ngx_duplex_journal_event;
#endif


ngx_int_t
ngx_duplex_journal_wait(ngx_duplex_journal_wait_t *wait)
{
    ngx_duplex_journal_t  *journal;

    journal = ngx_duplex_present->journal;

    if (journal == NULL) {
        return NGX_OK;
    }

    if (ngx_duplex_journal_append(0) != NGX_OK) {
        return NGX_ERROR;
    }

    wait->ticket = journal->shared->written;

    if (journal->shared->synced >= wait->ticket) {
        return NGX_OK;
    }

    if (ngx_duplex_journal_waits.next == NULL) {
        ngx_queue_init(&ngx_duplex_journal_waits);
    }

    /*
     * Not cancelable, unlike all other timers of ours: a worker that leaves
     * stays until what it waits for has been answered.
     */

    if (!ngx_duplex_journal_timer.timer_set) {
        ngx_duplex_journal_conn.fd = (ngx_socket_t) -1;

        ngx_duplex_journal_timer.handler = ngx_duplex_journal_too_slow;
        ngx_duplex_journal_timer.data = &ngx_duplex_journal_conn;
        ngx_duplex_journal_timer.log = ngx_cycle->log;

        ngx_add_timer(&ngx_duplex_journal_timer, NGX_DUPLEX_JOURNAL_PATIENCE);
    }

    ngx_queue_insert_tail(&ngx_duplex_journal_waits, &wait->queue);
    wait->queued = 1;

    ngx_duplex_journal_start();

    return NGX_AGAIN;
}


void
ngx_duplex_journal_cancel(ngx_duplex_journal_wait_t *wait)
{
    if (!wait->queued) {
        return;
    }

    ngx_queue_remove(&wait->queue);
    wait->queued = 0;

    if (ngx_queue_empty(&ngx_duplex_journal_waits)
        && ngx_duplex_journal_timer.timer_set)
    {
        ngx_del_timer(&ngx_duplex_journal_timer);
    }
}


void
ngx_duplex_journal_beat(void)
{
    uint64_t               last, wall, reserve;
    ngx_duplex_journal_t  *journal;

    journal = ngx_duplex_present->journal;

    if (journal == NULL) {
        return;
    }

    last = ngx_duplex_present->shared->clock.last;
    wall = ngx_duplex_clock_wall() << 16;
    reserve = journal->shared->reserve;

    /* of a clock that nobody asks for the time nothing is used up */

    if (last + NGX_DUPLEX_JOURNAL_COUNTED / 2 <= reserve
        && (last + NGX_DUPLEX_JOURNAL_AHEAD / 2 <= wall
            || wall + NGX_DUPLEX_JOURNAL_AHEAD / 2 <= reserve))
    {
        return;
    }

    if (ngx_duplex_journal_append(ngx_duplex_journal_reserve(last))
        == NGX_OK)
    {
        ngx_duplex_journal_start();
    }
}


uint64_t
ngx_duplex_journal_reserve(uint64_t last)
{
    uint64_t  wall;

    wall = ngx_duplex_clock_wall() << 16;

    return ngx_max(wall + NGX_DUPLEX_JOURNAL_AHEAD,
                   last + NGX_DUPLEX_JOURNAL_COUNTED);
}


ngx_int_t
ngx_duplex_journal_sync_now(void)
{
    if (ngx_duplex_journal_prepare(&ngx_duplex_journal_job) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_duplex_journal_work(&ngx_duplex_journal_job, NULL);

    return ngx_duplex_journal_settle(&ngx_duplex_journal_job);
}


static ngx_int_t
ngx_duplex_journal_prepare(ngx_duplex_journal_job_t *job)
{
    ngx_uint_t                    i;
    ngx_duplex_journal_t         *journal;
    ngx_duplex_journal_shared_t  *shared;

    journal = ngx_duplex_present->journal;
    shared = journal->shared;

    /* those of later segments are not for this sync to remove */

    for (i = 0; i < NGX_DUPLEX_JOURNAL_OBSOLETE; i++) {
        job->obsolete[i] = shared->obsolete[i];
    }

    ngx_memory_barrier();

    job->fd = ngx_duplex_journal_dup(&job->segment, &job->ticket);

    if (job->fd == NGX_INVALID_FILE) {
        ngx_duplex_journal_report("open()", ngx_errno);
        return NGX_ERROR;
    }

    job->what = NULL;
    job->link = (shared->linked != job->segment);

    (void) ngx_cpystrn(job->dir, journal->dir.data, NGX_MAX_PATH);

    for (i = 0; i < NGX_DUPLEX_JOURNAL_OBSOLETE; i++) {
        if (job->obsolete[i]) {
            (void) ngx_duplex_journal_path(journal, job->path[i],
                                           job->obsolete[i]);
        }
    }

    return NGX_OK;
}


/* in a thread */

static void
ngx_duplex_journal_work(void *data, ngx_log_t *log)
{
    ngx_duplex_journal_job_t *job = data;

    ngx_uint_t  i;

    if (fdatasync(job->fd) == -1) {
        job->what = "fdatasync()";
        job->err = ngx_errno;

    } else if (job->link
               && ngx_duplex_journal_sync_directory(job->dir) != NGX_OK)
    {
        job->what = "fsync() of the directory";
        job->err = ngx_errno;

    } else {

        for (i = 0; i < NGX_DUPLEX_JOURNAL_OBSOLETE; i++) {
            if (job->obsolete[i]) {
                (void) unlink((char *) job->path[i]);
            }
        }
    }

    (void) close(job->fd);
}


static ngx_int_t
ngx_duplex_journal_sync_directory(u_char *dir)
{
    int        fd;
    ngx_int_t  rc;

    fd = open((char *) dir, O_RDONLY|O_DIRECTORY|O_CLOEXEC);
    if (fd == -1) {
        return NGX_ERROR;
    }

    rc = fsync(fd) == -1 ? NGX_ERROR : NGX_OK;

    (void) close(fd);

    return rc;
}


/* back in the event loop: tells all processes what is on disk */

static ngx_int_t
ngx_duplex_journal_settle(ngx_duplex_journal_job_t *job)
{
    ngx_uint_t                    i, k;
    ngx_atomic_uint_t             synced;
    ngx_duplex_journal_shared_t  *shared;

    shared = ngx_duplex_present->journal->shared;

    if (job->what) {

        /*
         * The kernel forgets what it could not write: only a new segment
         * with everything in it can be trusted.
         */

        shared->broken = 1;

        ngx_duplex_journal_report(job->what, job->err);

        return NGX_ERROR;
    }

    if (job->link) {
        shared->linked = job->segment;
    }

    do {
        synced = shared->synced;

        if (synced >= job->ticket) {
            break;
        }

    } while (!ngx_atomic_cmp_set(&shared->synced, synced, job->ticket));

    for (i = 0; i < NGX_DUPLEX_JOURNAL_OBSOLETE; i++) {
        for (k = 0; job->obsolete[i] && k < NGX_DUPLEX_JOURNAL_OBSOLETE; k++) {
            (void) ngx_atomic_cmp_set(&shared->obsolete[k],
                                      job->obsolete[i], 0);
        }
    }

    return NGX_OK;
}


static void
ngx_duplex_journal_start(void)
{
    ngx_event_t        *ev;
#if (NGX_THREADS)
    ngx_str_t           name = ngx_string("default");
    ngx_thread_pool_t  *pool;
#endif

    if (ngx_duplex_journal_busy) {
        return;
    }

    ngx_duplex_journal_busy = 1;

#if (NGX_THREADS)
    ev = &ngx_duplex_journal_task.event;
#else
    ev = &ngx_duplex_journal_event;
#endif

    ev->handler = ngx_duplex_journal_done;
    ev->data = &ngx_duplex_journal_conn;
    ev->log = ngx_cycle->log;

    if (ngx_duplex_journal_prepare(&ngx_duplex_journal_job) != NGX_OK) {
        ngx_duplex_journal_job.what = "";
        ngx_post_event(ev, &ngx_posted_events);
        return;
    }

#if (NGX_THREADS)

    pool = ngx_thread_pool_get((ngx_cycle_t *) ngx_cycle, &name);

    ngx_duplex_journal_task.ctx = &ngx_duplex_journal_job;
    ngx_duplex_journal_task.handler = ngx_duplex_journal_work;

    if (pool && ngx_thread_task_post(pool, &ngx_duplex_journal_task) == NGX_OK)
    {
        return;
    }

#endif

    ngx_duplex_journal_work(&ngx_duplex_journal_job, ngx_cycle->log);

    ngx_post_event(ev, &ngx_posted_events);
}


static void
ngx_duplex_journal_done(ngx_event_t *ev)
{
    ngx_int_t  rc;

    ngx_duplex_journal_busy = 0;

    if (ngx_duplex_journal_job.what && *ngx_duplex_journal_job.what == '\0') {

        /* there was no file to begin with */
        rc = NGX_ERROR;

    } else {
        rc = ngx_duplex_journal_settle(&ngx_duplex_journal_job);
    }

    ngx_duplex_journal_finish(rc, rc == NGX_OK ? ngx_duplex_journal_job.ticket
                                               : (uint64_t) -1);

    if (ngx_duplex_journal_waits.next
        && !ngx_queue_empty(&ngx_duplex_journal_waits))
    {
        ngx_duplex_journal_start();
    }
}


/* handlers may wait again: those come after the ones that wait now */

static void
ngx_duplex_journal_finish(ngx_int_t rc, uint64_t ticket)
{
    ngx_uint_t                  n;
    ngx_queue_t                *q;
    ngx_duplex_journal_wait_t  *wait;

    if (ngx_duplex_journal_waits.next == NULL) {
        return;
    }

    n = 0;

    for (q = ngx_queue_head(&ngx_duplex_journal_waits);
         q != ngx_queue_sentinel(&ngx_duplex_journal_waits);
         q = ngx_queue_next(q))
    {
        n++;
    }

    while (n-- && !ngx_queue_empty(&ngx_duplex_journal_waits)) {

        q = ngx_queue_head(&ngx_duplex_journal_waits);
        wait = ngx_queue_data(q, ngx_duplex_journal_wait_t, queue);

        if (wait->ticket > ticket) {
            return;
        }

        ngx_duplex_journal_cancel(wait);

        wait->handler(wait, rc);
    }
}


static void
ngx_duplex_journal_too_slow(ngx_event_t *ev)
{
    ngx_duplex_journal_report("waiting for the disk", 0);

    ngx_duplex_journal_finish(NGX_ERROR, (uint64_t) -1);
}
