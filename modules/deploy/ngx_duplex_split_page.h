
/*
 * Splits in the API: duplex/splits.
 */


#ifndef _NGX_DUPLEX_SPLIT_PAGE_H_INCLUDED_
#define _NGX_DUPLEX_SPLIT_PAGE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_page.h"
#include "ngx_duplex_split.h"


/* for preconfiguration; NGX_ERROR: no memory */
ngx_int_t ngx_duplex_split_pages(ngx_conf_t *cf);

/* "?reason=", empty if there is none; NGX_ERROR: it has been refused */
ngx_int_t ngx_duplex_split_reason(ngx_duplex_call_t *call, ngx_str_t *reason,
    ngx_uint_t *status);

/* "name": its weights now, by colour, as an object */
void ngx_duplex_split_show_weights(ngx_duplex_json_t *json, const char *name,
    ngx_duplex_split_t *split);


#endif /* _NGX_DUPLEX_SPLIT_PAGE_H_INCLUDED_ */
