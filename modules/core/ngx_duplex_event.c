
/*
 * See the header.
 *
 * A slot's id is set last, and that of the ring after it: whoever dies in
 * between leaves a slot that is taken again by the next event.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_conf.h"
#include "ngx_duplex_event.h"
#include "ngx_duplex_lock.h"
#include "ngx_duplex_wake.h"


#define NGX_DUPLEX_EVENTS_MIN  8
#define NGX_DUPLEX_EVENTS_MAX  256


typedef struct {
    uint64_t             id;                /* 0: is being written */
    uint64_t             time;
    uint16_t             type;              /* lengths */
    uint16_t             subject;
    uint16_t             text;
    u_char               data[NGX_DUPLEX_EVENT_TYPE_MAX
                              + NGX_DUPLEX_EVENT_DATA_MAX];
} ngx_duplex_event_slot_t;


struct ngx_duplex_events_s {
    ngx_duplex_lock_t        lock;
    uint64_t                 last;
    uint64_t                 first;         /* ids below were never here */
    uint64_t                 n;
    ngx_duplex_event_slot_t  slot[];
};


static void ngx_duplex_event_write(ngx_duplex_event_slot_t *slot,
    const char *type, ngx_str_t *subject, ngx_str_t *text);


static ngx_duplex_event_pt  ngx_duplex_event_handler;
static uint64_t             ngx_duplex_event_delivered;


#define ngx_duplex_events()                                                   \
    (ngx_duplex_present && ngx_duplex_present->shared                         \
     ? ngx_duplex_present->events : NULL)


void
ngx_duplex_event(const char *type, ngx_str_t *subject, const char *fmt, ...)
{
    u_char                    buf[NGX_DUPLEX_EVENT_DATA_MAX];
    uint64_t                  id;
    va_list                   args;
    ngx_str_t                 text;
    ngx_duplex_events_t      *events;
    ngx_duplex_event_slot_t  *slot;

    events = ngx_duplex_events();

    if (events == NULL) {
        return;
    }

    va_start(args, fmt);
    text.data = buf;
    text.len = ngx_vslprintf(buf, buf + sizeof(buf), fmt, args) - buf;
    va_end(args);

    (void) ngx_duplex_lock(&events->lock);

    id = events->last + 1;
    slot = &events->slot[id % events->n];

    slot->id = 0;
    ngx_memory_barrier();

    ngx_duplex_event_write(slot, type, subject, &text);

    ngx_memory_barrier();
    slot->id = id;
    events->last = id;

    ngx_duplex_unlock(&events->lock);

    ngx_duplex_wake(ngx_duplex_wake_workers);
}


/* a subject that leaves no room for the text is cut */

static void
ngx_duplex_event_write(ngx_duplex_event_slot_t *slot, const char *type,
    ngx_str_t *subject, ngx_str_t *text)
{
    u_char      *p, *last;
    ngx_time_t  *tp;

    tp = ngx_timeofday();

    p = slot->data;
    last = p + sizeof(slot->data);

    slot->time = (uint64_t) tp->sec * 1000 + tp->msec;
    slot->type = ngx_min(ngx_strlen(type), NGX_DUPLEX_EVENT_TYPE_MAX);
    slot->subject = ngx_min(subject->len, NGX_DUPLEX_EVENT_DATA_MAX / 2);

    p = ngx_cpymem(p, type, slot->type);
    p = ngx_cpymem(p, subject->data, slot->subject);

    slot->text = ngx_min(text->len, (size_t) (last - p));

    ngx_memcpy(p, text->data, slot->text);
}


uint64_t
ngx_duplex_event_last(void)
{
    ngx_duplex_events_t  *events;

    events = ngx_duplex_events();

    return events ? events->last : 0;
}


ngx_int_t
ngx_duplex_event_next(uint64_t *id, ngx_duplex_event_t *event)
{
    uint64_t                  oldest;
    ngx_duplex_events_t      *events;
    ngx_duplex_event_slot_t  *slot;

    events = ngx_duplex_events();

    if (events == NULL) {
        return NGX_DONE;
    }

    (void) ngx_duplex_lock(&events->lock);

    if (*id >= events->last) {
        ngx_duplex_unlock(&events->lock);
        return NGX_DONE;
    }

    /* one less than there are slots: the next writer's may be torn already */

    oldest = events->last > events->n - 1 ? events->last - (events->n - 2) : 1;
    oldest = ngx_max(oldest, events->first);

    if (*id + 1 < oldest) {
        *id = oldest - 1;
        ngx_duplex_unlock(&events->lock);
        return NGX_DECLINED;
    }

    slot = &events->slot[(*id + 1) % events->n];

    event->id = slot->id;
    event->time = slot->time;

    event->type.len = slot->type;
    event->subject.len = slot->subject;
    event->text.len = slot->text;

    ngx_memcpy(event->buf, slot->data, sizeof(slot->data));

    ngx_duplex_unlock(&events->lock);

    event->type.data = event->buf;
    event->subject.data = event->type.data + event->type.len;
    event->text.data = event->subject.data + event->subject.len;

    *id = event->id;

    return NGX_OK;
}


void
ngx_duplex_event_watch(ngx_duplex_event_pt handler)
{
    ngx_duplex_event_handler = handler;
    ngx_duplex_event_delivered = ngx_duplex_event_last();
}


size_t
ngx_duplex_events_size(size_t size)
{
    size_t  n;

    n = size / 32 / sizeof(ngx_duplex_event_slot_t);

    n = ngx_max(n, NGX_DUPLEX_EVENTS_MIN);
    n = ngx_min(n, NGX_DUPLEX_EVENTS_MAX);

    return ngx_align(offsetof(ngx_duplex_events_t, slot)
                     + n * sizeof(ngx_duplex_event_slot_t),
                     NGX_CPU_CACHE_LINE);
}


ngx_int_t
ngx_duplex_events_create(ngx_duplex_events_t *events, size_t size,
    ngx_log_t *log)
{
    events->first = 1;
    events->n = (size - offsetof(ngx_duplex_events_t, slot))
                / sizeof(ngx_duplex_event_slot_t);

    return ngx_duplex_lock_create(&events->lock, log);
}


void
ngx_duplex_events_follow(ngx_duplex_events_t *events, ngx_duplex_events_t *old)
{
    events->last = old->last;
    events->first = old->last + 1;
}


void
ngx_duplex_events_deliver(void)
{
    uint64_t  last;

    if (ngx_duplex_event_handler == NULL) {
        return;
    }

    last = ngx_duplex_event_last();

    if (last == ngx_duplex_event_delivered) {
        return;
    }

    ngx_duplex_event_delivered = last;

    ngx_duplex_event_handler();
}
