
/*
 * What counts while this node is isolated: not what it finds, but what it had
 * found before the fault.  Its servers, the other nodes and all witnesses are
 * gone at once, so it is the node that is cut off; when it is back, all its
 * servers shall be there.
 */


#ifndef _NGX_DUPLEX_FREEZE_H_INCLUDED_
#define _NGX_DUPLEX_FREEZE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_health.h"


extern ngx_duplex_kind_t  ngx_duplex_freeze_kind;


/* for bind, when all services are registered */
void ngx_duplex_freeze_bind(ngx_conf_t *cf);
/* for commit, before peers are projected */
void ngx_duplex_freeze_commit(void);

/* of the outlook: see core/ngx_duplex_outlook.h */
void ngx_duplex_freeze_set(ngx_uint_t frozen, uint64_t silence);

/*
 * NGX_OK with this node's verdict of before the fault; NGX_DECLINED: nothing
 * is frozen.
 */
ngx_int_t ngx_duplex_freeze_verdict(ngx_duplex_peer_t *peer,
    ngx_duplex_verdict_e *state);


#endif /* _NGX_DUPLEX_FREEZE_H_INCLUDED_ */
