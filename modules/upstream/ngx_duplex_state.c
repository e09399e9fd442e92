
/*
 * State files: read once a configuration, written after each change.
 *
 * Who makes a change writes the file before it is answered, and the holder of
 * the lease after whatever comes from elsewhere.  Whoever holds the lock of
 * the new file looks at the store first, so the last to write knows most.
 * Ids of the file's servers become records with the first change: the order
 * of lines is another one next time.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <sys/file.h>
#include "../core/ngx_duplex_identity.h"
#include "../core/ngx_duplex_lease.h"
#include "ngx_duplex_admin.h"
#include "ngx_duplex_id.h"
#include "ngx_duplex_membership.h"
#include "ngx_duplex_name.h"
#include "ngx_duplex_state.h"


#define NGX_DUPLEX_STATE_TRIES  10

/* one line, with the longest texts */
#define NGX_DUPLEX_STATE_LINE                                                 \
    (2 * NGX_DUPLEX_KEY_MAX + 256 + 2 * NGX_DUPLEX_ROUTE_MAX)


typedef struct {
    ngx_conf_handler_pt   server;
    void                 *conf;
} ngx_duplex_state_reader_t;


static char *ngx_duplex_state_read(ngx_conf_t *cf, ngx_command_t *dummy,
    void *conf);
static void ngx_duplex_state_write(ngx_duplex_group_t *group);
static ngx_fd_t ngx_duplex_state_open(u_char *name);
static ngx_int_t ngx_duplex_state_put(ngx_duplex_group_t *group, ngx_fd_t fd);
static u_char *ngx_duplex_state_line(u_char *p, ngx_duplex_group_t *group,
    ngx_str_t *server, ngx_uint_t backup, ngx_duplex_settings_t *set,
    ngx_duplex_name_t *name);
static u_char *ngx_duplex_state_text(u_char *p, const char *prefix,
    u_char *text, size_t len);
static void ngx_duplex_state_number(ngx_duplex_group_t *group);
static void ngx_duplex_state_handler(ngx_event_t *ev);


static ngx_event_t       ngx_duplex_state_event;
static ngx_connection_t  ngx_duplex_state_dumb;


char *
ngx_duplex_state_set(ngx_conf_t *cf, ngx_str_t *file,
    ngx_conf_handler_pt server, void *conf)
{
    char                       *rv;
    void                       *own_conf;
    ngx_str_t                  *value;
    ngx_conf_handler_pt         own;
    ngx_duplex_state_reader_t   reader;

    value = cf->args->elts;

    if (file->len) {
        return "is duplicate";
    }

    if (value[1].len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid state file \"%V\"",
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    *file = value[1];

    if (ngx_conf_full_name(cf->cycle, file, 0) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if (access((char *) file->data, F_OK) == -1 && ngx_errno == NGX_ENOENT) {
        return NGX_CONF_OK;
    }

    own = cf->handler;
    own_conf = cf->handler_conf;

    reader.server = server;
    reader.conf = conf;

    cf->handler = ngx_duplex_state_read;
    cf->handler_conf = (void *) &reader;

    rv = ngx_conf_parse(cf, file);

    cf->handler = own;
    cf->handler_conf = own_conf;

    return rv;
}


static char *
ngx_duplex_state_read(ngx_conf_t *cf, ngx_command_t *dummy, void *conf)
{
    ngx_duplex_state_reader_t *reader = conf;

    char                 *rv;
    void                 *own_conf;
    ngx_str_t            *value;
    ngx_conf_handler_pt   own;

    value = cf->args->elts;

    if (value[0].len != 6
        || ngx_memcmp(value[0].data, "server", 6) != 0
        || cf->args->nelts < 2)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "a state file has \"server\" lines only, not "
                           "\"%V\"", &value[0]);
        return NGX_CONF_ERROR;
    }

    own = cf->handler;
    own_conf = cf->handler_conf;
    cf->handler = NULL;

    rv = reader->server(cf, NULL, reader->conf);

    cf->handler = own;
    cf->handler_conf = own_conf;

    if (rv != NGX_CONF_OK && rv != NGX_CONF_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"server\" %s", rv);
        return NGX_CONF_ERROR;
    }

    return rv;
}


ngx_int_t
ngx_duplex_state_bind(ngx_conf_t *cf, ngx_duplex_group_t *group,
    ngx_str_t *file)
{
    if (file->len == 0) {
        return NGX_OK;
    }

    if (group->shm.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"state\" needs \"zone\" in %s \"%V\"",
                           group->driver->title, &group->name);
        return NGX_ERROR;
    }

    group->state = *file;

    return NGX_OK;
}


void
ngx_duplex_state_changed(ngx_duplex_group_t *group)
{
    if (group->state.len == 0 || ngx_duplex_superseded()) {
        return;
    }

    group->unsaved = 1;

    ngx_duplex_state_dumb.fd = (ngx_socket_t) -1;

    ngx_duplex_state_event.handler = ngx_duplex_state_handler;
    ngx_duplex_state_event.data = &ngx_duplex_state_dumb;
    ngx_duplex_state_event.log = ngx_cycle->log;

    ngx_post_event(&ngx_duplex_state_event, &ngx_posted_next_events);
}


void
ngx_duplex_group_save(ngx_duplex_group_t *group)
{
    if (group->unsaved) {
        group->unsaved = 0;
        ngx_duplex_state_write(group);
    }
}


/* what another worker has changed and not written is the holder's to write */

static void
ngx_duplex_state_handler(ngx_event_t *ev)
{
    ngx_uint_t           i;
    ngx_duplex_group_t  *group;

    for (i = 0; (group = ngx_duplex_group(i)) != NULL; i++) {

        if (group->unsaved && ngx_duplex_lease_held()) {
            ngx_duplex_group_save(group);
        }

        group->unsaved = 0;
    }
}


static void
ngx_duplex_state_write(ngx_duplex_group_t *group)
{
    ngx_fd_t  fd;
    u_char    name[NGX_MAX_PATH + sizeof(".new")];

    ngx_snprintf(name, sizeof(name), "%V.new%Z", &group->state);

    fd = ngx_duplex_state_open(name);

    if (fd == NGX_INVALID_FILE) {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, ngx_errno,
                      "state file \"%s\" could not be written", name);
        return;
    }

    ngx_duplex_store_catch_up();
    ngx_duplex_state_number(group);

    if (ngx_duplex_state_put(group, fd) != NGX_OK
        || ngx_rename_file(name, group->state.data) == NGX_FILE_ERROR)
    {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, ngx_errno,
                      "state file \"%V\" could not be written",
                      &group->state);
        (void) ngx_delete_file(name);
    }

    (void) ngx_close_file(fd);

    group->unsaved = 0;
}


/* held by one process at a time, and by none that died */

static ngx_fd_t
ngx_duplex_state_open(u_char *name)
{
    ngx_fd_t         fd;
    ngx_uint_t       i;
    ngx_file_info_t  mine, present;

    for (i = 0; i < NGX_DUPLEX_STATE_TRIES; i++) {

        fd = ngx_open_file(name, NGX_FILE_RDWR, NGX_FILE_CREATE_OR_OPEN, 0644);

        if (fd == NGX_INVALID_FILE) {
            return fd;
        }

        if (flock(fd, LOCK_EX) == 0
            && ngx_fd_info(fd, &mine) != NGX_FILE_ERROR
            && ngx_file_info(name, &present) != NGX_FILE_ERROR
            && ngx_file_uniq(&mine) == ngx_file_uniq(&present)
            && ftruncate(fd, 0) == 0)
        {
            return fd;
        }

        /* while we waited, it became the state file itself */

        (void) ngx_close_file(fd);
    }

    return NGX_INVALID_FILE;
}


static ngx_int_t
ngx_duplex_state_put(ngx_duplex_group_t *group, ngx_fd_t fd)
{
    u_char             *p, *text;
    size_t              size;
    ngx_int_t           rc;
    ngx_uint_t          i, names;
    ngx_duplex_name_t  *name;
    ngx_duplex_peer_t  *peer;

    names = group->names ? group->names->nelts : 0;
    size = (group->npeers + names + 1) * NGX_DUPLEX_STATE_LINE;

    text = ngx_alloc(size, ngx_cycle->log);
    if (text == NULL) {
        return NGX_ERROR;
    }

    p = text;

    for (peer = ngx_duplex_peer_first(group);
         peer;
         peer = ngx_duplex_peer_next(peer))
    {
        if (ngx_duplex_name_of(peer) == NULL) {
            p = ngx_duplex_state_line(p, group, &peer->name, peer->backup,
                                      &peer->set, NULL);
        }
    }

    for (i = 0; (name = ngx_duplex_name(group, i)) != NULL; i++) {
        p = ngx_duplex_state_line(p, group, &name->written, name->backup,
                                  &name->set, name);
    }

    rc = (write(fd, text, p - text) == p - text && fsync(fd) == 0)
         ? NGX_OK : NGX_ERROR;

    ngx_free(text);

    return rc;
}


/* what is not said is as stock has it */

static u_char *
ngx_duplex_state_line(u_char *p, ngx_duplex_group_t *group, ngx_str_t *server,
    ngx_uint_t backup, ngx_duplex_settings_t *set, ngx_duplex_name_t *name)
{
    p = ngx_cpymem(p, "server ", sizeof("server ") - 1);
    p = ngx_duplex_state_text(p, "", server->data, server->len);

    if (name && name->service.len) {
        *p++ = ' ';
        p = ngx_duplex_state_text(p, "service=", name->service.data,
                                  name->service.len);
    }

    if (name) {
        p = ngx_cpymem(p, " resolve", sizeof(" resolve") - 1);
    }

    if (set->weight != 1) {
        p = ngx_sprintf(p, " weight=%ui", set->weight);
    }

    if (set->max_conns) {
        p = ngx_sprintf(p, " max_conns=%ui", set->max_conns);
    }

    if (set->max_fails != 1) {
        p = ngx_sprintf(p, " max_fails=%ui", set->max_fails);
    }

    if (set->fail_timeout != 10) {
        p = ngx_sprintf(p, " fail_timeout=%Ts", set->fail_timeout);
    }

    if (set->slow_start && group->slow) {
        p = ngx_sprintf(p, " slow_start=%Mms", set->slow_start);
    }

    if (set->route_len) {
        *p++ = ' ';
        p = ngx_duplex_state_text(p, "route=", set->route, set->route_len);
    }

    if (backup) {
        p = ngx_cpymem(p, " backup", sizeof(" backup") - 1);
    }

    if (set->state == ngx_duplex_admin_down) {
        p = ngx_cpymem(p, " down", sizeof(" down") - 1);

    } else if (set->state == ngx_duplex_admin_drain) {
        p = ngx_cpymem(p, " drain", sizeof(" drain") - 1);
    }

    *p++ = ';';
    *p++ = LF;

    return p;
}


/* in quotes where nginx's configuration wants it so */

static u_char *
ngx_duplex_state_text(u_char *p, const char *prefix, u_char *text, size_t len)
{
    size_t      i;
    ngx_uint_t  quoted;

    quoted = 0;

    for (i = 0; i < len; i++) {
        if (ngx_strchr(" ;{}\"'\\#$", text[i])) {
            quoted = 1;
        }
    }

    if (quoted) {
        *p++ = '"';
    }

    p = ngx_sprintf(p, "%s", prefix);

    for (i = 0; i < len; i++) {

        if (text[i] == '"' || text[i] == '\\') {
            *p++ = '\\';
        }

        *p++ = text[i];
    }

    if (quoted) {
        *p++ = '"';
    }

    return p;
}


static void
ngx_duplex_state_number(ngx_duplex_group_t *group)
{
    ngx_duplex_peer_t   *peer;
    ngx_duplex_audit_t   audit;

    ngx_memzero(&audit, sizeof(ngx_duplex_audit_t));

    for (peer = ngx_duplex_peer_first(group);
         peer;
         peer = ngx_duplex_peer_next(peer))
    {
        if (peer->life == 0
            && ngx_duplex_admin_new(peer, NGX_DUPLEX_SET_ID))
        {
            (void) ngx_duplex_admin_put(peer, NGX_DUPLEX_SET_ID, NULL,
                                        peer->id, &audit);
        }
    }
}
