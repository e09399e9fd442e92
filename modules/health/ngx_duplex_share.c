
/*
 * Sharing servers out over the nodes: the plan "split".
 *
 * A server has one verdict, of the node that probes it.  When it comes to
 * another node, that one goes on from where the verdict stands; and the
 * former one forgets its own as soon as there is another, so that nothing
 * out of date is ever counted, and the server is never without a verdict.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_duplex_share.h"
#include "ngx_duplex_vote.h"


static void ngx_duplex_share_give(ngx_duplex_probe_t *probe,
    ngx_str_t *node);
static void ngx_duplex_share_take(ngx_duplex_probe_t *probe);
static void ngx_duplex_share_begin(ngx_duplex_peer_t *peer,
    ngx_duplex_verdict_e state);


ngx_uint_t
ngx_duplex_share_is_ours(ngx_duplex_probe_t *probe)
{
    ngx_str_t  node;

    if (!ngx_duplex_vote_is_split(probe->peer->group)) {
        return 1;
    }

    if (ngx_duplex_vote_prober(probe->peer, &node) != NGX_OK) {
        ngx_duplex_share_give(probe, &node);
        return 0;
    }

    ngx_duplex_share_take(probe);

    return 1;
}


static void
ngx_duplex_share_give(ngx_duplex_probe_t *probe, ngx_str_t *node)
{
    uint64_t                      since;
    ngx_duplex_verdict_record_t   verdict;

    probe->away = 1;
    probe->verdict.state = ngx_duplex_verdict_checking;

    if (ngx_duplex_health_own(probe->peer) != ngx_duplex_verdict_checking
        && ngx_duplex_health_verdict(probe->peer, node, &verdict, &since)
           == NGX_OK)
    {
        ngx_duplex_health_forget(probe->peer);
    }
}


static void
ngx_duplex_share_take(ngx_duplex_probe_t *probe)
{
    ngx_duplex_verdict_e          state;
    ngx_duplex_verdict_record_t   verdict;

    if (!probe->away) {
        return;
    }

    probe->away = 0;

    /* several checks of one server come back one by one */

    if (ngx_duplex_health_own(probe->peer) == ngx_duplex_verdict_checking) {

        state = ngx_duplex_vote_result(probe->peer);

        ngx_duplex_share_begin(probe->peer, state);

        if (state != ngx_duplex_verdict_checking) {
            ngx_memzero(&verdict, sizeof(ngx_duplex_verdict_record_t));

            verdict.state = state;

            (void) ngx_duplex_health_save_verdict(probe->peer, &verdict);
        }
    }

    probe->verdict.state = ngx_duplex_health_own(probe->peer);
    probe->verdict.failed = 0;
    probe->verdict.passed = 0;
}


/* the memory of all checks is of a time long past */

static void
ngx_duplex_share_begin(ngx_duplex_peer_t *peer, ngx_duplex_verdict_e state)
{
    ngx_duplex_check_t   *check;
    ngx_duplex_probed_t   probed;

    for (check = ngx_duplex_check_first(peer->group);
         check;
         check = check->next)
    {
        ngx_duplex_health_probed(peer, check, &probed);

        probed.state = state;
        probed.failed = 0;
        probed.passed = 0;

        ngx_duplex_health_save_probed(peer, check, &probed);
    }
}


ngx_uint_t
ngx_duplex_share_is_sighted(void)
{
    ngx_uint_t           failed;
    ngx_duplex_probe_t  *probe;

    failed = 0;
    probe = NULL;

    while ((probe = ngx_duplex_schedule_next(probe))) {

        if (probe->verdict.state == ngx_duplex_verdict_up) {
            return 1;
        }

        failed += (probe->verdict.state == ngx_duplex_verdict_unhealthy);
    }

    return failed == 0;
}
