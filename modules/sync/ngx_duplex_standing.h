
/*
 * How this node stands beside the others as far as servers are concerned:
 * what must be known before it is given traffic, besides having
 * synchronised.
 *
 * Found by the holder of the lease, shown in shared memory (nodes->standing).
 */


#ifndef _NGX_DUPLEX_STANDING_H_INCLUDED_
#define _NGX_DUPLEX_STANDING_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


typedef enum {
    ngx_duplex_standing_fine = 0,   /* a server passes, or none is checked */
    ngx_duplex_standing_failing,    /* all fail, as for every node heard */
    ngx_duplex_standing_cut,        /* all fail, but pass for another node */
    ngx_duplex_standing_isolated    /* all fail, and nobody else is there */
} ngx_duplex_standing_e;


/* for the holder: each beat, and when it holds the lease no longer */
void ngx_duplex_standing_beat(void);
void ngx_duplex_standing_drop(void);


#endif /* _NGX_DUPLEX_STANDING_H_INCLUDED_ */
