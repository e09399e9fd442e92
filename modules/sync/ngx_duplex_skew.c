
/*
 * Differences of configurations: found, told, shown; see the header.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_clock.h"
#include "../core/ngx_duplex_identity.h"
#include "ngx_duplex_nodes.h"
#include "ngx_duplex_skew.h"


/* records of one configuration come one after the other: ms */
#define NGX_DUPLEX_SKEW_PAUSE   1000

#define NGX_DUPLEX_SKEW_RENEW   (6 * 3600 * 1000ULL)

#define NGX_DUPLEX_SKEW_LINES   16      /* told at once of all nodes */


/* one record, copied */
typedef struct {
    ngx_str_t       node;
    ngx_str_t       zone;
    ngx_str_t       value;
    unsigned        own:1;
} ngx_duplex_skew_word_t;

typedef struct {
    ngx_pool_t     *pool;
    ngx_array_t     words;      /* ngx_duplex_skew_word_t */
} ngx_duplex_skew_t;

/* what was found now, to be told if it is new */
typedef struct {
    uint64_t        hashes[NGX_DUPLEX_SKEW_MAX];
    ngx_uint_t      n;
    ngx_uint_t      told;
    ngx_uint_t      untold;
} ngx_duplex_skew_found_t;


static void ngx_duplex_skew_project(ngx_duplex_record_t *rec);
static void ngx_duplex_skew_tell(void);
static void ngx_duplex_skew_found(ngx_duplex_difference_t *difference,
    void *data);
static void ngx_duplex_skew_log(ngx_duplex_difference_t *difference);
static void ngx_duplex_skew_count(ngx_str_t *node);
static void ngx_duplex_skew_visit_own(ngx_duplex_skew_t *skew,
    ngx_str_t *node, ngx_duplex_skew_visit_pt visit, void *data);
static ngx_int_t ngx_duplex_skew_collect(ngx_duplex_record_t *rec, void *data);
static ngx_uint_t ngx_duplex_skew_knows(ngx_str_t *node);
static ngx_duplex_skew_word_t *ngx_duplex_skew_word(ngx_duplex_skew_t *skew,
    ngx_str_t *node, ngx_str_t *zone);
static void ngx_duplex_skew_show(ngx_duplex_difference_t *difference,
    void *data);
static const char *ngx_duplex_skew_title(ngx_str_t *zone, ngx_str_t *name);


ngx_duplex_kind_t  ngx_duplex_skew_kind = {
    NGX_DUPLEX_SKEW,
    ngx_string("configuration"),
    0,
    ngx_duplex_skew_project
};


static uint64_t  ngx_duplex_skew_heard;     /* ms, monotonic; 0: no news */
static uint64_t  ngx_duplex_skew_published;


static void
ngx_duplex_skew_project(ngx_duplex_record_t *rec)
{
    ngx_duplex_skew_heard = ngx_duplex_clock_monotonic();
}


void
ngx_duplex_skew_take(void)
{
    if (ngx_duplex_nodes() == NULL) {
        return;
    }

    ngx_duplex_skew_published = ngx_duplex_clock_monotonic();
    ngx_duplex_skew_heard = ngx_duplex_skew_published;

    ngx_duplex_skew_publish();
}


void
ngx_duplex_skew_beat(void)
{
    uint64_t  now;

    if (ngx_duplex_nodes() == NULL) {
        return;
    }

    now = ngx_duplex_clock_monotonic();

    if (now - ngx_duplex_skew_published >= NGX_DUPLEX_SKEW_RENEW) {
        ngx_duplex_skew_published = now;
        ngx_duplex_skew_publish();
    }

    if (ngx_duplex_skew_heard
        && now - ngx_duplex_skew_heard >= NGX_DUPLEX_SKEW_PAUSE)
    {
        ngx_duplex_skew_heard = 0;
        ngx_duplex_skew_tell();
    }
}


static void
ngx_duplex_skew_tell(void)
{
    ngx_uint_t               i;
    ngx_pool_t              *pool;
    ngx_duplex_nodes_t      *nodes;
    ngx_duplex_skew_found_t  found;

    pool = ngx_create_pool(NGX_CYCLE_POOL_SIZE, ngx_cycle->log);
    if (pool == NULL) {
        return;
    }

    nodes = ngx_duplex_nodes();

    for (i = 0; i < NGX_DUPLEX_NODES_MAX; i++) {
        nodes->dialled[i].differences = 0;
    }

    ngx_memzero(&found, sizeof(ngx_duplex_skew_found_t));

    if (ngx_duplex_skew_visit(pool, ngx_duplex_skew_found, &found) == NGX_OK) {
        for (i = 0; i < NGX_DUPLEX_SKEW_MAX; i++) {
            nodes->skewed[i] = found.hashes[i];
        }
    }

    if (found.untold) {
        ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                      "configurations of nodes differ in %ui more, "
                      "see \"duplex/skew\" of the API", found.untold);
    }

    ngx_destroy_pool(pool);
}


static void
ngx_duplex_skew_found(ngx_duplex_difference_t *difference, void *data)
{
    ngx_duplex_skew_found_t *found = data;

    u_char               buf[2048];
    uint64_t             hash;
    ngx_uint_t           i;
    ngx_duplex_nodes_t  *nodes;

    nodes = ngx_duplex_nodes();

    ngx_duplex_skew_count(&difference->node);

    hash = ngx_duplex_hash(buf, ngx_snprintf(buf, sizeof(buf),
                                             "%V\t%V\t%V\t%V\t%V",
                                             &difference->node,
                                             &difference->zone,
                                             &difference->name,
                                             &difference->here,
                                             &difference->there)
                                - buf);

    if (found->n < NGX_DUPLEX_SKEW_MAX) {
        found->hashes[found->n++] = hash;
    }

    for (i = 0; i < NGX_DUPLEX_SKEW_MAX; i++) {
        if (nodes->skewed[i] == hash) {
            return;
        }
    }

    if (found->told == NGX_DUPLEX_SKEW_LINES) {
        found->untold++;
        return;
    }

    found->told++;

    ngx_duplex_skew_log(difference);
}


static void
ngx_duplex_skew_log(ngx_duplex_difference_t *difference)
{
    ngx_str_t    name;
    const char  *title;

    title = ngx_duplex_skew_title(&difference->zone, &name);

    if (difference->name.len == 0) {
        ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                      "configuration differs from node \"%V\": "
                      "%s \"%V\" is only %s", &difference->node, title, &name,
                      difference->here.data ? "here" : "there");
        return;
    }

    if (difference->here.data == NULL || difference->there.data == NULL) {
        ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                      "configuration differs from node \"%V\": "
                      "%s \"%V\": \"%V\" is only %s",
                      &difference->node, title, &name, &difference->name,
                      difference->here.data ? "here" : "there");
        return;
    }

    ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                  "configuration differs from node \"%V\": "
                  "%s \"%V\": \"%V\" is %V here, %V there",
                  &difference->node, title, &name, &difference->name,
                  &difference->here, &difference->there);
}


static void
ngx_duplex_skew_count(ngx_str_t *node)
{
    uint64_t             id;
    ngx_uint_t           i;
    ngx_duplex_nodes_t  *nodes;

    id = ngx_duplex_node_id(node);
    nodes = ngx_duplex_nodes();

    for (i = 0; i < NGX_DUPLEX_NODES_MAX; i++) {
        if (nodes->dialled[i].id == id) {
            nodes->dialled[i].differences++;
        }
    }
}


ngx_int_t
ngx_duplex_skew_visit(ngx_pool_t *pool, ngx_duplex_skew_visit_pt visit,
    void *data)
{
    ngx_uint_t                i;
    ngx_duplex_skew_t         skew;
    ngx_duplex_skew_word_t   *word, *own;
    ngx_duplex_difference_t   difference;

    skew.pool = pool;

    if (ngx_array_init(&skew.words, pool, 64, sizeof(ngx_duplex_skew_word_t))
            != NGX_OK
        || ngx_duplex_store_walk(ngx_duplex_store_table(), NGX_DUPLEX_SKEW,
                                 NULL, ngx_duplex_skew_collect, &skew)
            != NGX_OK)
    {
        return NGX_ERROR;
    }

    word = skew.words.elts;

    for (i = 0; i < skew.words.nelts; i++) {

        if (word[i].own) {
            continue;
        }

        ngx_memzero(&difference, sizeof(ngx_duplex_difference_t));

        difference.node = word[i].node;
        difference.zone = word[i].zone;

        own = ngx_duplex_skew_word(&skew, NULL, &word[i].zone);

        if (own) {
            ngx_duplex_skew_compare(&own->value, &word[i].value, &difference,
                                    visit, data);

        } else {
            ngx_str_set(&difference.there, "configured");
            visit(&difference, data);
        }

        /* once for each node, at its first word */

        if (ngx_duplex_skew_word(&skew, &word[i].node, NULL) == &word[i]) {
            ngx_duplex_skew_visit_own(&skew, &word[i].node, visit, data);
        }
    }

    return NGX_OK;
}


/* what this node has and the other one has not */

static void
ngx_duplex_skew_visit_own(ngx_duplex_skew_t *skew, ngx_str_t *node,
    ngx_duplex_skew_visit_pt visit, void *data)
{
    ngx_uint_t                i;
    ngx_duplex_skew_word_t   *word;
    ngx_duplex_difference_t   difference;

    word = skew->words.elts;

    for (i = 0; i < skew->words.nelts; i++) {

        if (!word[i].own || ngx_duplex_skew_word(skew, node, &word[i].zone)) {
            continue;
        }

        ngx_memzero(&difference, sizeof(ngx_duplex_difference_t));

        difference.node = *node;
        difference.zone = word[i].zone;
        ngx_str_set(&difference.here, "configured");

        visit(&difference, data);
    }
}


static ngx_int_t
ngx_duplex_skew_collect(ngx_duplex_record_t *rec, void *data)
{
    ngx_duplex_skew_t *skew = data;

    ngx_uint_t               own;
    ngx_duplex_skew_word_t  *word;

    own = (ngx_duplex_node_id(&rec->key) == ngx_duplex_identity()->id);

    if (!own && !ngx_duplex_skew_knows(&rec->key)) {
        return NGX_OK;
    }

    word = ngx_array_push(&skew->words);
    if (word == NULL) {
        return NGX_ERROR;
    }

    word->own = own;
    word->node = rec->key;
    word->zone = rec->zone;
    word->value = rec->value;

    word->node.data = ngx_pstrdup(skew->pool, &rec->key);
    word->zone.data = ngx_pstrdup(skew->pool, &rec->zone);
    word->value.data = ngx_pstrdup(skew->pool, &rec->value);

    return (word->node.data && word->zone.data && word->value.data)
           ? NGX_OK : NGX_ERROR;
}


static ngx_uint_t
ngx_duplex_skew_knows(ngx_str_t *node)
{
    uint64_t             id;
    ngx_uint_t           i;
    ngx_duplex_nodes_t  *nodes;

    id = ngx_duplex_node_id(node);
    nodes = ngx_duplex_nodes();

    for (i = 0; i < NGX_DUPLEX_NODES_MAX; i++) {
        if (nodes->accepted[i].id == id
            || (nodes->dialled[i].state != ngx_duplex_dial_unused
                && nodes->dialled[i].id == id))
        {
            return 1;
        }
    }

    return 0;
}


/* the first of a node (NULL: this one) on a zone (NULL: any) */

static ngx_duplex_skew_word_t *
ngx_duplex_skew_word(ngx_duplex_skew_t *skew, ngx_str_t *node, ngx_str_t *zone)
{
    ngx_uint_t               i;
    ngx_duplex_skew_word_t  *word;

    word = skew->words.elts;

    for (i = 0; i < skew->words.nelts; i++) {

        if (zone && !ngx_duplex_skew_same(&word[i].zone, zone)) {
            continue;
        }

        if (node ? !word[i].own && ngx_duplex_skew_same(&word[i].node, node)
                 : word[i].own)
        {
            return &word[i];
        }
    }

    return NULL;
}


void
ngx_duplex_skew_render(ngx_duplex_json_t *json)
{
    ngx_pool_t  *pool;

    ngx_duplex_json_array(json, NULL);

    pool = ngx_duplex_nodes() ? ngx_create_pool(NGX_CYCLE_POOL_SIZE,
                                                ngx_cycle->log) : NULL;

    if (pool) {
        (void) ngx_duplex_skew_visit(pool, ngx_duplex_skew_show, json);
        ngx_destroy_pool(pool);
    }

    ngx_duplex_json_array_end(json);
}


static void
ngx_duplex_skew_show(ngx_duplex_difference_t *difference, void *data)
{
    ngx_duplex_json_t *json = data;

    ngx_str_t    name;
    const char  *title;

    title = ngx_duplex_skew_title(&difference->zone, &name);

    ngx_duplex_json_object(json, NULL);
    ngx_duplex_json_string(json, "node", &difference->node);
    ngx_duplex_json_text(json, "of", title);
    ngx_duplex_json_string(json, "name", &name);

    if (difference->name.len) {
        ngx_duplex_json_string(json, "parameter", &difference->name);
    }

    if (difference->here.data) {
        ngx_duplex_json_string(json, "here", &difference->here);
    }

    if (difference->there.data) {
        ngx_duplex_json_string(json, "there", &difference->there);
    }

    ngx_duplex_json_object_end(json);
}


/* "http:app" is upstream "app" */

static const char *
ngx_duplex_skew_title(ngx_str_t *zone, ngx_str_t *name)
{
    ngx_uint_t  i;

    static struct {
        ngx_str_t    prefix;
        const char  *title;
    } titles[] = {
        { ngx_string("http:"), "upstream" },
        { ngx_string("stream:"), "stream upstream" },
        { ngx_string("zone:"), "zone" },
        { ngx_null_string, "node" }
    };

    for (i = 0; titles[i].prefix.len; i++) {

        if (zone->len > titles[i].prefix.len
            && ngx_memcmp(zone->data, titles[i].prefix.data,
                          titles[i].prefix.len)
               == 0)
        {
            break;
        }
    }

    name->data = zone->data + titles[i].prefix.len;
    name->len = zone->len - titles[i].prefix.len;

    return titles[i].title;
}
