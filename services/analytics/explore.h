/* What questions about events share. */
#ifndef SERVICES_ANALYTICS_EXPLORE_H
#define SERVICES_ANALYTICS_EXPLORE_H

#include "base/call.h"
#include "services/analytics/store_explore.h"

/* Down to a multiple of ANALYTICS_MIN_GROUP. */
int64_t explore_round_people(int64_t people);
/* Whole days by UTC, at least one and at most max: SN_INVALID_ARGUMENT otherwise. */
SN_CHECKED sn_status explore_read_days(struct rpc_call *c, const char *from, const char *to, int max,
                                       struct days *days);

#endif
