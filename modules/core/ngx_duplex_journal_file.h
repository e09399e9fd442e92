
/*
 * The journal as its own files and core see it.
 *
 * On disk it is segments, DIR/journal.N, of which one is written and the
 * others wait to be removed.  The order of entries and of segments means
 * nothing: each record carries its time, the latest wins.  So a segment may
 * be replaced while others append: the new one gets all that is live, the
 * old one goes when that is on disk.
 *
 * Shared memory, "duplex:journal:DIR", survives any reload that keeps the
 * directory, also one that changes the size of the store.  Order of locks:
 * the journal's, then a table's.
 */


#ifndef _NGX_DUPLEX_JOURNAL_FILE_H_INCLUDED_
#define _NGX_DUPLEX_JOURNAL_FILE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_conf.h"
#include "ngx_duplex_journal.h"
#include "ngx_duplex_lock.h"


#define NGX_DUPLEX_JOURNAL_OBSOLETE  4


/* changed as a whole: a holder of the lock may die at any instruction */
typedef struct {
    uint64_t                    segment;    /* that is written, 0: none */
    uint64_t                    size;       /* bytes of it that are good */
    uint64_t                    live;       /* the same when it was new */
    uint64_t                    table;      /* incarnation */
    uint64_t                    position;   /* of that table, in the journal */
} ngx_duplex_journal_state_t;


typedef struct {
    ngx_duplex_lock_t           lock;

    /* under the lock */
    ngx_duplex_journal_state_t  state[2];
    ngx_atomic_t                present;    /* the one that counts */
    uint64_t                    next;       /* number of the next segment */
    uint64_t                    reserve;    /* hybrid time */
    ngx_atomic_t                obsolete[NGX_DUPLEX_JOURNAL_OBSOLETE];

    /* by themselves */
    ngx_atomic_t                broken;     /* a segment that lost a write */
    ngx_atomic_t                linked;     /* its name is on disk */
    ngx_atomic_t                written;    /* counts what was appended */
    ngx_atomic_t                synced;     /* of that is on disk */
    ngx_atomic_t                failing;    /* and that was said */
} ngx_duplex_journal_shared_t;


/* of a cycle */
struct ngx_duplex_journal_s {
    ngx_str_t                     dir;      /* ends with a zero byte */
    ngx_shm_zone_t               *shm_zone;
    ngx_duplex_journal_shared_t  *shared;
    ngx_uid_t                     user;     /* of the workers */
    ngx_log_t                    *log;
};


#define ngx_duplex_journal_state(shared)                                      \
    (&(shared)->state[(shared)->present & 1])


/* DIR/journal.N, with a zero byte; "buf" of ngx_duplex_journal_path_len */
#define ngx_duplex_journal_path_len(journal)                                  \
    ((journal)->dir.len + sizeof("/journal.") + NGX_INT64_LEN)

u_char *ngx_duplex_journal_path(ngx_duplex_journal_t *journal, u_char *buf,
    uint64_t segment);

/*
 * Writes what the table has and the journal has not; "time": and that no
 * later time was given out.  NGX_OK: it is in the file, though perhaps not
 * on disk; NGX_ERROR is logged when it is news.
 */
ngx_int_t ngx_duplex_journal_append(uint64_t time);

/*
 * For the sync: a descriptor of its own of the segment that is written now,
 * which holds all up to *ticket; -1 if there is none.
 */
ngx_fd_t ngx_duplex_journal_dup(uint64_t *segment, uint64_t *ticket);

/* "what" went wrong with the journal, and "err"; 0: it works (again) */
void ngx_duplex_journal_report(const char *what, ngx_err_t err);

/* up to which time to reserve, when "last" was given out */
uint64_t ngx_duplex_journal_reserve(uint64_t last);

/* waits for the disk: for the master, which has no event loop */
ngx_int_t ngx_duplex_journal_sync_now(void);


#endif /* _NGX_DUPLEX_JOURNAL_FILE_H_INCLUDED_ */
