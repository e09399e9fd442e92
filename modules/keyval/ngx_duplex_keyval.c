
/*
 * The pairs of a zone: search, change, count.
 *
 * A search for a network or a beginning tries the lengths that keys have,
 * the longest first.  Each process learns them from the table's log; a length
 * that nobody has any more costs one look more, and nothing else.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_keyval.h"


#define NGX_DUPLEX_KEYVAL_IPV4  0           /* of lengths[] */
#define NGX_DUPLEX_KEYVAL_IPV6  1


static ngx_int_t ngx_duplex_keyval_search_ip(ngx_duplex_keyval_t *keyval,
    ngx_str_t *key, ngx_duplex_record_t *rec, u_char *buf);
static ngx_int_t ngx_duplex_keyval_search_prefix(ngx_duplex_keyval_t *keyval,
    ngx_str_t *key, ngx_duplex_record_t *rec, u_char *buf);
static void ngx_duplex_keyval_learn(ngx_duplex_keyval_t *keyval);
static void ngx_duplex_keyval_learn_all(ngx_duplex_keyval_t *keyval);
static void ngx_duplex_keyval_learn_key(ngx_duplex_keyval_t *keyval,
    ngx_str_t *key);
static size_t ngx_duplex_keyval_network(u_char *text, int family, u_char *addr,
    ngx_uint_t bits);
static void ngx_duplex_keyval_record(ngx_duplex_record_t *rec, ngx_str_t *key);


ngx_duplex_kind_t  ngx_duplex_keyval_kind = {
    NGX_DUPLEX_TAG('k', 'v', 'a', 'l'),
    ngx_string("key-value"),
    0,
    NULL
};


ngx_int_t
ngx_duplex_keyval_search(ngx_duplex_keyval_t *keyval, ngx_str_t *key,
    ngx_str_t *value, u_char *buf)
{
    ngx_int_t            rc;
    ngx_duplex_record_t  rec;

    if (key->len > NGX_DUPLEX_KEY_MAX
        && keyval->type != ngx_duplex_keyval_prefix)
    {
        return NGX_DECLINED;
    }

    switch (keyval->type) {

    case ngx_duplex_keyval_ip:
        rc = ngx_duplex_keyval_search_ip(keyval, key, &rec, buf);
        break;

    case ngx_duplex_keyval_prefix:
        rc = ngx_duplex_keyval_search_prefix(keyval, key, &rec, buf);
        break;

    default: /* ngx_duplex_keyval_string */
        rc = ngx_duplex_keyval_get(keyval, key, &rec, buf);
    }

    if (rc == NGX_OK) {
        *value = rec.value;
    }

    return rc;
}


static ngx_int_t
ngx_duplex_keyval_search_ip(ngx_duplex_keyval_t *keyval, ngx_str_t *key,
    ngx_duplex_record_t *rec, u_char *buf)
{
    int          family;
    u_char       addr[16], text[NGX_DUPLEX_KEYVAL_TEXT];
    in_addr_t    inaddr;
    ngx_int_t    bits;
    ngx_str_t    network;
    ngx_uint_t   version;

    inaddr = ngx_inet_addr(key->data, key->len);

    if (inaddr != INADDR_NONE) {
        family = AF_INET;
        version = NGX_DUPLEX_KEYVAL_IPV4;
        bits = 32;
        ngx_memcpy(addr, &inaddr, 4);

#if (NGX_HAVE_INET6)
    } else if (ngx_inet6_addr(key->data, key->len, addr) == NGX_OK) {
        family = AF_INET6;
        version = NGX_DUPLEX_KEYVAL_IPV6;
        bits = 128;
#endif

    } else {
        return NGX_DECLINED;
    }

    ngx_duplex_keyval_learn(keyval);

    for ( /* void */ ; bits >= 0; bits--) {

        if (!keyval->lengths[version][bits]) {
            continue;
        }

        network.data = text;
        network.len = ngx_duplex_keyval_network(text, family, addr, bits);

        if (ngx_duplex_keyval_get(keyval, &network, rec, buf) == NGX_OK) {
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_duplex_keyval_search_prefix(ngx_duplex_keyval_t *keyval, ngx_str_t *key,
    ngx_duplex_record_t *rec, u_char *buf)
{
    ngx_int_t  len;
    ngx_str_t  prefix;

    ngx_duplex_keyval_learn(keyval);

    for (len = ngx_min(key->len, NGX_DUPLEX_KEY_MAX); len >= 0; len--) {

        if (!keyval->lengths[0][len]) {
            continue;
        }

        prefix.data = key->data;
        prefix.len = len;

        if (ngx_duplex_keyval_get(keyval, &prefix, rec, buf) == NGX_OK) {
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


static void
ngx_duplex_keyval_learn(ngx_duplex_keyval_t *keyval)
{
    u_char                buf[NGX_DUPLEX_RECORD_MAX];
    ngx_int_t             rc;
    ngx_duplex_table_t   *table;
    ngx_duplex_record_t   rec;
    ngx_duplex_source_t  *source;

    table = keyval->zone->table;
    source = keyval->zone->source;

    if (keyval->incarnation != source->incarnation(table)) {
        keyval->incarnation = source->incarnation(table);
        ngx_duplex_keyval_learn_all(keyval);
        return;
    }

    if (keyval->seen == source->head(table)) {
        return;
    }

    for ( ;; ) {

        rc = source->next(table, &keyval->seen, &rec, buf,
                          ngx_duplex_clock_monotonic());

        if (rc == NGX_DONE) {
            return;
        }

        if (rc == NGX_DECLINED) {
            ngx_duplex_keyval_learn_all(keyval);
            return;
        }

        ngx_duplex_keyval_learn_key(keyval, &rec.key);
    }
}


static void
ngx_duplex_keyval_learn_all(ngx_duplex_keyval_t *keyval)
{
    u_char                buf[NGX_DUPLEX_RECORD_MAX];
    uint32_t              cursor;
    ngx_duplex_record_t   rec;
    ngx_duplex_source_t  *source;

    source = keyval->zone->source;

    keyval->seen = source->head(keyval->zone->table);

    ngx_memzero(keyval->lengths, sizeof(keyval->lengths));

    cursor = 0;

    while (source->scan(keyval->zone->table, &cursor, &rec, buf,
                        ngx_duplex_clock_monotonic())
           == NGX_OK)
    {
        ngx_duplex_keyval_learn_key(keyval, &rec.key);
    }
}


static void
ngx_duplex_keyval_learn_key(ngx_duplex_keyval_t *keyval, ngx_str_t *key)
{
    u_char      *slash;
    ngx_int_t    bits;
    ngx_uint_t   version;

    if (keyval->type == ngx_duplex_keyval_prefix) {
        keyval->lengths[0][key->len] = 1;
        return;
    }

    version = ngx_strlchr(key->data, key->data + key->len, ':')
              ? NGX_DUPLEX_KEYVAL_IPV6 : NGX_DUPLEX_KEYVAL_IPV4;

    slash = ngx_strlchr(key->data, key->data + key->len, '/');

    bits = slash ? ngx_atoi(slash + 1, key->data + key->len - slash - 1)
                 : (version == NGX_DUPLEX_KEYVAL_IPV6 ? 128 : 32);

    /* another node may have a zone of another type */

    if (bits >= 0 && bits <= 128) {
        keyval->lengths[version][bits] = 1;
    }
}


/* the network of "addr" as text; a host has no length */

static size_t
ngx_duplex_keyval_network(u_char *text, int family, u_char *addr,
    ngx_uint_t bits)
{
    u_char       network[16];
    size_t       len;
    ngx_uint_t   i, size;

    size = (family == AF_INET) ? 4 : 16;

    for (i = 0; i < size; i++) {

        if (bits >= (i + 1) * 8) {
            network[i] = addr[i];

        } else if (bits <= i * 8) {
            network[i] = 0;

        } else {
            network[i] = addr[i] & (u_char) (0xff << (8 - bits % 8));
        }
    }

    len = ngx_inet_ntop(family, network, text, NGX_DUPLEX_KEYVAL_TEXT);

    if (bits == size * 8) {
        return len;
    }

    return ngx_sprintf(text + len, "/%ui", bits) - text;
}


ngx_int_t
ngx_duplex_keyval_key(ngx_duplex_keyval_t *keyval, ngx_str_t *key,
    ngx_str_t *canonical, u_char *text)
{
    u_char       *slash;
    ngx_int_t     rc, bits;
    ngx_str_t     host;
    ngx_cidr_t    cidr;

    if (key->len > NGX_DUPLEX_KEY_MAX) {
        return NGX_DECLINED;
    }

    if (keyval->type != ngx_duplex_keyval_ip) {
        *canonical = *key;
        return NGX_OK;
    }

    host = *key;

    rc = ngx_ptocidr(&host, &cidr);

    if (rc == NGX_ERROR) {
        return NGX_DECLINED;
    }

    slash = ngx_strlchr(key->data, key->data + key->len, '/');

    bits = slash ? ngx_atoi(slash + 1, key->data + key->len - slash - 1)
                 : (cidr.family == AF_INET ? 32 : 128);

    if (bits == NGX_ERROR) {
        return NGX_DECLINED;
    }

    canonical->data = text;

#if (NGX_HAVE_INET6)
    if (cidr.family == AF_INET6) {
        canonical->len = ngx_duplex_keyval_network(text, AF_INET6,
                                                   cidr.u.in6.addr.s6_addr,
                                                   bits);
        return NGX_OK;
    }
#endif

    canonical->len = ngx_duplex_keyval_network(text, AF_INET,
                                               (u_char *) &cidr.u.in.addr,
                                               bits);
    return NGX_OK;
}


ngx_int_t
ngx_duplex_keyval_get(ngx_duplex_keyval_t *keyval, ngx_str_t *key,
    ngx_duplex_record_t *rec, u_char *buf)
{
    ngx_duplex_keyval_record(rec, key);

    return ngx_duplex_store_get(keyval->zone->table, rec, buf,
                                NGX_DUPLEX_RECORD_MAX);
}


ngx_int_t
ngx_duplex_keyval_put(ngx_duplex_keyval_t *keyval, ngx_str_t *key,
    ngx_str_t *value, uint64_t ttl)
{
    ngx_duplex_record_t  rec;

    if (value->len > NGX_DUPLEX_VALUE_MAX) {
        return NGX_ERROR;
    }

    ngx_duplex_keyval_record(&rec, key);

    rec.value = *value;

    if (ttl == 0) {
        ttl = keyval->timeout;
    }

    if (ttl) {
        rec.expire = ngx_duplex_clock_monotonic() + ttl;
    }

    return ngx_duplex_store_apply(keyval->zone->table, &rec) == NGX_ERROR
           ? NGX_ERROR : NGX_OK;
}


ngx_int_t
ngx_duplex_keyval_delete(ngx_duplex_keyval_t *keyval, ngx_str_t *key)
{
    ngx_duplex_record_t  rec;

    ngx_duplex_keyval_record(&rec, key);

    rec.deleted = 1;

    return ngx_duplex_store_apply(keyval->zone->table, &rec) == NGX_ERROR
           ? NGX_ERROR : NGX_OK;
}


ngx_uint_t
ngx_duplex_keyval_count(ngx_duplex_keyval_t *keyval)
{
    ngx_duplex_table_stat_t  stat;

    keyval->zone->source->stat(keyval->zone->table, &stat);

    return (ngx_uint_t) stat.records;
}


static void
ngx_duplex_keyval_record(ngx_duplex_record_t *rec, ngx_str_t *key)
{
    ngx_memzero(rec, sizeof(ngx_duplex_record_t));

    rec->kind = ngx_duplex_keyval_kind.tag;
    rec->key = *key;
}
