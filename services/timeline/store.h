/* The SQL of timeline_service. All functions take an open transaction or read. */
#ifndef SERVICES_TIMELINE_STORE_H
#define SERVICES_TIMELINE_STORE_H

#include "db/db.h"
#include "services/page.h"
#include "services/timeline/timeline_rows.rpc.h"

/* How many entries a tail keeps. */
#define TIMELINE_TAIL 800

/* *found is false if the member's timeline was never materialised. */
SN_CHECKED sn_status store_state(struct db_tx *tx, const char *owner, TimelineRows__State *state, bool *found);
/* Includes the owner in delivery from the commit on: inserts a row, or resets a stale one and deletes its entries.
 * Leaves a fresh one alone. */
SN_CHECKED sn_status store_start_build(struct db_tx *tx, const char *owner);
SN_CHECKED sn_status store_insert_entries(struct db_tx *tx, const char *owner, Note__NoteRef *const *refs, size_t n);
/* Records that all notes of those followed up to version are included, from floor_id up ("": all). Below that
 * low-water mark the list is incomplete: it has notes of some authors only. */
SN_CHECKED sn_status store_finish_pull(struct db_tx *tx, const char *owner, int64_t version, const char *floor_id);
SN_CHECKED sn_status store_touch(struct db_tx *tx, const char *owner);
/* Beyond the scan's position, down to the low-water mark. */
SN_CHECKED sn_status store_entries(struct db_tx *tx, const char *owner, const struct page_scan *scan, size_t *n,
                                   Note__NoteRef ***refs);

/* Notes with their authors, and which of these are followed by whom: two pairs of parallel lists. */
struct delivery {
        char **note_ids, **author_ids;
        size_t n_notes;
        char **follower_ids, **followed_ids;
        size_t n_follows;
};
/* Adds entries for followers whose timelines are materialised and active; returns these, sorted by owner, including
 * existing ones: a repeated delivery repeats the part in Redis, too. */
SN_CHECKED sn_status store_deliver(struct db_tx *tx, const struct delivery *d, size_t *n,
                                   TimelineRows__Entry ***entries);
SN_CHECKED sn_status store_remove(struct db_tx *tx, const struct delivery *d);

/* Truncates the tails of at most `limit` owners recorded as grown, if they exceed their length by half. *n: how many
 * were checked. */
SN_CHECKED sn_status store_cut_grown(struct db_tx *tx, size_t limit, size_t *n);
/* Drops the timelines of at most `limit` owners who have not read for 30 days. *n: how many. */
SN_CHECKED sn_status store_forget_unread(struct db_tx *tx, size_t limit, size_t *n);

/* Deletes a member's notes from the tails of some owners, in order of ID after the given one. *last: the last of
 * these owners, "" at the end. */
SN_CHECKED sn_status store_erase_author(struct db_tx *tx, const char *author_id, const char *after, size_t limit,
                                        const char **last);
/* A member's own timeline, and all their other rows. */
SN_CHECKED sn_status store_erase_owner(struct db_tx *tx, const char *user_id);

SN_CHECKED sn_status store_insert_famous(struct db_tx *tx, const char *author_id);
/* Members who became famous after a position, in order. */
SN_CHECKED sn_status store_famous(struct db_tx *tx, int64_t after, size_t limit, size_t *n,
                                  TimelineRows__Famous ***rows);

#endif
