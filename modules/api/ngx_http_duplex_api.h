
/*
 * One request to the API: its way to a page, and the call that the page sees.
 *
 * Made by the module's handler in the request's pool, dies with the request.
 */


#ifndef _NGX_HTTP_DUPLEX_API_H_INCLUDED_
#define _NGX_HTTP_DUPLEX_API_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "ngx_duplex_route.h"
#include "../core/ngx_duplex_acked.h"
#include "../core/ngx_duplex_registry.h"


/* a page of this folder answers the request itself: api->rc */
#define NGX_HTTP_DUPLEX_API_TAKEN  0


typedef struct {
    ngx_duplex_call_t     call;         /* the first: see _of() */

    ngx_http_request_t   *request;
    ngx_duplex_route_t    route;
    ngx_duplex_view_t    *view;         /* if call.page is NULL */
    ngx_array_t          *children;     /* if both are: names below */
    unsigned              versions:1;   /* the location itself */

    ngx_array_t           fields;       /* ngx_str_t: "fields=" */
    unsigned              names:1;      /* "fields=" is empty */

    ngx_duplex_page_pt    run;          /* the page's, for this method */
    ngx_uint_t            status;       /* what it has answered */
    uint64_t              position;     /* of the main table, after that */
    ngx_duplex_acked_t   *acked;        /* NULL: no other nodes */
    ngx_msec_t            wait;         /* for them: "wait=" */
    ngx_int_t             rc;           /* if taken: of the content handler */

    unsigned              write:1;      /* "write=on" */
    size_t                limit;        /* bytes a body may have */
    ngx_str_t             body;         /* as far as it has come */
} ngx_http_duplex_api_t;


/* for pages of this folder that need to see the request */
#define ngx_http_duplex_api_of(call)  ((ngx_http_duplex_api_t *) (call))


extern ngx_module_t  ngx_http_duplex_api_module;    /* owns the context */


#endif /* _NGX_HTTP_DUPLEX_API_H_INCLUDED_ */
