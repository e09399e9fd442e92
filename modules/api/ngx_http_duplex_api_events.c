
/*
 * Events as server-sent events (HTML Living Standard, 9.2).
 *
 * A stream has one buffer.  While it is not sent nothing more is taken from
 * the ring, so a slow reader costs no memory: what the ring loses meanwhile
 * is told with an event "missed".  The stream ends with its worker; a client
 * connects again and says with Last-Event-ID where it was.
 */


#include "ngx_http_duplex_api_answer.h"
#include "ngx_http_duplex_api_event.h"
#include "ngx_http_duplex_api_events.h"
#include "../core/ngx_duplex_identity.h"


#define NGX_HTTP_DUPLEX_API_EVENTS_BUFFER   8192
#define NGX_HTTP_DUPLEX_API_EVENTS_ENTRY    4096    /* of it, for one event */
#define NGX_HTTP_DUPLEX_API_EVENTS_READERS  512     /* of one worker */
#define NGX_HTTP_DUPLEX_API_EVENTS_SILENCE  15000   /* ms, then a comment */


typedef struct {
    ngx_http_request_t  *request;
    ngx_queue_t          queue;
    uint64_t             id;            /* of the last one written */
    ngx_event_t          silence;
    ngx_buf_t           *buf;
    ngx_chain_t          out;
} ngx_http_duplex_api_reader_t;


static ngx_uint_t ngx_http_duplex_api_events(ngx_duplex_call_t *call);
static ngx_http_duplex_api_reader_t *ngx_http_duplex_api_events_reader(
    ngx_http_request_t *r);
static ngx_int_t ngx_http_duplex_api_events_header(ngx_duplex_call_t *call);
static ngx_int_t ngx_http_duplex_api_events_since(ngx_duplex_call_t *call,
    uint64_t *id);
static ngx_table_elt_t *ngx_http_duplex_api_events_last_id(
    ngx_http_request_t *r);
static void ngx_http_duplex_api_events_added(void);
static void ngx_http_duplex_api_events_silent(ngx_event_t *ev);
static void ngx_http_duplex_api_events_write(ngx_http_request_t *r);
static void ngx_http_duplex_api_events_pump(
    ngx_http_duplex_api_reader_t *reader, const char *comment);
static ngx_int_t ngx_http_duplex_api_events_fill(
    ngx_http_duplex_api_reader_t *reader);
static u_char *ngx_http_duplex_api_events_id(u_char *p, uint64_t id);
static u_char *ngx_http_duplex_api_events_data(u_char *p, u_char *last,
    ngx_duplex_event_t *event, ngx_log_t *log);
static ngx_int_t ngx_http_duplex_api_events_send(
    ngx_http_duplex_api_reader_t *reader);
static void ngx_http_duplex_api_events_cleanup(void *data);


static ngx_duplex_page_t  ngx_http_duplex_api_events_page = {
    ngx_string("duplex/events"), ngx_http_duplex_api_events,
    NULL, NULL, NULL, NULL, 0, NULL
};


/* the readers of this worker */
static ngx_queue_t  ngx_http_duplex_api_readers;
static ngx_uint_t   ngx_http_duplex_api_nreaders;


ngx_int_t
ngx_http_duplex_api_events_register(ngx_conf_t *cf)
{
    return ngx_duplex_register_page(cf, &ngx_http_duplex_api_events_page);
}


void
ngx_http_duplex_api_events_start(void)
{
    ngx_queue_init(&ngx_http_duplex_api_readers);

    ngx_duplex_event_watch(ngx_http_duplex_api_events_added);
}


void
ngx_http_duplex_api_events_stop(void)
{
    ngx_queue_t                   *q;
    ngx_http_request_t            *r;
    ngx_http_duplex_api_reader_t  *reader;

    while (!ngx_queue_empty(&ngx_http_duplex_api_readers)) {

        q = ngx_queue_head(&ngx_http_duplex_api_readers);
        reader = ngx_queue_data(q, ngx_http_duplex_api_reader_t, queue);
        r = reader->request;

        /* what it may still be told, it is told; that may be the end of it */

        ngx_http_duplex_api_events_pump(reader, NULL);

        if (ngx_queue_empty(&ngx_http_duplex_api_readers)
            || ngx_queue_head(&ngx_http_duplex_api_readers) != q)
        {
            continue;
        }

        ngx_http_duplex_api_events_cleanup(reader);

        ngx_http_finalize_request(r, ngx_http_send_special(r, NGX_HTTP_LAST));
    }
}


static ngx_uint_t
ngx_http_duplex_api_events(ngx_duplex_call_t *call)
{
    uint64_t                       id;
    ngx_int_t                      rc;
    ngx_http_request_t            *r;
    ngx_http_duplex_api_t         *api;
    ngx_http_duplex_api_reader_t  *reader;

    api = ngx_http_duplex_api_of(call);
    r = api->request;

    if (r != r->main) {
        return ngx_duplex_call_refuse(call, NGX_HTTP_NOT_FOUND, "PathNotFound",
                                      "a subrequest cannot wait for events");
    }

    if (ngx_http_duplex_api_nreaders >= NGX_HTTP_DUPLEX_API_EVENTS_READERS
        || ngx_exiting)
    {
        return ngx_duplex_call_refuse(call, NGX_HTTP_SERVICE_UNAVAILABLE,
                                      "TooManyReaders",
                                      "no more than %d clients of a worker "
                                      "may wait for events",
                                      NGX_HTTP_DUPLEX_API_EVENTS_READERS);
    }

    if (ngx_http_duplex_api_events_since(call, &id) != NGX_OK) {
        return ngx_duplex_call_refuse(call, NGX_HTTP_BAD_REQUEST,
                                      "EventsBadId",
                                      "\"since\" is not an id of an event");
    }

    rc = ngx_http_duplex_api_events_header(call);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        api->rc = rc;
        return NGX_HTTP_DUPLEX_API_TAKEN;
    }

    reader = ngx_http_duplex_api_events_reader(r);

    if (reader == NULL) {
        api->rc = NGX_ERROR;
        return NGX_HTTP_DUPLEX_API_TAKEN;
    }

    reader->id = id;

    r->main->count++;
    api->rc = NGX_DONE;

    ngx_http_duplex_api_events_pump(reader, "retry: 2000\n\n");

    return NGX_HTTP_DUPLEX_API_TAKEN;
}


static ngx_http_duplex_api_reader_t *
ngx_http_duplex_api_events_reader(ngx_http_request_t *r)
{
    ngx_http_cleanup_t            *cln;
    ngx_http_duplex_api_reader_t  *reader;

    cln = ngx_http_cleanup_add(r, sizeof(ngx_http_duplex_api_reader_t));
    if (cln == NULL) {
        return NULL;
    }

    reader = cln->data;

    ngx_memzero(reader, sizeof(ngx_http_duplex_api_reader_t));

    reader->buf = ngx_create_temp_buf(r->pool,
                                      NGX_HTTP_DUPLEX_API_EVENTS_BUFFER);
    if (reader->buf == NULL) {
        return NULL;
    }

    reader->request = r;

    reader->silence.handler = ngx_http_duplex_api_events_silent;
    reader->silence.data = reader;
    reader->silence.log = r->connection->log;
    reader->silence.cancelable = 1;

    ngx_queue_insert_tail(&ngx_http_duplex_api_readers, &reader->queue);
    ngx_http_duplex_api_nreaders++;

    cln->handler = ngx_http_duplex_api_events_cleanup;

    ngx_http_set_ctx(r, reader, ngx_http_duplex_api_module);

    r->read_event_handler = ngx_http_test_reading;
    r->write_event_handler = ngx_http_duplex_api_events_write;

    return reader;
}


static ngx_int_t
ngx_http_duplex_api_events_header(ngx_duplex_call_t *call)
{
    ngx_str_t               no_store = ngx_string("no-store");
    ngx_str_t               no = ngx_string("no");
    ngx_http_request_t     *r;
    ngx_http_duplex_api_t  *api;

    api = ngx_http_duplex_api_of(call);
    r = api->request;

    /* a proxy of nginx in between must not hold it back */

    if (ngx_http_duplex_api_header(r, "Cache-Control", &no_store) != NGX_OK
        || ngx_http_duplex_api_header(r, "X-Accel-Buffering", &no) != NGX_OK)
    {
        return NGX_ERROR;
    }

    r->headers_out.status = NGX_HTTP_OK;

    ngx_str_set(&r->headers_out.content_type, "text/event-stream");
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;

    r->keepalive = 0;

    return ngx_http_send_header(r);
}


/*
 * Where to begin: behind the id that the client saw last, or now.  An id of
 * an earlier life of the node's memory means that all there is was missed.
 */

static ngx_int_t
ngx_http_duplex_api_events_since(ngx_duplex_call_t *call, uint64_t *id)
{
    u_char           *p, own[17];
    ngx_int_t         n;
    ngx_str_t         value;
    ngx_table_elt_t  *header;

    *id = ngx_duplex_event_last();

    header = ngx_http_duplex_api_events_last_id(
                                      ngx_http_duplex_api_of(call)->request);
    if (header) {
        value = header->value;

    } else if (ngx_duplex_call_arg(call, "since", &value) != NGX_OK) {
        return NGX_OK;
    }

    if (value.len < 18 || value.data[16] != '-') {
        return NGX_DECLINED;
    }

    n = ngx_atoi(value.data + 17, value.len - 17);

    if (n == NGX_ERROR) {
        return NGX_DECLINED;
    }

    p = ngx_sprintf(own, "%016xL", ngx_duplex_identity()->incarnation);

    if (ngx_strncmp(own, value.data, p - own) != 0 || (uint64_t) n > *id) {
        *id = 0;
        return NGX_OK;
    }

    *id = n;

    return NGX_OK;
}


static ngx_table_elt_t *
ngx_http_duplex_api_events_last_id(ngx_http_request_t *r)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *header;

    for (part = &r->headers_in.headers.part; part; part = part->next) {

        header = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (header[i].key.len == sizeof("Last-Event-ID") - 1
                && ngx_strcasecmp(header[i].key.data,
                                  (u_char *) "Last-Event-ID")
                   == 0)
            {
                return &header[i];
            }
        }
    }

    return NULL;
}


static void
ngx_http_duplex_api_events_added(void)
{
    ngx_queue_t  *q, *next;

    for (q = ngx_queue_head(&ngx_http_duplex_api_readers);
         q != ngx_queue_sentinel(&ngx_http_duplex_api_readers);
         q = next)
    {
        /* a reader that cannot be written to goes away, the others stay */

        next = ngx_queue_next(q);

        ngx_http_duplex_api_events_pump(
                  ngx_queue_data(q, ngx_http_duplex_api_reader_t, queue), NULL);
    }
}


static void
ngx_http_duplex_api_events_silent(ngx_event_t *ev)
{
    ngx_http_duplex_api_events_pump(ev->data, ":\n\n");
}


static void
ngx_http_duplex_api_events_write(ngx_http_request_t *r)
{
    ngx_connection_t  *c;

    c = r->connection;

    if (c->write->timedout) {
        c->timedout = 1;
        ngx_http_finalize_request(r, NGX_HTTP_REQUEST_TIME_OUT);
        return;
    }

    if (ngx_http_output_filter(r, NULL) == NGX_ERROR) {
        ngx_http_finalize_request(r, NGX_ERROR);
        return;
    }

    ngx_http_duplex_api_events_pump(
                    ngx_http_get_module_ctx(r, ngx_http_duplex_api_module),
                    NULL);
}


/* sends the comment and all events there are, as long as the client reads */

static void
ngx_http_duplex_api_events_pump(ngx_http_duplex_api_reader_t *reader,
    const char *comment)
{
    ngx_int_t                  rc;
    ngx_event_t               *wev;
    ngx_http_request_t        *r;
    ngx_http_core_loc_conf_t  *clcf;

    r = reader->request;
    wev = r->connection->write;

    for ( ;; ) {

        if (reader->buf->pos != reader->buf->last || r->connection->buffered) {
            clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

            if (!wev->timer_set) {
                ngx_add_timer(wev, clcf->send_timeout);
            }

            if (ngx_handle_write_event(wev, 0) != NGX_OK) {
                ngx_http_finalize_request(r, NGX_ERROR);
            }

            return;
        }

        if (wev->timer_set) {
            ngx_del_timer(wev);
        }

        reader->buf->pos = reader->buf->start;
        reader->buf->last = reader->buf->start;

        if (comment) {
            reader->buf->last = ngx_cpymem(reader->buf->last, comment,
                                           ngx_strlen(comment));
            comment = NULL;
        }

        rc = ngx_http_duplex_api_events_fill(reader);

        if (rc == NGX_DONE) {
            ngx_add_timer(&reader->silence,
                          NGX_HTTP_DUPLEX_API_EVENTS_SILENCE);
            return;
        }

        if (rc == NGX_ERROR
            || ngx_http_duplex_api_events_send(reader) == NGX_ERROR)
        {
            ngx_http_finalize_request(r, NGX_ERROR);
            return;
        }
    }
}


/* NGX_OK; NGX_DONE: there is nothing to send; NGX_ERROR: no memory */

static ngx_int_t
ngx_http_duplex_api_events_fill(ngx_http_duplex_api_reader_t *reader)
{
    u_char              *p, *last;
    uint64_t             id;
    ngx_int_t            rc;
    ngx_duplex_event_t   event;

    p = reader->buf->last;
    last = reader->buf->end;

    while (last - p > NGX_HTTP_DUPLEX_API_EVENTS_ENTRY) {

        id = reader->id;
        rc = ngx_duplex_event_next(&id, &event);

        if (rc == NGX_DONE) {
            break;
        }

        p = ngx_http_duplex_api_events_id(p, id);

        if (rc == NGX_DECLINED) {
            p = ngx_sprintf(p, "event: missed\ndata: {\"missed\":%uL}\n\n",
                            id - reader->id);

        } else {
            p = ngx_http_duplex_api_events_data(p, last, &event,
                                                reader->silence.log);
            if (p == NULL) {
                return NGX_ERROR;
            }
        }

        reader->id = id;
    }

    reader->buf->last = p;

    return p == reader->buf->pos ? NGX_DONE : NGX_OK;
}


static u_char *
ngx_http_duplex_api_events_id(u_char *p, uint64_t id)
{
    return ngx_sprintf(p, "id: %016xL-%uL\n",
                       ngx_duplex_identity()->incarnation, id);
}


static u_char *
ngx_http_duplex_api_events_data(u_char *p, u_char *last,
    ngx_duplex_event_t *event, ngx_log_t *log)
{
    off_t               length;
    ngx_pool_t         *pool;
    ngx_chain_t        *cl;
    ngx_duplex_json_t  *json;

    pool = ngx_create_pool(NGX_HTTP_DUPLEX_API_EVENTS_ENTRY, log);
    if (pool == NULL) {
        return NULL;
    }

    json = ngx_duplex_json_create(pool);

    if (json) {
        ngx_http_duplex_api_event_object(json, event);
    }

    cl = json ? ngx_duplex_json_finish(json, &length) : NULL;

    if (cl == NULL) {
        ngx_destroy_pool(pool);
        return NULL;
    }

    p = ngx_slprintf(p, last, "event: %V\ndata: ", &event->type);

    for ( /* void */ ; cl; cl = cl->next) {
        p = ngx_slprintf(p, last, "%*s",
                         (size_t) (cl->buf->last - cl->buf->pos),
                         cl->buf->pos);
    }

    ngx_destroy_pool(pool);

    return ngx_slprintf(p, last, "\n\n");
}


static ngx_int_t
ngx_http_duplex_api_events_send(ngx_http_duplex_api_reader_t *reader)
{
    reader->buf->flush = 1;

    reader->out.buf = reader->buf;
    reader->out.next = NULL;

    return ngx_http_output_filter(reader->request, &reader->out);
}


static void
ngx_http_duplex_api_events_cleanup(void *data)
{
    ngx_http_duplex_api_reader_t *reader = data;

    if (reader->silence.timer_set) {
        ngx_del_timer(&reader->silence);
    }

    if (reader->request) {
        ngx_queue_remove(&reader->queue);
        ngx_http_duplex_api_nreaders--;
        reader->request = NULL;
    }
}
