
/*
 * Snapshots: what stands in zones of their own size (sessions, keys and
 * values), on disk beside the journal, as of some time ago.
 *
 * The holder of the lease writes them, a slice at a time; whoever leaves the
 * node last writes what has changed since.  A file is a header, an entry for
 * each record (ngx_duplex_entry.h), and one that counts them: without it the
 * file is not whole, and is set aside.
 */


#ifndef _NGX_DUPLEX_SNAPSHOT_H_INCLUDED_
#define _NGX_DUPLEX_SNAPSHOT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_DUPLEX_SNAPSHOT_INTERVAL  30000     /* ms */


/* for commit, if memory is fresh; logs what failed, never fails */
void ngx_duplex_snapshot_load(ngx_cycle_t *cycle);

/* for the holder's tick, and when it is the holder no longer */
void ngx_duplex_snapshot_beat(void);
void ngx_duplex_snapshot_drop(void);

/* this process is about to exit: what is not saved yet, without a pause */
void ngx_duplex_snapshot_exit(void);


#endif /* _NGX_DUPLEX_SNAPSHOT_H_INCLUDED_ */
