/* Owns the building of tails. */
#include "services/timeline/tail.h"

#include <string.h>
#include "services/follow/follow.rpc.h"
#include "services/timeline/store.h"

/* Whom one page of calls can name (note.proto, follow.proto). */
#define AUTHORS_MAX 5000

/* Newest first, without doubles, at most limit. Both are sorted already. */
static void merge(struct rpc_call *c, struct refs *into, const Note__NoteRefs *more, size_t limit)
{
        Note__NoteRef **items = ARENA_ARRAY(c->arena, Note__NoteRef *, limit);
        size_t a = 0, b = 0, n = 0;

        while (n < limit && (a < into->n || b < more->n_items)) {
                int order = a == into->n ? -1 : b == more->n_items ? 1 : strcmp(into->items[a]->id, more->items[b]->id);

                items[n++] = order >= 0 ? into->items[a] : more->items[b];
                a += order >= 0;
                b += order <= 0;
        }
        into->items = items;
        into->n = n;
}

/* The newest notes of whoever was followed after a version; *version becomes that of the last one. */
static sn_status pull_followed(struct rpc_call *c, const char *owner, int64_t *version, const char *before_id,
                               size_t limit, struct refs *out)
{
        Follow__FollowedMembers members = FOLLOW__FOLLOWED_MEMBERS__INIT;

        do {
                Follow__ListFollowedSinceRequest since = FOLLOW__LIST_FOLLOWED_SINCE_REQUEST__INIT;
                Note__ListIdsByAuthorsRequest by = NOTE__LIST_IDS_BY_AUTHORS_REQUEST__INIT;
                Note__NoteRefs found = NOTE__NOTE_REFS__INIT;

                since.user_id = (char *)owner;
                since.after_version = *version;
                since.limit = AUTHORS_MAX;
                follow__followed_members__init(&members);
                TRY(follow_list_followed_since(c, &since, &members));
                if (members.n_ids == 0) {
                        break;
                }
                by.author_ids = members.ids;
                by.n_author_ids = members.n_ids;
                by.before_id = (char *)before_id;
                by.limit = (uint32_t)limit;
                by.fresh = true;
                TRY(note_list_ids_by_authors(c, &by, &found));
                merge(c, out, &found, limit);
                *version = members.version;
        } while (members.n_ids == AUTHORS_MAX);
        return SN_OK;
}

sn_status tail_pull(struct rpc_call *c, const char *owner, const char *before_id, size_t limit, struct refs *out)
{
        int64_t version = 0;

        *out = (struct refs){0};
        return pull_followed(c, owner, &version, before_id, limit, out);
}

static sn_status load_state(struct rpc_call *c, const char *owner, TimelineRows__State *state, bool *found)
{
        CLEANUP(db_rollback_p) struct db_tx *tx = NULL;

        timeline_rows__state__init(state);
        TRY(db_read(c, &tx));
        return store_state(tx, owner, state, found);
}

/* Committed before anything is pulled: what is written from now on is delivered, what was written before is pulled. */
static sn_status start_build(struct rpc_call *c, const char *owner)
{
        CLEANUP(db_rollback_p) struct db_tx *tx = NULL;

        TRY(db_begin(c, &tx));
        TRY(store_start_build(tx, owner));
        return db_commit(c, NULL, &tx);
}

/* A pull that was cut off says nothing of what is older than its last note, whoever else has older ones in the tail. */
static sn_status store_pulled(struct rpc_call *c, const char *owner, const struct refs *refs, int64_t version)
{
        CLEANUP(db_rollback_p) struct db_tx *tx = NULL;
        const char *floor_id = refs->n < TIMELINE_TAIL ? "" : refs->items[refs->n - 1]->id;

        TRY(db_begin(c, &tx));
        TRY(store_insert_entries(tx, owner, refs->items, refs->n));
        TRY(store_finish_pull(tx, owner, version, floor_id));
        return db_commit(c, NULL, &tx);
}

static sn_status touch(struct rpc_call *c, const char *owner)
{
        CLEANUP(db_rollback_p) struct db_tx *tx = NULL;

        TRY(db_begin(c, &tx));
        TRY(store_touch(tx, owner));
        return db_commit(c, NULL, &tx);
}

sn_status tail_ensure(struct rpc_call *c, const char *owner, TimelineRows__State *state)
{
        struct refs refs = {0};
        int64_t version = 0;
        bool found = false, build = false;

        TRY(load_state(c, owner, state, &found));
        if (!found || state->stale) {
                TRY(start_build(c, owner));
                build = true;
        }
        build = build || !state->built;
        version = build ? 0 : state->relations_version;
        TRY(pull_followed(c, owner, &version, "", TIMELINE_TAIL, &refs));
        if (build || version > state->relations_version) {
                TRY(store_pulled(c, owner, &refs, version));
        } else {
                TRY(touch(c, owner));
        }
        return load_state(c, owner, state, &found);
}

/* The state is read after the entries: a tail that is cut in between is not complete, and what it lacks is pulled. */
sn_status tail_entries(struct rpc_call *c, const char *owner, const char *before_id, size_t limit, struct refs *out,
                       bool *complete)
{
        CLEANUP(db_rollback_p) struct db_tx *tx = NULL;
        TimelineRows__State state = TIMELINE_ROWS__STATE__INIT;
        bool found = false;

        *out = (struct refs){0};
        TRY(db_read(c, &tx));
        TRY(store_entries(tx, owner, before_id, limit, &out->n, &out->items));
        TRY(store_state(tx, owner, &state, &found));
        *complete = state.complete;
        return SN_OK;
}
