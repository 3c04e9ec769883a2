/* Owns building tails. */
#include "services/timeline/tail.h"

#include <string.h>
#include "services/follow/follow.rpc.h"
#include "services/timeline/store.h"

/* How many members one page of calls can name (note.proto, follow.proto). */
#define AUTHORS_MAX 5000

/* Adds the notes of members followed after a version; *version becomes that of the last one. */
static sn_status pull_followed(struct rpc_call *c, const char *owner, int64_t *version, bool without_muted,
                               const struct page_scan *scan, struct refs *out)
{
        Follow__FollowedMembers members = FOLLOW__FOLLOWED_MEMBERS__INIT;

        do {
                Follow__ListFollowedSinceRequest since = FOLLOW__LIST_FOLLOWED_SINCE_REQUEST__INIT;
                Note__NoteRefs found = NOTE__NOTE_REFS__INIT;

                since.user_id = (char *)owner;
                since.after_version = *version;
                since.limit = AUTHORS_MAX;
                since.without_muted = without_muted;
                follow__followed_members__init(&members);
                TRY(follow_list_followed_since(c, &since, &members));
                if (members.n_ids == 0) {
                        break;
                }
                TRY(refs_by_authors(c, members.ids, members.n_ids, NOTE__VISIBILITY__VISIBILITY_FOLLOWERS, true, scan,
                                    &found));
                *out = refs_merge(c->arena, out, &(struct refs){found.n_items, found.items}, scan);
                *version = members.version;
        } while (members.n_ids == AUTHORS_MAX);
        return SN_OK;
}

sn_status tail_pull(struct rpc_call *c, const char *owner, const struct page_scan *scan, struct refs *out)
{
        int64_t version = 0;

        *out = (struct refs){0};
        return pull_followed(c, owner, &version, true, scan, out);
}

/* A truncated pull says nothing about notes older than its last one, even if the tail has older ones by others. */
static sn_status store_pulled(struct rpc_call *c, const char *owner, const struct refs *refs, int64_t version)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        const char *floor_id = refs->n < TIMELINE_TAIL ? "" : refs->items[refs->n - 1]->id;

        TRY(db_begin(c, &tx));
        TRY(store_insert_entries(tx, owner, refs->items, refs->n));
        TRY(store_finish_pull(tx, owner, version, floor_id));
        return db_commit(c, NULL, &tx);
}

sn_status tail_ensure(struct rpc_call *c, const char *owner, TimelineRows__State *state)
{
        struct refs refs = {0};
        int64_t version = 0;
        bool found = false, build = false;

        timeline_rows__state__init(state);
        TRY(DB_READ(c, tx, store_state(tx, owner, state, &found)));
        if (!found || state->stale) {
                /* Before anything is pulled: notes written from now on are delivered, those written before are
                 * pulled. */
                TRY(DB_WRITE(c, tx, store_start_build(tx, owner)));
                build = true;
        }
        build = build || !state->built;
        version = build ? 0 : state->relations_version;
        TRY(pull_followed(c, owner, &version, false, &(struct page_scan){.limit = TIMELINE_TAIL}, &refs));
        if (build || version > state->relations_version) {
                TRY(store_pulled(c, owner, &refs, version));
        } else {
                TRY(DB_WRITE(c, tx, store_touch(tx, owner)));
        }
        timeline_rows__state__init(state);
        return DB_READ(c, tx, store_state(tx, owner, state, &found));
}

/* The state is read after the entries: if a tail is truncated in between, it is not whole, and what it lacks is
 * pulled. */
sn_status tail_entries(struct rpc_call *c, const char *owner, const struct page_scan *scan, struct refs *out,
                       bool *whole, bool *complete)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        TimelineRows__State state = TIMELINE_ROWS__STATE__INIT;
        bool found = false;

        *out = (struct refs){0};
        TRY(db_read(c, &tx));
        TRY(store_entries(tx, owner, scan, &out->n, &out->items));
        TRY(store_state(tx, owner, &state, &found));
        *complete = state.complete;
        *whole =
            state.complete || (scan->newer ? scan->beyond.id[0] != '\0' && strcmp(scan->beyond.id, state.floor_id) >= 0
                                           : out->n == scan->limit);
        return SN_OK;
}
