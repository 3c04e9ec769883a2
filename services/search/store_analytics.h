/* The SQL of search statistics. */
#ifndef SERVICES_SEARCH_STORE_ANALYTICS_H
#define SERVICES_SEARCH_STORE_ANALYTICS_H

#include "services/search/store.h"

/* All three only for queries that are shown to others (store_common_queries). Counts a search and returns the query's
 * id, or "" if it is not counted. key: asked_key. */
SN_CHECKED sn_status store_count_search(struct db_tx *tx, const char *key, bool no_results, int64_t took_ms,
                                        const char **id);
SN_CHECKED sn_status store_count_click(struct db_tx *tx, const char *id, int64_t position);
SN_CHECKED sn_status store_search_analytics(struct db_tx *tx, const Search__GetSearchAnalyticsRequest *in, int64_t days,
                                            size_t limit, size_t *n, Search__QueryAnalytics ***rows);
SN_CHECKED sn_status store_cleanup_analytics(struct rpc_call *c, bool *more);

#endif
