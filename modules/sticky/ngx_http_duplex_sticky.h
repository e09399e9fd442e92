
/*
 * "sticky" of http: what the files of ngx_http_duplex_sticky_module.so share.
 */


#ifndef _NGX_HTTP_DUPLEX_STICKY_H_INCLUDED_
#define _NGX_HTTP_DUPLEX_STICKY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "../upstream/ngx_http_duplex_upstream.h"
#include "ngx_duplex_session.h"
#include "ngx_duplex_sticky.h"


/* a variable, and the cookie it is, unless it is something else */
typedef struct {
    ngx_int_t                        index;
    ngx_str_t                        cookie;        /* empty: not a cookie */
} ngx_http_duplex_sticky_source_t;


/* what "sticky cookie" sets */
typedef struct {
    ngx_str_t                        name;
    time_t                           expires;       /* -1: none */
    ngx_http_complex_value_t        *domain;        /* NULL: none */
    ngx_http_complex_value_t        *samesite;
    ngx_str_t                        path;
    unsigned                         max:1;         /* "expires=max" */
    unsigned                         httponly:1;
    unsigned                         secure:1;

    unsigned                         varies:1;      /* with the request */

    ngx_str_t                        domain_text;   /* as written */
    ngx_str_t                        samesite_text;

    /* in each worker: what follows the value, for "made" */
    time_t                           made;
    ngx_str_t                        tail;
} ngx_http_duplex_sticky_set_t;


/* of one upstream{} */
typedef struct {
    ngx_http_duplex_upstream_t      *upstream;      /* NULL: no "sticky" */
    ngx_duplex_sticky_group_t        sticky;

    /* the first source that is not empty names the server or the session */
    ngx_array_t                     *lookup;
    ngx_uint_t                       strict;

    ngx_http_duplex_sticky_set_t    *set;           /* "cookie" */

    /* "learn" */
    ngx_array_t                     *create;        /* as lookup */
    ngx_uint_t                       header;

    ngx_uint_t                       named;   /* $sticky_server is used */
    ngx_uint_t                       warned;        /* this worker said it */
} ngx_http_duplex_sticky_conf_t;


/* of one request: who it should go to, and who it went to */
typedef struct {
    ngx_http_request_t              *request;
    ngx_http_duplex_sticky_conf_t   *conf;

    ngx_str_t                        value;     /* what the request names */
    ngx_duplex_session_t             session;   /* "learn" */
    uint64_t                         served;    /* the peer's hash; 0: ask */
    ngx_duplex_sid_t                *sid;       /* of "taken", in this turn */
    ngx_table_elt_t                 *header;    /* our Set-Cookie */

    unsigned                         asked:1;   /* the request has a value */
    unsigned                         stored:1;  /* there is such a session */
    unsigned                         found:1;   /* it names a peer we have */
    unsigned                         forged:1;  /* its signature is wrong */
    unsigned                         taken:1;   /* by us, in this attempt */
    unsigned                         learned:1; /* the answer was seen */
    unsigned                         counted:1; /* in the group's counters */

    /* the balancer's */
    void                            *data;
    ngx_event_get_peer_pt            get;
    ngx_event_free_peer_pt           free;
    ngx_event_notify_peer_pt         notify;
    ngx_event_set_peer_session_pt    set_session;
    ngx_event_save_peer_session_pt   save_session;
} ngx_http_duplex_sticky_t;


extern ngx_module_t  ngx_http_duplex_sticky_module;


/* the directive "sticky" */
char *ngx_http_duplex_sticky(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* the wrapper of peer selection, an ngx_http_duplex_wrap_pt */
ngx_int_t ngx_http_duplex_sticky_init_peer(ngx_http_request_t *r,
    ngx_http_upstream_srv_conf_t *us);

/* for "learn ... header", in each worker */
void ngx_http_duplex_sticky_add_header_filter(void);


/*
 * The first value that is not empty.  A cookie is looked for as nginx does,
 * at a quarter of the price.
 * NGX_OK, NGX_DECLINED: all are empty; NGX_ERROR.
 */
ngx_int_t ngx_http_duplex_sticky_value(ngx_http_request_t *r,
    ngx_array_t *sources, ngx_str_t *value);

/* for directives: NGX_OK, NGX_DECLINED: not a variable, NGX_ERROR: logged */
ngx_int_t ngx_http_duplex_sticky_add_source(ngx_conf_t *cf,
    ngx_array_t **sources, ngx_str_t *variable);
/* for bind: which of them are cookies, and nobody has made them otherwise */
void ngx_http_duplex_sticky_bind_sources(ngx_conf_t *cf, ngx_array_t *sources);
/* a source that is a cookie without a variable; NULL: no memory */
ngx_array_t *ngx_http_duplex_sticky_cookie_source(ngx_conf_t *cf,
    ngx_str_t *name);


/* for directives: the parameters of "cookie" from the fourth word on */
char *ngx_http_duplex_sticky_set_parse(ngx_conf_t *cf,
    ngx_http_duplex_sticky_conf_t *scf);
/* our Set-Cookie for "value", once in the answer; NGX_OK or NGX_ERROR */
ngx_int_t ngx_http_duplex_sticky_set(ngx_http_duplex_sticky_t *sticky,
    ngx_str_t *value);


/* of the last attempt */
ngx_duplex_sticky_status_e ngx_http_duplex_sticky_status(
    ngx_http_duplex_sticky_t *sticky);

/* $sticky_status, $sticky_server */
ngx_int_t ngx_http_duplex_sticky_add_variables(ngx_conf_t *cf);
/* for bind: the configuration uses the second one */
ngx_uint_t ngx_http_duplex_sticky_names_servers(ngx_conf_t *cf);


#endif /* _NGX_HTTP_DUPLEX_STICKY_H_INCLUDED_ */
