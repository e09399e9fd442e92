
/*
 * Nodes that are found by name: "zone_sync_server NAME:PORT resolve".
 *
 * The holder of the lease asks nginx's resolver again when an answer is no
 * longer valid; what the name stands for is the list.  An answer that fails
 * changes nothing.
 */


#ifndef _NGX_DUPLEX_MEMBERS_H_INCLUDED_
#define _NGX_DUPLEX_MEMBERS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_sync_conf.h"


/*
 * With each beat of the holder.  "found" is called, now or later, with the
 * addresses, which live as long as the call.
 */
typedef void (*ngx_duplex_members_pt)(ngx_duplex_listed_t *listed,
    ngx_uint_t n);

void ngx_duplex_members_beat(ngx_duplex_members_pt found);

/* the lease is gone: no question is left open */
void ngx_duplex_members_drop(void);


#endif /* _NGX_DUPLEX_MEMBERS_H_INCLUDED_ */
