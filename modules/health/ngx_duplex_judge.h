
/*
 * From the result of one probe to the verdict on its server.
 */


#ifndef _NGX_DUPLEX_JUDGE_H_INCLUDED_
#define _NGX_DUPLEX_JUDGE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_duplex_schedule.h"


/* for the schedule, in the holder of the lease */
void ngx_duplex_judge(ngx_duplex_probe_t *probe,
    ngx_duplex_probe_result_t *result, uint64_t now);


#endif /* _NGX_DUPLEX_JUDGE_H_INCLUDED_ */
