/* The SQL of analytics_service. */
#ifndef SERVICES_ANALYTICS_STORE_H
#define SERVICES_ANALYTICS_STORE_H

#include "db/db.h"
#include "services/analytics/analytics.rpc.h"
#include "services/analytics/analytics_rows.rpc.h"

/* Stores new events, and adds exactly these to all roll-ups. A lock serialises whole transactions, so that a
 * repeated event is recognised whichever process stores it. Publishes what min different people or more have done since
 * the last time. */
SN_CHECKED sn_status store_events(struct db_tx *tx, AnalyticsRows__TakenEvent *const *events, size_t n, int64_t min);
/* A moment after all that is stored by now, and before all that will be. */
SN_CHECKED sn_status store_moment(struct db_tx *tx, int64_t *counted_ms);
/* Forgets events that are too old to be published any more: too few people have done the like on that day. */
SN_CHECKED sn_status store_drop_unpublished(struct db_tx *tx);

/* Creates pseudonyms of members who have not been active themselves; not of erased ones. NULLs are passed over. */
SN_CHECKED sn_status store_add_people(struct db_tx *tx, char *const *user_ids, size_t n);

/* The salt of the day that begins at this moment: the first one offered is stored. */
SN_CHECKED sn_status store_share_salt(struct db_tx *tx, int64_t day_ms, const uint8_t fresh[32], uint8_t out[32]);

/* What is published of a metric by name and grain ("hour", "day"), from and to by the wall clock, at most 3,000 points.
 */
SN_CHECKED sn_status store_counts(struct db_tx *tx, const char *name, const char *grain, int64_t from_ms, int64_t to_ms,
                                  size_t *n, AnalyticsRows__Point ***points);
/* How many different people were active in the last 1, 7 or 28 days, for each day; visitors without an account in 1. */
SN_CHECKED sn_status store_active(struct db_tx *tx, bool members, int64_t days, int64_t from_ms, int64_t to_ms,
                                  size_t *n, AnalyticsRows__Point ***points);
/* Of the members active on each day: those whose first day it was, or the others. */
SN_CHECKED sn_status store_newcomers(struct db_tx *tx, bool first, int64_t from_ms, int64_t to_ms, size_t *n,
                                     AnalyticsRows__Point ***points);

/* For each day the median of how long after they were first there the members whose first day it was wrote their first
 * note, in seconds and whole minutes, as it is published. `people` counts those of whom it is the median. */
SN_CHECKED sn_status store_first_notes(struct db_tx *tx, int64_t from_ms, int64_t to_ms, size_t *n,
                                       AnalyticsRows__Point ***points);

/* Up to where deliveries are counted; 0 when none are yet. */
SN_CHECKED sn_status store_deliveries_counted_to(struct db_tx *tx, int64_t *ms);
/* Deliveries of enough people, from one moment to another of the same day. */
struct delivery_portion {
        int64_t from_ms, to_ms;
        int64_t deliveries; /* 0: they are skipped, and never published */
        bool of_one_hour;
};
/* Adds them, unless another process has meanwhile counted from from_ms on. */
SN_CHECKED sn_status store_publish_deliveries(struct db_tx *tx, const struct delivery_portion *p);

/* Makes the partitions of the next months; drops one that ends before so many months ago; destroys salts of days that
 * are over. more: there may be another one to drop. */
SN_CHECKED sn_status store_make_months(struct db_tx *tx);
SN_CHECKED sn_status store_drop_month(struct db_tx *tx, int64_t months, bool *more);
SN_CHECKED sn_status store_destroy_salts(struct db_tx *tx, int64_t today_ms);
/* For the views report_*, which show no smaller group. */
SN_CHECKED sn_status store_limits(struct db_tx *tx, int64_t min_group);

/* Deletes the member's pseudonym: no event leads to them any more, nor will one that is stored later. */
SN_CHECKED sn_status store_forget_member(struct db_tx *tx, const char *user_id);

#endif
