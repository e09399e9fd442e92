
/*
 * links: modules/upstream/ngx_duplex_group.c
 * links: modules/upstream/ngx_duplex_peer.c
 * links: modules/upstream/ngx_duplex_admin.c
 * links: modules/upstream/ngx_duplex_projection.c
 * links: modules/upstream/ngx_duplex_stock.c
 * links: modules/core/ngx_duplex_identity.c
 *
 * Who is who in a group, and what becomes of the administrator's word and of
 * the contributors' in the words of a stock peer.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../../modules/upstream/ngx_duplex_group.h"
#include "../../modules/core/ngx_duplex_identity.h"
#include "unit.h"


static ngx_int_t lock(ngx_duplex_peer_t *peer, ngx_uint_t write,
    ngx_duplex_stock_peer_t *stock);
static void unlock(ngx_duplex_stock_peer_t *stock);
static ngx_uint_t health_bits(ngx_duplex_peer_t *peer);
static void server_add(ngx_conf_t *cf, ngx_duplex_group_t *group,
    ngx_str_t *name, ngx_addr_t *addrs, ngx_uint_t naddrs, ngx_uint_t backup);
static const char *health_state(ngx_duplex_peer_t *peer);
static void peers_of(ngx_duplex_group_t *group, ngx_duplex_peer_t **peers);


static ngx_duplex_feature_t     *feature;
static ngx_duplex_kind_t        *kind;

/* a store with one record */

static ngx_str_t                 stored_key, stored_value;
static ngx_uint_t                stored;

/* a stock peer */

static ngx_uint_t                down, tries = 3, fails;
static time_t                    accessed, checked;
static ngx_int_t                 effective_weight, current_weight;
static ngx_uint_t                single;
static ngx_uint_t                held, marks;
static u_char                   *overtaken;    /* by another process */

static ngx_uint_t                unhealthy;

static ngx_duplex_driver_t       driver = {
    ngx_string("http"), "upstream", 1, lock, unlock
};

static ngx_duplex_driver_t       another = {
    ngx_string("stream"), "stream upstream", 0, lock, unlock
};

static ngx_duplex_contributor_t  health = {
    health_bits, health_state, NULL, NULL, NULL
};


ngx_int_t
ngx_duplex_register_feature(ngx_conf_t *cf, ngx_duplex_feature_t *f)
{
    if (f->commit) {
        feature = f;
    }

    return NGX_OK;
}


ngx_int_t
ngx_duplex_register_kind(ngx_conf_t *cf, ngx_duplex_kind_t *k)
{
    kind = k;
    return NGX_OK;
}


ngx_uint_t
ngx_duplex_superseded(void)
{
    return 0;
}


ngx_duplex_table_t *
ngx_duplex_store_table(void)
{
    return (ngx_duplex_table_t *) &stored;
}


ngx_int_t
ngx_duplex_store_get(ngx_duplex_table_t *table, ngx_duplex_record_t *rec,
    u_char *buf, size_t size)
{
    if (!stored
        || rec->key.len != stored_key.len
        || ngx_memcmp(rec->key.data, stored_key.data, stored_key.len) != 0)
    {
        return NGX_DECLINED;
    }

    rec->value = stored_value;

    return NGX_OK;
}


ngx_int_t
ngx_duplex_store_apply(ngx_duplex_table_t *table, ngx_duplex_record_t *rec)
{
    static u_char  value;

    stored = !rec->deleted;
    stored_key = rec->key;

    if (stored) {
        value = rec->value.data[0];
        stored_value.data = &value;
        stored_value.len = rec->value.len;
    }

    kind->project(rec);

    return NGX_OK;
}


static ngx_int_t
lock(ngx_duplex_peer_t *peer, ngx_uint_t write, ngx_duplex_stock_peer_t *stock)
{
    if (peer->group->shm.len == 0) {
        return NGX_DECLINED;
    }

    held++;

    stock->write = write;
    stock->single = single;
    stock->tries = &tries;
    stock->down = &down;
    stock->fails = &fails;
    stock->accessed = &accessed;
    stock->checked = &checked;
    stock->effective_weight = &effective_weight;
    stock->current_weight = &current_weight;
    stock->weight = 5;
    stock->max_conns = 7;
    stock->max_fails = 2;
    stock->fail_timeout = 10;
    stock->conns = 1;

    return NGX_OK;
}


static void
unlock(ngx_duplex_stock_peer_t *stock)
{
    held--;

    if (!stock->write) {
        return;
    }

    marks++;

    if (overtaken) {
        stored_value.data = overtaken;
        overtaken = NULL;
    }
}


static ngx_uint_t
health_bits(ngx_duplex_peer_t *peer)
{
    return unhealthy ? NGX_DUPLEX_DOWN_HEALTH : 0;
}


static const char *
health_state(ngx_duplex_peer_t *peer)
{
    return unhealthy ? "unhealthy" : NULL;
}


static void
identities(ngx_conf_t *cf, ngx_duplex_group_t *group)
{
    ngx_str_t           be1 = ngx_string("be1:80");
    ngx_str_t           address1 = ngx_string("10.0.0.1:80");
    ngx_str_t           address2 = ngx_string("10.0.0.2:80");
    ngx_str_t           path = ngx_string("unix:/a b");
    ngx_addr_t          both[2] = { { NULL, 0, address1 },
                                    { NULL, 0, address2 } };
    ngx_addr_t          socket = { NULL, 0, path };
    ngx_duplex_peer_t  *peer[4];

    server_add(cf, group, &be1, both, 2, 0);
    server_add(cf, group, &be1, both, 1, 0);
    server_add(cf, group, &path, &socket, 1, 0);

    peers_of(group, peer);

    is_str(&group->zone, "http:app", "zone of the records");
    is_str(&peer[0]->key, "be1:80 10.0.0.1:80 0", "a key");
    is_str(&peer[1]->key, "be1:80 10.0.0.2:80 0", "another address");
    is_str(&peer[2]->key, "be1:80 10.0.0.1:80 1", "an equal line");
    is_str(&peer[3]->key, "unix:/a b unix:/a b 0", "a socket");

    /* of another node, another version: these must never change */

    is_int(peer[0]->hash, 0x7e598d853432323d, "its hash");
    is_int(peer[2]->hash, 0x038d583e580aeda0, "the equal line's hash");

    ok(ngx_duplex_peer_by_id(group, 2) == peer[2], "found by id");
    ok(ngx_duplex_peer_by_id(group, 4) == NULL, "no such id");
    ok(ngx_duplex_peer_by_key(group, &peer[2]->key) == peer[2],
       "found by key");
    ok(ngx_duplex_peer_by_hash(group, peer[2]->hash) == peer[2],
       "found by hash");
}


static void
peers_of(ngx_duplex_group_t *group, ngx_duplex_peer_t **peers)
{
    ngx_duplex_peer_t  *peer;

    for (peer = ngx_duplex_peer_first(group);
         peer;
         peer = ngx_duplex_peer_next(peer))
    {
        *peers++ = peer;
    }
}


/* stock keeps primaries and backups apart, each in the order of the file */

static void
ranks(ngx_conf_t *cf)
{
    ngx_str_t            name = ngx_string("equals");
    ngx_str_t            be1 = ngx_string("be1:80");
    ngx_str_t            be2 = ngx_string("be2:80");
    ngx_uint_t           i;
    ngx_addr_t           address = { NULL, 0, be1 };
    ngx_duplex_peer_t   *peer[5];
    ngx_duplex_group_t  *group;

    static const ngx_uint_t  backup[5] = { 0, 1, 0, 1, 0 };
    static const ngx_uint_t  rank[5] = { 0, 0, 1, 1, 2 };

    group = ngx_duplex_group_add(cf, &another, &name, NULL, NULL);

    for (i = 0; i < 5; i++) {
        server_add(cf, group, &be1, &address, 1, backup[i]);
    }

    peers_of(group, peer);

    for (i = 0; i < 5; i++) {
        is_int(peer[i]->ordinal, i, "ordinals count all");
        is_int(ngx_duplex_peer_rank(peer[i]), rank[i], "ranks in a list");
        ok(ngx_duplex_peer_of_rank(group, backup[i], &be1, &be1, rank[i])
           == peer[i], "and back");
    }

    ok(ngx_duplex_peer_of_rank(group, 1, &be1, &be1, 2) == NULL,
       "no such rank");
    ok(ngx_duplex_peer_of_rank(group, 0, &be2, &be1, 0) == NULL,
       "no such server");
}


static void
server_add(ngx_conf_t *cf, ngx_duplex_group_t *group, ngx_str_t *name,
    ngx_addr_t *addrs, ngx_uint_t naddrs, ngx_uint_t backup)
{
    ngx_duplex_server_t  server;

    ngx_memzero(&server, sizeof(server));

    server.name = *name;
    server.addrs = addrs;
    server.naddrs = naddrs;
    server.backup = backup;

    ok(ngx_duplex_server_add(cf, group, &server) == NGX_OK, "a line");
}


static void
stock_words(ngx_duplex_peer_t *peer)
{
    ngx_uint_t                was;
    ngx_duplex_peer_status_t  status;

    tries = 3;
    down = 0;
    fails = 2;
    accessed = 100;
    checked = ngx_time();
    effective_weight = 1;
    current_weight = -4;

    ok(ngx_duplex_peer_read(peer, &status) == NGX_OK, "read");
    is_int(status.weight, 5, "weight");
    is_int(status.max_conns, 7, "max_conns");
    is_int(status.max_fails, 2, "max_fails");
    is_int(status.fail_timeout, 10, "fail_timeout");
    is_int(status.conns, 1, "connections");
    is_int(status.unavail, 1, "in quarantine");

    checked -= 11;
    ngx_duplex_peer_read(peer, &status);
    is_int(status.unavail, 0, "its time is over");
    checked += 11;

    single = 1;
    ngx_duplex_peer_read(peer, &status);
    is_int(status.unavail, 0, "stock has none for a single server");
    single = 0;

    ok(ngx_duplex_peer_mark(peer, NGX_DUPLEX_DOWN_ADMIN, &was) == NGX_OK,
       "marked");
    is_int(was, 0, "it was up");
    is_int(tries, 2, "one try less");

    ngx_duplex_peer_mark(peer, NGX_DUPLEX_DOWN_ADMIN|NGX_DUPLEX_DOWN_HEALTH,
                         &was);
    is_int(was, NGX_DUPLEX_DOWN_ADMIN, "it was down");
    is_int(tries, 2, "a second reason costs no second try");

    ngx_duplex_peer_mark(peer, NGX_DUPLEX_DOWN_HEALTH, &was);
    is_int(fails, 2, "nothing is forgiven before the last reason goes");

    ngx_duplex_peer_mark(peer, 0, &was);
    is_int(tries, 3, "the try is back");
    is_int(fails, 0, "forgiven: failures");
    ok(accessed == 0 && checked == 0, "their times");
    is_int(effective_weight, 5, "the weight they had cost");
    is_int(current_weight, 0, "the debt");

    ngx_duplex_peer_mark(peer, 0, &was);
    is_int(tries, 3, "up twice is one try");

    is_int(held, 0, "no lock is left behind");
}


static void
projections(ngx_duplex_peer_t *peer)
{
    static u_char             later = 3;
    ngx_duplex_peer_status_t  status;

    ngx_memzero(&status, sizeof(status));

    peer->configured = NGX_DUPLEX_DOWN_CONFIG;
    ngx_duplex_peer_project(peer);
    is_int(down, NGX_DUPLEX_DOWN_CONFIG, "the file's word");

    is_int(ngx_duplex_peer_admin_set(peer, ngx_duplex_admin_up), NGX_OK, "up");
    is_int(down, 0, "the administrator overrules it");
    is_int(ngx_duplex_peer_admin_set(peer, ngx_duplex_admin_up), NGX_DECLINED,
           "it is so already");

    unhealthy = 1;
    ngx_duplex_peer_project(peer);
    is_int(down, NGX_DUPLEX_DOWN_HEALTH, "health is not his to overrule");

    ngx_duplex_peer_admin_set(peer, ngx_duplex_admin_drain);
    is_int(down, NGX_DUPLEX_DOWN_HEALTH|NGX_DUPLEX_DOWN_DRAIN, "both count");

    status.down = down;
    ok(ngx_strcmp(ngx_duplex_peer_state(peer, &status), "unhealthy") == 0,
       "unhealthy before draining");

    unhealthy = 0;
    ngx_duplex_peer_admin_set(peer, ngx_duplex_admin_down);
    is_int(down, NGX_DUPLEX_DOWN_ADMIN, "down");

    ngx_duplex_peer_admin_set(peer, ngx_duplex_admin_none);
    is_int(down, NGX_DUPLEX_DOWN_CONFIG, "nothing said any more");

    /* a word of a later version */

    ngx_duplex_peer_admin_set(peer, ngx_duplex_admin_down);
    stored_value.data[0] = 77;
    ngx_duplex_peer_project(peer);
    is_int(down, NGX_DUPLEX_DOWN_CONFIG, "an unknown word counts for nothing");

    stored_value.len = 0;
    ngx_duplex_peer_project(peer);
    is_int(down, NGX_DUPLEX_DOWN_CONFIG, "nor does an empty one");

    /* another process changed it between our reading and our writing */

    stored = 0;
    overtaken = &later;
    marks = 0;
    ngx_duplex_peer_admin_set(peer, ngx_duplex_admin_down);
    is_int(down, NGX_DUPLEX_DOWN_DRAIN, "the later word is written");
    is_int(marks, 2, "in two steps");

    /* no zone, nothing to write */

    peer->group->shm.len = 0;
    ngx_duplex_peer_project(peer);
    is_int(marks, 2, "a group without zone is left alone");
    is_int(ngx_duplex_peer_read(peer, &status), NGX_DECLINED,
           "nothing to read either");
}


int
main(void)
{
    ngx_conf_t           cf;
    ngx_str_t            name = ngx_string("app");
    ngx_str_t            other = ngx_string("other");
    ngx_duplex_group_t  *group;

    ngx_memzero(&cf, sizeof(cf));

    cf.cycle = (ngx_cycle_t *) ngx_cycle;
    cf.log = ngx_cycle->log;
    cf.pool = ngx_create_pool(16384, cf.log);
    cf.cycle->pool = cf.pool;

    ngx_duplex_register_contributor(&cf, &health);
    ngx_duplex_register_driver(&cf, &driver);
    ngx_duplex_register_driver(&cf, &another);

    group = ngx_duplex_group_add(&cf, &driver, &name, &name, &cf);

    identities(&cf, group);
    ranks(&cf);

    ok(ngx_duplex_group_bound(&cf, &cf) == group, "the group being bound");
    ok(ngx_duplex_group(0) == NULL, "it is not in force before the commit");

    feature->commit(cf.cycle);

    is_int(marks, 4, "the commit projects all peers");
    ok(ngx_duplex_group(0) == group && ngx_duplex_group(2) == NULL,
       "it is in force");
    ok(ngx_duplex_group_find(&driver.protocol, &name) == group,
       "found by name");
    ok(ngx_duplex_group_find(&another.protocol, &name) == NULL,
       "not of stream");
    ok(ngx_duplex_group_find(&driver.protocol, &other) == NULL,
       "no such name");
    ok(ngx_duplex_group_find(&other, &name) == NULL, "no such protocol");
    ok(ngx_duplex_group_by_zone(&group->zone) == group, "found by zone");
    ok(ngx_duplex_driver_find(&another.protocol) == &another, "its driver");

    stock_words(ngx_duplex_peer_by_id(group, 0));
    projections(ngx_duplex_peer_by_id(group, 0));

    ngx_destroy_pool(cf.pool);

    ok(ngx_duplex_group(0) == NULL, "gone with its cycle");

    return done_testing();
}
