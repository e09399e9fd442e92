
/*
 * Membership of groups at run time: the one way in for the API, for names
 * that are resolved, and for whoever else adds, changes or removes servers.
 *
 * A change is a record, or several, of the store: replicated, durable, and
 * in force in this worker when the function returns, in all others of all
 * generations soon after.  Existence has a life, the time it was added; what
 * is said of a server belongs to a life and ends with it.  What is said of a
 * server of the file was said against its line: where the line is another
 * one, it is kept and not applied (superseded).
 *
 * For commit and later.  The group must have a zone.
 */


#ifndef _NGX_DUPLEX_MEMBER_H_INCLUDED_
#define _NGX_DUPLEX_MEMBER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_upstream.h"


#define NGX_DUPLEX_REASON_MAX   255


/* fields of ngx_duplex_settings_t, to be changed by one modify() */
#define NGX_DUPLEX_SET_STATE         0x01
#define NGX_DUPLEX_SET_WEIGHT        0x02
#define NGX_DUPLEX_SET_MAX_CONNS     0x04
#define NGX_DUPLEX_SET_MAX_FAILS     0x08
#define NGX_DUPLEX_SET_FAIL_TIMEOUT  0x10
#define NGX_DUPLEX_SET_SLOW_START    0x20
#define NGX_DUPLEX_SET_ROUTE         0x40
#define NGX_DUPLEX_SET_ALL           0x7f


/* who wants it, and why; both may be empty */
typedef struct {
    ngx_str_t               who;        /* client address, "resolve" */
    ngx_str_t               reason;     /* at most NGX_DUPLEX_REASON_MAX */
} ngx_duplex_audit_t;


/* a server to be added */
typedef struct {
    ngx_str_t               server;     /* as given: "be1.example:8080" */
    ngx_str_t               name;       /* numeric: "10.0.0.7:8080" */
    ngx_uint_t              backup;
    ngx_duplex_settings_t   set;        /* ngx_duplex_settings_init() first */
} ngx_duplex_member_t;


/* why there was no change */
typedef enum {
    ngx_duplex_member_done = 0,
    ngx_duplex_member_same,         /* it was so already */
    ngx_duplex_member_exists,       /* a server has this address */
    ngx_duplex_member_bad_address,  /* "name" is none */
    ngx_duplex_member_no_place,     /* see "duplex_spare" */
    ngx_duplex_member_resolved,     /* whether it is there says its name */
    ngx_duplex_member_service,      /* its weight says its service */
    ngx_duplex_member_no_memory     /* of the store; it is logged */
} ngx_duplex_member_e;


/* up, weight 1, max_fails 1, fail_timeout 10s, and no more */
void ngx_duplex_settings_init(ngx_duplex_settings_t *set);

/* on done, "*peer" (unless NULL) is the new one */
ngx_duplex_member_e ngx_duplex_member_add(ngx_duplex_group_t *group,
    ngx_duplex_member_t *member, ngx_duplex_audit_t *audit,
    ngx_duplex_peer_t **peer);

/* those of "mask" (NGX_DUPLEX_SET_*) that differ from what is in force */
ngx_duplex_member_e ngx_duplex_member_modify(ngx_duplex_peer_t *peer,
    ngx_duplex_settings_t *set, ngx_uint_t mask, ngx_duplex_audit_t *audit);

/* the peer is gone on return, whoever is served by it is served on */
ngx_duplex_member_e ngx_duplex_member_remove(ngx_duplex_peer_t *peer,
    ngx_duplex_audit_t *audit);

/*
 * The life of "peer" ends, that of "member" begins under its id: a change of
 * the address.  On done, "*next" (unless NULL) is the new peer.
 */
ngx_duplex_member_e ngx_duplex_member_replace(ngx_duplex_peer_t *peer,
    ngx_duplex_member_t *member, ngx_duplex_audit_t *audit,
    ngx_duplex_peer_t **next);


/* the id that a new server would get */
ngx_uint_t ngx_duplex_member_next_id(ngx_duplex_group_t *group);

/*
 * "done" if so many more primaries and backups would find a place and so many
 * records room; else the reason.
 */
ngx_duplex_member_e ngx_duplex_member_fit(ngx_duplex_group_t *group,
    ngx_uint_t primaries, ngx_uint_t backups, ngx_uint_t records);


#endif /* _NGX_DUPLEX_MEMBER_H_INCLUDED_ */
