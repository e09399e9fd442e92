
/*
 * A look into the journal before it is loaded: how large things must be made
 * is to be known when the configuration is bound, and the store is filled
 * later, when nothing can fail any more.
 *
 * Says nothing of what is wrong with a file: the loader does.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_entry.h"
#include "ngx_duplex_journal_file.h"


static void ngx_duplex_journal_peek_file(u_char *path, ngx_pool_t *pool,
    ngx_duplex_journal_peek_pt visit, void *data);


void
ngx_duplex_journal_peek(ngx_conf_t *cf, ngx_duplex_journal_peek_pt visit,
    void *data)
{
    u_char             *name, *path;
    ngx_dir_t           dir;
    ngx_pool_t         *pool;
    ngx_duplex_conf_t  *dcf;

    dcf = (ngx_duplex_conf_t *) ngx_get_conf(cf->cycle->conf_ctx,
                                             ngx_duplex_core_module);

    if (dcf->journal == NULL
        || ngx_open_dir(&dcf->journal->dir, &dir) == NGX_ERROR)
    {
        return;
    }

    while (ngx_read_dir(&dir) == NGX_OK) {

        name = ngx_de_name(&dir);

        if (ngx_strncmp(name, "journal.", sizeof("journal.") - 1) != 0) {
            continue;
        }

        pool = ngx_create_pool(4096, cf->log);
        if (pool == NULL) {
            break;
        }

        path = ngx_pnalloc(pool, dcf->journal->dir.len + 1
                                 + ngx_de_namelen(&dir) + 1);
        if (path) {
            ngx_sprintf(path, "%s/%s%Z", dcf->journal->dir.data, name);
            ngx_duplex_journal_peek_file(path, pool, visit, data);
        }

        ngx_destroy_pool(pool);
    }

    (void) ngx_close_dir(&dir);
}


static void
ngx_duplex_journal_peek_file(u_char *path, ngx_pool_t *pool,
    ngx_duplex_journal_peek_pt visit, void *data)
{
    u_char                *p, *last;
    ssize_t                n;
    ngx_fd_t               fd;
    ngx_str_t              node;
    ngx_file_info_t        fi;
    ngx_duplex_entry_t     entry;

    fd = ngx_open_file(path, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        return;
    }

    p = NULL;
    n = 0;

    if (ngx_fd_info(fd, &fi) != NGX_FILE_ERROR) {
        p = ngx_palloc(pool, (size_t) ngx_file_size(&fi) + 1);

        if (p) {
            n = read(fd, p, (size_t) ngx_file_size(&fi));
        }
    }

    (void) ngx_close_file(fd);

    if (p == NULL || n <= 0) {
        return;
    }

    last = p + n;

    if (ngx_duplex_entry_get_header(&p, last, &node) != NGX_OK) {
        return;
    }

    while (ngx_duplex_entry_get(&p, last, &entry) == NGX_OK) {
        if (entry.type == ngx_duplex_entry_record) {
            visit(&entry.record, data);
        }
    }
}
