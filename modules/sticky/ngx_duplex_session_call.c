
/*
 * What a call of the API about sessions names: the table, numbers, a session,
 * a server.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_session_call.h"


ngx_uint_t
ngx_duplex_session_call_table(ngx_duplex_call_t *call,
    ngx_duplex_sticky_group_t **sticky)
{
    ngx_str_t                  *name;
    ngx_duplex_sticky_group_t  *s;

    name = &call->segment[0];

    for (s = ngx_duplex_sticky_groups(); s; s = s->next) {

        if (s->zone
            && s->zone->name.len == name->len
            && ngx_memcmp(s->zone->name.data, name->data, name->len) == 0)
        {
            *sticky = s;
            return 0;
        }
    }

    return ngx_duplex_call_refuse(call, 404, "SessionZoneNotFound",
                                  "there are no sessions in a zone \"%V\"",
                                  name);
}


ngx_uint_t
ngx_duplex_session_call_number(ngx_duplex_call_t *call, const char *name,
    ngx_uint_t max, ngx_uint_t *number)
{
    ngx_int_t  rc, n;
    ngx_str_t  text;

    rc = ngx_duplex_call_arg(call, name, &text);

    if (rc != NGX_OK) {
        return rc == NGX_ERROR ? 500 : 0;
    }

    n = ngx_atoi(text.data, text.len);

    if (n == NGX_ERROR || (ngx_uint_t) n > max) {
        return ngx_duplex_call_refuse(call, 400, "SessionFormatError",
                                      "\"%s\" must be a number up to %ui, not "
                                      "\"%V\"", name, max, &text);
    }

    *number = n;

    return 0;
}


ngx_uint_t
ngx_duplex_session_call_session(ngx_duplex_call_t *call,
    ngx_duplex_sticky_group_t *sticky, ngx_duplex_session_t *session)
{
    ngx_int_t   digit;
    ngx_str_t   text;
    ngx_uint_t  i;

    if (call->nsegments == 1) {

        if (ngx_duplex_call_arg(call, "value", &text) != NGX_OK) {
            return ngx_duplex_call_refuse(call, 400, "SessionFormatError",
                                          "which session? \"value=\" is "
                                          "missing");
        }

        ngx_duplex_session_name(session, &sticky->hash_key, &text);

        return 0;
    }

    text = call->segment[1];

    for (i = 0; i < NGX_DUPLEX_SESSION_KEY_LEN; i++) {

        digit = (text.len == 2 * NGX_DUPLEX_SESSION_KEY_LEN)
                ? ngx_hextoi(text.data + 2 * i, 2) : NGX_ERROR;

        if (digit == NGX_ERROR) {
            return ngx_duplex_call_refuse(call, 400, "SessionFormatError",
                                          "\"%V\" is no id of a session",
                                          &text);
        }

        session->key[i] = (u_char) digit;
    }

    return 0;
}


ngx_uint_t
ngx_duplex_session_call_server(ngx_duplex_call_t *call,
    ngx_duplex_sticky_group_t *sticky, ngx_str_t *text,
    ngx_duplex_peer_t **peer)
{
    ngx_int_t           id;
    ngx_duplex_peer_t  *p;

    id = ngx_atoi(text->data, text->len);

    for (p = ngx_duplex_peer_first(sticky->group);
         p;
         p = ngx_duplex_peer_next(p))
    {
        if ((p->name.len == text->len
             && ngx_memcmp(p->name.data, text->data, text->len) == 0)
            || (p->server.len == text->len
                && ngx_memcmp(p->server.data, text->data, text->len) == 0)
            || (id != NGX_ERROR && p->id == (ngx_uint_t) id))
        {
            *peer = p;
            return 0;
        }
    }

    return ngx_duplex_call_refuse(call, 404, "UpstreamServerNotFound",
                                  "there is no server \"%V\" in upstream "
                                  "\"%V\"", text, &sticky->group->name);
}
