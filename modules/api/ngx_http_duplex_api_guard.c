
/*
 * See the header.
 *
 * Of the configurations of nginx's access modules only the first member is
 * looked at: the list of rules, the realm, the uri.  It has been that in all
 * versions so far.
 */


#include "ngx_http_duplex_api_guard.h"


extern ngx_module_t  ngx_http_access_module __attribute__((weak));
extern ngx_module_t  ngx_http_auth_basic_module __attribute__((weak));
extern ngx_module_t  ngx_http_auth_request_module __attribute__((weak));


static ngx_uint_t ngx_http_duplex_api_guard_is_set(ngx_conf_t *cf,
    ngx_module_t *module, void *unset);
static ngx_uint_t ngx_http_duplex_api_guard_is_local(ngx_conf_t *cf);
static ngx_uint_t ngx_http_duplex_api_guard_listens(
    ngx_http_conf_addr_t *addr, ngx_http_core_srv_conf_t *cscf);
static ngx_uint_t ngx_http_duplex_api_guard_is_loopback(
    struct sockaddr *sockaddr);
static ngx_table_elt_t *ngx_http_duplex_api_guard_header(
    ngx_http_request_t *r, const char *name);


void
ngx_http_duplex_api_guard_check(ngx_conf_t *cf)
{
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->noname
        || clcf->internal
        || clcf->limit_except
        || ngx_http_duplex_api_guard_is_set(cf, &ngx_http_access_module, NULL)
        || ngx_http_duplex_api_guard_is_set(cf, &ngx_http_auth_basic_module,
                                            NGX_CONF_UNSET_PTR)
        || ngx_http_duplex_api_guard_is_set(cf, &ngx_http_auth_request_module,
                                            NULL)
        || ngx_http_duplex_api_guard_is_local(cf))
    {
        return;
    }

    ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                       "\"api write=on\" in location \"%V\" lets anybody "
                       "change this node: guard it with \"allow\" and "
                       "\"deny\", \"auth_basic\" or \"limit_except\", or "
                       "listen on a loopback address", &clcf->name);
}


static ngx_uint_t
ngx_http_duplex_api_guard_is_set(ngx_conf_t *cf, ngx_module_t *module,
    void *unset)
{
    void  **loc_conf, **conf;

    /* NULL: this nginx has no such module */

    if (module == NULL) {
        return 0;
    }

    loc_conf = ((ngx_http_conf_ctx_t *) cf->ctx)->loc_conf;
    conf = loc_conf[module->ctx_index];

    return conf && *conf != NULL && *conf != unset;
}


/* the server listens on loopback addresses and unix sockets only */

static ngx_uint_t
ngx_http_duplex_api_guard_is_local(ngx_conf_t *cf)
{
    ngx_uint_t                  i, k;
    ngx_http_conf_port_t       *port;
    ngx_http_conf_addr_t       *addr;
    ngx_http_core_srv_conf_t   *cscf;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);
    cscf = ngx_http_conf_get_module_srv_conf(cf, ngx_http_core_module);

    if (cmcf->ports == NULL) {
        return 0;
    }

    port = cmcf->ports->elts;

    for (i = 0; i < cmcf->ports->nelts; i++) {

        addr = port[i].addrs.elts;

        for (k = 0; k < port[i].addrs.nelts; k++) {
            if (ngx_http_duplex_api_guard_listens(&addr[k], cscf)
                && !ngx_http_duplex_api_guard_is_loopback(
                        addr[k].opt.sockaddr))
            {
                return 0;
            }
        }
    }

    return 1;
}


static ngx_uint_t
ngx_http_duplex_api_guard_listens(ngx_http_conf_addr_t *addr,
    ngx_http_core_srv_conf_t *cscf)
{
    ngx_uint_t                  i;
    ngx_http_core_srv_conf_t  **server;

    server = addr->servers.elts;

    for (i = 0; i < addr->servers.nelts; i++) {
        if (server[i] == cscf) {
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
ngx_http_duplex_api_guard_is_loopback(struct sockaddr *sockaddr)
{
    struct sockaddr_in   *sin;
#if (NGX_HAVE_INET6)
    struct sockaddr_in6  *sin6;
#endif

    switch (sockaddr->sa_family) {

#if (NGX_HAVE_INET6)
    case AF_INET6:
        sin6 = (struct sockaddr_in6 *) sockaddr;
        return IN6_IS_ADDR_LOOPBACK(&sin6->sin6_addr);
#endif

    case AF_INET:
        sin = (struct sockaddr_in *) sockaddr;
        return (ntohl(sin->sin_addr.s_addr) >> 24) == 127;

    default: /* AF_UNIX */
        return 1;
    }
}


/*
 * Programs send no Origin.  A page of ours has the origin that it asks: the
 * same host and port as in Host, whatever the scheme, which a proxy before us
 * may have changed.
 */

ngx_uint_t
ngx_http_duplex_api_guard_foreign(ngx_http_request_t *r)
{
    ngx_str_t         origin, *host;
    ngx_table_elt_t  *header;

    header = ngx_http_duplex_api_guard_header(r, "Sec-Fetch-Site");

    if (header && ngx_strcmp(header->value.data, "cross-site") == 0) {
        return 1;
    }

    header = ngx_http_duplex_api_guard_header(r, "Origin");

    if (header == NULL) {
        return 0;
    }

    origin = header->value;

    if (origin.len > 7 && ngx_strncmp(origin.data, "http://", 7) == 0) {
        origin.data += 7;
        origin.len -= 7;

    } else if (origin.len > 8 && ngx_strncmp(origin.data, "https://", 8) == 0) {
        origin.data += 8;
        origin.len -= 8;

    } else {
        return 1;
    }

    if (r->headers_in.host == NULL) {
        return 1;
    }

    host = &r->headers_in.host->value;

    return origin.len != host->len
           || ngx_strncasecmp(origin.data, host->data, host->len) != 0;
}


static ngx_table_elt_t *
ngx_http_duplex_api_guard_header(ngx_http_request_t *r, const char *name)
{
    size_t            len;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *header;

    len = ngx_strlen(name);

    for (part = &r->headers_in.headers.part; part; part = part->next) {

        header = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (header[i].key.len == len
                && ngx_strncasecmp(header[i].key.data, (u_char *) name, len)
                   == 0)
            {
                return &header[i];
            }
        }
    }

    return NULL;
}
