/* Owns comments and the conversation around a note. */
#include "services/note/note.h"

#include <string.h>
#include "auth/cursor.h"
#include "bus/bus.h"
#include "services/note/draft.h"
#include "services/note/show.h"
#include "services/note/store.h"
#include "services/services.h"
#include "services/note/visibility.h"

/* A comment is seen by whom the note that it answers is seen: its audience is that note's. */
static void place(struct draft *draft, const NoteRows__StoredNote *parent)
{
        draft->parent_id = parent->note->id;
        draft->root_id = parent->root_id[0] != '\0' ? parent->root_id : parent->note->id;
        draft->visibility = (int)parent->note->visibility;
        draft->audience_owner = note_audience_owner(parent);
}

sn_status note_handle_create_comment(struct rpc_call *c, const Note__CreateCommentRequest *in, Note__Note *out)
{
        CLEANUP(db_rollback_p) struct db_tx *tx = NULL;
        NoteRows__StoredNote *parent = NULL;
        Note__NoteCounts delta = NOTE__NOTE_COUNTS__INIT;
        struct draft draft;

        TRY(show_check(c, in->id, &parent));
        TRY(draft_new(c, in->text, &draft));
        place(&draft, parent);
        TRY(draft_show(c, &draft, out));
        TRY(db_begin(c, &tx));
        TRY(draft_store(tx, &draft));
        delta.comments = 1;
        TRY(count_reaction(tx, draft.parent_id, &delta));
        if (note_is_for_others(draft.visibility)) {
                TRY(outbox_put(tx, &(struct outbox_event){.type = EVENT_COMMENT_CREATED,
                                                          .aggregate_id = draft.id,
                                                          .object_id = draft.parent_id,
                                                          .version = 1}));
        }
        return db_commit(c, &out->base, &tx);
}

/* The cursor that goes on after the last item that was shown. */
static char *next_cursor(struct rpc_call *c, const char *filter, const char *last)
{
        struct cursor position = {0};

        if (last == NULL) {
                return (char *)protobuf_c_empty_string;
        }
        memcpy(position.id, last, UUID_SIZE);
        return cursor_encode(c, filter, &position);
}

/* Who opens a note has asked for its author, and keeps seeing what they add to it. */
static struct reader reader_of_answers(const struct rpc_call *c, const NoteRows__StoredNote *note)
{
        return (struct reader){.id = c->actor, .hides_muted = true, .asked_for = note->note->author->id};
}

sn_status note_handle_list_comments(struct rpc_call *c, const Note__ListCommentsRequest *in, Note__NoteList *out)
{
        size_t limit = page_limit(in->limit);
        NoteRows__StoredNote *parent = NULL;
        Note__NoteRef **refs = NULL;
        const char *last = NULL;
        struct cursor position;
        struct reader reader;
        size_t n = 0;

        TRY(cursor_decode(c, in->id, in->cursor, &position));
        TRY(show_check(c, in->id, &parent));
        {
                CLEANUP(db_rollback_p) struct db_tx *tx = NULL;

                TRY(db_read(c, &tx));
                TRY(store_comment_ids(tx, parent->note->id, position.id, limit + 1, &n, &refs));
        }
        reader = reader_of_answers(c, parent);
        TRY(show_page(c, &reader, refs, n, limit, &out->n_items, &out->items, &last));
        out->next_cursor = next_cursor(c, in->id, last);
        return SN_OK;
}

static sn_status load_around(struct rpc_call *c, const NoteRows__StoredNote *note, const char *after, size_t limit,
                             size_t *n_above, Note__NoteRef ***above, size_t *n_below, Note__NoteRef ***below)
{
        CLEANUP(db_rollback_p) struct db_tx *tx = NULL;

        TRY(db_read(c, &tx));
        TRY(store_ancestors(tx, note->note->id, n_above, above));
        return store_descendants(tx, note->note->id, note->root_id[0] == '\0', after, limit + 1, n_below, below);
}

sn_status note_handle_get_thread(struct rpc_call *c, const Note__GetThreadRequest *in, Note__Thread *out)
{
        size_t limit = page_limit(in->limit), n_above = 0, n_below = 0;
        Note__NoteRef **above = NULL, **below = NULL;
        NoteRows__StoredNote *stored = NULL;
        const char *last = NULL;
        struct cursor position;
        struct reader reader;

        TRY(cursor_decode(c, in->id, in->cursor, &position));
        TRY(show_check(c, in->id, &stored));
        TRY(load_around(c, stored, position.id, limit, &n_above, &above, &n_below, &below));
        TRY(show_page(c, &(struct reader){.id = c->actor}, above, n_above, n_above, &out->n_ancestors, &out->ancestors,
                      &last));
        reader = reader_of_answers(c, stored);
        TRY(show_page(c, &reader, below, n_below, limit, &out->n_items, &out->items, &last));
        out->next_cursor = next_cursor(c, in->id, last);
        out->note = ARENA_NEW(c->arena, Note__Note);
        note__note__init(out->note);
        return show_note(c, stored->note->id, out->note);
}
