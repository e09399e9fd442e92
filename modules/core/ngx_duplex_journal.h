
/*
 * The journal: durable records (NGX_DUPLEX_KIND_DURABLE) on disk, so that
 * they outlive all processes, and the machine.
 *
 * It is one more reader of the main table's change log: whoever appends
 * writes everything that is not there yet, whoever changed it.  Without
 * "duplex_store" all functions do nothing and all waits are over at once.
 */


#ifndef _NGX_DUPLEX_JOURNAL_H_INCLUDED_
#define _NGX_DUPLEX_JOURNAL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_table.h"


typedef struct ngx_duplex_journal_wait_s  ngx_duplex_journal_wait_t;

/* NGX_OK: it is on disk; NGX_ERROR: it could not be written, that is logged */
typedef void (*ngx_duplex_journal_pt)(ngx_duplex_journal_wait_t *wait,
    ngx_int_t rc);

/* the caller's memory: it stays there until called or cancelled */
struct ngx_duplex_journal_wait_s {
    ngx_duplex_journal_pt   handler;
    void                   *data;

    ngx_queue_t             queue;      /* the journal's */
    uint64_t                ticket;     /* the same */
    unsigned                queued:1;   /* the same; zeroed by the caller */
};


/*
 * Waits until all that the main table holds now is on disk.
 * NGX_OK, NGX_ERROR: at once, the handler is not called;
 * NGX_AGAIN: it will be, from the event loop.
 */
ngx_int_t ngx_duplex_journal_wait(ngx_duplex_journal_wait_t *wait);
void ngx_duplex_journal_cancel(ngx_duplex_journal_wait_t *wait);

/*
 * For bind: visits the records that the journal has, in the order they were
 * written, older ones of the same key included.  A reload need not ask: the
 * store of the present cycle knows better.
 */
typedef void (*ngx_duplex_journal_peek_pt)(ngx_duplex_record_t *rec,
    void *data);

void ngx_duplex_journal_peek(ngx_conf_t *cf, ngx_duplex_journal_peek_pt visit,
    void *data);

/* the directory, for messages */
ngx_str_t *ngx_duplex_journal_directory(void);

/*
 * For directives: changes come in here that should outlive a restart.  A
 * configuration without "duplex_store" is warned about, once.
 */
void ngx_duplex_journal_want(ngx_conf_t *cf);


#endif /* _NGX_DUPLEX_JOURNAL_H_INCLUDED_ */
