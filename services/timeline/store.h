/* The SQL of timeline_service. All functions take an open transaction or read. */
#ifndef SERVICES_TIMELINE_STORE_H
#define SERVICES_TIMELINE_STORE_H

#include "db/db.h"
#include "services/timeline/timeline_rows.rpc.h"

/* Records that a member reads their home timeline: to the half day. */
SN_CHECKED sn_status store_touch(struct db_tx *tx, const char *owner);
/* Forgets at most `limit` members who have not read for 30 days. *n: how many. */
SN_CHECKED sn_status store_forget_unread(struct db_tx *tx, size_t limit, size_t *n);

/* What the previous release left (0006_no_tails.sql): deletes a member's notes from the timelines of some owners, in
 * order of ID after the given one. *last: the last of these owners, "" at the end. */
SN_CHECKED sn_status store_erase_author(struct db_tx *tx, const char *author_id, const char *after, size_t limit,
                                        const char **last);
/* All rows of a member. */
SN_CHECKED sn_status store_erase_owner(struct db_tx *tx, const char *user_id);

SN_CHECKED sn_status store_insert_famous(struct db_tx *tx, const char *author_id);
/* Members who became famous after a position, in order. */
SN_CHECKED sn_status store_famous(struct db_tx *tx, int64_t after, size_t limit, size_t *n,
                                  TimelineRows__Famous ***rows);

#endif
