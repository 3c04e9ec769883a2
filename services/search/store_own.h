/* The SQL of history, suggestions and saved searches. */
#ifndef SERVICES_SEARCH_STORE_OWN_H
#define SERVICES_SEARCH_STORE_OWN_H

#include "services/page.h"
#include "services/search/store.h"

/* Makes the query the newest entry of the member's history, unless they turned it off. key: folded. */
SN_CHECKED sn_status store_keep_query(struct db_tx *tx, const char *user_id, const char *query, const char *key);
/* Deletes all but the newest 500. Not in the transaction of another change of histories: these lock the counts of their
 * queries each in order, and one that came after the other would not be in order. */
SN_CHECKED sn_status store_cut_history(struct db_tx *tx, const char *user_id);
SN_CHECKED sn_status store_history(struct db_tx *tx, const char *user_id, const struct page_scan *scan, size_t *n,
                                   Search__SearchHistoryItem ***items);
SN_CHECKED sn_status store_delete_history_item(struct db_tx *tx, const char *user_id, const char *id, bool *deleted);
SN_CHECKED sn_status store_clear_history(struct db_tx *tx, const char *user_id);
SN_CHECKED sn_status store_cleanup_history(struct rpc_call *c, bool *more);

/* Queries from the member's own history with this prefix ("": all), newest first. */
SN_CHECKED sn_status store_own_queries(struct db_tx *tx, const char *user_id, const char *start, size_t limit,
                                       size_t *n, SearchRows__Query ***rows);
/* Queries that enough people have in their histories for others to see them (search_people_needed of the schema), in a
 * spelling that is nobody's own; roughly the most frequent first. */
SN_CHECKED sn_status store_common_queries(struct db_tx *tx, const char *start, size_t limit, size_t *n,
                                          SearchRows__Query ***rows);
SN_CHECKED sn_status store_renew_suggestions(struct rpc_call *c, bool *more);

/* anchors: if it has alerts. */
SN_CHECKED sn_status store_save_search(struct db_tx *tx, const char *user_id, const Search__SavedSearch *search,
                                       char **anchors, size_t n_anchors);
SN_CHECKED sn_status store_count_saved(struct db_tx *tx, const char *user_id, int64_t *n);
SN_CHECKED sn_status store_saved(struct db_tx *tx, const char *user_id, const struct page_scan *scan, size_t *n,
                                 Search__SavedSearch ***items);
SN_CHECKED sn_status store_delete_saved(struct db_tx *tx, const char *user_id, const char *id, bool *deleted);
SN_CHECKED sn_status store_erase_saved(struct db_tx *tx, const char *user_id);

#endif
