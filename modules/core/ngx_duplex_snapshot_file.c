
/*
 * One snapshot that is being written; see the header.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <sys/file.h>
#include "ngx_duplex_clock.h"
#include "ngx_duplex_entry.h"
#include "ngx_duplex_identity.h"
#include "ngx_duplex_snapshot_file.h"
#include "ngx_duplex_source.h"


static ngx_int_t ngx_duplex_snapshot_put(ngx_duplex_snapshot_t *s, u_char *p,
    u_char *last);
static ngx_int_t ngx_duplex_snapshot_failed(ngx_duplex_snapshot_t *s,
    const char *what);


/* what is written at once, and one entry more */
static u_char  ngx_duplex_snapshot_buf[65536 + NGX_DUPLEX_ENTRY_MAX];
static u_char  ngx_duplex_snapshot_record[NGX_DUPLEX_RECORD_MAX];


void
ngx_duplex_snapshot_path(u_char *buf, ngx_str_t *dir, ngx_duplex_zone_t *zone,
    const char *suffix)
{
    u_char  *last;

    last = buf + NGX_MAX_PATH - 1;

    *ngx_slprintf(buf, last, "%V/zone.%016xL%s", dir,
                  ngx_duplex_hash(zone->name.data, zone->name.len), suffix)
        = '\0';
}


ngx_int_t
ngx_duplex_snapshot_open(ngx_duplex_snapshot_t *s, ngx_str_t *dir,
    ngx_duplex_zone_t *zone, const char *suffix)
{
    u_char           *p;
    ngx_file_info_t   ours, its;

    s->zone = zone;
    s->cursor = 0;
    s->count = 0;
    s->size = 0;
    s->head = zone->source->head(zone->table);

    ngx_duplex_snapshot_path(s->path, dir, zone, suffix);

    s->fd = ngx_open_file(s->path, NGX_FILE_WRONLY, NGX_FILE_CREATE_OR_OPEN,
                          0600);

    if (s->fd == NGX_INVALID_FILE) {
        return ngx_duplex_snapshot_failed(s, "open()");
    }

    /* whoever held it may have given the file its name meanwhile */

    if (flock(s->fd, LOCK_EX|LOCK_NB) == -1
        || ngx_fd_info(s->fd, &ours) == NGX_FILE_ERROR
        || ngx_file_info(s->path, &its) == NGX_FILE_ERROR
        || ngx_file_uniq(&ours) != ngx_file_uniq(&its))
    {
        (void) ngx_close_file(s->fd);
        s->zone = NULL;
        return NGX_DECLINED;
    }

    if (ftruncate(s->fd, 0) == -1) {
        return ngx_duplex_snapshot_failed(s, "ftruncate()");
    }

    p = ngx_duplex_entry_put_header(ngx_duplex_snapshot_buf,
                                    &ngx_duplex_identity()->name);

    return ngx_duplex_snapshot_put(s, ngx_duplex_snapshot_buf, p);
}


ngx_int_t
ngx_duplex_snapshot_write(ngx_duplex_snapshot_t *s, ngx_uint_t n)
{
    u_char               *p;
    uint64_t              now, wall;
    ngx_int_t             rc;
    ngx_duplex_record_t   rec;
    ngx_duplex_source_t  *source;

    source = s->zone->source;
    now = ngx_duplex_clock_monotonic();
    wall = ngx_duplex_clock_wall();

    p = ngx_duplex_snapshot_buf;
    rc = NGX_OK;

    for ( /* void */ ; n; n--) {

        rc = source->scan(s->zone->table, &s->cursor, &rec,
                          ngx_duplex_snapshot_record, now);
        if (rc != NGX_OK) {
            break;
        }

        p = ngx_duplex_entry_put_record(p, &rec,
                                        rec.expire ? wall + rec.expire - now
                                                   : 0);
        s->count++;

        if (p - ngx_duplex_snapshot_buf >= 65536) {

            if (ngx_duplex_snapshot_put(s, ngx_duplex_snapshot_buf, p)
                != NGX_OK)
            {
                return NGX_ERROR;
            }

            p = ngx_duplex_snapshot_buf;
        }
    }

    if (rc != NGX_OK) {
        p = ngx_duplex_entry_put_clock(p, s->count);
    }

    if (ngx_duplex_snapshot_put(s, ngx_duplex_snapshot_buf, p) != NGX_OK) {
        return NGX_ERROR;
    }

    return rc == NGX_OK ? NGX_AGAIN : NGX_OK;
}


ngx_int_t
ngx_duplex_snapshot_close(ngx_duplex_snapshot_t *s, ngx_str_t *dir)
{
    u_char  path[NGX_MAX_PATH];

    ngx_duplex_snapshot_path(path, dir, s->zone, "");

    if (fdatasync(s->fd) == -1) {
        return ngx_duplex_snapshot_failed(s, "fdatasync()");
    }

    if (ngx_rename_file(s->path, path) == NGX_FILE_ERROR) {
        return ngx_duplex_snapshot_failed(s, "rename()");
    }

    (void) ngx_close_file(s->fd);

    ngx_duplex_snapshot_set_saved(s->zone, s->head);

    s->zone = NULL;

    return NGX_OK;
}


void
ngx_duplex_snapshot_abandon(ngx_duplex_snapshot_t *s)
{
    if (s->zone) {
        (void) ngx_delete_file(s->path);
        (void) ngx_close_file(s->fd);
        s->zone = NULL;
    }
}


static ngx_int_t
ngx_duplex_snapshot_put(ngx_duplex_snapshot_t *s, u_char *p, u_char *last)
{
    ssize_t  n;

    while (p < last) {

        n = ngx_write_fd(s->fd, p, last - p);

        if (n == -1) {
            return ngx_duplex_snapshot_failed(s, "write()");
        }

        p += n;
        s->size += n;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_duplex_snapshot_failed(ngx_duplex_snapshot_t *s, const char *what)
{
    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, ngx_errno,
                  "zone \"%V\" could not be saved: %s \"%s\" failed",
                  &s->zone->name, what, s->path);

    if (s->fd != NGX_INVALID_FILE) {
        ngx_duplex_snapshot_abandon(s);
    }

    s->zone = NULL;

    return NGX_ERROR;
}
