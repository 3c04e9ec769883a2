/* Authors' statistics of their notes. */
#ifndef SERVICES_ANALYTICS_INSIGHTS_H
#define SERVICES_ANALYTICS_INSIGHTS_H

#include "db/db.h"

/* Makes spans of the views since the last one, up to the last complete hour, and stores them. author: a member's id;
 * min: ANALYTICS_MIN_GROUP. */
SN_CHECKED sn_status insights_count_new(struct db_tx *tx, const char *note_id, const char *author, int64_t min);

#endif
