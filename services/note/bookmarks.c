/* Owns the list of the caller's bookmarks, sorted by when they were made. */
#include "services/note/note.h"

#include <string.h>
#include "base/in_flight.h"
#include "services/note/show.h"
#include "services/note/store.h"

static sn_status fetch_bookmarks(struct rpc_call *c, void *context, const struct page_scan *scan, struct page_refs *out)
{
        NoteRows__Bookmark **rows = NULL;
        char settled[UUID_SIZE];

        out->settled.sort_key = uuid_time_ms(in_flight_settled(c->service, settled));
        TRY(DB_READ(c, tx, store_bookmarks(tx, c->actor, scan, &out->n, &rows)));
        out->items = ARENA_ARRAY(c->arena, struct page_ref, out->n);
        for (size_t i = 0; i < out->n; i++) {
                out->items[i].at.sort_key = rows[i]->created_at_ms;
                memcpy(out->items[i].at.id, rows[i]->note_id, UUID_SIZE);
                out->items[i].author_id = rows[i]->author_id;
        }
        return SN_OK;
}

static sn_status locate_bookmark(struct rpc_call *c, void *context, struct position *at)
{
        NoteRows__Bookmark row = NOTE_ROWS__BOOKMARK__INIT;
        bool found = false;

        TRY(DB_READ(c, tx, store_bookmark(tx, c->actor, at->id, &row, &found)));
        at->sort_key = row.created_at_ms;
        return found ? SN_OK
                     : rpc_fail(c, SN_INVALID_ARGUMENT, "after",
                                "you have no bookmark of a note with this ID; use a cursor instead");
}

static sn_status show_bookmarks(struct rpc_call *c, void *context, char **ids, size_t n, size_t *n_items,
                                ProtobufCMessage ***items)
{
        return show_notes(c, &(struct reader){.id = c->actor}, ids, n, n_items, (Note__Note ***)items);
}

sn_status note_handle_list_bookmarks(struct rpc_call *c, const Note__ListBookmarksRequest *in, Note__NoteList *out)
{
        struct page_source source = {.filter = "",
                                     .newest_first = true,
                                     .fetch = fetch_bookmarks,
                                     .locate = locate_bookmark,
                                     .admits = page_admits_unblocked,
                                     .show = show_bookmarks};
        struct page page;

        TRY(page_read(c, &source, PAGE_ASKED(in, NOTE__LIST_BOOKMARKS_REQUEST), &page));
        PAGE_ANSWER(out, &page);
        return SN_OK;
}
