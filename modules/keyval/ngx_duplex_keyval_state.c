
/*
 * See the header.
 *
 *     {"key":"value","key":{"value":"...","expire":30000}}
 *
 * Written by the holder of the lease when the zone has changed, at most once
 * a second: a few records a beat are taken into an object, which then goes
 * into a new file that takes the place of the old one.  A zone without
 * "state" has its file in the directory of "duplex_store", if there is one.
 *
 * The file says nothing of who changed what when.  Its own time is taken for
 * that of all pairs, so a change that another node has seen since wins.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <jansson.h>
#include "../core/ngx_duplex_identity.h"
#include "../core/ngx_duplex_journal.h"
#include "ngx_duplex_keyval_state.h"


#define NGX_DUPLEX_KEYVAL_SLICE  2000       /* records a beat */
#define NGX_DUPLEX_KEYVAL_PAUSE  1000       /* ms between two files */


typedef struct {
    uint64_t     saved;         /* position that is in the file */
    uint64_t     head;          /* the one that will be */
    uint64_t     time;          /* of the last file, monotonic */
    uint32_t     cursor;
    json_t      *object;        /* NULL: nothing is being written */
    unsigned     failed:1;      /* that was said */
} ngx_duplex_keyval_saver_t;


static ngx_int_t ngx_duplex_keyval_state_path(ngx_duplex_keyval_t *keyval,
    ngx_pool_t *pool);
static void ngx_duplex_keyval_state_read(ngx_duplex_keyval_t *keyval,
    json_t *object, time_t mtime, ngx_log_t *log);
static void ngx_duplex_keyval_state_save(ngx_duplex_keyval_t *keyval,
    ngx_uint_t all);
static ngx_int_t ngx_duplex_keyval_state_collect(ngx_duplex_keyval_t *keyval,
    ngx_uint_t all);
static void ngx_duplex_keyval_state_pair(json_t *object,
    ngx_duplex_record_t *rec);
static ngx_int_t ngx_duplex_keyval_state_write(ngx_duplex_keyval_t *keyval);


void
ngx_duplex_keyval_state_load(ngx_duplex_keyval_t *keyval, ngx_cycle_t *cycle)
{
    json_t                     *object;
    json_error_t                error;
    ngx_file_info_t             fi;
    ngx_duplex_table_stat_t     table;
    ngx_duplex_keyval_saver_t  *saver;

    if (ngx_duplex_keyval_state_path(keyval, cycle->pool) != NGX_OK) {
        return;
    }

    saver = ngx_pcalloc(cycle->pool, sizeof(ngx_duplex_keyval_saver_t));
    if (saver == NULL) {
        return;
    }

    keyval->saver = saver;

    keyval->zone->source->stat(keyval->zone->table, &table);

    if (table.head
        || ngx_file_info(keyval->state.data, &fi) == NGX_FILE_ERROR)
    {
        return;
    }

    object = json_load_file((char *) keyval->state.data,
                            JSON_REJECT_DUPLICATES, &error);

    if (!json_is_object(object)) {
        ngx_log_error(NGX_LOG_ALERT, cycle->log, 0,
                      "state file \"%V\" of keyval zone \"%V\" is not read: %s",
                      &keyval->state, &keyval->name,
                      object ? "it is not an object" : error.text);
        json_decref(object);
        return;
    }

    ngx_duplex_keyval_state_read(keyval, object, ngx_file_mtime(&fi),
                                 cycle->log);
    json_decref(object);

    saver->saved = keyval->zone->source->head(keyval->zone->table);
}


/* NGX_DECLINED: pairs are not kept */

static ngx_int_t
ngx_duplex_keyval_state_path(ngx_duplex_keyval_t *keyval, ngx_pool_t *pool)
{
    u_char     *p;
    ngx_str_t  *directory;

    if (keyval->state.len) {
        return NGX_OK;
    }

    directory = ngx_duplex_journal_directory();

    if (directory == NULL || directory->len == 0) {
        return NGX_DECLINED;
    }

    p = ngx_pnalloc(pool, directory->len + sizeof("/keyval..json")
                          + keyval->name.len);
    if (p == NULL) {
        return NGX_DECLINED;
    }

    keyval->state.data = p;
    keyval->state.len = ngx_sprintf(p, "%V/keyval.%V.json%Z", directory,
                                    &keyval->name) - p - 1;

    return NGX_OK;
}


static void
ngx_duplex_keyval_state_read(ngx_duplex_keyval_t *keyval, json_t *object,
    time_t mtime, ngx_log_t *log)
{
    u_char                text[NGX_DUPLEX_KEYVAL_TEXT];
    time_t                age;
    json_t               *value, *string;
    int64_t               left;
    ngx_str_t             key;
    const char           *name;
    ngx_duplex_record_t   rec;

    age = ngx_max(ngx_time() - mtime, 0);

    json_object_foreach(object, name, value) {

        key.data = (u_char *) name;
        key.len = ngx_strlen(name);

        string = json_is_object(value) ? json_object_get(value, "value")
                                       : value;

        ngx_memzero(&rec, sizeof(ngx_duplex_record_t));

        if (!json_is_string(string)
            || json_string_length(string) > NGX_DUPLEX_VALUE_MAX
            || ngx_duplex_keyval_key(keyval, &key, &rec.key, text) != NGX_OK)
        {
            ngx_log_error(NGX_LOG_ERR, log, 0,
                          "pair \"%s\" in state file \"%V\" is not valid",
                          name, &keyval->state);
            continue;
        }

        rec.kind = ngx_duplex_keyval_kind.tag;
        rec.value.data = (u_char *) json_string_value(string);
        rec.value.len = json_string_length(string);
        rec.node = ngx_duplex_identity()->id;
        rec.time = (uint64_t) mtime * 1000 << 16;

        if (keyval->timeout) {
            left = json_is_object(value)
                   ? json_integer_value(json_object_get(value, "expire"))
                   : (int64_t) keyval->timeout;
            left -= (int64_t) age * 1000;

            if (left <= 0) {
                continue;
            }

            rec.expire = ngx_duplex_clock_monotonic() + left;
        }

        (void) ngx_duplex_store_apply(keyval->zone->table, &rec);
    }
}


void
ngx_duplex_keyval_state_beat(void)
{
    ngx_uint_t            i;
    ngx_duplex_keyval_t  *keyval;

    for (i = 0; (keyval = ngx_duplex_keyval(i)) != NULL; i++) {
        if (keyval->saver) {
            ngx_duplex_keyval_state_save(keyval, 0);
        }
    }
}


void
ngx_duplex_keyval_state_drop(void)
{
    ngx_uint_t            i;
    ngx_duplex_keyval_t  *keyval;

    for (i = 0; (keyval = ngx_duplex_keyval(i)) != NULL; i++) {
        if (keyval->saver) {
            ngx_duplex_keyval_state_save(keyval, 1);
        }
    }
}


static void
ngx_duplex_keyval_state_save(ngx_duplex_keyval_t *keyval, ngx_uint_t all)
{
    uint64_t                    now, head;
    ngx_int_t                   rc;
    ngx_duplex_keyval_saver_t  *saver;

    saver = keyval->saver;

    now = ngx_duplex_clock_monotonic();
    head = keyval->zone->source->head(keyval->zone->table);

    if (saver->object == NULL) {

        if (head == saver->saved
            || (!all && now - saver->time < NGX_DUPLEX_KEYVAL_PAUSE))
        {
            return;
        }

        saver->object = json_object();
        if (saver->object == NULL) {
            return;
        }

        saver->head = head;
        saver->cursor = 0;
    }

    if (ngx_duplex_keyval_state_collect(keyval, all) == NGX_AGAIN) {
        return;
    }

    rc = ngx_duplex_keyval_state_write(keyval);

    json_decref(saver->object);
    saver->object = NULL;
    saver->time = now;

    if (rc == NGX_OK) {
        saver->saved = saver->head;
        saver->failed = 0;
    }
}


static ngx_int_t
ngx_duplex_keyval_state_collect(ngx_duplex_keyval_t *keyval, ngx_uint_t all)
{
    u_char                      buf[NGX_DUPLEX_RECORD_MAX];
    ngx_uint_t                  n;
    ngx_duplex_record_t         rec;
    ngx_duplex_keyval_saver_t  *saver;

    saver = keyval->saver;

    for (n = 0; all || n < NGX_DUPLEX_KEYVAL_SLICE; n++) {

        if (keyval->zone->source->scan(keyval->zone->table, &saver->cursor,
                                       &rec, buf, ngx_duplex_clock_monotonic())
            != NGX_OK)
        {
            return NGX_OK;
        }

        if (!rec.deleted) {
            ngx_duplex_keyval_state_pair(saver->object, &rec);
        }
    }

    return NGX_AGAIN;
}


/* a pair that is not UTF-8 cannot be in a JSON file: it is left out */

static void
ngx_duplex_keyval_state_pair(json_t *object, ngx_duplex_record_t *rec)
{
    char      key[NGX_DUPLEX_KEY_MAX + 1];
    json_t   *value;
    uint64_t  now;

    ngx_memcpy(key, rec->key.data, rec->key.len);
    key[rec->key.len] = '\0';

    value = json_stringn((char *) rec->value.data, rec->value.len);

    if (value && rec->expire) {
        now = ngx_duplex_clock_monotonic();

        value = json_pack("{s:o, s:I}", "value", value, "expire",
                          (json_int_t) (rec->expire > now ? rec->expire - now
                                                          : 1));
    }

    if (value) {
        (void) json_object_set_new(object, key, value);
    }
}


static ngx_int_t
ngx_duplex_keyval_state_write(ngx_duplex_keyval_t *keyval)
{
    u_char                     *temp;
    ngx_fd_t                    fd;
    ngx_err_t                   err;
    ngx_duplex_keyval_saver_t  *saver;

    saver = keyval->saver;

    temp = ngx_alloc(keyval->state.len + sizeof(".new"), ngx_cycle->log);
    if (temp == NULL) {
        return NGX_ERROR;
    }

    ngx_sprintf(temp, "%V.new%Z", &keyval->state);

    err = 0;

    fd = ngx_open_file(temp, NGX_FILE_WRONLY, NGX_FILE_TRUNCATE, 0600);

    if (fd == NGX_INVALID_FILE
        || json_dumpfd(saver->object, fd, JSON_COMPACT) != 0
        || fsync(fd) == -1
        || ngx_rename_file(temp, keyval->state.data) == NGX_FILE_ERROR)
    {
        err = ngx_errno;

        if (!saver->failed) {
            saver->failed = 1;
            ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, err,
                          "state file \"%V\" of keyval zone \"%V\" could not "
                          "be written", &keyval->state, &keyval->name);
        }
    }

    if (fd != NGX_INVALID_FILE && ngx_close_file(fd) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, ngx_errno,
                      ngx_close_file_n " \"%s\" failed", temp);
    }

    ngx_free(temp);

    return err ? NGX_ERROR : NGX_OK;
}
