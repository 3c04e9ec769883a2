/* The SQL of analytics_service. */
#ifndef SERVICES_ANALYTICS_STORE_H
#define SERVICES_ANALYTICS_STORE_H

#include "db/db.h"
#include "services/analytics/analytics.rpc.h"
#include "services/analytics/analytics_rows.rpc.h"

/* Stores new events, and adds exactly these to all roll-ups. A lock serializes whole transactions, so that a repeated
 * event is recognized whichever process stores it. Publishes events of at least min distinct people since the last
 * time. */
SN_CHECKED sn_status store_events(struct db_tx *tx, AnalyticsRows__TakenEvent *const *events, size_t n, int64_t min);
/* A time after everything stored so far, and before everything stored later. */
SN_CHECKED sn_status store_moment(struct db_tx *tx, int64_t *counted_ms);
/* The parts of it that publish: for the names and days of these n events, what now has enough people; and the medians
 * of the given days ("{2026-01-02}"), once that many more of their members have written their first note. */
SN_CHECKED sn_status store_publish_counts(struct db_tx *tx, char *const *names, const int64_t *at_ms, size_t n,
                                          int64_t min);
SN_CHECKED sn_status store_publish_first_notes(struct db_tx *tx, const char *days, int64_t min);
/* Drops counts that are too old to be published: too few people did the same on that day. */
SN_CHECKED sn_status store_drop_unpublished(struct db_tx *tx);

/* Creates pseudonyms of members who have not been active themselves; not of erased ones. NULLs are skipped. */
SN_CHECKED sn_status store_add_people(struct db_tx *tx, char *const *user_ids, size_t n);

/* The salt of the day that begins at day_ms. The first one offered is stored. */
SN_CHECKED sn_status store_share_salt(struct db_tx *tx, int64_t day_ms, const uint8_t fresh[32], uint8_t out[32]);

/* The published points of a metric by name and grain ("hour", "day") between two wall-clock times, at most 3,000. */
SN_CHECKED sn_status store_counts(struct db_tx *tx, const char *name, const char *grain, int64_t from_ms, int64_t to_ms,
                                  size_t *n, AnalyticsRows__Point ***points);
/* For each day, how many distinct people were active in the last 1, 7 or 28 days (for visitors without an account only
 * 1). */
SN_CHECKED sn_status store_active(struct db_tx *tx, bool members, int64_t days, int64_t from_ms, int64_t to_ms,
                                  size_t *n, AnalyticsRows__Point ***points);
/* For each day, how many active members had their first day (first), or did not. */
SN_CHECKED sn_status store_newcomers(struct db_tx *tx, bool first, int64_t from_ms, int64_t to_ms, size_t *n,
                                     AnalyticsRows__Point ***points);

/* For each day the published median time from members' first activity to their first note, in seconds rounded to
 * minutes, for members whose first day it was. `people` is their number. */
SN_CHECKED sn_status store_first_notes(struct db_tx *tx, int64_t from_ms, int64_t to_ms, size_t *n,
                                       AnalyticsRows__Point ***points);

/* The time up to which deliveries are counted; 0 if none are yet. */
SN_CHECKED sn_status store_deliveries_counted_to(struct db_tx *tx, int64_t *ms);
/* Deliveries to enough people between two times of the same day. */
struct delivery_portion {
        int64_t from_ms, to_ms;
        int64_t deliveries; /* 0: they are skipped, and never published */
        bool of_one_hour;
};
/* Adds them, unless another process has meanwhile counted from from_ms on. */
SN_CHECKED sn_status store_publish_deliveries(struct db_tx *tx, const struct delivery_portion *p);

/* Creates the partitions of the next months, drops one that has been kept long enough, and destroys the salts of past
 * days. more: there may be another one to drop. */
SN_CHECKED sn_status store_make_months(struct db_tx *tx);
SN_CHECKED sn_status store_drop_month(struct db_tx *tx, int64_t months, bool *more);
SN_CHECKED sn_status store_destroy_salts(struct db_tx *tx, int64_t today_ms);
/* Stores the smallest group for the views report_*, which show no smaller ones. */
SN_CHECKED sn_status store_limits(struct db_tx *tx, int64_t min_group);

/* Deletes the member's pseudonym, so that no event can be linked to them, including those stored later. */
SN_CHECKED sn_status store_forget_member(struct db_tx *tx, const char *user_id);

#endif
