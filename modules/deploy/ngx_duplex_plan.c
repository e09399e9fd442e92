
/*
 * See the header.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_plan.h"


#define NGX_DUPLEX_PLAN_MIN  100


typedef const char *(*ngx_duplex_plan_pt)(ngx_duplex_split_t *split,
    json_t *value, ngx_duplex_plan_t *plan, size_t offset);

typedef struct {
    const char          *name;
    ngx_duplex_plan_pt   read;
    size_t               offset;
} ngx_duplex_plan_member_t;


static ngx_uint_t ngx_duplex_plan_measures(ngx_duplex_plan_t *plan);
static const char *ngx_duplex_plan_to(ngx_duplex_split_t *split,
    json_t *value, ngx_duplex_plan_t *plan, size_t offset);
static const char *ngx_duplex_plan_steps(ngx_duplex_split_t *split,
    json_t *value, ngx_duplex_plan_t *plan, size_t offset);
static const char *ngx_duplex_plan_time(ngx_duplex_split_t *split,
    json_t *value, ngx_duplex_plan_t *plan, size_t offset);
static const char *ngx_duplex_plan_gates(ngx_duplex_split_t *split,
    json_t *value, ngx_duplex_plan_t *plan, size_t offset);
static const char *ngx_duplex_plan_gate(ngx_str_t *text,
    ngx_duplex_gate_t *gate);
static const char *ngx_duplex_plan_min(ngx_duplex_split_t *split,
    json_t *value, ngx_duplex_plan_t *plan, size_t offset);
static const char *ngx_duplex_plan_loss(ngx_duplex_split_t *split,
    json_t *value, ngx_duplex_plan_t *plan, size_t offset);
static const char *ngx_duplex_plan_id(ngx_duplex_split_t *split,
    json_t *value, ngx_duplex_plan_t *plan, size_t offset);
static const char *ngx_duplex_plan_base(ngx_duplex_split_t *split,
    json_t *value, ngx_duplex_plan_t *plan, size_t offset);
static const char *ngx_duplex_plan_note(ngx_duplex_split_t *split,
    json_t *value, ngx_duplex_plan_t *plan, size_t offset);
static ngx_uint_t ngx_duplex_plan_number(u_char **p, u_char *last,
    ngx_uint_t places, uint64_t *number);


static ngx_duplex_plan_member_t  ngx_duplex_plan_members[] = {

    { "to", ngx_duplex_plan_to, 0 },
    { "steps", ngx_duplex_plan_steps, 0 },
    { "every", ngx_duplex_plan_time, offsetof(ngx_duplex_plan_t, every) },
    { "warmup", ngx_duplex_plan_time, offsetof(ngx_duplex_plan_t, warmup) },
    { "drain_after", ngx_duplex_plan_time,
      offsetof(ngx_duplex_plan_t, drain_after) },
    { "gate", ngx_duplex_plan_gates, 0 },
    { "min_requests", ngx_duplex_plan_min, 0 },
    { "on_node_loss", ngx_duplex_plan_loss, 0 },

    { "id", ngx_duplex_plan_id, 0 },
    { "base", ngx_duplex_plan_base, 0 },
    { "started", ngx_duplex_plan_note, 0 },
    { "client", ngx_duplex_plan_note, 0 },
    { "reason", ngx_duplex_plan_note, 0 },

    { NULL, NULL, 0 }
};


const char *
ngx_duplex_plan_read(ngx_duplex_split_t *split, json_t *json,
    ngx_duplex_plan_t *plan, const char **name)
{
    json_t                    *value;
    const char                *reason;
    ngx_duplex_plan_member_t  *member;

    ngx_memzero(plan, sizeof(ngx_duplex_plan_t));

    plan->to = split->nparts;
    plan->steps[0] = NGX_DUPLEX_SPLIT_SLOTS;
    plan->nsteps = 1;
    plan->every = 60000;
    plan->drain_after = NGX_CONF_UNSET_MSEC;
    plan->min_requests = NGX_CONF_UNSET_UINT;

    *name = "to";

    if (!json_is_object(json)) {
        return "an object is expected";
    }

    json_object_foreach(json, *name, value) {

        for (member = ngx_duplex_plan_members; member->name; member++) {
            if (ngx_strcmp(member->name, *name) == 0) {
                break;
            }
        }

        if (member->name == NULL) {
            return "unknown parameter";
        }

        reason = member->read(split, value, plan, member->offset);

        if (reason) {
            return reason;
        }
    }

    if (plan->to == split->nparts) {
        *name = "to";
        return "is missing";
    }

    if (plan->min_requests == NGX_CONF_UNSET_UINT) {
        plan->min_requests = ngx_duplex_plan_measures(plan)
                             ? NGX_DUPLEX_PLAN_MIN : 0;
    }

    return NULL;
}


/* what is measured needs samples */

static ngx_uint_t
ngx_duplex_plan_measures(ngx_duplex_plan_t *plan)
{
    ngx_uint_t  i;

    for (i = 0; i < plan->ngates; i++) {
        if (plan->gates[i].what != ngx_duplex_gate_healthy) {
            return 1;
        }
    }

    return 0;
}


static const char *
ngx_duplex_plan_to(ngx_duplex_split_t *split, json_t *value,
    ngx_duplex_plan_t *plan, size_t offset)
{
    ngx_int_t  part;
    ngx_str_t  word;

    if (!json_is_string(value)) {
        return "must be a string";
    }

    word.data = (u_char *) json_string_value(value);
    word.len = json_string_length(value);

    part = ngx_duplex_split_part(split, &word);

    if (part == NGX_ERROR) {
        return "is not in the split";
    }

    plan->to = part;

    return NULL;
}


static const char *
ngx_duplex_plan_steps(ngx_duplex_split_t *split, json_t *value,
    ngx_duplex_plan_t *plan, size_t offset)
{
    double      number;
    size_t      i;
    json_t     *step;

    if (!json_is_array(value) || json_array_size(value) == 0
        || json_array_size(value) > NGX_DUPLEX_PLAN_STEPS)
    {
        return "must be an array of 1 to 32 percentages";
    }

    json_array_foreach(value, i, step) {

        number = json_is_number(step) ? json_number_value(step) * 100 : -1;

        if (!(number >= 1 && number <= NGX_DUPLEX_SPLIT_SLOTS)) {
            return "must be numbers of 0.01 to 100";
        }

        plan->steps[i] = (ngx_uint_t) (number + 0.5);

        if (i && plan->steps[i] <= plan->steps[i - 1]) {
            return "must go up";
        }
    }

    plan->nsteps = json_array_size(value);

    if (plan->steps[plan->nsteps - 1] != NGX_DUPLEX_SPLIT_SLOTS) {
        return "must end with 100";
    }

    return NULL;
}


static const char *
ngx_duplex_plan_time(ngx_duplex_split_t *split, json_t *value,
    ngx_duplex_plan_t *plan, size_t offset)
{
    ngx_int_t    time;
    ngx_str_t    text;
    ngx_msec_t  *field;

    text.data = (u_char *) json_string_value(value);
    text.len = json_string_length(value);

    time = text.data ? ngx_parse_time(&text, 0) : NGX_ERROR;

    if (time == NGX_ERROR || time > 366 * 86400 * (ngx_int_t) 1000) {
        return "must be a time, such as \"60s\"";
    }

    field = (ngx_msec_t *) ((char *) plan + offset);
    *field = time;

    return NULL;
}


/* "healthy>=2,5xx<1%,p99<300ms" */

static const char *
ngx_duplex_plan_gates(ngx_duplex_split_t *split, json_t *value,
    ngx_duplex_plan_t *plan, size_t offset)
{
    u_char      *p, *last, *end;
    ngx_str_t    text;
    const char  *reason;

    if (!json_is_string(value)) {
        return "must be a string";
    }

    p = (u_char *) json_string_value(value);
    last = p + json_string_length(value);

    while (p < last) {

        end = ngx_strlchr(p, last, ',');
        end = end ? end : last;

        if (plan->ngates == NGX_DUPLEX_PLAN_GATES) {
            return "has more than 8 conditions";
        }

        text.data = p;
        text.len = end - p;

        reason = ngx_duplex_plan_gate(&text, &plan->gates[plan->ngates]);

        if (reason) {
            return reason;
        }

        plan->ngates++;
        p = end + 1;
    }

    return NULL;
}


static const char *
ngx_duplex_plan_gate(ngx_str_t *text, ngx_duplex_gate_t *gate)
{
    u_char    *p, *last;
    uint64_t   number;

    static const char  reason[] = "must be made of \"healthy>=N\", \"5xx<N%\" "
                                  "and \"pNN<TIME\", with commas between";

    p = text->data;
    last = text->data + text->len;

    gate->text = *text;

    if (text->len > 9 && ngx_strncmp(p, "healthy>=", 9) == 0) {

        gate->what = ngx_duplex_gate_healthy;
        p += 9;

        if (!ngx_duplex_plan_number(&p, last, 0, &gate->limit)) {
            return reason;
        }

        return p == last ? NULL : reason;
    }

    if (text->len > 4 && ngx_strncmp(p, "5xx<", 4) == 0) {

        gate->what = ngx_duplex_gate_failed;
        p += 4;

        if (!ngx_duplex_plan_number(&p, last, 2, &gate->limit)
            || gate->limit > 10000)
        {
            return reason;
        }

        return p + 1 == last && *p == '%' ? NULL : reason;
    }

    if (text->len < 5 || *p++ != 'p'
        || !ngx_duplex_plan_number(&p, last, 1, &number)
        || number == 0 || number >= 1000 || p == last || *p++ != '<')
    {
        return reason;
    }

    gate->what = ngx_duplex_gate_quantile;
    gate->permille = number;

    if (!ngx_duplex_plan_number(&p, last, 3, &number)) {
        return reason;
    }

    if (last - p == 2 && ngx_strncmp(p, "ms", 2) == 0) {
        gate->limit = number / 1000;
        return NULL;
    }

    gate->limit = number;

    return last - p == 1 && *p == 's' ? NULL : reason;
}


/* "12.5" in units of 10^-places; 0: it is none */

static ngx_uint_t
ngx_duplex_plan_number(u_char **p, u_char *last, ngx_uint_t places,
    uint64_t *number)
{
    u_char      *start;
    ngx_uint_t   point;

    *number = 0;
    point = 0;
    start = *p;

    for ( /* void */ ; *p < last; (*p)++) {

        if (**p == '.' && !point && places) {
            point = 1;
            continue;
        }

        if (**p < '0' || **p > '9') {
            break;
        }

        if (point && places-- == 0) {
            return 0;
        }

        if (*number > 1000000000) {
            return 0;
        }

        *number = *number * 10 + (**p - '0');
    }

    while (places--) {
        *number *= 10;
    }

    return *p > start && *start != '.';
}


static const char *
ngx_duplex_plan_min(ngx_duplex_split_t *split, json_t *value,
    ngx_duplex_plan_t *plan, size_t offset)
{
    if (!json_is_integer(value) || json_integer_value(value) < 0
        || json_integer_value(value) > 1000000000)
    {
        return "must be a number of requests";
    }

    plan->min_requests = json_integer_value(value);

    return NULL;
}


static const char *
ngx_duplex_plan_loss(ngx_duplex_split_t *split, json_t *value,
    ngx_duplex_plan_t *plan, size_t offset)
{
    const char  *word;

    word = json_string_value(value);

    if (word == NULL
        || (ngx_strcmp(word, "hold") != 0 && ngx_strcmp(word, "continue") != 0))
    {
        return "must be \"hold\" or \"continue\"";
    }

    plan->goes_on = ngx_strcmp(word, "continue") == 0;

    return NULL;
}


static const char *
ngx_duplex_plan_id(ngx_duplex_split_t *split, json_t *value,
    ngx_duplex_plan_t *plan, size_t offset)
{
    if (!json_is_integer(value)) {
        return "must be a number";
    }

    plan->id = json_integer_value(value);

    return NULL;
}


/* by upstream: the order of parts is each node's own */

static const char *
ngx_duplex_plan_base(ngx_duplex_split_t *split, json_t *value,
    ngx_duplex_plan_t *plan, size_t offset)
{
    char        name[NGX_DUPLEX_SPLIT_NAME_MAX * 4];
    ngx_uint_t  i, sum;

    ngx_memzero(name, sizeof(name));
    sum = 0;

    for (i = 0; i < split->nparts; i++) {
        ngx_snprintf((u_char *) name, sizeof(name) - 1, "%V%Z",
                     &split->parts[i].group);

        plan->base[i] = json_integer_value(json_object_get(value, name));
        sum += plan->base[i];

        if (plan->base[i] > NGX_DUPLEX_SPLIT_SLOTS) {
            return "is out of range";
        }
    }

    return sum == NGX_DUPLEX_SPLIT_SLOTS ? NULL : "does not add up";
}


static const char *
ngx_duplex_plan_note(ngx_duplex_split_t *split, json_t *value,
    ngx_duplex_plan_t *plan, size_t offset)
{
    return json_is_string(value) || json_is_integer(value)
           ? NULL : "must be a string";
}


/* what "to" does not have the others share as before */

void
ngx_duplex_plan_weights(ngx_duplex_split_t *split, ngx_duplex_plan_t *plan,
    ngx_uint_t k, ngx_uint_t *weights)
{
    ngx_uint_t  i, rest, others, left;

    ngx_memcpy(weights, plan->base, sizeof(plan->base));

    if (k == 0 || plan->steps[k - 1] <= plan->base[plan->to]) {
        return;
    }

    others = NGX_DUPLEX_SPLIT_SLOTS - plan->base[plan->to];
    rest = NGX_DUPLEX_SPLIT_SLOTS - plan->steps[k - 1];
    left = rest;

    for (i = 0; i < split->nparts; i++) {
        if (i != plan->to) {
            weights[i] = plan->base[i] * rest / others;
            left -= weights[i];
        }
    }

    for (i = 0; left && i < split->nparts; i++) {
        if (i != plan->to && weights[i] < plan->base[i]) {
            weights[i]++;
            left--;
        }
    }

    weights[plan->to] = plan->steps[k - 1] + left;
}
