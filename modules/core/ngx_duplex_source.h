
/*
 * How a table is made, read and written, whatever its layout: the general
 * one (ngx_duplex_table.h), or one that is made for a single kind of record.
 *
 * Zones are made, carried over, fed to other nodes and filled from them by
 * these functions only, so none of that knows a layout.  What they answer
 * and promise is written in ngx_duplex_table.h; an ngx_duplex_table_t is
 * whatever create() or open() of the same source has answered.
 */


#ifndef _NGX_DUPLEX_SOURCE_H_INCLUDED_
#define _NGX_DUPLEX_SOURCE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_table.h"


/* static data */
typedef struct {
    ngx_duplex_table_t  *(*create)(void *addr, size_t size, ngx_uint_t flags,
                             uint64_t incarnation, ngx_log_t *log);
    ngx_duplex_table_t  *(*open)(void *addr);
    ngx_int_t            (*copy)(ngx_duplex_table_t *dst,
                             ngx_duplex_table_t *src);

    ngx_int_t            (*put)(ngx_duplex_table_t *table,
                             ngx_duplex_record_t *rec,
                             ngx_duplex_table_wins_pt wins, uint64_t now);
    ngx_int_t            (*get)(ngx_duplex_table_t *table,
                             ngx_duplex_record_t *rec, u_char *buf,
                             size_t size, uint64_t now);

    ngx_int_t            (*next)(ngx_duplex_table_t *table,
                             uint64_t *position, ngx_duplex_record_t *rec,
                             u_char *buf, uint64_t now);
    ngx_int_t            (*scan)(ngx_duplex_table_t *table, uint32_t *cursor,
                             ngx_duplex_record_t *rec, u_char *buf,
                             uint64_t now);

    uint64_t             (*head)(ngx_duplex_table_t *table);
    uint64_t             (*incarnation)(ngx_duplex_table_t *table);
    uint64_t             (*recovered)(ngx_duplex_table_t *table);
    void                 (*stat)(ngx_duplex_table_t *table,
                             ngx_duplex_table_stat_t *stat);
} ngx_duplex_source_t;


/* the general table */
extern ngx_duplex_source_t  ngx_duplex_table_source;


#endif /* _NGX_DUPLEX_SOURCE_H_INCLUDED_ */
