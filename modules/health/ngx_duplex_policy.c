
/*
 * What the verdicts of several nodes come to, and which of them probes a
 * server.  Pure functions: whoever calls owns the data.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../core/ngx_duplex_bytes.h"
#include "ngx_duplex_policy.h"


#define NGX_DUPLEX_VOICE_FORMAT   1

#define NGX_DUPLEX_VOICE_OPINION  1
#define NGX_DUPLEX_VOICE_SIGHTED  2


ngx_conf_enum_t  ngx_duplex_policy_words[] = {
    { ngx_string("own"), ngx_duplex_policy_own },
    { ngx_string("any"), ngx_duplex_policy_any },
    { ngx_string("all"), ngx_duplex_policy_all },
    { ngx_null_string, 0 }
};


ngx_conf_enum_t  ngx_duplex_plan_words[] = {
    { ngx_string("all"), ngx_duplex_plan_all },
    { ngx_string("split"), ngx_duplex_plan_split },
    { ngx_null_string, 0 }
};


ngx_duplex_verdict_e
ngx_duplex_policy_count(ngx_uint_t policy, ngx_duplex_ballot_t *ballot)
{
    if (ballot->unhealthy == 0) {
        return ballot->up ? ngx_duplex_verdict_up : ngx_duplex_verdict_checking;
    }

    if (policy == ngx_duplex_policy_all && ballot->up) {
        return ngx_duplex_verdict_up;
    }

    return ngx_duplex_verdict_unhealthy;
}


/* the finalizer of splitmix64, over both */

uint64_t
ngx_duplex_policy_claim(uint64_t node, uint64_t peer)
{
    uint64_t  x;

    x = node ^ (peer * 0x9e3779b97f4a7c15ULL);

    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;

    return x ^ (x >> 31);
}


void
ngx_duplex_voice_encode(ngx_duplex_voice_t *voice, u_char *buf)
{
    u_char  *p;

    p = ngx_duplex_bytes_put(buf, NGX_DUPLEX_VOICE_FORMAT, 1);
    p = ngx_duplex_bytes_put(p, (voice->opinion ? NGX_DUPLEX_VOICE_OPINION : 0)
                             | (voice->sighted ? NGX_DUPLEX_VOICE_SIGHTED : 0),
                             1);
    p = ngx_duplex_bytes_put(p, voice->digest, 4);
    (void) ngx_duplex_bytes_put(p, voice->incarnation, 8);
}


ngx_int_t
ngx_duplex_voice_decode(ngx_duplex_voice_t *voice, ngx_str_t *value)
{
    uint64_t            format, flags;
    ngx_duplex_bytes_t  b;

    b.pos = value->data;
    b.last = value->data + value->len;
    b.failed = 0;

    format = ngx_duplex_bytes_get(&b, 1);
    flags = ngx_duplex_bytes_get(&b, 1);
    voice->digest = (uint32_t) ngx_duplex_bytes_get(&b, 4);
    voice->incarnation = ngx_duplex_bytes_get(&b, 8);

    if (b.failed
        || b.pos != b.last
        || format != NGX_DUPLEX_VOICE_FORMAT
        || flags & ~(NGX_DUPLEX_VOICE_OPINION|NGX_DUPLEX_VOICE_SIGHTED))
    {
        return NGX_ERROR;
    }

    voice->opinion = (flags & NGX_DUPLEX_VOICE_OPINION) != 0;
    voice->sighted = (flags & NGX_DUPLEX_VOICE_SIGHTED) != 0;

    return NGX_OK;
}
