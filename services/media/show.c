/* Owns describing and attaching media for other services, which have already decided whether the viewer may see them.
 */
#include "services/media/media.h"

#include <string.h>
#include "services/media/describe.h"
#include "services/media/store.h"

static MediaRows__StoredMedia *find_row(MediaRows__StoredMedia **rows, size_t n, const char *id)
{
        for (size_t i = 0; i < n; i++) {
                if (strcmp(rows[i]->id, id) == 0) {
                        return rows[i];
                }
        }
        return NULL;
}

/* The media requested, and a viewer for each. */
struct asked {
        char **ids, **viewer_ids;
        size_t n;
};

/* Fills the answer in the order requested. Items that do not exist have no id. */
static void fill_answer(struct rpc_call *c, const struct asked *asked, MediaRows__StoredMedia **rows, size_t n_rows,
                        Media__Descriptions *out)
{
        out->items = ARENA_ARRAY(c->arena, Media__Media *, asked->n);
        out->n_items = asked->n;
        for (size_t i = 0; i < asked->n; i++) {
                MediaRows__StoredMedia *found = find_row(rows, n_rows, asked->ids[i]);

                out->items[i] = ARENA_NEW(c->arena, Media__Media);
                media__media__init(out->items[i]);
                if (found != NULL) {
                        describe(c, found, asked->viewer_ids[i]);
                        *out->items[i] = *found->media;
                }
        }
}

static sn_status check_viewers(struct rpc_call *c, const Media__BatchDescribeRequest *in)
{
        return in->n_viewer_ids == in->n_ids
                   ? SN_OK
                   : rpc_fail(c, SN_INVALID_ARGUMENT, "viewer_ids", "must have as many items as ids");
}

sn_status media_handle_batch_describe(struct rpc_call *c, const Media__BatchDescribeRequest *in,
                                      Media__Descriptions *out)
{
        MediaRows__StoredMedia **rows = NULL;
        size_t n = 0;

        TRY(check_viewers(c, in));
        TRY(DB_READ(c, tx, store_medias(tx, in->ids, in->n_ids, &n, &rows)));
        fill_answer(c, &(struct asked){in->ids, in->viewer_ids, in->n_ids}, rows, n, out);
        return SN_OK;
}

static sn_status fail_not_own(struct rpc_call *c)
{
        return rpc_fail(c, SN_INVALID_ARGUMENT, "media_ids",
                        "you have no media with one of these ids, or it has failed");
}

static sn_status check_own(struct rpc_call *c, const Media__AttachRequest *in, MediaRows__StoredMedia **rows, size_t n)
{
        for (size_t i = 0; i < in->n_ids; i++) {
                const MediaRows__StoredMedia *row = find_row(rows, n, in->ids[i]);

                if (row == NULL || row->media->status == MEDIA__STATUS__STATUS_FAILED) {
                        return fail_not_own(c);
                }
        }
        for (size_t i = 0; i < n; i++) {
                if (strcmp(rows[i]->owner_id, in->owner_id) != 0) {
                        return fail_not_own(c);
                }
        }
        return SN_OK;
}

/* The viewer is the owner, who attaches the media. */
static char **owner_for_each(struct rpc_call *c, const Media__AttachRequest *in)
{
        char **viewers = ARENA_ARRAY(c->arena, char *, in->n_ids);

        for (size_t i = 0; i < in->n_ids; i++) {
                viewers[i] = in->owner_id;
        }
        return viewers;
}

sn_status media_handle_attach(struct rpc_call *c, const Media__AttachRequest *in, Media__Descriptions *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        MediaRows__StoredMedia **rows = NULL;
        size_t n = 0;

        TRY(db_begin(c, &tx));
        TRY(store_lock_medias(tx, in->ids, in->n_ids, &n, &rows));
        TRY(check_own(c, in, rows, n));
        TRY(store_insert_uses(tx, in->ids, in->n_ids, in->object_id, in->is_public));
        fill_answer(c, &(struct asked){in->ids, owner_for_each(c, in), in->n_ids}, rows, n, out);
        return db_commit(c, NULL, &tx);
}
