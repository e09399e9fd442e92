
/*
 * Directives of others that we stand before in the list of modules: what we
 * see first goes on to whom it belongs, with other parameters.
 */


#ifndef _NGX_DUPLEX_DELEGATE_H_INCLUDED_
#define _NGX_DUPLEX_DELEGATE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * Sets the directive that is being read with "args", name included, as the
 * next module of the same type that owns it in this place would have been
 * asked to.  Answers what that one does.
 */
char *ngx_duplex_delegate(ngx_conf_t *cf, ngx_module_t *self,
    ngx_array_t *args);

/*
 * The parameters of the directive that is being read but those that are
 * "word", or, if that ends with "=", begin with it; from the "first" on (0 is
 * the name).  Each of these is warned of, "why" telling what is not done.
 * NULL: no memory.
 */
ngx_array_t *ngx_duplex_delegate_without(ngx_conf_t *cf, ngx_uint_t first,
    const char *word, const char *why);


#endif /* _NGX_DUPLEX_DELEGATE_H_INCLUDED_ */
