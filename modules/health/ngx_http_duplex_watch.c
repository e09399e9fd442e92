
/*
 * Clients' requests as witnesses: one that fails, or has no header of an
 * answer in time, is a reason to probe its server at once.
 *
 * What is ours lives in the request's pool and looks at what nginx itself
 * notes of each server that was tried.  The alarm says nothing of the
 * server: only a probe does.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "../core/ngx_duplex_param.h"
#include "ngx_duplex_alarm.h"
#include "ngx_http_duplex_health.h"
#include "ngx_http_duplex_watch.h"


typedef struct {
    ngx_http_request_t     *request;
    ngx_http_upstream_t    *upstream;       /* the present one, maybe */
    ngx_duplex_group_t     *group;

    ngx_socket_t            fd;             /* where a connection has it */
    ngx_event_t             timer;
} ngx_http_duplex_watch_t;


static void ngx_http_duplex_watch_timer_handler(ngx_event_t *ev);
static void ngx_http_duplex_watch_cleanup(void *data);


static ngx_duplex_param_t  ngx_http_duplex_watch_params[] = {

    { ngx_string("late"), 0, ngx_duplex_param_msec,
      offsetof(ngx_http_duplex_watch_conf_t, late) },

    ngx_duplex_null_param
};


char *
ngx_http_duplex_watch_set(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t                     *value;
    ngx_http_duplex_watch_conf_t  *wcf;

    wcf = (ngx_http_duplex_watch_conf_t *) ((u_char *) conf + cmd->offset);

    if (wcf->set) {
        return "is duplicate";
    }

    wcf->set = 1;
    wcf->late = NGX_HTTP_DUPLEX_WATCH_LATE;

    value = (ngx_str_t *) cf->args->elts + 1;

    if (ngx_strcmp(value->data, "on") == 0) {
        wcf->on = 1;

    } else if (ngx_strcmp(value->data, "off") != 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\" in \"%V\" directive, it must "
                           "be \"on\" or \"off\"", value, &cmd->name);
        return NGX_CONF_ERROR;
    }

    return ngx_duplex_param_parse(cf, ngx_http_duplex_watch_params, 2, wcf)
           == NGX_OK ? NGX_CONF_OK : NGX_CONF_ERROR;
}


ngx_int_t
ngx_http_duplex_watch(ngx_http_request_t *r, ngx_http_duplex_watch_conf_t *wcf)
{
    ngx_http_cleanup_t       *cln;
    ngx_http_duplex_watch_t  *watch;

    cln = ngx_http_cleanup_add(r, sizeof(ngx_http_duplex_watch_t));
    if (cln == NULL) {
        return NGX_ERROR;
    }

    watch = cln->data;

    ngx_memzero(watch, sizeof(ngx_http_duplex_watch_t));

    cln->handler = ngx_http_duplex_watch_cleanup;

    watch->request = r;
    watch->upstream = r->upstream;
    watch->group = wcf->group;

    watch->fd = (ngx_socket_t) -1;

    watch->timer.handler = ngx_http_duplex_watch_timer_handler;
    watch->timer.data = watch;
    watch->timer.log = r->connection->log;
    watch->timer.cancelable = 1;

    ngx_add_timer(&watch->timer, wcf->late);

    return NGX_OK;
}


static void
ngx_http_duplex_watch_timer_handler(ngx_event_t *ev)
{
    ngx_http_upstream_t      *u;
    ngx_http_duplex_watch_t  *watch;

    watch = ev->data;
    u = watch->request->upstream;

    /* it may be over, or another by now */

    if (u == NULL
        || u != watch->upstream
        || u->cleanup == NULL
        || u->headers_in.status_n
        || u->state == NULL
        || u->state->peer == NULL)
    {
        return;
    }

    ngx_duplex_alarm(watch->group, u->state->peer);
}


/* the request is over: nginx has noted whom it asked, and what came of it */

static void
ngx_http_duplex_watch_cleanup(void *data)
{
    ngx_http_duplex_watch_t *watch = data;

    ngx_uint_t                  i;
    ngx_array_t                *states;
    ngx_http_upstream_state_t  *state;

    if (watch->timer.timer_set) {
        ngx_del_timer(&watch->timer);
    }

    states = watch->request->upstream_states;

    if (states == NULL) {
        return;
    }

    state = states->elts;

    for (i = 0; i < states->nelts; i++) {

        /* its own 502 has a header; one that nginx made for it has none */

        if (state[i].peer
            && state[i].header_time == (ngx_msec_t) -1
            && (state[i].status == NGX_HTTP_BAD_GATEWAY
                || state[i].status == NGX_HTTP_GATEWAY_TIME_OUT))
        {
            ngx_duplex_alarm(watch->group, state[i].peer);
        }
    }
}
