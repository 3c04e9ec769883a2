/* The SQL of funnels, paths, cohorts and breakdowns. Times are days; every statement ends by the deadline of its
 * call. */
#ifndef SERVICES_ANALYTICS_STORE_EXPLORE_H
#define SERVICES_ANALYTICS_STORE_EXPLORE_H

#include "db/db.h"
#include "services/analytics/analytics_explore.rpc.h"
#include "services/analytics/analytics_rows.rpc.h"

struct days {
        int64_t from_ms, to_ms;
};

/* How many got as far as each step: people has room for n. */
SN_CHECKED sn_status store_funnel(struct db_tx *tx, char *const *steps, size_t n, struct days days, int64_t hours,
                                  int64_t *people);
/* Until so many hours after the end of their day, page views count for its paths. */
#define PATHS_SETTLE_HOURS 6
/* min: fewer people than these are left out. */
SN_CHECKED sn_status store_paths(struct db_tx *tx, struct days days, int64_t min, size_t *n,
                                 AnalyticsExplore__PathEdge ***out);
SN_CHECKED sn_status store_breakdown(struct db_tx *tx, const char *name, const char *property, struct days days,
                                     int64_t min, size_t *n, AnalyticsExplore__BreakdownItem ***out);
/* By cohort and period, ascending. */
SN_CHECKED sn_status store_cohorts(struct db_tx *tx, struct days days, int64_t period_days, size_t *n,
                                   AnalyticsRows__CohortCell ***out);

#endif
