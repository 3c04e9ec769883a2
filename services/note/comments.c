/* Owns comments and the conversation around a note. */
#include "services/note/note.h"

#include "bus/bus.h"
#include "services/note/draft.h"
#include "services/note/show.h"
#include "services/note/store.h"
#include "services/note/visibility.h"

static void answer_to(struct draft *draft, const NoteRows__StoredNote *parent)
{
        draft->parent_id = parent->note->id;
        draft->root_id = parent->root_id[0] != '\0' ? parent->root_id : parent->note->id;
        draft_inherit_audience(draft, parent);
}

sn_status note_handle_create_comment(struct rpc_call *c, const Note__CreateCommentRequest *in, Note__Note *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        NoteRows__StoredNote *parent = NULL;
        Note__NoteCounts delta = NOTE__NOTE_COUNTS__INIT;
        struct draft draft;
        const struct draft *drafts[] = {&draft};

        TRY(show_check(c, in->id, &parent));
        TRY(draft_new(c, in->text, &draft));
        TRY(draft_author(c, &draft));
        answer_to(&draft, parent);
        draft_show(c, &draft, out);
        TRY(db_begin(c, &tx));
        TRY(draft_store(tx, drafts, 1));
        delta.comments = 1;
        if (!draft.uncounted) {
                TRY(count_reaction(tx, draft.parent_id, &delta));
        }
        if (note_is_for_others(draft.visibility)) {
                TRY(outbox_put(tx, &(struct outbox_event){.type = EVENT_COMMENT_CREATED,
                                                          .aggregate_id = draft.id,
                                                          .object_id = draft.parent_id,
                                                          .version = 1}));
        }
        return db_commit(c, &out->base, &tx);
}

/* ---- Lists ---- */

typedef sn_status load_below(struct db_tx *tx, const NoteRows__StoredNote *note, const struct page_scan *scan,
                             size_t *n, Note__NoteRef ***refs);

/* Lists what is below a note, in one of two orders, for one viewer. */
struct below {
        const NoteRows__StoredNote *note;
        load_below *load;
        struct reader reader;
};

/* Opening a note is an explicit request for its author, so their comments under it are shown even if muted. */
static struct below below_note(const struct rpc_call *c, const NoteRows__StoredNote *note, load_below *load)
{
        return (struct below){note, load, {.id = c->actor, .hides_muted = true, .asked_for = note->note->author->id}};
}

static sn_status load_comments(struct db_tx *tx, const NoteRows__StoredNote *note, const struct page_scan *scan,
                               size_t *n, Note__NoteRef ***refs)
{
        return store_comment_ids(tx, note->note->id, scan, n, refs);
}

static sn_status load_thread(struct db_tx *tx, const NoteRows__StoredNote *note, const struct page_scan *scan,
                             size_t *n, Note__NoteRef ***refs)
{
        return store_descendants(tx, note->note->id, note->root_id[0] == '\0', scan, n, refs);
}

static sn_status fetch_below(struct rpc_call *c, void *context, const struct page_scan *scan, struct page_refs *out)
{
        const struct below *below = context;
        Note__NoteRef **refs = NULL;
        size_t n = 0;

        TRY(DB_READ(c, tx, below->load(tx, below->note, scan, &n, &refs)));
        page_refs_of_notes(c->arena, refs, n, out);
        return SN_OK;
}

static bool admits(const void *context, const Follow__Relationship *author)
{
        const struct below *below = context;

        return page_admits_unblocked(context, author) &&
               (!author->muting || uuid_equal(author->user_id, below->reader.asked_for));
}

static sn_status show_below(struct rpc_call *c, void *context, char **ids, size_t n, size_t *n_items,
                            ProtobufCMessage ***items)
{
        const struct below *below = context;

        return show_notes(c, &below->reader, ids, n, n_items, (Note__Note ***)items);
}

static sn_status read_below(struct rpc_call *c, struct below below, const char *id, const char *cursor, uint32_t limit,
                            struct page *page)
{
        struct page_source source = {
            .filter = id, .fetch = fetch_below, .admits = admits, .show = show_below, .context = &below};

        return page_read(c, &source, &(struct page_asked){.position = cursor, .limit = limit}, page);
}

sn_status note_handle_list_comments(struct rpc_call *c, const Note__ListCommentsRequest *in, Note__NoteList *out)
{
        NoteRows__StoredNote *parent = NULL;
        struct page page;

        TRY(show_check(c, in->id, &parent));
        TRY(read_below(c, below_note(c, parent, load_comments), in->id, in->cursor, in->limit, &page));
        PAGE_ANSWER(out, &page);
        return SN_OK;
}

static sn_status show_ancestors(struct rpc_call *c, const char *id, Note__Thread *out)
{
        Note__NoteRef **refs = NULL;
        size_t n = 0;

        TRY(DB_READ(c, tx, store_ancestors(tx, id, &n, &refs)));
        char **ids = ARENA_ARRAY(c->arena, char *, n);
        for (size_t i = 0; i < n; i++) {
                ids[i] = refs[i]->id;
        }
        return show_notes(c, &(struct reader){.id = c->actor}, ids, n, &out->n_ancestors, &out->ancestors);
}

sn_status note_handle_get_thread(struct rpc_call *c, const Note__GetThreadRequest *in, Note__Thread *out)
{
        NoteRows__StoredNote *stored = NULL;
        struct page page;

        out->note = ARENA_NEW(c->arena, Note__Note);
        note__note__init(out->note);
        TRY(show_opened(c, in->id, out->note, &stored));
        TRY(show_ancestors(c, stored->note->id, out));
        TRY(read_below(c, below_note(c, stored, load_thread), in->id, in->cursor, in->limit, &page));
        out->n_items = page.n;
        out->items = (Note__Note **)page.items;
        out->next_cursor = page.next_cursor;
        return SN_OK;
}
