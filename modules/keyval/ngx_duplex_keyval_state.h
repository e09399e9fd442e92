
/*
 * The state file of a key-value zone: its pairs as JSON, so that they outlive
 * all processes.
 */


#ifndef _NGX_DUPLEX_KEYVAL_STATE_H_INCLUDED_
#define _NGX_DUPLEX_KEYVAL_STATE_H_INCLUDED_


#include "ngx_duplex_keyval.h"


/* for commit: fills a fresh zone; logs what failed */
void ngx_duplex_keyval_state_load(ngx_duplex_keyval_t *keyval,
    ngx_cycle_t *cycle);

/* of the holder of the lease: saves what has changed; the last time, all */
void ngx_duplex_keyval_state_beat(void);
void ngx_duplex_keyval_state_drop(void);


#endif /* _NGX_DUPLEX_KEYVAL_STATE_H_INCLUDED_ */
