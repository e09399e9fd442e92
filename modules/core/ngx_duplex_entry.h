
/*
 * The bytes of the journal: a header, then entries, each with a length and a
 * checksum of its own.
 *
 * Pure: reads and writes memory, knows no file.  All numbers big-endian.
 *
 *     header   "nxduplexj" layout(1) len(1) node crc(4)
 *     entry    mark(4) len(4) crc(4) body; the crc is of len and body
 *     body     type(1) and
 *       clock  time(8)
 *       record kind(4) flags(1) time(8) node(8) until(8) zone_len(1)
 *              key_len(2) value_len(4) zone key value
 */


#ifndef _NGX_DUPLEX_ENTRY_H_INCLUDED_
#define _NGX_DUPLEX_ENTRY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_table.h"


#define NGX_DUPLEX_JOURNAL_HEADER_MAX  (9 + 1 + 1 + 255 + 4)

/* room for any entry */
#define NGX_DUPLEX_ENTRY_MAX           (12 + 37 + NGX_DUPLEX_RECORD_MAX)


typedef enum {
    ngx_duplex_entry_record = 1,
    ngx_duplex_entry_clock          /* no later time was given out before */
} ngx_duplex_entry_e;


typedef struct {
    ngx_uint_t           type;      /* others are of a later version */
    uint64_t             until;     /* ms of the wall clock, 0: for ever */
    uint64_t             time;      /* of a clock entry */
    ngx_duplex_record_t  record;    /* without via, position and expire */
} ngx_duplex_entry_t;


/* all answer where the next byte goes */
u_char *ngx_duplex_entry_put_header(u_char *p, ngx_str_t *node);
u_char *ngx_duplex_entry_put_clock(u_char *p, uint64_t time);
u_char *ngx_duplex_entry_put_record(u_char *p, ngx_duplex_record_t *rec,
    uint64_t until);

/*
 * NGX_OK: *p is behind it, its strings point into the bytes;
 * NGX_DONE (entry only): there is no byte left;
 * NGX_DECLINED: what is there is the beginning of one, or may be;
 * NGX_ERROR: this was never written so.  *p is moved by NGX_OK only.
 */
ngx_int_t ngx_duplex_entry_get_header(u_char **p, u_char *last,
    ngx_str_t *node);
ngx_int_t ngx_duplex_entry_get(u_char **p, u_char *last,
    ngx_duplex_entry_t *entry);

/* a whole entry stands anywhere after "p": what is at "p" was no tail */
ngx_uint_t ngx_duplex_entry_follows(u_char *p, u_char *last);


#endif /* _NGX_DUPLEX_ENTRY_H_INCLUDED_ */
