/* The SQL of trends. */
#ifndef SERVICES_SEARCH_STORE_TRENDS_H
#define SERVICES_SEARCH_STORE_TRENDS_H

#include "services/search/store.h"

/* Stores who liked, renoted or answered which notes. */
SN_CHECKED sn_status store_reactions(struct db_tx *tx, char **note_ids, char **user_ids, const int64_t *at_ms,
                                     size_t n);
/* Recomputes trends of what at least this many people used. */
SN_CHECKED sn_status store_make_trends(struct db_tx *tx, int64_t people);
SN_CHECKED sn_status store_cleanup_uses(struct rpc_call *c, bool *more);
/* Trends whose topics have the prefix ('#', '/' or ':'), strongest first, without hidden ones. */
SN_CHECKED sn_status store_trends(struct db_tx *tx, const char *sign, size_t *n, SearchRows__Trend ***rows);
SN_CHECKED sn_status store_hide_trend(struct db_tx *tx, const char *topic);
SN_CHECKED sn_status store_show_trend(struct db_tx *tx, const char *topic);
SN_CHECKED sn_status store_erase_uses(struct db_tx *tx, const char *user_id);

#endif
