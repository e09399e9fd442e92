
/*
 * See the header.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_sync_conf.h"


static ngx_duplex_sync_conf_t  *ngx_duplex_sync_conf_present;


ngx_duplex_sync_conf_t *
ngx_duplex_sync_conf(void)
{
    return ngx_duplex_sync_conf_present;
}


void
ngx_duplex_sync_conf_commit(ngx_duplex_sync_conf_t *conf)
{
    ngx_duplex_sync_conf_present = conf;
}
