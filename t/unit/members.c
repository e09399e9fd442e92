
/*
 * links: modules/upstream/ngx_duplex_upstream_facts.c
 * links: modules/upstream/ngx_duplex_group.c modules/upstream/ngx_duplex_held.c
 * links: modules/upstream/ngx_duplex_line.c modules/upstream/ngx_duplex_peer.c
 * links: modules/upstream/ngx_duplex_admin.c
 * links: modules/upstream/ngx_duplex_exist.c
 * links: modules/upstream/ngx_duplex_projection.c
 * links: modules/upstream/ngx_duplex_bound.c
 * links: modules/upstream/ngx_duplex_options.c
 * links: modules/upstream/ngx_duplex_panic.c
 * links: modules/upstream/ngx_duplex_slow.c
 * links: modules/upstream/ngx_duplex_stock.c
 * links: modules/upstream/ngx_duplex_places.c
 * links: modules/upstream/ngx_duplex_places_commit.c
 * links: modules/upstream/ngx_duplex_membership.c
 * links: modules/upstream/ngx_duplex_membership_commit.c
 * links: modules/upstream/ngx_duplex_member.c
 * links: modules/upstream/ngx_duplex_id.c modules/upstream/ngx_duplex_name.c
 * links: modules/upstream/ngx_duplex_resolved.c
 * links: modules/upstream/ngx_duplex_resolve.c
 * links: modules/upstream/ngx_duplex_state.c
 * links: modules/core/ngx_duplex_identity.c modules/core/ngx_duplex_clock.c
 *
 * Who is who in a group, and what becomes of what is said of servers, down to
 * the words of a stock list: one of our own making, with its sums compared
 * after each of many random changes.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "../../modules/upstream/ngx_duplex_admin.h"
#include "../../modules/upstream/ngx_duplex_group.h"
#include "../../modules/upstream/ngx_duplex_line.h"
#include "../../modules/upstream/ngx_duplex_member.h"
#include "../../modules/upstream/ngx_duplex_stock.h"
#include "../../modules/core/ngx_duplex_identity.h"
#include "fake_upstream.h"
#include "unit.h"


#define SPARE    5
#define STEPS    4000


static void
server_add(ngx_conf_t *cf, ngx_duplex_group_t *group, const char *name,
    ngx_addr_t *addrs, ngx_uint_t naddrs)
{
    ngx_duplex_server_t  server;

    ngx_memzero(&server, sizeof(server));

    server.name.data = (u_char *) name;
    server.name.len = ngx_strlen(name);
    server.addrs = addrs;
    server.naddrs = naddrs;
    ngx_duplex_settings_init(&server.set);

    ok(ngx_duplex_server_add(cf, group, &server) == NGX_OK, "a line");
}


static ngx_addr_t
address(ngx_conf_t *cf, const char *text)
{
    ngx_addr_t  addr;

    (void) ngx_parse_addr_port(cf->pool, &addr, (u_char *) text,
                               ngx_strlen(text));

    addr.name.data = (u_char *) text;
    addr.name.len = ngx_strlen(text);

    return addr;
}


static ngx_duplex_group_t *
group_of(ngx_conf_t *cf, const char *text, ngx_uint_t zone)
{
    ngx_str_t            name;
    ngx_duplex_group_t  *group;

    name.data = (u_char *) text;
    name.len = ngx_strlen(text);

    group = ngx_duplex_group_add(cf, &driver, &name, zone ? &name : NULL, cf);

    group->spare = SPARE;
    group->backups = 1;

    return group;
}


/* of another node, another version: keys and hashes must never change */

static void
identities(ngx_conf_t *cf)
{
    ngx_addr_t           both[2], socket;
    ngx_uint_t           i;
    ngx_duplex_peer_t   *peer[4], *p;
    ngx_duplex_line_t    line;
    ngx_duplex_group_t  *group;

    group = group_of(cf, "app", 0);

    both[0] = address(cf, "10.0.0.1:80");
    both[1] = address(cf, "10.0.0.2:80");

    ngx_memzero(&socket, sizeof(socket));
    ngx_str_set(&socket.name, "unix:/a b");
    socket.sockaddr = both[0].sockaddr;
    socket.socklen = both[0].socklen;

    server_add(cf, group, "be1:80", both, 2);
    server_add(cf, group, "be1:80", both, 1);
    server_add(cf, group, "unix:/a b", &socket, 1);

    for (p = ngx_duplex_peer_first(group), i = 0;
         p;
         p = ngx_duplex_peer_next(p))
    {
        is_int(p->id, i, "in the order of the file");
        ok(ngx_duplex_peer_previous(p) == (i ? peer[i - 1] : NULL),
           "and back");
        peer[i++] = p;
    }

    is_str(&group->zone, "http:app", "zone of the records");
    is_str(&peer[0]->key, "be1:80 10.0.0.1:80 0", "a key");
    is_str(&peer[1]->key, "be1:80 10.0.0.2:80 0", "another address");
    is_str(&peer[2]->key, "be1:80 10.0.0.1:80 1", "an equal line");
    is_str(&peer[3]->key, "unix:/a b unix:/a b 0", "a socket");
    is_str(&peer[1]->server, "be1:80", "as written");
    is_str(&peer[1]->name, "10.0.0.2:80", "its address");

    is_int(peer[0]->hash, 0x7e598d853432323d, "its hash");
    is_int(peer[2]->hash, 0x038d583e580aeda0, "the equal line's hash");

    ok(ngx_duplex_peer_by_id(group, 2) == peer[2], "found by id");
    ok(ngx_duplex_peer_by_id(group, 4) == NULL, "no such id");
    ok(ngx_duplex_peer_by_key(group, &peer[2]->key) == peer[2],
       "found by key");
    ok(ngx_duplex_peer_by_hash(group, peer[2]->hash) == peer[2],
       "found by hash");

    for (i = 0; i < 4; i++) {
        ok(ngx_duplex_line_parse(group, &peer[i]->key, cf->pool, &line)
           == NGX_OK, "a key is understood");
        ok(line.hash == peer[i]->hash
           && line.ordinal == peer[i]->ordinal
           && line.server.len == peer[i]->server.len
           && line.name.len == peer[i]->name.len, "in all its parts");
    }
}


static void
keys(ngx_conf_t *cf)
{
    ngx_str_t            key;
    ngx_uint_t           i;
    ngx_duplex_line_t    line;
    ngx_duplex_group_t  *group;

    static const char  *bad[] = {
        "", " ", "  ", "a", "a b", "a b 0", "a 10.0.0.1 0", "a 10.0.0.1:80",
        "a 10.0.0.1:0 0", "a 10.0.0.1:80 x", "a 10.0.0.1:80 -1",
        " 10.0.0.1:80 0", "a  0", "10.0.0.1:80  0", "a 10.0.0.1:99999 0",
        "unix: unix: 0", "a be1.example:80 0", NULL
    };

    group = group_of(cf, "keys", 0);

    for (i = 0; bad[i]; i++) {
        key.data = (u_char *) bad[i];
        key.len = ngx_strlen(bad[i]);

        ok(ngx_duplex_line_parse(group, &key, cf->pool, &line)
           == NGX_DECLINED, "no key: \"%s\"", bad[i]);
    }
}


/* every sum that stock divides by, and all pointers it follows */

static const char *
wrong(ngx_duplex_group_t *group, ngx_uint_t backup)
{
    fake_list_t        *l;
    fake_peer_t        *rr;
    ngx_uint_t          n, weight, tries, members;
    ngx_duplex_peer_t  *peer;

    l = group->lists[backup].peers;
    n = weight = tries = members = 0;

    for (peer = ngx_duplex_peer_first(group);
         peer;
         peer = ngx_duplex_peer_next(peer))
    {
        members += (peer->backup == backup);
    }

    if (l->peer == NULL) {
        return "it has no first peer";
    }

    for (rr = l->peer; rr; rr = rr->next, n++) {
        weight += rr->weight;
        tries += (rr->down == 0);

        if (rr->next && rr->next->spare[0] <= rr->spare[0]) {
            return "it is not in the order of ids";
        }

        if (n > 1000) {
            return "it has no end";
        }

        if (rr == group->lists[backup].dummy) {
            if (members || rr->down == 0) {
                return "the dummy stands in it";
            }

            continue;
        }

        peer = ngx_duplex_peer_by_hash(group, rr->start_time);

        if (peer == NULL || peer->backup != backup) {
            return "somebody stands in it";
        }

        if (rr->name.len != peer->name.len
            || ngx_memcmp(rr->name.data, peer->name.data, rr->name.len) != 0
            || rr->weight != (ngx_int_t) peer->set.weight
            || rr->max_conns != peer->set.max_conns)
        {
            return "a peer is not what it should be";
        }
    }

    if (n != ngx_max(members, 1)) {
        return "somebody is missing";
    }

    if (weight != l->total_weight || weight == 0) {
        return "total_weight";
    }

    if (tries != l->tries) {
        return "tries";
    }

#if (NGX_DUPLEX_HAVE_PEER_REFS)
    if (l->number != n) {
        return "number";
    }
#endif

    return l->rwlock ? "a lock is held" : NULL;
}


/* in random order, with requests that hold their places */

static void
churn(ngx_duplex_group_t *group)
{
    u_char                  text[64];
    fake_peer_t            *rr, *busy;
    ngx_uint_t              i, id, n, done[8];
    const char             *what;
    ngx_duplex_peer_t      *peer;
    ngx_duplex_member_e     why;
    ngx_duplex_member_t     member;
    ngx_duplex_settings_t   set;

    busy = NULL;
    what = NULL;
    ngx_memzero(done, sizeof(done));
    srandom(1);

    for (i = 0; i < STEPS && what == NULL; i++) {

        for (id = random() % 20, n = 0; n < 20; n++, id = (id + 1) % 20) {
            peer = ngx_duplex_peer_by_id(group, id);
            if (peer) {
                break;
            }
        }

        switch (peer ? random() % 4 : 0) {

        case 0:
        case 1:
            ngx_memzero(&member, sizeof(member));
            ngx_duplex_settings_init(&member.set);

            n = random() % 16;
            member.name.data = text;
            member.name.len = ngx_sprintf(text, "10.0.0.%ui:80", 1 + n)
                              - text;
            member.server = member.name;
            member.backup = n & 1;
            member.set.weight = 1 + random() % 9;
            member.set.state = 1 + random() % 3;

            why = ngx_duplex_member_add(group, &member, &audit, NULL);
            done[why]++;
            break;

        case 2:
            set = peer->set;
            set.weight = 1 + random() % 9;
            set.state = 1 + random() % 3;
            set.max_conns = random() % 9;

            ngx_duplex_member_modify(peer, &set, random() & NGX_DUPLEX_SET_ALL,
                                     &audit);
            break;

        default:
            rr = peer->stock;

            /* one request at a time stays longer than its server */

            if (rr && busy == NULL) {
                busy = rr;
                busy->conns = 1;
#if (NGX_DUPLEX_HAVE_PEER_REFS)
                busy->refs = 1;
#endif
            }

            ngx_duplex_member_remove(peer, &audit);

            if (rr && rr == busy && rr->start_time) {
                what = "a removed one is in the list";
            }
        }

        if (busy && busy->start_time && busy->conns) {
            what = "a place was given away while in use";
        }

        if (busy && random() % 7 == 0) {
            busy->conns = 0;
            busy->refs = 0;
            busy = NULL;
        }

        if (what == NULL) {
            what = wrong(group, 0);
        }

        if (what == NULL) {
            what = wrong(group, 1);
        }

        if (what == NULL && comers != group->npeers) {
            what = "a contributor was not told";
        }
    }

    ok(what == NULL, "%d changes: %s", STEPS, what ? what : "all is well");
    ok(done[ngx_duplex_member_done] && done[ngx_duplex_member_exists]
       && done[ngx_duplex_member_no_place], "of each kind");

    while ((peer = ngx_duplex_peer_first(group)) != NULL) {
        ngx_duplex_member_remove(peer, &audit);
    }

    ok(wrong(group, 0) == NULL && wrong(group, 1) == NULL,
       "all are gone, and the sums are right");
}


static void
words(ngx_duplex_group_t *group)
{
    u_char                    buf[512];
    uint64_t                  when;
    fake_peer_t              *rr;
    ngx_uint_t                was;
    ngx_duplex_peer_t        *peer;
    ngx_duplex_audit_t        who;
    ngx_duplex_settings_t     set;
    ngx_duplex_peer_status_t  status;

    peer = ngx_duplex_peer_first(group);
    rr = peer->stock;

    rr->fails = 2;
    rr->checked = ngx_time();
    rr->effective_weight = 0;
    rr->current_weight = -4;
    rr->conns = 1;

    ok(ngx_duplex_peer_read(peer, &status) == NGX_OK, "read");
    is_int(status.conns, 1, "connections");
    is_int(status.unavail, 1, "in quarantine");

    rr->checked -= 11;
    ngx_duplex_peer_read(peer, &status);
    is_int(status.unavail, 0, "its time is over");

    ngx_duplex_peer_mark(peer, NGX_DUPLEX_DOWN_HEALTH, 0, &was);
    is_int(list->tries, 1, "one try less");
    ngx_duplex_peer_mark(peer, NGX_DUPLEX_DOWN_HEALTH|NGX_DUPLEX_DOWN_ADMIN,
                         0, &was);
    is_int(list->tries, 1, "a second reason costs no second try");
    is_int(rr->fails, 2, "nothing is forgiven yet");
    ngx_duplex_peer_mark(peer, 0, 0, &was);
    is_int(list->tries, 2, "the try is back");
    ok(rr->fails == 0 && rr->checked == 0 && rr->current_weight == 0
       && rr->effective_weight == rr->weight, "all is forgiven");
    rr->conns = 0;

    /* administrator and health */

    set = peer->set;
    set.state = ngx_duplex_admin_drain;

    is_int(ngx_duplex_member_modify(peer, &set, NGX_DUPLEX_SET_STATE, &audit),
           ngx_duplex_member_done, "drain");
    is_int(rr->down, NGX_DUPLEX_DOWN_DRAIN, "so");
    is_int(ngx_duplex_member_modify(peer, &set, NGX_DUPLEX_SET_STATE, &audit),
           ngx_duplex_member_same, "it is so already");

    unhealthy = 1;
    ngx_duplex_peer_project(peer);
    is_int(rr->down, NGX_DUPLEX_DOWN_DRAIN|NGX_DUPLEX_DOWN_HEALTH, "both");

    set.state = ngx_duplex_admin_up;
    ngx_duplex_member_modify(peer, &set, NGX_DUPLEX_SET_STATE, &audit);
    is_int(rr->down, NGX_DUPLEX_DOWN_HEALTH, "health is not his to overrule");

    unhealthy = 0;
    ngx_duplex_peer_project(peer);
    is_int(rr->down, 0, "up");

    ok(ngx_duplex_admin_last(peer, NGX_DUPLEX_SET_STATE, &who, &when, buf,
                             sizeof(buf))
       == NGX_OK, "who said it");
    is_str(&who.who, "10.9.8.7", "who");
    is_str(&who.reason, "because", "why");
    /* another process changed it between our reading and our writing */

    set.state = ngx_duplex_admin_drain;
    ngx_duplex_member_modify(peer, &set, NGX_DUPLEX_SET_STATE, &audit);
    copy(&overtaken, &records[nrecords - 1].value);
    set.state = ngx_duplex_admin_down;
    ngx_duplex_member_modify(peer, &set, NGX_DUPLEX_SET_STATE, &audit);

    for (was = 1; was < 40; was++) {
        set.state = ngx_duplex_admin_up;
        ngx_duplex_member_modify(peer, &set, NGX_DUPLEX_SET_STATE, &audit);
        set.state = ngx_duplex_admin_down;
        looks = was;
        ngx_duplex_member_modify(peer, &set, NGX_DUPLEX_SET_STATE, &audit);
        looks = 0;

        /* the last word is another's only if he came after our first look */

        if (rr->down & ~(NGX_DUPLEX_DOWN_DRAIN|NGX_DUPLEX_DOWN_ADMIN)) {
            break;
        }
    }

    is_int(was, 40, "a word that stands in the store is written");

    /* it has even written it: we do not write over it */

    ngx_duplex_member_modify(peer, &set, NGX_DUPLEX_SET_STATE, &audit);
    copy(&overtaken, &records[nrecords - 1].value);
    set.state = ngx_duplex_admin_drain;
    ngx_duplex_member_modify(peer, &set, NGX_DUPLEX_SET_STATE, &audit);

    marked = rr;
    meanwhile = &records[nrecords - 1];
    ngx_duplex_peer_project(peer);
    is_int(rr->down, NGX_DUPLEX_DOWN_ADMIN, "meanwhile somebody said \"down\"");
    is_int(older, 0, "nor was it another way for a moment");
    full = 1;
    set.weight = 7;
    set.max_fails = 7;
    is_int(ngx_duplex_member_modify(peer, &set, NGX_DUPLEX_SET_WEIGHT
                                    |NGX_DUPLEX_SET_MAX_FAILS, &audit),
           ngx_duplex_member_no_memory, "no memory");
    is_int(rr->weight, 1, "and no change");
    full = 0;
}


int
main(void)
{
    ngx_conf_t           cf;
    ngx_addr_t           both[2];
    ngx_uint_t           i;
    fake_peer_t         *rr;
    ngx_shmtx_sh_t       sh;
    ngx_duplex_peer_t   *peer;
    ngx_duplex_group_t  *group;

    ngx_memzero(&cf, sizeof(cf));
    ngx_memzero(&sh, sizeof(sh));
    ngx_queue_init(&ngx_posted_next_events);

    cf.cycle = (ngx_cycle_t *) ngx_cycle;
    cf.log = ngx_cycle->log;
    cf.pool = ngx_create_pool(16384, cf.log);
    cf.cycle->pool = cf.pool;
    fake_workers(&cf, 2);
    ngx_duplex_register_contributor(&cf, &health);
    ngx_duplex_register_driver(&cf, &driver);

    identities(&cf);
    keys(&cf);

    /* a group with two lines, and stock's list of them */

    group = group_of(&cf, "web", 1);

    both[0] = address(&cf, "10.0.0.1:80");
    both[1] = address(&cf, "10.0.0.2:80");

    server_add(&cf, group, "be:80", both, 2);
    ngx_duplex_group_ready(&cf, group);

    list = ngx_pcalloc(cf.pool, sizeof(fake_list_t));
    list->shpool = ngx_pmemalign(cf.pool, 256 * 4096, 4096);

    list->shpool->end = (u_char *) list->shpool + 256 * 4096;
    list->shpool->min_shift = 3;
    list->shpool->addr = list->shpool;
    ngx_shmtx_create(&list->shpool->mutex, &sh, NULL);
    ngx_slab_sizes_init();
    ngx_slab_init(list->shpool);

    list->single = 1;
    list->total_weight = 2;
    list->tries = 2;
    list->number = 2;
    list->config = ngx_slab_calloc(list->shpool, sizeof(ngx_uint_t));

    for (i = 2; i; i--) {
        rr = ngx_pcalloc(cf.pool, sizeof(fake_peer_t));
        rr->name = both[i - 1].name;
        ngx_str_set(&rr->server, "be:80");
        rr->sockaddr = ngx_pcalloc(cf.pool, sizeof(ngx_sockaddr_t));
        rr->name.data = ngx_pnalloc(cf.pool, NGX_SOCKADDR_STRLEN);
        ngx_memcpy(rr->name.data, both[i - 1].name.data, rr->name.len);
        rr->server.data = ngx_pstrdup(cf.pool, &rr->server);
        rr->weight = 1;
        rr->max_fails = 1;
        rr->fail_timeout = 10;
        rr->next = list->peer;
        list->peer = rr;
    }

    ok(ngx_duplex_group(0) == NULL, "it is not in force before the commit");

    feature->commit(cf.cycle);
    last_feature->start(cf.cycle);

    comers = 2;

    ok(ngx_duplex_group_by_zone(&group->zone) == group, "found by zone");
    ok(reserved > (SPARE + 1) * sizeof(fake_peer_t), "the zone grows");
    is_int(list->single, 0, "others may come");
    ok(wrong(group, 0) == NULL && wrong(group, 1) == NULL,
       "both lists are right");

    words(group);

    /* the only one is never out for its failures */

    peer = ngx_duplex_peer_first(group);
    rr = ngx_duplex_peer_next(peer)->stock;
    ngx_duplex_member_remove(peer, &audit);
    is_int(rr->max_fails, 0, "the only one");

    ngx_cycle->log->log_level = NGX_LOG_ERR;

    churn(group);

    ngx_destroy_pool(cf.pool);

    ok(ngx_duplex_group(0) == NULL, "gone with its cycle");

    return done_testing();
}
