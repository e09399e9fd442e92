
/*
 * A deployment as the API shows it: members of an open object.
 */


#ifndef _NGX_DUPLEX_DEPLOYMENT_SHOW_H_INCLUDED_
#define _NGX_DUPLEX_DEPLOYMENT_SHOW_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_json.h"
#include "ngx_duplex_deployment.h"


void ngx_duplex_deployment_show(ngx_duplex_json_t *json,
    ngx_duplex_split_t *split, ngx_duplex_deployment_t *deployment);

/* "plan", as it was started; nothing if it is none of this split */
void ngx_duplex_deployment_show_plan(ngx_duplex_json_t *json,
    ngx_duplex_split_t *split, json_t *plan);


#endif /* _NGX_DUPLEX_DEPLOYMENT_SHOW_H_INCLUDED_ */
