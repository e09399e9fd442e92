
/*
 * Writing the journal: appending what is missing, and a new segment when the
 * present one has grown too large or lost a write.
 *
 * Everything here runs under the journal's lock and writes to the page cache
 * only; nothing waits for the disk.  What was being written when a holder of
 * the lock died is cut off by the next one and written again, since the
 * position in the table's log is moved last.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_entry.h"
#include "ngx_duplex_journal_file.h"


#define NGX_DUPLEX_JOURNAL_BUFFER  (64 * 1024)

/* a segment is replaced when it has grown to so much, and so many times */
#define NGX_DUPLEX_JOURNAL_GROWN   (1024 * 1024)
#define NGX_DUPLEX_JOURNAL_FACTOR  4


/* one go at a segment */
typedef struct {
    ngx_fd_t                     fd;
    ngx_duplex_journal_state_t   state;     /* as it will be */
    size_t                       used;      /* of the buffer */
} ngx_duplex_journal_writer_t;


static ngx_int_t ngx_duplex_journal_append_locked(ngx_duplex_journal_t *journal,
    uint64_t time);
static ngx_int_t ngx_duplex_journal_open_locked(ngx_duplex_journal_t *journal);
static ngx_int_t ngx_duplex_journal_create_locked(
    ngx_duplex_journal_t *journal);
static ngx_fd_t ngx_duplex_journal_new_file(ngx_duplex_journal_t *journal,
    uint64_t *segment);
static void ngx_duplex_journal_commit_locked(ngx_duplex_journal_t *journal,
    ngx_duplex_journal_state_t *state);
static ngx_int_t ngx_duplex_journal_write_log(ngx_duplex_journal_writer_t *w);
static ngx_int_t ngx_duplex_journal_write_all(ngx_duplex_journal_writer_t *w);
static ngx_int_t ngx_duplex_journal_write_record(
    ngx_duplex_journal_writer_t *w, ngx_duplex_record_t *rec);
static ngx_int_t ngx_duplex_journal_flush(ngx_duplex_journal_writer_t *w);


/* this process's descriptor of the segment that was written last */
static ngx_fd_t     ngx_duplex_journal_fd = NGX_INVALID_FILE;
static uint64_t     ngx_duplex_journal_segment;

static u_char       ngx_duplex_journal_buf[NGX_DUPLEX_JOURNAL_BUFFER];

/* why the last call failed */
static const char  *ngx_duplex_journal_what;
static ngx_err_t    ngx_duplex_journal_err;


ngx_int_t
ngx_duplex_journal_append(uint64_t time)
{
    ngx_int_t              rc;
    ngx_fd_t               fd;
    ngx_duplex_journal_t  *journal;

    journal = ngx_duplex_present->journal;

    if (journal == NULL) {
        return NGX_OK;
    }

    if (ngx_duplex_lock(&journal->shared->lock) == NGX_DECLINED) {

        /* what the dead one left behind is not known to be good */

        fd = ngx_duplex_journal_open_locked(journal) == NGX_OK
             ? ngx_duplex_journal_fd : NGX_INVALID_FILE;

        if (fd == NGX_INVALID_FILE
            || ftruncate(fd, ngx_duplex_journal_state(journal->shared)->size)
               == -1)
        {
            journal->shared->broken = 1;
        }
    }

    rc = ngx_duplex_journal_append_locked(journal, time);

    ngx_duplex_unlock(&journal->shared->lock);

    if (rc == NGX_OK) {
        ngx_duplex_journal_report(NULL, 0);

    } else {
        ngx_duplex_journal_report(ngx_duplex_journal_what,
                                  ngx_duplex_journal_err);
    }

    return rc;
}


static ngx_int_t
ngx_duplex_journal_append_locked(ngx_duplex_journal_t *journal, uint64_t time)
{
    u_char                       *p;
    uint64_t                      reserve;
    ngx_uint_t                    grown;
    ngx_duplex_journal_state_t   *state;
    ngx_duplex_journal_shared_t  *shared;
    ngx_duplex_journal_writer_t   w;

    shared = journal->shared;
    state = ngx_duplex_journal_state(shared);

    /* a reserved time never becomes an earlier one */

    reserve = shared->reserve;

    if (time > reserve) {
        shared->reserve = time;

    } else {
        time = 0;
    }

    grown = state->size > NGX_DUPLEX_JOURNAL_GROWN
            && state->size > state->live * NGX_DUPLEX_JOURNAL_FACTOR;

    if (state->segment == 0 || shared->broken || grown) {

        if (ngx_duplex_journal_create_locked(journal) == NGX_OK) {
            return NGX_OK;
        }

        if (state->segment == 0 || shared->broken) {
            goto failed;
        }
    }

    if (ngx_duplex_journal_open_locked(journal) != NGX_OK) {
        goto failed;
    }

    w.fd = ngx_duplex_journal_fd;
    w.state = *state;
    w.used = 0;

    if (time) {
        p = ngx_duplex_entry_put_clock(ngx_duplex_journal_buf, time);
        w.used = p - ngx_duplex_journal_buf;
    }

    if (ngx_duplex_journal_write_log(&w) != NGX_OK) {

        /* without a hole: what follows must not stand behind half an entry */

        if (ftruncate(w.fd, state->size) == -1) {
            shared->broken = 1;
        }

        goto failed;
    }

    ngx_duplex_journal_commit_locked(journal, &w.state);

    return NGX_OK;

failed:

    shared->reserve = reserve;

    return NGX_ERROR;
}


/* the segment that is written now may be another process's work */

static ngx_int_t
ngx_duplex_journal_open_locked(ngx_duplex_journal_t *journal)
{
    u_char                       path[NGX_MAX_PATH];
    ngx_fd_t                     fd;
    ngx_duplex_journal_state_t  *state;

    state = ngx_duplex_journal_state(journal->shared);

    if (ngx_duplex_journal_fd != NGX_INVALID_FILE) {

        if (ngx_duplex_journal_segment == state->segment) {
            return NGX_OK;
        }

        (void) close(ngx_duplex_journal_fd);
        ngx_duplex_journal_fd = NGX_INVALID_FILE;
    }

    (void) ngx_duplex_journal_path(journal, path, state->segment);

    fd = open((char *) path, O_WRONLY|O_APPEND|O_CLOEXEC);

    if (fd == NGX_INVALID_FILE) {
        ngx_duplex_journal_what = "open()";
        ngx_duplex_journal_err = ngx_errno;

        /* somebody removed it */
        journal->shared->broken = 1;

        return NGX_ERROR;
    }

    ngx_duplex_journal_fd = fd;
    ngx_duplex_journal_segment = state->segment;

    return NGX_OK;
}


/* a new segment with all that is live becomes the one that is written */

static ngx_int_t
ngx_duplex_journal_create_locked(ngx_duplex_journal_t *journal)
{
    u_char                       *p, path[NGX_MAX_PATH];
    uint64_t                      old;
    ngx_uint_t                    i;
    ngx_duplex_table_t           *table;
    ngx_duplex_journal_shared_t  *shared;
    ngx_duplex_journal_writer_t   w;

    shared = journal->shared;
    table = ngx_duplex_store_table();

    ngx_memzero(&w, sizeof(ngx_duplex_journal_writer_t));

    w.state.table = ngx_duplex_table_incarnation(table);

    old = ngx_duplex_journal_state(shared)->segment;

    if (old && ngx_duplex_journal_state(shared)->table != w.state.table) {

        /* a worker that leaves has not all that is live: see write_log */

        ngx_duplex_journal_what = "a leaving worker's new file";
        ngx_duplex_journal_err = 0;

        return NGX_ERROR;
    }

    w.fd = ngx_duplex_journal_new_file(journal, &w.state.segment);
    if (w.fd == NGX_INVALID_FILE) {
        return NGX_ERROR;
    }

    p = ngx_duplex_entry_put_header(ngx_duplex_journal_buf,
                                    &ngx_duplex_present->identity.name);

    if (shared->reserve) {
        p = ngx_duplex_entry_put_clock(p, shared->reserve);
    }

    w.used = p - ngx_duplex_journal_buf;
    w.state.position = ngx_duplex_table_head(table);

    /* a record that moves during the scan is missed there, but not later */

    if (ngx_duplex_journal_write_all(&w) != NGX_OK
        || ngx_duplex_journal_write_log(&w) != NGX_OK)
    {
        (void) close(w.fd);

        (void) ngx_duplex_journal_path(journal, path, w.state.segment);
        (void) unlink((char *) path);

        return NGX_ERROR;
    }

    w.state.live = w.state.size;

    ngx_duplex_journal_commit_locked(journal, &w.state);

    shared->broken = 0;

    /* never the one that is written, wherever this process may die */

    for (i = 0; old && i < NGX_DUPLEX_JOURNAL_OBSOLETE; i++) {
        if (shared->obsolete[i] == 0) {
            shared->obsolete[i] = old;
            break;
        }
    }

    if (ngx_duplex_journal_fd != NGX_INVALID_FILE) {
        (void) close(ngx_duplex_journal_fd);
    }

    ngx_duplex_journal_fd = w.fd;
    ngx_duplex_journal_segment = w.state.segment;

    return NGX_OK;
}


static ngx_fd_t
ngx_duplex_journal_new_file(ngx_duplex_journal_t *journal, uint64_t *segment)
{
    u_char    path[NGX_MAX_PATH];
    ngx_fd_t  fd;

    do {
        *segment = journal->shared->next++;

        (void) ngx_duplex_journal_path(journal, path, *segment);

        fd = open((char *) path,
                  O_WRONLY|O_APPEND|O_CREAT|O_EXCL|O_CLOEXEC, 0600);

    } while (fd == NGX_INVALID_FILE && ngx_errno == NGX_EEXIST);

    if (fd == NGX_INVALID_FILE) {
        ngx_duplex_journal_what = "open()";
        ngx_duplex_journal_err = ngx_errno;
        return NGX_INVALID_FILE;
    }

    /* the master's file is for the workers */

    if (geteuid() == 0
        && journal->user != (ngx_uid_t) NGX_CONF_UNSET_UINT
        && fchown(fd, journal->user, -1) == -1)
    {
        ngx_duplex_journal_what = "fchown()";
        ngx_duplex_journal_err = ngx_errno;

        (void) close(fd);
        (void) unlink((char *) path);

        return NGX_INVALID_FILE;
    }

    return fd;
}


static void
ngx_duplex_journal_commit_locked(ngx_duplex_journal_t *journal,
    ngx_duplex_journal_state_t *state)
{
    ngx_duplex_journal_shared_t  *shared;
    ngx_duplex_journal_state_t   *present;

    shared = journal->shared;
    present = ngx_duplex_journal_state(shared);

    if (present->segment != state->segment || present->size != state->size) {
        shared->written++;
    }

    shared->state[!(shared->present & 1)] = *state;
    ngx_memory_barrier();
    shared->present = !(shared->present & 1);
}


/* what was changed since the position that was reached */

static ngx_int_t
ngx_duplex_journal_write_log(ngx_duplex_journal_writer_t *w)
{
    u_char                buf[NGX_DUPLEX_RECORD_MAX];
    uint64_t              now, position;
    ngx_int_t             rc;
    ngx_duplex_table_t   *table;
    ngx_duplex_record_t   rec;

    table = ngx_duplex_store_table();

    /*
     * A worker that leaves may have a table that was replaced by one of
     * another size, with a log of its own.
     */

    if (w->state.table != ngx_duplex_table_incarnation(table)) {
        return ngx_duplex_journal_write_all(w);
    }

    now = ngx_duplex_clock_monotonic();
    position = w->state.position;

    for ( ;; ) {

        rc = ngx_duplex_table_next(table, &position, &rec, buf, now);

        if (rc == NGX_DONE) {
            w->state.position = position;
            return ngx_duplex_journal_flush(w);
        }

        if (rc == NGX_DECLINED) {
            w->state.position = ngx_duplex_table_head(table);
            return ngx_duplex_journal_write_all(w);
        }

        if (ngx_duplex_journal_write_record(w, &rec) != NGX_OK) {
            return NGX_ERROR;
        }
    }
}


/* what is changed during the scan comes after the position noted before it */

static ngx_int_t
ngx_duplex_journal_write_all(ngx_duplex_journal_writer_t *w)
{
    u_char                buf[NGX_DUPLEX_RECORD_MAX];
    uint32_t              cursor;
    uint64_t              now;
    ngx_duplex_table_t   *table;
    ngx_duplex_record_t   rec;

    table = ngx_duplex_store_table();
    now = ngx_duplex_clock_monotonic();
    cursor = 0;

    while (ngx_duplex_table_scan(table, &cursor, &rec, buf, now) == NGX_OK) {
        if (ngx_duplex_journal_write_record(w, &rec) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return ngx_duplex_journal_flush(w);
}


static ngx_int_t
ngx_duplex_journal_write_record(ngx_duplex_journal_writer_t *w,
    ngx_duplex_record_t *rec)
{
    u_char             *p;
    uint64_t            now, until;
    ngx_duplex_kind_t  *kind;

    kind = ngx_duplex_find_kind(rec->kind);

    /* what no loaded feature knows is kept for the one that does */

    if (kind && !(kind->flags & NGX_DUPLEX_KIND_DURABLE)) {
        return NGX_OK;
    }

    until = 0;

    if (rec->expire) {
        now = ngx_duplex_clock_monotonic();

        if (rec->expire <= now) {
            return NGX_OK;
        }

        until = ngx_duplex_clock_wall() + (rec->expire - now);
    }

    if (NGX_DUPLEX_JOURNAL_BUFFER - w->used < NGX_DUPLEX_ENTRY_MAX
        && ngx_duplex_journal_flush(w) != NGX_OK)
    {
        return NGX_ERROR;
    }

    p = ngx_duplex_entry_put_record(ngx_duplex_journal_buf + w->used, rec,
                                    until);
    w->used = p - ngx_duplex_journal_buf;

    return NGX_OK;
}


static ngx_int_t
ngx_duplex_journal_flush(ngx_duplex_journal_writer_t *w)
{
    u_char   *p;
    ssize_t   n;

    for (p = ngx_duplex_journal_buf; w->used; p += n, w->used -= n) {

        n = write(w->fd, p, w->used);

        if (n == -1) {

            if (ngx_errno == NGX_EINTR) {
                n = 0;
                continue;
            }

            ngx_duplex_journal_what = "write()";
            ngx_duplex_journal_err = ngx_errno;

            return NGX_ERROR;
        }

        w->state.size += n;
    }

    return NGX_OK;
}


ngx_fd_t
ngx_duplex_journal_dup(uint64_t *segment, uint64_t *ticket)
{
    ngx_fd_t                      fd;
    ngx_duplex_journal_t         *journal;
    ngx_duplex_journal_shared_t  *shared;

    journal = ngx_duplex_present->journal;
    shared = journal->shared;

    if (ngx_duplex_lock(&shared->lock) == NGX_DECLINED) {

        /* the next append looks after it */

        shared->broken = 1;
    }

    fd = NGX_INVALID_FILE;

    if (ngx_duplex_journal_state(shared)->segment
        && ngx_duplex_journal_open_locked(journal) == NGX_OK)
    {
        *segment = ngx_duplex_journal_segment;
        *ticket = shared->written;

        fd = fcntl(ngx_duplex_journal_fd, F_DUPFD_CLOEXEC, 0);
    }

    ngx_duplex_unlock(&shared->lock);

    return fd;
}


void
ngx_duplex_journal_report(const char *what, ngx_err_t err)
{
    ngx_duplex_journal_t         *journal;
    ngx_duplex_journal_shared_t  *shared;

    journal = ngx_duplex_present->journal;
    shared = journal->shared;

    if (what == NULL) {

        if (shared->failing && ngx_atomic_cmp_set(&shared->failing, 1, 0)) {
            ngx_log_error(NGX_LOG_NOTICE, journal->log, 0,
                          "administrative changes are written to \"%V\" again",
                          &journal->dir);
        }

        return;
    }

    if (ngx_atomic_cmp_set(&shared->failing, 0, 1)) {
        ngx_log_error(NGX_LOG_ALERT, journal->log, err,
                      "administrative changes cannot be written to \"%V\", "
                      "a restart would lose them: %s failed",
                      &journal->dir, what);
    }
}


u_char *
ngx_duplex_journal_path(ngx_duplex_journal_t *journal, u_char *buf,
    uint64_t segment)
{
    return ngx_sprintf(buf, "%V/journal.%uL%Z", &journal->dir, segment);
}


ngx_str_t *
ngx_duplex_journal_directory(void)
{
    ngx_duplex_journal_t  *journal;

    journal = ngx_duplex_present->journal;

    return journal ? &journal->dir : NULL;
}
