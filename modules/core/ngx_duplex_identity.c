
/*
 * See the header.  ngx_duplex_identity() itself stands with the rest of the
 * life cycle, in ngx_duplex_core_module.c.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_md5.h>
#include "ngx_duplex_identity.h"


uint64_t
ngx_duplex_hash(const u_char *data, size_t len)
{
    u_char      digest[16];
    uint64_t    hash;
    ngx_md5_t   md5;
    ngx_uint_t  i;

    ngx_md5_init(&md5);
    ngx_md5_update(&md5, data, len);
    ngx_md5_final(digest, &md5);

    hash = 0;

    for (i = 0; i < 8; i++) {
        hash = hash << 8 | digest[i];
    }

    return hash;
}


uint64_t
ngx_duplex_node_id(ngx_str_t *name)
{
    uint64_t  id;

    id = ngx_duplex_hash(name->data, name->len);

    return id ? id : 1;
}


ngx_int_t
ngx_duplex_node_name_check(ngx_str_t *name)
{
    size_t  i;
    u_char  ch;

    if (name->len == 0 || name->len > NGX_DUPLEX_NODE_NAME_MAX) {
        return NGX_DECLINED;
    }

    for (i = 0; i < name->len; i++) {
        ch = name->data[i];

        if ((ch < 'a' || ch > 'z') && (ch < 'A' || ch > 'Z')
            && (ch < '0' || ch > '9') && ch != '.' && ch != '-' && ch != '_')
        {
            return NGX_DECLINED;
        }
    }

    return NGX_OK;
}
