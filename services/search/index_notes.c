/* Keeps the index of notes: what an event names is asked of note_service, as it is by then, so it may come twice and
 * late. */
#include "services/search/search.h"

#include <string.h>
#include "base/text.h"
#include "services/note/note.rpc.h"
#include "services/search/scripts.h"
#include "services/search/store.h"

static void add_signs(struct arena *arena, struct lexemes *lexemes, const Note__Note *note, const char *language)
{
        lexemes_add_sign(arena, lexemes, ":all");
        lexemes_add_sign(arena, lexemes, arena_printf(arena, ":from:%s", note->author->id));
        for (size_t i = 0; i < note->n_mentions; i++) {
                lexemes_add_sign(arena, lexemes, arena_printf(arena, ":mentions:%s", note->mentions[i]->id));
        }
        for (size_t i = 0; i < note->n_hashtags; i++) {
                lexemes_add_sign(arena, lexemes,
                                 arena_printf(arena, "#%s", text_casefold_nfkc(arena, note->hashtags[i])));
        }
        if (note->parent_id[0] != '\0') {
                lexemes_add_sign(arena, lexemes, ":is:comment");
        }
        if (language[0] != '\0') {
                lexemes_add_sign(arena, lexemes, arena_printf(arena, ":lang:%s", language));
        }
}

static void analyse(struct arena *arena, const Note__IndexedNote *in, struct indexed_note *out)
{
        struct lexemes lexemes = lexemes_of(arena, in->note->text);
        const char *code = language_guess(in->note->text);
        const struct language *language = language_of_stems(in->note->text, code);

        *out = (struct indexed_note){.note = in,
                                     .language = language != NULL ? language->code : "",
                                     .dictionary = language != NULL ? language->dictionary : "",
                                     .words = ARENA_ARRAY(arena, char *, lexemes.n),
                                     .length = lexemes.n_words};
        for (size_t i = 0; i < lexemes.n; i++) {
                if (lexemes.items[i].kind == LEXEME_WORD) {
                        out->words[out->n_words++] = lexemes.items[i].word;
                }
        }
        add_signs(arena, &lexemes, in->note, code);
        out->vector = lexemes_vector(arena, &lexemes);
}

/* Each id once, in order: two that write the same notes cannot wait for each other. */
static size_t ids_of(struct rpc_call *c, const struct bus_batch *batch, char **ids)
{
        size_t n = 0;

        for (size_t i = 0; i < batch->n; i++) {
                const bus_event *event = batch->events[i];
                bool known = false;

                for (size_t k = 0; k < n && !known; k++) {
                        known = uuid_equal(ids[k], event->aggregate_id);
                }
                if (!known) {
                        ids[n++] = event->aggregate_id;
                }
        }
        return n;
}

static bool is_among(const char *id, const Note__IndexedNotes *notes)
{
        for (size_t i = 0; i < notes->n_items; i++) {
                if (uuid_equal(notes->items[i]->note->id, id)) {
                        return true;
                }
        }
        return false;
}

static sn_status index_notes(struct rpc_call *c, struct bus_batch *batch)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        Note__BatchGetIndexedRequest in = NOTE__BATCH_GET_INDEXED_REQUEST__INIT;
        Note__IndexedNotes found = NOTE__INDEXED_NOTES__INIT;
        struct indexed_note *notes;
        char **gone = ARENA_ARRAY(c->arena, char *, batch->n);
        size_t n_gone = 0;

        in.ids = ARENA_ARRAY(c->arena, char *, batch->n);
        in.n_ids = ids_of(c, batch, in.ids);
        TRY(note_batch_get_indexed(c, &in, &found));
        notes = ARENA_ARRAY(c->arena, struct indexed_note, found.n_items);
        for (size_t i = 0; i < found.n_items; i++) {
                analyse(c->arena, found.items[i], &notes[i]);
        }
        for (size_t i = 0; i < in.n_ids; i++) {
                if (!is_among(in.ids[i], &found)) {
                        gone[n_gone++] = in.ids[i];
                }
        }
        TRY(bus_begin(c, batch, &tx));
        for (size_t i = 0; i < found.n_items; i++) {
                TRY(store_index_note(tx, &notes[i]));
        }
        TRY(store_unindex_notes(tx, gone, n_gone));
        return bus_commit(c, batch, &tx);
}

static const char *const types[] = {
    "note.created", "note.edited", "note.deleted", "comment.created", "comment.deleted", "comment.removed", NULL};

const struct bus_consumer search_index_notes = {
    .name = "index_notes",
    .source = "note",
    .read_outbox = &note_methods[NOTE_READ_OUTBOX],
    .types = types,
    .handle = index_notes,
};
