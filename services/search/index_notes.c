/* Keeps the index of notes up to date. The notes of events are read from note_service in their current state, so events
 * may arrive late or twice. Counts are handled by the same consumer; in a separate one a count could arrive before its
 * note, and the note with an older count. */
#include "services/search/search.h"

#include <string.h>
#include "services/note/note.rpc.h"
#include "services/search/indexing.h"
#include "services/search/rank.h"
#include "services/search/store_alerts.h"
#include "services/search/store_trends.h"
#include "services/user/user.rpc.h"

enum { TEXT_BYTES_MAX = 64 * 1024 };

/* A note of the batch. words: more than its counts may have changed. */
struct named {
        char *id;
        bool words;
};

/* Whether the event only changes a count: likes have their own events. */
static bool is_count(const char *type)
{
        return strcmp(type, "note.counted") == 0 || strcmp(type, "note.liked") == 0 ||
               strcmp(type, "note.unliked") == 0;
}

/* Whether the event also concerns another note: that which is renoted or answered. */
static bool is_renote(const char *type)
{
        return strcmp(type, "renote.created") == 0;
}

/* Whether the event is about a member whose notes are all gone. */
static bool is_erased(const char *type)
{
        return strcmp(type, "author.erased") == 0;
}

/* Collects distinct notes, in the order of their first events. */
static size_t name_notes(const struct bus_batch *batch, struct named *named)
{
        size_t n = 0;

        for (size_t i = 0; i < batch->n; i++) {
                const bus_event *event = batch->events[i];
                size_t k = 0;

                if (is_renote(event->type) || is_erased(event->type)) {
                        continue;
                }
                while (k < n && !uuid_equal(named[k].id, event->aggregate_id)) {
                        k++;
                }
                if (k == n) {
                        named[n++] = (struct named){.id = event->aggregate_id};
                }
                named[k].words = named[k].words || !is_count(event->type);
        }
        return n;
}

static bool only_counts(const struct named *named, size_t n, const char *id)
{
        for (size_t i = 0; i < n; i++) {
                if (uuid_equal(named[i].id, id)) {
                        return !named[i].words;
                }
        }
        return false;
}

static sn_status store_notes(struct db_tx *tx, const struct named *named, size_t n, const Note__IndexedNotes *found)
{
        Note__IndexedNotes changed = *found;

        changed.items = ARENA_ARRAY(db_arena(tx), Note__IndexedNote *, found->n_items);
        changed.n_items = 0;
        for (size_t i = 0; i < found->n_items; i++) {
                const Note__Note *note = found->items[i]->note;

                if (only_counts(named, n, note->id)) {
                        TRY(store_count_note(tx, note->id, note->counts));
                } else {
                        changed.items[changed.n_items++] = found->items[i];
                }
        }
        return store_index_notes(tx, indexing_analyse(db_arena(tx), &changed), changed.n_items);
}

/* ---- Reactions, for trends ---- */

static bool is_answer(const char *type)
{
        return strcmp(type, "comment.created") == 0;
}

/* In the order of the batch; only those who renoted. */
static sn_status read_renoters(struct rpc_call *c, const struct bus_batch *batch, User__Authors *out)
{
        User__BatchGetAuthorsRequest in = USER__BATCH_GET_AUTHORS_REQUEST__INIT;

        in.ids = ARENA_ARRAY(c->arena, char *, batch->n);
        for (size_t i = 0; i < batch->n; i++) {
                if (is_renote(batch->events[i]->type)) {
                        in.ids[in.n_ids++] = batch->events[i]->actor_id;
                }
        }
        return in.n_ids > 0 ? user_batch_get_authors(c, &in, out) : SN_OK;
}

static bool renotes_for_all(const User__Authors *renoters, const char *id)
{
        for (size_t i = 0; i < renoters->n_items; i++) {
                if (uuid_equal(renoters->items[i]->id, id)) {
                        return !renoters->items[i]->private_;
                }
        }
        return false;
}

static bool is_public(const Note__IndexedNotes *found, const char *id)
{
        for (size_t i = 0; i < found->n_items; i++) {
                if (uuid_equal(found->items[i]->note->id, id)) {
                        return found->items[i]->note->visibility == NOTE__VISIBILITY__VISIBILITY_PUBLIC;
                }
        }
        return false;
}

/* Whether everybody may know of the reaction: a note in the trends has at least five, so with four accounts of one's
 * own one would learn of another one. Likes are counted for everybody to see; renotes of private accounts are not. */
static bool reacts_openly(const bus_event *event, const Note__IndexedNotes *found, const User__Authors *renoters)
{
        return event->actor_id[0] != '\0' && (strcmp(event->type, "note.liked") == 0 ||
                                              (is_answer(event->type) && is_public(found, event->aggregate_id)) ||
                                              (is_renote(event->type) && renotes_for_all(renoters, event->actor_id)));
}

static sn_status store_reacting(struct db_tx *tx, const struct bus_batch *batch, const Note__IndexedNotes *found,
                                const User__Authors *renoters)
{
        struct arena *arena = db_arena(tx);
        char **notes = ARENA_ARRAY(arena, char *, batch->n), **people = ARENA_ARRAY(arena, char *, batch->n);
        int64_t *at_ms = ARENA_ARRAY(arena, int64_t, batch->n);
        size_t n = 0;

        for (size_t i = 0; i < batch->n; i++) {
                const bus_event *event = batch->events[i];

                if (reacts_openly(event, found, renoters)) {
                        bool other = is_answer(event->type) || is_renote(event->type);

                        notes[n] = other ? event->object_id : event->aggregate_id;
                        people[n] = event->actor_id;
                        at_ms[n++] = rank_time_ms(event->occurred_at);
                }
        }
        return store_reactions(tx, notes, people, at_ms, n);
}

/* ---- Saved searches ---- */

static bool is_new(const char *type)
{
        return strcmp(type, "note.created") == 0 || strcmp(type, "comment.created") == 0;
}

/* Emits events for new notes that may match saved searches. */
static sn_status tell_matched(struct db_tx *tx, const struct bus_batch *batch)
{
        char **ids = ARENA_ARRAY(db_arena(tx), char *, batch->n);
        SearchRows__Matched **rows = NULL;
        size_t n_ids = 0, n = 0;

        for (size_t i = 0; i < batch->n; i++) {
                if (is_new(batch->events[i]->type)) {
                        ids[n_ids++] = batch->events[i]->aggregate_id;
                }
        }
        TRY(store_matched(tx, ids, n_ids, &n, &rows));
        for (size_t i = 0; i < n; i++) {
                TRY(outbox_put(tx, &(struct outbox_event){.type = EVENT_SEARCH_MATCHED,
                                                          .aggregate_id = rows[i]->note_id,
                                                          .object_id = "",
                                                          .actor_id = rows[i]->author_id}));
        }
        return SN_OK;
}

/* Erases the authors again, since notes that answer the member may have been read between the end of the account and
 * this event. */
static sn_status erase_authors(struct db_tx *tx, const struct bus_batch *batch)
{
        for (size_t i = 0; i < batch->n; i++) {
                TRY(is_erased(batch->events[i]->type) ? store_erase_member(tx, batch->events[i]->aggregate_id) : SN_OK);
        }
        return SN_OK;
}

/* ---- Batches of long notes ---- */

static char **ids_of(struct arena *arena, const struct named *named, size_t n)
{
        char **ids = ARENA_ARRAY(arena, char *, n);

        for (size_t i = 0; i < n; i++) {
                ids[i] = named[i].id;
        }
        return ids;
}

static size_t text_bytes(const Note__IndexedNotes *found, const char *id)
{
        for (size_t i = 0; i < found->n_items; i++) {
                if (uuid_equal(found->items[i]->note->id, id)) {
                        return strlen(found->items[i]->note->text);
                }
        }
        return 0;
}

/* The number of words grows with the bytes. A hundred notes of usual length fit; of long ones only a few, so that
 * notes behind them need not wait until all are indexed. */
static void limit_texts(struct bus_batch *batch, const Note__IndexedNotes *found)
{
        size_t bytes = 0;

        for (size_t i = 0; i < batch->n; i++) {
                const bus_event *event = batch->events[i];

                bytes += is_count(event->type) ? 0 : text_bytes(found, event->aggregate_id);
                if (bytes > TEXT_BYTES_MAX && i > 0) {
                        bus_shorten(batch, i);
                        return;
                }
        }
}

static void keep_named(Note__IndexedNotes *found, char *const *ids, size_t n)
{
        size_t n_kept = 0;

        for (size_t i = 0; i < found->n_items; i++) {
                for (size_t k = 0; k < n; k++) {
                        if (uuid_equal(found->items[i]->note->id, ids[k])) {
                                found->items[n_kept++] = found->items[i];
                                break;
                        }
                }
        }
        found->n_items = n_kept;
}

/* May shorten the batch. n: how many notes it names then. */
static sn_status read_notes(struct rpc_call *c, struct bus_batch *batch, struct named *named, size_t *n,
                            Note__IndexedNotes *found)
{
        Note__BatchGetIndexedRequest in = NOTE__BATCH_GET_INDEXED_REQUEST__INIT;

        in.n_ids = name_notes(batch, named);
        in.ids = ids_of(c->arena, named, in.n_ids);
        TRY(note_batch_get_indexed(c, &in, found));
        limit_texts(batch, found);
        *n = name_notes(batch, named);
        keep_named(found, ids_of(c->arena, named, *n), *n);
        return SN_OK;
}

static sn_status index_notes(struct rpc_call *c, struct bus_batch *batch)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        Note__IndexedNotes found = NOTE__INDEXED_NOTES__INIT;
        User__Authors renoters = USER__AUTHORS__INIT;
        struct named *named = ARENA_ARRAY(c->arena, struct named, batch->n);
        size_t n = 0, n_gone = 0;

        TRY(read_notes(c, batch, named, &n, &found));
        TRY(read_renoters(c, batch, &renoters)); /* after the batch has its final length */
        char **gone = indexing_missing(c->arena, ids_of(c->arena, named, n), n, &found, &n_gone);
        TRY(bus_begin(c, batch, &tx));
        TRY(store_notes(tx, named, n, &found));
        TRY(store_unindex_notes(tx, gone, n_gone));
        TRY(store_reacting(tx, batch, &found, &renoters));
        TRY(tell_matched(tx, batch));
        TRY(erase_authors(tx, batch));
        return bus_commit(c, batch, &tx);
}

static const char *const types[] = {"note.created",
                                    "note.edited",
                                    "note.deleted",
                                    "note.counted",
                                    "note.liked",
                                    "note.unliked",
                                    "comment.created",
                                    "comment.deleted",
                                    "comment.removed",
                                    "note.redacted",
                                    "renote.created",
                                    "author.erased",
                                    NULL};

const struct bus_consumer search_index_notes = {
    .name = "index_notes",
    .source = "note",
    .read_outbox = &note_methods[NOTE_READ_OUTBOX],
    .types = types,
    .handle = index_notes,
    .pace_ms = 20, /* a statement with its triggers costs as much as ten notes */
};
