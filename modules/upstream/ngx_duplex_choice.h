
/*
 * A variable that names one of several upstream groups, as far as other
 * features need to know: whoever binds something to the group that
 * "proxy_pass" names binds it to all of these.
 *
 * Found with ngx_duplex_find_service(cf, NGX_HTTP_DUPLEX_CHOICE), in bind;
 * NULL: the feature that has such variables is not loaded.
 */


#ifndef _NGX_DUPLEX_CHOICE_H_INCLUDED_
#define _NGX_DUPLEX_CHOICE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_HTTP_DUPLEX_CHOICE  "http choice"


typedef struct {
    /*
     * The names (ngx_str_t) of all groups that the variable may stand for.
     * "variable" is without "$".  NULL: it is no such variable, or there is
     * no memory (logged).
     */
    ngx_array_t *(*groups)(ngx_conf_t *cf, ngx_str_t *variable);
} ngx_duplex_choice_t;


#endif /* _NGX_DUPLEX_CHOICE_H_INCLUDED_ */
