
/*
 * Splits and their records; see the header.
 *
 * The value of a record, numbers big-endian:
 *
 *     1   layout, 1          8  digest of the line it was made against
 *     8   activation         8  deployment
 *     1   number of parts, and for each of them
 *           8  hash of the group's name   2  weight   1  1: closed
 *     5000  map, 4 bits a slot: a part of that list
 *     str who, str why
 *
 * The whole map travels, so which node changed it last, and what it was
 * before, make no difference to what it is.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_bytes.h"
#include "../core/ngx_duplex_clock.h"
#include "../core/ngx_duplex_identity.h"
#include "ngx_duplex_split.h"


#define NGX_DUPLEX_SPLIT_LAYOUT  1

#define NGX_DUPLEX_SPLIT_VALUE_MAX                                            \
    (26 + 11 * NGX_DUPLEX_SPLIT_PARTS + NGX_DUPLEX_SPLIT_SLOTS / 2            \
     + NGX_DUPLEX_SPLIT_WHO_MAX + NGX_DUPLEX_SPLIT_WHY_MAX + 2)


static void ngx_duplex_split_project(ngx_duplex_record_t *rec);
static void ngx_duplex_split_read(ngx_duplex_split_t *split);
static void ngx_duplex_split_take(ngx_duplex_split_t *split,
    ngx_duplex_split_state_t *state);
static void ngx_duplex_split_from_file(ngx_duplex_split_t *split,
    ngx_duplex_split_state_t *state);
static ngx_int_t ngx_duplex_split_decode(ngx_duplex_split_t *split,
    ngx_duplex_record_t *rec, ngx_duplex_split_state_t *state);
static ngx_int_t ngx_duplex_split_decode_parts(ngx_duplex_split_t *split,
    ngx_duplex_bytes_t *b, ngx_duplex_split_state_t *state,
    ngx_uint_t *places);
static size_t ngx_duplex_split_encode(ngx_duplex_split_t *split,
    ngx_duplex_split_change_t *change, uint64_t activate, u_char *p);
static void ngx_duplex_split_log(ngx_duplex_split_t *split,
    ngx_duplex_split_change_t *change);


ngx_duplex_kind_t  ngx_duplex_split_kind = {
    NGX_DUPLEX_TAG('s', 'p', 'l', 't'),
    ngx_string("split"),
    NGX_DUPLEX_KIND_DURABLE,
    ngx_duplex_split_project
};


static ngx_array_t  *ngx_duplex_splits;     /* ngx_duplex_split_t * */


void
ngx_duplex_split_digest(ngx_duplex_split_t *split)
{
    u_char       buf[NGX_DUPLEX_SPLIT_PARTS * 16], *p;
    ngx_uint_t   i;

    p = buf;

    for (i = 0; i < split->nparts; i++) {
        split->parts[i].hash = ngx_duplex_hash(split->parts[i].group.data,
                                               split->parts[i].group.len);
        p = ngx_duplex_bytes_put(p, split->parts[i].hash, 8);
        p = ngx_duplex_bytes_put(p, split->parts[i].weight, 8);
    }

    split->digest = ngx_duplex_hash(buf, p - buf);
}


void
ngx_duplex_splits_commit(ngx_array_t *splits)
{
    ngx_uint_t           i;
    ngx_duplex_split_t  *split;

    ngx_duplex_splits = splits;

    for (i = 0; (split = ngx_duplex_split(i)); i++) {
        split->id = i;
        ngx_duplex_split_from_file(split, &split->present);
        ngx_duplex_split_read(split);

        if (split->superseded) {
            ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                          "weights of split \"%V\" that were set at run time "
                          "are not used: its lines in the file have changed "
                          "since", &split->name);
        }
    }
}


ngx_duplex_split_t *
ngx_duplex_split(ngx_uint_t i)
{
    ngx_duplex_split_t  **splits;

    if (ngx_duplex_splits == NULL || i >= ngx_duplex_splits->nelts) {
        return NULL;
    }

    splits = ngx_duplex_splits->elts;

    return splits[i];
}


ngx_duplex_split_t *
ngx_duplex_split_find(ngx_str_t *name)
{
    ngx_uint_t           i;
    ngx_duplex_split_t  *split;

    for (i = 0; (split = ngx_duplex_split(i)); i++) {
        if (split->name.len == name->len
            && ngx_memcmp(split->name.data, name->data, name->len) == 0)
        {
            return split;
        }
    }

    return NULL;
}


ngx_int_t
ngx_duplex_split_part(ngx_duplex_split_t *split, ngx_str_t *word)
{
    ngx_uint_t                i;
    ngx_duplex_split_part_t  *part;

    for (i = 0; i < split->nparts; i++) {

        part = &split->parts[i];

        if ((part->colour.len == word->len
             && ngx_memcmp(part->colour.data, word->data, word->len) == 0)
            || (part->group.len == word->len
                && ngx_memcmp(part->group.data, word->data, word->len) == 0))
        {
            return i;
        }
    }

    return NGX_ERROR;
}


ngx_duplex_split_state_t *
ngx_duplex_split_state(ngx_duplex_split_t *split)
{
    if (split->pending && ngx_duplex_clock_wall() >= split->next.activate) {
        split->present = split->next;
        split->pending = 0;
    }

    return &split->present;
}


/* two splits by the same key are to be independent of each other */

ngx_uint_t
ngx_duplex_split_select(ngx_duplex_split_t *split, ngx_str_t *key)
{
    uint32_t                   hash;
    ngx_duplex_split_state_t  *state;

    state = ngx_duplex_split_state(split);

    hash = ngx_murmur_hash2(key->data, key->len)
           ^ ngx_murmur_hash2(split->name.data, split->name.len);

    hash ^= hash >> 16;
    hash *= 0x85ebca6b;
    hash ^= hash >> 13;
    hash *= 0xc2b2ae35;
    hash ^= hash >> 16;

    return state->map.part[ngx_duplex_split_map_slot(hash)];
}


static void
ngx_duplex_split_project(ngx_duplex_record_t *rec)
{
    ngx_duplex_split_t  *split;

    split = ngx_duplex_split_find(&rec->key);

    if (split) {
        ngx_duplex_split_read(split);
    }
}


static void
ngx_duplex_split_read(ngx_duplex_split_t *split)
{
    ngx_duplex_table_t               *table;
    ngx_duplex_record_t               rec;
    static ngx_duplex_split_state_t   state;
    static u_char                     buf[NGX_DUPLEX_RECORD_MAX];

    table = ngx_duplex_store_table();
    if (table == NULL) {
        return;
    }

    ngx_memzero(&rec, sizeof(ngx_duplex_record_t));

    rec.kind = ngx_duplex_split_kind.tag;
    rec.key = split->name;

    if (ngx_duplex_store_get(table, &rec, buf, sizeof(buf)) != NGX_OK) {
        return;
    }

    split->superseded = 0;

    if (ngx_duplex_split_decode(split, &rec, &state) == NGX_OK) {
        ngx_duplex_split_take(split, &state);
        return;
    }

    split->superseded = 1;
    ngx_duplex_split_from_file(split, &state);
    ngx_duplex_split_take(split, &state);
}


/* at once, or when its time has come: then the one before stays in force */

static void
ngx_duplex_split_take(ngx_duplex_split_t *split,
    ngx_duplex_split_state_t *state)
{
    uint64_t  now;

    now = ngx_duplex_clock_wall();

    if (split->pending && now >= split->next.activate) {
        split->present = split->next;
    }

    split->pending = 0;

    if (state->activate > now
        && state->activate <= now + 20 * NGX_DUPLEX_SPLIT_DELAY)
    {
        split->next = *state;
        split->pending = 1;
        return;
    }

    split->present = *state;
}


static void
ngx_duplex_split_from_file(ngx_duplex_split_t *split,
    ngx_duplex_split_state_t *state)
{
    ngx_uint_t  i;

    ngx_memzero(state, sizeof(ngx_duplex_split_state_t));

    for (i = 0; i < split->nparts; i++) {
        state->weights[i] = split->parts[i].weight;
    }

    ngx_duplex_split_map_fill(&state->map, state->weights, split->nparts);
}


/* NGX_DECLINED: it is not for the split as the file has it */

static ngx_int_t
ngx_duplex_split_decode(ngx_duplex_split_t *split, ngx_duplex_record_t *rec,
    ngx_duplex_split_state_t *state)
{
    ngx_str_t           map, who, why;
    ngx_uint_t          i, place, places[16];
    ngx_duplex_bytes_t  b;

    ngx_memzero(state, sizeof(ngx_duplex_split_state_t));
    ngx_memzero(&b, sizeof(ngx_duplex_bytes_t));

    b.pos = rec->value.data;
    b.last = rec->value.data + rec->value.len;

    if (ngx_duplex_bytes_get(&b, 1) != NGX_DUPLEX_SPLIT_LAYOUT
        || ngx_duplex_bytes_get(&b, 8) != split->digest)
    {
        return NGX_DECLINED;
    }

    state->activate = ngx_duplex_bytes_get(&b, 8);
    state->deployment = ngx_duplex_bytes_get(&b, 8);
    state->changed = ngx_duplex_clock_ms(rec->time);

    if (ngx_duplex_split_decode_parts(split, &b, state, places) != NGX_OK) {
        return NGX_DECLINED;
    }

    ngx_duplex_bytes_get_run(&b, NGX_DUPLEX_SPLIT_SLOTS / 2, &map);
    ngx_duplex_bytes_get_str(&b, &who);
    ngx_duplex_bytes_get_str(&b, &why);

    if (b.failed || who.len > NGX_DUPLEX_SPLIT_WHO_MAX
        || why.len > NGX_DUPLEX_SPLIT_WHY_MAX)
    {
        return NGX_DECLINED;
    }

    for (i = 0; i < NGX_DUPLEX_SPLIT_SLOTS; i++) {

        place = map.data[i / 2];
        place = i % 2 ? place & 0x0f : place >> 4;

        if (places[place] >= split->nparts) {
            return NGX_DECLINED;
        }

        state->map.part[i] = (u_char) places[place];
    }

    state->who_len = who.len;
    state->why_len = why.len;
    ngx_memcpy(state->who, who.data, who.len);
    ngx_memcpy(state->why, why.data, why.len);

    return NGX_OK;
}


/* "places": from a part of the record's list to ours */

static ngx_int_t
ngx_duplex_split_decode_parts(ngx_duplex_split_t *split,
    ngx_duplex_bytes_t *b, ngx_duplex_split_state_t *state,
    ngx_uint_t *places)
{
    uint64_t    hash;
    ngx_uint_t  i, j, n, weight, closed, sum;

    for (i = 0; i < 16; i++) {
        places[i] = NGX_DUPLEX_SPLIT_PARTS;
    }

    n = (ngx_uint_t) ngx_duplex_bytes_get(b, 1);

    if (n > NGX_DUPLEX_SPLIT_PARTS) {
        return NGX_DECLINED;
    }

    sum = 0;

    for (i = 0; i < n; i++) {
        hash = ngx_duplex_bytes_get(b, 8);
        weight = (ngx_uint_t) ngx_duplex_bytes_get(b, 2);
        closed = (ngx_uint_t) ngx_duplex_bytes_get(b, 1);

        for (j = 0; j < split->nparts; j++) {
            if (split->parts[j].hash == hash) {
                places[i] = j;
                state->weights[j] = weight;
                state->closed |= (closed & 1) << j;
                sum += weight;
            }
        }
    }

    return b->failed || sum != NGX_DUPLEX_SPLIT_SLOTS ? NGX_DECLINED : NGX_OK;
}


ngx_int_t
ngx_duplex_split_change(ngx_duplex_split_t *split,
    ngx_duplex_split_change_t *change)
{
    ngx_int_t                  rc;
    ngx_duplex_record_t        rec;
    ngx_duplex_split_state_t  *state;
    u_char                     value[NGX_DUPLEX_SPLIT_VALUE_MAX];

    state = split->pending ? &split->next : &split->present;

    if (ngx_memcmp(state->weights, change->weights,
                   split->nparts * sizeof(ngx_uint_t)) == 0
        && state->closed == change->closed
        && state->deployment == change->deployment)
    {
        return NGX_DECLINED;
    }

    ngx_memzero(&rec, sizeof(ngx_duplex_record_t));

    rec.kind = ngx_duplex_split_kind.tag;
    rec.key = split->name;
    rec.value.data = value;
    rec.value.len = ngx_duplex_split_encode(split, change,
                         ngx_duplex_clock_wall() + NGX_DUPLEX_SPLIT_DELAY,
                         value);

    rc = ngx_duplex_store_apply(ngx_duplex_store_table(), &rec);

    if (rc == NGX_OK) {
        ngx_duplex_split_log(split, change);
    }

    return rc;
}


static size_t
ngx_duplex_split_encode(ngx_duplex_split_t *split,
    ngx_duplex_split_change_t *change, uint64_t activate, u_char *p)
{
    u_char                  *start;
    ngx_str_t                who, why;
    ngx_uint_t               i;
    ngx_duplex_split_map_t   map;

    start = p;

    map = split->pending ? split->next.map : split->present.map;
    ngx_duplex_split_map_move(&map, change->weights, split->nparts);

    who.data = change->who.data;
    who.len = ngx_min(change->who.len, NGX_DUPLEX_SPLIT_WHO_MAX);
    why.data = change->why.data;
    why.len = ngx_min(change->why.len, NGX_DUPLEX_SPLIT_WHY_MAX);

    p = ngx_duplex_bytes_put(p, NGX_DUPLEX_SPLIT_LAYOUT, 1);
    p = ngx_duplex_bytes_put(p, split->digest, 8);
    p = ngx_duplex_bytes_put(p, activate, 8);
    p = ngx_duplex_bytes_put(p, change->deployment, 8);
    p = ngx_duplex_bytes_put(p, split->nparts, 1);

    for (i = 0; i < split->nparts; i++) {
        p = ngx_duplex_bytes_put(p, split->parts[i].hash, 8);
        p = ngx_duplex_bytes_put(p, change->weights[i], 2);
        p = ngx_duplex_bytes_put(p, change->closed >> i & 1, 1);
    }

    for (i = 0; i < NGX_DUPLEX_SPLIT_SLOTS; i += 2) {
        *p++ = (u_char) (map.part[i] << 4 | map.part[i + 1]);
    }

    p = ngx_duplex_bytes_put_str(p, &who);
    p = ngx_duplex_bytes_put_str(p, &why);

    return p - start;
}


static void
ngx_duplex_split_log(ngx_duplex_split_t *split,
    ngx_duplex_split_change_t *change)
{
    u_char      buf[1024], *p, *last;
    ngx_uint_t  i;

    p = buf;
    last = buf + sizeof(buf);

    for (i = 0; i < split->nparts; i++) {
        p = ngx_slprintf(p, last - 8, "%s%V ", i ? ", " : "",
                         &split->parts[i].group);

        if (last - p > 8) {
            p = ngx_duplex_split_percent(p, change->weights[i]);
        }

        p = ngx_slprintf(p, last, "%%%s",
                         change->closed >> i & 1 ? " closed" : "");
    }

    ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                  "split \"%V\" is now %*s: %V%s%V",
                  &split->name, (size_t) (p - buf), buf, &change->who,
                  change->why.len ? ": " : "", &change->why);
}


u_char *
ngx_duplex_split_percent(u_char *p, ngx_uint_t weight)
{
    if (weight % 100 == 0) {
        return ngx_sprintf(p, "%ui", weight / 100);
    }

    if (weight % 10 == 0) {
        return ngx_sprintf(p, "%ui.%ui", weight / 100, weight / 10 % 10);
    }

    return ngx_sprintf(p, "%ui.%02ui", weight / 100, weight % 100);
}
