/* Owns the memo of marks by (viewer, note). */
#include "services/note/marks.h"

#include "cache/by_pair.h"
#include "services/note/store.h"

enum { LIKED = 1, RENOTED = 2, BOOKMARKED = 4 };

static sn_status load(struct db_tx *tx, char **viewers, char **ids, size_t n, unsigned *flags)
{
        NoteRows__Mark **rows = NULL;
        size_t n_rows = 0;

        TRY(store_marks(tx, viewers, ids, n, &n_rows, &rows));
        for (size_t i = 0; i < n_rows; i++) {
                flags[i] = (rows[i]->liked ? LIKED : 0) | (rows[i]->renoted ? RENOTED : 0) |
                           (rows[i]->bookmarked ? BOOKMARKED : 0);
        }
        return SN_OK;
}

static struct by_pair marks_by_pair = {.name = "marks", .load = load};

sn_status marks_start(size_t max_bytes)
{
        return by_pair_start(&marks_by_pair, max_bytes);
}

void marks_stop(void)
{
        by_pair_stop(&marks_by_pair);
}

sn_status marks_get(struct rpc_call *c, const char *viewer, char *const *ids, size_t n, Note__NoteViewer *marks)
{
        unsigned *flags = ARENA_ARRAY(c->arena, unsigned, n);

        TRY(by_pair_get(c, &marks_by_pair, READ_FROM_ANYWHERE, by_pair_viewers(c->arena, viewer, n), ids, n, flags));
        for (size_t i = 0; i < n; i++) {
                note__note_viewer__init(&marks[i]);
                marks[i].liked = flags[i] & LIKED;
                marks[i].renoted = flags[i] & RENOTED;
                marks[i].bookmarked = flags[i] & BOOKMARKED;
        }
        return SN_OK;
}

void marks_changed(struct db_tx *tx, const char *viewer, const char *note_id)
{
        by_pair_changed(&marks_by_pair, tx, viewer, note_id);
}
