
/*
 * What a group is told by directives of its own, in http and stream alike.
 *
 * A directive may stand before the group is known: options belong to the
 * protocol's upstream{}, and are found by the group when it is bound.
 */


#ifndef _NGX_DUPLEX_OPTIONS_H_INCLUDED_
#define _NGX_DUPLEX_OPTIONS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_upstream.h"


struct ngx_duplex_options_s {
    ngx_duplex_options_t  *next;        /* of this configuration */
    void                  *conf;        /* of the upstream{} */

    ngx_uint_t             panic;       /* per cent, 0: off */
    unsigned               panicking:1; /* as this process knows it */
    unsigned               posted:1;    /* is to be looked at again */
};


/* for directives: those of the upstream{}, made if need be; NULL: no memory */
ngx_duplex_options_t *ngx_duplex_options(ngx_conf_t *cf, void *conf);

/* for preconfiguration of each protocol */
ngx_int_t ngx_duplex_options_register(ngx_conf_t *cf);


#endif /* _NGX_DUPLEX_OPTIONS_H_INCLUDED_ */
