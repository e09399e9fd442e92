
/*
 * The log of one probe: keeps the first complaint of nginx.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_probe_log.h"


static void ngx_duplex_probe_log_writer(ngx_log_t *log, ngx_uint_t level,
    u_char *buf, size_t len);


void
ngx_duplex_probe_log_init(ngx_duplex_probe_log_t *pl)
{
    pl->log.file = NULL;
    pl->log.next = NULL;
    pl->log.handler = NULL;
    pl->log.writer = ngx_duplex_probe_log_writer;
    pl->log.wdata = pl;
    pl->log.log_level = NGX_LOG_ERR;
}


static void
ngx_duplex_probe_log_writer(ngx_log_t *log, ngx_uint_t level, u_char *buf,
    size_t len)
{
    u_char                  *p, *last;
    ngx_duplex_probe_log_t  *pl;

    pl = log->wdata;

    /* "2026/11/22 20:00:00 [error] 12#12: text" and a line feed */

    last = buf + len;

    while (last > buf && (last[-1] == LF || last[-1] == CR)) {
        last--;
    }

    p = ngx_strlchr(buf, last, '#');

    if (p == NULL) {
        return;
    }

    p = ngx_strlchr(p, last, ':');

    if (p == NULL || last - p < 2) {
        return;
    }

    p += 2;

    if (level <= NGX_LOG_ALERT) {
        ngx_log_error(level, ngx_cycle->log, 0, "%*s, in a health check",
                      (size_t) (last - p), p);
    }

    if (pl->text.len) {
        return;
    }

    len = ngx_min((size_t) (last - p), NGX_DUPLEX_PROBE_LOG_TEXT);

    ngx_memcpy(pl->buf, p, len);

    pl->text.len = len;
    pl->text.data = pl->buf;
}


ngx_uint_t
ngx_duplex_probe_log_is_local(ngx_duplex_probe_log_t *pl)
{
    u_char  text[NGX_INT_T_LEN + 3], *last;

    if (pl->text.len == 0) {
        return 0;
    }

    last = ngx_sprintf(text, "(%d:", EADDRNOTAVAIL);

    return ngx_strlcasestrn(pl->text.data, pl->text.data + pl->text.len, text,
                            last - text - 1)
           != NULL;
}
