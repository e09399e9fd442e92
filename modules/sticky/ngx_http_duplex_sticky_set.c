
/*
 * The cookie of "sticky cookie": its parameters, and the header that sets it.
 *
 * The header is made when a server has been selected, so it stands before
 * the ones of the answer, and a retry only changes its value.  Its form is
 * stock's: value, expires, max-age, domain, httponly, secure, samesite, path.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "../core/ngx_duplex_compat.h"
#include "ngx_http_duplex_sticky.h"


/* all that may follow the value, without what differs in length */
#define NGX_HTTP_DUPLEX_STICKY_TAIL                                           \
    "; expires=Thu, 31-Dec-37 23:55:55 GMT; max-age=315360000; domain="       \
    "; httponly; secure; samesite=; path="

#define NGX_HTTP_DUPLEX_STICKY_EXPIRES_MAX                                    \
    "; expires=Thu, 31-Dec-37 23:55:55 GMT; max-age=315360000"


static char *ngx_http_duplex_sticky_set_expires(ngx_conf_t *cf,
    ngx_http_duplex_sticky_set_t *set, ngx_str_t *text);
static char *ngx_http_duplex_sticky_set_domain(ngx_conf_t *cf,
    ngx_http_duplex_sticky_set_t *set, ngx_str_t *text);
static char *ngx_http_duplex_sticky_set_samesite(ngx_conf_t *cf,
    ngx_http_duplex_sticky_set_t *set, ngx_str_t *text);
static char *ngx_http_duplex_sticky_set_path(
    ngx_http_duplex_sticky_set_t *set, ngx_str_t *text);
static ngx_http_complex_value_t *ngx_http_duplex_sticky_compile(ngx_conf_t *cf,
    ngx_str_t *text);
static ngx_uint_t ngx_http_duplex_sticky_is_samesite(ngx_str_t *text);
static ngx_table_elt_t *ngx_http_duplex_sticky_set_header(
    ngx_http_duplex_sticky_t *sticky);
static ngx_int_t ngx_http_duplex_sticky_tail(ngx_http_request_t *r,
    ngx_http_duplex_sticky_set_t *set, ngx_str_t *tail);
static u_char *ngx_http_duplex_sticky_expires(u_char *p,
    ngx_http_duplex_sticky_set_t *set);
static ngx_int_t ngx_http_duplex_sticky_samesite(ngx_http_request_t *r,
    ngx_http_duplex_sticky_set_t *set, ngx_str_t *text);


char *
ngx_http_duplex_sticky_set_parse(ngx_conf_t *cf,
    ngx_http_duplex_sticky_conf_t *scf)
{
    char                          *rv;
    ngx_str_t                     *value, text;
    ngx_uint_t                     i;
    ngx_http_duplex_sticky_set_t  *set;

    set = ngx_pcalloc(cf->pool, sizeof(ngx_http_duplex_sticky_set_t));
    if (set == NULL) {
        return NGX_CONF_ERROR;
    }

    scf->set = set;

    value = cf->args->elts;

    if (value[2].len == 0) {
        return "empty cookie name";
    }

    set->name = value[2];
    set->expires = NGX_CONF_UNSET;
    set->made = -1;

    scf->lookup = ngx_http_duplex_sticky_cookie_source(cf, &set->name);
    if (scf->lookup == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 3; i < cf->args->nelts; i++) {

        text.data = (u_char *) ngx_strchr(value[i].data, '=');
        text.data = text.data ? text.data + 1 : value[i].data + value[i].len;
        text.len = value[i].data + value[i].len - text.data;

        rv = NGX_CONF_OK;

        if (ngx_strncmp(value[i].data, "expires=", 8) == 0) {
            rv = ngx_http_duplex_sticky_set_expires(cf, set, &text);

        } else if (ngx_strncmp(value[i].data, "domain=", 7) == 0) {
            rv = ngx_http_duplex_sticky_set_domain(cf, set, &text);

        } else if (ngx_strncmp(value[i].data, "samesite=", 9) == 0) {
            rv = ngx_http_duplex_sticky_set_samesite(cf, set, &text);

        } else if (ngx_strncmp(value[i].data, "path=", 5) == 0) {
            rv = ngx_http_duplex_sticky_set_path(set, &text);

        } else if (ngx_strcmp(value[i].data, "httponly") == 0) {

            if (set->httponly) {
                return "parameter \"httponly\" is duplicate";
            }

            set->httponly = 1;

        } else if (ngx_strcmp(value[i].data, "secure") == 0) {

            if (set->secure) {
                return "parameter \"secure\" is duplicate";
            }

            set->secure = 1;

        } else if (ngx_strncmp(value[i].data, "signed=", 7) == 0) {

            if (scf->sticky.nkeys) {
                return "parameter \"signed\" is duplicate";
            }

            if (text.len == 0) {
                return "no value for \"signed\"";
            }

            if (ngx_duplex_sticky_read_keys(cf, &scf->sticky, &text)
                != NGX_OK)
            {
                return NGX_CONF_ERROR;
            }

        } else if (ngx_strcmp(value[i].data, "strict") == 0) {

            if (scf->strict) {
                return "parameter \"strict\" is duplicate";
            }

            scf->strict = 1;

        } else {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "unknown parameter \"%V\"", &value[i]);
            return NGX_CONF_ERROR;
        }

        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    set->tail.data = ngx_pnalloc(cf->pool,
                                 sizeof(NGX_HTTP_DUPLEX_STICKY_TAIL)
                                 + NGX_TIME_T_LEN + set->domain_text.len
                                 + set->samesite_text.len + set->path.len);

    return set->tail.data ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static char *
ngx_http_duplex_sticky_set_expires(ngx_conf_t *cf,
    ngx_http_duplex_sticky_set_t *set, ngx_str_t *text)
{
    if (set->expires != NGX_CONF_UNSET || set->max) {
        return "parameter \"expires\" is duplicate";
    }

    if (ngx_strcmp(text->data, "max") == 0) {
        set->max = 1;
        return NGX_CONF_OK;
    }

    set->expires = ngx_parse_time(text, 1);

    if (set->expires == (time_t) NGX_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"sticky\" directive invalid \"expires\" parameter "
                           "value \"%V\"", text);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_duplex_sticky_set_domain(ngx_conf_t *cf,
    ngx_http_duplex_sticky_set_t *set, ngx_str_t *text)
{
    if (set->domain) {
        return "parameter \"domain\" is duplicate";
    }

    if (text->len == 0) {
        return "no value for \"domain\"";
    }

    set->domain_text = *text;
    set->varies |= (ngx_http_script_variables_count(text) != 0);

    set->domain = ngx_http_duplex_sticky_compile(cf, text);

    return set->domain ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static char *
ngx_http_duplex_sticky_set_samesite(ngx_conf_t *cf,
    ngx_http_duplex_sticky_set_t *set, ngx_str_t *text)
{
    if (set->samesite) {
        return "parameter \"samesite\" is duplicate";
    }

    if (ngx_http_script_variables_count(text) == 0
        && !ngx_http_duplex_sticky_is_samesite(text))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"sticky\" directive invalid \"samesite\" "
                           "parameter value \"%V\"", text);
        return NGX_CONF_ERROR;
    }

    set->samesite_text = *text;
    set->varies |= (ngx_http_script_variables_count(text) != 0);

    set->samesite = ngx_http_duplex_sticky_compile(cf, text);

    return set->samesite ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static char *
ngx_http_duplex_sticky_set_path(ngx_http_duplex_sticky_set_t *set,
    ngx_str_t *text)
{
    if (set->path.data) {
        return "parameter \"path\" is duplicate";
    }

    if (text->len == 0) {
        return "no value for \"path\"";
    }

    set->path = *text;

    return NGX_CONF_OK;
}


static ngx_http_complex_value_t *
ngx_http_duplex_sticky_compile(ngx_conf_t *cf, ngx_str_t *text)
{
    ngx_http_complex_value_t          *value;
    ngx_http_compile_complex_value_t   ccv;

    value = ngx_pcalloc(cf->pool, sizeof(ngx_http_complex_value_t));
    if (value == NULL) {
        return NULL;
    }

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = text;
    ccv.complex_value = value;

    return ngx_http_compile_complex_value(&ccv) == NGX_OK ? value : NULL;
}


static ngx_uint_t
ngx_http_duplex_sticky_is_samesite(ngx_str_t *text)
{
    ngx_uint_t  i;

    static ngx_str_t  words[] = {
        ngx_string("strict"),
        ngx_string("lax"),
        ngx_string("none")
    };

    for (i = 0; i < 3; i++) {
        if (text->len == words[i].len
            && ngx_strncasecmp(text->data, words[i].data, text->len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


ngx_int_t
ngx_http_duplex_sticky_set(ngx_http_duplex_sticky_t *sticky, ngx_str_t *value)
{
    u_char                        *p;
    size_t                         len;
    ngx_str_t                     *tail, own;
    ngx_http_request_t            *r;
    ngx_http_duplex_sticky_set_t  *set;

    r = sticky->request;
    set = sticky->conf->set;

    if (sticky->header == NULL) {
        sticky->header = ngx_http_duplex_sticky_set_header(sticky);

        if (sticky->header == NULL) {
            return NGX_ERROR;
        }
    }

    /* what follows the value is the same for all answers of one second */

    tail = &set->tail;

    if (set->varies) {
        tail = &own;

        if (ngx_http_duplex_sticky_tail(r, set, tail) != NGX_OK) {
            return NGX_ERROR;
        }

    } else if (set->made != ngx_time()) {

        if (ngx_http_duplex_sticky_tail(NULL, set, tail) != NGX_OK) {
            return NGX_ERROR;
        }

        set->made = ngx_time();
    }

    len = set->name.len + 1 + value->len + tail->len;

    p = ngx_pnalloc(r->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    sticky->header->value.data = p;
    sticky->header->value.len = len;

    p = ngx_cpymem(p, set->name.data, set->name.len);
    *p++ = '=';
    p = ngx_cpymem(p, value->data, value->len);
    ngx_memcpy(p, tail->data, tail->len);

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "sticky: set cookie: \"%V\"", &sticky->header->value);

    return NGX_OK;
}


/* all attributes; without a request into set->tail, which has the room */

static ngx_int_t
ngx_http_duplex_sticky_tail(ngx_http_request_t *r,
    ngx_http_duplex_sticky_set_t *set, ngx_str_t *tail)
{
    u_char     *p;
    size_t      len;
    ngx_str_t   domain, samesite;

    domain = set->domain_text;
    samesite = set->samesite_text;

    if (r) {

        if (set->domain
            && ngx_http_complex_value(r, set->domain, &domain) != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (ngx_http_duplex_sticky_samesite(r, set, &samesite) != NGX_OK) {
            return NGX_ERROR;
        }

        len = sizeof(NGX_HTTP_DUPLEX_STICKY_TAIL) + NGX_TIME_T_LEN
              + domain.len + samesite.len + set->path.len;

        tail->data = ngx_pnalloc(r->pool, len);
        if (tail->data == NULL) {
            return NGX_ERROR;
        }
    }

    p = ngx_http_duplex_sticky_expires(tail->data, set);

    if (domain.len) {
        p = ngx_cpymem(p, "; domain=", sizeof("; domain=") - 1);
        p = ngx_cpymem(p, domain.data, domain.len);
    }

    if (set->httponly) {
        p = ngx_cpymem(p, "; httponly", sizeof("; httponly") - 1);
    }

    if (set->secure) {
        p = ngx_cpymem(p, "; secure", sizeof("; secure") - 1);
    }

    if (samesite.len) {
        p = ngx_cpymem(p, "; samesite=", sizeof("; samesite=") - 1);
        p = ngx_cpymem(p, samesite.data, samesite.len);
    }

    if (set->path.len) {
        p = ngx_cpymem(p, "; path=", sizeof("; path=") - 1);
        p = ngx_cpymem(p, set->path.data, set->path.len);
    }

    tail->len = p - tail->data;

    return NGX_OK;
}


/* of an earlier group of this request, if that set the same cookie */

static ngx_table_elt_t *
ngx_http_duplex_sticky_set_header(ngx_http_duplex_sticky_t *sticky)
{
    ngx_str_t            *name;
    ngx_uint_t            i;
    ngx_list_part_t      *part;
    ngx_table_elt_t      *h;
    ngx_http_request_t   *r;

    r = sticky->request;
    name = &sticky->conf->set->name;

    for (part = &r->headers_out.headers.part; part; part = part->next) {

        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (h[i].hash
                && h[i].key.len == sizeof("Set-Cookie") - 1
                && ngx_strncasecmp(h[i].key.data, (u_char *) "Set-Cookie",
                                   sizeof("Set-Cookie") - 1)
                   == 0
                && h[i].value.len > name->len
                && h[i].value.data[name->len] == '='
                && ngx_strncmp(h[i].value.data, name->data, name->len) == 0)
            {
                return &h[i];
            }
        }
    }

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NULL;
    }

    h->hash = 1;
    ngx_str_set(&h->key, "Set-Cookie");
    ngx_str_null(&h->value);

#if (NGX_DUPLEX_HAVE_LINKED_HEADERS)
    h->next = NULL;
#endif

    return h;
}


static u_char *
ngx_http_duplex_sticky_expires(u_char *p, ngx_http_duplex_sticky_set_t *set)
{
    if (set->max) {
        return ngx_cpymem(p, NGX_HTTP_DUPLEX_STICKY_EXPIRES_MAX,
                          sizeof(NGX_HTTP_DUPLEX_STICKY_EXPIRES_MAX) - 1);
    }

    if (set->expires == NGX_CONF_UNSET) {
        return p;
    }

    p = ngx_cpymem(p, "; expires=", sizeof("; expires=") - 1);
    p = ngx_http_cookie_time(p, ngx_time() + set->expires);

    return ngx_sprintf(p, "; max-age=%T", set->expires);
}


/* as stock has it, what is not known is the strictest */

static ngx_int_t
ngx_http_duplex_sticky_samesite(ngx_http_request_t *r,
    ngx_http_duplex_sticky_set_t *set, ngx_str_t *text)
{
    ngx_str_null(text);

    if (set->samesite == NULL) {
        return NGX_OK;
    }

    if (ngx_http_complex_value(r, set->samesite, text) != NGX_OK) {
        return NGX_ERROR;
    }

    if (text->len && !ngx_http_duplex_sticky_is_samesite(text)) {
        ngx_log_debug1(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                       "sticky: invalid cookie samesite value \"%V\"", text);
        ngx_str_set(text, "strict");
    }

    return NGX_OK;
}
