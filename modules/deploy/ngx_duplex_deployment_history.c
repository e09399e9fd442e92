
/*
 * What became of deployments: the last ones of each split, as records (kind
 * "dhst") whose zone is the split and whose key the deployment's id.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_clock.h"
#include "../core/ngx_duplex_identity.h"
#include "ngx_duplex_deployment.h"


#define NGX_DUPLEX_HISTORY_MAX  20          /* of a split */


typedef struct {
    ngx_uint_t             n;
    u_char                 key[NGX_DUPLEX_KEY_MAX];
    size_t                 len;
} ngx_duplex_history_t;


static ngx_int_t ngx_duplex_history_visit(ngx_duplex_record_t *rec,
    void *data);


ngx_duplex_kind_t  ngx_duplex_history_kind = {
    NGX_DUPLEX_TAG('d', 'h', 's', 't'),
    ngx_string("deployment history"),
    NGX_DUPLEX_KIND_DURABLE,
    NULL
};


/* the last ones are kept, by the time they began */

void
ngx_duplex_history_add(ngx_duplex_split_t *split,
    ngx_duplex_decision_t *decision, const char *word)
{
    u_char                id[17];
    json_t               *json;
    ngx_str_t             key;
    ngx_duplex_record_t   rec;
    ngx_duplex_history_t  history;

    json = json_pack("{s:s, s:s, s:i, s:I, s:s, s:O}",
                     "state", word,
                     "why", decision->why ? decision->why : "",
                     "step", (int) decision->step,
                     "ended", (json_int_t) ngx_duplex_clock_wall(),
                     "node", (char *) "", "plan", decision->plan);

    if (json == NULL) {
        return;
    }

    json_object_set_new(json, "node",
                        json_stringn((char *) ngx_duplex_identity()->name.data,
                                     ngx_duplex_identity()->name.len));

    key.data = id;
    key.len = ngx_sprintf(id, "%016xL", (uint64_t)
                          json_integer_value(json_object_get(decision->plan,
                                                             "id")))
              - id;

    (void) ngx_duplex_register_write(&ngx_duplex_history_kind, split, &key,
                                     json);
    json_decref(json);

    ngx_memzero(&history, sizeof(ngx_duplex_history_t));

    (void) ngx_duplex_store_walk(ngx_duplex_store_table(),
                                 ngx_duplex_history_kind.tag, &split->name,
                                 ngx_duplex_history_visit, &history);

    if (history.n <= NGX_DUPLEX_HISTORY_MAX) {
        return;
    }

    ngx_memzero(&rec, sizeof(ngx_duplex_record_t));

    rec.kind = ngx_duplex_history_kind.tag;
    rec.zone = split->name;
    rec.key.data = history.key;
    rec.key.len = history.len;
    rec.deleted = 1;

    (void) ngx_duplex_store_apply(ngx_duplex_store_table(), &rec);
}


/* ids begin with the time, so the lowest key is the oldest */

static ngx_int_t
ngx_duplex_history_visit(ngx_duplex_record_t *rec, void *data)
{
    ngx_duplex_history_t  *history = data;

    if (history->n++ == 0
        || ngx_memn2cmp(rec->key.data, history->key, rec->key.len,
                        history->len)
           < 0)
    {
        ngx_memcpy(history->key, rec->key.data, rec->key.len);
        history->len = rec->key.len;
    }

    return NGX_OK;
}
