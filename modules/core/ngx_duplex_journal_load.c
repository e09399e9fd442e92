
/*
 * The journal at start: the lock of the directory, and reading what is in
 * it, in the master.
 *
 * All segments are checked before a record of any is applied: what is not
 * whole is set aside, never half-loaded.  A last entry that was not written
 * to its end is no damage: nobody was told that it is there.
 *
 * The lock is held by the master and all it forked.  Who does not get it
 * (a binary upgrade; a second nginx by mistake) reads, writes segments of
 * its own, and removes nothing that it did not write.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <sys/file.h>
#include "ngx_duplex_entry.h"
#include "ngx_duplex_journal_file.h"


/* for how long a deletion is known that had ended before the start: ms */
#define NGX_DUPLEX_JOURNAL_ENDED  600000


typedef struct {
    uint64_t     number;
    u_char      *first;         /* entry */
    u_char      *last;          /* end of the good ones */
} ngx_duplex_journal_old_t;


typedef struct {
    ngx_cycle_t           *cycle;
    ngx_duplex_journal_t  *journal;
    ngx_pool_t            *pool;
    ngx_array_t            segments;    /* ngx_duplex_journal_old_t */

    ngx_uint_t             locked;
    ngx_uint_t             corrupt;
    ngx_uint_t             refused;     /* for want of memory */
    uint64_t               time;        /* the latest */
} ngx_duplex_journal_load_t;


static void ngx_duplex_journal_again(ngx_duplex_journal_t *journal);
static ngx_uint_t ngx_duplex_journal_lock(ngx_duplex_journal_t *journal,
    ngx_log_t *log);
static void ngx_duplex_journal_read(ngx_duplex_journal_load_t *load);
static void ngx_duplex_journal_read_segment(ngx_duplex_journal_load_t *load,
    uint64_t number);
static ngx_int_t ngx_duplex_journal_read_file(ngx_duplex_journal_load_t *load,
    ngx_duplex_journal_old_t *old, u_char *path);
static ngx_int_t ngx_duplex_journal_check(ngx_duplex_journal_load_t *load,
    ngx_duplex_journal_old_t *old, u_char *path);
static void ngx_duplex_journal_set_aside(ngx_duplex_journal_load_t *load);
static void ngx_duplex_journal_apply(ngx_duplex_journal_load_t *load,
    ngx_duplex_journal_old_t *old);
static void ngx_duplex_journal_begin(ngx_duplex_journal_load_t *load);


/* of the master, and of all it forks */
static ngx_fd_t  ngx_duplex_journal_lock_fd = NGX_INVALID_FILE;


void
ngx_duplex_journal_load(ngx_cycle_t *cycle, ngx_uint_t fresh)
{
    ngx_uint_t                  i;
    ngx_core_conf_t            *ccf;
    ngx_duplex_journal_t       *journal;
    ngx_duplex_journal_old_t   *old;
    ngx_duplex_journal_load_t   load;

    journal = ngx_duplex_present->journal;

    if (journal == NULL) {

        if (fresh && ngx_duplex_present->kept) {
            ngx_log_error(NGX_LOG_WARN, cycle->log, 0,
                          "administrative changes are not kept over a "
                          "restart: there is no \"duplex_store\"");
        }

        return;
    }

    ccf = (ngx_core_conf_t *) ngx_get_conf(cycle->conf_ctx, ngx_core_module);

    journal->user = ccf->user;
    journal->log = cycle->log;

    if (journal->shared->next) {
        ngx_duplex_journal_again(journal);
        return;
    }

    ngx_memzero(&load, sizeof(ngx_duplex_journal_load_t));

    load.cycle = cycle;
    load.journal = journal;
    load.locked = ngx_duplex_journal_lock(journal, cycle->log);

    journal->shared->next = 1;

    load.pool = ngx_create_pool(NGX_CYCLE_POOL_SIZE, cycle->log);
    if (load.pool == NULL) {
        return;
    }

    if (ngx_array_init(&load.segments, load.pool, 4,
                       sizeof(ngx_duplex_journal_old_t))
        == NGX_OK)
    {
        ngx_duplex_journal_read(&load);

        if (!load.corrupt) {

            old = load.segments.elts;

            for (i = 0; i < load.segments.nelts; i++) {
                ngx_duplex_journal_apply(&load, &old[i]);
            }

        } else if (load.locked) {
            ngx_duplex_journal_set_aside(&load);
        }

        ngx_duplex_journal_begin(&load);
    }

    ngx_destroy_pool(load.pool);
}


/* a reload: memory is the truth, and only its table may be another one */

static void
ngx_duplex_journal_again(ngx_duplex_journal_t *journal)
{
    ngx_duplex_table_t           *table;
    ngx_duplex_journal_state_t   *state;
    ngx_duplex_journal_shared_t  *shared;

    shared = journal->shared;
    table = ngx_duplex_store_table();

    if (ngx_duplex_lock(&shared->lock) == NGX_DECLINED) {
        shared->broken = 1;
    }

    state = ngx_duplex_journal_state(shared);

    if (state->table != ngx_duplex_table_incarnation(table)) {

        /* records keep their positions when they are carried over */

        state->position = ngx_min(state->position,
                                  ngx_duplex_table_head(table));
        state->table = ngx_duplex_table_incarnation(table);
    }

    ngx_duplex_unlock(&shared->lock);
}


static ngx_uint_t
ngx_duplex_journal_lock(ngx_duplex_journal_t *journal, ngx_log_t *log)
{
    u_char    path[NGX_MAX_PATH];
    ngx_fd_t  fd;

    /* of the directory that was used before: leaving workers still hold it */

    if (ngx_duplex_journal_lock_fd != NGX_INVALID_FILE) {
        (void) close(ngx_duplex_journal_lock_fd);
        ngx_duplex_journal_lock_fd = NGX_INVALID_FILE;
    }

    (void) ngx_sprintf(path, "%V/lock%Z", &journal->dir);

    fd = open((char *) path, O_RDWR|O_CREAT|O_CLOEXEC, 0600);

    if (fd == NGX_INVALID_FILE) {
        ngx_log_error(NGX_LOG_ALERT, log, ngx_errno,
                      ngx_open_file_n " \"%s\" failed", path);
        return 0;
    }

    if (flock(fd, LOCK_EX|LOCK_NB) == -1) {

        if (ngx_inherited) {
            ngx_log_error(NGX_LOG_NOTICE, log, 0,
                          "\"%V\" is in use by the nginx that is replaced",
                          &journal->dir);

        } else {
            ngx_log_error(NGX_LOG_ALERT, log, ngx_errno,
                          "\"%V\" is in use by another nginx: what that one "
                          "writes is read at the next start",
                          &journal->dir);
        }

        (void) close(fd);

        return 0;
    }

    ngx_duplex_journal_lock_fd = fd;

    return 1;
}


static void
ngx_duplex_journal_read(ngx_duplex_journal_load_t *load)
{
    size_t      len;
    u_char     *name;
    ngx_int_t   number;
    ngx_dir_t   dir;

    if (ngx_open_dir(&load->journal->dir, &dir) == NGX_ERROR) {
        ngx_log_error(NGX_LOG_ALERT, load->cycle->log, ngx_errno,
                      ngx_open_dir_n " \"%V\" failed", &load->journal->dir);
        return;
    }

    while (ngx_read_dir(&dir) == NGX_OK) {

        name = ngx_de_name(&dir);
        len = ngx_de_namelen(&dir);

        if (len <= sizeof("journal.") - 1
            || ngx_strncmp(name, "journal.", sizeof("journal.") - 1) != 0)
        {
            continue;
        }

        number = ngx_atoi(name + sizeof("journal.") - 1,
                          len - (sizeof("journal.") - 1));

        if (number != NGX_ERROR) {
            ngx_duplex_journal_read_segment(load, number);
        }
    }

    (void) ngx_close_dir(&dir);
}


static void
ngx_duplex_journal_read_segment(ngx_duplex_journal_load_t *load,
    uint64_t number)
{
    u_char                     path[NGX_MAX_PATH];
    ngx_duplex_journal_old_t  *old;

    load->journal->shared->next = ngx_max(load->journal->shared->next,
                                          number + 1);

    old = ngx_array_push(&load->segments);
    if (old == NULL) {
        load->corrupt = 1;
        return;
    }

    old->number = number;

    (void) ngx_duplex_journal_path(load->journal, path, number);

    if (ngx_duplex_journal_read_file(load, old, path) != NGX_OK
        || ngx_duplex_journal_check(load, old, path) != NGX_OK)
    {
        load->corrupt = 1;
    }
}


static ngx_int_t
ngx_duplex_journal_read_file(ngx_duplex_journal_load_t *load,
    ngx_duplex_journal_old_t *old, u_char *path)
{
    ssize_t           n;
    ngx_file_t        file;
    ngx_file_info_t   fi;

    ngx_memzero(&file, sizeof(ngx_file_t));

    file.name.data = path;
    file.name.len = ngx_strlen(path);
    file.log = load->cycle->log;

    file.fd = ngx_open_file(path, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (file.fd == NGX_INVALID_FILE) {
        ngx_log_error(NGX_LOG_ALERT, load->cycle->log, ngx_errno,
                      ngx_open_file_n " \"%s\" failed", path);
        return NGX_ERROR;
    }

    n = NGX_ERROR;

    if (ngx_fd_info(file.fd, &fi) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_ALERT, load->cycle->log, ngx_errno,
                      ngx_fd_info_n " \"%s\" failed", path);
        goto done;
    }

    old->first = ngx_palloc(load->pool, (size_t) ngx_file_size(&fi) + 1);

    if (old->first) {
        n = ngx_read_file(&file, old->first, (size_t) ngx_file_size(&fi), 0);
    }

    if (n != NGX_ERROR) {
        old->last = old->first + n;
    }

done:

    (void) ngx_close_file(file.fd);

    return n == NGX_ERROR ? NGX_ERROR : NGX_OK;
}


static ngx_int_t
ngx_duplex_journal_check(ngx_duplex_journal_load_t *load,
    ngx_duplex_journal_old_t *old, u_char *path)
{
    u_char              *p, *start;
    ngx_int_t            rc;
    ngx_str_t            node;
    ngx_duplex_entry_t   entry;

    start = old->first;
    p = start;

    rc = ngx_duplex_entry_get_header(&p, old->last, &node);

    if (rc == NGX_ERROR) {
        goto corrupt;
    }

    old->first = p;

    while (rc == NGX_OK) {
        rc = ngx_duplex_entry_get(&p, old->last, &entry);
    }

    if (rc == NGX_DONE || p == old->last) {
        return NGX_OK;
    }

    if (ngx_duplex_entry_follows(p, old->last)) {
        goto corrupt;
    }

    ngx_log_error(NGX_LOG_NOTICE, load->cycle->log, 0,
                  "%uz bytes at the end of \"%s\" were not written whole "
                  "and are left out", (size_t) (old->last - p), path);

    old->last = p;

    return NGX_OK;

corrupt:

    if (!load->corrupt) {
        ngx_log_error(NGX_LOG_ALERT, load->cycle->log, 0,
                      "\"%s\" is corrupt at byte %uz: %s",
                      path, (size_t) (p - start),
                      load->locked ? "the journal is renamed to *.bad, this "
                                     "node starts without it"
                                   : "this node starts without the journal");
    }

    return NGX_ERROR;
}


/* none of them: what stands in one may have been changed by another */

static void
ngx_duplex_journal_set_aside(ngx_duplex_journal_load_t *load)
{
    u_char                     path[NGX_MAX_PATH], bad[NGX_MAX_PATH];
    ngx_uint_t                 i;
    ngx_duplex_journal_old_t  *old;

    old = load->segments.elts;

    for (i = 0; i < load->segments.nelts; i++) {

        (void) ngx_duplex_journal_path(load->journal, path, old[i].number);
        (void) ngx_sprintf(bad, "%s.bad%Z", path);

        if (ngx_rename_file(path, bad) == NGX_FILE_ERROR) {
            ngx_log_error(NGX_LOG_ALERT, load->cycle->log, ngx_errno,
                          ngx_rename_file_n " \"%s\" to \"%s\" failed",
                          path, bad);
        }
    }

    load->segments.nelts = 0;
}


static void
ngx_duplex_journal_apply(ngx_duplex_journal_load_t *load,
    ngx_duplex_journal_old_t *old)
{
    u_char               *p;
    uint64_t              wall;
    ngx_duplex_entry_t    entry;
    ngx_duplex_record_t  *rec;

    p = old->first;
    rec = &entry.record;
    wall = ngx_duplex_clock_wall();

    while (ngx_duplex_entry_get(&p, old->last, &entry) == NGX_OK) {

        load->time = ngx_max(load->time, entry.time);

        if (entry.type != ngx_duplex_entry_record) {
            continue;
        }

        load->time = ngx_max(load->time, rec->time);

        if (entry.until) {

            /* what has ended must not leave in force what stands before it */

            rec->expire = ngx_duplex_clock_monotonic()
                          + (entry.until > wall ? entry.until - wall
                                                : NGX_DUPLEX_JOURNAL_ENDED);
            if (entry.until <= wall) {
                rec->deleted = 1;
                ngx_str_null(&rec->value);
            }
        }

        if (ngx_duplex_store_restore(ngx_duplex_store_table(), rec)
            == NGX_ERROR)
        {
            load->refused++;
        }
    }
}


/* the clock goes on after all times seen; one segment takes over from all */

static void
ngx_duplex_journal_begin(ngx_duplex_journal_load_t *load)
{
    u_char                     path[NGX_MAX_PATH];
    ngx_uint_t                 i;
    ngx_duplex_clock_t        *clock;
    ngx_duplex_journal_old_t  *old;

    clock = ngx_duplex_store_clock();

    ngx_duplex_clock_restore(clock, load->time);

    if (load->refused) {
        ngx_log_error(NGX_LOG_ALERT, load->cycle->log, 0,
                      "%ui records of the journal in \"%V\" were refused: "
                      "see \"duplex_store_size\"",
                      load->refused, &load->journal->dir);
    }

    if (ngx_duplex_journal_append(ngx_duplex_journal_reserve(clock->last))
        != NGX_OK
        || ngx_duplex_journal_sync_now() != NGX_OK
        || load->refused || load->corrupt || !load->locked)
    {
        return;
    }

    old = load->segments.elts;

    for (i = 0; i < load->segments.nelts; i++) {
        (void) ngx_duplex_journal_path(load->journal, path, old[i].number);
        (void) ngx_delete_file(path);
    }
}
