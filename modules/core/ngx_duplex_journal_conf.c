
/*
 * The directive "duplex_store", and the journal's shared memory.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_journal_file.h"
#include "ngx_duplex_param.h"
#include "ngx_duplex_snapshot.h"

#if (NGX_THREADS)
#include <ngx_thread_pool.h>
#endif


#define NGX_DUPLEX_JOURNAL_ZONE_PAGES  8


static ngx_int_t ngx_duplex_journal_check_directory(ngx_conf_t *cf,
    ngx_str_t *dir, ngx_str_t *written);
static ngx_int_t ngx_duplex_journal_init_zone(ngx_shm_zone_t *shm_zone,
    void *data);


static ngx_duplex_param_t  ngx_duplex_journal_params[] = {
    { ngx_string("interval"), 0, ngx_duplex_param_msec,
      offsetof(ngx_duplex_conf_t, interval) },
    ngx_duplex_null_param
};


char *
ngx_duplex_journal_set(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_duplex_conf_t *dcf = conf;

    ngx_str_t   *value, dir;
    ngx_path_t  *path;

    if (dcf->journal) {
        return "is duplicate";
    }

    value = cf->args->elts;
    dir = value[1];

    if (dir.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid store directory \"\"");
        return NGX_CONF_ERROR;
    }

    if (ngx_conf_full_name(cf->cycle, &dir, 0) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    while (dir.len > 1 && dir.data[dir.len - 1] == '/') {
        dir.data[--dir.len] = '\0';
    }

    if (ngx_duplex_journal_check_directory(cf, &dir, &value[1]) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    dcf->journal = ngx_pcalloc(cf->pool, sizeof(ngx_duplex_journal_t));
    path = ngx_pcalloc(cf->pool, sizeof(ngx_path_t));

    if (dcf->journal == NULL || path == NULL) {
        return NGX_CONF_ERROR;
    }

    dcf->journal->dir = dir;
    dcf->interval = NGX_DUPLEX_SNAPSHOT_INTERVAL;

    if (ngx_duplex_param_parse(cf, ngx_duplex_journal_params, 2, dcf)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    /* nginx makes it, for the workers' user, as it makes its own */

    path->name = dir;
    path->conf_file = cf->conf_file->file.name.data;
    path->line = cf->conf_file->line;

    if (ngx_add_path(cf, &path) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

#if (NGX_THREADS)
    if (ngx_thread_pool_add(cf, NULL) == NULL) {
        return NGX_CONF_ERROR;
    }
#endif

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_duplex_journal_check_directory(ngx_conf_t *cf, ngx_str_t *dir,
    ngx_str_t *written)
{
    u_char           *slash, parent[NGX_MAX_PATH];
    ngx_file_info_t   fi;

    if (dir->len + sizeof("/journal..bad") + NGX_INT64_LEN > NGX_MAX_PATH) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "store directory \"%V\" is too long", written);
        return NGX_ERROR;
    }

    if (ngx_file_info(dir->data, &fi) == NGX_FILE_ERROR) {

        if (ngx_errno != NGX_ENOENT) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                               "store directory \"%V\" cannot be used",
                               written);
            return NGX_ERROR;
        }

        (void) ngx_cpystrn(parent, dir->data, NGX_MAX_PATH);

        slash = (u_char *) strrchr((char *) parent, '/');
        slash[slash == parent] = '\0';

        if (ngx_file_info(parent, &fi) == NGX_FILE_ERROR || !ngx_is_dir(&fi)) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "store directory \"%V\" cannot be made: "
                               "there is no directory \"%s\"",
                               written, parent);
            return NGX_ERROR;
        }

        return NGX_OK;
    }

    if (!ngx_is_dir(&fi)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "store directory \"%V\" is not a directory",
                           written);
        return NGX_ERROR;
    }

    return NGX_OK;
}


void
ngx_duplex_journal_want(ngx_conf_t *cf)
{
    ngx_duplex_conf_t  *dcf;

    dcf = (ngx_duplex_conf_t *) ngx_get_conf(cf->cycle->conf_ctx,
                                             ngx_duplex_core_module);
    dcf->kept = 1;
}


/* another directory has other memory: leaving workers keep theirs */

ngx_int_t
ngx_duplex_journal_add_zone(ngx_conf_t *cf, ngx_duplex_conf_t *dcf)
{
    ngx_str_t              name;
    ngx_duplex_journal_t  *journal;

    journal = dcf->journal;

    if (journal == NULL) {
        return NGX_OK;
    }

    name.data = ngx_pnalloc(cf->pool,
                            sizeof("duplex:journal:") + journal->dir.len);
    if (name.data == NULL) {
        return NGX_ERROR;
    }

    name.len = ngx_sprintf(name.data, "duplex:journal:%V", &journal->dir)
               - name.data;

    journal->shm_zone = ngx_shared_memory_add(cf, &name,
                                NGX_DUPLEX_JOURNAL_ZONE_PAGES * ngx_pagesize,
                                &ngx_duplex_core_module);
    if (journal->shm_zone == NULL) {
        return NGX_ERROR;
    }

    journal->shm_zone->init = ngx_duplex_journal_init_zone;
    journal->shm_zone->data = journal;

    return NGX_OK;
}


static ngx_int_t
ngx_duplex_journal_init_zone(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_slab_pool_t       *shpool;
    ngx_duplex_journal_t  *journal;

    journal = shm_zone->data;
    shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    if (data || shm_zone->shm.exists) {
        journal->shared = shpool->data;
        return NGX_OK;
    }

    journal->shared = ngx_slab_calloc(shpool,
                                      sizeof(ngx_duplex_journal_shared_t));
    if (journal->shared == NULL) {
        return NGX_ERROR;
    }

    shpool->data = journal->shared;

    return ngx_duplex_lock_create(&journal->shared->lock, shm_zone->shm.log);
}
