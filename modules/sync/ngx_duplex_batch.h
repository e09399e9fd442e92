
/*
 * The payload of RECORDS: changes of one kind and zone in one table.
 *
 * The same struct serves to write a frame and to read one.  Lifetimes travel
 * as what remains of them; "now" is ngx_duplex_clock_monotonic().
 */


#ifndef _NGX_DUPLEX_BATCH_H_INCLUDED_
#define _NGX_DUPLEX_BATCH_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_table.h"
#include "../core/ngx_duplex_bytes.h"
#include "ngx_duplex_frame.h"


/* what add() may write: a batch that has less room left is closed first */
#define NGX_DUPLEX_BATCH_RECORD_MAX                                           \
    (1 + 2 + 2 + 8 + 8 + NGX_DUPLEX_KEY_MAX + NGX_DUPLEX_VALUE_MAX)

/* header, fixed fields and zone */
#define NGX_DUPLEX_BATCH_BEGIN_MAX                                            \
    (NGX_DUPLEX_FRAME_HEADER + 2 + 2 + 4 + 8 + 1 + NGX_DUPLEX_ZONE_MAX)

#define NGX_DUPLEX_BATCH_COUNT_MAX  65535


typedef struct {
    ngx_uint_t           index;     /* of the table */
    ngx_uint_t           count;
    uint32_t             kind;
    uint64_t             position;  /* 0: none */
    ngx_str_t            zone;

    u_char              *start;     /* of the frame, while it is written */
    u_char              *last;      /* end of what is written so far */

    ngx_uint_t           left;      /* records not read yet */
    ngx_duplex_bytes_t   bytes;
} ngx_duplex_batch_t;


/* writes at "p" from batch->index, kind and zone */
void ngx_duplex_batch_begin(ngx_duplex_batch_t *batch, u_char *p);

/* there is room for one more record of this kind and zone */
ngx_uint_t ngx_duplex_batch_takes(ngx_duplex_batch_t *batch,
    ngx_duplex_record_t *rec);

/* "self" is the id of the node that writes */
void ngx_duplex_batch_add(ngx_duplex_batch_t *batch, ngx_duplex_record_t *rec,
    uint64_t self, uint64_t now);

/* the end of the sealed frame */
u_char *ngx_duplex_batch_end(ngx_duplex_batch_t *batch, uint64_t position);


/*
 * Opens a frame for next(), after every record in it was found to be whole.
 * NGX_OK, or NGX_ERROR with frame->malformed set.
 */
ngx_int_t ngx_duplex_batch_open(ngx_duplex_batch_t *batch,
    ngx_duplex_frame_t *frame);

/*
 * NGX_OK with "rec" filled in but for via and position, its strings in the
 * frame; NGX_DONE.  "sender" is the id of the node that wrote the frame.
 */
ngx_int_t ngx_duplex_batch_next(ngx_duplex_batch_t *batch,
    ngx_duplex_record_t *rec, uint64_t sender, uint64_t now);


#endif /* _NGX_DUPLEX_BATCH_H_INCLUDED_ */
