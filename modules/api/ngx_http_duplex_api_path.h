
/*
 * Paths of the API: the segments of a request's path, the page they lead to,
 * and the names below a path that is no page itself.
 */


#ifndef _NGX_HTTP_DUPLEX_API_PATH_H_INCLUDED_
#define _NGX_HTTP_DUPLEX_API_PATH_H_INCLUDED_


#include "ngx_http_duplex_api.h"


/*
 * Fills in path and segments from what stands behind the location's prefix;
 * slashes around it do not count.  NGX_DECLINED: no page has such a path.
 */
ngx_int_t ngx_http_duplex_api_path_split(ngx_http_duplex_api_t *api,
    ngx_str_t *path);

/* takes the first segment (the version) away */
void ngx_http_duplex_api_path_shift(ngx_http_duplex_api_t *api);

/* the page of this path; NULL: none.  The table ends with an empty path. */
ngx_http_duplex_api_page_t *ngx_http_duplex_api_path_find(
    ngx_http_duplex_api_t *api, ngx_http_duplex_api_page_t *pages);

/*
 * The names one level below api->path, of "pages" and of the features'
 * views: an array of ngx_str_t without duplicates; NULL: no memory.
 */
ngx_array_t *ngx_http_duplex_api_path_names(ngx_http_duplex_api_t *api,
    ngx_http_duplex_api_page_t *pages);


#endif /* _NGX_HTTP_DUPLEX_API_PATH_H_INCLUDED_ */
