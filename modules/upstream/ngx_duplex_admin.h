
/*
 * What administrators said of servers, as records of the store.
 *
 * Kind "admn", the zone is the group's, the key "IDENTITY FIELD": one record
 * for each field, so that the store's rule, the later time wins, merges field
 * by field.  "exist" says that a server is there, since when, and what it
 * was added with; the others change what is in force.
 *
 *     exist    1 life(8) digest(8) exists(1) id(4) backup(1) state(1)
 *              weight(4) max_conns(4) max_fails(4) fail_timeout(4)
 *              slow_start(4) route who reason
 *     others   1 life(8) digest(8) number(8) route who reason
 *
 * The texts have a byte of length each.  The first byte is a version: what a
 * later one has written is taken as not said.
 */


#ifndef _NGX_DUPLEX_ADMIN_H_INCLUDED_
#define _NGX_DUPLEX_ADMIN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_member.h"


/* the fields besides those of NGX_DUPLEX_SET_*, and all their names */
#define NGX_DUPLEX_SET_ID     0x80

#define NGX_DUPLEX_WEIGHT_MAX  65535


extern ngx_duplex_kind_t  ngx_duplex_admin_kind;


/* the record "exist" */
typedef struct {
    uint64_t                life;
    uint64_t                digest;     /* of the line it was said against */
    ngx_uint_t              exists;
    ngx_uint_t              id;
    ngx_uint_t              backup;
    ngx_duplex_settings_t   set;
} ngx_duplex_exist_t;


/* a record of one field; its strings point into the record */
typedef struct {
    uint64_t                life;
    uint64_t                digest;
    uint64_t                number;
    ngx_str_t               route;
    ngx_duplex_audit_t      audit;
} ngx_duplex_admin_value_t;

/* NGX_OK; NGX_DECLINED: it is none of ours */
ngx_int_t ngx_duplex_admin_decode(ngx_str_t *text,
    ngx_duplex_admin_value_t *value);
ngx_int_t ngx_duplex_admin_decode_exist(ngx_str_t *text,
    ngx_duplex_exist_t *exist, ngx_duplex_audit_t *audit);
/* NGX_DUPLEX_SET_* of a field's name; 0: there is none */
ngx_uint_t ngx_duplex_admin_bit(ngx_str_t *name);
/* nothing was said of it; NGX_OK, or NGX_ERROR: the store has no memory */
ngx_int_t ngx_duplex_admin_forget(ngx_duplex_group_t *group, ngx_str_t *key,
    ngx_str_t *field);

/* NGX_OK; NGX_DECLINED: nothing was said */
ngx_int_t ngx_duplex_admin_exist(ngx_duplex_group_t *group, ngx_str_t *key,
    ngx_duplex_exist_t *exist);

/*
 * Overwrites in "set" what was said of the server in this life (in life 0,
 * against this line), and "*id" if it was given another one.  Answers the
 * fields that were said against another line: superseded.
 */
ngx_uint_t ngx_duplex_admin_overlay(ngx_duplex_group_t *group, ngx_str_t *key,
    uint64_t life, uint64_t digest, ngx_duplex_settings_t *set,
    ngx_uint_t *id);

/* the state that was said; "none": the file's, or what it was added with */
ngx_duplex_admin_e ngx_duplex_peer_admin(ngx_duplex_peer_t *peer);

/*
 * The last change of one field: who, why (in "buf"), and when (ms).
 * NGX_OK; NGX_DECLINED: none is known
 */
ngx_int_t ngx_duplex_admin_last(ngx_duplex_peer_t *peer, ngx_uint_t field,
    ngx_duplex_audit_t *audit, uint64_t *when, u_char *buf, size_t size);

/*
 * Both: NGX_OK, or NGX_ERROR: the store has no memory.  A server that is
 * gone is remembered for a day, or as long as a file names it.
 */
ngx_int_t ngx_duplex_admin_put_exist(ngx_duplex_group_t *group, ngx_str_t *key,
    ngx_duplex_exist_t *exist, ngx_duplex_audit_t *audit);
ngx_int_t ngx_duplex_admin_put(ngx_duplex_peer_t *peer, ngx_uint_t field,
    ngx_duplex_settings_t *set, ngx_uint_t id, ngx_duplex_audit_t *audit);

/* how many of these fields have no record yet */
ngx_uint_t ngx_duplex_admin_new(ngx_duplex_peer_t *peer, ngx_uint_t mask);
/* 1 if the store takes so many new records of this kind */
ngx_uint_t ngx_duplex_admin_room(ngx_uint_t records);

/*
 * Splits the key of a record; the name of the field, a zero byte behind it.
 * NGX_DECLINED: it is no such key.
 */
ngx_int_t ngx_duplex_admin_split(ngx_str_t *record, ngx_str_t *key,
    ngx_str_t *field);


/* for the files of records only */

#define NGX_DUPLEX_ADMIN_VERSION  1

/* the longest value, and the room for any record of this kind */
#define NGX_DUPLEX_ADMIN_VALUE    (64 + 3 * 256)
#define NGX_DUPLEX_ADMIN_RECORD                                               \
    (NGX_DUPLEX_ZONE_MAX + NGX_DUPLEX_KEY_MAX + NGX_DUPLEX_ADMIN_VALUE)

ngx_int_t ngx_duplex_admin_get(ngx_duplex_group_t *group, ngx_str_t *key,
    ngx_str_t *field, ngx_duplex_record_t *rec, u_char *buf, size_t size);
/* "left" is its lifetime in ms, 0: for ever */
ngx_int_t ngx_duplex_admin_apply(ngx_duplex_group_t *group, ngx_str_t *key,
    ngx_str_t *field, u_char *value, u_char *last, uint64_t left);
u_char *ngx_duplex_admin_put_audit(u_char *p, ngx_duplex_audit_t *audit);
/* NGX_DECLINED: these settings cannot be */
ngx_int_t ngx_duplex_admin_check(ngx_duplex_settings_t *set);


#endif /* _NGX_DUPLEX_ADMIN_H_INCLUDED_ */
