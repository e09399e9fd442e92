
/*
 * Parameters of "sticky" that http and stream have in common.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_session.h"
#include "ngx_duplex_sticky_conf.h"


#define NGX_DUPLEX_STICKY_TIMEOUT    600000
#define NGX_DUPLEX_STICKY_ZONE_MIN   8              /* pages */


char *
ngx_duplex_sticky_set_timeout(ngx_conf_t *cf,
    ngx_duplex_sticky_group_t *sticky, ngx_str_t *text)
{
    ngx_int_t  timeout;

    if (sticky->timeout) {
        return "duplicate timeout";
    }

    timeout = ngx_parse_time(text, 0);

    if (timeout == NGX_ERROR || timeout == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"sticky\" directive invalid timeout \"%V\"",
                           text);
        return NGX_CONF_ERROR;
    }

    sticky->timeout = timeout;

    return NGX_CONF_OK;
}


/*
 * A response could only be held by a filter that keeps its headers and its
 * body back: what a client has seen may be one turn of the event loop ahead
 * of the other nodes, and whoever counts on more shall know.
 */

char *
ngx_duplex_sticky_refuse_sync(ngx_conf_t *cf, ngx_str_t *value)
{
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "parameter \"%V\" is not supported: a session is sent "
                       "to the other nodes at once, but the response does not "
                       "wait for them; use \"sync\"", value);

    return NGX_CONF_ERROR;
}


char *
ngx_duplex_sticky_set_zone(ngx_conf_t *cf,
    ngx_duplex_sticky_zone_t *zone, ngx_str_t *text)
{
    u_char      *colon;
    ssize_t      size;
    ngx_str_t    digits;
    const char  *wrong;

    if (zone->name.data) {
        return "duplicate zone";
    }

    colon = (u_char *) ngx_strchr(text->data, ':');
    size = NGX_ERROR;

    if (colon) {
        digits.data = colon + 1;
        digits.len = text->data + text->len - digits.data;
        size = ngx_parse_size(&digits);
    }

    wrong = (colon == NULL) ? "zone size is not specified"
            : (colon == text->data) ? "zone name is not specified"
            : (size == NGX_ERROR) ? "invalid zone size"
            : ((size_t) size < NGX_DUPLEX_STICKY_ZONE_MIN * ngx_pagesize)
                  ? "zone is too small"
            : NULL;

    if (wrong) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"sticky\" directive %s \"%V\"", wrong, text);
        return NGX_CONF_ERROR;
    }

    zone->name.data = text->data;
    zone->name.len = colon - text->data;
    zone->size = size;

    return NGX_CONF_OK;
}


char *
ngx_duplex_sticky_add_zone(ngx_conf_t *cf, ngx_duplex_sticky_group_t *sticky,
    ngx_duplex_sticky_zone_t *zone, void *owner)
{
    ngx_uint_t  flags;

    if (sticky->timeout == 0) {
        sticky->timeout = NGX_DUPLEX_STICKY_TIMEOUT;
    }

    ngx_duplex_session_hash_key(&sticky->hash_key, &zone->name);

    flags = NGX_DUPLEX_TABLE_EVICTS|NGX_DUPLEX_TABLE_DENSE;

    if (!zone->sync) {
        flags |= NGX_DUPLEX_TABLE_LOCAL;
    }

    sticky->zone = ngx_duplex_zone_add(cf, &zone->name, zone->size,
                                       &ngx_duplex_session_kind, flags, owner);

    return sticky->zone ? NGX_CONF_OK : NGX_CONF_ERROR;
}
