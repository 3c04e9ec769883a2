/* Owns the caches of viewers' reactions by (viewer, note), and of notes to which anybody has reacted: to a new note
 * nobody has, so that it need not be asked for each of its viewers. */
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

static sn_status fill_reacted(struct rpc_call *c, struct cache_item *const *missing, size_t n)
{
        Note__NoteRef **rows = NULL;
        size_t n_rows = 0;

        TRY(DB_READ(c, tx, store_reacted(tx, cache_ids(c->arena, missing, n), n, &n_rows, &rows)));
        for (size_t i = 0; i < n_rows; i++) {
                struct cache_item *item = cache_find(missing, n, (struct cache_key){.id = rows[i]->id});

                if (item != NULL) {
                        item->value.number = 1;
                }
        }
        return SN_OK;
}

static struct cache reacted = {.name = "reacted_notes", .numbers = true, .fill = fill_reacted};

sn_status marks_start(size_t max_bytes)
{
        TRY(cache_start(&reacted, max_bytes / 4));
        return cache_start(&marks, max_bytes - max_bytes / 4);
}

void marks_stop(void)
{
        cache_stop(&marks);
        cache_stop(&reacted);
}

/* The indexes of notes with reactions. */
static sn_status keep_reacted(struct rpc_call *c, char *const *ids, size_t n, size_t *places, size_t *n_places)
{
        struct cache_item *items = ARENA_ARRAY(c->arena, struct cache_item, n);

        for (size_t i = 0; i < n; i++) {
                items[i].key = (struct cache_key){.id = ids[i]};
        }
        TRY(cache_get(c, &reacted, READ_FROM_ANYWHERE, items, n));
        *n_places = 0;
        for (size_t i = 0; i < n; i++) {
                if (items[i].value.number != 0) {
                        places[(*n_places)++] = i;
                }
        }
        return SN_OK;
}

sn_status marks_get(struct rpc_call *c, char *const *viewers, char *const *ids, size_t n, Note__NoteViewer *out)
{
        size_t *places = ARENA_ARRAY(c->arena, size_t, n), n_asked = 0;

        TRY(keep_reacted(c, ids, n, places, &n_asked));
        struct cache_item *items = ARENA_ARRAY(c->arena, struct cache_item, n_asked);
        for (size_t i = 0; i < n_asked; i++) {
                items[i].key = (struct cache_key){.id = viewers[places[i]], .other = ids[places[i]]};
        }
        TRY(cache_get(c, &marks, READ_FROM_ANYWHERE, items, n_asked));
        for (size_t i = 0; i < n; i++) {
                note__note_viewer__init(&out[i]);
        }
        for (size_t i = 0; i < n_asked; i++) {
                Note__NoteViewer *mark = &out[places[i]];

                mark->liked = (items[i].value.number & LIKED) != 0;
                mark->renoted = (items[i].value.number & RENOTED) != 0;
                mark->bookmarked = (items[i].value.number & BOOKMARKED) != 0;
        }
        return SN_OK;
}

void marks_changed(struct db_tx *tx, const char *viewer, const char *note_id)
{
        cache_changed(&marks, tx, (struct cache_key){.id = viewer, .other = note_id});
        cache_changed(&reacted, tx, (struct cache_key){.id = note_id});
}
