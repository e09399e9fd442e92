
/*
 * "state FILE" of upstream{}: the servers of a group in a file, as lines that
 * the next configuration reads.
 *
 * It is an export, and what an empty store begins with; what the store says
 * of a server otherwise wins.
 */


#ifndef _NGX_DUPLEX_STATE_H_INCLUDED_
#define _NGX_DUPLEX_STATE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_upstream.h"


/*
 * The directive: fills in "*file" and hands each line of it to "server", as
 * cf->args in the present context.  A file that is not there has no lines.
 */
char *ngx_duplex_state_set(ngx_conf_t *cf, ngx_str_t *file,
    ngx_conf_handler_pt server, void *conf);

/* for bind, after the servers: this group has such a file */
ngx_int_t ngx_duplex_state_bind(ngx_conf_t *cf, ngx_duplex_group_t *group,
    ngx_str_t *file);

/* something of the group has changed in this process */
void ngx_duplex_state_changed(ngx_duplex_group_t *group);


#endif /* _NGX_DUPLEX_STATE_H_INCLUDED_ */
