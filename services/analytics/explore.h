/* Shared by the queries on events. */
#ifndef SERVICES_ANALYTICS_EXPLORE_H
#define SERVICES_ANALYTICS_EXPLORE_H

#include "base/call.h"
#include "services/analytics/store_explore.h"

/* Rounds down to a multiple of ANALYTICS_MIN_GROUP. */
int64_t explore_round_people(int64_t people);
/* Parses whole days in UTC. SN_INVALID_ARGUMENT unless there are 1 to max. */
SN_CHECKED sn_status explore_read_days(struct rpc_call *c, const char *from, const char *to, int max,
                                       struct days *days);

#endif
