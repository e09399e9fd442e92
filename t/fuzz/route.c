
/*
 * links: modules/api/ngx_duplex_route.c modules/core/ngx_duplex_page.c
 *
 * Fuzzer of paths and arguments: what stands behind the location's name, up
 * to the first "?", finds a page or names; each argument is looked up.
 */


#include "fuzz.h"
#include "../../modules/api/ngx_duplex_route.h"
#include "../../modules/core/ngx_duplex_conf.h"
#include "../../modules/core/ngx_duplex_registry.h"


#define PAGES  (sizeof(paths) / sizeof(paths[0]))


static ngx_str_t  paths[] = {
    ngx_string("nginx"),
    ngx_string("http/upstreams"),
    ngx_string("http/upstreams/*"),
    ngx_string("http/upstreams/*/servers"),
    ngx_string("http/upstreams/*/servers/*"),
    ngx_string("stream/upstreams/*/servers/*"),
    ngx_string("http/keyvals/*"),
    ngx_string("duplex/node"),
    ngx_string("duplex/sessions/*"),
    ngx_string("duplex/sessions/*/*"),
    ngx_string("duplex/deployments/*/history"),
    ngx_string("a/b/c/d/e/f/g/*")
};

static const char  *args[] = { "fields", "key", "wait", "limit", "value" };

static ngx_duplex_conf_t   conf;
static ngx_duplex_page_t   pages[PAGES];
static ngx_duplex_page_t  *registered[PAGES];

ngx_duplex_conf_t         *ngx_duplex_present = &conf;


ngx_duplex_view_t *
ngx_duplex_view(ngx_uint_t i)
{
    static ngx_duplex_view_t  view = { ngx_string("stream/zone_sync"), NULL };

    return i == 0 ? &view : NULL;
}


void
fuzz_init(void)
{
    ngx_uint_t  i;

    for (i = 0; i < PAGES; i++) {
        pages[i].path = paths[i];
        registered[i] = &pages[i];
    }

    conf.pages.elts = registered;
    conf.pages.nelts = PAGES;
}


static void
look_up_arguments(u_char *data, size_t len, ngx_pool_t *pool)
{
    ngx_uint_t         i;
    ngx_str_t          value;
    ngx_duplex_call_t  call;

    ngx_memzero(&call, sizeof(ngx_duplex_call_t));

    call.pool = pool;
    call.args.data = data;
    call.args.len = len;

    for (i = 0; i < sizeof(args) / sizeof(args[0]); i++) {
        if (ngx_duplex_call_arg(&call, args[i], &value) == NGX_OK) {
            must(value.len <= len);
        }
    }
}


void
fuzz_one(u_char *data, size_t len, ngx_pool_t *pool)
{
    u_char              *end;
    ngx_str_t            path, *name;
    ngx_uint_t           i;
    ngx_array_t         *names;
    ngx_duplex_page_t   *page;
    ngx_duplex_route_t   route;

    end = ngx_strlchr(data, data + len, '?');

    if (end) {
        look_up_arguments(end + 1, data + len - end - 1, pool);
    }

    path.data = data;
    path.len = end ? (size_t) (end - data) : len;

    if (ngx_duplex_route_split(&route, &path) != NGX_OK) {
        return;
    }

    must(route.nsegments <= NGX_DUPLEX_PAGE_SEGMENTS);

    for (i = 0; i < route.nsegments; i++) {
        must(route.segment[i].len > 0);
        must(route.segment[i].data + route.segment[i].len
             <= path.data + path.len);
        must(ngx_strlchr(route.segment[i].data, route.segment[i].data
                         + route.segment[i].len, '/') == NULL);
    }

    if (route.nsegments && route.segment[0].len == 1) {
        ngx_duplex_route_shift(&route);
    }

    page = ngx_duplex_route_page(&route);

    must(page == NULL || route.nwildcards <= route.nsegments);
    must(page == NULL || ngx_duplex_route_match(&route, &page->path));

    names = ngx_duplex_route_names(&route, pool);

    must(names != NULL);

    name = names->elts;

    for (i = 1; i < names->nelts; i++) {
        must(ngx_memn2cmp(name[i - 1].data, name[i].data, name[i - 1].len,
                          name[i].len) < 0);
    }
}
