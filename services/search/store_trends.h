/* The SQL of trends. Hashtags are folded, without the '#'. */
#ifndef SERVICES_SEARCH_STORE_TRENDS_H
#define SERVICES_SEARCH_STORE_TRENDS_H

#include "services/search/store.h"

/* Makes them anew: of the hashtags that so many people used in the last 24 hours, the hundred with the highest scores.
 */
SN_CHECKED sn_status store_make_trends(struct db_tx *tx, int64_t people);
SN_CHECKED sn_status store_cleanup_tag_uses(struct rpc_call *c, bool *more);
/* Those that are not hidden, the highest score first. */
SN_CHECKED sn_status store_trends(struct db_tx *tx, size_t *n, Search__Trend ***rows);
SN_CHECKED sn_status store_hide_trend(struct db_tx *tx, const char *tag);
SN_CHECKED sn_status store_show_trend(struct db_tx *tx, const char *tag);
SN_CHECKED sn_status store_erase_tag_uses(struct db_tx *tx, const char *user_id);

#endif
