
/*
 * Witnesses: addresses that answer if this node is on the network, asked
 * only when nothing else is left.  A refused connection is an answer, too.
 */


#ifndef _NGX_DUPLEX_WITNESS_H_INCLUDED_
#define _NGX_DUPLEX_WITNESS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_DUPLEX_WITNESSES_MAX  8


/*
 * With each beat of the holder for as long as the question stands.  A round
 * asks all witnesses at once and fails if none answers.  Returns the rounds
 * that have failed in a row; 0 without witnesses.
 */
ngx_uint_t ngx_duplex_witness_ask(void);

/* one has answered in this round or the last, or there is none at all */
ngx_uint_t ngx_duplex_witness_is_there(void);

/* the question is off: closes what is open, forgets the rounds */
void ngx_duplex_witness_stop(void);


#endif /* _NGX_DUPLEX_WITNESS_H_INCLUDED_ */
