
/*
 * Why a node is not there; see the header.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_loss.h"
#include "ngx_duplex_sync_conf.h"


void
ngx_duplex_loss_explain(ngx_duplex_dialled_t *node, ngx_duplex_link_t *link)
{
    u_char      *error;
    ngx_uint_t   level;

    error = (u_char *) node->error;
    level = NGX_LOG_INFO;

    if (link->end == ngx_duplex_link_malformed) {
        level = NGX_LOG_ERR;
        ngx_sprintf(error, "%s: %s%Z", ngx_duplex_link_end_text(link->end),
                    ngx_duplex_malformed_text(link->malformed));

    } else if (link->end == ngx_duplex_link_silent) {
        ngx_sprintf(error, "nothing heard for %Mms%Z",
                    ngx_duplex_sync_conf()->timeout);

    } else {
        ngx_sprintf(error, "%s%Z", ngx_duplex_link_end_text(link->end));
    }

    ngx_log_error(level, ngx_cycle->log, 0,
                  "link to node \"%s\" at %s ended: %s",
                  node->name, node->address.text, error);
}


void
ngx_duplex_loss_unreachable(ngx_duplex_dialled_t *node, ngx_err_t err)
{
    u_char  *p, *last;

    p = (u_char *) node->error;
    last = p + NGX_DUPLEX_ERROR_MAX;

    p = ngx_slprintf(p, last, "%s: ",
                     ngx_duplex_link_end_text(ngx_duplex_link_connect));
    p = ngx_strerror(err, p, last - p);
    *p = '\0';
}


void
ngx_duplex_loss_mistrust(ngx_duplex_dialled_t *node, const char *text)
{
    ngx_uint_t  level;

    /* tried again and again, said once */

    level = ngx_strcmp(node->error, text) == 0 ? NGX_LOG_INFO : NGX_LOG_ERR;

    ngx_cpystrn((u_char *) node->error, (u_char *) text,
                NGX_DUPLEX_ERROR_MAX + 1);

    ngx_log_error(level, ngx_cycle->log, 0,
                  "node at %s is not trusted: %s", node->address.text, text);
}


void
ngx_duplex_loss_tell(ngx_duplex_dialled_t *node)
{
    if (node->told == ngx_duplex_told_lost) {
        return;
    }

    if (node->told == ngx_duplex_told_online) {
        ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                      "node \"%s\" at %s is lost: %s",
                      node->name, node->address.text, node->error);

    } else {
        ngx_log_error(NGX_LOG_INFO, ngx_cycle->log, 0, "node at %s: %s",
                      node->address.text, node->error);
    }

    node->told = ngx_duplex_told_lost;
}
