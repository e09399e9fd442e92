
/*
 * Snapshots at start, in the master: a file is checked to its end before a
 * record of it is applied.  One that is not whole is set aside, and the zone
 * starts empty.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <sys/mman.h>
#include "ngx_duplex_clock.h"
#include "ngx_duplex_conf.h"
#include "ngx_duplex_entry.h"
#include "ngx_duplex_journal_file.h"
#include "ngx_duplex_snapshot.h"
#include "ngx_duplex_snapshot_file.h"


static void ngx_duplex_snapshot_load_zone(ngx_cycle_t *cycle,
    ngx_duplex_zone_t *zone);
static ngx_uint_t ngx_duplex_snapshot_is_whole(ngx_duplex_zone_t *zone,
    u_char *p, u_char *last, u_char **first);
static void ngx_duplex_snapshot_apply(ngx_duplex_zone_t *zone, u_char *p,
    u_char *last);


void
ngx_duplex_snapshot_load(ngx_cycle_t *cycle)
{
    ngx_duplex_zone_t  *zone;

    if (ngx_duplex_present->journal == NULL) {
        return;
    }

    for (zone = ngx_duplex_present->zones->next; zone; zone = zone->next) {
        ngx_duplex_snapshot_load_zone(cycle, zone);
    }
}


static void
ngx_duplex_snapshot_load_zone(ngx_cycle_t *cycle, ngx_duplex_zone_t *zone)
{
    size_t            size;
    u_char           *bytes, *first;
    u_char            path[NGX_MAX_PATH], bad[NGX_MAX_PATH];
    ngx_fd_t          fd;
    ngx_file_info_t   fi;

    ngx_duplex_snapshot_path(path, &ngx_duplex_present->journal->dir, zone,
                             "");

    fd = ngx_open_file(path, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {

        if (ngx_errno != NGX_ENOENT) {
            ngx_log_error(NGX_LOG_ALERT, cycle->log, ngx_errno,
                          ngx_open_file_n " \"%s\" failed", path);
        }

        return;
    }

    size = 0;
    bytes = MAP_FAILED;

    if (ngx_fd_info(fd, &fi) != NGX_FILE_ERROR && ngx_file_size(&fi) > 0) {
        size = (size_t) ngx_file_size(&fi);
        bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    }

    (void) ngx_close_file(fd);

    if (bytes != MAP_FAILED
        && ngx_duplex_snapshot_is_whole(zone, bytes, bytes + size, &first))
    {
        ngx_duplex_snapshot_apply(zone, first, bytes + size);
        ngx_duplex_snapshot_set_saved(zone, zone->source->head(zone->table));

    } else {
        ngx_duplex_snapshot_path(bad, &ngx_duplex_present->journal->dir, zone,
                                 ".bad");

        (void) ngx_rename_file(path, bad);

        ngx_log_error(NGX_LOG_ALERT, cycle->log, 0,
                      "\"%s\" is not whole: it was set aside as \"%s\", and "
                      "zone \"%V\" starts empty", path, bad, &zone->name);
    }

    if (bytes != MAP_FAILED) {
        (void) munmap(bytes, size);
    }
}


static ngx_uint_t
ngx_duplex_snapshot_is_whole(ngx_duplex_zone_t *zone, u_char *p, u_char *last,
    u_char **first)
{
    uint64_t            count;
    ngx_str_t           node;
    ngx_duplex_entry_t  entry;

    if (ngx_duplex_entry_get_header(&p, last, &node) != NGX_OK) {
        return 0;
    }

    *first = p;
    count = 0;

    while (ngx_duplex_entry_get(&p, last, &entry) == NGX_OK) {

        if (entry.type == ngx_duplex_entry_clock) {
            return entry.time == count && p == last;
        }

        if (entry.type != ngx_duplex_entry_record
            || entry.record.kind != zone->kind)
        {
            return 0;
        }

        count++;
    }

    return 0;
}


static void
ngx_duplex_snapshot_apply(ngx_duplex_zone_t *zone, u_char *p, u_char *last)
{
    uint64_t             now, wall;
    ngx_duplex_entry_t   entry;

    now = ngx_duplex_clock_monotonic();
    wall = ngx_duplex_clock_wall();

    while (ngx_duplex_entry_get(&p, last, &entry) == NGX_OK
           && entry.type == ngx_duplex_entry_record)
    {
        if (entry.until) {

            if (entry.until <= wall) {
                continue;
            }

            entry.record.expire = now + (entry.until - wall);
        }

        ngx_duplex_clock_restore(ngx_duplex_store_clock(), entry.record.time);

        (void) ngx_duplex_store_restore(zone->table, &entry.record);
    }
}
