
/*
 * Pages of key-value zones, see the header.
 *
 * A body is checked as a whole before anything is changed.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_keyval.h"
#include "ngx_duplex_keyval_page.h"


/* one member of a body */
typedef struct {
    ngx_str_t            key;
    u_char               text[NGX_DUPLEX_KEYVAL_TEXT];
    ngx_str_t            value;
    uint64_t             expire;        /* ms, 0: not given */
    unsigned             valued:1;      /* "value" is there */
    unsigned             null:1;        /* and is null */
} ngx_duplex_keyval_pair_t;


static ngx_uint_t ngx_duplex_keyval_all(ngx_duplex_call_t *call);
static ngx_uint_t ngx_duplex_keyval_one(ngx_duplex_call_t *call);
static ngx_uint_t ngx_duplex_keyval_post(ngx_duplex_call_t *call);
static ngx_uint_t ngx_duplex_keyval_patch(ngx_duplex_call_t *call);
static ngx_uint_t ngx_duplex_keyval_empty(ngx_duplex_call_t *call);
static ngx_duplex_keyval_t *ngx_duplex_keyval_of(ngx_duplex_call_t *call,
    ngx_uint_t *status);
static ngx_int_t ngx_duplex_keyval_show(ngx_duplex_record_t *rec, void *data);
static ngx_int_t ngx_duplex_keyval_remove(ngx_duplex_record_t *rec,
    void *data);
static ngx_uint_t ngx_duplex_keyval_body(ngx_duplex_call_t *call);
static ngx_uint_t ngx_duplex_keyval_pair(ngx_duplex_call_t *call,
    ngx_duplex_keyval_t *keyval, const char *name, json_t *value,
    ngx_duplex_keyval_pair_t *pair);
static ngx_uint_t ngx_duplex_keyval_value(ngx_duplex_call_t *call,
    ngx_duplex_keyval_t *keyval, json_t *value,
    ngx_duplex_keyval_pair_t *pair);
static ngx_uint_t ngx_duplex_keyval_format(ngx_duplex_call_t *call,
    const char *text);
static ngx_uint_t ngx_duplex_keyval_full(ngx_duplex_call_t *call,
    ngx_duplex_keyval_t *keyval);


static ngx_str_t  ngx_duplex_keyval_http = ngx_string("http");
static ngx_str_t  ngx_duplex_keyval_stream = ngx_string("stream");


ngx_duplex_page_t  ngx_duplex_keyval_http_pages[] = {

    { ngx_string("http/keyvals"), ngx_duplex_keyval_all,
      NULL, NULL, NULL, NULL, 1, &ngx_duplex_keyval_http },

    { ngx_string("http/keyvals/*"), ngx_duplex_keyval_one,
      ngx_duplex_keyval_post, ngx_duplex_keyval_patch, NULL,
      ngx_duplex_keyval_empty, 0, &ngx_duplex_keyval_http },

      ngx_duplex_null_page
};


ngx_duplex_page_t  ngx_duplex_keyval_stream_pages[] = {

    { ngx_string("stream/keyvals"), ngx_duplex_keyval_all,
      NULL, NULL, NULL, NULL, 1, &ngx_duplex_keyval_stream },

    { ngx_string("stream/keyvals/*"), ngx_duplex_keyval_one,
      ngx_duplex_keyval_post, ngx_duplex_keyval_patch, NULL,
      ngx_duplex_keyval_empty, 0, &ngx_duplex_keyval_stream },

      ngx_duplex_null_page
};


static ngx_uint_t
ngx_duplex_keyval_all(ngx_duplex_call_t *call)
{
    ngx_str_t            *protocol;
    ngx_uint_t            i;
    ngx_duplex_keyval_t  *keyval;

    protocol = call->page->data;

    ngx_duplex_json_object(call->json, NULL);

    for (i = 0; (keyval = ngx_duplex_keyval(i)) != NULL; i++) {

        if (keyval->protocol.len != protocol->len) {
            continue;
        }

        ngx_duplex_json_object_named(call->json, &keyval->name);
        (void) ngx_duplex_keyval_walk(keyval, ngx_duplex_keyval_show,
                                      call->json);
        ngx_duplex_json_object_end(call->json);
    }

    ngx_duplex_json_object_end(call->json);

    return NGX_DUPLEX_CALL_OK;
}


static ngx_uint_t
ngx_duplex_keyval_one(ngx_duplex_call_t *call)
{
    u_char                buf[NGX_DUPLEX_RECORD_MAX];
    u_char                text[NGX_DUPLEX_KEYVAL_TEXT];
    ngx_int_t             rc;
    ngx_str_t             arg, key;
    ngx_uint_t            status;
    ngx_duplex_keyval_t  *keyval;
    ngx_duplex_record_t   rec;

    keyval = ngx_duplex_keyval_of(call, &status);
    if (keyval == NULL) {
        return status;
    }

    rc = ngx_duplex_call_arg(call, "key", &arg);

    if (rc == NGX_ERROR) {
        return 500;
    }

    if (rc == NGX_OK
        && (ngx_duplex_keyval_key(keyval, &arg, &key, text) != NGX_OK
            || ngx_duplex_keyval_get(keyval, &key, &rec, buf) != NGX_OK))
    {
        return ngx_duplex_call_refuse(call, 404, "KeyvalKeyNotFound",
                                      "keyval key not found");
    }

    ngx_duplex_json_object(call->json, NULL);

    if (rc == NGX_OK) {
        (void) ngx_duplex_keyval_show(&rec, call->json);

    } else {
        (void) ngx_duplex_keyval_walk(keyval, ngx_duplex_keyval_show,
                                      call->json);
    }

    ngx_duplex_json_object_end(call->json);

    return NGX_DUPLEX_CALL_OK;
}


static ngx_int_t
ngx_duplex_keyval_show(ngx_duplex_record_t *rec, void *data)
{
    ngx_duplex_json_string_named(data, &rec->key, &rec->value);

    return NGX_OK;
}


static ngx_uint_t
ngx_duplex_keyval_post(ngx_duplex_call_t *call)
{
    json_t                    *value;
    u_char                     buf[NGX_DUPLEX_RECORD_MAX];
    ngx_uint_t                 status;
    const char                *name;
    ngx_duplex_keyval_t       *keyval;
    ngx_duplex_record_t        rec;
    ngx_duplex_keyval_pair_t   pair;

    keyval = ngx_duplex_keyval_of(call, &status);
    if (keyval == NULL) {
        return status;
    }

    status = ngx_duplex_keyval_body(call);

    if (status != NGX_DUPLEX_CALL_OK) {
        return status;
    }

    json_object_foreach(call->body, name, value) {

        status = ngx_duplex_keyval_pair(call, keyval, name, value, &pair);

        if (status != NGX_DUPLEX_CALL_OK) {
            return status;
        }

        if (!pair.valued || pair.null) {
            return ngx_duplex_keyval_format(call, "value is not a string");
        }

        if (ngx_duplex_keyval_get(keyval, &pair.key, &rec, buf) == NGX_OK) {
            return ngx_duplex_call_refuse(call, 409, "KeyvalKeyExists",
                                          "key \"%V\" already exists",
                                          &pair.key);
        }
    }

    if (json_object_size(call->body) > 1
        && ngx_duplex_keyval_walk(keyval, ngx_duplex_keyval_remove, NULL)
           != NGX_OK)
    {
        return ngx_duplex_call_refuse(call, 409, "EntryExists",
                                      "only one key can be added to a zone "
                                      "that is not empty");
    }

    json_object_foreach(call->body, name, value) {

        (void) ngx_duplex_keyval_pair(call, keyval, name, value, &pair);

        if (ngx_duplex_keyval_put(keyval, &pair.key, &pair.value, pair.expire)
            != NGX_OK)
        {
            return ngx_duplex_keyval_full(call, keyval);
        }
    }

    return NGX_DUPLEX_CALL_CREATED;
}


static ngx_uint_t
ngx_duplex_keyval_patch(ngx_duplex_call_t *call)
{
    void                      *iter;
    u_char                     buf[NGX_DUPLEX_RECORD_MAX];
    ngx_int_t                  rc;
    ngx_uint_t                 status;
    ngx_duplex_keyval_t       *keyval;
    ngx_duplex_record_t        rec;
    ngx_duplex_keyval_pair_t   pair;

    keyval = ngx_duplex_keyval_of(call, &status);
    if (keyval == NULL) {
        return status;
    }

    status = ngx_duplex_keyval_body(call);

    if (status != NGX_DUPLEX_CALL_OK) {
        return status;
    }

    if (json_object_size(call->body) > 1) {
        return ngx_duplex_keyval_format(call, "only one key can be updated");
    }

    iter = json_object_iter(call->body);

    status = ngx_duplex_keyval_pair(call, keyval, json_object_iter_key(iter),
                                    json_object_iter_value(iter), &pair);

    if (status != NGX_DUPLEX_CALL_OK) {
        return status;
    }

    if (ngx_duplex_keyval_get(keyval, &pair.key, &rec, buf) != NGX_OK) {
        return ngx_duplex_call_refuse(call, 404, "KeyvalKeyNotFound",
                                      "keyval key not found");
    }

    if (pair.null) {
        rc = ngx_duplex_keyval_delete(keyval, &pair.key);

    } else {
        rc = ngx_duplex_keyval_put(keyval, &pair.key,
                                   pair.valued ? &pair.value : &rec.value,
                                   pair.expire);
    }

    return rc == NGX_OK ? NGX_DUPLEX_CALL_NO_CONTENT
                        : ngx_duplex_keyval_full(call, keyval);
}


static ngx_uint_t
ngx_duplex_keyval_empty(ngx_duplex_call_t *call)
{
    ngx_uint_t            status;
    ngx_duplex_keyval_t  *keyval;

    keyval = ngx_duplex_keyval_of(call, &status);
    if (keyval == NULL) {
        return status;
    }

    if (ngx_duplex_keyval_walk(keyval, ngx_duplex_keyval_remove, keyval)
        != NGX_OK)
    {
        return ngx_duplex_keyval_full(call, keyval);
    }

    return NGX_DUPLEX_CALL_NO_CONTENT;
}


/* without a zone in "data": only whether there is a pair at all */

static ngx_int_t
ngx_duplex_keyval_remove(ngx_duplex_record_t *rec, void *data)
{
    return data ? ngx_duplex_keyval_delete(data, &rec->key) : NGX_DECLINED;
}


static ngx_duplex_keyval_t *
ngx_duplex_keyval_of(ngx_duplex_call_t *call, ngx_uint_t *status)
{
    ngx_duplex_keyval_t  *keyval;

    keyval = ngx_duplex_keyval_by_name(call->page->data, &call->segment[0]);

    if (keyval == NULL) {
        *status = ngx_duplex_call_refuse(call, 404, "KeyvalNotFound",
                                         "keyval not found");
    }

    return keyval;
}


static ngx_uint_t
ngx_duplex_keyval_body(ngx_duplex_call_t *call)
{
    if (!json_is_object(call->body)) {
        return ngx_duplex_keyval_format(call, "body is not an object");
    }

    if (json_object_size(call->body) == 0) {
        return ngx_duplex_keyval_format(call, "key required");
    }

    return NGX_DUPLEX_CALL_OK;
}


static ngx_uint_t
ngx_duplex_keyval_pair(ngx_duplex_call_t *call, ngx_duplex_keyval_t *keyval,
    const char *name, json_t *value, ngx_duplex_keyval_pair_t *pair)
{
    ngx_str_t    key;
    ngx_uint_t   status;
    json_t      *member;
    const char  *word;

    ngx_memzero(pair, sizeof(ngx_duplex_keyval_pair_t));

    key.data = (u_char *) name;
    key.len = ngx_strlen(name);

    if (ngx_duplex_keyval_key(keyval, &key, &pair->key, pair->text) != NGX_OK) {
        return ngx_duplex_call_refuse(call, 400, "KeyvalFormatError",
                                      "invalid key format: \"%V\"", &key);
    }

    if (!json_is_object(value)) {
        return ngx_duplex_keyval_value(call, keyval, value, pair);
    }

    json_object_foreach(value, word, member) {

        if (ngx_strcmp(word, "value") == 0) {
            status = ngx_duplex_keyval_value(call, keyval, member, pair);

            if (status != NGX_DUPLEX_CALL_OK) {
                return status;
            }

            continue;
        }

        if (ngx_strcmp(word, "expire") != 0) {
            return ngx_duplex_call_refuse(call, 400, "KeyvalFormatError",
                                          "unknown parameter \"%s\"", word);
        }

        if (keyval->timeout == 0) {
            return ngx_duplex_keyval_format(call,
                                            "keyval timeout is not enabled");
        }

        if (!json_is_integer(member) || json_integer_value(member) <= 0) {
            return ngx_duplex_keyval_format(call,
                                            "invalid \"expire\" value");
        }

        pair->expire = json_integer_value(member);
    }

    if (!pair->valued && pair->expire == 0) {
        return ngx_duplex_keyval_format(call, "value is not a string");
    }

    return NGX_DUPLEX_CALL_OK;
}


static ngx_uint_t
ngx_duplex_keyval_value(ngx_duplex_call_t *call, ngx_duplex_keyval_t *keyval,
    json_t *value, ngx_duplex_keyval_pair_t *pair)
{
    pair->valued = 1;

    if (json_is_null(value)) {
        pair->null = 1;
        return NGX_DUPLEX_CALL_OK;
    }

    if (!json_is_string(value)) {
        return ngx_duplex_keyval_format(call, "value is not a string");
    }

    pair->value.data = (u_char *) json_string_value(value);
    pair->value.len = json_string_length(value);

    if (pair->value.len > NGX_DUPLEX_VALUE_MAX) {
        return ngx_duplex_keyval_format(call, "value is too long");
    }

    return NGX_DUPLEX_CALL_OK;
}


static ngx_uint_t
ngx_duplex_keyval_format(ngx_duplex_call_t *call, const char *text)
{
    return ngx_duplex_call_refuse(call, 400, "KeyvalFormatError", "%s", text);
}


static ngx_uint_t
ngx_duplex_keyval_full(ngx_duplex_call_t *call, ngx_duplex_keyval_t *keyval)
{
    return ngx_duplex_call_refuse(call, 507, "KeyvalOutOfMemory",
                                  "keyval zone \"%V\" memory exhausted",
                                  &keyval->name);
}
