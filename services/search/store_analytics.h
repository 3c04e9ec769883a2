/* The SQL of search statistics. */
#ifndef SERVICES_SEARCH_STORE_ANALYTICS_H
#define SERVICES_SEARCH_STORE_ANALYTICS_H

#include "services/search/store.h"

/* Counts a search and returns the query's id, or "" if fewer than `people` members have it in their histories. key:
 * folded. */
SN_CHECKED sn_status store_count_search(struct db_tx *tx, const char *key, int64_t people, bool no_results,
                                        int64_t took_ms, const char **id);
SN_CHECKED sn_status store_count_click(struct db_tx *tx, const char *id, int64_t people, int64_t position);
SN_CHECKED sn_status store_search_analytics(struct db_tx *tx, const Search__GetSearchAnalyticsRequest *in,
                                            int64_t people, int64_t days, size_t limit, size_t *n,
                                            Search__QueryAnalytics ***rows);
SN_CHECKED sn_status store_cleanup_analytics(struct rpc_call *c, bool *more);

#endif
