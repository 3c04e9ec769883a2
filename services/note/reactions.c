/* Owns likes, renotes and bookmarks. All are idempotent: they return the note, and the counters change once. */
#include "services/note/note.h"

#include "bus/bus.h"
#include "services/note/draft.h"
#include "services/note/marks.h"
#include "services/note/recent.h"
#include "services/note/renoters.h"
#include "services/note/show.h"
#include "services/note/store.h"
#include "services/note/stored.h"
#include "services/note/visibility.h"

/* Likes are also announced to others. */
static const char *event_of(const Note__NoteCounts *delta)
{
        return delta->likes > 0 ? EVENT_NOTE_LIKED : delta->likes < 0 ? EVENT_NOTE_UNLIKED : EVENT_NOTE_COUNTED;
}

sn_status count_reaction(struct db_tx *tx, const char *note_id, const Note__NoteCounts *delta)
{
        stored_changed(tx, note_id);
        TRY(store_count_reactions(tx, note_id, delta));
        return outbox_put(tx,
                          &(struct outbox_event){.type = event_of(delta), .aggregate_id = note_id, .object_id = ""});
}

/* The note after the actor's reaction has changed. The response is built before COMMIT, because after it nothing may
 * fail. */
static void apply_delta(struct arena *arena, const Note__NoteCounts *delta, bool changed, Note__Note *note)
{
        Note__NoteCounts *counts = ARENA_NEW(arena, Note__NoteCounts);
        Note__NoteViewer *viewer = note->viewer;

        *counts = *note->counts; /* the stored note's counts are shared */
        note->counts = counts;
        if (changed) {
                counts->likes += delta->likes;
                counts->renotes += delta->renotes;
                counts->bookmarks += delta->bookmarks;
        }
        viewer->liked = delta->likes != 0 ? delta->likes > 0 : viewer->liked;
        viewer->renoted = delta->renotes != 0 ? delta->renotes > 0 : viewer->renoted;
        viewer->bookmarked = delta->bookmarks != 0 ? delta->bookmarks > 0 : viewer->bookmarked;
}

/* One of the store's reactions, by the actor. */
typedef sn_status (*reaction_store)(struct db_tx *tx, const char *user_id, const char *note_id, bool *changed);

static sn_status react(struct rpc_call *c, char *id, reaction_store store, const Note__NoteCounts *delta,
                       Note__Note *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        NoteRows__StoredNote *stored = NULL;
        bool changed = false;

        TRY(show_check(c, id, &stored));
        TRY(show_note(c, stored->note->id, out));
        TRY(db_begin(c, &tx));
        marks_changed(tx, c->actor, stored->note->id);
        TRY(store(tx, c->actor, stored->note->id, &changed));
        if (changed) {
                TRY(count_reaction(tx, stored->note->id, delta));
        }
        apply_delta(c->arena, delta, changed, out);
        return db_commit(c, NULL, &tx);
}

/* A reaction can be undone at any time and any number of times, even if the note is no longer visible (its author
 * blocked the actor, or deleted it): then the response is empty. */
static sn_status undo(struct rpc_call *c, char *id, reaction_store store, const Note__NoteCounts *delta,
                      Note__Note *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        bool changed = false, seen = false;
        char *target = NULL;

        TRY(show_target(c, id, &target));
        TRY(show_find(c, target, out, &seen));
        TRY(db_begin(c, &tx));
        marks_changed(tx, c->actor, target);
        TRY(store(tx, c->actor, target, &changed));
        if (changed) {
                TRY(count_reaction(tx, target, delta));
        }
        if (seen) {
                apply_delta(c->arena, delta, changed, out);
        }
        return db_commit(c, NULL, &tx);
}

static Note__NoteCounts likes(int64_t delta)
{
        Note__NoteCounts counts = NOTE__NOTE_COUNTS__INIT;

        counts.likes = delta;
        return counts;
}

static Note__NoteCounts bookmarks(int64_t delta)
{
        Note__NoteCounts counts = NOTE__NOTE_COUNTS__INIT;

        counts.bookmarks = delta;
        return counts;
}

static Note__NoteCounts renotes(int64_t delta)
{
        Note__NoteCounts counts = NOTE__NOTE_COUNTS__INIT;

        counts.renotes = delta;
        return counts;
}

sn_status note_handle_like_note(struct rpc_call *c, const Note__LikeNoteRequest *in, Note__Note *out)
{
        Note__NoteCounts delta = likes(1);

        return react(c, in->id, store_insert_like, &delta, out);
}

sn_status note_handle_unlike_note(struct rpc_call *c, const Note__UnlikeNoteRequest *in, Note__Note *out)
{
        Note__NoteCounts delta = likes(-1);

        return undo(c, in->id, store_delete_like, &delta, out);
}

sn_status note_handle_bookmark_note(struct rpc_call *c, const Note__BookmarkNoteRequest *in, Note__Note *out)
{
        Note__NoteCounts delta = bookmarks(1);

        return react(c, in->id, store_insert_bookmark, &delta, out);
}

sn_status note_handle_unbookmark_note(struct rpc_call *c, const Note__UnbookmarkNoteRequest *in, Note__Note *out)
{
        Note__NoteCounts delta = bookmarks(-1);

        return undo(c, in->id, store_delete_bookmark, &delta, out);
}

/* Anyone may renote a public note; a member's note for followers only its author, for the same audience. */
static bool may_pass_on(const struct rpc_call *c, const NoteRows__StoredNote *stored)
{
        switch (stored->note->visibility) {
        case NOTE__VISIBILITY__VISIBILITY_PUBLIC:
                return true;
        case NOTE__VISIBILITY__VISIBILITY_FOLLOWERS:
                return uuid_equal(stored->note->author->id, c->actor) &&
                       uuid_equal(note_audience_owner(stored), c->actor);
        default:
                return false;
        }
}

/* Creates the renoting note. */
static sn_status renote_draft(struct rpc_call *c, const NoteRows__StoredNote *stored, struct draft *draft)
{
        *draft = draft_empty(c);
        draft->renote_of_id = stored->note->id;
        TRY(draft_author(c, draft));
        draft_inherit_audience(draft, stored);
        draft->audience_owner = c->actor;
        return SN_OK;
}

static sn_status begin_renote(struct db_tx *tx, const struct draft *draft, const Note__NoteCounts *delta, bool *counted)
{
        const char *note_id = draft->renote_of_id;
        bool created = false;

        marks_changed(tx, draft->author_id, note_id);
        renoters_changed(tx, note_id);
        recent_changed(tx, draft->author_id, draft->visibility);
        TRY(store_insert_renote(tx, draft, &created));
        *counted = created && !draft->uncounted;
        if (!created) {
                return SN_OK;
        }
        TRY(draft_store(tx, &draft, 1));
        if (*counted) {
                TRY(count_reaction(tx, note_id, delta));
        }
        return outbox_put(
            tx, &(struct outbox_event){
                    .type = EVENT_RENOTE_CREATED, .aggregate_id = draft->id, .object_id = note_id, .version = 1});
}

sn_status note_handle_renote_note(struct rpc_call *c, const Note__RenoteNoteRequest *in, Note__Note *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        NoteRows__StoredNote *stored = NULL;
        Note__NoteCounts delta = renotes(1);
        struct draft draft;
        bool counted = false;

        TRY(show_check(c, in->id, &stored));
        if (!may_pass_on(c, stored)) {
                return rpc_fail(c, SN_PERMISSION_DENIED, "id",
                                "only public notes can be renoted, and your own notes for your followers");
        }
        TRY(show_note(c, stored->note->id, out));
        TRY(renote_draft(c, stored, &draft));
        TRY(db_begin(c, &tx));
        TRY(begin_renote(tx, &draft, &delta, &counted));
        apply_delta(c->arena, &delta, counted, out);
        return db_commit(c, NULL, &tx);
}

sn_status end_renote(struct db_tx *tx, const char *note_id, bool *counted)
{
        struct rpc_call *c = db_call(tx);
        Note__NoteCounts delta = renotes(-1);
        const char *renote_id = "";
        bool deleted = false;

        marks_changed(tx, c->actor, note_id);
        renoters_changed(tx, note_id);
        recent_changed(tx, c->actor, NOTE__VISIBILITY__VISIBILITY_PUBLIC);
        TRY(store_delete_renote(tx, c->actor, note_id, &renote_id, counted));
        if (renote_id[0] == '\0') {
                return SN_OK;
        }
        TRY(store_delete_note(tx, renote_id, c->actor, &deleted, NULL));
        stored_changed(tx, renote_id);
        if (*counted) {
                TRY(count_reaction(tx, note_id, &delta));
        }
        return outbox_put(tx, &(struct outbox_event){.type = EVENT_RENOTE_DELETED,
                                                     .aggregate_id = renote_id,
                                                     .object_id = note_id,
                                                     .version = INT64_MAX});
}

sn_status note_handle_unrenote_note(struct rpc_call *c, const Note__UnrenoteNoteRequest *in, Note__Note *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        Note__NoteCounts delta = renotes(-1);
        bool counted = false, seen = false;
        char *target = NULL;

        TRY(show_target(c, in->id, &target));
        TRY(show_find(c, target, out, &seen));
        TRY(db_begin(c, &tx));
        TRY(end_renote(tx, target, &counted));
        if (seen) {
                apply_delta(c->arena, &delta, counted, out);
        }
        return db_commit(c, NULL, &tx);
}
