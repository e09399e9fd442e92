
/*
 * The text of a request's body as a JSON value.
 */


#ifndef _NGX_DUPLEX_BODY_H_INCLUDED_
#define _NGX_DUPLEX_BODY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <jansson.h>


#define NGX_DUPLEX_BODY_DEPTH  16       /* objects and arrays in each other */


/*
 * An object or an array, to be released with json_decref(); names in an
 * object are different.  NULL: it is none, and "error" says why.
 */
json_t *ngx_duplex_body_parse(ngx_str_t *text,
    char error[JSON_ERROR_TEXT_LENGTH]);


#endif /* _NGX_DUPLEX_BODY_H_INCLUDED_ */
