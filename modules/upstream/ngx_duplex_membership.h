
/*
 * Who is a member of a group right now, in this process and in stock's lists.
 */


#ifndef _NGX_DUPLEX_MEMBERSHIP_H_INCLUDED_
#define _NGX_DUPLEX_MEMBERSHIP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_upstream.h"


/*
 * Brings the server of this identity up to date with file and store: it is
 * there or not, with what is in force.  Idempotent; any process, any time
 * after commit.
 */
void ngx_duplex_membership_refresh(ngx_duplex_group_t *group, ngx_str_t *key);

/* what peers are made in from now on: a cycle's pool, or (NULL) their own */
void ngx_duplex_membership_begin(ngx_pool_t *pool);
/* for commit: all that the store says of this group */
void ngx_duplex_membership_commit(ngx_duplex_group_t *group,
    ngx_pool_t *pool);
/* servers in the store that the file may not name; for commit */
ngx_uint_t ngx_duplex_membership_added(ngx_duplex_group_t *group);
/* the same for bind: of the present store, or of the journal */
ngx_uint_t ngx_duplex_membership_expected(ngx_conf_t *cf,
    ngx_duplex_group_t *group);

/* in a worker, when all features have started */
void ngx_duplex_membership_start(void);
ngx_uint_t ngx_duplex_membership_is_started(void);


#endif /* _NGX_DUPLEX_MEMBERSHIP_H_INCLUDED_ */
