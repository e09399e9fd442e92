
/*
 * Key-value zones: pairs that the API and requests write, and variables read.
 *
 * A pair is a record in its zone's own table, so it is in force in all
 * workers at once, survives reloads, and with "sync" is on all nodes; a
 * deletion is, too.
 */


#ifndef _NGX_DUPLEX_KEYVAL_H_INCLUDED_
#define _NGX_DUPLEX_KEYVAL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_registry.h"


#define NGX_DUPLEX_KEYVAL_LENGTHS  (NGX_DUPLEX_KEY_MAX + 1)


typedef enum {
    ngx_duplex_keyval_string = 0,
    ngx_duplex_keyval_ip,               /* keys are addresses or networks */
    ngx_duplex_keyval_prefix            /* keys are beginnings */
} ngx_duplex_keyval_type_e;


/* cycle memory; what follows "zone" is of one process */
typedef struct {
    ngx_str_t                  protocol;        /* "http" */
    ngx_str_t                  name;
    u_char                    *file;            /* where it is first named */
    ngx_uint_t                 line;

    size_t                     size;            /* 0: not declared */
    ngx_str_t                  state;           /* file; empty: none */
    ngx_msec_t                 timeout;         /* 0: pairs stay */
    ngx_duplex_keyval_type_e   type;
    ngx_uint_t                 sync;
    ngx_duplex_zone_t         *zone;

    /* which lengths keys have had: what a search must try */

    uint64_t                   seen;            /* position in the log */
    uint64_t                   incarnation;
    u_char                     lengths[2][NGX_DUPLEX_KEYVAL_LENGTHS];

    /* of the state file, see ngx_duplex_keyval_state.c */

    void                      *saver;
} ngx_duplex_keyval_t;


/* for preconfiguration of each protocol; NGX_ERROR: no memory */
ngx_int_t ngx_duplex_keyval_register(ngx_conf_t *cf);

/* the directive "keyval_zone" */
char *ngx_duplex_keyval_declare(ngx_conf_t *cf, const char *protocol);

/*
 * For a directive that needs a zone, declared before or after it ("zone=" of
 * cf->args at "arg"); NULL after a logged error.
 */
ngx_duplex_keyval_t *ngx_duplex_keyval_use(ngx_conf_t *cf,
    const char *protocol, ngx_str_t *arg);


/* for commit and later */

/* the i-th of the present cycle, NULL after the last; by name, NULL: none */
ngx_duplex_keyval_t *ngx_duplex_keyval(ngx_uint_t i);
ngx_duplex_keyval_t *ngx_duplex_keyval_by_name(ngx_str_t *protocol,
    ngx_str_t *name);

/*
 * The value for "key", by the zone's type: of itself, of the longest network
 * around it, of its longest beginning.  "value" is in "buf", which must have
 * NGX_DUPLEX_RECORD_MAX bytes.  NGX_DECLINED: there is none.
 */
ngx_int_t ngx_duplex_keyval_search(ngx_duplex_keyval_t *keyval, ngx_str_t *key,
    ngx_str_t *value, u_char *buf);

/*
 * A key as records have it: an address without a length if it is a host.
 * "text" has NGX_DUPLEX_KEYVAL_TEXT bytes.  NGX_DECLINED: it is none, or too
 * long.
 */
#define NGX_DUPLEX_KEYVAL_TEXT  64

ngx_int_t ngx_duplex_keyval_key(ngx_duplex_keyval_t *keyval, ngx_str_t *key,
    ngx_str_t *canonical, u_char *text);

/* the pair of exactly this (canonical) key, as search() answers */
ngx_int_t ngx_duplex_keyval_get(ngx_duplex_keyval_t *keyval, ngx_str_t *key,
    ngx_duplex_record_t *rec, u_char *buf);

/*
 * "ttl" in ms, 0: the zone's timeout.  NGX_OK; NGX_ERROR: no memory (logged),
 * or the value is too long.
 */
ngx_int_t ngx_duplex_keyval_put(ngx_duplex_keyval_t *keyval, ngx_str_t *key,
    ngx_str_t *value, uint64_t ttl);
ngx_int_t ngx_duplex_keyval_delete(ngx_duplex_keyval_t *keyval,
    ngx_str_t *key);

/* pairs there are */
ngx_uint_t ngx_duplex_keyval_count(ngx_duplex_keyval_t *keyval);

#define ngx_duplex_keyval_walk(keyval, visit, data)                           \
    ngx_duplex_store_walk((keyval)->zone->table, ngx_duplex_keyval_kind.tag,  \
                          NULL, visit, data)


extern ngx_duplex_kind_t  ngx_duplex_keyval_kind;


#endif /* _NGX_DUPLEX_KEYVAL_H_INCLUDED_ */
