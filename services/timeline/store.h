/* The SQL of timeline_service. All take an open transaction or read. */
#ifndef SERVICES_TIMELINE_STORE_H
#define SERVICES_TIMELINE_STORE_H

#include "db/db.h"
#include "services/page.h"
#include "services/timeline/timeline_rows.rpc.h"

/* How many entries a tail keeps. */
#define TIMELINE_TAIL 800

/* *found is false for a member whose timeline was never materialised. */
SN_CHECKED sn_status store_state(struct db_tx *tx, const char *owner, TimelineRows__State *state, bool *found);
/* Makes delivery include the owner from the commit on: a new row, or a stale one whose entries go. Leaves a fresh one
 * alone. */
SN_CHECKED sn_status store_start_build(struct db_tx *tx, const char *owner);
SN_CHECKED sn_status store_insert_entries(struct db_tx *tx, const char *owner, Note__NoteRef *const *refs, size_t n);
/* All notes of those followed up to version are in, from floor_id up ("": all that there are). What lies below that
 * low-water mark is no list: some authors' notes are there, others' are not. */
SN_CHECKED sn_status store_finish_pull(struct db_tx *tx, const char *owner, int64_t version, const char *floor_id);
SN_CHECKED sn_status store_touch(struct db_tx *tx, const char *owner);
/* Beyond the scan's position, down to the low-water mark. */
SN_CHECKED sn_status store_entries(struct db_tx *tx, const char *owner, const struct page_scan *scan, size_t *n,
                                   Note__NoteRef ***refs);

/* Notes with their authors, and who follows whom of these: two pairs of parallel lists. */
struct delivery {
        char **note_ids, **author_ids;
        size_t n_notes;
        char **follower_ids, **followed_ids;
        size_t n_follows;
};
/* Entries for those of the followers whose timelines are materialised and alive; gives all of these, sorted by owner,
 * also those that were there: a repeated delivery repeats its Redis half too. */
SN_CHECKED sn_status store_deliver(struct db_tx *tx, const struct delivery *d, size_t *n,
                                   TimelineRows__Entry ***entries);
SN_CHECKED sn_status store_remove(struct db_tx *tx, const struct delivery *d);

/* Cuts the tails of at most `limit` owners that are noted as grown, where they are half over their length. *n: how many
 * were looked at. */
SN_CHECKED sn_status store_cut_grown(struct db_tx *tx, size_t limit, size_t *n);
/* Forgets the timelines of at most `limit` owners who have not read for 30 days. *n: how many. */
SN_CHECKED sn_status store_forget_unread(struct db_tx *tx, size_t limit, size_t *n);

/* Erases what a member wrote from the tails of some owners, in order of id after one. *last: of these owners, "" when
 * they were the last. */
SN_CHECKED sn_status store_erase_author(struct db_tx *tx, const char *author_id, const char *after, size_t limit,
                                        const char **last);
/* A member's own timeline, and all else that is theirs. */
SN_CHECKED sn_status store_erase_owner(struct db_tx *tx, const char *user_id);

SN_CHECKED sn_status store_insert_famous(struct db_tx *tx, const char *author_id);
/* Who became famous after a position, in order of it. */
SN_CHECKED sn_status store_famous(struct db_tx *tx, int64_t after, size_t limit, size_t *n,
                                  TimelineRows__Famous ***rows);

#endif
