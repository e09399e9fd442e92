
/*
 * A JSON writer onto a chain of buffers: what is written is always valid
 * JSON, strings are escaped, bytes that are not UTF-8 become U+FFFD.
 *
 * "name" is the member's name inside an object and NULL inside an array or
 * at the top.  Out of memory is remembered and told at the end.
 */


#ifndef _NGX_DUPLEX_JSON_H_INCLUDED_
#define _NGX_DUPLEX_JSON_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


typedef struct ngx_duplex_json_s  ngx_duplex_json_t;


/* NULL: no memory; everything lives in "pool" */
ngx_duplex_json_t *ngx_duplex_json_create(ngx_pool_t *pool);

/*
 * Leaves out all members but "fields" of the objects that stand "level" deep
 * (1: the object at the top, or those in an array at the top), with all that
 * is in them.  Before the first value; "fields" must live as long as "json".
 */
void ngx_duplex_json_restrict(ngx_duplex_json_t *json, ngx_uint_t level,
    ngx_str_t *fields, ngx_uint_t n);

/* before the first value: an object at the top becomes an array of the names
   of its members */
void ngx_duplex_json_names(ngx_duplex_json_t *json);

void ngx_duplex_json_object(ngx_duplex_json_t *json, const char *name);
void ngx_duplex_json_object_end(ngx_duplex_json_t *json);
void ngx_duplex_json_array(ngx_duplex_json_t *json, const char *name);
void ngx_duplex_json_array_end(ngx_duplex_json_t *json);

/* as object(), for a name that is data */
void ngx_duplex_json_object_named(ngx_duplex_json_t *json, ngx_str_t *name);

void ngx_duplex_json_string(ngx_duplex_json_t *json, const char *name,
    ngx_str_t *value);
/* the same, for a name that is data */
void ngx_duplex_json_string_named(ngx_duplex_json_t *json, ngx_str_t *name,
    ngx_str_t *value);
void ngx_duplex_json_text(ngx_duplex_json_t *json, const char *name,
    const char *value);
void ngx_duplex_json_integer(ngx_duplex_json_t *json, const char *name,
    int64_t value);
/* value / 10^places: 1250 with 2 places is 12.5 */
void ngx_duplex_json_decimal(ngx_duplex_json_t *json, const char *name,
    int64_t value, ngx_uint_t places);
void ngx_duplex_json_boolean(ngx_duplex_json_t *json, const char *name,
    ngx_uint_t value);
/* milliseconds since the epoch as ISO 8601, UTC */
void ngx_duplex_json_time(ngx_duplex_json_t *json, const char *name,
    uint64_t ms);
/* 64 bits as 16 hexadecimal digits: ids and hashes */
void ngx_duplex_json_hex(ngx_duplex_json_t *json, const char *name,
    uint64_t value);

/*
 * If the one value is a whole object: takes its end back, so that members may
 * follow, and answers 1.  It must be ended again.
 */
ngx_uint_t ngx_duplex_json_reopen(ngx_duplex_json_t *json);

/* 1: nothing has been written yet */
ngx_uint_t ngx_duplex_json_is_empty(ngx_duplex_json_t *json);

/*
 * The finished text and its length; no buffer is marked as the last one.
 * NULL: no memory, or what was written is not one value: an object or array
 * was left open or closed wrongly, a member has no name, nesting is above 32.
 */
ngx_chain_t *ngx_duplex_json_finish(ngx_duplex_json_t *json, off_t *length);


#endif /* _NGX_DUPLEX_JSON_H_INCLUDED_ */
