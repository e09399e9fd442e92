
/*
 * Why a node we dial is not there, for the API and the log.
 */


#ifndef _NGX_DUPLEX_LOSS_H_INCLUDED_
#define _NGX_DUPLEX_LOSS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_link.h"
#include "ngx_duplex_nodes.h"


/* into node->error: the link has ended */
void ngx_duplex_loss_explain(ngx_duplex_dialled_t *node,
    ngx_duplex_link_t *link);

/* into node->error: there was no link; "err" is the system's */
void ngx_duplex_loss_unreachable(ngx_duplex_dialled_t *node, ngx_err_t err);

/* into node->error, and one line as long as "text" is the same */
void ngx_duplex_loss_mistrust(ngx_duplex_dialled_t *node, const char *text);

/* one line when it was online before; attempts that fail later are silent */
void ngx_duplex_loss_tell(ngx_duplex_dialled_t *node);


#endif /* _NGX_DUPLEX_LOSS_H_INCLUDED_ */
