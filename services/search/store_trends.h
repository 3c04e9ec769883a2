/* The SQL of trends. */
#ifndef SERVICES_SEARCH_STORE_TRENDS_H
#define SERVICES_SEARCH_STORE_TRENDS_H

#include "services/search/store.h"

/* Somebody liked a note, passed it on or answered it. */
SN_CHECKED sn_status store_reactions(struct db_tx *tx, char **note_ids, char **user_ids, const int64_t *at_ms,
                                     size_t n);
/* Anew, of what at least so many people used. */
SN_CHECKED sn_status store_make_trends(struct db_tx *tx, int64_t people);
SN_CHECKED sn_status store_cleanup_uses(struct rpc_call *c, bool *more);
/* Of topics that begin with the sign ('#', '/' or ':'); the strongest first, without the hidden ones. */
SN_CHECKED sn_status store_trends(struct db_tx *tx, const char *sign, size_t *n, SearchRows__Trend ***rows);
SN_CHECKED sn_status store_hide_trend(struct db_tx *tx, const char *topic);
SN_CHECKED sn_status store_show_trend(struct db_tx *tx, const char *topic);
SN_CHECKED sn_status store_erase_uses(struct db_tx *tx, const char *user_id);

#endif
