
/*
 * The peers of a group: what they are called, and how they are found.
 *
 * They stand in their group's array, are added while the configuration is
 * bound, and do not change after that.  What a peer does at run time is not
 * kept here: that is in the stock peers and in the store.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_identity.h"
#include "ngx_duplex_group.h"


static ngx_duplex_peer_t *ngx_duplex_peer_add(ngx_conf_t *cf,
    ngx_duplex_group_t *group, ngx_str_t *server, ngx_addr_t *addr);
static ngx_int_t ngx_duplex_peer_identify(ngx_conf_t *cf,
    ngx_duplex_group_t *group, ngx_duplex_peer_t *peer);


ngx_int_t
ngx_duplex_server_add(ngx_conf_t *cf, ngx_duplex_group_t *group,
    ngx_duplex_server_t *server)
{
    ngx_uint_t          i;
    ngx_duplex_peer_t  *peer;

    for (i = 0; i < server->naddrs; i++) {

        peer = ngx_duplex_peer_add(cf, group, &server->name,
                                   &server->addrs[i]);
        if (peer == NULL) {
            return NGX_ERROR;
        }

        peer->configured = server->configured;
        peer->route = server->route;
        peer->backup = (server->backup != 0);
    }

    return NGX_OK;
}


static ngx_duplex_peer_t *
ngx_duplex_peer_add(ngx_conf_t *cf, ngx_duplex_group_t *group,
    ngx_str_t *server, ngx_addr_t *addr)
{
    ngx_duplex_peer_t  *peer;

    peer = ngx_array_push(&group->peers);
    if (peer == NULL) {
        return NULL;
    }

    ngx_memzero(peer, sizeof(ngx_duplex_peer_t));

    peer->group = group;
    peer->id = group->peers.nelts - 1;
    peer->server = *server;
    peer->name = addr->name;
    peer->sockaddr = addr->sockaddr;
    peer->socklen = addr->socklen;

    if (ngx_duplex_peer_identify(cf, group, peer) != NGX_OK) {
        return NULL;
    }

    return peer;
}


/*
 * The key is "SERVER ADDRESS ORDINAL".  It is unique within the group: a
 * server as written has a space only if it is the path of a unix socket,
 * and then the address is the same text.
 */

static ngx_int_t
ngx_duplex_peer_identify(ngx_conf_t *cf, ngx_duplex_group_t *group,
    ngx_duplex_peer_t *peer)
{
    u_char             *p, *text;
    size_t              len;
    ngx_uint_t          i;
    ngx_duplex_peer_t  *other;

    other = group->peers.elts;

    for (i = 0; i < peer->id; i++) {
        if (ngx_duplex_peer_is(&other[i], &peer->server, &peer->name)) {
            peer->ordinal++;
        }
    }

    len = peer->server.len + 1 + peer->name.len + 1 + NGX_INT_T_LEN;

    /* the hash is that of "ZONE KEY", the key is its end */

    text = ngx_pnalloc(cf->pool, group->zone.len + 1 + len);
    if (text == NULL) {
        return NGX_ERROR;
    }

    p = ngx_sprintf(text, "%V ", &group->zone);
    peer->key.data = p;

    p = ngx_sprintf(p, "%V %V %ui", &peer->server, &peer->name, peer->ordinal);
    peer->key.len = p - peer->key.data;

    peer->hash = ngx_duplex_hash(text, p - text);

    return NGX_OK;
}


ngx_uint_t
ngx_duplex_peer_is(ngx_duplex_peer_t *peer, ngx_str_t *server, ngx_str_t *name)
{
    return peer->name.len == name->len
           && peer->server.len == server->len
           && ngx_memcmp(peer->name.data, name->data, name->len) == 0
           && ngx_memcmp(peer->server.data, server->data, server->len) == 0;
}


/* its ordinal counts primaries and backups, a stock list has only either */

ngx_uint_t
ngx_duplex_peer_rank(ngx_duplex_peer_t *peer)
{
    ngx_uint_t          i, rank;
    ngx_duplex_peer_t  *other;

    if (peer->ordinal == 0) {
        return 0;
    }

    rank = 0;
    other = peer->group->peers.elts;

    for (i = 0; i < peer->id; i++) {
        if (other[i].backup == peer->backup
            && ngx_duplex_peer_is(&other[i], &peer->server, &peer->name))
        {
            rank++;
        }
    }

    return rank;
}


ngx_duplex_peer_t *
ngx_duplex_peer_of_rank(ngx_duplex_group_t *group, ngx_uint_t backup,
    ngx_str_t *server, ngx_str_t *name, ngx_uint_t rank)
{
    ngx_uint_t          i;
    ngx_duplex_peer_t  *peer;

    peer = group->peers.elts;

    for (i = 0; i < group->peers.nelts; i++) {

        if (peer[i].backup != backup
            || !ngx_duplex_peer_is(&peer[i], server, name))
        {
            continue;
        }

        if (rank == 0) {
            return &peer[i];
        }

        rank--;
    }

    return NULL;
}


ngx_duplex_peer_t *
ngx_duplex_peer_by_id(ngx_duplex_group_t *group, ngx_uint_t id)
{
    ngx_duplex_peer_t  *peers;

    if (id >= group->peers.nelts) {
        return NULL;
    }

    peers = group->peers.elts;

    return &peers[id];
}


ngx_duplex_peer_t *
ngx_duplex_peer_by_key(ngx_duplex_group_t *group, ngx_str_t *key)
{
    ngx_uint_t          i;
    ngx_duplex_peer_t  *peers;

    peers = group->peers.elts;

    for (i = 0; i < group->peers.nelts; i++) {
        if (peers[i].key.len == key->len
            && ngx_memcmp(peers[i].key.data, key->data, key->len) == 0)
        {
            return &peers[i];
        }
    }

    return NULL;
}


ngx_duplex_peer_t *
ngx_duplex_peer_by_hash(ngx_duplex_group_t *group, uint64_t hash)
{
    ngx_uint_t          i;
    ngx_duplex_peer_t  *peers;

    peers = group->peers.elts;

    for (i = 0; i < group->peers.nelts; i++) {
        if (peers[i].hash == hash) {
            return &peers[i];
        }
    }

    return NULL;
}
