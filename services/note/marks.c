/* Owns the cache of viewers' reactions by (viewer, note). */
#include "services/note/marks.h"

#include "cache/cache.h"
#include "services/note/store.h"

enum { LIKED = 1, RENOTED = 2, BOOKMARKED = 4 };

static sn_status fill_marks(struct rpc_call *c, struct cache_item *const *missing, size_t n)
{
        char **viewers = cache_ids(c->arena, missing, n), **notes = cache_others(c->arena, missing, n);
        NoteRows__Mark **rows = NULL;
        size_t n_rows = 0;

        TRY(DB_READ(c, tx, store_marks(tx, viewers, notes, n, &n_rows, &rows)));
        for (size_t i = 0; i < n_rows; i++) {
                missing[i]->value.number = (rows[i]->liked ? LIKED : 0) | (rows[i]->renoted ? RENOTED : 0) |
                                           (rows[i]->bookmarked ? BOOKMARKED : 0);
        }
        return SN_OK;
}

static struct cache marks = {.name = "marks", .numbers = true, .fill = fill_marks};

sn_status marks_start(size_t max_bytes)
{
        return cache_start(&marks, max_bytes);
}

void marks_stop(void)
{
        cache_stop(&marks);
}

sn_status marks_get(struct rpc_call *c, char *const *viewers, char *const *ids, size_t n, Note__NoteViewer *out)
{
        struct cache_item *items = ARENA_ARRAY(c->arena, struct cache_item, n);

        for (size_t i = 0; i < n; i++) {
                items[i].key = (struct cache_key){.id = viewers[i], .other = ids[i]};
        }
        TRY(cache_get(c, &marks, READ_FROM_ANYWHERE, items, n));
        for (size_t i = 0; i < n; i++) {
                note__note_viewer__init(&out[i]);
                out[i].liked = (items[i].value.number & LIKED) != 0;
                out[i].renoted = (items[i].value.number & RENOTED) != 0;
                out[i].bookmarked = (items[i].value.number & BOOKMARKED) != 0;
        }
        return SN_OK;
}

void marks_changed(struct db_tx *tx, const char *viewer, const char *note_id)
{
        cache_changed(&marks, tx, (struct cache_key){.id = viewer, .other = note_id});
}
