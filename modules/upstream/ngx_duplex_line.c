
/*
 * The lines of a group: recorded when the configuration is bound, each with
 * its identity and a digest of what it says.
 *
 * Group, server as written, address and ordinal among equal ones are the
 * identity.  It is unique within the group: a server as written has a space
 * only if it is the path of a unix socket, and then the address is the same
 * text.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_identity.h"
#include "ngx_duplex_group.h"
#include "ngx_duplex_line.h"
#include "ngx_duplex_stock.h"


static ngx_int_t ngx_duplex_line_add(ngx_conf_t *cf,
    ngx_duplex_group_t *group, ngx_duplex_server_t *server, ngx_addr_t *addr);
static ngx_int_t ngx_duplex_line_identify(ngx_conf_t *cf,
    ngx_duplex_group_t *group, ngx_duplex_line_t *line);
static ngx_int_t ngx_duplex_line_split(ngx_str_t *key,
    ngx_duplex_line_t *line);
static ngx_int_t ngx_duplex_line_address(ngx_duplex_line_t *line,
    ngx_pool_t *pool);


ngx_int_t
ngx_duplex_server_add(ngx_conf_t *cf, ngx_duplex_group_t *group,
    ngx_duplex_server_t *server)
{
    ngx_uint_t  i;

    for (i = 0; i < server->naddrs; i++) {
        if (ngx_duplex_line_add(cf, group, server, &server->addrs[i])
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_duplex_line_add(ngx_conf_t *cf, ngx_duplex_group_t *group,
    ngx_duplex_server_t *server, ngx_addr_t *addr)
{
    ngx_duplex_line_t  *line, **slot;
    ngx_duplex_peer_t  *peer;

    line = ngx_pcalloc(cf->pool, sizeof(ngx_duplex_line_t));
    if (line == NULL) {
        return NGX_ERROR;
    }

    line->server = server->name;
    line->name = addr->name;
    line->sockaddr = addr->sockaddr;
    line->socklen = addr->socklen;
    line->backup = server->backup;
    line->set = server->set;
    line->id = group->lines.nelts;

    if (ngx_duplex_line_identify(cf, group, line) != NGX_OK) {
        return NGX_ERROR;
    }

    line->digest = ngx_duplex_line_digest(line->backup, &line->set);

    line->node.key = line->hash;
    ngx_rbtree_insert(&group->by_line, &line->node);

    slot = ngx_array_push(&group->lines);
    if (slot == NULL) {
        return NGX_ERROR;
    }

    *slot = line;

    peer = ngx_duplex_peer_create(group, line, cf->pool);
    if (peer == NULL) {
        return NGX_ERROR;
    }

    peer->digest = line->digest;
    peer->placed = 1;

    ngx_duplex_peer_insert(peer, line->id);

    return NGX_OK;
}


static ngx_int_t
ngx_duplex_line_identify(ngx_conf_t *cf, ngx_duplex_group_t *group,
    ngx_duplex_line_t *line)
{
    u_char  *p;

    line->key.data = ngx_pnalloc(cf->pool, line->server.len + line->name.len
                                           + 2 + NGX_INT_T_LEN);
    if (line->key.data == NULL) {
        return NGX_ERROR;
    }

    do {
        p = ngx_sprintf(line->key.data, "%V %V %ui", &line->server,
                        &line->name, line->ordinal);

        line->key.len = p - line->key.data;

        if (line->key.len > NGX_DUPLEX_KEY_MAX) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "server \"%V\" in upstream \"%V\" is too long",
                               &line->server, &group->name);
            return NGX_ERROR;
        }

        line->hash = ngx_duplex_line_hash(group, &line->key);

    } while (ngx_duplex_line_find(group, line->hash) && ++line->ordinal);

    return NGX_OK;
}


uint64_t
ngx_duplex_line_digest(ngx_uint_t backup, ngx_duplex_settings_t *set)
{
    u_char  *p, text[128 + NGX_DUPLEX_ROUTE_MAX];

    p = ngx_slprintf(text, text + sizeof(text), "%ui %ui %ui %ui %T %M %ui %*s",
                     backup, set->weight, set->max_conns,
                     set->max_fails, set->fail_timeout, set->slow_start,
                     (ngx_uint_t) set->state, set->route_len, set->route);

    return ngx_duplex_hash(text, p - text);
}


uint64_t
ngx_duplex_line_hash(ngx_duplex_group_t *group, ngx_str_t *key)
{
    u_char  *p;
    u_char   text[NGX_DUPLEX_ZONE_MAX + 1 + NGX_DUPLEX_KEY_MAX];

    p = ngx_slprintf(text, text + sizeof(text), "%V %V", &group->zone, key);

    return ngx_duplex_hash(text, p - text);
}


ngx_duplex_line_t *
ngx_duplex_line_find(ngx_duplex_group_t *group, uint64_t hash)
{
    ngx_rbtree_node_t  *node, *sentinel;

    node = group->by_line.root;
    sentinel = group->by_line.sentinel;

    while (node != sentinel) {

        if (node->key == hash) {
            return ngx_rbtree_data(node, ngx_duplex_line_t, node);
        }

        node = (hash < node->key) ? node->left : node->right;
    }

    return NULL;
}


ngx_int_t
ngx_duplex_line_parse(ngx_duplex_group_t *group, ngx_str_t *key,
    ngx_pool_t *pool, ngx_duplex_line_t *line)
{
    ngx_memzero(line, sizeof(ngx_duplex_line_t));

    if (key->len > NGX_DUPLEX_KEY_MAX
        || ngx_duplex_line_split(key, line) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    line->key = *key;
    line->hash = ngx_duplex_line_hash(group, key);

    return ngx_duplex_line_address(line, pool);
}


ngx_int_t
ngx_duplex_line_server(ngx_str_t *key, ngx_str_t *server)
{
    ngx_duplex_line_t  line;

    if (ngx_duplex_line_split(key, &line) != NGX_OK) {
        return NGX_DECLINED;
    }

    *server = line.server;

    return NGX_OK;
}


static ngx_int_t
ngx_duplex_line_split(ngx_str_t *key, ngx_duplex_line_t *line)
{
    size_t      len;
    u_char     *p;
    ngx_int_t   ordinal;

    for (len = key->len; len && key->data[len - 1] != ' '; len--) {
        /* void */
    }

    if (len < 4) {
        return NGX_DECLINED;
    }

    ordinal = ngx_atoi(key->data + len, key->len - len);

    if (ordinal == NGX_ERROR) {
        return NGX_DECLINED;
    }

    line->ordinal = ordinal;

    /* "SERVER ADDRESS": twice the same text, or the latter has no space */

    len--;
    p = key->data + len / 2;

    if (len % 2 == 0
        || *p != ' '
        || ngx_memcmp(key->data, p + 1, len / 2) != 0)
    {
        for (p = key->data + len - 1; p > key->data && *p != ' '; p--) {
            /* void */
        }
    }

    line->server.data = key->data;
    line->server.len = p - key->data;
    line->name.data = p + 1;
    line->name.len = key->data + len - line->name.data;

    if (p == key->data
        || line->name.len == 0
        || line->server.len > NGX_DUPLEX_SERVER_MAX)
    {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_duplex_line_address(ngx_duplex_line_t *line, ngx_pool_t *pool)
{
    ngx_int_t            rc;
    ngx_addr_t           addr;
#if (NGX_HAVE_UNIX_DOMAIN)
    ngx_str_t            path;
    struct sockaddr_un  *saun;

    if (line->name.len > 5
        && ngx_strncmp(line->name.data, "unix:", 5) == 0)
    {
        path.data = line->name.data + 5;
        path.len = line->name.len - 5;

        if (path.len >= sizeof(saun->sun_path)) {
            return NGX_DECLINED;
        }

        saun = ngx_pcalloc(pool, sizeof(struct sockaddr_un));
        if (saun == NULL) {
            return NGX_ERROR;
        }

        saun->sun_family = AF_UNIX;
        ngx_memcpy(saun->sun_path, path.data, path.len);

        line->sockaddr = (struct sockaddr *) saun;
        line->socklen = sizeof(struct sockaddr_un);

        return NGX_OK;
    }
#endif

    rc = ngx_parse_addr_port(pool, &addr, line->name.data, line->name.len);

    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_inet_get_port(addr.sockaddr) == 0
        || line->name.len > NGX_SOCKADDR_STRLEN)
    {
        return NGX_DECLINED;
    }

    line->sockaddr = addr.sockaddr;
    line->socklen = addr.socklen;

    return NGX_OK;
}
