
/*
 * Slots, stripes and words of a dense table.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_clock.h"
#include "ngx_duplex_store.h"
#include "ngx_duplex_dense_memory.h"


/* "voided" of a freed word: others are still to be found behind it */
#define NGX_DUPLEX_WORD_GONE  1


static void ngx_duplex_stripe_repair_locked(ngx_duplex_dense_t *dense,
    ngx_duplex_stripe_t *stripe);
static uint32_t ngx_duplex_slot_coldest_locked(ngx_duplex_dense_t *dense,
    ngx_duplex_dense_key_t *key);
static uint32_t ngx_duplex_slot_earliest_locked(ngx_duplex_dense_t *dense,
    ngx_duplex_dense_key_t *key, uint32_t newest);
static uint32_t ngx_duplex_dense_word_locked(ngx_duplex_word_t *words,
    uint32_t n, uint64_t word);
static void ngx_duplex_slot_clear_locked(ngx_duplex_bucket_t *bucket,
    uint32_t i);
static void ngx_duplex_dense_collect_words(ngx_duplex_word_t *words,
    uint32_t n, u_char *named);


void
ngx_duplex_dense_place(ngx_duplex_dense_t *dense, const u_char *data,
    ngx_duplex_dense_key_t *key)
{
    uint32_t  first, second;

    key->high = 0;
    key->low = 0;

    ngx_memcpy(&key->high, data, 8);
    ngx_memcpy(&key->low, data + 8, 8);

    key->stripe = (key->high >> 32) * dense->nstripes >> 32;

    first = (key->high & 0xffffffff) * dense->nbuckets >> 32;
    second = (key->low >> 32) * dense->nbuckets >> 32;

    if (second == first && ++second == dense->nbuckets) {
        second = 0;
    }

    key->bucket[0] = key->stripe * dense->nbuckets + first;
    key->bucket[1] = key->stripe * dense->nbuckets + second;
}


void
ngx_duplex_stripe_lock(ngx_duplex_dense_t *dense, uint32_t stripe)
{
    ngx_duplex_stripe_t  *s;

    s = &ngx_duplex_dense_stripes(dense)[stripe];

    if (ngx_duplex_lock(&s->lock) != NGX_OK) {
        ngx_duplex_stripe_repair_locked(dense, s);
    }
}


void
ngx_duplex_stripe_unlock(ngx_duplex_dense_t *dense, uint32_t stripe)
{
    ngx_duplex_unlock(&ngx_duplex_dense_stripes(dense)[stripe].lock);
}


static void
ngx_duplex_stripe_repair_locked(ngx_duplex_dense_t *dense,
    ngx_duplex_stripe_t *stripe)
{
    uint32_t              i, slot;
    ngx_duplex_bucket_t  *bucket;

    (void) __atomic_fetch_add(&dense->recovered, 1, __ATOMIC_RELAXED);

    if (stripe->pending == 0) {
        return;
    }

    slot = stripe->pending - 1;
    bucket = ngx_duplex_dense_bucket(dense, slot);
    i = slot % NGX_DUPLEX_DENSE_SLOTS;

    if (bucket->seq[i] & 1) {
        ngx_duplex_dense_store(&bucket->expire[i], 0);
        ngx_duplex_dense_store(&bucket->seq[i], bucket->seq[i] + 1);

    } else {

        /* it is whole, but perhaps nobody has been told */

        ngx_duplex_slot_log_locked(dense, slot);
    }

    ngx_duplex_dense_store(&stripe->pending, 0);
}


ngx_int_t
ngx_duplex_slot_read(ngx_duplex_dense_t *dense, uint32_t slot,
    ngx_duplex_dense_slot_t *copy, uint32_t now)
{
    uint32_t              i, seq, value, node, via;
    ngx_duplex_word_t    *word;
    ngx_duplex_bucket_t  *bucket;

    bucket = ngx_duplex_dense_bucket(dense, slot);
    i = slot % NGX_DUPLEX_DENSE_SLOTS;

    seq = ngx_duplex_dense_load(&bucket->seq[i]);

    if (seq & 1) {
        return NGX_AGAIN;
    }

    copy->expire = ngx_duplex_dense_load(&bucket->expire[i]);
    copy->high = ngx_duplex_dense_load(&bucket->high[i]);
    copy->low = ngx_duplex_dense_load(&bucket->low[i]);
    copy->record.time = ngx_duplex_dense_load(&bucket->time[i]);
    copy->record.expire = (uint64_t) copy->expire << NGX_DUPLEX_DENSE_SHIFT;

    value = ngx_duplex_dense_load(&bucket->value[i]);
    node = ngx_duplex_dense_load(&bucket->node[i]);
    via = ngx_duplex_dense_load(&bucket->via[i]);

    /* while a slot names a word it stays; the numbers are of our own table */

    copy->number = value;
    copy->record.value = 0;
    copy->voided = ngx_duplex_dense_load(&dense->voided);

    if (value) {
        word = &ngx_duplex_dense_values(dense)[value - 1];
        copy->record.value = ngx_duplex_dense_load(&word->word);
        copy->voided = ngx_max(copy->voided,
                               ngx_duplex_dense_load(&word->voided));
    }

    word = ngx_duplex_dense_nodes(dense);
    copy->record.node = node ? ngx_duplex_dense_load(&word[node - 1].word) : 0;
    copy->via = via ? ngx_duplex_dense_load(&word[via - 1].word) : 0;

    if (ngx_duplex_dense_load(&bucket->seq[i]) != seq) {
        return NGX_AGAIN;
    }

    if (copy->expire <= now) {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


void
ngx_duplex_slot_write_locked(ngx_duplex_dense_t *dense, uint32_t slot,
    ngx_duplex_dense_slot_t *copy, ngx_duplex_dense_words_t *words)
{
    uint32_t              i, seq;
    ngx_duplex_bucket_t  *bucket;

    bucket = ngx_duplex_dense_bucket(dense, slot);
    i = slot % NGX_DUPLEX_DENSE_SLOTS;

    seq = bucket->seq[i] | 1;

    ngx_duplex_dense_store(&bucket->seq[i], seq);

    ngx_duplex_dense_store(&bucket->high[i], copy->high);
    ngx_duplex_dense_store(&bucket->low[i], copy->low);
    ngx_duplex_dense_store(&bucket->time[i], copy->record.time);
    ngx_duplex_dense_store(&bucket->value[i], (uint16_t) words->value);
    ngx_duplex_dense_store(&bucket->node[i], (uint8_t) words->node);
    ngx_duplex_dense_store(&bucket->via[i], (uint8_t) words->via);
    ngx_duplex_dense_store(&bucket->expire[i], copy->expire);
    ngx_duplex_dense_store(&bucket->used[i], 1);

    ngx_duplex_dense_store(&bucket->seq[i], seq + 1);
}


void
ngx_duplex_slot_log_locked(ngx_duplex_dense_t *dense, uint32_t slot)
{
    uint64_t  position;

    /* a dead holder has moved the head, or not: both are sound */

    (void) ngx_duplex_lock(&dense->log_lock);

    position = dense->head + 1;

    ngx_duplex_dense_store(&ngx_duplex_dense_ring(dense)
                                             [position % dense->nring], slot);
    ngx_duplex_dense_store(&dense->head, position);

    ngx_duplex_unlock(&dense->log_lock);
}


uint32_t
ngx_duplex_slot_find_locked(ngx_duplex_dense_t *dense,
    ngx_duplex_dense_key_t *key, uint32_t now)
{
    uint32_t              i, n;
    ngx_duplex_bucket_t  *bucket;

    for (n = 0; n < 2; n++) {

        bucket = &ngx_duplex_dense_buckets(dense)[key->bucket[n]];

        for (i = 0; i < NGX_DUPLEX_DENSE_SLOTS; i++) {

            if (bucket->high[i] == key->high
                && bucket->low[i] == key->low
                && bucket->expire[i] > now)
            {
                return key->bucket[n] * NGX_DUPLEX_DENSE_SLOTS + i + 1;
            }
        }
    }

    return 0;
}


/* an empty slot in the bucket that has more of them */

uint32_t
ngx_duplex_slot_choose_locked(ngx_duplex_dense_t *dense,
    ngx_duplex_dense_key_t *key, uint32_t now, uint32_t newest)
{
    uint32_t              i, n, empty[2], slot[2];
    ngx_duplex_bucket_t  *bucket;

    slot[0] = 0;
    slot[1] = 0;

    for (n = 0; n < 2; n++) {

        bucket = &ngx_duplex_dense_buckets(dense)[key->bucket[n]];
        empty[n] = 0;

        for (i = 0; i < NGX_DUPLEX_DENSE_SLOTS; i++) {
            if (bucket->expire[i] <= now) {
                slot[n] = key->bucket[n] * NGX_DUPLEX_DENSE_SLOTS + i + 1;
                empty[n]++;
            }
        }
    }

    if (empty[0] || empty[1]) {
        return empty[1] > empty[0] ? slot[1] : slot[0];
    }

    return newest ? ngx_duplex_slot_earliest_locked(dense, key, newest)
                  : ngx_duplex_slot_coldest_locked(dense, key);
}


/*
 * The hand of the first bucket goes over the 32 slots: what was used since
 * it came by stays for another round, a deletion stays if anything else can
 * go.
 */

static uint32_t
ngx_duplex_slot_coldest_locked(ngx_duplex_dense_t *dense,
    ngx_duplex_dense_key_t *key)
{
    uint32_t              i, n, round, slot;
    ngx_duplex_bucket_t  *first, *bucket;

    first = &ngx_duplex_dense_buckets(dense)[key->bucket[0]];

    slot = 0;

    for (round = 0; round < 2 * 2 * NGX_DUPLEX_DENSE_SLOTS; round++) {

        n = first->hand / NGX_DUPLEX_DENSE_SLOTS % 2;
        i = first->hand % NGX_DUPLEX_DENSE_SLOTS;
        first->hand++;

        bucket = &ngx_duplex_dense_buckets(dense)[key->bucket[n]];
        slot = key->bucket[n] * NGX_DUPLEX_DENSE_SLOTS + i + 1;

        if (bucket->value[i] == 0) {
            continue;
        }

        if (!ngx_duplex_dense_load(&bucket->used[i])) {
            break;
        }

        ngx_duplex_dense_store(&bucket->used[i], 0);
    }

    (void) __atomic_fetch_add(&dense->evicted, 1, __ATOMIC_RELAXED);

    return slot;
}


static uint32_t
ngx_duplex_slot_earliest_locked(ngx_duplex_dense_t *dense,
    ngx_duplex_dense_key_t *key, uint32_t newest)
{
    uint32_t              i, n, slot;
    ngx_duplex_bucket_t  *bucket;

    slot = 0;

    for (n = 0; n < 2; n++) {

        bucket = &ngx_duplex_dense_buckets(dense)[key->bucket[n]];

        for (i = 0; i < NGX_DUPLEX_DENSE_SLOTS; i++) {
            if (bucket->expire[i] < newest) {
                newest = bucket->expire[i];
                slot = key->bucket[n] * NGX_DUPLEX_DENSE_SLOTS + i + 1;
            }
        }
    }

    return slot;
}


uint32_t
ngx_duplex_dense_word(ngx_duplex_dense_t *dense, ngx_duplex_word_t *words,
    uint32_t n, uint64_t word)
{
    uint32_t  number;

    number = ngx_duplex_dense_word_find(words, n, word);

    if (number) {
        return number;
    }

    /* a dead holder has stored the word, or not: both are sound */

    (void) ngx_duplex_lock(&dense->words_lock);

    number = ngx_duplex_dense_word_locked(words, n, word);

    ngx_duplex_unlock(&dense->words_lock);

    return number;
}


uint32_t
ngx_duplex_dense_word_find(ngx_duplex_word_t *words, uint32_t n, uint64_t word)
{
    uint32_t  i, at, probes;
    uint64_t  present;

    at = (uint32_t) (word ^ word >> 32);

    for (probes = 0; probes < n; probes++) {

        i = (at + probes) & (n - 1);
        present = ngx_duplex_dense_load(&words[i].word);

        if (present == word) {
            return i + 1;
        }

        if (present == 0
            && ngx_duplex_dense_load(&words[i].voided) != NGX_DUPLEX_WORD_GONE)
        {
            break;
        }
    }

    return 0;
}


static uint32_t
ngx_duplex_dense_word_locked(ngx_duplex_word_t *words, uint32_t n,
    uint64_t word)
{
    uint32_t  i, at, place, probes;

    at = (uint32_t) (word ^ word >> 32);
    place = n;

    for (probes = 0; probes < n; probes++) {

        i = (at + probes) & (n - 1);

        if (words[i].word == word) {
            return i + 1;
        }

        if (words[i].word == 0) {
            place = ngx_min(place, i);

            if (words[i].voided != NGX_DUPLEX_WORD_GONE) {
                break;
            }
        }
    }

    if (place == n) {
        return 0;
    }

    /* in this order no other word is ever lost behind this place */

    ngx_duplex_dense_store(&words[place].word, word);
    ngx_duplex_dense_store(&words[place].voided, 0);

    return place + 1;
}


ngx_int_t
ngx_duplex_dense_words(ngx_duplex_dense_t *dense,
    ngx_duplex_dense_slot_t *slot, ngx_duplex_dense_words_t *words)
{
    ngx_duplex_word_t  *values, *nodes;

    values = ngx_duplex_dense_values(dense);
    nodes = ngx_duplex_dense_nodes(dense);

    ngx_memzero(words, sizeof(ngx_duplex_dense_words_t));

    if (slot->record.node) {
        words->node = ngx_duplex_dense_word(dense, nodes,
                                            NGX_DUPLEX_DENSE_NODES,
                                            slot->record.node);
        if (words->node == 0) {
            return NGX_AGAIN;
        }
    }

    if (slot->via) {
        words->via = ngx_duplex_dense_word(dense, nodes,
                                           NGX_DUPLEX_DENSE_NODES, slot->via);
        if (words->via == 0) {
            return NGX_AGAIN;
        }
    }

    if (slot->record.value) {
        words->value = ngx_duplex_dense_word(dense, values, dense->nvalues,
                                             slot->record.value);
        if (words->value == 0) {
            return NGX_AGAIN;
        }

        words->voided = ngx_max(ngx_duplex_dense_load(&dense->voided),
                  ngx_duplex_dense_load(&values[words->value - 1].voided));
    }

    return NGX_OK;
}


void
ngx_duplex_dense_collect(ngx_duplex_dense_t *dense, uint32_t now)
{
    u_char               *named;
    uint32_t              i, slot, stripe, nslots;
    ngx_duplex_bucket_t  *bucket;

    nslots = ngx_duplex_dense_nslots(dense);

    named = ngx_calloc(dense->nvalues + 1 + NGX_DUPLEX_DENSE_NODES + 1,
                       ngx_cycle->log);
    if (named == NULL) {
        return;
    }

    for (stripe = 0; stripe < dense->nstripes; stripe++) {
        ngx_duplex_stripe_lock(dense, stripe);
    }

    for (slot = 0; slot < nslots; slot++) {

        bucket = ngx_duplex_dense_bucket(dense, slot);
        i = slot % NGX_DUPLEX_DENSE_SLOTS;

        if (bucket->expire[i] <= now) {
            ngx_duplex_slot_clear_locked(bucket, i);
        }

        named[bucket->value[i]] = 1;
        named[dense->nvalues + 1 + bucket->node[i]] = 1;
        named[dense->nvalues + 1 + bucket->via[i]] = 1;
    }

    (void) ngx_duplex_lock(&dense->words_lock);

    ngx_duplex_dense_collect_words(ngx_duplex_dense_values(dense),
                                   dense->nvalues, named + 1);
    ngx_duplex_dense_collect_words(ngx_duplex_dense_nodes(dense),
                                   NGX_DUPLEX_DENSE_NODES,
                                   named + dense->nvalues + 2);

    ngx_duplex_unlock(&dense->words_lock);

    while (stripe) {
        ngx_duplex_stripe_unlock(dense, --stripe);
    }

    ngx_free(named);
}


/* not in the log, and may be left half done: it is empty before and after */

static void
ngx_duplex_slot_clear_locked(ngx_duplex_bucket_t *bucket, uint32_t i)
{
    ngx_duplex_dense_store(&bucket->expire[i], 0);
    ngx_duplex_dense_store(&bucket->value[i], 0);
    ngx_duplex_dense_store(&bucket->node[i], 0);
    ngx_duplex_dense_store(&bucket->via[i], 0);
    ngx_duplex_dense_store(&bucket->seq[i], (bucket->seq[i] | 1) + 1);
}


static void
ngx_duplex_dense_collect_words(ngx_duplex_word_t *words, uint32_t n,
    u_char *named)
{
    uint32_t  i;
    uint64_t  oldest;

    /* what is void must stay so for as long as such a record may still come */

    oldest = ngx_duplex_clock_wall() - NGX_DUPLEX_TOMBSTONE_TTL;

    for (i = 0; i < n; i++) {
        if (!named[i] && words[i].word
            && ngx_duplex_clock_ms(words[i].voided) < oldest)
        {
            ngx_duplex_dense_store(&words[i].voided, NGX_DUPLEX_WORD_GONE);
            ngx_duplex_dense_store(&words[i].word, 0);
        }
    }
}
