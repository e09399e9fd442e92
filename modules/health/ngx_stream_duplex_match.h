
/*
 * The blocks `match NAME { send ...; expect ...; }` of stream{}.
 */


#ifndef _NGX_STREAM_DUPLEX_MATCH_H_INCLUDED_
#define _NGX_STREAM_DUPLEX_MATCH_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_dialog.h"


typedef struct {
    ngx_str_t                name;
    ngx_duplex_dialog_t      dialog;
} ngx_stream_duplex_match_t;


/*
 * The directive; at cmd->offset of "conf" is an array of
 * ngx_stream_duplex_match_t *.
 */
char *ngx_stream_duplex_match(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* NULL: none of this name in "matches" */
ngx_stream_duplex_match_t *ngx_stream_duplex_match_find(ngx_array_t *matches,
    ngx_str_t *name);


#endif /* _NGX_STREAM_DUPLEX_MATCH_H_INCLUDED_ */
