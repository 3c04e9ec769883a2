/* Owns the list of one's own bookmarks. */
#include "services/note/note.h"

#include <string.h>
#include "auth/cursor.h"
#include "services/note/show.h"
#include "services/note/store.h"
#include "services/services.h"

static char *cursor_after(struct rpc_call *c, const NoteRows__Bookmark *last)
{
        struct cursor position = {.sort_key = last->created_at_ms};

        memcpy(position.id, last->note_id, UUID_SIZE);
        return cursor_encode(c, "", &position);
}

sn_status note_handle_list_bookmarks(struct rpc_call *c, const Note__ListBookmarksRequest *in, Note__NoteList *out)
{
        size_t limit = page_limit(in->limit), n = 0;
        NoteRows__Bookmark **rows = NULL;
        struct cursor position;
        char **ids = ARENA_ARRAY(c->arena, char *, limit);

        TRY(cursor_decode(c, "", in->cursor, &position));
        {
                CLEANUP(db_rollback_p) struct db_tx *tx = NULL;

                TRY(db_read(c, &tx));
                TRY(store_bookmarks(tx, c->actor, position.sort_key, position.id, limit + 1, &n, &rows));
        }
        if (n > limit) {
                n = limit;
                out->next_cursor = cursor_after(c, rows[n - 1]);
        }
        for (size_t i = 0; i < n; i++) {
                ids[i] = rows[i]->note_id;
        }
        return show_notes(c, &(struct reader){.id = c->actor}, ids, n, &out->n_items, &out->items);
}
