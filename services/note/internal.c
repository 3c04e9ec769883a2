/* Owns what other services ask of note_service. */
#include "services/note/note.h"

#include "services/note/recent.h"
#include "services/note/renoters.h"
#include "services/note/show.h"
#include "services/note/store.h"

sn_status note_handle_batch_get(struct rpc_call *c, const Note__BatchGetRequest *in, Note__Notes *out)
{
        struct reader reader = {.id = in->viewer_id, .hides_muted = in->hide_muted};

        TRY(show_notes(c, &reader, in->ids, in->n_ids, &out->n_items, &out->items));
        if (!in->with_renotes) {
                return SN_OK;
        }
        out->n_next_renote_ids = out->n_items;
        out->next_renote_ids = ARENA_ARRAY(c->arena, char *, out->n_items);
        return renoters_show(c, in->viewer_id, out->items, out->n_items, out->next_renote_ids);
}

sn_status note_handle_list_ids_by_authors(struct rpc_call *c, const Note__ListIdsByAuthorsRequest *in,
                                          Note__NoteRefs *out)
{
        CLEANUP(db_rollback_p) struct db_tx *tx = NULL;

        if (in->n_author_ids == 1 && !in->fresh) {
                return recent_list(c, in->author_ids[0], in->before_id, in->limit, &out->n_items, &out->items);
        }
        TRY(db_read(c, &tx));
        return store_ids_by_authors(tx, in->author_ids, in->n_author_ids, in->before_id, in->limit, &out->n_items,
                                    &out->items);
}

sn_status note_handle_list_ids_by_hashtag(struct rpc_call *c, const Note__ListIdsByHashtagRequest *in,
                                          Note__NoteRefs *out)
{
        CLEANUP(db_rollback_p) struct db_tx *tx = NULL;
        const char *problem = NULL;
        char *key = note_hashtag_key(c->arena, in->tag, &problem);

        if (key == NULL) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, "tag", "%s", problem);
        }
        TRY(db_read(c, &tx));
        return store_ids_by_hashtag(tx, key, in->before_id, in->limit, &out->n_items, &out->items);
}
