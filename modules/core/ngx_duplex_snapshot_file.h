
/*
 * One snapshot that is being written, for the files of core that write and
 * read them.
 */


#ifndef _NGX_DUPLEX_SNAPSHOT_FILE_H_INCLUDED_
#define _NGX_DUPLEX_SNAPSHOT_FILE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_store.h"


typedef struct {
    ngx_duplex_zone_t  *zone;       /* NULL: none is being written */
    ngx_fd_t            fd;
    uint32_t            cursor;
    uint64_t            head;       /* of the table when it began */
    uint64_t            count;      /* records written */
    off_t               size;
    u_char              path[NGX_MAX_PATH];     /* until it is whole */
} ngx_duplex_snapshot_t;


/* DIR/zone.HASH, with "suffix"; "buf" of NGX_MAX_PATH bytes */
void ngx_duplex_snapshot_path(u_char *buf, ngx_str_t *dir,
    ngx_duplex_zone_t *zone, const char *suffix);

/* NGX_OK; NGX_DECLINED: another process writes it; NGX_ERROR is logged */
ngx_int_t ngx_duplex_snapshot_open(ngx_duplex_snapshot_t *s, ngx_str_t *dir,
    ngx_duplex_zone_t *zone, const char *suffix);
/* "n" records more; NGX_AGAIN; NGX_OK: that was all; NGX_ERROR is logged */
ngx_int_t ngx_duplex_snapshot_write(ngx_duplex_snapshot_t *s, ngx_uint_t n);
/* it is the zone's from now on, if it gets to disk; NGX_ERROR is logged */
ngx_int_t ngx_duplex_snapshot_close(ngx_duplex_snapshot_t *s, ngx_str_t *dir);
/* it is not wanted */
void ngx_duplex_snapshot_abandon(ngx_duplex_snapshot_t *s);

/* whether the zone's file holds all that stands in it now */
ngx_uint_t ngx_duplex_snapshot_is_saved(ngx_duplex_zone_t *zone);
/* it holds what stood in it at "head" */
void ngx_duplex_snapshot_set_saved(ngx_duplex_zone_t *zone, uint64_t head);


#endif /* _NGX_DUPLEX_SNAPSHOT_FILE_H_INCLUDED_ */
